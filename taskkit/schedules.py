"""When a task falls due: schedules as pure values that read no clock and hold no lock.

A schedule answers one question, `next_after(instant)`. Whoever asks knows what time it is and what was
missed. Instants are epoch seconds, durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from math import floor, inf
from typing import TYPE_CHECKING, ClassVar, Final
from zoneinfo import ZoneInfo

from taskkit.checks import check_whole, finite, is_number
from taskkit.cron import read_cron
from taskkit.durations import in_words, parse_period
from taskkit.grid import grid_count, grid_next
from taskkit.local_times import (
    FIRST_INSTANT,
    LAST_INSTANT,
    DailyTime,
    LocalTimes,
    count_due,
    next_due,
    zone_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_COUNTED: Final = 10_000
"""Where `count_between` gives up on a schedule that it can only count one by one."""


class Schedule:
    """When something falls due. Immutable, and equal to others that say the same.

    A schedule of one's own needs `next_after` and the two facts about the class. All of it is asked while the
    scheduler's lock is held: it must be quick, and not call the scheduler. Where `next_after` raises, or
    answers what cannot be, that is logged, and its task falls due no more.
    """

    __slots__ = ()

    follows_wall_clock: ClassVar[bool]
    """Whether its due times move when somebody sets the clock of the machine."""
    repeats: ClassVar[bool]
    """Whether it falls due more than once."""

    def next_after(self, instant: float) -> float | None:
        """The first due time strictly after `instant`, both in epoch seconds; `None` if there is none."""
        raise NotImplementedError(f"{type(self).__name__} must override next_after({instant})")

    @property
    def zone(self) -> str | None:
        """The name of the time zone it is told in; `None` if it is in none."""
        return None


@dataclass(frozen=True, slots=True, init=False)
class Every(Schedule):
    """Due again and again, one period apart, on a grid that does not drift.

    Args:
        period: Seconds, more than 0, or a `timedelta`.
        start: The first due time: epoch seconds, or a `datetime` (a naive one is local time). `None` means
            the moment of registration.

    Raises:
        TypeError: The period or the start is something else.
        ValueError: The period is not more than 0, or one of them is infinite or not a number.
    """

    follows_wall_clock: ClassVar[bool] = False
    repeats: ClassVar[bool] = True

    period: float
    """Seconds between due times."""
    start: float | None
    """The first due time, in epoch seconds; `None` for the moment of registration."""

    def __init__(self, period: float | timedelta, start: float | datetime | None = None) -> None:
        object.__setattr__(self, "period", check_period(period))
        object.__setattr__(self, "start", None if start is None else instant_of(start, "start"))

    def next_after(self, instant: float) -> float | None:
        """The first due time strictly after `instant`; without a start, one period after it."""
        anchor = instant if self.start is None else self.start
        due = grid_next(anchor, self.period, instant)
        return due if due < inf else None

    def __str__(self) -> str:
        return f"every {in_words(self.period)}"


@dataclass(frozen=True, slots=True, init=False)
class Once(Schedule):
    """Due once.

    Args:
        at: Epoch seconds, or a `datetime` (a naive one is local time). `None` means the moment of
            registration.

    Raises:
        TypeError: It is something else.
        ValueError: It is infinite or not a number.
    """

    follows_wall_clock: ClassVar[bool] = True
    repeats: ClassVar[bool] = False

    at: float | None
    """Epoch seconds; `None` for the moment of registration."""

    def __init__(self, at: float | datetime | None = None) -> None:
        object.__setattr__(self, "at", instant_of(at, "at"))

    def next_after(self, instant: float) -> float | None:
        """Its due time if that is strictly after `instant`; without one, `None`."""
        return self.at if self.at is not None and self.at > instant else None

    def __str__(self) -> str:
        return "once"


@dataclass(frozen=True, slots=True)
class OnDemand(Schedule):
    """Never due by itself: it runs when somebody asks for it."""

    follows_wall_clock: ClassVar[bool] = False
    repeats: ClassVar[bool] = False

    def next_after(self, instant: float) -> float | None:  # noqa: ARG002 - it is never due
        """`None`."""
        return None

    def __str__(self) -> str:
        return "on demand"


class CalendarSchedule(Schedule):
    """Due at certain local times of a zone, whatever is done to its clocks.

    A local time that is skipped when the clocks are put forward is due at the first instant after the gap,
    together with whatever else is due then; one that is repeated when they are put back is due the first
    time only. Cron expressions with a wildcard differ, see `Cron`.
    """

    __slots__ = ()

    follows_wall_clock: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    tz: tzinfo | None

    @property
    def _times(self) -> LocalTimes:
        """The local times at which it is due."""
        raise NotImplementedError

    @property
    def zone(self) -> str | None:
        """The name of the time zone; of the machine's where none was given, or `local`."""
        return zone_name(self.tz)

    def next_after(self, instant: float) -> float | None:
        """The first due time strictly after `instant`; `None` if there is none before the year 9999 ends."""
        due = next_due(self._times, self.tz, _on_calendar(instant))
        return None if due is None else float(due)


