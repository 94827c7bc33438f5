"""The end of a program in bounded time, even if runs have not ended."""

from __future__ import annotations

import atexit
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NoReturn

from taskkit.bounded_start import BoundedStartThread
from taskkit.clock import LockGate
from taskkit.words.plain_text import harmless

_ENDING_BY_THEMSELVES: Final = (
    # SIGINT, SIGTERM and SIGHUP, which each program handles in its own way, are left out.
    *("SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"),
    *("SIGIO", "SIGPWR", "SIGSTKFLT"),
)


def unhandled_signals() -> tuple[int, ...]:
    """Return the signals that would end this process at once, as it does not handle them: SIGUSR1 and so on.

    A program that must finish something first handles them as well. Those for faults of the process are not
    among them.
    """
    named = {number for name in _ENDING_BY_THEMSELVES if (number := getattr(signal, name, None)) is not None}
    if hasattr(signal, "SIGRTMIN"):
        named.update(range(signal.SIGRTMIN, signal.SIGRTMAX + 1))
    caught = _caught_in_c()
    return tuple(
        number
        for number in sorted(named)
        if signal.getsignal(number) is signal.SIG_DFL and not caught >> (number - 1) & 1
    )


def _caught_in_c() -> int:
    """Return the signals that have a handler, as bits; even one that Python does not know of."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^SigCgt:\s*([0-9a-f]+)", status, re.MULTILINE)
    return int(found[1], 16) if found else 0


def signal_name(number: int) -> str:
    """Return `SIGTERM` for 15; a real-time signal has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class StandardStreams:
    """`sys.stdout` and `sys.stderr` as they are now, to be put back in place of what a task leaves there."""

    def __init__(self) -> None:
        self._own = {name: getattr(sys, name, None) for name in ("stdout", "stderr")}

    def put_back(self) -> None:
        """Put them back, and flush what a task has put in their place; `None` for one that a task has closed.

        Never raises. Python would end with status 120 if flushing raised.
        """
        for name, own in self._own.items():
            left = getattr(sys, name, None)
            if left is not own:
                flush_quietly(left)
            setattr(sys, name, None if _is_closed(own) else own)


def flush_quietly(stream: object) -> None:
    """Flush it, if it is a stream. Exceptions of a user's stream are dropped."""
    try:
        stream.flush()  # type: ignore[attr-defined]
    except BaseException:  # noqa: BLE001 - a stream that is closed, broken, or none at all
        pass


def _is_closed(stream: Any) -> bool:
    try:
        return bool(stream.closed)
    except AttributeError:
        return stream is None
    except ValueError:  # it was detached from what is beneath it
        return True


def abandoned_lines(names: Iterable[str]) -> list[str]:
    """Return the words about runs that did not end in time, in lines for a terminal."""
    return [
        "these runs did not end in time and were abandoned:",
        *(f"  {harmless(name)}" for name in names),
    ]


class ReadyThread:
    """A thread that is started now for one job later, when the system may refuse a new one.

    If the system refuses it already now, the caller does the job itself.

    Args:
        name: The name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._given = LockGate()
        self._ended = LockGate()
        self._job: Callable[[], object] | None = None
        self.is_there = True
        """True if the system gave the thread."""
        try:
            BoundedStartThread(self._wait, name=name).start()
        except (RuntimeError, MemoryError):
            self.is_there = False

    def do(self, job: Callable[[], object]) -> None:
        """Do `job` on the thread. Call it once; does not wait."""
        self._job = job
        if self.is_there:
            self._given.open()
        else:
            self._call()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the job. Return True if it has ended in time."""
        return self._ended.wait(seconds)

    def _wait(self) -> None:
        self._given.wait(None)
        self._call()

    def _call(self) -> None:
        try:
            if self._job is not None:
                self._job()
        finally:
            self._ended.open()


_exit_handlers: ReadyThread | None = None


def prepare_to_leave() -> None:
    """Make sure that `end_process` needs nothing that the system may refuse then."""
    global _exit_handlers
    if _exit_handlers is None:
        _exit_handlers = ReadyThread("taskkit leaving")
        _load_what_ends_threads()


def _load_what_ends_threads() -> None:
    """Load the library that glibc loads when the first thread ends, or else aborts the process."""
    try:
        import ctypes

        ctypes.CDLL("libgcc_s.so.1")
    except (ImportError, OSError):
        pass  # another system, or another C library


def end_process(status: int, *, for_handlers: float) -> NoReturn:
    """End the process with this status now. Any thread.

    Python's normal exit waits for non-daemon threads without limit; it can abort while the thread of an
    abandoned run prints; and it changes the status if the last output finds no terminal any more.

    Args: status: The exit status. for_handlers: Seconds for the functions registered with `atexit`, which
    kill the commands that still run.
    """
    try:
        prepare_to_leave()
        handlers = _exit_handlers
        if handlers is not None:
            handlers.do(atexit._run_exitfuncs)
            handlers.wait(for_handlers)
        for name in ("stdout", "stderr"):
            flush_quietly(getattr(sys, name, None))
    finally:
        os._exit(status)
