"""An in-process task scheduler: periodic, timed, daily, cron and on-demand tasks, each on a thread.

The three classes to know are `Scheduler`, `TaskHandler` and `Task`.
"""

from taskkit.command import CommandError, CommandTask
from taskkit.durations import parse_period, period_text
from taskkit.engine.lines import LineAssembler
from taskkit.engine.parameters import constructor_parameters, make_task, parse_parameter
from taskkit.engine.router import take_output
from taskkit.engine.watch import Watch
from taskkit.errors import CronMissingError, NoCurrentRunError, SchedulerStoppedError, TaskkitError
from taskkit.events import (
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
)
from taskkit.handler import TaskHandler
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason, Trigger
from taskkit.output import OutputLine, Stream
from taskkit.policies import Policies
from taskkit.run import Progress, Run, current_run
from taskkit.scaled_clock import ScaledClock
from taskkit.scheduler import Scheduler
from taskkit.schedules import Cron, Daily, Every, Once, OnDemand, Schedule, due_times
from taskkit.snapshot import (
    Changes,
    Figures,
    Parameter,
    PastRun,
    RetrySnapshot,
    RunSnapshot,
    Snapshot,
    TaskDetails,
    TaskSnapshot,
    TaskState,
)
from taskkit.spec import Recipe, TaskSpec
from taskkit.task import Task

__version__ = "0.1.0"

__all__ = [
    "Changes",
    "ClockJumped",
    "CommandError",
    "CommandTask",
    "Cron",
    "CronMissingError",
    "Daily",
    "Event",
    "Every",
    "Figures",
    "LineAssembler",
    "NoCurrentRunError",
    "OnDemand",
    "Once",
    "Outcome",
    "OutcomeKind",
    "OutputLine",
    "OutputWritten",
    "Parameter",
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
    "TaskRegistered",
    "TaskSnapshot",
    "TaskSpec",
    "TaskState",
    "TaskUnregistered",
    "TaskkitError",
    "Trigger",
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