def _on_calendar(instant: float) -> int:
    """The last whole second not after `instant`, within what calendars can tell."""
    return floor(min(max(instant, FIRST_INSTANT), LAST_INSTANT))


@dataclass(frozen=True, slots=True, init=False)
class Daily(CalendarSchedule):
    """Due every day at the same local time, on the minute.

    Args:
        hour: 0 to 23.
        minute: 0 to 59.
        tz: An IANA name such as `Europe/Berlin`, or a `tzinfo`. `None` means the zone of the machine.

    Raises:
        TypeError: One of them is of another type.
        ValueError: There is no such hour, minute or zone.
    """

    hour: int
    minute: int
    tz: tzinfo | None
    """The time zone; `None` for that of the machine."""

    def __init__(self, hour: int, minute: int, tz: str | tzinfo | None = None) -> None:
        object.__setattr__(self, "hour", _up_to(23, "hour", hour))
        object.__setattr__(self, "minute", _up_to(59, "minute", minute))
        object.__setattr__(self, "tz", _zone_of(tz))

    @property
    def _times(self) -> LocalTimes:
        return DailyTime(self.hour * 3600 + self.minute * 60)

    def __str__(self) -> str:
        return f"daily {self.hour:02}:{self.minute:02}{_zone_suffix(self.tz)}"


@dataclass(frozen=True, slots=True, init=False)
class Cron(CalendarSchedule):
    """Due whenever the local time matches a cron expression, as Debian's cron understands it.

    An expression whose minute or hour begins with `*` runs whenever the clocks show a time that matches;
    with any other, a skipped time is made up for after the gap and a repeated one is not run again.

    Args:
        expression: Five fields, six with seconds first, or one of `@hourly`, `@daily`, `@midnight`,
            `@weekly`, `@monthly`, `@yearly` and `@annually`.
        tz: An IANA name such as `Europe/Berlin`, or a `tzinfo`. `None` means the zone of the machine.

    Raises:
        CronMissingError: The package `cronsim` is not installed.
        TypeError: One of them is of another type.
        ValueError: The expression cannot be read or never matches, or there is no such zone.
    """

    expression: str
    """As it was given, with single spaces."""
    tz: tzinfo | None
    """The time zone; `None` for that of the machine."""

    def __init__(self, expression: str, tz: str | tzinfo | None = None) -> None:
        if not isinstance(expression, str):
            raise TypeError(f"expression must be a cron expression in a string, not {expression!r}")
        expression = " ".join(expression.split())
        read_cron(expression)
        object.__setattr__(self, "expression", expression)
        object.__setattr__(self, "tz", _zone_of(tz))

    @property
    def _times(self) -> LocalTimes:
        return read_cron(self.expression)

    def __str__(self) -> str:
        return f"cron {self.expression}{_zone_suffix(self.tz)}"


def due_after(schedule: Schedule, instant: float) -> float | None:
    """What `schedule.next_after(instant)` answers, if it can be.

    Raises:
        TypeError: It is no number.
        ValueError: It is not after `instant`, or infinite.
        Exception: Whatever a schedule of somebody's own raises.
    """
    due = schedule.next_after(instant)
    if due is None or (is_number(due) and instant < due < inf):
        return due
    asked = f"{type(schedule).__name__}.next_after({instant!r})"
    if not is_number(due):
        raise TypeError(f"{asked} must answer epoch seconds or None, not {due!r}")
    raise ValueError(f"{asked} must answer a later instant, not {due!r}")


def is_for_now(schedule: Schedule) -> bool:
    """Whether it is due at the moment of registration, and never again."""
    return isinstance(schedule, Once) and schedule.at is None


