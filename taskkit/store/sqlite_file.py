"""The SQLite file of a store: check it, open it, migrate it, or rename a corrupt one.

The file is in WAL mode, so that readers on connections of their own and the writer never block each other.
With `synchronous=NORMAL`, what is committed survives the death of the process at any instant. A power cut may
take the last commits, but leaves the file whole.
"""

from __future__ import annotations

import glob
import sqlite3
import stat
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from taskkit.errors import StoreError
from taskkit.private_files import (
    make_private_file,
    make_private_folder,
    tighten,
    user_name,
    why_untrusted,
    why_untrusted_file,
)
from taskkit.store.schema import APPLICATION_ID, MIGRATIONS, VERSION

BUSY_SECONDS: Final = 2.0
"""The longest wait for the end of another program's transaction."""

_MAGIC: Final = b"SQLite format 3\0"

WAL_SUFFIXES: Final = ("-wal", "-shm")
"""The endings of SQLite's write-ahead log and of its index: both files exist while the store is open."""

SIDE_FILE_SUFFIXES: Final = (*WAL_SUFFIXES, "-journal")
"""The endings of all files that SQLite keeps beside the database, and trusts."""

WAL_LIMIT_BYTES: Final = 4 * 2**20
"""The size to which the write-ahead log is cut back after a checkpoint."""

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a connection for writing. Tests pass in one with a slow or a full disk."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection without automatic transactions, to be used by one thread at a time."""
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def fetch_all(
    connection: sqlite3.Connection, query: str, values: Sequence[object] = ()
) -> list[tuple[Any, ...]]:
    """Return the rows that a query finds. A text that is not UTF-8 is returned as bytes.

    Raises:
        sqlite3.Error: The file cannot be read.
    """
    try:
        return connection.execute(query, values).fetchall()
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
    factory, connection.text_factory = connection.text_factory, _text_or_bytes
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.text_factory = factory


def _text_or_bytes(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored


class Transaction:
    """A transaction for `with`: commits at the end, or rolls back after an exception."""

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


def check_path(path: Path) -> None:
    """Check that a store can be at `path`, and make its folder.

    Raises:
        StoreError: It cannot, or a store of a newer version is there.
    """
    try:
        make_private_folder(path.parent)
        there = path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror} ({error.filename})") from error
    if not stat.S_ISREG(there.st_mode):
        raise StoreError(f"cannot open {path}: it is not a regular file")
    refuse_newer(path)


def make_private(path: Path) -> bool:
    """Make the file at `path`, and the files beside it, readable for this user alone. Create it if need be.

    SQLite gives the files that it creates beside it the same permissions.

    Returns:
        True if the file is new.

    Raises:
        OSError: The file cannot be made.
    """
    is_new = make_private_file(path)
    if not is_new:
        for ending in ("", *SIDE_FILE_SUFFIXES):
            tighten(path.with_name(path.name + ending))
    for aside in path.parent.glob(f"{glob.escape(path.name)}.corrupt-*"):
        tighten(aside)
    return is_new or path.stat().st_size == 0


def why_untrusted_store(path: Path) -> str | None:
    """Say why others than this user and root may have written a store, and the remedy; `None` if not.

    Args:
        path: Absolute, and not resolved: links on the way count too.

    Raises:
        OSError: The file or a folder cannot be examined.
    """
    why = why_untrusted(path)
    place = path.resolve()
    for ending in SIDE_FILE_SUFFIXES:
        beside = Path(f"{place}{ending}")
        try:
            there = beside.lstat()
        except FileNotFoundError:
            continue
        odd = None if stat.S_ISREG(there.st_mode) else f"{beside} is not a regular file"
        why = why or odd or why_untrusted_file(beside, there)
    return why


def refuse_untrusted(path: Path) -> None:
    """Refuse a store that others than this user and root may have written: its tasks would be run.

    Args:
        path: See `why_untrusted_store`.

    Raises:
        StoreError: The store is refused. The message says why, and the remedy.
        OSError: The file or a folder cannot be examined.
    """
    why = why_untrusted_store(path)
    if why is not None:
        raise StoreError(
            f"cannot open {path}: {why}. What it holds would run as {user_name()};"
            " taskkit list and taskkit history read it without running anything"
        )


def refuse_newer(path: Path) -> None:
    """Refuse the store of a newer version by its first bytes, without opening it in SQLite.

    Raises:
        StoreError: The file is such a store, or cannot be read.
    """
    header = _header(path)
    if header.startswith(_MAGIC) and int.from_bytes(header[68:72]) == APPLICATION_ID:
        check_version(int.from_bytes(header[60:64]), path)


def refuse_foreign(path: Path) -> None:
    """Refuse a file that is not a database. Call it where no lock file shows that it has been a store.

    It may be the only copy of something else, and must not be renamed as a corrupt store is.

    Raises:
        StoreError: The file is not a database, or cannot be read.
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
        raise StoreError(f"cannot open {path}: it is neither a taskkit store nor any other database")


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(72)
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}") from error


def check_version(version: int, path: Path) -> None:
    """Raise StoreError if `version` is newer than this program's."""
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer taskkit:"
            f" it has version {version}, and this one reads up to {VERSION}"
        )


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Create the tables, or bring those of an earlier version up to date. Set the modes of the connection.

    Raises:
        StoreError: The file is not a store, or was written by a newer version.
        sqlite3.Error: The file cannot be read or written.
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
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the file's header has the version
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")


def rename_corrupt(path: Path) -> str | None:
    """Rename a corrupt file and the files beside it, so that a person can examine them.

    Returns:
        The new name; `None` if there is no file.

    Raises:
        OSError: The file cannot be renamed.
    """
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    again = 1
    while aside.exists():
        again += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{again}")
    moved = False
    for ending in ("", *SIDE_FILE_SUFFIXES):
        tighten(path.with_name(path.name + ending))
        try:
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
            moved = moved or not ending
        except FileNotFoundError:
            pass
    return aside.name if moved else None


def is_corrupt(error: BaseException) -> bool:
    """True if the error means that the file itself is corrupt."""
    # A store without one of its tables is corrupt too.
    return isinstance(error, sqlite3.Error) and (
        _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        or (_code(error) == sqlite3.SQLITE_ERROR and "no such" in str(error))
    )


def sqlite_message(error: sqlite3.Error) -> str:
    """Return the error in words for a person."""
    return _MESSAGES.get(_code(error), str(error))


def _code(error: sqlite3.Error) -> int:
    # The lowest byte of SQLite's extended codes is the plain one.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


_MESSAGES: Final = {
    sqlite3.SQLITE_BUSY: "it is locked by another program",
    sqlite3.SQLITE_LOCKED: "it is locked by another program",
    sqlite3.SQLITE_READONLY: "it, or its folder, cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it, or its folder, cannot be written",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
}
