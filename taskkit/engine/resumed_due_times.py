"""Due times after a restart: what was saved of them, as far as a schedule could still have it (T9)."""

from __future__ import annotations

from math import ceil, inf, nextafter
from typing import TYPE_CHECKING, Final

from taskkit.clock import Instant
from taskkit.engine.clock_steps import LONGEST_REPEAT_SECONDS
from taskkit.engine.due_times import begin, begin_anew
from taskkit.engine.registration import unlimited_after
from taskkit.outcome import Outcome
from taskkit.schedules import AnyOf, Every, Once
from taskkit.schedules.kinds import CalendarSchedule
from taskkit.schedules.queries import due_after

if TYPE_CHECKING:
    from taskkit.engine.registration import Registration
    from taskkit.persistence import SavedRetry, SavedTask
    from taskkit.policies import Policies
    from taskkit.schedules import Schedule
    from taskkit.schedules.due_limits import DueLimits

_EXACT: Final = 2.0**53
"""Up to here, floats represent whole numbers exactly."""

_CLOCK_ERROR_SECONDS: Final = 0.001
"""Tolerance for a saved due time: it is rounded, and two readings of a clock always differ a little."""


def resume(entry: Registration, saved: SavedTask, now: Instant) -> None:
    """Restore its saved due times, as far as its schedule could still have them (T9)."""
    schedule, limited = entry.schedule, entry.limited
    try:
        due, last_due = resumed(schedule, saved, now.wall, None if limited is None else limited.limits)
    except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
        entry.due, entry.fault = None, error
        return
    if due is None and isinstance(schedule, Every) and (limited is None or last_due is None):
        if saved.override is not None:
            begin_anew(entry, now)
        return
    apart = 0.0 if entry.follows_wall_clock else now.offset
    if not isinstance(schedule, Every):
        entry.anchor = apart
    elif due is not None:
        entry.anchor = due - apart
    entry.due = None if due is None else due - apart
    entry.last_due = None if last_due is None else last_due - apart
    if limited is not None and entry.last_due is not None:
        limited.reported_until = entry.last_due
        if isinstance(schedule, Every) and entry.last_due < entry.anchor:  # its grid began before that
            periods = ceil(min((entry.anchor - entry.last_due) / schedule.period, _EXACT))
            entry.anchor -= periods * schedule.period


def saved_due(schedule: Schedule, saved: SavedTask, now: float, policies: Policies) -> float | None:
    """Return the next due time of a saved task, in epoch seconds, without its retry.

    Args:
        schedule: Its schedule now.
        saved: Its saved state.
        now: The wall clock.
        policies: Its policies now.

    Raises:
        ValueError: It never falls due.
        Exception: A user's schedule raises.
    """
    limits = policies.limits(schedule)
    if not saved.preserved:
        due, last_due = resumed(schedule, saved, now, limits)
        if (
            due is not None
            or not isinstance(schedule, Every)
            or (limits is not None and last_due is not None)
        ):
            return due
    return begin(schedule, Instant(now, now), due_at_once=saved.override is None, limits=limits)[1]


def saved_retry_at(retry: SavedRetry, policies: Policies, now: float) -> float:
    """Return when a saved retry is due, in epoch seconds: never later than its delay from now (T9)."""
    return min(retry.at, now + policies.delay_before(retry.attempt))


def resumed(
    schedule: Schedule, saved: SavedTask, now: float, limits: DueLimits | None = None
) -> tuple[float | None, float | None]:
    """Return the next and the last due time of a saved task, in epoch seconds (T9).

    The clock may have been wrong when it was saved, or may be wrong now. So a saved time counts only if the
    schedule could still have it. A calendar is asked again for what is to come, because its zone may be
    another one, too. A due time in the past stays, and gives its one late run (T3).

    Args:
        schedule: Its schedule now.
        saved: Its saved state.
        now: The wall clock.
        limits: The limits of its due times now, if there are any.

    Raises:
        Exception: A user's schedule raises.
    """
    due, last_due = _resumed(schedule, saved, now)
    if limits is None or due is None or (limits.allows(due) and due <= limits.until):
        return due, last_due
    if isinstance(schedule, Once):
        return None, last_due
    anchor = due if isinstance(schedule, Every) else 0.0
    return limits.first_after(lambda time: unlimited_after(schedule, anchor, time), due), last_due


def _resumed(schedule: Schedule, saved: SavedTask, now: float) -> tuple[float | None, float | None]:
    """Do what `resumed` does, without limits."""
    due, last_due = saved.due, saved.last_due
    if not schedule.has_due_times:
        return None if due is None else min(due, now), last_due
    if isinstance(schedule, Every):
        return _resumed_grid(schedule, saved, now)
    if due is None and not isinstance(schedule, CalendarSchedule | AnyOf):
        return None, last_due  # on demand, or done
    if isinstance(schedule, Once):
        assert due is not None
        at, past = schedule.at, min(due, now)
        if at is not None:
            past = at if at > now else max(at, past)
        return past, last_due
    if due is not None and 0 <= due <= now and due_after(schedule, nextafter(due, -inf)) == due:
        return due, last_due
    after = now
    if last_due is not None and last_due > now:
        if last_due - now <= LONGEST_REPEAT_SECONDS:
            after = last_due  # the clock shows it again; it must not run twice (T4)
        else:
            last_due = None
    return due_after(schedule, after), last_due


def _resumed_grid(schedule: Every, saved: SavedTask, now: float) -> tuple[float | None, float | None]:
    period, due, last_due = schedule.period, saved.due, saved.last_due
    before = saved.override or saved.declared
    start_before = before.start if isinstance(before, Every) else None
    start = start_before if schedule.start is None else schedule.start
    if due is None:
        if last_due is None:
            return None, None
        due = max(
            (_last_end(schedule, saved) or last_due) + period, now
        )  # by the period that it has again (R7)
    if due < 0:
        due = now + period  # no clock has ever shown that
    if start is not None and due < start == start_before:
        return start, None  # its grid has always counted from there
    if due > max(now + period, now if start is None else start) + _CLOCK_ERROR_SECONDS:
        if start is not None and start > now + period:
            return start, None
        periods = (due - now) / period
        due -= (ceil(periods) - 1) * period if periods < _EXACT else inf
        if not now < due <= now + period:
            due = now + period  # it is too far away for floats to tell its place on the grid
    if last_due is not None and last_due > now:
        last_due = due - period if due - period <= now else None
    return due, last_due


def _last_end(schedule: Every, saved: SavedTask) -> float | None:
    """Return the end of the last run of a fixed delay, in epoch seconds, as far as it is known."""
    last = next((each for each in reversed(saved.history) if isinstance(each, Outcome)), None)
    return last.finished if schedule.fixed_delay and last is not None else None
