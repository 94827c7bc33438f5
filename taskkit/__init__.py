"""An in-process task scheduler: periodic, timed, daily, cron and on-demand tasks, each on a thread.

The three classes to know are `Scheduler`, `TaskHandler` and `Task`. docs/api.md lists all public names by
purpose.
"""

from taskkit.capture.router import take_output
from taskkit.clock import Clock, Instant
from taskkit.command import CommandError, CommandTask
from taskkit.engine.threads import Threads
from taskkit.engine.watch import Watch
from taskkit.errors import (
    CronMissingError,
    DaskMissingError,
    ForkedSchedulerError,
    JoinInsideRunError,
    NoCurrentRunError,
    NoLoopError,
    NotHereError,
    SchedulerStoppedError,
    TaskkitError,
)
from taskkit.events import (
    ChangeKind,
    ClockJumped,
    Event,
    OutputWritten,
    RunFinished,
    RunProgressed,
    RunSkipped,
    RunStarted,
    SchedulerPaused,
    SchedulerResumed,
    SchedulerStarted,
    SchedulerStopped,
    TaskChanged,
    TaskEvent,
    TaskRegistered,
    TaskUnregistered,
    UnregisterReason,
)
from taskkit.executor import Body, BodyResult, Executor
from taskkit.handler import TaskHandler
from taskkit.jitter import Jitter
from taskkit.line_assembler import LineAssembler
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason, Trigger
from taskkit.output_lines import OutputLine, Stream
from taskkit.parameters import constructor_parameters, make_task, parse_parameter
from taskkit.policies import Overlap, Policies
from taskkit.run import Progress, Run, current_run
from taskkit.scaled_clock import ScaledClock
from taskkit.scheduler import Scheduler
from taskkit.schedules import After, AnyOf, Cron, Daily, Every, Once, OnDemand, Schedule, due_times
from taskkit.snapshot import (
    Changes,
    Figures,
    Parameter,
    ParameterType,
    PastRun,
    RetrySnapshot,
    RunSnapshot,
    SchedulerState,
    Snapshot,
    TaskDetails,
    TaskSnapshot,
    TaskState,
    TaskTotals,
)
from taskkit.spec import Recipe, TaskSpec
from taskkit.task import Task, TaskLike
from taskkit.words.durations import parse_period, period_text

__version__ = "0.1.0"

__all__ = [
    "After",
    "AnyOf",
    "Body",
    "BodyResult",
    "ChangeKind",
    "Changes",
    "Clock",
    "ClockJumped",
    "CommandError",
    "CommandTask",
    "Cron",
    "CronMissingError",
    "Daily",
    "DaskMissingError",
    "Event",
    "Every",
    "Executor",
    "Figures",
    "ForkedSchedulerError",
    "Instant",
    "Jitter",
    "JoinInsideRunError",
    "LineAssembler",
    "NoCurrentRunError",
    "NoLoopError",
    "NotHereError",
    "OnDemand",
    "Once",
    "Outcome",
    "OutcomeKind",
    "OutputLine",
    "OutputWritten",
    "Overlap",
    "Parameter",
    "ParameterType",
    "PastRun",
    "Policies",
    "Progress",
    "Recipe",
    "RetrySnapshot",
    "Run",
    "RunFinished",
    "RunProgressed",
    "RunSkipped",
    "RunSnapshot",
    "RunStarted",
    "ScaledClock",
    "Schedule",
    "Scheduler",
    "SchedulerPaused",
    "SchedulerResumed",
    "SchedulerStarted",
    "SchedulerState",
    "SchedulerStopped",
    "SchedulerStoppedError",
    "Skip",
    "SkipReason",
    "Snapshot",
    "Stream",
    "Task",
    "TaskChanged",
    "TaskDetails",
    "TaskEvent",
    "TaskHandler",
    "TaskLike",
    "TaskRegistered",
    "TaskSnapshot",
    "TaskSpec",
    "TaskState",
    "TaskTotals",
    "TaskUnregistered",
    "TaskkitError",
    "Threads",
    "Trigger",
    "UnregisterReason",
    "Watch",
    "constructor_parameters",
    "current_run",
    "due_times",
    "make_task",
    "parse_parameter",
    "parse_period",
    "period_text",
    "take_output",
]
