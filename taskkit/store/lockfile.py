"""One store, one process: a lock that the kernel takes back however its holder ends.

The lock is on a file of its own beside the database, as closing any descriptor of the database would drop
locks that SQLite holds on it. The file stays where it is when the lock is given back: were it removed, one
process could lock the file that another is just removing.
"""

from __future__ import annotations

import os
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from time import sleep
from typing import Final
from weakref import WeakSet

from taskkit.store.errors import StoreError, StoreInUseError

_PID_APPEARS: Final = 0.2
"""Seconds within which a process that has just taken the lock has written its pid."""

_LOOK_ENDS: Final = 0.02
"""Seconds within which whoever looks at a lock has looked."""

_held: Final[WeakSet[LockFile]] = WeakSet()


def is_held(path: Path) -> bool:
    """Whether a process holds the lock at `path`: one that nobody may look at counts as held."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        flock(descriptor, LOCK_SH | LOCK_NB)  # for less than an instant; whoever wants to hold it tries twice
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


class LockFile:
    """The lock of a store, held from its making on until `release`.

    A forked child does not hold it, and does not keep others from it.

    Args:
        path: Of the file to lock; it is made where there is none.
        guarded: What the lock is for, to be named in messages.

    Raises:
        StoreError: The file cannot be made, or is something else.
        StoreInUseError: Another process holds it.
    """

    def __init__(self, path: Path, guarded: Path) -> None:
        self.path = path
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"cannot write beside {guarded}: {error.strerror} ({path})") from error
        try:
            _take(descriptor)
        except OSError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise StoreInUseError(f"{guarded} is in use by {holder}") from error
        held_last = os.pread(descriptor, 32, 0).strip(b"\0\n ")  # a power cut leaves NULs
        if held_last and not held_last.isdigit():  # `--state uv` must not empty a uv.lock
            os.close(descriptor)
            raise StoreError(f"cannot open {guarded}: its lock would be {path}, which is another file")
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass  # on a full disk the lock holds all the same, it only cannot say whose it is
        self._descriptor: int | None = descriptor
        _held.add(self)

    def release(self) -> None:
        """Give it back. Doing so twice does no harm."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
            _held.discard(self)


def _take(descriptor: int) -> None:
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except OSError:
        sleep(_LOOK_ENDS)  # somebody may only be looking whether it is held
        flock(descriptor, LOCK_EX | LOCK_NB)


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 32, 0).strip()
    if not pid.isdigit():
        sleep(_PID_APPEARS)
        pid = os.pread(descriptor, 32, 0).strip()
    if not pid.isdigit():
        return "another process"
    return "this process already" if int(pid) == os.getpid() else f"process {int(pid)}"


def _let_go_in_child() -> None:
    # The lock belongs to the open file, which parent and child share: the child must not keep it alive.
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)
