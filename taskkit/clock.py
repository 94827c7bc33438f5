"""The clock protocol and the system's clock; `taskkit.testing` has one that a test moves by hand.

A `Clock` is two clocks in one. `time()` is the wall clock: epoch seconds, which a person or a daemon may set
forward or back. `monotonic()` only goes forward, and counts the time a machine was suspended where the
system can (`CLOCK_BOOTTIME`). Calendar schedules follow the first, periodic ones the second.

The clock does the waiting, too, because only the clock knows when an instant has come. A scheduler gives it
a function `ring`. With the system's clock a thread calls `ring`; with a manual clock the test that moves the
clock does. So every rule can be tested without a thread and without a sleep.
"""

from __future__ import annotations

import logging
import sys
import time as _time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import nan
from pathlib import Path
from threading import Lock, current_thread, get_native_id
from typing import Final, NamedTuple, Protocol

from taskkit.bounded_start import BoundedStartThread

LONGEST_WAIT_SECONDS: Final = 60.0
"""The longest wait without reading the clock. A timed wait does not count the time that the machine was
suspended, so this bounds how late a periodic task starts after a resume."""

WALL_CLOCK_CHECK_SECONDS: Final = 1.0
"""Time between two readings of the wall clock while a calendar task waits, as a person may set that clock."""


class Instant(NamedTuple):
    """One moment, read from both clocks."""

    wall: float
    """Epoch seconds."""
    steady: float
    """By `Clock.monotonic()`."""

    @property
    def offset(self) -> float:
        """The difference of the clocks: a steady time plus this is the same moment in epoch seconds."""
        return self.wall - self.steady

    def in_epoch(self, steady: float) -> float:
        """Return a steady time in epoch seconds, as the clocks are set now.

        Rounded to a microsecond, the precision of epoch seconds, so that a full second is shown as one.
        """
        return round(steady + self.offset, 6)


class NextLook(NamedTuple):
    """The answer of `ring`: when to call it again."""

    at: float | None
    """By `Clock.monotonic()`; `None` if only a `reset` can bring the next call."""
    watches_wall_clock: bool
    """True if setting the wall clock may make that instant come sooner."""


class Gate(Protocol):
    """A gate that one thread waits at and any other thread opens, once."""

    def open(self) -> None:
        """Let the waiting thread through. Opening it twice does no harm."""

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is open, or for `timeout` seconds. Return True if it was opened."""


class Alarm(Protocol):
    """An alarm that calls a function whenever the next instant has come."""

    def start(self) -> None:
        """Ring from now on."""

    def reset(self) -> None:
        """Ring soon, because the next instant may have moved nearer. Any thread."""

    def close(self) -> None:
        """Stop ringing. Waits a second at most for a ring that is under way, unless called from inside it."""


class Clock(Protocol):
    """All that a scheduler needs to know about time."""

    def time(self) -> float:
        """Return the wall clock, in epoch seconds."""

    def monotonic(self) -> float:
        """Return the seconds since some fixed instant; they never go back."""

    def now(self) -> Instant:
        """Return this moment by both clocks. Read one after the other, they would show two moments."""

    def gate(self) -> Gate:
        """Return a closed gate whose timeout is measured by this clock."""

    def alarm(self, ring: Callable[[], NextLook], name: str) -> Alarm:
        """Return an alarm that calls `ring` whenever the instant that `ring` last returned has come.

        Args:
            ring: Starts what is due; never raises.
            name: For the thread, where there is one.
        """


class LockGate:
    """A gate made of one raw lock, which wakes a thread sooner than an `Event` or a `Condition` does."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def open(self) -> None:
        """Let the waiting thread through. Opening it twice does no harm."""
        try:
            self._lock.release()
        except RuntimeError:
            pass  # it was open already

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is open, or for `timeout` seconds, and close it again. Return True if it opened."""
        return self._lock.acquire(timeout=-1 if timeout is None else min(timeout, _LONGEST_TIMEOUT_SECONDS))


_LONGEST_TIMEOUT_SECONDS: Final = 365 * 86_400.0

_STEADY: Final = getattr(_time, "CLOCK_BOOTTIME", _time.CLOCK_MONOTONIC)


class _ClockReader:
    """Reads the system's two clocks as of one moment.

    The clocks can only be read one after the other, and a thread may be interrupted in between. Then their
    difference seems to vary, and a due time by the steady clock would be shown just before or after its full
    second. So the difference stays the same until it changes by more than a reading error, twice in a row.
    """

    __slots__ = ("_apart",)

    def __init__(self) -> None:
        self._apart = nan

    def read(self) -> Instant:
        wall = _time.time()
        apart = wall - _time.clock_gettime(_STEADY)
        if -_READING_ERROR_SECONDS < apart - self._apart < _READING_ERROR_SECONDS:
            return Instant(wall, wall - self._apart)
        return self._read_again(apart)

    def _read_again(self, before: float) -> Instant:
        for _ in range(_READINGS):
            wall = _time.time()
            apart = wall - _time.clock_gettime(_STEADY)
            if abs(apart - self._apart) < _READING_ERROR_SECONDS:
                return Instant(wall, wall - self._apart)
            if abs(apart - before) < _READING_ERROR_SECONDS:
                break
            before = apart
        self._apart = apart  # the wall clock was set
        return Instant(wall, wall - apart)


_READINGS: Final = 4
_READING_ERROR_SECONDS: Final = 100e-6
"""Largest error of a reading, unless its thread was interrupted for long."""

_clock_reader: Final = _ClockReader()


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clock of the machine."""

    def time(self) -> float:
        """Return the wall clock, in epoch seconds."""
        return _time.time()

    def monotonic(self) -> float:
        """Return the seconds since the machine started; suspended time counts where the system can."""
        return _time.clock_gettime(_STEADY)

    def now(self) -> Instant:
        """Return this moment by both clocks."""
        return _clock_reader.read()

    def gate(self) -> LockGate:
        """Return a closed gate."""
        return LockGate()

    def alarm(self, ring: Callable[[], NextLook], name: str) -> ThreadAlarm:
        """Return an alarm with its own thread, which sleeps until the next instant or an earlier `reset`."""
        return ThreadAlarm(self.monotonic, ring, name)


