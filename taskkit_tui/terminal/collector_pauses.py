"""Spaces out the full runs of the garbage collector, and moves them to when nobody types.

A full run visits every object that is not frozen, and all threads wait for it: a few tenths of a second with
ten thousand busy tasks. Python begins one when the number of old objects has grown by a quarter. Old objects
that are freed by then count as well, so a busy scheduler would cause one every second.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, Self

SPACING: Final = 50
"""After a full run, the next one may begin after so many times its duration, while nobody types."""
MOST_SPACING: Final = 150
"""The same while somebody types."""
_NEVER: Final = 1 << 30


class CollectorPauses:
    """Allows Python a full run only at times; whether it then begins one is decided by its own rules.

    The youngest objects are collected as always, which takes a millisecond and frees nearly all garbage.

    Args:
        is_quiet: True while nobody types. Any thread; it must be quick.
        clock: Seconds that only grow.
    """

    def __init__(self, is_quiet: Callable[[], bool], clock: Callable[[], float] = monotonic) -> None:
        self._is_quiet = is_quiet
        self._clock = clock
        self._threshold = gc.get_threshold()[2]  # of full runs, while they are allowed
        self._began = 0.0
        self._not_before = 0.0
        self._at_last = 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self.notice)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self.notice)
        self._allow(allowed=True)

    def notice(self, phase: str, info: dict[str, Any]) -> None:
        """Note that the collector begins or has ended a run. Python calls it, on any thread."""
        now = self._clock()
        if phase == "start":
            self._began = now
            return
        if info["generation"] == 2:
            took = now - self._began
            self._not_before, self._at_last = now + SPACING * took, now + MOST_SPACING * took
        self._allow(allowed=now >= self._at_last or (now >= self._not_before and self._is_quiet()))

    def _allow(self, *, allowed: bool) -> None:
        first, second, third = gc.get_threshold()
        if third != _NEVER:
            self._threshold = third  # a task may have set it
        wanted = self._threshold if allowed else _NEVER
        if third != wanted:
            gc.set_threshold(first, second, wanted)
