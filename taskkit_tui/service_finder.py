"""Asks running schedulers for their figures again and again, on a thread, so that no key waits for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.remote.discovery import Found

LOOK_SECONDS: Final = 1.0
"""The time between two looks."""


class ServiceFinder:
    """Calls a function that finds running schedulers, once a second until it is closed.

    Args:
        find: Finds them. It is called on a thread of its own, and may wait.
        delay: Seconds before the first look.
    """

    def __init__(self, find: Callable[[], Sequence[Found]], delay: float = 0.0) -> None:
        self.found: Sequence[Found] = ()
        """Those of the last look."""
        self._find = find
        self._delay = delay
        self._closed = Event()
        BoundedStartThread(self._look, name="taskkit services").start()

    def close(self) -> None:
        """Stop looking. Does not wait for a search in progress."""
        self._closed.set()
        self.found = ()

    def _look(self) -> None:
        seconds = self._delay
        while not self._closed.wait(seconds):
            found = tuple(self._find())
            if not self._closed.is_set():
                self.found = found
            seconds = LOOK_SECONDS
