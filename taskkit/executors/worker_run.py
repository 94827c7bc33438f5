"""The run of a task in a worker: made from plain data, so that the task finds all that it has on a thread."""

from __future__ import annotations

import marshal
import pickle
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from taskkit.clock import Clock
from taskkit.errors import NotHereError
from taskkit.executors import portable
from taskkit.outcome import SkipReason, Trigger
from taskkit.policies import Policies
from taskkit.run import Run, RunListener

if TYPE_CHECKING:
    from taskkit.executor import Body
    from taskkit.handler import TaskHandler

Job = dict[str, Any]
"""A run as plain values, to be sent to a worker."""


class WorkerRun(Run):
    """A run in a worker. Its handle is in the scheduler's process."""

    __slots__ = ()

    @property
    def handle(self) -> TaskHandler:
        """Raise `NotHereError`."""
        raise NotHereError(self.name)

    @handle.setter
    def handle(self, handle: TaskHandler) -> None:
        pass


def job_of(body: Body, clock: Clock) -> Job:
    """Return the run of `body` as plain values.

    Raises:
        TypeError: Its task or its parameters cannot be sent to another process.
    """
    run = body.run
    return {
        "name": run.name,
        "number": run.number,
        "task": portable.pack_task(run.task, body.recipe),
        "parameters": portable.pack_parameters(run.given),
        "clock": pickle.dumps(clock),
        "policies": {
            each.name: value
            for each in fields(Policies)
            if _is_plain(value := getattr(run.policies, each.name))
        },
        "trigger": run.trigger.value,
        "due": run.due,
        "due_steady": run.due_steady,
        "attempt": run.attempt,
        "skipped": {reason.value: count for reason, count in run.skipped.items()},
    }


def clock_of(job: Job) -> Clock:
    """Return the clock of the scheduler."""
    clock: Clock = pickle.loads(job["clock"])
    return clock


def run_of(job: Job, clock: Clock, listener: RunListener) -> WorkerRun:
    """Return the run, without its task and parameters; see `load`."""
    return WorkerRun(
        job["name"],
        None,
        Policies(**job["policies"]),
        cast("TaskHandler", None),  # it is elsewhere
        job["number"],
        Trigger(job["trigger"]),
        job["due"],
        job["due_steady"],
        job["attempt"],
        {},
        {SkipReason(reason): count for reason, count in job["skipped"].items()},
        clock,
        listener,
    )


def load(run: WorkerRun, job: Job) -> None:
    """Give the run its task and its parameters: import and make them. They may raise anything."""
    run.task = portable.unpack_task(job["task"])
    given: Mapping[str, object] = portable.unpack(job["parameters"])
    run.given = run.parameters = given


def _is_plain(value: Any) -> bool:
    try:
        marshal.dumps(value)
    except ValueError:
        return False
    return True
