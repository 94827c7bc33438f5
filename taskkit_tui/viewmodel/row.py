"""One handle as a row: the library's picture of it, and what only the dashboard remembers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taskkit import PastRun, TaskSnapshot, TaskState


class Place(StrEnum):
    """The panel that a row is in."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    ON_DEMAND = "on_demand"


_PLACES = {
    TaskState.SCHEDULED: Place.SCHEDULED,
    TaskState.RUNNING: Place.RUNNING,
    TaskState.ON_DEMAND: Place.ON_DEMAND,
}


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One handle at one instant. Equal rows look the same at the same time."""

    task: TaskSnapshot
    trend: int = 0
    """1 if its period was last made longer, -1 if shorter, 0 if it has not changed."""

    @property
    def number(self) -> int:
        """What identifies the row; a name does not, while a replaced handle still runs."""
        return self.task.number

    @property
    def name(self) -> str:
        """The task's name, as commands need it; `harmless(name)` is what may be shown."""
        return self.task.name

    @property
    def place(self) -> Place:
        """The panel it belongs in."""
        return _PLACES.get(self.task.state, Place.RUNNING)

    @property
    def last(self) -> PastRun | None:
        """The last run that ended."""
        return self.task.past[-1] if self.task.past else None

    @property
    def next_due(self) -> float | None:
        """When it is tried again, else when it falls due, in epoch seconds; also while it is disabled."""
        return self.task.retry.at if self.task.retry else self.task.next_run

    @property
    def failing(self) -> bool:
        """Whether its last run failed, in one way or another."""
        return self.task.failing
