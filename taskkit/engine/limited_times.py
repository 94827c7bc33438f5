"""The limits of one registration's due times, by the clock that its schedule follows."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nextafter
from typing import TYPE_CHECKING

from taskkit.engine.registration import follows_wall_clock
from taskkit.engine.timers import NO_TICKET
from taskkit.schedules import Every
from taskkit.schedules.due_limits import LONGEST_CLOSED_SECONDS, ROUNDING_SECONDS

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.registration import Registration
    from taskkit.schedules import Schedule
    from taskkit.schedules.due_limits import DueLimits, NextAfter

Span = tuple[float, float]
"""A span of time, without its first instant and with its last."""


class LimitedTimes:
    """The limits of a registration, and up to when what they skip was reported.

    Most registrations have none. As an item of a timer queue it means the next opening of its window.
    Guarded by the scheduler's lock.

    Args:
        limits: In epoch seconds.
        apart: What to add to a time by the schedule's own clock to get epoch seconds, as the clocks are now.
        reported_until: By the schedule's own clock; what falls outside the window after that is still to be
            reported.
    """

    __slots__ = ("apart", "entry", "limits", "reported_until", "ticket")

    def __init__(self, limits: DueLimits, apart: float, reported_until: float) -> None:
        self.limits = limits
        self.apart = apart
        self.reported_until = reported_until
        self.entry: Registration | None = None
        self.ticket = NO_TICKET

    @property
    def has_hours(self) -> bool:
        """True if due times can fall outside a window."""
        return self.limits.hours is not None

    def follow_clock(self, now: Instant) -> None:
        """Use the present difference of the clocks, which drift apart a little."""
        if self.entry is not None and not self.entry.follows_wall_clock:
            self.apart = now.offset

    def to_wall(self, time: float) -> float:
        """Return a time of the schedule's own clock in epoch seconds, exact to a microsecond."""
        return round(time + self.apart, 6) if self.apart else time

    def allows(self, time: float) -> bool:
        """True if a due time at `time`, by the schedule's own clock, is within the limits."""
        wall = self.to_wall(time)
        return wall <= self.limits.until and self.limits.allows(wall)

    def first_after(self, next_after: NextAfter, time: float) -> float | None:
        """Return the first due time after `time` within the limits, all by the schedule's own clock."""
        if not self.apart:
            return self.limits.first_after(next_after, time)
        found: float | None = None
        asked = time + self.apart

        def in_epoch(wall: float) -> float | None:
            nonlocal found
            # Adding and subtracting rounds, which must not move `time` across a due time.
            found = next_after(time if wall == asked else max(time, wall - self.apart))
            return None if found is None else self.to_wall(found)

        return None if self.limits.first_after(in_epoch, asked) is None else found

    def inside(self, after: float, until: float) -> Iterator[Span]:
        """Yield the spans inside the limits between two times, all by the schedule's own clock."""
        for begin, end in self.limits.spans(after + self.apart, until + self.apart):
            yield max(after, begin - self.apart), min(until, end - self.apart)

    def outside(self, after: float, until: float) -> Iterator[Span]:
        """Yield the spans between `not_before` and `until` in which the window is closed."""
        begin, end = self.limits.within_bounds(after + self.apart, until + self.apart)
        closed_from = max(after, begin - self.apart)
        for opens, closes in self.inside(after, until):
            if opens > closed_from:
                yield closed_from, opens
            closed_from = closes
        if closed_from < min(until, end - self.apart):
            yield closed_from, min(until, end - self.apart)

    def opening_after(self, now: Instant) -> float:
        """Return when the window opens next, in epoch seconds; infinite if it does not within ten years.

        For a task that follows others it is its `until`, if that comes first.
        """
        if self.entry is not None and self.entry.ended is not None:
            return nextafter(self.limits.until, inf) if self.limits.until >= now.wall else inf
        hours = self.limits.hours
        if hours is None:
            return inf
        opening = hours.opening_after(now.wall, now.wall + LONGEST_CLOSED_SECONDS)
        return inf if opening is None else opening

    def may_start(self, now: Instant) -> bool:
        """True if the window is open, or opens within a second: the two clocks drift apart a little."""
        return self.limits.is_open(now.wall) or self.limits.is_open(now.wall + 1.0)

    def room_for_jitter(self, due: float) -> float:
        """Return the seconds by which a start may be delayed without leaving the window."""
        hours = self.limits.hours
        if hours is None:
            return inf
        wall = self.to_wall(due)
        return max(0.0, hours.closing_after(wall) - wall - 1.0)  # the loop may be a little late


def times_within(
    schedule: Schedule, limits: DueLimits | None, now: Instant, *, due_at_once: bool = False
) -> LimitedTimes | None:
    """Return the limited times of a schedule that is given to a task now; `None` if there are no limits.

    Args:
        schedule: The schedule.
        limits: The limits.
        now: This moment. What the schedule has after it counts.
        due_at_once: True if a periodic schedule is due at this moment already.
    """
    if limits is None:
        return None
    if follows_wall_clock(schedule):
        return LimitedTimes(limits, 0.0, now.wall)
    is_due = due_at_once and isinstance(schedule, Every)
    return LimitedTimes(limits, now.offset, now.steady - ROUNDING_SECONDS if is_due else now.steady)
