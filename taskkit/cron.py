"""Cron expressions: which local times they match. The reading is done by `cronsim`, an optional extra."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from copy import copy
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from taskkit.errors import CronMissingError
from taskkit.local_times import DAY, LAST_INSTANT

if TYPE_CHECKING:
    from cronsim import CronSim

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_EPOCH: Final = datetime(1970, 1, 1)
_SECOND: Final = timedelta(seconds=1)
_SOME_YEAR: Final = datetime(2000, 1, 1)


class CronTimes:
    """The local times that one expression matches, as `taskkit.local_times` writes them. Immutable."""

    __slots__ = ("_fields", "_hours", "_minutes", "_run_by_clock", "_seconds")

    def __init__(self, fields: CronSim, run_by_clock: bool) -> None:
        self._fields = fields
        self._hours = sorted(fields.hours)
        self._minutes = sorted(fields.minutes)
        self._seconds = sorted(fields.seconds)
        self._run_by_clock = run_by_clock

    @property
    def run_by_clock(self) -> bool:
        """Whether the minute or the hour begins with `*`."""
        return self._run_by_clock

    def next_after(self, local: int) -> int | None:
        """The first match after `local`; `None` if there is none within fifty years."""
        search = copy(self._fields)
        try:
            # Without a zone it only counts, and does nothing about clocks that are changed.
            search.dt = _EPOCH + timedelta(seconds=local)
            match = (next(search) - _EPOCH) // _SECOND
        except (StopIteration, OverflowError):
            return None
        return match if match < LAST_INSTANT else None

    def count_between(self, after: int, until: int) -> int:
        """How many matches there are after `after`, up to and including `until`. Takes time per day."""
        count = 0
        for midnight in range(after - after % DAY, until + 1, DAY):
            date = _EPOCH + timedelta(seconds=midnight)
            if date.month in self._fields.months and self._fields.match_day(date):
                count += self._count_until(until - midnight) - self._count_until(after - midnight)
        return count

    def _count_until(self, time_of_day: int) -> int:
        """How many matches a matching day has up to and including `time_of_day`, in seconds."""
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


# A search works on a copy, so what is kept here is shared between threads.
@lru_cache(maxsize=1024)
def read_cron(expression: str) -> CronTimes:
    """The times that `expression` matches.

    Raises:
        CronMissingError: The package `cronsim` is not installed.
        ValueError: It cannot be read, or never matches.
    """
    try:
        from cronsim import CronSim, CronSimError
    except ImportError:
        raise CronMissingError from None
    spelt_out = ALIASES.get(expression.lower(), expression)
    try:
        fields = CronSim(spelt_out, _SOME_YEAR)
    except CronSimError as error:
        raise ValueError(f"expression must be a cron expression, not {expression!r}: {error}") from None
    minute, hour = spelt_out.split()[-5:-3]
    times = CronTimes(fields, minute.startswith("*") or hour.startswith("*"))
    if times.next_after(0) is None:
        raise ValueError(f"expression must match some day, and {expression!r} never does")
    return times
