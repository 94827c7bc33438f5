"""What happened, told in the past tense: frozen facts that name the task and hold plain data only.

`Scheduler.subscribe(callback)` delivers them one at a time, in the order of truth, the same for every
subscriber, and outside every lock.
"""

from __future__ import annotations

from dataclasses import dataclass

from taskkit.fast_init import fast_init
from taskkit.outcome import Outcome, SkipReason, Trigger
from taskkit.output import OutputLine
from taskkit.run import Progress


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""

    at: float
    """When it happened, in epoch seconds."""


@dataclass(frozen=True, slots=True)
class TaskEvent(Event):
    """Something happened to one task."""

    name: str
    """The name that the task is registered under."""


@fast_init
@dataclass(frozen=True, slots=True)
class TaskRegistered(TaskEvent):
    """A task was added, or added again under a name that was taken."""

    schedule: str
    """In words, as in `every 30 s`."""
    next_run: float | None
    """When it first falls due, in epoch seconds."""


@fast_init
@dataclass(frozen=True, slots=True)
class TaskUnregistered(TaskEvent):
    """A task is gone: unregistered, replaced, or done with its last run."""

    why: str
    """`unregistered`, `replaced` or `done`."""
    run_count: int = 0
    """How many runs of it began, those by hand counted, retries not."""


@dataclass(frozen=True, slots=True)
class TaskChanged(TaskEvent):
    """Somebody changed how a task is run."""

    what: str
    """`period`, `schedule`, `disabled`, `stopping` or `again`."""
    before: str | float | bool | None
    after: str | float | bool | None


@fast_init
@dataclass(frozen=True, slots=True)
class RunStarted(TaskEvent):
    """A run of a task began: a thread has come for it."""

    run: int
    trigger: Trigger
    due: float
    """Epoch seconds."""
    attempt: int


@dataclass(frozen=True, slots=True)
class RunProgressed(TaskEvent):
    """A run said how far it has come."""

    run: int
    progress: Progress


@fast_init
@dataclass(frozen=True, slots=True)
class RunFinished(TaskEvent):
    """A run ended: it succeeded, failed, stopped when asked, timed out, or was abandoned."""

    run: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RunSkipped(TaskEvent):
    """Due times passed without a run of their own."""

    reason: SkipReason
    count: int
    first_due: float
    """Epoch seconds."""
    last_due: float
    """Epoch seconds."""


@fast_init
@dataclass(frozen=True, slots=True)
class OutputWritten(TaskEvent):
    """A run wrote lines: all that it wrote since the last such event."""

    run: int
    lines: tuple[OutputLine, ...]
    dropped: int
    """How many lines before these were lost, because the run wrote faster than the events were read."""


@dataclass(frozen=True, slots=True)
class ClockJumped(Event):
    """Somebody set the wall clock."""

    seconds: float
    """How far; negative for back."""


@dataclass(frozen=True, slots=True)
class SchedulerStarted(Event):
    """The scheduler began to start what falls due."""


@dataclass(frozen=True, slots=True)
class SchedulerPaused(Event):
    """Nothing falls due until the scheduler is resumed; runs by hand still start."""


@dataclass(frozen=True, slots=True)
class SchedulerResumed(Event):
    """Tasks fall due again."""


@dataclass(frozen=True, slots=True)
class SchedulerStopped(Event):
    """The scheduler stopped, for good."""

    abandoned: tuple[str, ...]
    """The names of the runs that did not end in time."""
    dropped: int
    """How many runs still waited for a thread and never began."""
