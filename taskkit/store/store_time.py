"""The store's own time, which never jumps: it says how old a stored row is.

Old rows are deleted, so a wall clock that is years ahead for three seconds must not make anything old. That
is why rows are stamped with a time of the store's own. It runs with the steady clock while the store is open,
and stands still while it is closed. A step of the wall clock does not change it.

A **gap** is the time from one closing of the store to the next opening. Only the wall clock knows how long a
gap was, and it may have been wrong at either end. So a gap counts only after it was confirmed:

1. At the opening, the gap is noted as the wall clock shows it.
2. While the wall clock is not stepped by more than a day, it confirms the gap: for a tenth of the gap's
   length, but for a day at least and a week at most.
3. Then the gap is accepted, less what later steps have taken back. Rows from before it are now that much
   older; rows from after it are not.

In case of doubt, less time counts as passed, and rows are kept for longer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from taskkit._helpers.checks import is_finite, is_number

if TYPE_CHECKING:
    from taskkit.clock import Instant

DAY_SECONDS: Final = 86_400.0

MIN_CONFIRM_SECONDS: Final = DAY_SECONDS
MAX_CONFIRM_SECONDS: Final = 7 * DAY_SECONDS
"""The shortest and the longest time for which the wall clock must confirm a gap."""

_CONFIRM_PART: Final = 0.1
"""That time as a part of the gap."""

MAX_GAPS: Final = 4_000
"""The most gaps that are remembered. A forgotten gap makes no row older."""

_MERGE_SECONDS: Final = DAY_SECONDS / 2
"""Gaps that follow each other within this time are remembered as one."""
_CLOCK_ERROR_SECONDS: Final = 0.5
"""A greater difference between the two clocks counts as a step of the wall clock."""
_GAP_MARK_SECONDS: Final = 0.001
"""The store's time between the last row before a gap and the first row after it."""
_EARLIEST_SET_CLOCK: Final = 1_735_689_600.0
"""Epoch seconds of 2025. A wall clock before that was not set yet, as on a machine without a battery."""


class _Mark(NamedTuple):
    """The part of the store's time that is saved with each batch."""

    wall: float
    """The wall clock, in epoch seconds."""
    now: float
    """The store's time."""
    ahead: float = 0.0
    """Seconds that the wall clock gained on the store's time since a gap was last accepted: all steps and
    gaps together."""
    gap: float = 0.0
    """Seconds for which the store was closed since then, by the wall clock; not accepted yet."""
    gap_at: float = 0.0
    """The store's time at the first of these gaps."""
    confirmed: float = 0.0
    """Seconds for which the wall clock has confirmed them."""


class StoreTime:
    """The time of one store. In a new store it begins as epoch seconds. Not thread-safe.

    Args:
        now: The moment at which the store is opened.
        mark: The saved `mark`; `None` if there is none.
        gaps: The saved `gaps`; `None` if there are none.
        seen: The wall clock at the last write, for a file whose earlier version saved no mark.
    """

    __slots__ = ("_gaps", "_gaps_in_json", "_last", "_mark")

    def __init__(self, now: Instant, mark: object = None, gaps: object = None, seen: object = None) -> None:
        self._last = now
        self._gaps = _read_gaps(gaps)
        self._gaps_in_json = json.dumps(self._gaps)
        self._mark = _read_mark(mark) or _mark_of(seen) or _Mark(now.wall, now.wall)
        self._note_gap(now.wall)

    @property
    def mark(self) -> str:
        """The text to save with each batch, after a call of `at`."""
        return json.dumps(self._mark)

    @property
    def gaps(self) -> str:
        """The text to save whenever it has changed."""
        return self._gaps_in_json

    def at(self, now: Instant) -> float:
        """Return the store's time at this moment, in seconds. It never goes back."""
        steady = max(0.0, now.steady - self._last.steady)
        step = now.wall - self._last.wall - steady
        self._last = now
        mark = self._mark
        self._mark = mark = mark._replace(wall=now.wall, now=mark.now + steady)
        if abs(step) > _CLOCK_ERROR_SECONDS:
            self._mark = mark._replace(
                ahead=mark.ahead + step, confirmed=0.0 if abs(step) > DAY_SECONDS else mark.confirmed
            )
        self._confirm(steady)
        return self._mark.now

    def oldest(self, age: float) -> float:
        """Return the store's time of `age` seconds ago: rows with an earlier stamp are older than `age`."""
        end = self._mark.now
        for at, seconds in reversed(self._gaps):
            if end - at >= age:
                break
            age -= end - at
            end = at
            if seconds >= age:
                return at
            age -= seconds
        return end - age

    def _note_gap(self, wall: float) -> None:
        """Note the gap that ends now, as long as the wall clock shows it."""
        closed_at = self._mark.wall
        passed = wall - closed_at
        if passed > 0:
            self._confirm(passed)  # this gap confirms the earlier ones
        mark = self._mark
        mark = mark._replace(wall=wall, now=mark.now + _GAP_MARK_SECONDS, ahead=mark.ahead + passed)
        if passed > 0 and closed_at >= _EARLIEST_SET_CLOCK:
            at = mark.gap_at if mark.gap else mark.now
            mark = mark._replace(gap=mark.gap + passed, gap_at=at)
        self._mark = mark._replace(confirmed=0.0) if abs(passed) > DAY_SECONDS else mark

    def _confirm(self, seconds: float) -> None:
        """Note that the wall clock was right for some more seconds, and accept the gaps after long enough."""
        mark = self._mark
        if not mark.ahead and not mark.gap:
            return
        enough = min(max(MIN_CONFIRM_SECONDS, mark.gap * _CONFIRM_PART), MAX_CONFIRM_SECONDS)
        if mark.confirmed + seconds < enough:
            self._mark = mark._replace(confirmed=mark.confirmed + seconds)
            return
        # A step back is remembered, as a later step forward may only undo it.
        self._mark = _Mark(mark.wall, mark.now, ahead=min(mark.ahead, 0.0))
        if (accepted := min(mark.ahead, mark.gap)) > 0:
            self._accept(mark.gap_at, accepted)

    def _accept(self, at: float, seconds: float) -> None:
        if self._gaps:
            before, gap = self._gaps[-1]
            if at - before + gap + seconds < _MERGE_SECONDS:
                at, seconds = before, gap + seconds
                del self._gaps[-1]
        self._gaps.append((at, seconds))
        del self._gaps[:-MAX_GAPS]
        self._gaps_in_json = json.dumps(self._gaps)


def _read_mark(saved: object) -> _Mark | None:
    parts = _read(saved)
    return _Mark(*parts) if len(parts) == len(_Mark._fields) and _are_numbers(parts) else None


def _mark_of(seen: object) -> _Mark | None:
    return _Mark(float(seen), float(seen)) if is_number(seen) and is_finite(seen) else None


def _read_gaps(saved: object) -> list[tuple[float, float]]:
    gaps = _read(saved)
    if not all(isinstance(each, list) and len(each) == 2 and _are_numbers(each) for each in gaps):
        return []
    return [(float(at), float(seconds)) for at, seconds in gaps]


def _are_numbers(values: list[Any]) -> bool:
    return all(is_number(each) and is_finite(each) for each in values)


def _read(saved: object) -> list[Any]:
    """Return the values of a fact; none if it is damaged."""
    try:
        values = json.loads(saved) if isinstance(saved, str) else []
    except (ValueError, RecursionError):
        return []
    return values if isinstance(values, list) else []
