"""`OtherProcessExecutor`, the base of the executors that run copies of tasks in other processes."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

from taskkit.clock import Clock
from taskkit.executor import Body, Executor
from taskkit.executors import portable
from taskkit.executors.worker_run import Job, job_of
from taskkit.spec import Recipe


class OtherProcessExecutor(Executor):
    """Refuses what cannot be sent to another process, and knows the clock of its one scheduler."""

    def __init__(self) -> None:
        self._clock: Clock | None = None

    def attach(self, clock: Clock) -> None:
        """Take the clock of a scheduler.

        Raises:
            ValueError: It is moved by hand, or cannot be copied to another process; or this executor has
                another scheduler.
        """
        kind = f"a {type(self).__name__}"
        if self._clock is not None:
            raise ValueError(f"{kind} must have one scheduler: make another for the second one")
        _check_clock(clock, kind)
        self._clock = clock

    def check(self, task: object) -> None:
        """Refuse a task that another process cannot import.

        Raises:
            TypeError: The message says what cannot be imported, why, and the remedy.
        """
        portable.check_task(task)

    def check_recipe(self, recipe: Recipe, task: object) -> None:  # noqa: ARG002 - it is made again
        """Refuse a task that another process cannot make again from its recipe.

        Raises:
            TypeError: The message says what cannot be imported, why, and the remedy.
        """
        portable.check_recipe(recipe)

    def check_parameters(self, parameters: Mapping[str, object]) -> None:
        """Refuse parameters that cannot be sent to another process.

        Raises:
            TypeError: The message names the parameter.
        """
        portable.pack_parameters(parameters)

    @property
    def clock(self) -> Clock:
        """The clock of the scheduler."""
        assert self._clock is not None
        return self._clock

    def job_of(self, body: Body) -> Job:
        """Return a run as plain values.

        Raises:
            TypeError: Its task or its parameters cannot be sent.
        """
        return job_of(body, self.clock)


def _check_clock(clock: Clock, what: str) -> None:
    """Refuse a clock that does not work in another process.

    Args:
        clock: The clock of a scheduler.
        what: The executor, for the message.

    Raises:
        ValueError: It is moved by hand, or cannot be pickled.
    """
    if getattr(clock, "stands_still", False):
        raise ValueError(
            f"{what} must not have a manual clock, which only moves in this process; test the task with "
            "executor='thread', or with the system's clock"
        )
    try:
        pickle.loads(pickle.dumps(clock))
    except Exception as error:
        raise ValueError(f"{what} must have a clock that can be pickled, not {clock!r}") from error
