"""A thread whose start fails in bounded time if the system lacks the memory to begin it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

START_SECONDS: Final = 10.0
"""Longest time that a new thread may take to begin."""


class _EventWithTimeout(Event):
    """An `Event` for `Thread.start`, which else waits for ever for a thread that lacked memory to begin."""

    def wait(self, timeout: float | None = None) -> bool:
        if super().wait(START_SECONDS if timeout is None else timeout):
            return True
        raise RuntimeError("can't start new thread: it never began")


class BoundedStartThread(Thread):
    """A daemon thread like any other, but for its start. One that begins too late does nothing."""

    def __init__(self, target: Callable[[], object] | None = None, *, name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)
        self._started = _EventWithTimeout()  # `Thread.start` waits for it
        self.is_given_up = False
        """True if the start failed."""

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: The system refuses the thread, or it does not begin in time.
        """
        try:
            super().start()
        except BaseException:
            self.is_given_up = True
            raise

    def run(self) -> None:
        """Call the target."""
        if not self.is_given_up:
            super().run()
