"""The errors of misuse. Bad arguments raise `ValueError` or `TypeError` instead."""

from __future__ import annotations

from collections.abc import Sequence


class TaskkitError(Exception):
    """The base class of taskkit's own errors."""


class SchedulerStoppedError(TaskkitError):
    """The scheduler was stopped. It cannot be started again, and takes no new tasks."""

    def __init__(self) -> None:
        super().__init__("this scheduler was stopped; make a new Scheduler instead of starting it again")


class ForkedSchedulerError(TaskkitError):
    """The scheduler was started before this process was forked. Its threads are in the parent.

    Args:
        pid: The process that runs it.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(
            f"this scheduler runs in process {pid}, and in this one, which is a fork of it, nothing runs; "
            "make and start a Scheduler after the fork, in the process that should run the tasks"
        )
        self.pid = pid

    def __reduce__(self) -> tuple[type[ForkedSchedulerError], tuple[int]]:
        return type(self), (self.pid,)  # it may travel from a worker of multiprocessing to its parent


class UnknownExecutorError(ValueError):
    """A task names an executor that the scheduler does not have.

    Args:
        name: The unknown name.
        known: The names of the executors that there are.
        similar: Those that may be meant.
    """

    def __init__(self, name: str, known: Sequence[str], similar: Sequence[str] = ()) -> None:
        perhaps = f"; did you mean {similar[0]!r}?" if similar else ""
        super().__init__(
            f"executor {name!r} is unknown to this scheduler, which has {', '.join(known)}{perhaps or ';'}"
            + ("" if perhaps else f" others are passed as executors={{{name!r}: …}}")
        )
        self.name = name


class JoinInsideRunError(TaskkitError):
    """A task calls `Scheduler.join()`."""

    def __init__(self) -> None:
        super().__init__(
            "join() waits until no task runs, so a task that calls it would wait for itself: "
            "call it where the scheduler was started"
        )


class NoLoopError(TaskkitError, ValueError):
    """A task has `executor="loop"`, and the scheduler has no event loop.

    Args:
        name: The name of the task; empty if that is said elsewhere.
    """

    def __init__(self, name: str = "") -> None:
        of = f" of {name!r}" if name else ""
        super().__init__(
            f"executor 'loop'{of} has no event loop: enter the scheduler by `async with`, "
            "or pass executors={'loop': LoopExecutor(loop)}; without executor=, an async task has a loop "
            "of its own"
        )


class NoCurrentRunError(TaskkitError):
    """A call that needs the current run was made outside any run."""

    def __init__(self) -> None:
        super().__init__(
            "no run is under way on this thread; "
            "a thread that a task starts itself needs contextvars.copy_context().run"
        )


class NotHereError(TaskkitError):
    """A run in another process asked for its handle, which is in the process of its scheduler.

    Args:
        name: The name of the task.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the handle of {name!r} is in the process of its scheduler, and this run is in another one; "
            "return a value or print, and command tasks there, as in a subscriber or on_error"
        )
        self.name = name

    def __reduce__(self) -> tuple[type[NotHereError], tuple[str]]:
        return type(self), (self.name,)


class CronMissingError(TaskkitError):
    """A cron expression was given, and the package that parses it is not installed."""

    def __init__(self) -> None:
        super().__init__("cron expressions need the extra: pip install 'taskkit-tui[cron]'")


class DaskMissingError(TaskkitError):
    """A `DaskExecutor` was made, and the package `distributed` is not installed."""

    def __init__(self) -> None:
        super().__init__("DaskExecutor needs the extra: pip install 'taskkit-tui[dask]'")


class StoreError(TaskkitError):
    """A store cannot be opened, read or attached. The message names the file and the reason."""


class StoreInUseError(StoreError):
    """Another process has the store open. Until that process ends, others can only read it."""
