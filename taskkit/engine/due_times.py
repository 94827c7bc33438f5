"""Arithmetic on the due times of one registration: where they begin, the next ones, and another period.

Pure functions of one `Registration`, by the clock that its schedule follows. They decide T1, T6, T8 and R7.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from math import inf, nextafter
from typing import TYPE_CHECKING

from taskkit.clock import Instant
from taskkit.engine.limited_times import LimitedTimes
from taskkit.engine.passed_due_times import counted_until, following, skip_until
from taskkit.engine.registration import follows_wall_clock, unlimited_after
from taskkit.outcome import SkipReason, Trigger
from taskkit.schedules import Every, Once
from taskkit.schedules.grid import grid_count, grid_next
from taskkit.schedules.queries import due_after, is_for_now, schedule_words

if TYPE_CHECKING:
    from taskkit.engine.registration import Registration
    from taskkit.schedules import Schedule
    from taskkit.schedules.due_limits import DueLimits


def begin(
    schedule: Schedule, now: Instant, *, due_at_once: bool, limits: DueLimits | None = None
) -> tuple[float, float | None]:
    """Return where the due times of a schedule begin if it is registered now.

    Args:
        schedule: The schedule.
        now: The moment of registration.
        due_at_once: True for a registration: a periodic schedule without a start, or with one in the past, is
            due now (T6). False for a changed schedule: it is due on the next point of its grid.
        limits: The limits of the due times, if there are any.

    Returns:
        The entry's `anchor` and its first due time, by the clock that the schedule follows. There is no due
        time if it is on demand, or if `limits` leave none because of `until`.

    Raises:
        TypeError: A user's schedule returns no number.
        ValueError: It never falls due and is not on demand, or it returns a time before the one asked for. Or
            its window leaves no due time within ten years.
        Exception: A user's schedule raises.
    """
    if limits is not None and schedule.has_due_times:
        return _begin_limited(schedule, now, limits, due_at_once=due_at_once)
    return _begin(schedule, now, due_at_once=due_at_once)


def _begin(schedule: Schedule, now: Instant, *, due_at_once: bool) -> tuple[float, float | None]:
    if not schedule.has_due_times:
        return 0.0, None
    if isinstance(schedule, Every):
        anchor = now.steady if schedule.start is None else schedule.start - now.offset
        if anchor > now.steady:
            return anchor, anchor
        return anchor, now.steady if due_at_once else grid_next(anchor, schedule.period, now.steady)
    if isinstance(schedule, Once):
        return (now.offset, now.steady) if schedule.at is None else (0.0, max(schedule.at, now.wall))
    due = due_after(schedule, now.wall)
    if due is None:
        raise ValueError(f"schedule must be due at some time, and {schedule_words(schedule)} never is")
    anchor = 0.0 if schedule.follows_wall_clock else now.offset
    return anchor, due - anchor


def _begin_limited(
    schedule: Schedule, now: Instant, limits: DueLimits, *, due_at_once: bool
) -> tuple[float, float | None]:
    """Do what `begin` does, within limits. `Every` without a start, and `Once()`, begin at `not_before`."""
    starts_now = (isinstance(schedule, Every) and schedule.start is None) or is_for_now(schedule)
    if starts_now and limits.not_before > now.wall:
        now = Instant(limits.not_before, limits.not_before - now.offset)
        due_at_once = True
    anchor, first = _begin(schedule, now, due_at_once=due_at_once)
    assert first is not None
    apart = 0.0 if follows_wall_clock(schedule) else now.offset
    judged = schedule.at if isinstance(schedule, Once) and schedule.at is not None else first

    def first_within(limits: DueLimits) -> float | None:
        limited = LimitedTimes(limits, apart, first)
        if limited.allows(judged):
            return first
        if not schedule.repeats:
            return None
        return limited.first_after(lambda time: unlimited_after(schedule, anchor, time), first)

    due = None if now.wall > limits.until else first_within(limits)
    if due is None and now.wall <= limits.until and first_within(replace(limits, hours=None)) is not None:
        words = schedule_words(schedule)
        raise ValueError(f"window must leave a due time of {words} within ten years, and leaves none")
    return anchor, due


def begin_anew(entry: Registration, now: Instant, *, due_at_once: bool = False) -> None:
    """Count its due times from now by its present schedule; if that fails, note it as its fault (T8).

    Args:
        entry: The entry.
        now: The present moment.
        due_at_once: See `begin`.
    """
    try:
        limits = None if entry.limited is None else entry.limited.limits
        entry.anchor, entry.due = begin(entry.schedule, now, due_at_once=due_at_once, limits=limits)
    except Exception as error:  # noqa: BLE001 - foreign code may raise anything
        entry.due, entry.fault = None, error


def count_anew(entry: Registration, now: Instant) -> None:
    """Count the due times of a calendar from the present wall clock, as it was wrong before (T4).

    A due time that the clock shows again is due again. A one-shot that has run stays done; one that is still
    to come may have been registered while the clock was ahead, and is due at its own time.
    """
    if entry.schedule.repeats:
        entry.fault = None  # it may raise only for the times that the clock has shown
        entry.due = following(entry, now.wall)
    elif entry.due is not None:
        at = entry.foreseen_after(now.wall)
        entry.due = min(entry.due, now.wall if at is None else at)
    if entry.last_due is not None and entry.last_due > now.wall:
        entry.last_due = None


def take_due(entry: Registration) -> float:
    """Make the entry's due time its last one, and find the next. Return the one taken."""
    due = entry.due
    assert due is not None
    counted = counted_until(entry, due)
    entry.last_due = due
    goes_on = entry.schedule.repeats and not entry.counts_from_end
    entry.due = following(entry, counted) if goes_on else None
    return due


