"""The due times of one registration: where its grid begins, which come next, which passed without a run.

Pure arithmetic on one `Entry`, by the clock that its schedule follows. It decides T1, T6, T8 and R7.
"""

from __future__ import annotations

from copy import copy
from math import inf
from typing import TYPE_CHECKING

from taskkit.engine.summary import in_words
from taskkit.grid import grid_count, grid_next
from taskkit.outcome import Skip, SkipReason, Trigger
from taskkit.schedules import Every, Once, OnDemand, count_between, due_after

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.entry import Entry
    from taskkit.schedules import Schedule


def begin(schedule: Schedule, now: Instant, *, due_at_once: bool) -> tuple[float, float | None]:
    """Where the due times of a schedule begin that is taken up now.

    Args:
        schedule: The schedule.
        now: The moment of registration.
        due_at_once: Whether a periodic schedule without a start, or with one in the past, is due now (T6)
            or, where a schedule is changed, on the next point of its grid.

    Returns:
        The entry's `anchor` and its first due time, by the clock that the schedule follows.

    Raises:
        TypeError: It is somebody's own, and its answer is no number.
        ValueError: It never falls due, and is not on demand either, or does so before it can.
        Exception: It is somebody's own, and raises.
    """
    if isinstance(schedule, OnDemand):
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
        raise ValueError(f"schedule must fall due some time, and {in_words(schedule)} never does")
    anchor = 0.0 if schedule.follows_wall_clock else now.offset
    return anchor, due - anchor


def go_on(entry: Entry, due: float | None, last_due: float | None, now: Instant) -> None:
    """Take up the due times of an earlier life, both in epoch seconds; a grid goes on from them."""
    if isinstance(entry.schedule, Every):
        if due is None:
            return
        entry.anchor = due - now.offset
    entry.due = None if due is None else _from_wall(entry, due, now)
    entry.last_due = None if last_due is None else _from_wall(entry, last_due, now)


def _from_wall(entry: Entry, time: float, now: Instant) -> float:
    return time if entry.follows_wall_clock else time - now.offset


def take_due(entry: Entry) -> float:
    """Make the entry's due time its last one, and find the next. Returns the one taken."""
    due = entry.due
    assert due is not None
    entry.last_due = due
    entry.due = _following(entry, due) if entry.schedule.repeats else None
    return due


def _following(entry: Entry, time: float) -> float | None:
    """The first due time after `time`. If the schedule cannot say it, that is noted as its fault."""
    try:
        return entry.due_after(time)
    except Exception as error:  # noqa: BLE001 - foreign code may raise anything
        entry.fault = error
        return None


def pass_over(entry: Entry, until: float, reason: SkipReason, now: Instant) -> Skip | None:
    """Count the due times up to and including `until` as skipped.

    Returns:
        What was skipped, in epoch seconds; `None` if there was nothing.
    """
    first = entry.due
    if first is None or first > until:
        return None
    if entry.schedule.repeats:
        entry.due = _following(entry, until)
        if isinstance(entry.schedule, Every):
            count, last = _grid_passed(entry, entry.schedule.period, first, until)
        else:
            count, last = _calendar_passed(entry, first, until)
    else:
        entry.due = None
        count, last = 1, first
    if entry.run is None or entry.run.trigger is not Trigger.SCHEDULE:
        entry.last_due = last  # else that of the run, from which a new period counts (R7)
    return Skip(reason, count, entry.to_wall(first, now), entry.to_wall(last, now))


def _grid_passed(entry: Entry, period: float, first: float, until: float) -> tuple[int, float]:
    count = 1 + grid_count(entry.anchor, period, first, until)
    if count == 1:
        return 1, first
    return count, entry.anchor + (grid_count(entry.anchor, period, entry.anchor, until)) * period


def _calendar_passed(entry: Entry, first: float, until: float) -> tuple[int, float]:
    try:
        further = count_between(entry.schedule, first + entry.anchor, until + entry.anchor)
    except Exception:  # noqa: BLE001 - as above; one has passed at any rate
        further = 0
    if further == 0:
        return 1, first
    # The last one is found by halving, as calendars only look forward; a second is fine enough.
    low, high = first, until
    while high - low > 0.5:
        middle = (low + high) / 2
        upcoming = entry.foreseen_after(middle)
        if upcoming is not None and upcoming <= until:
            low = upcoming
        else:
            high = middle
    return 1 + further, low


def change_period(entry: Entry, period: float, now: Instant, *, hindered: bool) -> None:
    """Let the grid go on from the last due time with another period (R7).

    Before the first due time has passed, the start stays and the new period counts from it. A due time
    that has come, and whose run is about to start, is left to it.

    Args:
        entry: One whose schedule is periodic, and whose due times up to now were told if it is hindered.
        period: Seconds.
        now: The moment of the change.
        hindered: Whether something keeps it from being started now; it is next due after now then, and
            else not earlier than now.
    """
    schedule = entry.schedule
    assert isinstance(schedule, Every)
    assert entry.due is not None
    last_due = _last_due(entry, now)
    entry.schedule = Every(period, schedule.start)
    if last_due is None:
        return
    if entry.due <= now.steady:
        entry.anchor = entry.due
        return
    entry.anchor = last_due
    entry.due = entry.due_after(now.steady) if hindered else max(last_due + period, now.steady)


def _last_due(entry: Entry, now: Instant) -> float | None:
    """The last due time that has passed, by the words of R7.

    While a scheduled run goes on that is its own; after it the last one that it covered, also where that was
    told before it ended.
    """
    last_due = entry.last_due
    if last_due is None or (entry.run is not None and entry.run.trigger is Trigger.SCHEDULE):
        return last_due
    assert isinstance(entry.schedule, Every)
    assert entry.due is not None
    points = grid_count(entry.anchor, entry.schedule.period, -inf, entry.due)
    before = entry.anchor + (points - 2) * entry.schedule.period
    return before if last_due < before <= now.steady else last_due


def with_period(
    entry: Entry, period: float, count: int, now: Instant, hindrance: SkipReason | None
) -> list[float]:
    """The due times that it would have if its period were changed now; nothing is changed.

    Args:
        entry: One whose schedule is periodic.
        period: Seconds.
        count: How many to tell at most.
        now: The moment of the change.
        hindrance: What keeps it from being started now, if anything does.

    Returns:
        Epoch seconds; none while it is disabled. A retry that is to come is none of them.
    """
    changed = copy(entry)
    if hindrance is not None:
        pass_over(changed, now.steady, hindrance, now)
    change_period(changed, period, now, hindered=hindrance is not None)
    changed.retry = None
    return changed.next_runs(count, now)
