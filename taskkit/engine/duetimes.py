"""The due times of one registration: where its grid begins, which come next, which passed without a run.

Pure arithmetic on one `Entry`, by the clock that its schedule follows. Rules T1, T6, R1 and R7 are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskkit.run import Skip, SkipReason
from taskkit.schedules import Every, Once, count_between, grid_count

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.entry import Entry


def anchor(entry: Entry, now: Instant, *, due_at_once: bool) -> None:
    """Let the due times of the entry's schedule begin at `now`.

    Args:
        entry: Its `due`, `anchor` and `last_due` are set.
        now: The moment of registration.
        due_at_once: Whether a periodic schedule without a start, or with one in the past, is due now (T6)
            or, where a schedule is changed, on the next point of its grid.
    """
    schedule = entry.schedule
    entry.last_due = None
    if isinstance(schedule, Every):
        entry.anchor = now.steady if schedule.start is None else schedule.start - now.offset
        if entry.anchor > now.steady:
            entry.due = entry.anchor
        else:
            entry.due = now.steady if due_at_once else entry.due_after(now.steady)
    elif isinstance(schedule, Once):
        entry.due = now.wall if schedule.at is None else max(schedule.at, now.wall)
    else:
        entry.due = schedule.next_after(now.wall)


def take_due(entry: Entry) -> float:
    """Make the entry's due time its last one, and find the next. Returns the one taken."""
    due = entry.due
    assert due is not None
    entry.last_due = due
    entry.due = entry.due_after(due) if entry.schedule.repeats else None
    return due


def pass_over(entry: Entry, until: float, reason: SkipReason, now: Instant) -> Skip | None:
    """Count the due times up to and including `until` as skipped.

    Returns:
        What was skipped, in epoch seconds; `None` if there was nothing.
    """
    first = entry.due
    if first is None or first > until:
        return None
    if entry.schedule.repeats:
        entry.due = entry.due_after(until)
        if isinstance(entry.schedule, Every):
            count, last = _grid_passed(entry, entry.schedule.period, first, until)
        else:
            count, last = _calendar_passed(entry, first, until)
    else:
        entry.due = None
        count, last = 1, first
    entry.last_due = last
    return Skip(reason, count, entry.to_wall(first, now), entry.to_wall(last, now))


def _grid_passed(entry: Entry, period: float, first: float, until: float) -> tuple[int, float]:
    count = 1 + grid_count(entry.anchor, period, first, until)
    if count == 1:
        return 1, first
    return count, entry.anchor + (grid_count(entry.anchor, period, entry.anchor, until)) * period


def _calendar_passed(entry: Entry, first: float, until: float) -> tuple[int, float]:
    further = count_between(entry.schedule, first, until)
    if further == 0:
        return 1, first
    # The last one is found by halving, as calendars only look forward; a second is fine enough.
    low, high = first, until
    while high - low > 0.5:
        middle = (low + high) / 2
        upcoming = entry.schedule.next_after(middle)
        if upcoming is not None and upcoming <= until:
            low = upcoming
        else:
            high = middle
    return 1 + further, low


def change_period(entry: Entry, period: float, now: Instant) -> None:
    """Let the grid go on from the last due time with another period (R7).

    Before the first due time has passed, the start stays and the new period counts from it. The next due
    time is not earlier than now; a run that is going on is left to `pass_over` when it ends.
    """
    schedule = entry.schedule
    assert isinstance(schedule, Every)
    entry.schedule = Every(period, schedule.start)
    if entry.last_due is None:
        return
    entry.anchor = entry.last_due
    due = entry.last_due + period
    if entry.disabled:
        entry.due = max(due, entry.due_after(now.steady) or due)
    elif entry.run is not None:
        entry.due = due
    else:
        entry.due = max(due, now.steady)
