"""The database of a store: rows are read when it is opened, and written a batch at a time.

**Guarantee.** A batch is one transaction. It holds a state and everything that led to it, so after a kill the
file shows one moment.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from taskkit._helpers.checks import is_number, is_whole
from taskkit.errors import StoreError
from taskkit.process.forks import keep_for_good, reset_in_child
from taskkit.store.lock_file import LockFile
from taskkit.store.registration_rows import RegistrationRow, is_paused
from taskkit.store.retention import Pruner, Retention
from taskkit.store.rows import MAX_COUNT, PastRow, StartedRun, StoredText, interrupted_row, seconds_or
from taskkit.store.sqlite_file import (
    WAL_SUFFIXES,
    Connect,
    Transaction,
    check_path,
    connect,
    fetch_all,
    is_corrupt,
    make_private,
    migrate,
    rename_corrupt,
    sqlite_message,
)
from taskkit.store.store_time import StoreTime

if TYPE_CHECKING:
    from taskkit.clock import Instant

MAX_CACHED_NAMES: Final = 100_000
"""The most names whose ids are cached."""

PAST_COLUMNS: Final = ", ".join(PastRow._fields[1:])
ADD_PAST: Final = (
    f"INSERT INTO history (task, {PAST_COLUMNS}, session, written)"
    f" VALUES (?{', ?' * (len(PastRow._fields) + 1)})"
)


@dataclass(slots=True)
class Batch:
    """The changes of one transaction: a state, and everything that led to it."""

    started: dict[int, StartedRun] = field(default_factory=dict)
    """Runs that began, by number."""
    ended: set[int] = field(default_factory=set)
    """The numbers of runs that ended and may have a row in `open_runs`."""
    past: list[PastRow] = field(default_factory=list)
    """Runs that ended, and skips, in the order in which they happened."""
    registrations: dict[StoredText, RegistrationRow | None] = field(default_factory=dict)
    """The new rows by name; `None` for a row to delete."""
    paused: bool | None = None
    """True if the whole scheduler is paused; `None` if that has not changed."""

    def add(self, item: StartedRun | PastRow) -> None:
        """Add the run or the skip that happened next."""
        if isinstance(item, StartedRun):
            self.started[item.run] = item
            return
        self.past.append(item)
        if item.run is not None and self.started.pop(item.run, None) is None:
            self.ended.add(item.run)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to write."""
        nothing = not (self.started or self.ended or self.past or self.registrations)
        return nothing and self.paused is None


