"""The rows of a store, read once and written a batch at a time. It knows no scheduler.

A batch is one transaction: a state of things and everything that led there, or nothing of it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from taskkit.store.errors import StoreError
from taskkit.store.records import PastRow, Registration, StartedRun, StoredText
from taskkit.store.retention import Pruner, Retention
from taskkit.store.sqlite_file import (
    Connect,
    Transaction,
    bring_up_to_date,
    check_place,
    connect,
    in_words,
    is_corrupt,
    move_aside,
)

MOST_NAMES: Final = 100_000
"""How many names' numbers are remembered."""

PAST_COLUMNS: Final = ", ".join(PastRow._fields[1:])
ADD_PAST: Final = (
    f"INSERT INTO history (task, {PAST_COLUMNS}, session) VALUES (?{', ?' * len(PastRow._fields)})"
)


@dataclass(slots=True)
class Batch:
    """What is written in one transaction: a state of things, and everything that led there."""

    started: dict[int, StartedRun] = field(default_factory=dict)
    """Runs that began, by number."""
    ended: set[int] = field(default_factory=set)
    """The numbers of runs that ended, and may have been written as begun."""
    past: list[PastRow] = field(default_factory=list)
    """Runs and skips, in the order of truth."""
    registrations: dict[StoredText, Registration | None] = field(default_factory=dict)
    """How they stand; `None` for those to be forgotten."""
    paused: bool | None = None
    """Whether the scheduler is; `None` for as before."""

    def add(self, item: StartedRun | PastRow) -> None:
        """Something that happened after what is there already."""
        if isinstance(item, StartedRun):
            self.started[item.run] = item
            return
        self.past.append(item)
        if item.run is not None and self.started.pop(item.run, None) is None:
            self.ended.add(item.run)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        nothing = not (self.started or self.ended or self.past or self.registrations)
        return nothing and self.paused is None


