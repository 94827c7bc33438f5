"""Events: frozen facts in the past tense. They name the task, and hold plain data only.

`Scheduler.subscribe(callback)` delivers them one at a time, in the order in which they happened, the same for
every subscriber, and outside every lock.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from taskkit._helpers.fast_init import fast_init
from taskkit.outcome import Outcome, SkipReason, Trigger
from taskkit.output_lines import OutputLine
from taskkit.run import Progress


class UnregisterReason(StrEnum):
    """The reason for which a registration ended."""

    UNREGISTERED = "unregistered"
    """A call of `unregister_task` or `TaskHandler.unregister`."""
    REPLACED = "replaced"
    """Another task was added under its name."""
    DONE = "done"
    """It has nothing to come: its last run ended, or its only due time passed."""


class ChangeKind(StrEnum):
    """The kinds of change that `TaskChanged` reports."""

    PERIOD = "period"
    """Seconds, before and after."""
    SCHEDULE = "schedule"
    """In words, before and after."""
    JITTER = "jitter"
    """Seconds, before and after."""
    DISABLED = "disabled"
    """A flag, before and after; `TaskChanged.until` has the end, if there is one."""
    STOPPING = "stopping"
    """Its run was asked to stop."""
    AGAIN = "again"
    """It will run once more after the present run."""


@dataclass(frozen=True, slots=True)
class Event:
    """The base class of all events."""

    at: float
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class TaskEvent(Event):
    """The base class of events about one task."""

    name: str
    """The name of the task."""


@fast_init
@dataclass(frozen=True, slots=True)
class TaskRegistered(TaskEvent):
    """A task was added, perhaps under a name that was taken."""

    schedule: str
    """In words: `every 30 s`."""
    next_run: float | None
    """The first due time, in epoch seconds; `None` if there is none."""


@fast_init
@dataclass(frozen=True, slots=True)
class TaskUnregistered(TaskEvent):
    """A registration ended: the task was unregistered, replaced, or had its last run."""

    why: UnregisterReason
    run_count: int = 0
    """Runs that began; runs by hand count, retries do not."""


@dataclass(frozen=True, slots=True)
class TaskChanged(TaskEvent):
    """A command changed how a task is run."""

    what: ChangeKind
    before: str | float | bool | None
    """A number for a period or a jitter, words for a schedule, a flag for the rest."""
    after: str | float | bool | None
    """The new value, of the same kind as `before`."""
    until: float | None = None
    """For `ChangeKind.DISABLED`, in epoch seconds: when it will be enabled automatically, or that time,
    once it has come. Otherwise `None`."""


@fast_init
@dataclass(frozen=True, slots=True)
class RunStarted(TaskEvent):
    """A run began: it has a thread."""

    run: int
    trigger: Trigger
    due: float
    """Epoch seconds."""
    attempt: int


@dataclass(frozen=True, slots=True)
class RunProgressed(TaskEvent):
    """A run reported how far it has come."""

    run: int
    progress: Progress


@fast_init
@dataclass(frozen=True, slots=True)
class RunFinished(TaskEvent):
    """A run ended: it succeeded, failed, stopped when asked, timed out, or was abandoned."""

    run: int
    outcome: Outcome
    recovered: bool = False
    """True if it is the first success after failed runs, also after those before a restart."""


@dataclass(frozen=True, slots=True)
class RunSkipped(TaskEvent):
    """Due times passed without a run."""

    reason: SkipReason
    count: int
    first_due: float
    """Epoch seconds."""
    last_due: float
    """Epoch seconds."""
    late_by: float | None = None
    """Seconds by which a run would have been late, as in `Skip`."""


@fast_init
@dataclass(frozen=True, slots=True)
class OutputWritten(TaskEvent):
    """A run wrote lines: all since the last such event."""

    run: int
    lines: tuple[OutputLine, ...]
    dropped: int
    """Lines before these that were lost, as the run wrote faster than the subscriber read."""


@dataclass(frozen=True, slots=True)
class ClockJumped(Event):
    """The wall clock was set."""

    seconds: float
    """Negative for back."""


@dataclass(frozen=True, slots=True)
class SchedulerStarted(Event):
    """The scheduler was started: tasks run when they are due."""


@dataclass(frozen=True, slots=True)
class SchedulerPaused(Event):
    """The scheduler was paused: no task falls due, runs by hand still start."""


@dataclass(frozen=True, slots=True)
class SchedulerResumed(Event):
    """The scheduler was resumed: tasks fall due again."""


@dataclass(frozen=True, slots=True)
class SchedulerStopped(Event):
    """The scheduler was stopped, for good."""

    abandoned: tuple[str, ...]
    """The names of the tasks whose runs did not end in time."""
    dropped: int
    """Runs to come that never began: those that waited for a thread, demands and retries. Where the scheduler
    keeps a state, the next program that uses it runs them."""


ALL_KINDS: Final[frozenset[type[Event]]] = frozenset(
    {
        TaskRegistered,
        TaskUnregistered,
        TaskChanged,
        RunStarted,
        RunProgressed,
        RunFinished,
        RunSkipped,
        OutputWritten,
        ClockJumped,
        SchedulerStarted,
        SchedulerPaused,
        SchedulerResumed,
        SchedulerStopped,
    }
)
"""All events."""


def check_kinds(kinds: object) -> frozenset[type[Event]]:
    """Return the events that are of given classes; a base class stands for all events below it.

    Raises:
        TypeError: `kinds` is not a collection of event classes.
    """
    if not isinstance(kinds, Collection) or isinstance(kinds, str | bytes):
        raise TypeError(f"kinds must be a collection of event classes, as (RunFinished,), not {kinds!r}")
    for kind in kinds:
        if not isinstance(kind, type) or not issubclass(kind, Event):
            raise TypeError(f"kinds must hold event classes, as RunFinished, not {kind!r}")
    return frozenset(each for each in ALL_KINDS if issubclass(each, tuple(kinds)))
