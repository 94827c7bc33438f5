"""A thread whose start fails in bounded time if the system lacks the memory to begin it.

The library and the dashboard start all their threads so. `Thread.start` waits without limit for the thread
to begin; one that lacks the memory for its first call ends before it has said so.

The race at the end of that time:

1. The one who starts the thread has waited for `START_SECONDS`. The thread begins at this very moment.
2. Both want `_decision`. The first one to take it decides: the start failed, or the thread runs its target.

Guarantee: a thread whose start failed never calls its target, so that its work can be done by another.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Final

START_SECONDS: Final = 10.0
"""Longest time that a new thread may take to begin."""


class _EventWithTimeout(Event):
    """The event for which `Thread.start` waits.

    Args:
        decision: Taken by the thread if it begins, and here if it does so too late.
    """

    def __init__(self, decision: Lock) -> None:
        super().__init__()
        self._decision = decision

    def wait(self, timeout: float | None = None) -> bool:
        if super().wait(START_SECONDS if timeout is None else timeout):
            return True
        if self._decision.acquire(blocking=False):
            raise RuntimeError("can't start new thread: it never began")
        return True


class BoundedStartThread(Thread):
    """A daemon thread like any other, except for its start. One that begins too late does nothing.

    Args:
        target: The function to call there. A subclass has one, too: it must not override `run`.
        name: The name of the thread.
    """

    def __init__(self, target: Callable[[], object], *, name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)
        self._decision = Lock()
        self._started = _EventWithTimeout(self._decision)

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: The system refuses the thread, or it does not begin in time.
        """
        super().start()

    def run(self) -> None:
        """Call the target, unless the start failed."""
        if self._decision.acquire(blocking=False):
            super().run()
