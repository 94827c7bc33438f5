"""The local times that a cron expression matches. `cronsim`, an optional package, parses it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from copy import copy
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from taskkit.errors import CronMissingError
from taskkit.schedules.crontab_lines import CrontabPartError, complaint, plain_expression
from taskkit.schedules.local_times import DAY, LAST_INSTANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cronsim import CronSim

_EPOCH: Final = datetime(1970, 1, 1)
_SECOND: Final = timedelta(seconds=1)
_SOME_YEAR: Final = datetime(2000, 1, 1)


class CronTimes:
    """The local times that one expression matches. Immutable."""

    __slots__ = ("_due_each_time_shown", "_fields", "_hours", "_minutes", "_seconds")

    def __init__(self, fields: CronSim, due_each_time_shown: bool) -> None:
        self._fields = fields
        self._hours = sorted(fields.hours)
        self._minutes = sorted(fields.minutes)
        self._seconds = sorted(fields.seconds)
        self._due_each_time_shown = due_each_time_shown

    @property
    def due_each_time_shown(self) -> bool:
        """True if the minute or the hour begins with `*`."""
        return self._due_each_time_shown

    def next_after(self, local: int) -> int | None:
        """Return the first match after `local`; `None` if there is none within fifty years."""
        search = copy(self._fields)
        try:
            # Without a zone it knows nothing of daylight saving.
            search.dt = _EPOCH + timedelta(seconds=local)
            match = (next(search) - _EPOCH) // _SECOND
        except (StopIteration, OverflowError):
            return None
        return match if match < LAST_INSTANT else None

    def shortest_distance(self, after: int) -> int | None:
        """Return the shortest time between two matches by the clock, in the year after `after`, in seconds.

        `None` if there are not two. It compares the matches of one day, and the dates of the year.
        """
        day = self._times_of_day()
        within = min((later - earlier for earlier, later in pairwise(day)), default=None)
        days: list[int] = []
        for midnight in range(after - after % DAY, after + 366 * DAY, DAY):
            date = _EPOCH + timedelta(seconds=midnight)
            if date.month in self._fields.months and self._fields.match_day(date):
                days.append(midnight)
        if not days:
            return None
        apart = min((later - earlier for earlier, later in pairwise(days)), default=None)
        across = None if apart is None else apart - day[-1] + day[0]
        return min((each for each in (within, across) if each is not None), default=None)

    def _times_of_day(self) -> list[int]:
        """Return the times at which it matches on a day that matches, in seconds from midnight."""
        return [
            hour * 3600 + minute * 60 + second
            for hour in self._hours
            for minute in self._minutes
            for second in self._seconds
        ]

    def between(self, after: int, until: int) -> Iterator[int]:
        """Yield the matches after `after`, up to and including `until`, in order."""
        day = self._times_of_day()
        for midnight in range(after - after % DAY, until + 1, DAY):
            date = _EPOCH + timedelta(seconds=midnight)
            if date.month in self._fields.months and self._fields.match_day(date):
                first, end = bisect_right(day, after - midnight), bisect_right(day, until - midnight)
                for time_of_day in day[first:end]:
                    yield midnight + time_of_day

    def count_between(self, after: int, until: int) -> int:
        """Return how many matches lie after `after`, up to and including `until`. Takes time per day."""
        count = 0
        for midnight in range(after - after % DAY, until + 1, DAY):
            date = _EPOCH + timedelta(seconds=midnight)
            if date.month in self._fields.months and self._fields.match_day(date):
                count += self._count_until(until - midnight) - self._count_until(after - midnight)
        return count

    def _count_until(self, time_of_day: int) -> int:
        """Return how many matches a matching day has up to and including `time_of_day`, in seconds."""
        if time_of_day < 0:
            return 0
        hour, rest = divmod(time_of_day, 3600)
        minute, second = divmod(rest, 60)
        count = bisect_left(self._hours, hour) * len(self._minutes)
        if hour in self._fields.hours:
            count += bisect_left(self._minutes, minute)
        count *= len(self._seconds)
        if hour in self._fields.hours and minute in self._fields.minutes:
            count += bisect_right(self._seconds, second)
        return count


# A search works on a copy, so threads can share the cached values.
@lru_cache(maxsize=1024)
def read_cron(expression: str) -> CronTimes:
    """Return the times that `expression` matches.

    Raises:
        CronMissingError: The package `cronsim` is not installed.
        ValueError: The expression cannot be parsed, or never matches. Its cause is a `CrontabPartError` if a
            part of the expression has another place here.
    """
    try:
        from cronsim import CronSim, CronSimError
    except ImportError:
        raise CronMissingError from None

    def parse(fields: str) -> CronSim:
        try:
            return CronSim(fields, _SOME_YEAR)
        except CronSimError as error:
            raise ValueError(str(error)) from None

    wrong = f"expression must be a cron expression, not {expression!r}"
    try:
        spelt_out = plain_expression(expression, parse)
    except CrontabPartError as error:
        raise ValueError(f"{wrong}: {error}") from error
    try:
        fields = parse(spelt_out)
    except ValueError as error:
        raise ValueError(f"{wrong}: {complaint(spelt_out, str(error))}") from None
    minute, hour = spelt_out.split()[-5:-3]
    times = CronTimes(fields, minute.startswith("*") or hour.startswith("*"))
    if times.next_after(0) is None:
        raise ValueError(f"expression must match some day, and {expression!r} never does")
    return times
