"""A queue for messages from signal handlers and other threads to the main thread."""

from __future__ import annotations

import os
import select
from collections import deque
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class SignalQueue(Generic[T]):
    """A queue whose reader wakes for every signal, on whichever thread the system delivers it.

    The reader waits in poll(2) on a pipe, not on a lock. Only a signal to the waiting thread itself would
    interrupt a lock: one that the system delivers to another thread would be noticed too late. `put` is for
    any thread and for signal handlers, `get` for one thread.

    No item is missed: `get` (1) empties the pipe, (2) looks for an item, (3) waits on the pipe, and repeats.
    `put` appends the item before it writes a byte, so an item too late for step 2 ends the wait of step 3.
    """

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._reading, self.descriptor = os.pipe()
        """Any byte written to `descriptor` wakes the reader."""
        for each in (self._reading, self.descriptor):
            os.set_blocking(each, False)
        self._poll = select.poll()
        self._poll.register(self._reading, select.POLLIN)

    def put(self, item: T) -> None:
        """Append an item."""
        self._items.append(item)
        try:
            os.write(self.descriptor, b"\0")
        except BlockingIOError:
            pass  # the pipe is full, so the reader wakes anyway

    def get(self, timeout: float | None = None) -> T | None:
        """Remove and return the oldest item.

        Args:
            timeout: Seconds to wait; `None` for no limit.

        Returns:
            `None` if no item came in time.
        """
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            self._drain()
            if self._items:
                return self._items.popleft()
            left = None if deadline is None else max(0.0, deadline - monotonic())
            if not self._wait(left) and left is not None:
                return None

    def _wait(self, seconds: float | None) -> bool:
        try:
            return bool(self._poll.poll(None if seconds is None else 1000 * seconds))
        except OSError:  # poll(2) fails if RLIMIT_NOFILE is below the number of descriptors it is given
            return bool(select.select([self._reading], [], [], seconds)[0])

    def _drain(self) -> None:
        try:
            while len(os.read(self._reading, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
