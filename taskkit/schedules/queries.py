"""Questions about any schedule: its next due times, how many lie in a span, how close two can be.

A custom schedule may raise or answer anything. Each function says what it does then.
"""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from math import inf
from typing import TYPE_CHECKING, Final

from taskkit._helpers.checks import is_number
from taskkit.schedules.any_of import AnyOf, count_together
from taskkit.schedules.cron_expression import read_cron
from taskkit.schedules.grid import grid_count
from taskkit.schedules.kinds import CalendarSchedule, Cron, Daily, Every, Once, OnDemand, Schedule
from taskkit.schedules.local_times import DAY, count_due, due_between, on_calendar
from taskkit.schedules.zones import same_zone, zone_to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_WALKED: Final = 100
"""Due times of a custom schedule that `shortest_distance` looks at."""

WHY_AT_MOST: Final = "the shortest time between two due times"
"""The limit of a jitter, in words for messages."""

MOST_COUNTED: Final = 10_000
"""The highest answer of `count_between` for a custom schedule, which it counts one by one."""


def schedule_words(schedule: object) -> str:
    """Return `str(schedule)` as a plain string; the name of its type if that raises."""
    try:
        return str.__str__(str(schedule))  # of a subclass only the text
    except BaseException:  # noqa: BLE001 - foreign code may raise anything
        return f"<{type.__dict__['__name__'].__get__(type(schedule))}>"


def schedule_zone(schedule: Schedule) -> str | None:
    """Return the name of a schedule's time zone; `None` if it has none, or raises."""
    try:
        zone = schedule.zone
        return None if zone is None else str.__str__(zone)
    except BaseException:  # noqa: BLE001 - foreign code may raise anything
        return None


def due_after(schedule: Schedule, instant: float) -> float | None:
    """Return `schedule.next_after(instant)`, checked.

    Raises:
        TypeError: The answer is not a number.
        ValueError: The answer is not after `instant`, or infinite.
        Exception: Anything that a custom schedule raises.
    """
    due = schedule.next_after(instant)
    if due is None or (is_number(due) and instant < due < inf):
        return due
    asked = f"{type(schedule).__name__}.next_after({instant!r})"
    if not is_number(due):
        raise TypeError(f"{asked} must answer epoch seconds or None, not {due!r}")
    raise ValueError(f"{asked} must answer a later instant, not {due!r}")


def due_times(schedule: Schedule, after: float, count: int) -> list[float]:
    """Return the first `count` due times after `after`, in epoch seconds; fewer if there are fewer.

    Raises:
        Exception: A custom schedule raises, or answers with something else than a later instant.
    """
    return list(islice(_each_due(schedule, after), count))


def _each_due(schedule: Schedule, after: float) -> Iterator[float]:
    due = due_after(schedule, after)
    while due is not None:
        yield due
        due = due_after(schedule, due)


def count_between(schedule: Schedule, after: float, until: float) -> int:
    """Return how many due times lie after `after`, up to and including `until`, both in epoch seconds.

    taskkit's own schedules are counted without a walk: ten years of a minutely one take milliseconds. A
    custom schedule is walked through, and the answer is `MOST_COUNTED` at most.
    """
    if isinstance(schedule, Every):
        return grid_count(after if schedule.start is None else schedule.start, schedule.period, after, until)
    if isinstance(schedule, CalendarSchedule):
        return count_due(schedule._times, schedule.tz, on_calendar(after), on_calendar(until))
    if isinstance(schedule, AnyOf):
        return count_together(schedule, after, until, _walk)
    return sum(1 for _ in _walk(schedule, after, until))


def _walk(schedule: Schedule, after: float, until: float) -> Iterator[float]:
    """Yield the due times after `after`, up to and including `until`; `MOST_COUNTED` at most."""
    return takewhile(lambda due: due <= until, islice(_each_due(schedule, after), MOST_COUNTED))


