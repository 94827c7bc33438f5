"""The kinds of schedules: pure values that say when a task is due. They read no clock and hold no lock.

A schedule answers one question, `next_after(instant)`. The caller knows what time it is and what was missed.
Instants are epoch seconds, periods are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from functools import lru_cache
from math import inf
from typing import ClassVar, overload

from taskkit._helpers.checks import check_flag
from taskkit.schedules.arguments import check_period, checked_zone, instant_of, times_of_day
from taskkit.schedules.cron_expression import read_cron
from taskkit.schedules.grid import grid_next
from taskkit.schedules.local_times import DailyTimes, LocalTimes, next_due, on_calendar
from taskkit.schedules.zones import zone_name
from taskkit.words.durations import in_words


class Schedule:
    """When a task is due: a trigger. Immutable, and equal to another one with the same due times.

    For a schedule of your own, override `next_after` and set the two class attributes. The scheduler calls
    `next_after` with its lock held: it must be quick, and must not call the scheduler. If it raises, or
    answers with an instant that is not later, the error is logged and the task is no longer due (T8).
    """

    __slots__ = ()

    follows_wall_clock: ClassVar[bool]
    """True if the due times move when the clock of the machine is set."""
    repeats: ClassVar[bool]
    """True if there may be more than one due time."""
    has_due_times: ClassVar[bool] = True
    """False if no time makes it due, but something else, as a demand."""

    def next_after(self, instant: float) -> float | None:
        """Return the first due time strictly after `instant`, in epoch seconds; `None` if there is none."""
        raise NotImplementedError(f"{type(self).__name__} must override next_after({instant})")

    @property
    def zone(self) -> str | None:
        """The name of the time zone of the due times; `None` if they depend on none."""
        return None


@dataclass(frozen=True, slots=True, init=False)
class Every(Schedule):
    """Due once a period, on a grid that does not drift. `Every(300)` is due every five minutes.

    `Every(300, fixed_delay=True)` is due five minutes after the end of each run, however long it takes.

    Args:
        period: Seconds, more than 0, or a `timedelta`.
        start: The first due time: epoch seconds, or a `datetime` (a naive one is local time). `None` means
            the moment of registration.
        fixed_delay: True to count the period from the end of the last run, also of one by hand.

    Raises:
        TypeError: An argument is of another type.
        ValueError: `period` is not more than 0, or one of them is infinite or NaN.
    """

    follows_wall_clock: ClassVar[bool] = False
    repeats: ClassVar[bool] = True

    period: float
    """Seconds between due times."""
    start: float | None
    """The first due time, in epoch seconds; `None` for the moment of registration."""
    fixed_delay: bool
    """True if the period counts from the end of the last run."""

    def __init__(
        self,
        period: float | timedelta,
        start: float | datetime | None = None,
        *,
        fixed_delay: bool = False,
    ) -> None:
        check_flag("fixed_delay", fixed_delay)
        object.__setattr__(self, "period", check_period(period))
        object.__setattr__(self, "start", None if start is None else instant_of(start, "start"))
        object.__setattr__(self, "fixed_delay", fixed_delay)

    def next_after(self, instant: float) -> float | None:
        """Return the first due time strictly after `instant`; without a start, one period after it."""
        anchor = instant if self.start is None else self.start
        due = grid_next(anchor, self.period, instant)
        return due if due < inf else None

    def is_like(self, other: Schedule) -> bool:
        """True if another schedule is of this kind, with the same or another period."""
        return isinstance(other, Every) and other.fixed_delay is self.fixed_delay

    def with_period(self, period: float) -> Every:
        """Return the same schedule with another period, in seconds."""
        return Every(period, self.start, fixed_delay=self.fixed_delay)

    def __str__(self) -> str:
        if self.fixed_delay:
            return f"{in_words(self.period)} after each run"
        return f"every {in_words(self.period)}"


@dataclass(frozen=True, slots=True, init=False)
class Once(Schedule):
    """Due once. `Once(datetime(2030, 1, 1))` is due at midnight, local time.

    Args:
        at: Epoch seconds, or a `datetime` (a naive one is local time). `None` means the moment of
            registration.

    Raises:
        TypeError: `at` is of another type.
        ValueError: `at` is infinite or NaN.
    """

    follows_wall_clock: ClassVar[bool] = True
    repeats: ClassVar[bool] = False

    at: float | None
    """Epoch seconds; `None` for the moment of registration."""

    def __init__(self, at: float | datetime | None = None) -> None:
        object.__setattr__(self, "at", instant_of(at, "at"))

    def next_after(self, instant: float) -> float | None:
        """Return the due time if it is strictly after `instant`, else `None`."""
        return self.at if self.at is not None and self.at > instant else None

    def __str__(self) -> str:
        return "once"


@dataclass(frozen=True, slots=True)
class OnDemand(Schedule):
    """Never due: the task runs only by hand or on demand."""

    follows_wall_clock: ClassVar[bool] = False
    repeats: ClassVar[bool] = False
    has_due_times: ClassVar[bool] = False

    def next_after(self, instant: float) -> float | None:  # noqa: ARG002 - it is never due
        """Return `None`."""
        return None

    def __str__(self) -> str:
        return "on demand"


class CalendarSchedule(Schedule):
    """Due at certain local times of a zone, through daylight saving (T5).

    A local time that is skipped when the clocks go forward is due at the first instant after the gap, once
    with all else that is due then. One that is repeated when they go back is due the first time only. Cron
    expressions with a wildcard differ, see `Cron`.
    """

    __slots__ = ()

    follows_wall_clock: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    tz: tzinfo | None

    @property
    def _times(self) -> LocalTimes:
        """The local times of the due times."""
        raise NotImplementedError

    @property
    def zone(self) -> str | None:
        """The name of the time zone; that of the machine where none was given, or `local`."""
        return zone_name(self.tz)

    def next_after(self, instant: float) -> float | None:
        """Return the first due time strictly after `instant`; `None` if there is none by the year 9999."""
        due = next_due(self._times, self.tz, on_calendar(instant))
        return None if due is None else float(due)


@dataclass(frozen=True, slots=True, init=False)
class Daily(CalendarSchedule):
    """Due every day at the same local times. `Daily(3, 30, "Europe/Berlin")` is due at 03:30:00 there.

    `Daily(["09:00", "17:00"])` is due twice a day.

    Args:
        hour: 0 to 23; or the times of day, one such as `"09:00"` or several in a list. Each may be a `time`.
        minute: 0 to 59, if `hour` is a number.
        tz: An IANA name such as `Europe/Berlin`, or a `tzinfo`. `None` means the zone of the machine.

    Raises:
        TypeError: An argument is of another type.
        ValueError: There is no such hour, minute, time of day or zone.
    """

    times: tuple[str, ...]
    """The times of day as `hh:mm`, ascending, each once."""
    tz: tzinfo | None
    """The time zone; `None` for that of the machine."""

    @overload
    def __init__(self, hour: int, minute: int, tz: str | tzinfo | None = None) -> None: ...

    @overload
    def __init__(self, hour: str | Iterable[str | time], *, tz: str | tzinfo | None = None) -> None: ...

    def __init__(
        self,
        hour: int | str | Iterable[str | time],
        minute: int | None = None,
        tz: str | tzinfo | None = None,
    ) -> None:
        object.__setattr__(self, "times", times_of_day(hour, minute))
        object.__setattr__(self, "tz", checked_zone(tz))

    @property
    def hour(self) -> int:
        """The hour of the first time of day."""
        return int(self.times[0][:2])

    @property
    def minute(self) -> int:
        """The minute of the first time of day."""
        return int(self.times[0][3:])

    @property
    def _times(self) -> DailyTimes:
        return _daily_times(self.times)

    def __str__(self) -> str:
        return f"daily {', '.join(self.times)}{_zone_suffix(self.tz)}"


@lru_cache(maxsize=1024)
def _daily_times(times: tuple[str, ...]) -> DailyTimes:
    return DailyTimes(tuple(int(each[:2]) * 3600 + int(each[3:]) * 60 for each in times))


@dataclass(frozen=True, slots=True, init=False)
class Cron(CalendarSchedule):
    """Due when the local time matches a cron expression, with the rules of Debian's cron.

    `Cron("*/15 * * * *")` is due four times an hour. An expression whose minute or hour begins with `*` is
    due each time that the clocks show a matching time. Any other is due once for a time that daylight saving
    skips, after the gap, and once for a time that it repeats.

    Args:
        expression: Five fields, six with seconds first, or one of `@hourly`, `@daily`, `@midnight`,
            `@weekly`, `@monthly`, `@yearly` and `@annually`.
        tz: An IANA name such as `Europe/Berlin`, or a `tzinfo`. `None` means the zone of the machine.

    Raises:
        CronMissingError: The package `cronsim` is not installed.
        TypeError: An argument is of another type.
        ValueError: The expression cannot be read or never matches, or there is no such zone.
    """

    expression: str
    """The expression, with single spaces."""
    tz: tzinfo | None
    """The time zone; `None` for that of the machine."""

    def __init__(self, expression: str, tz: str | tzinfo | None = None) -> None:
        if not isinstance(expression, str):
            raise TypeError(f"expression must be a cron expression in a string, not {expression!r}")
        expression = " ".join(expression.split())
        read_cron(expression)
        object.__setattr__(self, "expression", expression)
        object.__setattr__(self, "tz", checked_zone(tz))

    @property
    def _times(self) -> LocalTimes:
        return read_cron(self.expression)

    def __str__(self) -> str:
        return f"cron {self.expression}{_zone_suffix(self.tz)}"


def _zone_suffix(tz: tzinfo | None) -> str:
    return "" if tz is None else f" {zone_name(tz)}"
