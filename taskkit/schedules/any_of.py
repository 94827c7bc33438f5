"""Several schedules as one, and how many due times they have together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from math import inf, nextafter
from typing import ClassVar

from taskkit.schedules.grid import grid_count, grid_next
from taskkit.schedules.kinds import CalendarSchedule, Every, Once, Schedule
from taskkit.schedules.local_times import DAY, due_between, on_calendar


class AnyOf(Schedule):
    """Due when any of several schedules is due. Two due times at the same instant count as one.

    `AnyOf(Cron("0 9 * * 1-5"), Cron("0 12 * * 6"))` is due at nine from Monday to Friday, and at noon on
    Saturdays. It follows the wall clock.

    Args:
        schedules: One or more of `Daily`, `Cron`, `Once`, `Every` with a start, `AnyOf`, or schedules of
            your own.

    Raises:
        TypeError: One of them is not a schedule.
        ValueError: There is none, or one has no due times of its own: `OnDemand()`, `Once()`, or an `Every`
            without a start.
    """

    __slots__ = ("schedules",)

    follows_wall_clock: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    schedules: tuple[Schedule, ...]
    """Each once, without an `AnyOf` among them."""

    def __init__(self, *schedules: Schedule) -> None:
        if not schedules:
            raise ValueError("schedules must be at least one schedule such as Daily(9, 0), not none")
        flat: list[Schedule] = []
        for each in schedules:
            parts = each.schedules if isinstance(each, AnyOf) else (_checked(each),)
            flat += [part for part in parts if part not in flat]
        object.__setattr__(self, "schedules", tuple(flat))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a schedule cannot be changed, so {name} cannot be set to {value!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a schedule cannot be changed, so {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        """True if the other one has the same schedules, in any order."""
        if not isinstance(other, AnyOf):
            return NotImplemented
        same_number = len(self.schedules) == len(other.schedules)
        return same_number and all(each in other.schedules for each in self.schedules)

    def __hash__(self) -> int:
        return hash(frozenset(self.schedules))

    def __reduce__(self) -> tuple[type[AnyOf], tuple[Schedule, ...]]:
        return AnyOf, self.schedules

    @property
    def tz(self) -> tzinfo | None:
        """The time zone that all of them have; `None` for that of the machine, or if they have several."""
        zones = [each.tz for each in self.schedules if isinstance(each, CalendarSchedule)]
        return zones[0] if self.zone is not None else None

    @property
    def zone(self) -> str | None:
        """The name of the time zone that all of them have; `None` if they have several, or one has none."""
        names = {each.zone for each in self.schedules}
        return names.pop() if len(names) == 1 else None

    def next_after(self, instant: float) -> float | None:
        """Return the first due time of any of them strictly after `instant`; `None` if there is none."""
        times = [due for each in self.schedules if (due := each.next_after(instant)) is not None]
        return min(times, default=None)

    def __str__(self) -> str:
        return " or ".join(map(_words, self.schedules))

    def __repr__(self) -> str:
        return f"AnyOf({', '.join(map(repr, self.schedules))})"


def _words(schedule: Schedule) -> str:
    """Return a schedule in words; a single time with its date, in the zone of the machine."""
    if not isinstance(schedule, Once) or schedule.at is None:
        return str(schedule)
    try:
        at = datetime.fromtimestamp(schedule.at)
    except (ValueError, OverflowError, OSError):  # beyond the calendar
        return str(schedule)
    return f"once {at:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _checked(schedule: object) -> Schedule:
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedules must be schedules such as Daily(9, 0), not {schedule!r}")
    if isinstance(schedule, Every) and (schedule.start is None or schedule.fixed_delay):
        needs = "needs a start" if not schedule.fixed_delay else "must not have a fixed delay"
        raise ValueError(f"schedules must have due times of their own: {schedule!r} {needs}")
    if not schedule.has_due_times or schedule == Once():
        raise ValueError(f"schedules must have due times of their own, which {schedule!r} does not have")
    return schedule


def count_together(
    schedule: AnyOf, after: float, until: float, walk: Callable[[Schedule, float, float], Iterator[float]]
) -> int:
    """Return how many due times lie after `after`, up to and including `until`, both in epoch seconds.

    The points of the densest grid are counted by arithmetic. All other due times are compared, a day at a
    time, some tens of nanoseconds each.

    Args:
        schedule: The schedule.
        after: Epoch seconds.
        until: Epoch seconds.
        walk: Returns the due times of a schedule in a span one by one, for those that only say the next.
    """
    grids = [each for each in schedule.schedules if isinstance(each, Every) and each.start is not None]
    grid = min(grids, key=lambda each: each.period, default=None)
    others = [each for each in schedule.schedules if each is not grid]
    count = 0 if grid is None else grid_count(grid.start or 0.0, grid.period, after, until)
    begin = after
    while begin < until:
        end = min(begin + DAY, until)
        found: set[float] = set()
        for each in others:
            if isinstance(each, CalendarSchedule):
                found.update(due_between(each._times, each.tz, on_calendar(begin), on_calendar(end)))
            else:
                found.update(walk(each, begin, end))
        count += sum(not _is_on(grid, due) for due in found)
        begin = end
    return count


def _is_on(grid: Every | None, instant: float) -> bool:
    return grid is not None and grid_next(grid.start or 0.0, grid.period, nextafter(instant, -inf)) == instant
