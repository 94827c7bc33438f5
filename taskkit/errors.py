"""What taskkit raises when it is misused. Bad arguments raise `ValueError` or `TypeError` instead."""


class TaskkitError(Exception):
    """Base of every error of taskkit's own."""


class SchedulerStoppedError(TaskkitError):
    """The scheduler was stopped; it neither starts again nor takes new tasks."""

    def __init__(self) -> None:
        super().__init__("this scheduler was stopped; make a new Scheduler instead of starting it again")


class NoCurrentRunError(TaskkitError):
    """Something that only a run can answer was asked outside any run."""

    def __init__(self) -> None:
        super().__init__(
            "no run is under way on this thread; "
            "a thread that a task starts itself needs contextvars.copy_context().run"
        )


class CronMissingError(TaskkitError):
    """A cron expression was given, and the package that reads them is not installed."""

    def __init__(self) -> None:
        super().__init__("cron expressions need the extra: pip install 'taskkit-tui[cron]'")
