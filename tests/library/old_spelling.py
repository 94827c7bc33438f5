"""A scheduler of the old spelling on a manual clock, and tasks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from taskkit.testing import InlineExecutor, ManualClock
from taskkit.webware import Scheduler, Task


@contextmanager
def started(clock: ManualClock, kind: type[Scheduler] = Scheduler, **keywords: Any) -> Iterator[Scheduler]:
    """One that was started, with runs on the calling thread."""
    scheduler = kind(clock=clock, executor=InlineExecutor(), capture=False, **keywords)
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.stop()


class Noting(Task):
    """Notes when it ran, and in its first run does the first step, in its second the second, and so on."""

    def __init__(self, clock: ManualClock, *steps: Callable[[Task], object]) -> None:
        self.times: list[float] = []
        self.clock = clock
        self.steps = list(steps)

    def run(self) -> object:
        self.times.append(self.clock.time())
        return self.steps.pop(0)(self) if self.steps else None


def fail(_: Task) -> None:
    """Raise what a broken task raises."""
    raise RuntimeError("it is broken")
