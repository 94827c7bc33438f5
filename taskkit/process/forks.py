"""Forked children: they have one thread, so a lock held by another at the fork is never released there.

A lock whose data the child still reads is taken before the fork and replaced in the child, so that the child
finds nothing half done. Other locks are only replaced. All this is one set of hooks for the process, and
costs the parent a few microseconds for each scheduler.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Collection
from typing import Final, Protocol, TypeVar
from weakref import ref


class HeldDuringFork(Protocol):
    """An object whose data must not be half changed when the process forks."""

    def hold(self) -> bool:
        """Take the lock. Return False if that takes too long: then the fork happens without it."""

    def release(self) -> None:
        """Release the lock, in the parent."""


T = TypeVar("T")


class _Fork(threading.local):
    """State of the thread that forks."""

    def __init__(self) -> None:
        self.held: list[HeldDuringFork] = []
        self.is_main = True


_this: Final = _Fork()
_held: Final[dict[int, ref[HeldDuringFork]]] = {}
_resets: Final[dict[int, Callable[[], None]]] = {}
_pid = os.getpid()

parent: int | None = None
"""The process that forked this one, if it had imported taskkit before."""

count = 0
"""The number of forks between this process and the one that imported taskkit."""


def hold_during_fork(each: HeldDuringFork) -> None:
    """Hold `each` during every fork, as long as it lives. Any thread."""
    key = id(each)
    _held[key] = ref(each, lambda _: _held.pop(key, None))


def reset_in_child(owner: T, renew: Callable[[T], None]) -> None:
    """Call `renew(owner)` in every forked child, as long as `owner` lives. Any thread.

    Args:
        owner: Has a lock or a thread, which does not work in the child.
        renew: A method of its class, not bound to it.
    """
    key = id(owner)
    find = ref(owner, lambda _: _resets.pop(key, None))

    def call() -> None:
        found = find()
        if found is not None:
            renew(found)

    _resets[key] = call


def put_handlers_back_in_child(handled: Callable[[], Collection[int]], put_back: Callable[[], None]) -> None:
    """Make a signal end a forked child as it ends any process, although the parent handles it.

    A signal that arrives before the child has put the handlers back would be lost: until then it is blocked.

    Args:
        handled: Returns the signals that have handlers now; none if they were put back already.
        put_back: Puts the handlers back, in the child.
    """
    fork = threading.local()

    def hold_back() -> None:
        numbers = handled()
        if numbers:
            fork.mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)

    def let_through() -> None:
        mask = fork.__dict__.pop("mask", None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def in_child() -> None:
        put_back()
        let_through()

    os.register_at_fork(before=hold_back, after_in_parent=let_through, after_in_child=in_child)


def keep_for_good(thing: object) -> None:
    """Keep `thing` alive as long as the process, even while the interpreter ends."""
    try:
        from ctypes import py_object, pythonapi
    except ImportError:
        return  # Python was built without it
    pythonapi.Py_IncRef(py_object(thing))


def leave_child(error: BaseException | None, *, even_main: bool = False) -> None:
    """End this forked child if it has returned to a thread of the scheduler.

    Foreign code (a task, a subscriber) has forked, and the child returned from it, or raised. It must not go
    on as a thread of the scheduler. It ends with the status that its exception asks for. The functions
    registered with `atexit` are the parent's and are not called.

    A child that was forked on the main thread and just returns continues: that thread is the program's.

    Args:
        error: The exception of the foreign code, if it raised.
        even_main: End the main thread, too: it runs an event loop that is the parent's.
    """
    if error is None and _this.is_main and not even_main:
        return
    status = 0
    try:
        if isinstance(error, SystemExit):
            status = _status_of(error)
        elif error is not None:
            status = 1
            traceback.print_exception(error)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:  # noqa: BLE001 - a user's stream may raise anything
        pass
    os._exit(status)


def _status_of(error: SystemExit) -> int:
    """Return the exit status that Python gives it; a text is printed."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def _before() -> None:
    held = _this.held = []
    _this.is_main = threading.current_thread() is threading.main_thread()
    for find in list(_held.values()):
        if (each := find()) is not None and each.hold():
            held.append(each)  # noqa: PERF401 - one by one, so that each one held is released


def _in_parent() -> None:
    held, _this.held = _this.held, []
    for each in held:
        each.release()


def _in_child() -> None:
    global count, parent, _pid
    parent, _pid = _pid, os.getpid()
    count += 1
    _this.held = []
    for renew in list(_resets.values()):
        renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
