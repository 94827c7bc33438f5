"""What has happened and is not written yet: bounded, so that a disk that is stuck costs no more than that.

The scheduler's events and, when they are asked for, states of things (`KeptChanges`) come in the order of
truth. They are taken up to the last state, and never without one: a file that holds runs which its state of
things does not know of would have them run again after a restart.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Final

from taskkit.clock import LockGate
from taskkit.keeping import KeptChanges
from taskkit.store.records import PastRow, StartedRun

MOST_WAITING: Final = 32 * 2**20
"""About how many bytes may wait to be written."""


class Inbox:
    """A queue from the thread that tells the events to the one that writes. Thread-safe.

    Args:
        most: About how many bytes may wait.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.wake = LockGate()
        """Opened when there is something to write."""
        self._most = most
        self._lock = Lock()
        self._items: deque[StartedRun | PastRow] = deque()  # guarded by _lock, as is the rest
        self._first = 0  # the place of the first item; places only grow
        self._weight = 0
        self._states: list[tuple[int, KeptChanges]] = []  # with the place of the item that follows
        self._expected = 0
        self._arrived = LockGate()
        self._dropped = 0
        self._dropped_runs: set[int] = set()

    @property
    def waiting(self) -> int:
        """How many runs and skips wait."""
        return len(self._items)

    @property
    def dropped(self) -> int:
        """How much was dropped since somebody took note of it."""
        return self._dropped

    def put(self, item: StartedRun | PastRow) -> bool:
        """Something happened. If too much waits, the oldest that waits is dropped and counted.

        Returns:
            Whether that has begun just now.
        """
        with self._lock:
            was_empty, dropped = not self._items, self._dropped
            self._items.append(item)
            self._weight += item.weight
            while self._weight > self._most:
                self._drop_first()
            begins_to_drop = dropped == 0 and self._dropped > 0
        if was_empty:
            self.wake.open()
        return begins_to_drop

    def _drop_first(self) -> None:
        dropped = self._items.popleft()
        self._first += 1
        self._weight -= dropped.weight
        self._dropped += 1
        if dropped.run is not None and len(self._dropped_runs) < self._most:
            self._dropped_runs.add(dropped.run)

    def expect_state(self) -> None:
        """A part of how things stand was asked for."""
        with self._lock:
            self._expected += 1

    def put_state(self, state: KeptChanges) -> None:
        """How things stand now, or a part of it."""
        with self._lock:
            self._states.append((self._first + len(self._items), state))
            self._expected -= 1
        self._arrived.open()

    def wait_for_states(self, timeout: float) -> bool:
        """Wait for what was asked for, or for `timeout` seconds. Whether all of it has come."""
        if self._expected:
            self._arrived.wait(timeout)
        return not self._expected

    def take(self) -> tuple[list[StartedRun | PastRow], list[KeptChanges]]:
        """What came before the last state, and the states; nothing if there is none."""
        with self._lock:
            if not self._states:
                return [], []
            until = self._states[-1][0]
            items = [self._items.popleft() for _ in range(max(0, until - self._first))]
            self._first += len(items)
            self._weight -= sum(item.weight for item in items)
            states = [state for _, state in self._states]
            self._states.clear()
            if self._items:
                self.wake.open()  # they came while the state was waited for
        return items, states

    def take_dropped(self) -> tuple[int, set[int]]:
        """How much was dropped since the last call, and of which runs."""
        with self._lock:
            dropped, runs = self._dropped, self._dropped_runs
            self._dropped, self._dropped_runs = 0, set()
        return dropped, runs
