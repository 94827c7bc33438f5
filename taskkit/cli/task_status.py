"""The status of tasks: which are running, here or elsewhere, and how their last runs ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from taskkit.outcome import FAILURES, OutcomeKind
from taskkit.snapshot import TaskSnapshot
from taskkit.words.times import full_time

if TYPE_CHECKING:
    from taskkit.scheduler import Scheduler
    from taskkit.store import SavedState, StoreProcess


PAUSED_MESSAGE: Final = "the scheduler is paused: no task falls due until it is resumed"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The end of a task's last run."""

    kind: OutcomeKind
    finished: float
    """Epoch seconds."""
    exception: str | None


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """The status of one task."""

    running_since: float | None = None
    """Epoch seconds; `None` if it is not running."""
    last: LastRun | None = None
    where: str | None = None
    """The place where its run executes, as `process 4711`; `None` on a thread, and if it is not known."""

    @property
    def failing(self) -> bool:
        """True if the last run failed, timed out, was abandoned or was interrupted."""
        return self.last is not None and self.last.kind in FAILURES


def process_status(target: str, process: StoreProcess | None, *, was_asked: bool = False) -> str:
    """Return a sentence: which process is running the target, or how and when the last one ended.

    Args:
        target: The target, as it was typed.
        process: What its state says of the process; `None` if there is no state.
        was_asked: True if the process was asked itself, and not its state read.
    """
    if process is None:
        return f"{target} is not running: it has no state here"
    pid = "" if process.pid is None else f" {process.pid}"
    if process.running:
        since = "" if process.since is None else f", since {full_time(process.since)}"
        how = "asked now" if was_asked else "read from its state"
        return f"{target} is running: process{pid}{since} ({how})"
    if process.stopped is not None:
        return f"{target} is not running: it was stopped at {full_time(process.stopped)}"
    if process.last_seen is None:
        return f"{target} is not running, and never was with this state"
    return (
        f"{target} is not running: process{pid} ended without stopping,"
        f" and was last seen at {full_time(process.last_seen)}"
    )


def task_statuses(scheduler: Scheduler, state: SavedState | None) -> dict[str, TaskStatus]:
    """Return the known statuses by task name. A run in this process overrides what the state says."""
    statuses = {}
    if state is not None:
        for name in {*state.running, *state.last_runs}:
            run, last = state.running.get(name), state.last_runs.get(name)
            statuses[name] = TaskStatus(
                None if run is None else run.started,
                None if last is None else LastRun(last.kind, last.finished, last.exception),
            )
    for task in scheduler.snapshot().tasks:
        if task.run is not None or task.past:
            statuses[task.name] = status_of(task)
    return statuses


def status_of(task: TaskSnapshot) -> TaskStatus:
    """Return the status that a snapshot shows."""
    last = None
    if task.past:
        past = task.past[-1]
        last = LastRun(past.kind, past.finished, past.exception)
    if task.run is None:
        return TaskStatus(None, last)
    return TaskStatus(task.run.started, last, task.run.where)
