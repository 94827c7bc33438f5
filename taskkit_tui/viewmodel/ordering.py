"""A sorted sequence that stays sorted while single members change.

Sorting ten thousand rows again for every run that ends would cost more than everything else together.
Here a change costs two binary searches and the move of a block of memory.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from typing import TypeAlias

from taskkit_tui.viewmodel.row import TaskRow

SortValue: TypeAlias = tuple[float | str, ...]
_Entry: TypeAlias = tuple[SortValue, int]

RESORT_SHARE = 8
"""When more than one in so many members changes, sorting anew is cheaper than moving each."""


class Ordering:
    """The numbers of rows, ordered by a value of each row, ties by number."""

    def __init__(self, value: Callable[[TaskRow], SortValue]) -> None:
        self._value = value
        self._entries: list[_Entry] = []
        self._entry_of: dict[int, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, number: int) -> bool:
        return number in self._entry_of

    def put(self, row: TaskRow) -> None:
        """Add `row`, or move it to where it belongs now."""
        entry = (self._value(row), row.number)
        before = self._entry_of.get(row.number)
        if before == entry:
            return
        if before is not None:
            del self._entries[bisect_left(self._entries, before)]
        insort(self._entries, entry)
        self._entry_of[row.number] = entry

    def discard(self, number: int) -> None:
        """Remove a row if it is there."""
        entry = self._entry_of.pop(number, None)
        if entry is not None:
            del self._entries[bisect_left(self._entries, entry)]

    def update(self, rows: Iterable[TaskRow], gone: Iterable[int]) -> None:
        """Put all of `rows` and discard all of `gone`, in whichever way is cheaper."""
        rows, gone = list(rows), list(gone)
        if (len(rows) + len(gone)) * RESORT_SHARE < len(self._entries):
            for number in gone:
                self.discard(number)
            for row in rows:
                self.put(row)
            return
        for number in gone:
            self._entry_of.pop(number, None)
        for row in rows:
            self._entry_of[row.number] = (self._value(row), row.number)
        self._entries = sorted(self._entry_of.values())

    def position(self, number: int) -> int | None:
        """The index of a row."""
        entry = self._entry_of.get(number)
        return None if entry is None else bisect_left(self._entries, entry)

    def numbers(self, start: int = 0, stop: int | None = None) -> list[int]:
        """The numbers of the rows from `start` up to `stop`, in order."""
        return [number for _, number in self._entries[start:stop]]

    def count_until(self, value: SortValue) -> int:
        """How many rows have at most this value."""
        return bisect_right(self._entries, (value, sys.maxsize))
