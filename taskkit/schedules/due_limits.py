"""Limits of due times: from, until, and the hours in which a task may run.

They filter the due times of a schedule. Outside `not_before` and `until` there is no due time.
Outside the open hours there are due times, which are skipped. Pure; all instants are epoch seconds.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from math import inf, nextafter
from typing import Final

from taskkit._helpers.checks import is_number
from taskkit.schedules.any_of import AnyOf
from taskkit.schedules.arguments import instant_of
from taskkit.schedules.kinds import CalendarSchedule, Schedule
from taskkit.schedules.local_times import DAY, when_reached
from taskkit.schedules.open_hours import OpenHours
from taskkit.schedules.zones import zone_named

LONGEST_CLOSED_SECONDS: Final = 3653.0 * DAY
"""Ten years: a window that leaves no due time for longer is refused."""

ROUNDING_SECONDS: Final = 5e-7
"""Half a microsecond: due times by the steady clock are exact to that, as epoch seconds are."""

NextAfter = Callable[[float], float | None]

_DATE_AND_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)? ?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class DueLimits:
    """The limits of one task's due times."""

    not_before: float = -inf
    """The first instant at which it may be due."""
    until: float = inf
    """The last instant at which it may be due."""
    hours: OpenHours | None = None
    """When it may run; `None` for always."""

    def allows(self, instant: float) -> bool:
        """True if a run of a due time may start at `instant`; after `until` a late one may."""
        return instant >= self.not_before and self.is_open(instant)

    def is_open(self, instant: float) -> bool:
        """True if `instant` is inside the open hours."""
        return self.hours is None or self.hours.is_open(instant + ROUNDING_SECONDS)

    def first_after(self, next_after: NextAfter, instant: float) -> float | None:
        """Return the first due time after `instant` within the limits; `None` if none within ten years.

        Args:
            next_after: Returns the first due time strictly after an instant, without limits.
            instant: Epoch seconds.
        """
        due = next_after(max(instant, _just_before(self.not_before)))
        furthest = max(instant, self.not_before) + LONGEST_CLOSED_SECONDS
        while due is not None and due <= self.until:
            if self.hours is None or self.is_open(due):
                return due
            opening = self.hours.opening_after(due, min(furthest, self.until))
            if opening is None:
                return None
            due = next_after(_just_before(opening))
        return None

    def spans(self, after: float, until: float) -> Iterator[tuple[float, float]]:
        """Yield the spans inside the limits between two instants; their first instants are not included."""
        after, until = max(after, _just_before(self.not_before)), min(until, self.until)
        if after >= until:
            return
        if self.hours is None:
            yield after, until
            return
        for begin, end in self.hours.spans(after, until):
            inside = max(after, _just_before(begin)), min(until, _just_before(end))
            if inside[0] < inside[1]:
                yield inside

    def within_bounds(self, after: float, until: float) -> tuple[float, float]:
        """Return the part of a span between `not_before` and `until`; its first instant is not included."""
        return max(after, _just_before(self.not_before)), min(until, self.until)


def _just_before(instant: float) -> float:
    return min(instant - ROUNDING_SECONDS, nextafter(instant, -inf))


def moment(text: str) -> datetime | None:
    """Return the date and time of day that a text means; `None` if it means none."""
    typed = text.strip()
    if not _DATE_AND_TIME.fullmatch(typed):
        return None
    try:
        return datetime.fromisoformat(typed.replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    except ValueError:  # the 31st of February
        return None


def checked_bound(argument: str, value: object) -> float | str | None:
    """Return a bound of due times: epoch seconds, or a text that says no offset from UTC; `None` for none.

    Args:
        argument: The name of the argument, for messages.
        value: Epoch seconds, a `datetime` (a naive one is local time of the machine), or ISO text.

    Raises:
        TypeError: It is of another type.
        ValueError: It is infinite, NaN, or no date with a time of day.
    """
    if not isinstance(value, str):
        if value is None or isinstance(value, datetime) or is_number(value):
            return instant_of(value, argument)
        raise TypeError(f"{argument} must be epoch seconds, a datetime or a text, not {value!r}")
    at = moment(value)
    if at is None:
        wanted = "a date with a time of day such as '2030-12-24 18:00'"
        raise ValueError(f"{argument} must be {wanted}, not {value!r}")
    return at.isoformat(" ") if at.tzinfo is None else at.timestamp()


def bound_in(zone: tzinfo | None, bound: float | str) -> float:
    """Return a bound in epoch seconds; a text is in `zone`, or for `None` in that of the machine."""
    if not isinstance(bound, str):
        return bound
    local = datetime.fromisoformat(bound)
    return when_reached(zone, timegm(local.timetuple())) + local.microsecond / 1e6


def zone_of_limits(schedule: Schedule, timezone: str | None) -> tzinfo | None:
    """Return the zone of a task's limits: its schedule's, else `timezone`, else `None` for the machine's."""
    if isinstance(schedule, CalendarSchedule | AnyOf) and has_own_zone(schedule):
        return schedule.tz
    return None if timezone is None else zone_named(timezone)


def has_own_zone(schedule: Schedule) -> bool:
    """True if the schedule has a time zone of its own, with which `timezone` has no meaning."""
    return isinstance(schedule, CalendarSchedule) or (
        isinstance(schedule, AnyOf) and schedule.zone is not None
    )


def is_never_open(schedule: Schedule, limits: DueLimits, now: float) -> bool:
    """True if only the window leaves no due time within ten years. False for a schedule that raises."""
    try:
        if limits.hours is None or limits.first_after(schedule.next_after, now) is not None:
            return False
        return replace(limits, hours=None).first_after(schedule.next_after, now) is not None
    except BaseException:  # noqa: BLE001 - foreign code may raise anything; adding it asks again, and reports that
        return False
