"""Where the main thread waits for what happens: on other threads, and in signal handlers."""

from __future__ import annotations

import os
import select
from collections import deque
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class News(Generic[T]):
    """A queue whose reader a signal wakes, on whichever thread the system delivers it.

    A reader that waited on a lock would sleep on, as only a signal that is delivered to its own thread
    interrupts that. `put` is for any thread, and for signal handlers; `get` for one thread.
    """

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._reading, self.descriptor = os.pipe()
        """Whatever is written to `descriptor` wakes the reader."""
        for each in (self._reading, self.descriptor):
            os.set_blocking(each, False)
        self._poll = select.poll()
        self._poll.register(self._reading, select.POLLIN)

    def put(self, item: T) -> None:
        """Append one."""
        self._items.append(item)
        try:
            os.write(self.descriptor, b"\0")
        except BlockingIOError:
            pass  # it is full, so the reader will wake

    def get(self, timeout: float | None = None) -> T | None:
        """The oldest one.

        Args:
            timeout: Seconds to wait at most; `None` for as long as it takes.

        Returns:
            `None` if there is none in time.
        """
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            self._drain()
            if self._items:
                return self._items.popleft()
            left = None if deadline is None else max(0.0, deadline - monotonic())
            if not self._poll.poll(None if left is None else 1000 * left) and left is not None:
                return None

    def _drain(self) -> None:
        # Before the look for items: what is put after that look wakes the next wait.
        try:
            while len(os.read(self._reading, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
