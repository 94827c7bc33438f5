"""Steps of the wall clock: how far it was set, and whether that corrects an error (T4).

A clock set back by up to three hours, as at the end of daylight saving, shows times a second time; no
calendar instant among them runs twice. A clock set back further was wrong before: calendars then count from
the new time. Debian's cron has the same rule.

Steps add up until the clock is past the latest time that it has shown. So a time server that corrects it in
several steps has the same effect as one that does so at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from taskkit.clock import Instant

CLOCK_STEP_SECONDS: Final = 0.5
"""A larger difference is a step of the wall clock; slewing moves it much less in a minute."""

LONGEST_REPEAT_SECONDS: Final = 3 * 3600.0
"""A clock that is set back further than this was wrong before."""

_STEP_ERROR_SECONDS: Final = 0.1
"""Tolerance for a step, as a person sets a clock by hand."""


class ClockStep(NamedTuple):
    """One step of the wall clock."""

    seconds: float
    """Seconds that it was set forward; negative for back."""
    corrects: bool
    """True if the times it has shown before were wrong."""


class ClockSteps:
    """Finds steps by comparing each reading of the two clocks with the one before. Not thread-safe.

    Args:
        now: The first reading.
    """

    __slots__ = ("_latest", "_offset")

    def __init__(self, now: Instant) -> None:
        self._offset = now.offset  # at the last reading
        self._latest = now.wall

    def has_shown(self, wall: float) -> None:
        """Note that the clock has shown this time, before a restart: a step back since then adds up too."""
        self._latest = max(self._latest, wall)

    def note(self, now: Instant) -> ClockStep | None:
        """Return the step since the last reading; `None` if the clock was not set."""
        before, self._offset = self._offset, now.offset
        seconds = now.offset - before
        if abs(seconds) <= CLOCK_STEP_SECONDS:
            return None
        # When it was set is unknown. If it was just now, it showed this time before.
        self._latest = max(self._latest, now.steady + before)
        corrects = self._latest - now.wall > LONGEST_REPEAT_SECONDS + _STEP_ERROR_SECONDS
        if corrects:
            self._latest = now.wall
        return ClockStep(seconds, corrects)
