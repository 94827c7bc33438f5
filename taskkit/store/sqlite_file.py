"""An SQLite file with our mark: found, refused, opened, brought up to date, or moved aside.

It is in WAL mode, so that readers on connections of their own are never in the writer's way, nor it in
theirs. `synchronous=NORMAL` there means: what is committed survives the death of the process at any instant;
a power cut may take the last commits, but leaves the file whole.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from taskkit.store.errors import StoreError
from taskkit.store.schema import APPLICATION_ID, MIGRATIONS, VERSION

BUSY_SECONDS: Final = 2.0
"""How long another program's transaction is waited for."""

_MAGIC: Final = b"SQLite format 3\0"

LARGEST_LOG: Final = 4 * 2**20
"""Bytes to which the write-ahead log is cut back after a checkpoint."""

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a connection for writing; the seam at which tests put a slow or a full disk."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits only when told, for one thread at a time."""
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


class Transaction:
    """Commits at its end, or rolls back if that does not go well."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._connection.commit()
        finally:
            if self._connection.in_transaction:
                self._connection.rollback()


def check_place(path: Path) -> None:
    """See that there is a place for a store at `path`; its folder is made.

    Raises:
        StoreError: There is none, or a newer version's store is there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        there = path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror} ({error.filename})") from error
    if not stat.S_ISREG(there.st_mode):
        raise StoreError(f"cannot open {path}: it is not a regular file")
    refuse_newer(path)


def refuse_newer(path: Path) -> None:
    """Refuse the store of a newer version by its first bytes, without touching it.

    Raises:
        StoreError: It is one, or cannot be read.
    """
    header = _header(path)
    if header.startswith(_MAGIC) and int.from_bytes(header[68:72]) == APPLICATION_ID:
        check_version(int.from_bytes(header[60:64]), path)


def refuse_foreign(path: Path) -> None:
    """Refuse what is no database at all, where nothing tells that it has ever been a store.

    It may be somebody's only copy of something else, and is not to be moved aside as a broken store is.

    Raises:
        StoreError: It is no database, or cannot be read.
    """
    try:
        there = path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from error
    if not stat.S_ISREG(there.st_mode):
        raise StoreError(f"cannot open {path}: it is not a regular file")
    if (header := _header(path)) and not header.startswith(_MAGIC):
        raise StoreError(f"cannot open {path}: it is no store of taskkit's, nor any database")


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(72)
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from error


def check_version(version: int, path: Path) -> None:
    """Refuse what a newer version wrote.

    Raises:
        StoreError: It did.
    """
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer taskkit:"
            f" it has version {version}, and this one reads up to {VERSION}"
        )


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or those that came after the file's version; and set how it is written.

    Raises:
        StoreError: The file is not a store, or is too new.
        sqlite3.Error: It cannot be read or written.
    """

    def number(pragma: str) -> int:
        return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])

    application, version = number("application_id"), number("user_version")
    is_empty = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    if application != APPLICATION_ID and not (application == 0 and version == 0 and is_empty):
        raise StoreError(f"cannot open {path}: it is another program's database")
    check_version(version, path)
    if version < VERSION:
        with Transaction(connection):
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the first bytes tell the version
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {LARGEST_LOG}")


def move_aside(path: Path) -> str | None:
    """Rename the file, with its log, for somebody to look into.

    Returns:
        Its new name; `None` if it is gone.

    Raises:
        OSError: It cannot be renamed.
    """
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    again = 1
    while aside.exists():
        again += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{again}")
    moved = False
    for ending in ("", "-wal", "-shm", "-journal"):
        try:
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
            moved = moved or not ending
        except FileNotFoundError:
            pass
    return aside.name if moved else None


def is_corrupt(error: BaseException) -> bool:
    """Whether it says that the file itself is broken."""
    # A table that is missing in a file with our mark is a broken file too.
    return isinstance(error, sqlite3.Error) and (
        _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        or (_code(error) == sqlite3.SQLITE_ERROR and "no such" in str(error))
    )


def in_words(error: sqlite3.Error) -> str:
    """What is wrong, for a person."""
    return _IN_WORDS.get(_code(error), str(error))


def _code(error: sqlite3.Error) -> int:
    # The lowest byte of SQLite's extended codes is the plain one.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


_IN_WORDS: Final = {
    sqlite3.SQLITE_BUSY: "it is locked by another program",
    sqlite3.SQLITE_LOCKED: "it is locked by another program",
    sqlite3.SQLITE_READONLY: "it, or its folder, cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it, or its folder, cannot be written",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
}
