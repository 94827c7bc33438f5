"""What falls due when: a heap of instants with tickets, lazy deletion and pruning.

Cancelling leaves the entry in the heap; it is stale because its item no longer holds its ticket, and is
skipped when it comes up. When most entries are stale the heap is built anew, so neither time nor memory
grows with the number of cancellations (the idea of asyncio's timers and of trio's `Deadlines`).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final, Generic, Protocol, TypeVar

NO_TICKET: Final = 0

_next_ticket = count(1).__next__

_SMALL: Final = 64


class Ticketed(Protocol):
    """Something that is on one agenda at most."""

    ticket: int
    """The ticket of its live entry, `NO_TICKET` if it has none."""


Item = TypeVar("Item", bound=Ticketed)
Entries = list[tuple[float, int, Item]]


class Agenda(Generic[Item]):
    """Items by the instant at which they fall due, those of one instant in the order of arrival.

    Every operation is O(log n) amortised. Not thread-safe.
    """

    __slots__ = ("_heap", "_live", "_put_off")

    def __init__(self) -> None:
        self._heap: Entries[Item] = []
        self._put_off: Entries[Item] = []  # by the due times that they are told with
        self._live = 0

    def __len__(self) -> int:
        return self._live

    def put(self, item: Item, due: float, put_off: float = 0.0) -> None:
        """Let `item`, which is on no agenda, fall due at `due`, or `put_off` seconds later."""
        item.ticket = ticket = _next_ticket()
        self._live += 1
        heappush(self._heap, (due + put_off if put_off else due, ticket, item))
        if put_off:
            heappush(self._put_off, (due, ticket, item))
            if len(self._put_off) > _SMALL and self._live * 2 < len(self._put_off):
                self._put_off = _live_ones(self._put_off)

    def discard(self, item: Item) -> None:
        """Take `item` off; it must be on this agenda or on none."""
        if item.ticket == NO_TICKET:
            return
        item.ticket = NO_TICKET
        self._live -= 1
        if len(self._heap) > _SMALL and self._live * 2 < len(self._heap):
            self._heap = _live_ones(self._heap)

    def next_due(self) -> float | None:
        """When the earliest item falls due, by how much it was put off included."""
        return _first(self._heap)

    def next_told(self) -> float | None:
        """The earliest due time, by how much any was put off left out."""
        due, told = _first(self._heap), _first(self._put_off)
        return due if told is None or due is None else min(due, told)

    def pop_due(self, now: float) -> tuple[Item, float] | None:
        """Take off the earliest item that is due by `now`, and say when it was due."""
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
