"""For tests of one's own schedules: time that moves when told, and runs that need no thread.

```python
clock = ManualClock(start=1_700_000_000)
with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
    scheduler.add_periodic_task(None, 60, sweep, "sweep")
    clock.advance(3600)
    assert scheduler.handle("sweep").run_count == 61
```

With both, everything happens on the calling thread, in order, and without a real sleep: when `advance`
returns, what fell due has run, and its events have been delivered.

`async` tasks are the exception: they run on a loop of their own, not on that of the application or of the
test, and what they await is that loop's affair, so that `asyncio.sleep` really sleeps, and the clock stands
still meanwhile. In a test that is `async` itself they cannot run inline, as its thread has a loop already:
there `await asyncio.to_thread(clock.advance, 3600)`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from threading import RLock, local
from typing import Final

from taskkit.checks import check_seconds, finite
from taskkit.clock import Instant, LockGate, NextLook
from taskkit.engine.executor import Executor, Job

MOST_RINGS: Final = 1_000
"""How often a clock that stands still rings; then a task that adds itself for now is left."""

HAIR: Final = 1e-6
"""Seconds by which something may be due after the end of a move to be done in it all the same, unless the
move is very short: ten times 0.1 are not quite 1.0, and epoch seconds are no finer than a quarter of this."""

HAIR_OF_A_MOVE: Final = 1e-5
"""The same as a part of how far the clock is moved."""


class _Inline(local):
    """What the inline executors have to do on this thread."""

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()
        self.depth = 0

    def work_off(self) -> None:
        self.depth += 1
        try:
            while self.jobs:
                _, work = self.jobs.popleft()
                work()
        finally:
            self.depth -= 1


_inline = _Inline()


class InlineExecutor:
    """Executes each run at once, on the thread that starts it.

    A run that is started from inside another begins when that one ends, or when it moves the manual clock
    (by `advance`, or because it sleeps): so a task that demands itself does not nest without end.
    """

    @property
    def threads(self) -> int:
        """None of its own."""
        return 0

    def aside(self) -> Executor:
        """Events are delivered at once too."""
        return _InlineDelivery()

    def submit(self, jobs: Sequence[Job]) -> None:
        """Execute the jobs, unless one is being executed on this thread: then after it."""
        _inline.jobs.extend(jobs)
        if _inline.depth == 0:
            _inline.work_off()


class _InlineDelivery:
    """Does at once what is asked, also in the midst of a run."""

    @property
    def threads(self) -> int:
        return 0

    def aside(self) -> Executor:
        return self

    def submit(self, jobs: Sequence[Job]) -> None:
        for _, work in jobs:
            work()


class ManualClock:
    """A clock that stands still until somebody moves it. Thread-safe.

    Args:
        start: The wall clock at the beginning, in epoch seconds.

    Raises:
        TypeError: `start` is not a number.
        ValueError: It is infinite or not a number.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._wall_start = finite("start", start, "a number of seconds")
        self._elapsed = 0.0
        self._stepped = 0.0
        self._lock = RLock()
        self._alarms: list[_ManualAlarm] = []
        self._sleepers: list[tuple[float, LockGate]] = []

    def time(self) -> float:
        """The wall clock, in epoch seconds."""
        return self._wall_start + self._stepped + self._elapsed

    def monotonic(self) -> float:
        """Seconds by which the clock was moved since it was made; steps of the wall clock do not count."""
        return self._elapsed

    def now(self) -> Instant:
        """This moment, by both clocks."""
        return Instant(self.time(), self.monotonic())

    @property
    def sleeping(self) -> int:
        """How many threads wait for this clock to move, in `Task.sleep` for example."""
        with self._lock:
            return len(self._sleepers)

    def gate(self) -> _ManualGate:
        """A closed gate whose timeout ends when the clock is moved that far."""
        return _ManualGate(self)

    def alarm(self, ring: Callable[[], NextLook], name: str) -> _ManualAlarm:  # noqa: ARG002 - there is no thread
        """An alarm that rings while the clock is moved."""
        alarm = _ManualAlarm(ring, self._alarms)
        self._alarms.append(alarm)
        return alarm

    def advance(self, seconds: float) -> None:
        """Let time pass. What falls due meanwhile is done in order, each at its own time.

        It may end later than asked for: a run that is executed inline and sleeps takes the clock along.

        Args:
            seconds: How many.

        Raises:
            TypeError: `seconds` is not a number.
            ValueError: It is negative, infinite or not a number.
        """
        check_seconds("seconds", seconds)
        self._go_on(self._elapsed + seconds, lambda: False)

    def _go_on(self, target: float, enough: Callable[[], bool]) -> None:
        """Let time pass until `target`, or until something that was done on the way is `enough`."""
        last = target + min(HAIR, (target - self._elapsed) * HAIR_OF_A_MOVE)
        self._ring()
        while not enough() and self._elapsed < target:
            if self._is_due():  # a run on a thread of its own has just changed what is
                self._ring()
            # What is due by now all the same was left, as it comes again and again; who sleeps is not.
            coming = [at for alarm in self._alarms if (at := alarm.at) is not None and at > self._elapsed]
            coming += [at for at, _ in list(self._sleepers)]
            first = min(coming, default=inf)
            self._move_to(first if first <= last else target)
            self._ring()

    def stall(self, seconds: float) -> None:
        """Let time pass while nobody looks, as on a suspended machine; then look once.

        Raises:
            TypeError: `seconds` is not a number.
            ValueError: It is negative, infinite or not a number.
        """
        check_seconds("seconds", seconds)
        self._move_to(self._elapsed + seconds)
        self._ring()

    def step_wall(self, seconds: float) -> None:
        """Somebody sets the wall clock: forward, or back where `seconds` is negative. No time passes.

        Raises:
            TypeError: `seconds` is not a number.
            ValueError: It is infinite or not a number.
        """
        self._stepped += finite("seconds", seconds, "a number of seconds")
        self._ring()

    def _move_to(self, elapsed: float) -> None:
        with self._lock:
            self._elapsed = max(self._elapsed, elapsed)
            awake = [gate for at, gate in self._sleepers if at <= self._elapsed]
            self._sleepers = [(at, gate) for at, gate in self._sleepers if at > self._elapsed]
        for gate in awake:
            gate.open()

    def _ring(self) -> None:
        for _ in range(MOST_RINGS):
            for alarm in list(self._alarms):
                alarm.ring()
            # Added for now by a run just done, or left by one that moves the clock itself.
            if not self._is_due() and not _inline.jobs:
                break
            _inline.work_off()

    def _is_due(self) -> bool:
        return any(alarm.at is not None and alarm.at <= self._elapsed for alarm in list(self._alarms))

    def _sleep_until(self, at: float, gate: LockGate) -> None:
        with self._lock:
            if at <= self._elapsed:
                gate.open()
            else:
                self._sleepers.append((at, gate))


