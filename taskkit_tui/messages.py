"""What widgets and screens ask for. Only the app answers, and only the app knows a scheduler.

A request names tasks; it holds no handle, so it could cross to another process. It bubbles from the widget
that was asked by a key up to the app.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from textual.message import Message

from taskkit import Schedule


@dataclass
class Request(Message):
    """Base of all requests that name tasks."""

    names: tuple[str, ...]
    """The tasks' names, as the scheduler knows them."""


@dataclass
class RunTasks(Request):
    """Run these now; one that runs already once more after its run."""

    parameters: Mapping[str, object] = field(default_factory=dict)
    """What the run is given; empty for the task's own values."""


@dataclass
class StopTasks(Request):
    """Ask the runs of these to stop."""


@dataclass
class DisableTasks(Request):
    """Let no run of these fall due."""


@dataclass
class EnableTasks(Request):
    """Put these back on their schedules."""


@dataclass
class SetPeriod(Request):
    """Give these another period."""

    seconds: float


@dataclass
class SetSchedule(Request):
    """Give these another schedule."""

    schedule: Schedule


@dataclass
class ScalePeriod(Request):
    """Make the periods of these longer or shorter."""

    factor: float


@dataclass
class DropOverrides(Request):
    """Put these back on the schedules that the program or a file registered."""


@dataclass
class UnregisterTasks(Request):
    """Forget these. A person has been asked already."""


@dataclass
class ShowDetails(Message):
    """Open the screen that tells everything about one task."""

    name: str
    run: int | None = None
    """The number of the run of this life that is selected there; the newest one by default."""


@dataclass
class AskPeriod(Request):
    """Open the dialog that changes the period of these, or the schedule of those that have none."""


@dataclass
class AskUnregister(Request):
    """Ask whether these are to be forgotten."""


@dataclass
class AskParameters(Message):
    """Open the form that runs one task with parameters."""

    name: str


class AskNewTask(Message):
    """Open the form that registers a new task."""


class AskPause(Message):
    """Ask whether the whole scheduler is to be paused, or resumed."""


class UndoChange(Message):
    """Take back the last change."""


@dataclass
class SetPaused(Message):
    """Pause the whole scheduler, or resume it. A person has been asked already."""

    paused: bool
    """Which of the two they were asked."""
