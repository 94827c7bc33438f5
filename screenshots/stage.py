"""The demo on a manual clock, brought to one moment that is the same each time.

Short tasks run at once on the calling thread. Those that take long run on threads of their own, so that they
are in the midst of it when the picture is taken; the clock waits until each of them sleeps again.
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
    from taskkit.engine.executor import Executor, Job

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
"""Seconds by which each look at the clock moves it, so that a run takes its time as it does in life."""


class StageClock(ManualClock):
    """A manual clock that creeps, and waits after each move until every long task sleeps again."""

    def __init__(self, start: float) -> None:
        super().__init__(start)
        self.creeps = False
        """Only while the demo is played: how often the app looks before and after depends on the machine."""
        self._long: list[Thread] = []

    def monotonic(self) -> float:
        """Seconds since the start."""
        if self.creeps:
            self._elapsed += CREEP
        return self._elapsed

    def begin(self, thread: Thread) -> None:
        """Start a long task, as far as its first sleep."""
        self._long.append(thread)
        thread.start()
        self._settle()

    def _move_to(self, elapsed: float) -> None:
        super()._move_to(elapsed)
        self._settle()

    def _settle(self) -> None:
        deadline = time.monotonic() + 10
        while sum(thread.is_alive() for thread in self._long) != self.sleeping:
            if time.monotonic() > deadline:
                raise TimeoutError("a long task neither sleeps nor ends")
            time.sleep(0.0005)


class StageExecutor:
    """Runs short jobs inline and long ones on threads."""

    threads = 4

    def __init__(self, clock: StageClock) -> None:
        self._clock = clock
        self._inline = InlineExecutor()

    def submit(self, jobs: Sequence[Job]) -> None:
        """Execute each job, the long ones as far as their first sleep."""
        for name, work in jobs:
            if name in LONG_ONES:
                self._clock.begin(Thread(target=work, name=name, daemon=True))
            else:
                self._inline.submit([(name, work)])

    def aside(self) -> Executor:
        """Events are delivered at once."""
        return self._inline.aside()


class Stage:
    """A started scheduler with the demo's tasks, and the hand that moves its clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = StageClock(START)
        self.executor = StageExecutor(self.clock)
        self.scheduler = Scheduler(clock=self.clock, executor=self.executor)
        add_demo_tasks(self.scheduler, folder, self.clock.time)

        # Without these every row fits the wide picture, down to the disabled one.
        for name in LEFT_OUT:
            self.scheduler.unregister_task(name)

    def play(self) -> None:
        """Let three minutes pass; at the end two tasks are in the midst of a run, and one waits to retry."""
        self.clock.creeps = True
        self._pass(182)
        self.scheduler.run_task_now("crawl")
        self._pass(3)
        self.scheduler.run_task_now("rebuild site")
        self._pass(1)
        self.clock.creeps = False

    def _pass(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
