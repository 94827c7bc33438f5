"""Counts of due times that passed without a run: by arithmetic, however many there were (O4).

Pure functions of one `Registration`, by the clock that its schedule follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskkit.outcome import Skip, SkipReason, Trigger
from taskkit.schedules import Every
from taskkit.schedules.grid import grid_count
from taskkit.schedules.queries import count_between

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.registration import Registration


def following(entry: Registration, time: float) -> float | None:
    """Return the first due time after `time`. If the schedule raises, note that as its fault."""
    try:
        return entry.due_after(time)
    except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
        entry.fault = error
        return None


def counted_until(entry: Registration, due: float) -> float:
    """Return up to when passed due times were counted while a run for `due` waited for a thread."""
    return due if entry.last_due is None else max(due, entry.last_due)


def skip_until(entry: Registration, until: float, reason: SkipReason, now: Instant) -> Skip | None:
    """Count the due times up to and including `until` as skipped.

    Returns:
        The skip, in epoch seconds; `None` if there was nothing to skip.
    """
    first = entry.due
    if first is None or first > until:
        return None
    if entry.schedule.repeats:
        counted = counted_until(entry, first)
        entry.due = following(entry, max(until, counted))
        # Of a fixed delay there is only one at a time.
        further, last = (0, first) if entry.counts_from_end else _passed(entry, counted, until)
        count, last = 1 + further, last if further else first
    else:
        entry.due = None
        count, last = 1, first
    if entry.run is None or entry.run.trigger is not Trigger.SCHEDULE:
        entry.last_due = last  # else it is that of the run, from which a new period counts (R7)
    return Skip(reason, count, entry.to_wall(first, now), entry.to_wall(last, now))


def skip_outside(entry: Registration, now: Instant) -> Skip | None:
    """Count the due times up to now that fell outside its window, once.

    Returns:
        The skip, in epoch seconds; `None` if there was nothing to skip.
    """
    limited = entry.limited
    assert limited is not None
    after, until = limited.reported_until, entry.clock_time(now)
    if until <= after:
        return None
    limited.reported_until = until
    count, first, last = 0, after, after
    for begin, end in limited.outside(after, until):
        more, its_last = _raw_passed(entry, begin, end)
        if more and not count:
            first = entry.unlimited_after(begin) or its_last
        if more:
            count, last = count + more, its_last
    if not count:
        return None
    is_covered = entry.run is not None and entry.run.trigger is Trigger.SCHEDULE
    if not is_covered and (entry.due is None or last < entry.due):
        entry.last_due = last if entry.last_due is None else max(last, entry.last_due)
    return Skip(SkipReason.WINDOW, count, entry.to_wall(first, now), entry.to_wall(last, now))


def _passed(entry: Registration, first: float, until: float) -> tuple[int, float]:
    """Return the number of due times after `first`, up to `until`, and the last of them."""
    if entry.limited is None:
        return _raw_passed(entry, first, until)
    count, last = 0, first
    for begin, end in entry.limited.inside(first, until):
        more, its_last = _raw_passed(entry, begin, end)
        if more:
            count, last = count + more, its_last
    return count, last


def _raw_passed(entry: Registration, first: float, until: float) -> tuple[int, float]:
    """Do what `_passed` does, for due times outside the limits as well."""
    if isinstance(entry.schedule, Every):
        return _grid_passed(entry, entry.schedule.period, first, until)
    return _calendar_passed(entry, first, until)


def _grid_passed(entry: Registration, period: float, first: float, until: float) -> tuple[int, float]:
    """Return the number of due times after `first`, up to `until`, and the last of them."""
    further = grid_count(entry.anchor, period, first, until)
    return further, entry.anchor + (grid_count(entry.anchor, period, entry.anchor, until)) * period


def _calendar_passed(entry: Registration, first: float, until: float) -> tuple[int, float]:
    """Do what `_grid_passed` does, for any schedule but `Every`; its due times are found by looking."""
    try:
        further = count_between(entry.schedule, first + entry.anchor, until + entry.anchor)
    except BaseException:  # noqa: BLE001 - as above; at least one has passed
        further = 0
    if further == 0:
        return 0, first
    # The last one is found by halving, as calendars only look forward; a second is fine enough.
    low, high = first, until
    while high - low > 0.5:
        middle = (low + high) / 2
        upcoming = _unlimited_foreseen(entry, middle)
        if upcoming is not None and upcoming <= until:
            low = upcoming
        else:
            high = middle
    return further, low


def _unlimited_foreseen(entry: Registration, time: float) -> float | None:
    try:
        return entry.unlimited_after(time)
    except BaseException:  # noqa: BLE001 - a user's schedule may raise anything
        return None
