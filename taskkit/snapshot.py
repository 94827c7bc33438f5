"""How things stand, as plain data: names, numbers, strings and enums, nothing that reaches back.

Whatever a dashboard shows comes from here or from the events, so it may live in another process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from taskkit.fast_init import fast_init
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason, Trigger
from taskkit.run import Progress


class TaskState(StrEnum):
    """Where a handle is. `disabled` and `stopping` are flags beside it."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    ON_DEMAND = "on_demand"
    GONE = "gone"


@fast_init
@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run that goes on, or waits for a thread."""

    number: int
    trigger: Trigger
    due: float
    """Epoch seconds."""
    started: float | None
    """Epoch seconds; `None` while it waits for a thread."""
    attempt: int
    asked_to_stop: float | None
    """When, in epoch seconds."""
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class RetrySnapshot:
    """A failed run that will be tried again."""

    number: int
    """Which retry comes next; the first is 1."""
    of: int
    """How many retries there are at most."""
    at: float
    """When it is due, in epoch seconds."""


@fast_init
@dataclass(frozen=True, slots=True)
class PastRun:
    """What a row tells of a run that ended."""

    kind: OutcomeKind
    finished: float
    """Epoch seconds."""
    duration: float
    """Seconds."""
    exception: str | None


@fast_init
@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """One handle at one instant."""

    number: int
    """Unique in its scheduler, given in the order of registration. A replaced handle that still runs and
    its successor share a name, not a number."""
    name: str
    state: TaskState
    disabled: bool
    schedule: str
    """In words, as in `every 30 s` or `daily 03:30`."""
    overrides: str | None
    """The schedule that the program or a file registered, in words, if a person put this one in its place."""
    period: float | None
    """Seconds between due times, where the schedule has a period."""
    next_run: float | None
    """When it next falls due, in epoch seconds; `None` while disabled, and where nothing is due any more."""
    description: str
    replaces_running: bool
    """Whether it waits for a run of the registration that it replaced."""
    again: bool
    """Whether it will run once more after the present run."""
    run: RunSnapshot | None
    retry: RetrySnapshot | None
    past: tuple[PastRun, ...]
    """The last runs, oldest first; not more than eight."""
    failing: bool
    """Whether its last run ended in one of the `outcome.FAILURES`. One that is unregistered fails no more."""
    failing_since: float | None
    """When the first of its last runs ended that all failed, in epoch seconds; `None` if it is not failing.
    After a restart, as far back as runs are remembered."""
    run_count: int
    """How many runs began; retries are not counted."""
    skipped: Mapping[SkipReason, int]
    """Due times that passed without a run since the last run, by reason."""
    unregistered: bool
    """Whether it goes on only until its present run ends."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole scheduler in a few numbers."""

    time: float
    """The wall clock when this was taken, in epoch seconds."""
    is_running: bool
    paused: bool
    tasks: int
    running: int
    disabled: int
    failing: int
    """How many of them are, as `TaskSnapshot.failing` has it."""
    threads: int
    """Threads that runs are on, idle ones counted."""
    lateness_p99: float | None
    """Seconds; over the last runs that a schedule started, without those that were overdue when the scheduler
    was started. `None` before the first."""
    next_time: float | None
    """When the next run is due, in epoch seconds."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent picture of everything."""

    figures: Figures
    tasks: tuple[TaskSnapshot, ...]
    """In the order of registration; the running ones that are unregistered or replaced come last."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different since the last look of one `Watch`."""

    figures: Figures
    changed: tuple[TaskSnapshot, ...]
    """The handles that are new or different."""
    gone: tuple[int, ...]
    """The numbers of the handles that are no more."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that a run, or a task's constructor, can be given."""

    name: str
    type: str
    """`str`, `int`, `float`, `bool`, `path`, or `choice`."""
    choices: tuple[str, ...] = ()
    default: object = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """Everything there is to tell of one handle, for a screen of its own."""

    task: TaskSnapshot
    explanation: str
    """Why it is not running now, when it will, and what went wrong: a sentence or two."""
    policies: Mapping[str, str]
    """Keyword → value in words; only those that differ from the default."""
    zone: str | None
    """The name of the time zone of a calendar schedule."""
    due_times: tuple[float, ...]
    """The next due times, in epoch seconds."""
    history: tuple[Outcome | Skip, ...]
    """The last runs and skips, oldest first."""
    output: tuple[str, ...]
    """The lines of the run that goes on; else of the last one."""
    parameters: tuple[Parameter, ...]
    """What a run can be given."""
    body: str = ""
    """What it runs: a command as one would type it; else where its class or function is found, as in
    `package.module:Class`."""
