"""The due times of a periodic schedule: computed from its start each time, so that no error adds up."""

from __future__ import annotations

from math import inf, nextafter, ulp
from typing import Final

_FAR_SECONDS: Final = 1e300
"""Distances beyond this may overflow a float."""


def grid_next(anchor: float, period: float, instant: float) -> float:
    """Return the first grid point strictly after `instant`; infinity where floats end.

    The points are `anchor + k * period` for k = 0, 1, 2 …. All arguments are seconds.
    """
    # The second counts where the period is finer than floats are at `instant`.
    return max(anchor + _points_until(anchor, period, instant) * period, nextafter(instant, inf))


def grid_count(anchor: float, period: float, after: float, until: float) -> int:
    """Return how many grid points lie after `after`, up to and including `until`; see `grid_next`."""
    return max(0, _points_until(anchor, period, until) - _points_until(anchor, period, after))


def _points_until(anchor: float, period: float, instant: float) -> int:
    """Return how many grid points are not after `instant`: the index of the first one that is."""
    if instant < anchor:
        return 0
    points = int(min((instant - anchor) / period, _FAR_SECONDS)) + 1
    furthest = max(abs(anchor), abs(instant))
    if period < ulp(furthest) or furthest > _FAR_SECONDS:
        return points  # several points to a float, or none that floats reach: nothing to be exact about
    # The division rounds one way, the multiplication that makes the points another.
    while points > 0 and anchor + (points - 1) * period > instant:
        points -= 1
    while anchor + points * period <= instant:
        points += 1
    return points