def shortest_distance(schedule: Schedule, after: float) -> float:
    """Return the shortest time between two due times in the year after `after`, in seconds by the clock.

    By the clock, a day has 24 hours even if daylight saving begins in it. Of a custom schedule the next
    `MOST_WALKED` due times count. Infinite where there are not two.
    """
    match schedule:
        case Every():
            return schedule.period
        case Once() | OnDemand():
            return inf
        case Daily():
            return schedule._times.shortest_distance()
        case Cron():
            return _distance_of_cron(schedule.expression, on_calendar(after) // DAY * DAY)
        case AnyOf():
            return _distance_together(schedule, on_calendar(after) // DAY * DAY)
    if not schedule.repeats:
        return inf
    times = _first_walked(schedule, after)
    return min((later - earlier for earlier, later in pairwise(times)), default=inf)


@lru_cache(maxsize=256)
def _distance_of_cron(expression: str, after: int) -> float:
    return read_cron(expression).shortest_distance(after) or inf


def _distance_together(schedule: AnyOf, after: int) -> float:
    """Return the shortest time between two due times of any of the schedules in the year after `after`."""
    shortest = min(shortest_distance(each, after) for each in schedule.schedules)
    times: list[float] = []
    for each in schedule.schedules:
        if not isinstance(each, CalendarSchedule):
            times += _first_walked(each, after)
        else:  # in one zone the distances by the clock count; between several only instants have any
            tz = each.tz if schedule.zone is None else UTC
            times += due_between(each._times, tz, after, after + 366 * DAY)
    return min([shortest, *(later - earlier for earlier, later in pairwise(sorted({*times})))])


def _first_walked(schedule: Schedule, after: float) -> list[float]:
    """Return the first due times of a schedule, `MOST_WALKED` at most; none if it raises."""
    try:
        return [*islice(_each_due(schedule, after), MOST_WALKED)]
    except BaseException:  # noqa: BLE001 - foreign code may raise anything; adding it asks again, and reports that
        return []


def is_for_now(schedule: Schedule) -> bool:
    """True if the schedule is due at the moment of registration, and never again."""
    return isinstance(schedule, Once) and schedule.at is None


def are_equal(one: Schedule, other: Schedule | None) -> bool:
    """True if two schedules have the same due times. False if a custom one raises when it is compared."""
    try:
        return bool(one == other) or _are_in_the_same_zone(one, other)
    except BaseException:  # noqa: BLE001 - foreign code may raise anything
        return False


def _are_in_the_same_zone(one: Schedule, other: Schedule | None) -> bool:
    """True if two schedules differ only in the objects that stand for the same zone."""
    match one, other:
        case (Daily(), Daily()) if one.times == other.times:
            return same_zone(one.tz, other.tz)
        case (Cron(), Cron()) if one.expression == other.expression:
            return same_zone(one.tz, other.tz)
        case (AnyOf(), AnyOf()) if len(one.schedules) == len(other.schedules):
            return all(any(are_equal(each, its) for its in other.schedules) for each in one.schedules)
    return False


def learn_zone(schedule: Schedule) -> None:
    """Describe the zone of a schedule as plain data now; a foreign `tzinfo` takes some ten milliseconds.

    The description is cached, so that a store finds it ready under the lock.

    Raises:
        ValueError: The zone is a foreign `tzinfo` that cannot be described, and so not be restored.
    """
    if isinstance(schedule, AnyOf):
        for each in schedule.schedules:
            learn_zone(each)
    if not isinstance(schedule, CalendarSchedule):
        return
    try:
        zone_to_json(schedule.tz)
    except Exception as error:
        made = type(schedule.tz).__name__
        raise ValueError(f"tz must be a zone that can be stored, not {made}: {error}") from error


def check_schedule(schedule: object) -> None:
    """Raise unless `schedule` is a complete schedule.

    Raises:
        TypeError: It is not a `Schedule`, or a custom class that does not set a class attribute.
    """
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a Schedule such as Every(60), not {schedule!r}")
    for fact in ("follows_wall_clock", "repeats"):
        if not hasattr(schedule, fact):
            raise TypeError(f"schedule must say {fact}, which the class {type(schedule).__name__} lacks")


def check_jitter(schedule: Schedule, jitter: float, now: float) -> None:
    """Refuse a jitter that could delay a start beyond the next due time, which would then be skipped.

    Args:
        schedule: The schedule of the task.
        jitter: Seconds.
        now: Epoch seconds; the year after it counts.

    Raises:
        ValueError: The jitter is longer than the shortest time between two due times.
    """
    if jitter > (most := shortest_distance(schedule, now)):
        raise ValueError(f"jitter must be at most {most:.15g} seconds, {WHY_AT_MOST}, not {jitter:.15g}")
