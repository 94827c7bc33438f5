"""A reference for due times that reads a local clock minute by minute, and knows nothing else.

It never turns a local time into an instant, and counts nothing by arithmetic; the library does nothing else.
So a fault would have to be made twice, in two ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from taskkit.schedules import Schedule

MINUTE = 60
DAY = 86_400

Matches = Callable[[datetime], bool]
"""True for the local times that are meant."""


def epoch(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def shown(instant: float, zone: str) -> datetime:
    """What the clocks show, without their zone."""
    return datetime.fromtimestamp(instant, ZoneInfo(zone)).replace(tzinfo=None)


def minutes(begin: float, end: float) -> Iterator[int]:
    return iter(range(int(begin), int(end), MINUTE))


def due_when_shown(matches: Matches, zone: str, begin: float, end: float) -> set[int]:
    """Due at each minute at which the clocks show such a time."""
    return {instant for instant in minutes(begin, end) if matches(shown(instant, zone))}


def due_when_reached(matches: Matches, zone: str, begin: float, end: float) -> set[int]:
    """Due once for each such time, at the first minute at which the clocks show it or a later one."""
    due = set()
    latest = max(shown(instant, zone) for instant in minutes(begin - DAY // 8, begin))
    for instant in minutes(begin, end):
        now = shown(instant, zone)
        while latest < now:
            latest += timedelta(minutes=1)
            if matches(latest):
                due.add(instant)
    return due


def changes(zone: str, first_year: int, years: int) -> list[int]:
    """The days in which the offset of a zone changes, as their first instant in UTC."""
    begin = int(datetime(first_year, 1, 1, tzinfo=UTC).timestamp())
    days = range(begin, begin + years * 366 * DAY, DAY)
    return [one for one, next_one in pairwise(days) if _offset(one, zone) != _offset(next_one, zone)]


def _offset(instant: int, zone: str) -> timedelta | None:
    return datetime.fromtimestamp(instant, ZoneInfo(zone)).utcoffset()


def all_due(schedule: Schedule, begin: float, end: float) -> list[float]:
    """Every due time of a schedule from `begin` up to, not including, `end`."""
    found: list[float] = []
    due = schedule.next_after(begin - 1)
    while due is not None and due < end:
        found.append(due)
        due = schedule.next_after(due)
    return found


@lru_cache
def spans(zones: tuple[str, ...], year: int) -> tuple[tuple[int, int], ...]:
    """A day and a half around the changes of the clocks in these zones in a year, and around a quiet day."""
    looks = {day for zone in zones for day in changes(zone, year, 1)[:2]}
    looks.add(int(datetime(year, 7, 11, tzinfo=UTC).timestamp()))
    return tuple((day - DAY // 4, day + DAY + DAY // 4) for day in sorted(looks))
