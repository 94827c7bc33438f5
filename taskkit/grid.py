"""The points of a periodic schedule, worked out afresh each time, to the last place that floats have."""

from __future__ import annotations

from math import inf, nextafter, ulp
from typing import Final

_FAR: Final = 1e300
"""Seconds. What is that far away may be further from something else than floats reach."""


def grid_next(anchor: float, period: float, instant: float) -> float:
    """The first grid point strictly after `instant`; the anchor itself if that is.

    The points are `anchor + k * period` for k = 0, 1, 2 …, computed afresh each time, so no error adds up.
    Answers infinity where floats end.
    """
    # The second counts where the period is finer than floats are at `instant`.
    return max(anchor + _points_until(anchor, period, instant) * period, nextafter(instant, inf))


def grid_count(anchor: float, period: float, after: float, until: float) -> int:
    """How many points of the grid of `grid_next` are after `after`, up to and including `until`."""
    return max(0, _points_until(anchor, period, until) - _points_until(anchor, period, after))


def _points_until(anchor: float, period: float, instant: float) -> int:
    """How many grid points are not after `instant`: the number of the first one that is."""
    if instant < anchor:
        return 0
    points = int(min((instant - anchor) / period, _FAR)) + 1
    furthest = max(abs(anchor), abs(instant))
    if period < ulp(furthest) or furthest > _FAR:
        return points  # several points to a float, or none that floats reach: nothing to be exact about
    # The division rounds one way, the multiplication that makes the points another.
    while points > 0 and anchor + (points - 1) * period > instant:
        points -= 1
    while anchor + points * period <= instant:
        points += 1
    return points