class _ManualGate:
    """A gate whose timeout is measured by a manual clock.

    A run that is executed inline moves the clock itself by waiting, since nobody else could.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._changed = LockGate()
        self._opened = False

    def open(self) -> None:
        self._opened = True
        self._changed.open()

    def wait(self, timeout: float | None) -> bool:
        if timeout is not None and _inline.depth > 0:
            if not self._opened:
                self._clock._go_on(self._clock.monotonic() + timeout, lambda: self._opened)
            return self._opened
        if timeout is not None:
            self._clock._sleep_until(self._clock.monotonic() + timeout, self._changed)
        self._changed.wait(None)
        return self._opened


class _ManualAlarm:
    """Rings when the clock says so."""

    def __init__(self, ring: Callable[[], NextLook], alarms: list[_ManualAlarm]) -> None:
        self._ring = ring
        self._alarms = alarms
        self._started = False
        self._was_reset = False
        self.at: float | None = None

    def start(self) -> None:
        """Ring from now on, whenever the clock is moved."""
        self._started = True

    def reset(self) -> None:
        """Ring before the clock moves on."""
        self._was_reset = True
        self.at = -inf

    def close(self) -> None:
        """Ring no more."""
        if self in self._alarms:
            self._alarms.remove(self)
        self.at = None

    def ring(self) -> None:
        if self._started:
            self._was_reset = False
            at = self._ring().at
            self.at = -inf if self._was_reset else at
