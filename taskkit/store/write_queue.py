"""The queue of what has happened and is not written yet; its size is bounded, as the disk may be stuck.

Two kinds of item arrive in the order in which they became true: runs and skips, and, when they are asked for,
changes of the state (`SavedChanges`).

**Guarantee.** `take()` returns the items up to the last state, and none without a state. A file that held a
run without the state that follows from it would have that run done again after a restart.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Final

from taskkit.clock import LockGate
from taskkit.persistence import SavedChanges
from taskkit.store.rows import PastRow, StartedRun

MAX_WAITING_BYTES: Final = 32 * 2**20
"""The most, about, that waits to be written."""


class WriteQueue:
    """A queue from the thread that delivers events to the thread that writes. Thread-safe.

    Args:
        max_bytes: The most, about, that may wait.
    """

    def __init__(self, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self.wake = LockGate()
        """Opened when there is something to write."""
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._items: deque[StartedRun | PastRow] = deque()  # guarded by _lock, as is the rest
        self._first = 0  # the position of the first item; positions only grow
        self._bytes = 0
        self._states: list[tuple[int, SavedChanges]] = []  # each with the position of the item after it
        self._expected = 0
        self._state_arrived = LockGate()
        self._dropped = 0
        self._dropped_runs: set[int] = set()

    @property
    def waiting(self) -> int:
        """The number of runs and skips that wait."""
        return len(self._items)

    @property
    def dropped(self) -> int:
        """The number of runs and skips that were dropped since the last `take_dropped()`."""
        return self._dropped

    def put(self, item: StartedRun | PastRow) -> bool:
        """Add a run or a skip. If too much waits, drop the oldest.

        Returns:
            True if this call dropped the first item since the last `take_dropped()`.
        """
        with self._lock:
            was_empty, dropped = not self._items, self._dropped
            self._items.append(item)
            self._bytes += item.weight
            while self._bytes > self._max_bytes:
                self._drop_first()
            begins_to_drop = dropped == 0 and self._dropped > 0
        if was_empty:
            self.wake.open()
        return begins_to_drop

    def _drop_first(self) -> None:
        dropped = self._items.popleft()
        self._first += 1
        self._bytes -= dropped.weight
        self._dropped += 1
        if dropped.run is not None and len(self._dropped_runs) < self._max_bytes:
            self._dropped_runs.add(dropped.run)

    def expect_state(self) -> None:
        """Note that a part of the state was asked for, and will be put."""
        with self._lock:
            self._expected += 1

    def put_state(self, state: SavedChanges) -> None:
        """Add the state as it is now, or a part of it."""
        with self._lock:
            self._states.append((self._first + len(self._items), state))
            self._expected -= 1
        self._state_arrived.open()

    def wait_for_states(self, timeout: float) -> bool:
        """Wait for the expected states, for `timeout` seconds at most. Returns whether all have arrived."""
        if self._expected:
            self._state_arrived.wait(timeout)
        return not self._expected

    def take(self) -> tuple[list[StartedRun | PastRow], list[SavedChanges]]:
        """Remove and return the items before the last state, and all states; nothing without a state."""
        with self._lock:
            if not self._states:
                return [], []
            until = self._states[-1][0]
            items = [self._items.popleft() for _ in range(max(0, until - self._first))]
            self._first += len(items)
            self._bytes -= sum(item.weight for item in items)
            states = [state for _, state in self._states]
            self._states.clear()
            if self._items:
                self.wake.open()  # they arrived after the last state
        return items, states

    def take_dropped(self) -> tuple[int, set[int]]:
        """Return how many items were dropped since the last call, and the numbers of their runs."""
        with self._lock:
            dropped, runs = self._dropped, self._dropped_runs
            self._dropped, self._dropped_runs = 0, set()
        return dropped, runs
