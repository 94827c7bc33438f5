"""Represents one task as a row: the library's snapshot, and what only the dashboard remembers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from taskkit import Outcome, OutcomeKind, PastRun, TaskSnapshot, TaskState
from taskkit_tui.formatting import harmless


class Panel(StrEnum):
    """The three panels of tasks."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    ON_DEMAND = "on_demand"


_PANELS = {
    TaskState.SCHEDULED: Panel.SCHEDULED,
    TaskState.RUNNING: Panel.RUNNING,
    TaskState.ON_DEMAND: Panel.ON_DEMAND,
}


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task at one instant. Equal rows look the same at the same time."""

    task: TaskSnapshot
    trend: int = 0
    """1 if the last change made its period longer, -1 if shorter, 0 without a change."""
    shown_name: str = ""
    """The name to show: harmless, and spelled differently from others that would look the same."""
    recovered: bool = False
    """True if it has failed lately and recovered. It is only set while the filter shows failing tasks."""

    def __post_init__(self) -> None:
        if not self.shown_name:
            object.__setattr__(self, "shown_name", harmless(self.task.name))

    @property
    def number(self) -> int:
        """The identity of the row. The name is not unique while a replaced task still runs."""
        return self.task.number

    @property
    def name(self) -> str:
        """The task's name, for commands; `shown_name` is the one to show."""
        return self.task.name

    @property
    def panel(self) -> Panel:
        """The panel that the row belongs to."""
        return _PANELS.get(self.task.state, Panel.RUNNING)

    @property
    def last(self) -> PastRun | None:
        """The last run that has ended."""
        return self.task.past[-1] if self.task.past else None

    @property
    def next_due(self) -> float | None:
        """The time of the next retry, else the next due time, in epoch seconds; even while disabled."""
        return self.task.retry.at if self.task.retry else self.task.next_run

    @property
    def failing(self) -> bool:
        """True if its last run failed, timed out, was abandoned or interrupted."""
        return self.task.failing


def command_facts(row: TaskRow) -> tuple[bool, ...]:
    """Return all that decides which commands apply to a task; see `taskkit_tui.keys.obstacles`."""
    task, run = row.task, row.task.run
    return (
        task.unregistered,
        task.disabled,
        task.period is None,
        task.overrides is None,
        run is None,
        run is not None and run.asked_to_stop is not None,
    )


def usual_duration(runs: Iterable[PastRun | Outcome]) -> float | None:
    """Return how long the runs of a task usually take, in seconds; `None` if none has succeeded.

    This is the median of those that succeeded: a single slow run does not change it.
    """
    taken = [run.duration for run in runs if run.kind is OutcomeKind.SUCCEEDED]
    return median(taken) if taken else None
