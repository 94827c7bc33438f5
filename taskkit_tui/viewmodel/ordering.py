"""Keeps rows sorted while single ones change.

Sorting ten thousand rows again after every run would cost more than everything else together. Here a change
costs two binary searches and the move of a block of memory; many changes at once cost one merge.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from itertools import islice
from typing import TypeAlias, TypeVar

from taskkit_tui.viewmodel.row import TaskRow

SortValue: TypeAlias = tuple[float | str, ...]
_Entry: TypeAlias = tuple[SortValue, int]

MERGE_SHARE = 32
"""If more than one in this many rows changes, one merge is cheaper than moving each."""

STEP_ROWS = 1_000
"""Rows between two pauses of work that is done step by step. A step takes some milliseconds at most."""

T = TypeVar("T")


def in_steps(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield the items in lists of `STEP_ROWS`; the last may be shorter."""
    each = iter(items)
    while some := list(islice(each, STEP_ROWS)):
        yield some


class Ordering:
    """The numbers of rows, sorted by a value of each row; ties by number.

    Args:
        value: Gives the sort value of a row.
    """

    def __init__(self, value: Callable[[TaskRow], SortValue]) -> None:
        self._value = value
        self._entries: list[_Entry] = []
        self._entry_of: dict[int, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, number: object) -> bool:
        return number in self._entry_of

    def put(self, row: TaskRow) -> None:
        """Add `row`, or move it to its new position."""
        number = row.task.number
        entry = (self._value(row), number)
        before = self._entry_of.get(number)
        if before == entry:
            return
        if before is not None:
            del self._entries[bisect_left(self._entries, before)]
        insort(self._entries, entry)
        self._entry_of[number] = entry

    def discard(self, number: int) -> None:
        """Remove a row if it is there."""
        entry = self._entry_of.pop(number, None)
        if entry is not None:
            del self._entries[bisect_left(self._entries, entry)]

    def update(self, rows: Collection[TaskRow], gone: Collection[int]) -> None:
        """Put all `rows` and discard all `gone`, in the cheaper way. No number may be in both."""
        if (len(rows) + len(gone)) * MERGE_SHARE < len(self._entries):
            for number in gone:
                self.discard(number)
            for row in rows:
                self.put(row)
            return
        value, entry_of = self._value, self._entry_of
        for number in gone:
            entry_of.pop(number, None)
        changed = []
        for row in rows:
            number = row.task.number
            entry = (value(row), number)
            if entry_of.get(number) != entry:
                entry_of[number] = entry
                changed.append(entry)
        if not changed and not gone:
            return
        changed.sort()
        # Identity tells which entries are out of date. Hashing each would take four times as long.
        self._entries = [entry for entry in self._entries if entry_of.get(entry[1]) is entry]
        self._entries += changed
        self._entries.sort()  # two sorted runs, which Python merges

    def fill(self, rows: Iterable[TaskRow]) -> Iterator[None]:
        """Add many rows to an empty ordering, step by step. It is incomplete until the last step.

        Sorted runs are merged in pairs of about the same size, so that the longest step is one merge.
        """
        value = self._value
        runs: list[list[_Entry]] = []
        for some in in_steps(rows):
            runs.append(sorted((value(row), row.task.number) for row in some))
            self._entry_of.update((entry[1], entry) for entry in runs[-1])
            yield
            while len(runs) > 1 and len(runs[-2]) <= len(runs[-1]):
                yield from _merge_last_two(runs)
        while len(runs) > 1:
            yield from _merge_last_two(runs)
        self._entries = runs[0] if runs else []

    def only(self, numbers: Container[int]) -> Ordering:
        """Return another ordering with only these of the rows."""
        part = Ordering(self._value)
        part._entries = [entry for entry in self._entries if entry[1] in numbers]
        part._entry_of = {entry[1]: entry for entry in part._entries}
        return part

    def position(self, number: int) -> int | None:
        """Return the index of a row; `None` if it is not here."""
        entry = self._entry_of.get(number)
        return None if entry is None else bisect_left(self._entries, entry)

    def numbers(self, start: int = 0, stop: int | None = None) -> list[int]:
        """Return the numbers of the rows from `start` up to `stop`, in order."""
        return [number for _, number in self._entries[start:stop]]

    def count_until(self, value: SortValue) -> int:
        """Return how many rows have at most this value."""
        return bisect_right(self._entries, (value, sys.maxsize))


def _merge_last_two(runs: list[list[_Entry]]) -> Iterator[None]:
    last = runs.pop()
    runs[-1] += last
    runs[-1].sort()
    yield
