"""Time, and waiting for it, behind one protocol: the system's clock here, a manual one in `taskkit.testing`.

There are two clocks in one. `time()` is the wall clock: epoch seconds, which a person or a daemon may set
forward or back. `monotonic()` only goes forward, and counts the time a machine was suspended where the
system can (`CLOCK_BOOTTIME`). Calendar schedules follow the first, periodic ones the second.

Waiting is the clock's too, because only the clock knows when an instant has come. A scheduler hands it a
function to `ring` and is told nothing else: with the system's clock a thread rings it, with a manual clock
whoever moves that clock does. So every rule can be tested without a thread and without a sleep.
"""

from __future__ import annotations

import time as _time
from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from pathlib import Path
from threading import Lock, Thread, current_thread, get_native_id
from typing import Final, NamedTuple, Protocol

LONGEST_NAP: Final = 60.0
"""Seconds. A timed wait does not count the time that the machine was suspended; looking once a minute
bounds how late that makes a periodic task after a resume."""

WALL_CLOCK_NAP: Final = 1.0
"""Seconds between two looks at a wall clock that somebody may set."""


class Instant(NamedTuple):
    """One moment, told by both clocks."""

    wall: float
    """Epoch seconds."""
    steady: float
    """By `Clock.monotonic()`."""

    @property
    def offset(self) -> float:
        """What to add to a steady time to get the epoch seconds of the same moment, as clocks stand now."""
        return self.wall - self.steady

    def in_epoch(self, steady: float) -> float:
        """A steady time in epoch seconds, as clocks stand now.

        To the microsecond, which is as exact as epoch seconds can be: so a full second is told as one.
        """
        return round(steady + self.offset, 6)


class NextLook(NamedTuple):
    """What a ring answers: when to ring again."""

    at: float | None
    """By `Clock.monotonic()`; `None` for not before something changes."""
    watches_wall_clock: bool
    """Whether a step of the wall clock may make that instant come sooner."""


class Gate(Protocol):
    """Something that one thread waits at and any other opens, once."""

    def open(self) -> None:
        """Let the waiter through. Opening it twice does no harm."""

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is open, or for `timeout` seconds. Returns whether it was opened."""


class Alarm(Protocol):
    """Rings when the next instant has come."""

    def start(self) -> None:
        """Ring from now on."""

    def reset(self) -> None:
        """The next instant may have moved nearer: ring soon, and ask anew. Any thread."""

    def close(self) -> None:
        """Ring no more. Waits a second at most for a ring that is under way, unless that is what calls."""


class Clock(Protocol):
    """What a scheduler needs to know of time."""

    def time(self) -> float:
        """The wall clock, in epoch seconds."""

    def monotonic(self) -> float:
        """Seconds since some fixed instant; never goes back."""

    def now(self) -> Instant:
        """This moment, by both clocks. Asked one after the other they would tell of two moments."""

    def gate(self) -> Gate:
        """A closed gate whose timeout is measured by this clock."""

    def alarm(self, ring: Callable[[], NextLook], name: str) -> Alarm:
        """An alarm that calls `ring` whenever the instant that `ring` last answered has come.

        Args:
            ring: Does what is due; never raises.
            name: For the thread, where there is one.
        """


class LockGate:
    """A gate made of one raw lock, which wakes its waiter sooner than an `Event` or a `Condition` does."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def open(self) -> None:
        """Let the waiter through. Opening it twice does no harm."""
        try:
            self._lock.release()
        except RuntimeError:
            pass  # it was open already

    def wait(self, timeout: float | None) -> bool:
        """Wait until it is open, or for `timeout` seconds. Closes it again behind the waiter."""
        return self._lock.acquire(timeout=-1 if timeout is None else min(timeout, _LONGEST_WAIT))


_LONGEST_WAIT: Final = 365 * 86_400.0

_STEADY: Final = getattr(_time, "CLOCK_BOOTTIME", _time.CLOCK_MONOTONIC)


class _BothClocks:
    """Reads the system's two clocks as of one moment.

    They can only be read one after the other, and a thread may be interrupted in between. How far apart they
    are would seem to vary, and the due times of the steady clock would be told a hair before their second, or
    after it. So that is kept until it changes by more than a reading is wrong, and two readings agree.
    """

    __slots__ = ("_apart",)

    def __init__(self) -> None:
        self._apart = nan

    def read(self) -> Instant:
        wall = _time.time()
        apart = wall - _time.clock_gettime(_STEADY)
        if -_READING_ERROR < apart - self._apart < _READING_ERROR:
            return Instant(wall, wall - self._apart)
        return self._read_again(apart)

    def _read_again(self, before: float) -> Instant:
        for _ in range(_READINGS):
            wall = _time.time()
            apart = wall - _time.clock_gettime(_STEADY)
            if abs(apart - self._apart) < _READING_ERROR:
                return Instant(wall, wall - self._apart)
            if abs(apart - before) < _READING_ERROR:
                break
            before = apart
        self._apart = apart  # somebody has set the wall clock
        return Instant(wall, wall - apart)


_READINGS: Final = 4
_READING_ERROR: Final = 100e-6
"""Seconds by which a reading is wrong, unless its thread was interrupted for long."""

_both_clocks: Final = _BothClocks()


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clock of the machine."""

    def time(self) -> float:
        """The wall clock, in epoch seconds."""
        return _time.time()

    def monotonic(self) -> float:
        """Seconds since the machine started, suspended ones counted where the system can."""
        return _time.clock_gettime(_STEADY)

    def now(self) -> Instant:
        """This moment, by both clocks."""
        return _both_clocks.read()

    def gate(self) -> LockGate:
        """A closed gate."""
        return LockGate()

    def alarm(self, ring: Callable[[], NextLook], name: str) -> ThreadAlarm:
        """An alarm with a thread of its own, which sleeps until the next instant or an earlier `reset`."""
        return ThreadAlarm(self.monotonic, ring, name)


class ThreadAlarm:
    """Rings from one daemon thread."""

    def __init__(self, monotonic: Callable[[], float], ring: Callable[[], NextLook], name: str) -> None:
        self._monotonic = monotonic
        self._ring = ring
        self._changed = LockGate()
        self._closed = False
        self._thread = Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Ring from now on."""
        self._thread.start()

    def reset(self) -> None:
        """Ring soon, and ask anew when to ring next. Any thread."""
        self._changed.open()

    def close(self) -> None:
        """Ring no more; waits for the thread unless it is the one that calls."""
        self._closed = True
        self._changed.open()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(timeout=1.0)

    def _loop(self) -> None:
        _wake_punctually()
        while not self._closed:
            at, watches_wall_clock = self._ring()
            longest = WALL_CLOCK_NAP if watches_wall_clock else LONGEST_NAP
            if at is None:
                self._changed.wait(longest if watches_wall_clock else None)
            elif (left := at - self._monotonic()) > 0:
                self._changed.wait(min(left, longest))


def _wake_punctually() -> None:
    """Have Linux end the timed waits of this thread on time, instead of up to 50 µs later.

    By default the kernel delays them, to wake for several timers at once; see proc_pid_timerslack_ns(5).
    """
    try:
        Path(f"/proc/{get_native_id()}/timerslack_ns").write_text("1")
    except OSError:
        pass  # another system, or not allowed: a little later then
