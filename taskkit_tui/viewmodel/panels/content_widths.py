"""Tracks how many cells the columns of a panel need for their contents.

A width grows at once. It shrinks only when a task is unregistered, so that columns do not jump as rows come,
change and move to another panel. The cost of a change does not depend on the number of tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import le

from taskkit_tui.viewmodel.panels.columns import PanelColumn
from taskkit_tui.viewmodel.row import TaskRow


class ContentWidths:
    """The widest contents of a panel's columns, for all tasks that have been in it and still exist.

    Args:
        columns: The panel's columns; those without `content_width` are ignored.
    """

    def __init__(self, columns: Iterable[PanelColumn]) -> None:
        self._contents = [
            (column.content_width, column.max_width) for column in columns if column.content_width is not None
        ]
        self._keys = [column.key for column in columns if column.content_width is not None]
        self._of: dict[int, tuple[int, ...]] = {}
        self._longest = [_Longest() for _ in self._keys]

    def add(self, row: TaskRow) -> None:
        """Make room for a new or changed row."""
        number = row.task.number
        needed = tuple([min(content(row), most) for content, most in self._contents])
        before = self._of.get(number)
        if before is None:
            for longest, cells in zip(self._longest, needed, strict=True):
                longest.add(cells)
        elif needed == before or all(map(le, needed, before)):
            return
        else:
            needed = tuple(map(max, needed, before))
            for longest, cells, fewer in zip(self._longest, needed, before, strict=True):
                if cells != fewer:
                    longest.add(cells)
                    longest.drop(fewer)
        self._of[number] = needed

    def forget(self, number: int) -> None:
        """Forget the row of an unregistered task."""
        for longest, cells in zip(self._longest, self._of.pop(number, ()), strict=False):
            longest.drop(cells)

    def cells(self) -> Mapping[str, int]:
        """Return the cells that each column can use, by its key; empty before the first row."""
        if not self._of:
            return {}
        return {key: longest.cells for key, longest in zip(self._keys, self._longest, strict=True)}


class _Longest:
    """The maximum of many lengths."""

    __slots__ = ("_count", "cells")

    def __init__(self) -> None:
        self._count: dict[int, int] = {}
        self.cells = 0

    def add(self, cells: int) -> None:
        self._count[cells] = self._count.get(cells, 0) + 1
        if cells > self.cells:
            self.cells = cells

    def drop(self, cells: int) -> None:
        self._count[cells] -= 1
        if not self._count[cells]:
            del self._count[cells]
            if cells == self.cells:
                self.cells = max(self._count, default=0)
