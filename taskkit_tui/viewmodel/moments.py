"""When something is or was, in words that name day, zone and what the clocks do: pure functions."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from taskkit.local_times import local_time
from taskkit.words import BEYOND_THE_CALENDAR
from taskkit_tui.formatting import duration


def zone_named(name: str | None) -> tzinfo | None:
    """The zone of that name; `None`, which means local time, where there is none or nobody knows it."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def moment(instant: float, now: float, *, weekday: bool = True) -> str:
    """When something was, in local time: `14:03:14` today, else `Mon 23 Nov 03:30`, or `23 Nov 2025`.

    Args:
        instant: Epoch seconds.
        now: The present instant, in epoch seconds.
        weekday: Whether there is room for it.
    """
    when, today = local_time(instant), local_time(now)
    if when is None or today is None:
        return BEYOND_THE_CALENDAR
    if when.date() == today.date():
        return f"{when:%H:%M:%S}"
    if when.year != today.year:
        return f"{when.day:>2} {when:%b %Y}"
    return f"{f'{when:%a} ' if weekday else ''}{when.day:>2} {when:%b %H:%M}"


def exact_moment(instant: float) -> str:
    """When something was, in local time, to the millisecond: `Tue 24 Nov 2026 14:03:14.020`."""
    when = local_time(instant)
    if when is None:
        return BEYOND_THE_CALENDAR
    return f"{when:%a} {when.day} {when:%b %Y %H:%M:%S}.{when.microsecond // 1000:03}"


def since_words(instant: float, now: float) -> tuple[str, ...]:
    """Since which day something is so, the longest words first: `since Sat`; `since 14 Nov`, `for 10 d`.

    Nothing, if it is so since today, or since what the calendar does not reach.
    """
    when, today = local_time(instant), local_time(now)
    days = 0 if when is None or today is None else (today.date() - when.date()).days
    if when is None or days < 1:
        return ()
    if days < 7:
        return (f"since {when:%a}",)
    return (f"since {when.day} {when:%b}", f"for {days} d") if days < 360 else (f"for {days} d",)


def is_elsewhere(zone: str | None, *instants: float) -> bool:
    """Whether the clocks of a zone show another time than those of the machine, at any of some instants."""
    there = zone_named(zone)
    return there is not None and any(
        here.utcoffset() != other.utcoffset()
        for instant in instants
        if (here := local_time(instant)) is not None and (other := local_time(instant, there)) is not None
    )


class DueTime(NamedTuple):
    """A time at which a task falls due."""

    instant: float
    """Epoch seconds."""
    local: datetime | None
    """In the zone of its schedule; `None` for one that the calendar does not reach."""
    shift: timedelta
    """By how much the clocks were set since the due time before, or since now; mostly not at all."""

    @property
    def shift_words(self) -> str:
        """What the clocks did: `clock +1 h`; empty if nothing."""
        if not self.shift:
            return ""
        seconds = self.shift.total_seconds()
        return f"clock {'+' if seconds > 0 else '−'}{duration(abs(seconds))}"


def due_times(instants: tuple[float, ...], zone: str | None, now: float) -> tuple[DueTime, ...]:
    """Due times in the zone of a schedule, each with what the clocks did since the one before."""
    there = zone_named(zone)
    result = []
    before = local_time(now, there)
    for instant in instants:
        local = local_time(instant, there)
        shift = timedelta()
        if local is not None and before is not None:
            shift = (local.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
            before = local
        result.append(DueTime(instant, local, shift))
    return tuple(result)
