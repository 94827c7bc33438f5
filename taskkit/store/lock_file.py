"""The locks of a store: one process at a time, and the kernel releases them however that process ends.

There are two locks, because each has a hole that the other closes.

- **The lock file** beside the database is the one that a person sees, and it holds the pid of its holder. It
  is never removed: one process could lock it just while another removes it. But a person may remove or
  replace it, or open the database by another name.
- **The claim** is a lock on the database file itself. It belongs to one open descriptor (an OFD lock), which
  not every system has, and to a byte far beyond those that SQLite locks, so it does not disturb SQLite.

Closing any descriptor of the database drops the locks that SQLite has on it in this process. So the claim is
taken before SQLite opens the file, and its descriptor is closed after SQLite has closed the file.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import sys
from collections.abc import Callable
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from time import sleep
from typing import Final

from taskkit.errors import StoreError, StoreInUseError
from taskkit.private_files import PRIVATE_FILE, owner_name, tighten

_PID_WRITE_SECONDS: Final = 0.2
"""The time in which a process that has just taken the lock writes its pid."""

_PROBE_SECONDS: Final = 0.02
"""The longest time for which a process that only tests the lock holds it."""

_OPEN: Final = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Flags for opening: no link, which could lead to any file, and no waiting, as a pipe would need."""

# Not every system has locks that belong to a descriptor (OFD locks).
_SET_CLAIM: Final[int | None] = getattr(fcntl, "F_OFD_SETLK", None)
_GET_CLAIM: Final[int | None] = getattr(fcntl, "F_OFD_GETLK", None)
_CLAIM: Final = struct.Struct("@qqihh" if sys.platform == "darwin" else "@hhqqi")
_CLAIMED_BYTE: Final = 2**62
"""SQLite locks bytes from 2**30 on, in a page that never holds data."""

_TRIES: Final = 10
"""The number of tries to lock the file, if it is replaced between opening and locking."""

_held: Final[set[LockFile]] = set()
"""The locks that this process holds. One that is never released is held until the process ends."""


_waiting: Final[set[int]] = set()
"""Descriptors on which threads of this process wait for a lock."""


def is_held(path: Path, guarded: Path) -> bool:
    """True if a process has the store open. A lock that may not be tested counts as held.

    Args:
        path: The lock file.
        guarded: The database.
    """
    return is_held_here(guarded) or _is_locked(path) or _is_claimed(guarded)


def is_held_here(guarded: Path) -> bool:
    """True if this process has the database open: then only SQLite may open and close its file."""
    try:
        there = guarded.stat()
    except OSError:
        return False
    return any(lock.has_claimed(there) for lock in list(_held))


