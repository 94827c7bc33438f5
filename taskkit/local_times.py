"""Local time: which instant it is when the clocks of a zone show a given date and time of day.

A zone answers one question without doubt: how far its clocks are ahead of UTC at an instant. All else here
is made of that answer, so that the rules of `zoneinfo`, of the machine, and of any other `tzinfo` go the
same way. The opposite question has no answer where clocks were put forward, and two where they were put
back. Here a local time counts as *reached* at the first instant at which the clocks show it or a later one:
a time that was skipped is reached when the gap ends, one that is repeated is reached once, the first time.
(`datetime.timestamp()` moves a skipped time by the length of the gap instead.)

Instants are whole epoch seconds. Local times are written as the epoch seconds of the instant at which the
clocks of UTC show the same, so dividing by `DAY` gives the date and the time of day.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY: Final = 86_400
"""Seconds by the clock; also more than clocks are ever away from UTC, or put back at once."""

FIRST_INSTANT: Final = int(datetime(1, 1, 10, tzinfo=UTC).timestamp())
LAST_INSTANT: Final = int(datetime(9999, 12, 20, tzinfo=UTC).timestamp())
"""What lies between them can be told in any zone, with some days to spare at either end."""


class LocalTimes(Protocol):
    """A set of local times, asked in order."""

    @property
    def run_by_clock(self) -> bool:
        """Whether they are due whenever the clocks show them: not if skipped, twice if repeated.

        Otherwise each is due once, when it is reached.
        """

    def next_after(self, local: int) -> int | None:
        """The first of them after `local`."""

    def count_between(self, after: int, until: int) -> int:
        """How many of them are after `after`, up to and including `until`."""


class DailyTime(NamedTuple):
    """The same time of every day."""

    time_of_day: int
    """Seconds from midnight by the clock."""

    @property
    def run_by_clock(self) -> bool:
        """It is due once a day."""
        return False

    def next_after(self, local: int) -> int:
        """The first of them after `local`."""
        return ((local - self.time_of_day) // DAY + 1) * DAY + self.time_of_day

    def count_between(self, after: int, until: int) -> int:
        """How many of them are after `after`, up to and including `until`."""
        return (until - self.time_of_day) // DAY - (after - self.time_of_day) // DAY


def next_due(times: LocalTimes, tz: tzinfo | None, instant: int) -> int | None:
    """The first instant after `instant` at which one of `times` is due; `None` if there is none."""
    if instant >= LAST_INSTANT:
        return None
    if times.run_by_clock:
        return _next_shown(times, tz, instant)
    local = times.next_after(last_reached(tz, instant))
    return None if local is None else when_reached(tz, local)


def _next_shown(times: LocalTimes, tz: tzinfo | None, instant: int) -> int | None:
    offset: int | None = None
    local: int | None = None
    for stretch in stretches(tz, instant + 1, LAST_INSTANT):
        if stretch.offset != offset:
            offset = stretch.offset
            local = times.next_after(stretch.first_local - 1)
        if local is None:
            return None
        if local <= stretch.last_local:
            return local - offset
    return None


def count_due(times: LocalTimes, tz: tzinfo | None, after: int, until: int) -> int:
    """At how many instants after `after`, up to and including `until`, one of `times` is due.

    Costs some microseconds for each day between them, however often `times` are due.
    """
    if times.run_by_clock:
        return sum(
            times.count_between(stretch.first_local - 1, stretch.last_local)
            for stretch in stretches(tz, after + 1, until + 1)
        )
    count = 0
    reached = last_reached(tz, after)
    for stretch in stretches(tz, after + 1, until + 1):
        if stretch.first_local > reached + 1:  # all that was skipped is due at this one instant
            count += min(1, times.count_between(reached, stretch.first_local))
            reached = stretch.first_local
        if stretch.last_local > reached:
            count += times.count_between(reached, stretch.last_local)
            reached = stretch.last_local
    return count


class Stretch(NamedTuple):
    """A span of time, a day at most, in which nobody moves the clocks."""

    begin: int
    """Its first instant."""
    end: int
    """The first instant after it."""
    offset: int
    """Seconds by which local time is ahead of UTC."""

    @property
    def first_local(self) -> int:
        """What the clocks show at the first second."""
        return self.begin + self.offset

    @property
    def last_local(self) -> int:
        """What the clocks show at the last second."""
        return self.end - 1 + self.offset


def offset_at(tz: tzinfo | None, instant: int) -> int:
    """How many seconds local time is ahead of UTC; `None` for the zone of the machine."""
    if tz is None:
        return time.localtime(instant).tm_gmtoff
    offset = datetime.fromtimestamp(instant, tz).utcoffset()
    return 0 if offset is None else offset.days * DAY + offset.seconds


def stretches(tz: tzinfo | None, begin: int, end: int) -> Iterator[Stretch]:
    """The time from `begin` up to, not including, `end`, cut wherever the clocks are changed.

    It looks at the clocks once a day, and searches for the moment of a change only where two looks differ.
    Since 1970 no zone changed its clocks twice within a week.
    """
    offset = offset_at(tz, begin)
    while begin < end:
        look = min(begin + DAY, end)
        later = offset_at(tz, look)
        if later == offset:
            yield Stretch(begin, look, offset)
        else:
            change = _change_between(tz, begin, look, offset)
            yield Stretch(begin, change, offset)
            if change < look:
                yield Stretch(change, look, later)
        begin, offset = look, later


def _change_between(tz: tzinfo | None, begin: int, end: int, offset: int) -> int:
    """The first instant after `begin` at which the offset is no longer `offset`; it is not at `end`."""
    while end - begin > 1:
        middle = (begin + end) // 2
        if offset_at(tz, middle) == offset:
            begin = middle
        else:
            end = middle
    return end


def when_reached(tz: tzinfo | None, local: int) -> int:
    """The first instant at which the clocks show `local` or a later time."""
    for begin, end, offset in stretches(tz, local - DAY, local + DAY):
        if (instant := max(begin, local - offset)) < end:
            return instant
    return local + DAY


def last_reached(tz: tzinfo | None, instant: int) -> int:
    """The latest local time that the clocks have shown or skipped up to `instant`.

    More than they show now for as long as they were put back by.
    """
    return max(stretch.last_local for stretch in stretches(tz, instant - DAY, instant + 1))


def zone_name(tz: tzinfo | None) -> str:
    """The name of a zone; for `None` that of the machine's, or `local` where the machine does not say."""
    if tz is None:
        return _local_zone_name(os.environ.get("TZ"))
    return (tz.key if isinstance(tz, ZoneInfo) else None) or str(tz)


# Kept, so that naming the zone costs no look at the disk.
@lru_cache(maxsize=8)
def _local_zone_name(variable: str | None) -> str:
    path = "/etc/localtime" if variable is None else variable.removeprefix(":")
    if path.startswith("/"):
        path = str(Path(path).resolve())
        _, found, path = path.partition("/zoneinfo/")
        if not found:
            return "local"
    return path or "UTC"


def local_time(instant: float, zone: tzinfo | None = None) -> datetime | None:
    """What the clocks of a zone show at `instant`, in epoch seconds, with their offset from UTC.

    Args:
        instant: Epoch seconds.
        zone: `None` for the zone of the machine.

    Returns:
        `None` for an instant that the calendar does not reach.
    """
    try:
        return datetime.fromtimestamp(instant, zone) if zone else datetime.fromtimestamp(instant).astimezone()
    except (OverflowError, ValueError, OSError):
        return None
