"""Instants in words, from `16:53` to `Tue 24 Nov 2026 14:03:14.020`: one function for each amount of room.

All instants are epoch seconds. Where no zone is given, times are in the zone of the machine. A form leaves
the day out only for today, and the year only within a year of now.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from taskkit.words.durations import DAY

BEYOND_THE_CALENDAR: Final = "beyond the calendar"
"""The words for an instant that has no date."""

_WITHOUT_YEAR_SECONDS: Final = 360 * DAY
"""Instants within this distance of now are shown without their year."""


def local_time(instant: float, zone: tzinfo | None = None) -> datetime | None:
    """Return what the clocks of a zone show at `instant`, with their offset from UTC.

    Args:
        instant: Epoch seconds.
        zone: `None` for the zone of the machine.

    Returns:
        `None` for an instant that the calendar does not reach, or where a foreign `tzinfo` raises.
    """
    try:
        if zone is None:
            return datetime.fromtimestamp(instant).astimezone()
        when = datetime.fromtimestamp(instant, zone)
        when.utcoffset(), when.dst()  # so that one that raises does so here
        return when
    except (OverflowError, ValueError, OSError):
        return None
    except BaseException:
        if zone is None or isinstance(zone, ZoneInfo):
            raise
        return None


def exact_time(instant: float) -> str:
    """Return a time to the millisecond: `Tue 24 Nov 2026 14:03:14.020`."""
    when = local_time(instant)
    if when is None:
        return BEYOND_THE_CALENDAR
    return f"{when:%a} {when.day} {when:%b %Y %H:%M:%S}.{when.microsecond // 1000:03}"


def full_time(instant: float, tz: tzinfo | None = None) -> str:
    """Return a time with its date: `Wed 2026-11-25 03:30:00`."""
    when = local_time(instant, tz)
    return BEYOND_THE_CALENDAR if when is None else f"{when:%a %Y-%m-%d %H:%M:%S}"


def short_time(instant: float, now: float) -> str:
    """Return a time for a sentence: `03:30:00` today, else as `full_time`."""
    when, today = local_time(instant), local_time(now)
    if when is not None and today is not None and when.date() == today.date():
        return f"{when:%H:%M:%S}"
    return full_time(instant)


def row_time(instant: float, now: float, tz: tzinfo | None = None, *, weekday: bool = True) -> str:
    """Return a time for a column: `14:03:14` today, `Mon 23 Nov 03:30`, `23 Nov 2025` in another year.

    The day takes two columns always, so that rows stay aligned.

    Args:
        instant: Epoch seconds.
        now: Epoch seconds.
        tz: `None` for the zone of the machine.
        weekday: False to leave the day of the week out.
    """
    when, today = local_time(instant, tz), local_time(now, tz)
    if when is None or today is None:
        return BEYOND_THE_CALENDAR
    if when.date() == today.date():
        return f"{when:%H:%M:%S}"
    if not is_within_a_year(instant, now):
        return f"{when.day:>2} {when:%b %Y}"
    return f"{f'{when:%a} ' if weekday else ''}{when.day:>2} {when:%b %H:%M}"


def near_time(instant: float, now: float, tz: tzinfo | None = None, *, brief: bool = False) -> str:
    """Return a time to the minute: `16:53` today, `Mon 16:53` within a week, `24 Dec 16:53`, `2031-12-24`.

    Args:
        instant: Epoch seconds.
        now: Epoch seconds.
        tz: `None` for the zone of the machine.
        brief: True for six columns: `16:53`, `Mon`, `24 Dec`; eight for `Dec 2031`.
    """
    when, today = local_time(instant, tz), local_time(now, tz)
    if when is None or today is None:
        return full_time(instant, tz)
    if when.date() == today.date():
        return f"{when:%H:%M}"
    if abs(when.date() - today.date()) < timedelta(days=7):
        day = f"{when:%a}"
    elif is_within_a_year(instant, now):
        day = f"{when.day} {when:%b}"
    else:
        return f"{when:%b %Y}" if brief else f"{when:%Y-%m-%d}"
    return day if brief else f"{day} {when:%H:%M}"


def clock_time(instant: float, now: float) -> str:
    """Return a time in nine columns at most: `14:03:23` today, `Wed 03:30` within six days, `24 Dec`.

    In another year it is `Dec 2031`; an instant that the calendar does not reach is `far off`.
    """
    # Called for each row of a dashboard, once a second. Without an offset it takes half the time.
    try:
        when, today = datetime.fromtimestamp(instant), datetime.fromtimestamp(now)
    except (OverflowError, ValueError, OSError):
        return "far off"
    if when.date() == today.date():
        return f"{when:%H:%M:%S}"
    if 0 < (when.date() - today.date()).days < 7:
        return f"{when:%a %H:%M}"
    return f"{when.day} {when:%b}" if is_within_a_year(instant, now) else f"{when:%b %Y}"


def is_within_a_year(instant: float, now: float) -> bool:
    """True if `instant` is near enough to `now` to be shown without its year."""
    return abs(instant - now) < _WITHOUT_YEAR_SECONDS


def since_words(instant: float, now: float) -> tuple[str, ...]:
    """Return since which day something is so, the longest form first: `since 14 Nov`, `for 10 d`.

    Within a week it is `since Sat` alone. Empty if it is so since today, or an instant that the calendar
    does not reach.
    """
    when, today = local_time(instant), local_time(now)
    days = 0 if when is None or today is None else (today.date() - when.date()).days
    if when is None or days < 1:
        return ()
    if days < 7:
        return (f"since {when:%a}",)
    return (f"since {when.day} {when:%b}", f"for {days} d") if days < 360 else (f"for {days} d",)


def offset_words(instant: float, tz: tzinfo | None = None) -> str:
    """Return how far the clocks of a zone are ahead of UTC at `instant`: `+01:00`; empty if unknown."""
    when = local_time(instant, tz)
    return "" if when is None else offset_text(when)


def offset_text(when: datetime) -> str:
    """Return how far a local time is ahead of UTC: `+01:00`; empty for a naive one."""
    return when.isoformat()[len(when.replace(tzinfo=None).isoformat()) :]