class Database:
    """The open database of a store. Use it from one thread at a time.

    Args:
        path: The file. It is created if there is none; a corrupt one is renamed first.
        lock: Keeps other processes away. The caller releases it, after `close`.
        now: This moment.
        retention: How much history is kept.
        connect: Opens the connection.

    Raises:
        StoreError: The file is locked, cannot be written, or belongs to another program or a newer version.
        StoreInUseError: Another process has this very file open, even under another name.
    """

    def __init__(
        self, path: Path, lock: LockFile, now: Instant, retention: Retention, connect: Connect = connect
    ) -> None:
        self.path = path
        self.is_new = False
        """True if there was no store at the path before this opening."""
        self.notices: list[str] = []
        """Sentences for a person."""
        self.interrupted: dict[StoredText, list[PastRow]] = {}
        """The runs that the process before had not ended, as this opening has found them, by task."""
        self.session = 0
        """The number of this opening; each opening has its own."""
        self._store_time: StoreTime | None = None
        self._written_gaps: str | None = None  # the fact `gaps` as the file has it
        self._renamed_to: str | None = None  # the new name of a corrupt file, until a new file is open
        self._lock = lock
        self._is_closed = True
        self._pid = os.getpid()
        self._connect = connect
        self._retention = retention
        self._pruner = Pruner(retention)
        self._names: dict[StoredText, int] = {}
        self._last_skips: dict[int, tuple[str, int]] = {}  # of tasks whose last row is a skip: its reason, id
        check_path(path)
        reset_in_child(self, Database._renew)
        try:
            self.is_new = self._open(now)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror}") from error
        except sqlite3.Error as error:
            if not is_corrupt(error):
                raise StoreError(f"cannot open {path}: {sqlite_message(error)}") from error
            self._start_anew(f"the old one is corrupt ({error})", now)

    def _renew(self) -> None:
        """Keep the parent's connection from being closed in a forked child.

        Closing it there could write the log into the file, or wait forever for a mutex that the writing
        thread held at the fork.
        """
        keep_for_good(self.__dict__.get("_connection"))

    # Opening

    def _open(self, now: Instant) -> bool:
        """Open the file for this process alone. Returns whether it is new."""
        is_new = make_private(self.path)
        self._lock.claim()
        connection = self._connect(self.path)
        try:
            migrate(connection, self.path)
            self._connection = connection
            self._is_closed = False
            with Transaction(connection):
                self._begin_session(now)
        except BaseException:
            connection.close()
            raise
        self._note_files()
        return is_new

    def _note_files(self) -> None:
        self._file = self.path.stat()
        self._logs = self._find_logs()

    def _find_logs(self) -> list[tuple[int, int] | None]:
        """Return device and inode of SQLite's log and of its index; `None` for a file that is missing."""
        found: list[tuple[int, int] | None] = []
        for ending in WAL_SUFFIXES:
            try:
                there = os.lstat(f"{self.path}{ending}")
            except OSError:
                found.append(None)
            else:
                found.append((there.st_dev, there.st_ino))
        return found

    def _keep_logs(self) -> None:
        """Make SQLite's log and its index again if someone has removed them.

        SQLite would continue with the files that it has open. Other processes could not read then, and a kill
        would lose what those files hold. So the log is written into the database, and the database is opened
        again.
        """
        if not self._is_closed and self._find_logs() == self._logs:
            return
        if not self._is_closed:
            (busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                return  # a reader uses the log; try again with the next batch
            self.close()
        connection = self._connect(self.path)
        try:
            migrate(connection, self.path)
            with Transaction(connection):
                pass  # SQLite creates the files with the first transaction
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._is_closed = False
        self._note_files()

    def _begin_session(self, now: Instant) -> None:
        execute = self._connection.execute
        facts = self._facts()
        last = facts.get("session", 0)
        if not is_whole(last) or not 0 <= last < MAX_COUNT:
            last = self._last_session()
        self.session = last + 1
        self._set_fact("session", self.session)
        execute("DELETE FROM facts WHERE key = 'ended'")
        self._set_fact("pid", os.getpid())
        self._set_fact("began", now.wall)
        seen = seconds_or(now.wall, facts.get("seen"))
        if self._store_time is None:  # otherwise a corrupt file was replaced, and its time continues
            self._store_time = StoreTime(now, facts.get("time"), facts.get("gaps"), facts.get("seen"))
        written = self._note_time(now)
        for run, name, session, trigger, due, started, attempt in fetch_all(
            self._connection,
            "SELECT run, name, session, trigger, due, started, attempt FROM open_runs ORDER BY run",
        ):
            # When it was cut off is not known. The process was alive when it wrote the last batch.
            began = seconds_or(seen, started)
            was_due = seconds_or(began, due)
            at = max(seen, began)
            row = interrupted_row(StartedRun(run, name, trigger, was_due, began, attempt), at)
            execute(ADD_PAST, (self.task_id(name), *row[1:], session, written))
            self.interrupted.setdefault(name, []).append(row)
        execute("DELETE FROM open_runs")

    def _facts(self) -> dict[object, object]:
        return dict(fetch_all(self._connection, "SELECT key, value FROM facts"))

    def _last_session(self) -> int:
        """Return the newest session in the history, for a file in which the fact `session` cannot be read."""
        (last,) = self._connection.execute(
            "SELECT max(session) FROM history WHERE typeof(session) = 'integer' AND session < ?",
            (MAX_COUNT,),
        ).fetchone()
        return max(0, last or 0)

    def _start_anew(self, why: str, now: Instant) -> None:
        try:
            check_path(self.path)  # the folder for the lock may be gone too
            self._lock.ensure_held(strictly=True)
            if self._renamed_to is None:  # else an earlier try has renamed it, and then failed
                if self.path.exists():
                    self._lock.claim()  # so that it is not renamed under another process
                self._renamed_to = rename_corrupt(self.path) or "nothing"
            self._open(now)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot start a new store at {self.path}, though {why}: {error}") from error
        moved = "" if self._renamed_to == "nothing" else f" and was moved to {self._renamed_to}"
        self._renamed_to = None
        self.notices.append(f"{self.path} is a new store: {why}{moved}")

    def start_anew(
        self, why: str, now: Instant, registrations: Iterable[RegistrationRow], *, paused: bool | None
    ) -> None:
        """Leave a file that turned out to be corrupt, and write the state into a new one.

        Raises:
            StoreError: A new file cannot be made.
        """
        self.close()
        self._names.clear()
        self._last_skips.clear()
        self._written_gaps = None
        self._pruner = Pruner(self._retention)
        self._start_anew(why, now)
        self.write(Batch(registrations={each.name: each for each in registrations}, paused=paused), now)

    @property
    def is_in_place(self) -> bool:
        """True if the path still leads to the file that was opened, and that has not become shorter."""
        try:
            there = self.path.stat()
        except OSError:
            return False
        # The store never makes the file smaller. SQLite itself would notice only at the next opening.
        return os.path.samestat(there, self._file) and there.st_size >= self._file.st_size

    @property
    def time(self) -> StoreTime:
        """The store's own time, by which stored rows become old. For the thread that writes."""
        assert self._store_time is not None  # set by the opening
        return self._store_time

    # Reading

    def paused(self) -> bool:
        """Return whether the whole scheduler was paused. If that cannot be read, it counts as paused."""
        fact = self._facts().get("paused")
        if fact is not None and not is_number(fact):
            notice = f"{self.path} does not say whether everything was paused; it is paused now"
            if notice not in self.notices:
                self.notices.append(notice)
        return is_paused(fact)

    def registrations(self) -> list[RegistrationRow]:
        """Return the rows of all registrations."""
        columns = ", ".join(RegistrationRow._fields)
        rows = fetch_all(self._connection, f"SELECT {columns} FROM registrations")
        return [RegistrationRow(*row) for row in rows]

    def recent_past(self, per_task: int) -> dict[StoredText, list[PastRow]]:
        """Return the newest `per_task` rows of each registration's history, newest first, and its last run.

        Output and traceback are read for the last run only.
        """
        columns = ", ".join(
            f"CASE WHEN history.id = last_run THEN {column} END"
            if column in ("output", "traceback")
            else column
            for column in PastRow._fields[1:]
        )
        past: dict[StoredText, list[PastRow]] = {}
        for row in fetch_all(
            self._connection,
            f"SELECT task.name, {columns} FROM (SELECT names.name AS name, names.id AS task,"
            " (SELECT id FROM history WHERE task = names.id AND run IS NOT NULL ORDER BY id DESC LIMIT 1)"
            " AS last_run"
            " FROM registrations CROSS JOIN names ON names.name = registrations.name) AS task"
            " CROSS JOIN history ON history.id IN"
            " (SELECT last_run UNION SELECT * FROM"
            " (SELECT id FROM history WHERE task = task.task ORDER BY id DESC LIMIT ?))"
            " ORDER BY history.id DESC",
            (per_task,),
        ):
            past.setdefault(row[0], []).append(PastRow(*row))
        return past

    # Writing

    def write(self, batch: Batch, now: Instant) -> None:
        """Write the whole batch in one transaction, and delete some of the history that is too old.

        Args:
            batch: The rows to write.
            now: This moment.

        Raises:
            StoreError: Another process has taken the store over.
            sqlite3.Error: The batch cannot be written; the file is as before.
        """
        self._lock.ensure_held()
        self._keep_logs()
        try:
            with Transaction(self._connection):
                self._write(batch, now)
        except BaseException:
            self._names.clear()  # some of these ids were not committed
            self._last_skips.clear()
            self._written_gaps = None
            raise

    def _write(self, batch: Batch, now: Instant) -> None:
        many = self._connection.executemany
        many("DELETE FROM open_runs WHERE run = ?", [(run,) for run in batch.ended])
        many(
            f"INSERT OR REPLACE INTO open_runs (run, name, session, trigger, due, started, attempt)"
            f" VALUES (?, ?, {self.session}, ?, ?, ?, ?)",
            batch.started.values(),
        )
        written = self._note_time(now)
        tasks = [self._write_past(row, written) for row in batch.past]
        changes = batch.registrations
        many(
            "DELETE FROM registrations WHERE name = ?",
            [(name,) for name, row in changes.items() if row is None],
        )
        many(
            f"INSERT OR REPLACE INTO registrations ({', '.join(RegistrationRow._fields)})"
            f" VALUES ({', '.join('?' * len(RegistrationRow._fields))})",
            [row for row in changes.values() if row is not None],
        )
        if batch.paused is not None:
            self._set_fact("paused", int(batch.paused))
        self._set_fact("seen", now.wall)
        self._pruner.note(tasks)
        if self._pruner.prune(self._connection, self.time, written, len(tasks)):
            self._names.clear()
            self._last_skips.clear()

    def _write_past(self, row: PastRow, written: float) -> int:
        """Add a run or a skip, and return the task's id. A skip joins the skip before it if it can."""
        task = self.task_id(row.name)
        last = self._last_skips.pop(task, None)
        if row.run is None:
            if last is not None and last[0] == row.kind and self._join_skip(row, last[1], written):
                self._last_skips[task] = last
                return task
            added = self._connection.execute(ADD_PAST, (task, *row[1:], self.session, written))
            self._last_skips[task] = (row.kind, cast(int, added.lastrowid))
        else:
            self._connection.execute(ADD_PAST, (task, *row[1:], self.session, written))
        return task

    def _join_skip(self, row: PastRow, number: int, written: float) -> bool:
        joined = self._connection.execute(
            "UPDATE history SET times = times + ?, last_due = ?, at = ?, written = ? WHERE id = ?",
            (row.times, row.last_due, row.at, written, number),
        )
        return joined.rowcount == 1

    def _note_time(self, now: Instant) -> float:
        """Write the store's time into the facts. Returns it."""
        written = self.time.at(now)
        self._set_fact("time", self.time.mark)
        if (gaps := self.time.gaps) is not self._written_gaps:
            self._set_fact("gaps", gaps)
            self._written_gaps = gaps
        return written

    def _set_fact(self, key: str, value: float | str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, value))

    def task_id(self, name: StoredText) -> int:
        """Return the id that stands for a name in the history."""
        number = self._names.get(name)
        if number is None:
            execute = self._connection.execute
            execute("INSERT OR IGNORE INTO names (name) VALUES (?)", (name,))
            number = int(execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()[0])
            if len(self._names) >= MAX_CACHED_NAMES:
                self._names.clear()
            self._names[name] = number
        return number

    def end(self, now: Instant) -> None:
        """Note in the file that the process has ended in order, and close it.

        Args:
            now: This moment.
        """
        try:
            if self.is_in_place:
                with Transaction(self._connection):
                    self._note_time(now)
                    self._set_fact("seen", now.wall)
                    self._set_fact("ended", now.wall)
        except sqlite3.Error:
            pass  # then it looks like a kill, and nothing is lost
        finally:
            self.close()

    def __del__(self) -> None:
        # The connection was never closed. Python would warn about that, and a warning may be raised as an
        # error.
        if not self.__dict__.get("_is_closed", True) and os.getpid() == self._pid:
            self._connection.close()

    def close(self) -> None:
        """Close the file. A second call does nothing."""
        self._is_closed = True
        self._connection.close()
