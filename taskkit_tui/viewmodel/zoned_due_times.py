"""Puts due times into the zone of their schedule, and finds changes of the clock between them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from taskkit.schedules.zones import zone_named as known_zone
from taskkit.words.durations import duration
from taskkit.words.times import local_time


def zone_named(name: str | None) -> tzinfo | None:
    """Return the zone of that name; `None`, which means local time, for no name or an unknown one."""
    if name is None:
        return None
    try:
        return known_zone(name)
    except ValueError:
        return None


def is_elsewhere(zone: str | None, *instants: float) -> bool:
    """True if a zone differs from the machine's local time at any of some instants."""
    there = zone_named(zone)
    return there is not None and any(
        here.utcoffset() != other.utcoffset()
        for instant in instants
        if (here := local_time(instant)) is not None and (other := local_time(instant, there)) is not None
    )


class DueTime(NamedTuple):
    """A due time of a task."""

    instant: float
    """Epoch seconds."""
    local: datetime | None
    """The time in the zone of the schedule; `None` if it is beyond the calendar."""
    shift: timedelta
    """The change of the clocks since the previous due time, or since now; usually zero."""

    @property
    def shift_words(self) -> str:
        """The change of the clocks in words: `clock +1 h`; empty without one."""
        if not self.shift:
            return ""
        seconds = self.shift.total_seconds()
        return f"clock {'+' if seconds > 0 else '−'}{duration(abs(seconds))}"


def due_times(instants: tuple[float, ...], zone: str | None, now: float) -> tuple[DueTime, ...]:
    """Return due times in the zone of a schedule, each with the clock change since the previous one."""
    there = zone_named(zone)
    result = []
    before = local_time(now, there)
    for instant in instants:
        local = local_time(instant, there)
        shift = timedelta()
        if local is not None and before is not None:
            shift = (local.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
            before = local
        result.append(DueTime(instant, local, shift))
    return tuple(result)
