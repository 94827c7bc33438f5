"""The state of a scheduler as plain data: names, numbers, strings and enums, no references to live objects.

All that a dashboard shows comes from here or from the events, so it may run in another process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from taskkit._helpers.fast_init import fast_init
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.outcome import NOTHING_SKIPPED, Outcome, OutcomeKind, Skip, SkipReason, Trigger
from taskkit.policies import NO_LIMITS
from taskkit.run import Progress


class TaskState(StrEnum):
    """The state of a handle. `disabled` and `stopping` are flags beside it."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    ON_DEMAND = "on_demand"
    GONE = "gone"


class SchedulerState(StrEnum):
    """The state of a scheduler. `paused` is a flag beside it."""

    NOT_STARTED = "not_started"
    STANDBY = "standby"
    """It waits until another process with the same state ends. Nothing runs here."""
    RUNNING = "running"
    DRAINING = "draining"
    """It is stopping: nothing new starts, and runs may end by themselves."""
    STOPPED = "stopped"
    """It was stopped, or is stopping: active runs were asked to stop."""


@fast_init
@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """An active run, or one that waits for its executor."""

    number: int
    trigger: Trigger
    due: float
    """Epoch seconds."""
    started: float | None
    """Epoch seconds; `None` while it waits for its executor."""
    attempt: int
    asked_to_stop: float | None
    """Epoch seconds; `None` if it was not asked."""
    progress: Progress | None
    where: str | None = None
    """The place where it executes, as `process 4711`; `None` on a thread or a loop, and while it waits."""


@dataclass(frozen=True, slots=True)
class RetrySnapshot:
    """A pending retry of a failed run."""

    number: int
    """The number of the next retry; the first is 1."""
    of: int
    """The most retries."""
    at: float
    """The due time of the retry, in epoch seconds."""


@fast_init
@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that ended, in the short form that a row shows."""

    kind: OutcomeKind
    finished: float
    """Epoch seconds."""
    duration: float
    """Seconds."""
    exception: str | None


@dataclass(frozen=True, slots=True)
class TaskTotals:
    """Counts of one task that only grow, with a store also across restarts.

    They begin at its registration, and continue if it is replaced. A retry counts as a run of its own.
    """

    runs: Mapping[OutcomeKind, int] = FrozenDict()
    """Runs that have ended, by outcome; kinds that never occurred are left out."""
    seconds: float = 0.0
    """The total duration of those runs."""
    scheduled: int = 0
    """Runs among them that a schedule started on time or late, without those that waited for the program."""
    lateness: float = 0.0
    """The total lateness of those, in seconds; without jitter."""
    skipped: Mapping[SkipReason, int] = NOTHING_SKIPPED
    """Due times that were skipped, by reason."""
    last_success: float | None = None
    """The end of its last successful run, in epoch seconds."""


NO_TOTALS: Final = TaskTotals()


@fast_init
@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """One handle at one instant."""

    number: int
    """Unique in its scheduler, in the order of registration. A replaced handle that still runs and its
    successor share a name, not a number."""
    name: str
    state: TaskState
    disabled: bool
    schedule: str
    """In words: `every 30 s`, `daily 03:30`."""
    overrides: str | None
    """The schedule that the program or a file registered, in words, if a person replaced it."""
    period: float | None
    """Seconds between due times, where the schedule has a period."""
    next_run: float | None
    """The next due time, in epoch seconds; `None` while disabled, and if there is none."""
    description: str
    replaces_running: bool
    """True while it waits for a run of the registration that it replaced."""
    again: bool
    """True if it will run once more after the present run."""
    run: RunSnapshot | None
    retry: RetrySnapshot | None
    past: tuple[PastRun, ...]
    """The last runs, oldest first; eight at most."""
    failing: bool
    """True if its last run ended in one of the `outcome.FAILURES`, and it is still registered."""
    failing_since: float | None
    """The end of the first of the failed runs in a row, in epoch seconds; `None` if it is not failing. After
    a restart, as far back as the restored history goes."""
    run_count: int
    """The count of runs that began; retries do not count."""
    skipped: Mapping[SkipReason, int]
    """Due times that were skipped since the last run, by reason."""
    unregistered: bool
    """True if it will be gone when its present run ends."""
    abandoned: int = 0
    """The count of its abandoned runs that have not ended; each still has its thread."""
    disabled_until: float | None = None
    """When a disabled task is enabled again automatically, in epoch seconds; `None` for never."""
    max_runs: int | None = None
    """The number of runs after which it is removed; `None` for no limit."""
    executor: str = "thread"
    """The name of the executor that runs it."""
    follows: tuple[str, ...] = ()
    """The tasks that it follows; empty for one with due times of its own."""
    waits_for: tuple[str, ...] = ()
    """Those of them that have not ended yet."""
    totals: TaskTotals = NO_TOTALS
    fixed_delay: bool = False
    """True if its period counts from the end of its last run."""
    limits: Mapping[str, str] = NO_LIMITS
    """Its `not_before`, `until`, `window`, `not_on` and `timezone`, as `Policies.limits_as_texts`."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole scheduler in a few numbers."""

    time: float
    """The time of the figures by the wall clock, in epoch seconds."""
    is_running: bool
    paused: bool
    tasks: int
    running: int
    disabled: int
    failing: int
    """The count of tasks for which `TaskSnapshot.failing` is true."""
    threads: int
    """Threads for runs, idle ones included."""
    lateness_p99: float | None
    """The 99th percentile of the last scheduled starts, in seconds, without those that were overdue when the
    scheduler was started. `None` before the first."""
    next_time: float | None
    """The next due time of all tasks, in epoch seconds; `None` if there is none, or while paused."""
    forked_from: int | None = None
    """In a forked child, the id of the process that runs the scheduler: the figures are those at the fork.
    `None` elsewhere."""
    state: SchedulerState | None = None
    """`None` where a service of an earlier version does not say it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A consistent picture of everything at one instant."""

    figures: Figures
    tasks: tuple[TaskSnapshot, ...]
    """In the order of registration; the running ones that are unregistered or replaced come last."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes since the last call of one `Watch`."""

    figures: Figures
    changed: tuple[TaskSnapshot, ...]
    """The handles that are new or have changed."""
    gone: tuple[int, ...]
    """The numbers of the handles that are gone."""
    rest: int = 0
    """Changed handles that are left for the next calls, if `most` was given."""


class ParameterType(StrEnum):
    """The kinds of input that a form has for a parameter."""

    STR = "str"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    PATH = "path"
    CHOICE = "choice"
    """One of `Parameter.choices`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that a run, or a task's constructor, can be given."""

    name: str
    type: ParameterType
    choices: tuple[str, ...] = ()
    default: object = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """All there is to know of one handle, for a screen of its own."""

    task: TaskSnapshot
    explanation: str
    """A sentence or two: why it is not running, when it will, and what went wrong."""
    policies: Mapping[str, str]
    """Keyword → value in words, without those that have their default."""
    zone: str | None
    """The name of the time zone of a calendar schedule; `None` for others."""
    due_times: tuple[float, ...]
    """The next due times, in epoch seconds."""
    history: tuple[Outcome | Skip, ...]
    """The last runs and skips, oldest first."""
    output: tuple[str, ...]
    """The last lines of the present run, or else of the last one."""
    parameters: tuple[Parameter, ...]
    """The parameters that a run takes."""
    body: str = ""
    """The command as one would type it, or else the import path of its class or function, as in
    `package.module:Class`."""
    chain: tuple[str, ...] = ()
    """The stages of the chain that it is in, in order: names with commas between them; empty if in none."""
