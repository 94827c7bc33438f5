"""Thresholds of “soon”, “late” and “unusually long”, the same for the command and the dashboard."""

from __future__ import annotations

from typing import Final

IMMINENT_SECONDS: Final = 3.0
"""Seconds before its due time from which a task is shown as imminent."""

NEAR_SECONDS: Final = 60.0
"""Seconds before a due time from which `in 40 s` says more than a clock time."""

LATE_SECONDS: Final = 1.0
"""Seconds after its due time from which a run counts as late for a reader."""

LONG_FACTOR: Final = 3.0
"""A run that takes this many times its usual duration perhaps hangs."""

LEAST_LONGER_SECONDS: Final = 2.0
"""Seconds by which such a run must exceed its usual duration: short runs differ by chance."""


def is_imminent(due: float, now: float) -> bool:
    """True from a few seconds before `due`, both in epoch seconds, and at any time after it."""
    return due - now <= IMMINENT_SECONDS


def is_near(due: float, now: float) -> bool:
    """True from a minute before `due`, both in epoch seconds, and at any time after it."""
    return due - now < NEAR_SECONDS


def is_late(lateness: float) -> bool:
    """True if a start this many seconds after its due time is worth mentioning."""
    return lateness >= LATE_SECONDS


def is_unusually_long(elapsed: float, usual: float) -> bool:
    """True if a run that usually takes `usual` seconds has taken so much longer that it may hang."""
    return elapsed > LONG_FACTOR * usual and elapsed > usual + LEAST_LONGER_SECONDS
