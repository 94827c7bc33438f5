"""Looking into what is stored: newest first, a page at a time, on a connection of its own.

Each look opens the file anew, which takes a fraction of a millisecond. So any thread may look, a long search
is in nobody's way, and another process may read what this one writes.
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

from taskkit.checks import check_whole
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason
from taskkit.store.database import PAST_COLUMNS
from taskkit.store.errors import StoreError
from taskkit.store.records import PastRow, past_of, read_name, stored_name, stored_text
from taskkit.store.schema import APPLICATION_ID, VERSION
from taskkit.store.sqlite_file import BUSY_SECONDS, check_version, in_words, refuse_newer

Kind = OutcomeKind | SkipReason

_STEPS: Final = 100_000
"""Of SQLite's machine between two questions whether to go on: about a millisecond."""

_ALL_BUT_SUCCEEDED: Final = frozenset([*OutcomeKind, *SkipReason]) - {OutcomeKind.SUCCEEDED}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that ended, also in an earlier life of its scheduler."""

    id: int
    """Its place in the history: what came later has a greater one."""
    name: str
    """Of the task."""
    session: int
    """Which opening of the store it belongs to; a run's number is unique within one."""
    outcome: Outcome
    """Its output and its traceback are shortened. Of an interrupted run, `finished` is when it was last known
    to go on."""


@dataclass(frozen=True, slots=True)
class StoredSkip:
    """Due times that passed without a run of their own."""

    id: int
    """Its place in the history: what came later has a greater one."""
    name: str
    """Of the task."""
    session: int
    """Which opening of the store it belongs to."""
    at: float
    """When that was told, in epoch seconds."""
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
    go_on: Callable[[], bool] | None = None,
) -> tuple[StoredRun | StoredSkip, ...]:
    """What a store remembers, newest first, whether or not a process has it open. Thread-safe.

    Args:
        path: Of the store.
        name: Of one task; `None` for all.
        limit: The most to return, 1 or more.
        before: Only what came before the one with this `id`: the last of the page before.
        search: Only runs whose exception, output or result contains this text; ASCII letters match in either
            case.
        kinds: Only runs that ended in one of these ways, and skips for one of these reasons; empty for all.
        since: Only what ended, or was skipped, at this time or later, in epoch seconds.
        go_on: Asked every millisecond or so, on this thread. When it says no, the search is given up, and
            nothing is found.

    Raises:
        StoreError: There is no store, or it cannot be read.
        TypeError: `limit` is not a whole number.
        ValueError: It is less than 1, or a kind is not known.
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
            if go_on is not None:
                connection.set_progress_handler(lambda: not go_on(), _STEPS)
            rows = connection.execute(query, (*values, limit)).fetchall()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return ()
        raise StoreError(f"cannot read {path}: {in_words(error)}") from error
    return tuple(told for row in rows if (told := _told(row)) is not None)


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
            add("kind <> 'succeeded'")  # for the index that holds no others
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
    """A connection that can only read, also while a process has the store open.

    Raises:
        StoreError: There is no store of this version.
        sqlite3.Error: It cannot be read.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise StoreError(f"cannot read {path}: there is no such file") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise StoreError(f"cannot read {path}: it is not a regular file")
    refuse_newer(path)
    try:
        return _checked(path, "mode=ro")
    except sqlite3.OperationalError:
        if path.with_name(f"{path.name}-wal").exists():
            raise
        # Nobody has it open, and SQLite cannot make the files with which readers and writers heed each other,
        # as the folder belongs to somebody else: all there is stands in this one file.
        return _checked(path, "immutable=1")


def _checked(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_SECONDS)
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise StoreError(f"cannot read {path}: it is no store of taskkit's")
        check_version(version, path)
        if version < VERSION:
            raise StoreError(
                f"cannot read {path}: it has version {version}, and is to be opened once to become {VERSION}"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _told(row: tuple[object, ...]) -> StoredRun | StoredSkip | None:
    number, session, name, *rest = row
    assert isinstance(number, int)
    assert isinstance(session, int)
    past = PastRow(name, *rest)  # type: ignore[arg-type]
    try:
        told = past_of(past)
    except ValueError:
        return None  # of a kind that this version does not know
    if isinstance(told, Skip):
        return StoredSkip(number, read_name(past.name), session, past.at, told)
    return StoredRun(number, read_name(past.name), session, told)