def wait_until_free(path: Path, guarded: Path) -> None:
    """Wait until no process holds the locks of a store, without polling. It may be held again at once.

    The kernel wakes the thread, however the holder ends. Nothing can end the wait before that.

    Args:
        path: The lock file; if there is none, this returns.
        guarded: The database.

    Raises:
        OSError: The file may not be opened, or its file system has no locks.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _OPEN)
    except FileNotFoundError:
        return
    _wait_on(descriptor, lambda: flock(descriptor, LOCK_SH))
    # Usually nothing holds the claim either: only if the lock file was removed, or the file has two names.
    wait_for_claim: Final[int | None] = getattr(fcntl, "F_OFD_SETLKW", None)
    if wait_for_claim is None or is_held_here(guarded) or not _is_claimed(guarded):
        return
    claimed = os.open(guarded, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    _wait_on(claimed, lambda: fcntl.fcntl(claimed, wait_for_claim, _claim_of(1, fcntl.F_RDLCK)))


def _wait_on(descriptor: int, lock: Callable[[], object]) -> None:
    """Wait for a shared lock on a file, and close the file."""
    _waiting.add(descriptor)
    try:
        lock()
    finally:
        _waiting.discard(descriptor)
        os.close(descriptor)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | _OPEN)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        flock(descriptor, LOCK_SH | LOCK_NB)  # only for a moment; a process that wants the lock tries twice
    except BlockingIOError:
        return True
    except OSError:
        return False  # this file system has no locks
    finally:
        os.close(descriptor)
    return False


def _is_claimed(guarded: Path) -> bool:
    try:
        descriptor = os.open(guarded, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return _claimer(descriptor) is not None
    finally:
        os.close(descriptor)


def _claim_of(pid: int, kind: int = fcntl.F_WRLCK) -> bytes:
    # The length of the locked range is the pid: so the claim says who holds it, even without a lock file.
    if sys.platform == "darwin":
        return _CLAIM.pack(_CLAIMED_BYTE, pid, 0, kind, os.SEEK_SET)
    return _CLAIM.pack(kind, os.SEEK_SET, _CLAIMED_BYTE, pid, 0)


def _claimer(descriptor: int) -> int | None:
    """Return the pid of the process that has claimed a file; `None` if none has, or that cannot be seen."""
    if _GET_CLAIM is None:
        return None
    try:
        answer = _CLAIM.unpack(fcntl.fcntl(descriptor, _GET_CLAIM, _claim_of(1)))
    except OSError:
        return None
    kind, pid = (answer[3], answer[1]) if sys.platform == "darwin" else (answer[0], answer[3])
    return None if kind == fcntl.F_UNLCK else pid


class LockFile:
    """The locks of a store, held from the construction until `release`. Not thread-safe.

    A forked child does not hold them, and does not keep the parent from releasing them.

    Args:
        path: The lock file; it is created if there is none.
        guarded: The database, which may not exist yet.

    Raises:
        StoreError: The lock file cannot be made or locked, or is another kind of file.
        StoreInUseError: Another process holds the lock.
    """

    def __init__(self, path: Path, guarded: Path) -> None:
        self.path = path
        self._guarded = guarded
        self._descriptor: int | None = _lock_file(path, guarded)
        # A few file systems give a file another inode number each time: then files cannot be compared.
        self._can_compare = _leads_to(path, self._descriptor)
        self._claim: int | None = None
        self._claimed: os.stat_result | None = None
        _held.add(self)

    def claim(self) -> None:
        """Lock the database file itself. It must exist, and must not be open in this process.

        Raises:
            StoreInUseError: Another process has claimed that very file, even under another name.
        """
        try:
            if self.has_claimed(self._guarded.stat()):
                return
            if is_held_here(self._guarded):
                raise StoreInUseError(f"{self._guarded} is in use by this process already")
            descriptor = os.open(self._guarded, os.O_RDWR | _OPEN)
        except OSError:
            return  # SQLite cannot open it either, and will say why
        claim = None
        if _SET_CLAIM is not None:
            try:
                fcntl.fcntl(descriptor, _SET_CLAIM, _claim_of(os.getpid()))
                claim = descriptor
            except (BlockingIOError, PermissionError) as error:
                pid = _claimer(descriptor)
                os.close(descriptor)
                holder = "another process" if pid is None else f"process {pid}"
                raise StoreInUseError(f"{self._guarded} is in use by {holder}") from error
            except OSError:
                pass  # this file system has no such locks
        self._claimed = os.fstat(descriptor)
        if claim is None:
            os.close(descriptor)
        before, self._claim = self._claim, claim
        if before is not None:
            os.close(before)

    def has_claimed(self, there: os.stat_result) -> bool:
        """True if this is the file that was claimed last."""
        return self._claimed is not None and os.path.samestat(self._claimed, there)

    def ensure_held(self, *, strictly: bool = False) -> None:
        """Lock the lock file again if someone has removed or replaced it.

        Args:
            strictly: Do not rely on the claim, because a new database is about to be made.

        Raises:
            StoreError: The lock file cannot be locked again.
            StoreInUseError: Another process holds it.
        """
        if not self._can_compare or (self._descriptor is not None and _leads_to(self.path, self._descriptor)):
            return
        try:
            descriptor = _lock_file(self.path, self._guarded)
        except StoreError:
            # The process that has it now finds the database claimed, and releases it.
            if strictly or self._claim is None:
                raise
            return
        before, self._descriptor = self._descriptor, descriptor
        if before is not None:
            os.close(before)

    def release(self) -> None:
        """Release both locks. A second call does nothing."""
        open_descriptors, self._descriptor, self._claim = (self._claim, self._descriptor), None, None
        self._claimed = None
        for descriptor in open_descriptors:
            if descriptor is not None:
                os.close(descriptor)
        _held.discard(self)


def _lock_file(path: Path, guarded: Path) -> int:
    """Open the lock file, lock it, and write the pid. Returns its descriptor."""
    for tries_left in reversed(range(_TRIES)):
        descriptor = _open_file(path, guarded)
        try:
            _lock_exclusively(descriptor)
            if tries_left and not _leads_to(path, descriptor):  # it was removed or replaced in between
                os.close(descriptor)
                continue
            last_holder = os.pread(descriptor, 32, 0).strip(b"\0\n ")  # a power cut leaves NULs
        except BlockingIOError as error:
            holder = "this process already" if is_held_here(guarded) else _holder(descriptor)
            os.close(descriptor)
            raise StoreInUseError(f"{guarded} is in use by {holder}") from error
        except OSError as error:
            os.close(descriptor)
            raise StoreError(
                f"cannot lock {path}: {error.strerror}; the file system seems to have no locks (flock),"
                " so keep the state on another one"
            ) from error
        if last_holder and not last_holder.isdigit():  # `--state uv` must not empty a uv.lock
            os.close(descriptor)
            raise StoreError(f"cannot open {guarded}: its lock would be {path}, which is another file")
        tighten(path)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass  # a full disk: the lock is held, only without the pid
        break
    return descriptor


def _open_file(path: Path, guarded: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _OPEN, PRIVATE_FILE)
    except OSError as error:
        if _is_irregular(path):
            raise StoreError(
                f"cannot open {guarded}: its lock would be {path}, which is not a regular file"
            ) from error
        raise StoreError(f"cannot write beside {guarded}: {error.strerror} ({path})") from error
    there = os.fstat(descriptor)
    if not stat.S_ISREG(there.st_mode):
        os.close(descriptor)
        raise StoreError(f"cannot open {guarded}: its lock would be {path}, which is not a regular file")
    if there.st_uid not in (0, os.geteuid()):
        os.close(descriptor)
        raise StoreError(f"cannot open {guarded}: its lock {path} belongs to {owner_name(there)}")
    return descriptor


def _is_irregular(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _leads_to(path: Path, descriptor: int) -> bool:
    """True if the path still leads to the open file."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False


def _lock_exclusively(descriptor: int) -> None:
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        sleep(_PROBE_SECONDS)  # another process may only be testing it
        flock(descriptor, LOCK_EX | LOCK_NB)


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 32, 0).strip()
    if not pid.isdigit():
        sleep(_PID_WRITE_SECONDS)
        pid = os.pread(descriptor, 32, 0).strip()
    return f"process {int(pid)}" if pid.isdigit() else "another process"


def _release_in_child() -> None:
    # The locks belong to open files, which parent and child share. An open copy here would keep them locked.
    for lock in list(_held):
        lock.release()
    for descriptor in list(_waiting):
        os.close(descriptor)
    _waiting.clear()


os.register_at_fork(after_in_child=_release_in_child)
