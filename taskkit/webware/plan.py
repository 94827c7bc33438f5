"""What an old handle was told: when, how often, what. Checked before anything is changed."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Final, TypeVar

from taskkit.checks import check_whole, is_finite
from taskkit.schedules import Every, Once, Schedule

DAY: Final = 86_400
"""Seconds: the period of a daily task, as it was told in 2001."""

Number = TypeVar("Number")


@dataclass(slots=True)
class Plan:
    """What was asked for under one name. Its numbers stay in the type in which they were given.

    Raises:
        TypeError: The task is none, or a number is something else.
        ValueError: A number is infinite or not a number.
    """

    due: float
    """When it is first due, or was last due by its schedule, in epoch seconds."""
    period: float
    """Seconds between due times; 0 for once. Of a negative one the absolute value counts."""
    task: object
    on_demand: bool = False
    """Whether it is kept for somebody to ask when it is due no more."""
    suspended: bool = False
    """Whether it was disabled by way of its handle."""

    def __post_init__(self) -> None:
        checked_time(self.due, "start")
        self.period = checked_period(self.period)
        _check_task(self.task)

    @property
    def schedule(self) -> Schedule:
        """The modern schedule that it stands for."""
        return Every(float(self.period), float(self.due)) if self.period else Once(float(self.due))


def checked_time(value: Number, argument: str) -> Number:
    """`value` as it is, if it is a finite number of seconds."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} must be a number of seconds, not {value!r}")
    if not is_finite(value):
        raise ValueError(f"{argument} must be a finite number, not {value!r}")
    return value


def checked_period(value: float) -> float:
    """The absolute value of a period, in the type it has: what was given as 60 is told as 60."""
    return abs(checked_time(value, "period"))


def checked_time_of_day(hour: int, minute: int) -> tuple[int, int]:
    """Hour and minute; minutes beyond 59 are carried into the hour, hours beyond 23 into the next day."""
    check_whole("hour", hour)
    check_whole("minute", minute)
    return divmod((hour * 60 + minute) % 1440, 60)


def _check_task(task: object) -> None:
    if isinstance(task, type):
        raise TypeError(f"task must be an instance, not the class {task.__name__}; write {task.__name__}(…)")
    if not callable(getattr(task, "_run", None)):
        raise TypeError(f"task must be a Task of TaskKit, not {task!r}; derive a class from that")
