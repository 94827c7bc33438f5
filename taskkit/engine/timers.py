"""Timer queues: a heap of instants with tickets, lazy deletion and pruning.

Cancelling leaves the entry in the heap. It is stale because its item no longer holds its ticket, and is
skipped when it comes up. When most entries are stale the heap is rebuilt, so neither time nor memory grows
with the number of cancellations (the idea of asyncio's timers and of trio's `Deadlines`).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final, Generic, Protocol, TypeVar

NO_TICKET: Final = 0

_next_ticket = count(1).__next__

_SMALL: Final = 64


class Ticketed(Protocol):
    """An item that is in one queue at most."""

    ticket: int
    """The ticket of its live entry, or `NO_TICKET`."""


Item = TypeVar("Item", bound=Ticketed)
Entries = list[tuple[float, int, Item]]


class TimerQueue(Generic[Item]):
    """Items ordered by the instant at which they fall due, and by arrival within one instant.

    Every operation is O(log n) amortised. Not thread-safe.
    """

    __slots__ = ("_heap", "_live", "_unjittered")

    def __init__(self) -> None:
        self._heap: Entries[Item] = []
        self._unjittered: Entries[Item] = []  # by their due times without jitter; only items that have one
        self._live = 0

    def __len__(self) -> int:
        return self._live

    def put(self, item: Item, due: float, jitter: float = 0.0) -> None:
        """Add `item`, which is in no queue. It falls due `jitter` seconds after `due`."""
        item.ticket = ticket = _next_ticket()
        self._live += 1
        heappush(self._heap, (due + jitter if jitter else due, ticket, item))
        if jitter:
            heappush(self._unjittered, (due, ticket, item))
            if len(self._unjittered) > _SMALL and self._live * 2 < len(self._unjittered):
                self._unjittered = _live_ones(self._unjittered)

    def discard(self, item: Item) -> None:
        """Remove `item`, which is in this queue or in none."""
        if item.ticket == NO_TICKET:
            return
        item.ticket = NO_TICKET
        self._live -= 1
        if len(self._heap) > _SMALL and self._live * 2 < len(self._heap):
            self._heap = _live_ones(self._heap)

    def next_due(self) -> float | None:
        """Return when the earliest item falls due, jitter included."""
        return _first(self._heap)

    def next_due_without_jitter(self) -> float | None:
        """Return the earliest due time without jitter, as people are shown it."""
        due, unjittered = _first(self._heap), _first(self._unjittered)
        return due if unjittered is None or due is None else min(due, unjittered)

    def pop_due(self, now: float) -> tuple[Item, float] | None:
        """Remove the earliest item that is due by `now`. Return it and when it was due."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, ticket, item = heappop(heap)
            if item.ticket == ticket:
                item.ticket = NO_TICKET
                self._live -= 1
                return item, due
        return None


def _first(heap: Entries[Item]) -> float | None:
    while heap:
        due, ticket, item = heap[0]
        if item.ticket == ticket:
            return due
        heappop(heap)
    return None


def _live_ones(heap: Entries[Item]) -> Entries[Item]:
    live = [entry for entry in heap if entry[2].ticket == entry[1]]
    heapify(live)
    return live