def count_from_end(entry: Registration, now: Instant) -> None:
    """Count the period of a fixed delay from now, as its run has just ended."""
    assert isinstance(entry.schedule, Every)
    start = entry.schedule.start
    first = -inf if start is None else start - now.offset  # it may have run by hand before that
    entry.anchor = max(now.steady + entry.schedule.period, first)
    entry.due = None
    if entry.limited is not None:
        entry.limited.reported_until = max(entry.limited.reported_until, now.steady)


def due_after_end(entry: Registration) -> float | None:
    """Return the due time of a fixed delay that `count_from_end` has begun to count."""
    return following(entry, nextafter(entry.anchor, -inf))


def covered_until(entry: Registration, due: float, now: Instant) -> float:
    """Return up to when due times are counted while a run for `due` waits for a thread; in epoch seconds.

    The answer lies between two due times, so that rounding cannot move it across one.
    """
    if entry.due is None:
        return due
    if isinstance(entry.schedule, Every):
        return max(due, entry.to_wall(entry.due - entry.schedule.period / 2, now))
    return max(due, nextafter(entry.to_wall(entry.due, now), -inf))


def change_period(entry: Registration, period: float, now: Instant, *, is_blocked: bool) -> None:
    """Continue the grid from the last due time with another period (R7).

    Before the first due time has passed, the start stays and the new period counts from it. A due time that
    has come, and whose run is about to start, stays.

    Args: entry: An entry with a periodic schedule; if it is blocked, its due times up to now are counted
    already. period: Seconds. now: The moment of the change. is_blocked: True if something keeps it from
    starting now. Then it is next due after now, and otherwise not before now.
    """
    schedule = entry.schedule
    assert isinstance(schedule, Every)
    last_due = _last_due(entry, now)
    entry.set_schedule(schedule.with_period(period))
    if entry.counts_from_end:
        _change_delay(entry, period - schedule.period, now)
        return
    if last_due is None:
        return
    if entry.due is not None and entry.due <= now.steady:
        entry.anchor = entry.due
        return
    entry.anchor = last_due
    due = max(last_due + period, now.steady)
    within = entry.limited is None or entry.limited.allows(due)
    entry.due = due if within and not is_blocked else entry.due_after(now.steady)


def _change_delay(entry: Registration, longer: float, now: Instant) -> None:
    """Move the due time of a fixed delay: it counts from the end of the last run, and is not before now.

    Before its first run the start stays. During a run nothing moves, as the period counts from its end.
    """
    if entry.due is None or entry.due <= now.steady or not entry.had_a_run:
        return
    entry.anchor = max(entry.anchor + longer, now.steady)
    entry.due = due_after_end(entry)


def _last_due(entry: Registration, now: Instant) -> float | None:
    """Return the last due time that has passed, as R7 means it.

    During a scheduled run this is its own due time; afterwards it is the last one that the run
    covered, even if that was counted before the run ended.
    """
    last_due = entry.last_due
    if last_due is None or (entry.run is not None and entry.run.trigger is Trigger.SCHEDULE):
        return last_due
    assert isinstance(entry.schedule, Every)
    if entry.limited is not None:  # between the last point that passed and the next due time others may lie
        points = grid_count(entry.anchor, entry.schedule.period, -inf, now.steady) + 1
    elif entry.due is None:
        return last_due
    else:
        points = grid_count(entry.anchor, entry.schedule.period, -inf, entry.due)
    before = entry.anchor + (points - 2) * entry.schedule.period
    return before if last_due < before <= now.steady else last_due


def with_period(
    entry: Registration, period: float, count: int, now: Instant, blocked_by: SkipReason | None
) -> list[float]:
    """Return the due times that it would have if its period were changed now; changes nothing.

    Args:
        entry: An entry with a periodic schedule.
        period: Seconds.
        count: The most to return.
        now: The moment of the change.
        blocked_by: The reason that keeps it from starting now, if there is one.

    Returns:
        Epoch seconds; empty while it is disabled. A pending retry is not among them.
    """
    changed = copy(entry)
    if blocked_by is not None:
        skip_until(changed, now.steady, blocked_by, now)
    change_period(changed, period, now, is_blocked=blocked_by is not None)
    changed.retry = None
    return changed.next_runs(count, now)