class ThreadAlarm:
    """An alarm that rings from one daemon thread."""

    def __init__(self, monotonic: Callable[[], float], ring: Callable[[], NextLook], name: str) -> None:
        self._monotonic = monotonic
        self._ring = ring
        self._changed = LockGate()
        self._closed = False
        self.died_of: BaseException | None = None
        """The exception that ended its thread, if there was one."""
        self._thread = BoundedStartThread(self._loop, name=name)

    def start(self) -> None:
        """Ring from now on."""
        self._thread.start()

    def reset(self) -> None:
        """Ring soon. Any thread."""
        self._changed.open()

    def close(self) -> None:
        """Stop ringing. Waits a second at most for the thread, unless it is the calling one."""
        self._closed = True
        self._changed.open()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(timeout=1.0)

    def _loop(self) -> None:
        try:
            _set_timer_slack()
            while not self._closed:
                at, watches_wall_clock = self._ring()
                longest = WALL_CLOCK_CHECK_SECONDS if watches_wall_clock else LONGEST_WAIT_SECONDS
                if at is None:
                    self._changed.wait(longest if watches_wall_clock else None)
                elif (left := at - self._monotonic()) > 0:
                    self._changed.wait(min(left, longest))
        except BaseException as error:  # noqa: BLE001 - a thread that ends must not end in silence
            if not self._closed:
                self.died_of = error
                _report_death(self._thread.name, error)


def _report_death(name: str, error: BaseException) -> None:
    """Report the end of the thread in the log and on standard error, even if either is broken."""
    words = f"the thread “{name}” ended, so that nothing starts any more: {type(error).__name__}"
    with suppress(BaseException):
        logging.getLogger("taskkit").critical("%s", words, exc_info=error)
    with suppress(BaseException):
        print(f"taskkit: {words}", file=sys.__stderr__, flush=True)


def _set_timer_slack() -> None:
    """Set the timer slack of this thread, so that Linux ends its timed waits up to 50 µs sooner.

    By default the kernel delays them, to wake for several timers at once; see proc_pid_timerslack_ns(5).
    Measured in docs/performance.md.
    """
    try:
        Path(f"/proc/{get_native_id()}/timerslack_ns").write_bytes(b"1")
    except OSError:
        pass  # another system, or not allowed: runs start a little later then
