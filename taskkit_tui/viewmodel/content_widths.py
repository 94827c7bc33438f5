"""How many cells the columns of a panel need for what stands in them.

A width grows at once. It shrinks only when a task is gone, so that nothing jumps while rows come, change and
move to another panel. What a change costs does not depend on how many tasks there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from taskkit_tui.viewmodel.columns import Column
from taskkit_tui.viewmodel.row import TaskRow


class ContentWidths:
    """The widest contents of a panel's columns, over all tasks that have been in it and still exist.

    Args:
        columns: Those that say how wide they are for a row; others are left alone.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = [
            (column.content, column.most, _Longest()) for column in columns if column.content is not None
        ]
        self._keys = [column.key for column in columns if column.content is not None]

    def take(self, row: TaskRow) -> None:
        """Find room for a row that is new, or different."""
        for content, most, longest in self._columns:
            longest.hold(row.number, min(content(row), most))

    def forget(self, number: int) -> None:
        """A task is gone."""
        for _, _, longest in self._columns:
            longest.let_go(number)

    def cells(self) -> Mapping[str, int]:
        """The cells that each column can use, by its key; nothing, if there was no row yet."""
        return {
            key: longest.cells
            for key, (_, _, longest) in zip(self._keys, self._columns, strict=True)
            if longest.is_of_any
        }


class _Longest:
    """The longest of many lengths, each of which only grows."""

    def __init__(self) -> None:
        self._of: dict[int, int] = {}
        self._count: dict[int, int] = {}
        self.cells = 0

    @property
    def is_of_any(self) -> bool:
        """Whether there are any."""
        return bool(self._of)

    def hold(self, number: int, cells: int) -> None:
        before = self._of.get(number, -1)
        if before >= cells:
            return
        self._of[number] = cells
        self._count[cells] = self._count.get(cells, 0) + 1
        if cells > self.cells:
            self.cells = cells
        if before >= 0:
            self._drop(before)

    def let_go(self, number: int) -> None:
        cells = self._of.pop(number, None)
        if cells is not None:
            self._drop(cells)

    def _drop(self, cells: int) -> None:
        self._count[cells] -= 1
        if not self._count[cells]:
            del self._count[cells]
            if cells == self.cells:
                self.cells = max(self._count, default=0)
