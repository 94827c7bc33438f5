"""The start, the period and the task that were given to an old handle, checked before anything changes."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Final, TypeVar

from taskkit._helpers.checks import check_whole, is_finite
from taskkit.schedules import Every, Once, Schedule

DAY_SECONDS: Final = 86_400
"""The period that a daily task has in the old spelling."""

Number = TypeVar("Number")


@dataclass(slots=True)
class Plan:
    """The start, the period and the task of one name. Numbers keep the type in which they were given.

    Raises:
        TypeError: The task is not a task, or a number is not a number.
        ValueError: A number is infinite or not a number.
    """

    due: float
    """The first due time, or the last that has passed, in epoch seconds."""
    period: float
    """Seconds between due times; 0 for once. A negative period means its absolute value."""
    task: object
    on_demand: bool = False
    """True if the task is kept on demand once it has no more due times."""
    suspended: bool = False
    """True if the task was disabled by this handle."""

    def __post_init__(self) -> None:
        checked_time(self.due, "start")
        self.period = checked_period(self.period)
        _check_task(self.task)

    @property
    def schedule(self) -> Schedule:
        """The modern schedule of this plan."""
        return Every(float(self.period), float(self.due)) if self.period else Once(float(self.due))


def checked_time(value: Number, argument: str) -> Number:
    """Return `value` unchanged if it is a finite number; else raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} must be a number of seconds, not {value!r}")
    if not is_finite(value):
        raise ValueError(f"{argument} must be a finite number, not {value!r}")
    return value


def checked_period(value: float) -> float:
    """Return the absolute value of a period in its own type: 60 stays 60, and does not become 60.0."""
    return abs(checked_time(value, "period"))


def checked_time_of_day(hour: int, minute: int) -> tuple[int, int]:
    """Return hour and minute. Minutes beyond 59 carry into the hour, hours beyond 23 into the next day."""
    check_whole("hour", hour)
    check_whole("minute", minute)
    return divmod((hour * 60 + minute) % 1440, 60)


def _check_task(task: object) -> None:
    if isinstance(task, type):
        raise TypeError(f"task must be an instance, not the class {task.__name__}; write {task.__name__}(…)")
    if not callable(getattr(task, "_run", None)):
        raise TypeError(f"task must be a Task of TaskKit, not {task!r}; derive a class from that")
