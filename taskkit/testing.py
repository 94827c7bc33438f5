"""Tools for testing schedules: a clock that a test moves, and an executor without threads.

```python
clock = ManualClock(start=1_700_000_000)
with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
    scheduler.add_periodic_task(None, 60, sweep, "sweep")
    clock.advance(3600)
    assert scheduler.handle("sweep").run_count == 61
```

With both, everything happens on the calling thread, in order, and without a real sleep: when `advance`
returns, what fell due has run, and its events have been delivered.

`async` tasks are the exception. Each runs on a loop of its own, and `asyncio.sleep` really sleeps, while the
manual clock stands still. In a test that is `async` itself they cannot run inline, because a loop runs on its
thread already: there `await asyncio.to_thread(clock.advance, 3600)`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from math import inf
from threading import RLock, local
from typing import Final

from taskkit._helpers.checks import check_seconds, finite
from taskkit.clock import Instant, LockGate, NextLook
from taskkit.engine import scheduler_log
from taskkit.engine.threads import Job, Threads
from taskkit.executor import Body, Executor

MOST_RINGS: Final = 1_000
"""The most rings of a clock that stands still; then a task that keeps adding itself for now is ignored."""

MOST_LATE_RUNS: Final = 1_000
"""The most runs of one task, one after the other, that begin after the end of an `advance`."""

ROUNDING_SECONDS: Final = 1e-6
"""Tolerance of `advance()`: what falls due so little after its end still belongs to it, because ten times 0.1
is not quite 1.0, and epoch seconds are no finer than a quarter of this.
"""

ROUNDING_FRACTION: Final = 1e-5
"""Tolerance relative to the distance of `advance()`, if that is very short."""


class _Inline(local):
    """Jobs that the inline executors have to do on this thread.

    A run takes the clock along, so that its task may be due again when it ends, and the next run begins after
    the end of `advance`. Some tests count on a few of these. A task that goes on so is left.
    """

    def __init__(self) -> None:
        self.jobs: deque[tuple[str, Callable[[], None], bool]] = deque()
        """Their names, what to do, and whether they were added after the end of the present advance."""
        self.depth = 0
        self.ends: list[tuple[ManualClock, float]] = []
        """The ends of the advances that go on, the innermost last; by the monotonic times of their clocks."""
        self._late: Counter[str] = Counter()
        self._endless = ""
        self._moved_by_run = False  # outside of an advance

    def add(self, jobs: Sequence[Job]) -> None:
        """Add jobs, to be done after the others."""
        is_late = bool(self.ends) and self.ends[-1][0].monotonic() > self.ends[-1][1]
        self.jobs.extend((name, work, is_late) for name, work in jobs)

    def work_off(self) -> None:
        """Do all jobs."""
        self.depth += 1
        try:
            while self.jobs:
                name, work, is_late = self.jobs.popleft()
                if is_late:
                    self._late[name] += 1
                    if self._late[name] > MOST_LATE_RUNS:
                        self._endless = name
                        continue
                work()
        finally:
            self.depth -= 1
            if self.depth == 0 and self._moved_by_run:
                self.ends.clear()
                self._moved_by_run = False
                if words := self.take_endless():
                    scheduler_log.error(words)

    def before_move(self, clock: ManualClock) -> None:
        """Note that the clock is about to move: if a run does that outside an `advance`, its end is now."""
        if self.depth > 0 and not self.ends:
            self.ends.append((clock, clock.monotonic()))
            self._moved_by_run = True

    def take_endless(self) -> str:
        """Return the words about a task that was left; empty if there is none."""
        name, self._endless = self._endless, ""
        self._late.clear()
        if not name:
            return ""
        return (
            f"{name} is due again whenever a run of it ends, as each run takes the manual clock along; it "
            f"was left after {MOST_LATE_RUNS} runs. Its runs must be shorter than its period"
        )


_inline = _Inline()


class InlineExecutor(Executor):
    """Executes each run at once, on the thread that starts it.

    A run that is started from inside another begins when that one ends, or when it moves the manual clock (by
    `advance`, or because it sleeps). So a task that demands itself does not nest without end.
    """

    runs_inline: Final = True
    """Makes the scheduler also do other work at once that would otherwise have its own thread."""

    @property
    def count(self) -> int:
        """Zero: it has no threads of its own."""
        return 0

    def for_events(self) -> Threads:
        """Return what delivers events at once, too."""
        return _InlineDelivery()

    def start(self, body: Body) -> None:
        """Execute the body; if a run is being executed on this thread, after it."""
        self.submit([(body.run.name, body.perform)])

    def submit(self, jobs: Sequence[Job]) -> None:
        """Execute the jobs; if one is being executed on this thread, after it."""
        _inline.add(jobs)
        if _inline.depth == 0:
            _inline.work_off()


class _InlineDelivery:
    """Executes each job at once, even inside a run."""

    @property
    def count(self) -> int:
        return 0

    def for_events(self) -> Threads:
        return self

    def submit(self, jobs: Sequence[Job]) -> None:
        for _, work in jobs:
            work()


class ManualClock:
    """A clock that stands still until a test moves it. Thread-safe.

    Args:
        start: The wall clock at the beginning, in epoch seconds.

    Raises:
        TypeError: `start` is not a number.
        ValueError: It is infinite or not a number.
    """

    stands_still: Final = True
    """Says that time passes only when a test moves it."""

    def __init__(self, start: float = 0.0) -> None:
        self._wall_start = finite("start", start, "a number of seconds")
        self._elapsed = 0.0
        self._stepped = 0.0
        self._lock = RLock()
        self._alarms: list[_ManualAlarm] = []
        self._sleepers: list[tuple[float, LockGate]] = []

    def time(self) -> float:
        """Return the wall clock, in epoch seconds."""
        return self._wall_start + self._stepped + self._elapsed

    def monotonic(self) -> float:
        """Return the seconds that the clock was moved by; steps of the wall clock do not count."""
        return self._elapsed

    def now(self) -> Instant:
        """Return this moment by both clocks."""
        return Instant(self.time(), self.monotonic())

    @property
    def sleeping(self) -> int:
        """The number of threads that wait for this clock to move, for example in `Task.sleep`."""
        with self._lock:
            return len(self._sleepers)

    def gate(self) -> _ManualGate:
        """Return a closed gate whose timeout ends when the clock is moved that far."""
        return _ManualGate(self)

    def alarm(self, ring: Callable[[], NextLook], name: str) -> _ManualAlarm:  # noqa: ARG002 - there is no thread
        """Return an alarm that rings while the clock is moved."""
        alarm = _ManualAlarm(ring, self._alarms)
        self._alarms.append(alarm)
        return alarm

    def advance(self, seconds: float) -> None:
        """Let time pass. What falls due meanwhile happens in order, each at its own time.

        The clock may end later than asked for: a run that is executed inline and sleeps takes it along.

        Args:
            seconds: Seconds to advance by.

        Raises:
            RuntimeError: A task is due again whenever a run of it ends, as with `overlap="queue"` and runs
                that sleep for longer than its period.
            TypeError: `seconds` is not a number.
            ValueError: It is negative, infinite or not a number.
        """
        check_seconds("seconds", seconds)
        self._advance_until(self._elapsed + seconds, lambda: False)
        if not _inline.ends and (words := _inline.take_endless()):
            raise RuntimeError(words)

    def _advance_until(self, target: float, enough: Callable[[], bool]) -> None:
        """Let time pass until `target`, or until `enough()` is true."""
        last = target + min(ROUNDING_SECONDS, (target - self._elapsed) * ROUNDING_FRACTION)
        _inline.before_move(self)
        _inline.ends.append((self, last))
        try:
            self._ring()
            while not enough() and self._elapsed < target:
                if self._is_due():  # a run on another thread has just changed what is due
                    self._ring()
                # What is still due was left on purpose, as it recurs without end; sleepers were not.
                coming = [at for alarm in self._alarms if (at := alarm.at) is not None and at > self._elapsed]
                coming += [at for at, _ in list(self._sleepers)]
                first = min(coming, default=inf)
                self._move_to(first if first <= last else target)
                self._ring()
        finally:
            _inline.ends.pop()

    def stall(self, seconds: float) -> None:
        """Let time pass as on a suspended machine: the scheduler looks only once, at the end.

        Raises:
            TypeError: `seconds` is not a number.
            ValueError: It is negative, infinite or not a number.
        """
        check_seconds("seconds", seconds)
        _inline.before_move(self)
        self._move_to(self._elapsed + seconds)
        self._ring()

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock: forward, or back if `seconds` is negative. No time passes.

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
            # A run has just added something for now, or left it because it moves the clock itself.
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

    def _wake(self, gate: LockGate) -> None:
        with self._lock:
            self._sleepers = [(at, sleeper) for at, sleeper in self._sleepers if sleeper is not gate]
        gate.open()


class _ManualGate:
    """A gate whose timeout is measured by a manual clock.

    A run that is executed inline moves the clock itself when it waits, since no other thread could.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._changed = LockGate()
        self._opened = False

    def open(self) -> None:
        self._opened = True
        self._clock._wake(self._changed)

    def wait(self, timeout: float | None) -> bool:
        if timeout is not None and _inline.depth > 0:
            if not self._opened:
                self._clock._advance_until(self._clock.monotonic() + timeout, lambda: self._opened)
            return self._opened
        if timeout is not None:
            self._clock._sleep_until(self._clock.monotonic() + timeout, self._changed)
        self._changed.wait(None)
        return self._opened


class _ManualAlarm:
    """An alarm that rings while a manual clock is moved."""

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
        """Stop ringing."""
        if self in self._alarms:
            self._alarms.remove(self)
        self.at = None

    def ring(self) -> None:
        if self._started:
            self._was_reset = False
            at = self._ring().at
            self.at = -inf if self._was_reset else at