def are_equal(one: Schedule, other: Schedule | None) -> bool:
    """Whether they say the same; no, if one of them is somebody's own and raises when it is compared."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        return False


def due_times(schedule: Schedule, after: float, count: int) -> list[float]:
    """The first `count` due times after `after`, in epoch seconds; fewer if there are fewer.

    Raises:
        Exception: It is a schedule of one's own, and raises, or answers what is no later instant.
    """
    return list(islice(_each_due(schedule, after), count))


def count_between(schedule: Schedule, after: float, until: float) -> int:
    """How many due times there are after `after`, up to and including `until`, in epoch seconds.

    It counts the schedules of this module without walking through them, so that a minutely one is counted
    over ten years in milliseconds. Others it walks through, and answers at most `MOST_COUNTED`.
    """
    if isinstance(schedule, Every):
        return grid_count(after if schedule.start is None else schedule.start, schedule.period, after, until)
    if isinstance(schedule, CalendarSchedule):
        return count_due(schedule._times, schedule.tz, _on_calendar(after), _on_calendar(until))
    count = 0
    for due in islice(_each_due(schedule, after), MOST_COUNTED):
        if due > until:
            break
        count += 1
    return count


def _each_due(schedule: Schedule, after: float) -> Iterator[float]:
    due = due_after(schedule, after)
    while due is not None:
        yield due
        due = due_after(schedule, due)


def check_period(period: float | timedelta) -> float:
    """`period` in seconds.

    Raises:
        TypeError: It is neither a number nor a `timedelta`.
        ValueError: It is not more than 0, infinite, or not a number.
    """
    if isinstance(period, timedelta):
        seconds = period.total_seconds()
    else:
        _refuse_text(period)
        seconds = finite("period", period, "a number of seconds or a timedelta")
    if seconds <= 0:
        raise ValueError(f"period must be more than 0 seconds, not {period!r}")
    return seconds


def _refuse_text(period: object) -> None:
    """Nothing, if it is no text.

    Raises:
        TypeError: It is; the message says how that is written in Python.
    """
    if not isinstance(period, str):
        return
    try:
        seconds = parse_period(period)
    except ValueError:
        seconds = 300.0
    units = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
    unit, size = next((each for each in units if not seconds % each[1]), units[-1])
    written = f"{seconds:.15g} or timedelta({unit}={seconds / size:.15g})"
    raise TypeError(f"period must be a number of seconds or a timedelta, not {period!r}; write {written}")


def check_schedule(schedule: object) -> None:
    """Nothing, if it is a schedule.

    Raises:
        TypeError: It is not, or one of somebody's own that lacks a fact.
    """
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a Schedule such as Every(60), not {schedule!r}")
    for fact in ("follows_wall_clock", "repeats"):
        if not hasattr(schedule, fact):
            raise TypeError(f"schedule must say {fact}, which the class {type(schedule).__name__} lacks")


def instant_of(value: float | datetime | None, argument: str) -> float | None:
    """`value` in epoch seconds; `None` stays `None`. A naive `datetime` is local time.

    Args:
        value: Epoch seconds or a `datetime`.
        argument: What the caller calls it, for the message.

    Raises:
        TypeError: It is neither.
        ValueError: It is infinite, not a number, or a `datetime` that has no epoch seconds.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        try:
            return value.timestamp()
        except (OverflowError, ValueError, OSError):
            raise ValueError(f"{argument} must be within the years of the calendar, not {value!r}") from None
    return finite(argument, value, "epoch seconds, a datetime or None")


def _up_to(highest: int, argument: str, value: int) -> int:
    check_whole(argument, value, f"a whole number from 0 to {highest}")
    if not 0 <= value <= highest:
        raise ValueError(f"{argument} must be from 0 to {highest}, not {value}")
    return value


def _zone_of(tz: str | tzinfo | None) -> tzinfo | None:
    if tz is None or isinstance(tz, tzinfo):
        return tz
    if not isinstance(tz, str):
        raise TypeError(f"tz must be the name of a time zone, a tzinfo or None, not {tz!r}")
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, or the name of a folder of zones
        raise ValueError(f"tz must name a known time zone, not {tz!r}") from None


def _zone_suffix(tz: tzinfo | None) -> str:
    return "" if tz is None else f" {zone_name(tz)}"