class Database:
    """An open store. One thread at a time may use it.

    Args:
        path: Of the file; it is made where there is none. A corrupt one is moved aside first.
        now: Epoch seconds.
        retention: How much of the past is kept.
        connect: Opens the connection.

    Raises:
        StoreError: It cannot be had: it is locked, not writable, another program's, or a newer version's.
    """

    def __init__(self, path: Path, now: float, retention: Retention, connect: Connect = connect) -> None:
        self.path = path
        self.notices: list[str] = []
        """What a person should know, in a sentence each."""
        self.session = 0
        """The number of this opening; each has its own."""
        self._aside: str | None = None
        self._connect = connect
        self._retention = retention
        self._pruner = Pruner(retention)
        self._names: dict[StoredText, int] = {}
        self._last_skips: dict[int, tuple[str, int]] = {}  # where a task's last row is one: reason and id
        check_place(path)
        try:
            self._open(now)
        except sqlite3.Error as error:
            if not is_corrupt(error):
                raise StoreError(f"cannot open {path}: {in_words(error)}") from error
            self._begin_anew(f"it is corrupt ({error})", now)

    # Opening

    def _open(self, now: float) -> None:
        connection = self._connect(self.path)
        try:
            bring_up_to_date(connection, self.path)
            self._connection = connection
            with Transaction(connection):
                self._begin_session(now)
        except BaseException:
            connection.close()
            raise
        self._file = self.path.stat()

    def _begin_session(self, now: float) -> None:
        execute = self._connection.execute
        facts = dict(execute("SELECT key, value FROM facts WHERE key IN ('session', 'seen')").fetchall())
        self.session = int(facts.get("session", 0)) + 1
        self._set_fact("session", self.session)
        seen = facts.get("seen", now)
        for run, name, session, trigger, due, started, attempt in execute(
            "SELECT run, name, session, trigger, due, started, attempt FROM open_runs ORDER BY run"
        ).fetchall():
            # Nobody knows when it was cut off; it was last seen when the last batch was written.
            at = max(seen, started)
            execute(
                "INSERT INTO history (task, kind, at, session, run, trigger, due, started, duration,"
                " lateness, attempt) VALUES (?, 'interrupted', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self.number_of(name),
                    at,
                    session,
                    run,
                    trigger,
                    due,
                    started,
                    at - started,
                    max(0.0, started - due),
                    attempt,
                ),
            )
        execute("DELETE FROM open_runs")

    def _begin_anew(self, why: str, now: float) -> None:
        try:
            if self._aside is None:  # else it was moved in an earlier try, and there was no new one to be had
                self._aside = move_aside(self.path) or "nowhere"
            check_place(self.path)
            self._open(now)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot begin {self.path} anew, though {why}: {error}") from error
        moved = "" if self._aside == "nowhere" else f" and was moved to {self._aside}"
        self._aside = None
        self.notices.append(f"{self.path} is begun anew: {why}{moved}")

    def begin_anew(
        self, why: str, now: float, registrations: Iterable[Registration], *, paused: bool | None
    ) -> None:
        """Leave a file that turned out to be broken, and put how things stand into a new one.

        Raises:
            StoreError: There can be no new one.
        """
        self.close()
        self._names.clear()
        self._last_skips.clear()
        self._pruner = Pruner(self._retention)
        self._begin_anew(why, now)
        self.write(Batch(registrations={each.name: each for each in registrations}, paused=paused), now)

    @property
    def is_in_place(self) -> bool:
        """Whether the path still leads to the file that was opened, and all of that is there."""
        try:
            there = self.path.stat()
        except OSError:
            return False
        # Nothing here makes it smaller. SQLite would not notice before the next opening.
        return os.path.samestat(there, self._file) and there.st_size >= self._file.st_size

    # Reading

    def paused(self) -> bool:
        """Whether the scheduler was paused."""
        row = self._connection.execute("SELECT value FROM facts WHERE key = 'paused'").fetchone()
        return row is not None and bool(row[0])

    def registrations(self) -> list[Registration]:
        """How all registrations stand."""
        columns = ", ".join(Registration._fields)
        return [
            Registration(*row) for row in self._connection.execute(f"SELECT {columns} FROM registrations")
        ]

    def recent_past(self, per_task: int) -> dict[StoredText, list[PastRow]]:
        """The newest rows of each registration's history, newest first, and always its last run.

        What is long is only of that run.
        """
        columns = ", ".join(
            f"CASE WHEN history.id = last_run THEN {column} END"
            if column in ("output", "traceback")
            else column
            for column in PastRow._fields[1:]
        )
        past: dict[StoredText, list[PastRow]] = {}
        for row in self._connection.execute(
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

    def write(self, batch: Batch, now: float) -> None:
        """Write it all, or nothing; and delete a little of what is no longer to be kept.

        Args:
            batch: What to write.
            now: Epoch seconds.

        Raises:
            sqlite3.Error: It cannot be written; the file is as before.
        """
        try:
            with Transaction(self._connection):
                self._write(batch, now)
        except BaseException:
            self._names.clear()  # some of the numbers were not committed
            self._last_skips.clear()
            raise

    def _write(self, batch: Batch, now: float) -> None:
        many = self._connection.executemany
        many("DELETE FROM open_runs WHERE run = ?", [(run,) for run in batch.ended])
        many(
            f"INSERT OR REPLACE INTO open_runs (run, name, session, trigger, due, started, attempt)"
            f" VALUES (?, ?, {self.session}, ?, ?, ?, ?)",
            batch.started.values(),
        )
        tasks = [self._write_past(row) for row in batch.past]
        changes = batch.registrations
        many(
            "DELETE FROM registrations WHERE name = ?",
            [(name,) for name, row in changes.items() if row is None],
        )
        many(
            f"INSERT OR REPLACE INTO registrations ({', '.join(Registration._fields)})"
            f" VALUES ({', '.join('?' * len(Registration._fields))})",
            [row for row in changes.values() if row is not None],
        )
        if batch.paused is not None:
            self._set_fact("paused", int(batch.paused))
        self._set_fact("seen", now)
        self._pruner.note(tasks)
        if self._pruner.prune(self._connection, now, len(tasks)):
            self._names.clear()
            self._last_skips.clear()

    def _write_past(self, row: PastRow) -> int:
        """Add a run, or a skip; one that follows another for the same reason joins it. Returns the task."""
        task = self.number_of(row.name)
        last = self._last_skips.pop(task, None)
        if row.run is None:
            if last is not None and last[0] == row.kind and self._join_skip(row, last[1]):
                self._last_skips[task] = last
                return task
            added = self._connection.execute(ADD_PAST, (task, *row[1:], self.session))
            self._last_skips[task] = (row.kind, cast(int, added.lastrowid))
        else:
            self._connection.execute(ADD_PAST, (task, *row[1:], self.session))
        return task

    def _join_skip(self, row: PastRow, number: int) -> bool:
        joined = self._connection.execute(
            "UPDATE history SET times = times + ?, last_due = ?, at = ? WHERE id = ?",
            (row.times, row.last_due, row.at, number),
        )
        return joined.rowcount == 1

    def _set_fact(self, key: str, value: float) -> None:
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, value))

    def number_of(self, name: StoredText) -> int:
        """The number that stands for a name in the history."""
        number = self._names.get(name)
        if number is None:
            execute = self._connection.execute
            execute("INSERT OR IGNORE INTO names (name) VALUES (?)", (name,))
            number = int(execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()[0])
            if len(self._names) >= MOST_NAMES:
                self._names.clear()
            self._names[name] = number
        return number

    def close(self) -> None:
        """Close the file. Doing so twice does no harm."""
        self._connection.close()
