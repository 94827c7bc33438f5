"""The demo on a manual clock, which reaches the same moment with the same state each time.

Short tasks run at once on the calling thread. Long tasks run on threads of their own, so that a picture can
show them while they run; the clock waits until each of them sleeps again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from demo_tasks import add_demo_tasks
from taskkit import Scheduler
from taskkit.testing import InlineExecutor, ManualClock

if TYPE_CHECKING:
    from taskkit.engine.threads import Job, Threads

START = datetime(2026, 3, 3, 14, 0, tzinfo=UTC).timestamp()

LONG_ONES = ("long haul", "crawl")

LEFT_OUT = (
    "PageGenerator for static3.html",
    "comment feed",
    "news collector",
    "mail reminder",
    "only once",
)

CREEP = 0.0004
"""Seconds by which each reading of the clock moves it, so that runs have durations."""


class StageClock(ManualClock):
    """A manual clock that creeps, and waits after each move until every long task sleeps again."""

    def __init__(self, start: float) -> None:
        super().__init__(start)
        self.creeps = False
        """True only while time passes: how often the app reads the clock otherwise depends on the machine."""
        self._long: list[Thread] = []

    def monotonic(self) -> float:
        """Seconds since the start."""
        if self.creeps:
            self._elapsed += CREEP
        return self._elapsed

    def begin(self, thread: Thread) -> None:
        """Start a long task, and wait for its first sleep."""
        self._long.append(thread)
        thread.start()
        self.settle()

    def _move_to(self, elapsed: float) -> None:
        super()._move_to(elapsed)
        self.settle()

    def settle(self) -> None:
        """Wait until every long task sleeps or has ended."""
        deadline = time.monotonic() + 10
        while sum(thread.is_alive() for thread in self._long) != self.sleeping:
            if time.monotonic() > deadline:
                raise TimeoutError("a long task neither sleeps nor ends")
            time.sleep(0.0005)


class StageThreads:
    """Runs short jobs inline and long ones on threads."""

    count = 4

    def __init__(self, clock: StageClock) -> None:
        self._clock = clock
        self._inline = InlineExecutor()

    def submit(self, jobs: Sequence[Job]) -> None:
        """Execute each job; of a long one, the part before its first sleep."""
        for name, work in jobs:
            if name in LONG_ONES:
                self._clock.begin(Thread(target=work, name=name, daemon=True))
            else:
                self._inline.submit([(name, work)])

    def for_events(self) -> Threads:
        """Return what delivers events: inline, at once."""
        return self._inline.for_events()


class Stage:
    """A scheduler with the demo's tasks, and the clock that it follows."""

    def __init__(self, folder: Path) -> None:
        self.clock = StageClock(START)
        self.threads = StageThreads(self.clock)
        self.scheduler = Scheduler(clock=self.clock, threads=self.threads)
        add_demo_tasks(self.scheduler, folder, self.clock.time, computing="thread")

        # Without these every row fits the wide picture, down to the disabled one.
        for name in LEFT_OUT:
            self.scheduler.unregister_task(name)

    def play(self) -> None:
        """Let three minutes pass; at the end two tasks are running, and one waits for a retry."""
        self.clock.creeps = True
        self._pass(182)
        self.scheduler.run_task_now("crawl")
        self._pass(3)
        self.scheduler.run_task_now("rebuild site")
        self._pass(1)
        self.clock.creeps = False

    def wait(self, seconds: int) -> None:
        """Let so many seconds pass."""
        self.clock.creeps = True
        self._pass(seconds)
        self.clock.creeps = False

    def _pass(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
