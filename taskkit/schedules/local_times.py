"""Converts local times to instants, through daylight saving.

For each instant a zone has one offset from UTC. The reverse is not so: a local time has no instant where the
clocks went forward, and two where they went back. Here a local time is *reached* at the first instant at
which the clocks show it or a later one: a skipped time when the gap ends, a repeated one the first time.
(Rejected: `datetime.timestamp()`, which moves a skipped time by the length of the gap.) Only offsets are
asked for, so the zones of `zoneinfo`, of the machine, and of any other `tzinfo` are treated alike.

Instants are whole epoch seconds. Local times are written as the epoch seconds of the instant at which the
clocks of UTC show the same, so dividing by `DAY` gives the date and the time of day.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY: Final = 86_400
"""Seconds. No clock is further than this from UTC, and none is put back by more at once."""

FIRST_INSTANT: Final = int(datetime(1, 1, 10, tzinfo=UTC).timestamp())
LAST_INSTANT: Final = int(datetime(9999, 12, 20, tzinfo=UTC).timestamp())
"""Instants between these two have a date in any zone, with some days to spare at either end."""


class LocalTimes(Protocol):
    """A set of local times, such as those that match a cron expression."""

    @property
    def due_each_time_shown(self) -> bool:
        """True if they are due each time that the clocks show them: never if skipped, twice if repeated.

        False if each is due once, when it is reached.
        """

    def next_after(self, local: int) -> int | None:
        """Return the first of them after `local`."""

    def count_between(self, after: int, until: int) -> int:
        """Return how many of them lie after `after`, up to and including `until`."""

    def between(self, after: int, until: int) -> Iterator[int]:
        """Yield those after `after`, up to and including `until`, in order."""


class DailyTimes(NamedTuple):
    """Times of day, the same every day."""

    times_of_day: tuple[int, ...]
    """Seconds from midnight by the clock, ascending; at least one."""

    @property
    def due_each_time_shown(self) -> bool:
        """False: each is due once a day."""
        return False

    def next_after(self, local: int) -> int:
        """Return the first of them after `local`."""
        day, time_of_day = divmod(local, DAY)
        index = bisect_right(self.times_of_day, time_of_day)
        if index < len(self.times_of_day):
            return day * DAY + self.times_of_day[index]
        return (day + 1) * DAY + self.times_of_day[0]

    def count_between(self, after: int, until: int) -> int:
        """Return how many of them lie after `after`, up to and including `until`."""
        return self._count_until(until) - self._count_until(after)

    def between(self, after: int, until: int) -> Iterator[int]:
        """Yield those after `after`, up to and including `until`, in order."""
        for midnight in range(after - after % DAY, until + 1, DAY):
            for time_of_day in self.times_of_day:
                if after < midnight + time_of_day <= until:
                    yield midnight + time_of_day

    def shortest_distance(self) -> int:
        """Return the shortest time between two of them by the clock, in seconds."""
        times = self.times_of_day
        return min(later - earlier for earlier, later in pairwise((*times, times[0] + DAY)))

    def _count_until(self, local: int) -> int:
        day, time_of_day = divmod(local, DAY)
        return day * len(self.times_of_day) + bisect_right(self.times_of_day, time_of_day)


def next_due(times: LocalTimes, tz: tzinfo | None, instant: int) -> int | None:
    """Return the first instant after `instant` at which one of `times` is due; `None` if there is none."""
    if instant >= LAST_INSTANT:
        return None
    if times.due_each_time_shown:
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
    """Return at how many instants after `after`, up to and including `until`, one of `times` is due.

    It takes some microseconds for each day between them, however many times there are.
    """
    if times.due_each_time_shown:
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


def due_between(times: LocalTimes, tz: tzinfo | None, after: int, until: int) -> Iterator[int]:
    """Yield the instants that `count_due` counts, in order.

    It is several times as fast as asking `next_due` for each of them.
    """
    if times.due_each_time_shown:
        for stretch in stretches(tz, after + 1, until + 1):
            for local in times.between(stretch.first_local - 1, stretch.last_local):
                yield local - stretch.offset
        return
    reached = last_reached(tz, after)
    for stretch in stretches(tz, after + 1, until + 1):
        if stretch.first_local > reached + 1:  # all that was skipped is due at this one instant
            if times.count_between(reached, stretch.first_local):
                yield stretch.begin
            reached = stretch.first_local
        if stretch.last_local > reached:
            for local in times.between(reached, stretch.last_local):
                yield local - stretch.offset
            reached = stretch.last_local


class Stretch(NamedTuple):
    """A span of time, a day at most, in which the offset from UTC does not change."""

    begin: int
    """Its first instant."""
    end: int
    """The first instant after it."""
    offset: int
    """Seconds by which local time is ahead of UTC."""

    @property
    def first_local(self) -> int:
        """The local time of the first second."""
        return self.begin + self.offset

    @property
    def last_local(self) -> int:
        """The local time of the last second."""
        return self.end - 1 + self.offset


def offset_at(tz: tzinfo | None, instant: int) -> int:
    """Return by how many seconds local time is ahead of UTC. `tz` is `None` for the zone of the machine."""
    if tz is None:
        return time.localtime(instant).tm_gmtoff
    offset = datetime.fromtimestamp(instant, tz).utcoffset()
    return 0 if offset is None else offset.days * DAY + offset.seconds


def stretches(tz: tzinfo | None, begin: int, end: int) -> Iterator[Stretch]:
    """Yield the time from `begin` to before `end`, cut where the offset changes and after each day.

    The offset is read once a day, and the moment of a change is searched for only where two readings differ.
    Since 1970 no zone has changed its clocks twice within a week.
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
    """Return the first instant after `begin` at which the offset is not `offset`, as it is not at `end`."""
    while end - begin > 1:
        middle = (begin + end) // 2
        if offset_at(tz, middle) == offset:
            begin = middle
        else:
            end = middle
    return end


def when_reached(tz: tzinfo | None, local: int) -> int:
    """Return the first instant at which the clocks show `local` or a later time."""
    for begin, end, offset in stretches(tz, local - DAY, local + DAY):
        if (instant := max(begin, local - offset)) < end:
            return instant
    return local + DAY


def last_reached(tz: tzinfo | None, instant: int) -> int:
    """Return the latest local time that the clocks have shown or skipped up to `instant`.

    In the hour after the clocks went back by an hour, this is later than what they show.
    """
    return max(stretch.last_local for stretch in stretches(tz, instant - DAY, instant + 1))


def on_calendar(instant: float) -> int:
    """Return the last whole second not after `instant`, within the years of the calendar."""
    return floor(min(max(instant, FIRST_INSTANT), LAST_INSTANT))
