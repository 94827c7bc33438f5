"""Read the history in a store: newest first, a page at a time, searched and filtered.

Each read opens the file again, which takes a fraction of a millisecond. So any thread can read, a long search
blocks no one, and one process can read what another one writes.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taskkit._helpers.checks import check_whole
from taskkit.errors import StoreError
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason
from taskkit.store.database import PAST_COLUMNS
from taskkit.store.lock_file import is_held_here
from taskkit.store.rows import PastRow, read_name, read_past, stored_name, stored_text
from taskkit.store.schema import APPLICATION_ID, VERSION
from taskkit.store.sqlite_file import BUSY_SECONDS, check_version, fetch_all, refuse_newer, sqlite_message

Kind = OutcomeKind | SkipReason

_STEPS: Final = 100_000
"""The steps of SQLite's virtual machine between two calls of `should_continue`: about a millisecond."""

_ALL_BUT_SUCCEEDED: Final = frozenset([*OutcomeKind, *SkipReason]) - {OutcomeKind.SUCCEEDED}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that ended, in this process or before a restart."""

    id: int
    """The position in the history; later rows have a greater one."""
    name: str
    """The name of the task."""
    session: int
    """The number of the opening of the store; a run's number is unique within one."""
    outcome: Outcome
    """The outcome, with output and traceback shortened. If the run was interrupted, `finished` is the last
    time at which its process was seen."""


@dataclass(frozen=True, slots=True)
class StoredSkip:
    """Due times that passed without a run of their own."""

    id: int
    """The position in the history; later rows have a greater one."""
    name: str
    """The name of the task."""
    session: int
    """The number of the opening of the store."""
    at: float
    """When the skip was noted, in epoch seconds."""
    skip: Skip


def read_history(
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    limit: int = 100,
    before: int | None = None,
    search: str = "",
    kinds: Collection[Kind] = (),
    since: float | None = None,
    should_continue: Callable[[], bool] | None = None,
) -> tuple[StoredRun | StoredSkip, ...]:
    """Return the stored runs and skips, newest first. Thread-safe.

    A process may have the store open meanwhile.

    Args:
        path: The file of the store.
        name: The name of one task; `None` for all.
        limit: The most to return, 1 or more.
        before: Only rows before this `id`. Pass the last `id` of a page to get the next page.
        search: Only runs whose exception, output or result contains this text. ASCII letters match in either
            case.
        kinds: Only runs with one of these outcomes, and skips for one of these reasons; empty for all.
        since: Only runs that ended, and skips that were noted, at this time or later, in epoch seconds.
        should_continue: Called every millisecond or so, on this thread. When it returns false, the search
            ends, and nothing is returned.

    Raises:
        StoreError: There is no store, or it cannot be read.
        TypeError: `limit` is not a whole number.
        ValueError: `limit` is less than 1, or a kind is not known.
    """
    check_whole("limit", limit, least=1)
    conditions, values = _conditions(name, before, search, kinds, since)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = (
        f"SELECT history.id, session, (SELECT name FROM names WHERE names.id = task), {PAST_COLUMNS}"
        f" FROM history {where} ORDER BY history.id DESC LIMIT ?"
    )
    path = Path(path)
    try:
        with closing(connect_to_read(path)) as connection:
            if should_continue is not None:
                connection.set_progress_handler(lambda: not should_continue(), _STEPS)
            rows = fetch_all(connection, query, (*values, limit))
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return ()
        raise StoreError(f"cannot read {path}: {sqlite_message(error)}") from error
    return tuple(entry for row in rows if (entry := _entry(row)) is not None)


def _conditions(
    name: str | None, before: int | None, search: str, kinds: Collection[Kind], since: float | None
) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []

    def add(condition: str, *given: object) -> None:
        conditions.append(condition)
        values.extend(given)

    if name is not None:
        add("task = (SELECT id FROM names WHERE name = ?)", stored_name(name))
    if before is not None:
        add("history.id < ?", before)
    if kinds:
        wanted = {_kind(kind) for kind in kinds}
        add(f"kind IN ({', '.join('?' * len(wanted))})", *sorted(kind.value for kind in wanted))
        if wanted <= _ALL_BUT_SUCCEEDED:
            add("kind <> 'succeeded'")  # so that SQLite uses the index with this condition
    if since is not None:
        add("at >= ?", since)
    if search:
        pattern = stored_text(search).translate({ord(sign): f"\\{sign}" for sign in "\\%_"})
        each = " LIKE ? ESCAPE '\\'"
        add(f"(exception{each} OR output{each} OR result{each})", *[f"%{pattern}%"] * 3)
    return conditions, values


def _kind(kind: Kind | str) -> Kind:
    try:
        return OutcomeKind(kind)
    except ValueError:
        return SkipReason(kind)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a connection that only reads. It works while a process has the store open.

    Raises:
        StoreError: There is no store of this version.
        sqlite3.Error: The file cannot be read.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise StoreError(f"cannot read {path}: there is no such file") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise StoreError(f"cannot read {path}: it is not a regular file")
    if not is_held_here(path):  # else closing the file here would drop SQLite's locks on it
        refuse_newer(path)
    try:
        return _connect_checked(path, "mode=ro")
    except sqlite3.OperationalError:
        if path.with_name(f"{path.name}-wal").exists():
            raise
        # No process has the store open, and the folder cannot be written, so SQLite cannot make its log
        # there. Without a log everything is in this one file, and it can be read without one.
        return _connect_checked(path, "immutable=1")


def _connect_checked(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")  # it may be another user's file
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise StoreError(f"cannot read {path}: it is not a taskkit store")
        check_version(version, path)
        if version < VERSION:
            raise StoreError(
                f"cannot read {path}: it has version {version}; open it once to make it version {VERSION}"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _entry(row: tuple[object, ...]) -> StoredRun | StoredSkip | None:
    """Return the entry of a row; `None` if this version cannot read it."""
    number, session, stored, *rest = row
    assert isinstance(number, int)
    if not isinstance(session, int):
        return None
    past = PastRow(stored, *rest)  # type: ignore[arg-type]
    try:
        content, name = read_past(past), read_name(stored)
    except ValueError:
        return None
    if isinstance(content, Skip):
        return StoredSkip(number, name, session, past.at, content)
    return StoredRun(number, name, session, content)
