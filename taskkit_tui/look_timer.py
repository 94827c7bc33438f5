"""Decides when the app looks at the scheduler: seldom at rest, soon after news, never in the way of keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

REST_SECONDS: Final = 0.2
"""Time between two looks at a scheduler in which nothing happens. To wake up costs more than the look."""
NEWS_SECONDS: Final = 0.1
"""Time until the next look after one that has seen something new."""
PAUSE_SECONDS: Final = 0.001
"""Time until the next look after one that could not read everything."""
TYPING_SECONDS: Final = 0.03
"""The most time until that look while a person types; as long as the last one took, if that is less. A key
takes several turns of the loop until it is seen, and would wait for a look at each of them."""


class Timers(Protocol):
    """The part of an app that calls functions later, and knows whether a person types."""

    def set_interval(self, interval: float, callback: Callable[[], None]) -> object:
        """Call `callback` again and again, every `interval` seconds."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> object:
        """Call `callback` once, in `delay` seconds."""

    def is_quiet(self) -> bool:
        """Return True while nobody types."""


class LookTimer:
    """Calls `look` again and again, and sooner where that is planned.

    Args:
        timers: The app.
        look: Looks at the scheduler, and then plans the next look.
    """

    def __init__(self, timers: Timers, look: Callable[[], None]) -> None:
        self._timers = timers
        self._look = look
        self._is_planned = False

    def start(self) -> None:
        """Begin to call."""
        self._timers.set_interval(REST_SECONDS, self._tick)

    def plan(self, *, took: float, has_more: bool, has_news: bool) -> None:
        """Plan the next look, unless one is planned.

        Args:
            took: Seconds that this look took.
            has_more: True if it could not read everything.
            has_news: True if it has seen something new.
        """
        if has_more:
            for_keys = 0.0 if self._timers.is_quiet() else min(took, TYPING_SECONDS)
            self._plan(max(PAUSE_SECONDS, for_keys))
        elif has_news:
            self._plan(NEWS_SECONDS)

    def _plan(self, seconds: float) -> None:
        if not self._is_planned:
            self._timers.set_timer(seconds, self._look_as_planned)
            self._is_planned = True

    def _look_as_planned(self) -> None:
        self._is_planned = False
        self._look()

    def _tick(self) -> None:
        if not self._is_planned:
            self._look()
