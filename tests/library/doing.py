"""A task that does something else each time it runs: the way into a run without a thread."""

from __future__ import annotations

from collections.abc import Callable

from taskkit import current_run
from taskkit.testing import ManualClock


class Doing:
    """Does the first step in its first run, the second in the second, and nothing after the last.

    What a step does happens while the task is running, so a step can command the scheduler in the midst of
    a run, or let the clock go on and so make the run a long one.
    """

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.runs = 0
        self.proceeded: list[bool] = []
        """Whether each run could proceed when its step was done."""
        self._steps = steps

    def __call__(self) -> object:
        self.runs += 1
        try:
            return self._steps[self.runs - 1]() if self.runs <= len(self._steps) else None
        finally:
            self.proceeded.append(current_run().proceed())


class Takes:
    """A task that takes so many seconds of the manual clock, each time."""

    def __init__(self, clock: ManualClock, seconds: float) -> None:
        self.starts: list[float] = []
        """When its runs began, by the wall clock."""
        self._clock = clock
        self._seconds = seconds

    def __call__(self) -> None:
        self.starts.append(self._clock.time())
        self._clock.advance(self._seconds)


class Notes:
    """A task that notes when it ran, by the wall clock."""

    def __init__(self, clock: ManualClock) -> None:
        self.times: list[float] = []
        self._clock = clock

    def __call__(self) -> None:
        self.times.append(self._clock.time())


def fail() -> None:
    """Raise what a broken task raises."""
    raise RuntimeError("it is broken")
