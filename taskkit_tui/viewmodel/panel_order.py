"""Keeps the order of one panel's rows, and knows which of them the filter shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container
from dataclasses import dataclass

from taskkit_tui.viewmodel.ordering import Ordering
from taskkit_tui.viewmodel.panels.columns import PanelColumn
from taskkit_tui.viewmodel.row import TaskRow


@dataclass(frozen=True, slots=True)
class Sorting:
    """The column that a panel is sorted by, and the direction."""

    column: PanelColumn
    reverse: bool = False


class PanelOrder:
    """All rows of one panel in their order, and those of them that are shown.

    A filter picks its rows out of those that are sorted already, and nothing has to be sorted again when it
    ends. Without a filter, both are the same object, and a change of a row costs half.
    """

    def __init__(self, sorting: Sorting) -> None:
        self.sorting = sorting
        """The sorting that is in effect."""
        self._all = ordering_by(sorting)
        self.shown = self._all
        """The rows that are shown, in order, never reversed. Do not change it."""

    def update(
        self, rows: Collection[TaskRow], gone: Collection[int], shows: Callable[[TaskRow], bool]
    ) -> None:
        """Put new and changed rows, and discard the numbers of those that left the panel.

        Args:
            rows: Of this panel.
            gone: None of the numbers of `rows`.
            shows: Decides whether a row is shown, if there is a filter.
        """
        self._all.update(rows, gone)
        if self.shown is not self._all:
            shown = [row for row in rows if shows(row)]
            hidden = {row.task.number for row in rows}.difference(row.task.number for row in shown)
            self.shown.update(shown, [*gone, *hidden])

    def numbers(self) -> list[int]:
        """Return the numbers of all rows, hidden ones included."""
        return self._all.numbers()

    def show_all(self) -> None:
        """End the filter."""
        self.shown = self._all

    def show_only(self, numbers: Container[int]) -> None:
        """Show only these rows."""
        self.shown = self._all.only(numbers)

    def use(self, sorting: Sorting, ordering: Ordering) -> None:
        """Put a new ordering of the same rows in effect."""
        shows_all = self.shown is self._all
        self.sorting = sorting
        self._all = ordering
        self.shown = ordering if shows_all else ordering.only(self.shown)


def ordering_by(sorting: Sorting) -> Ordering:
    """Return an empty ordering. Raise `ValueError` for a column that cannot be sorted by."""
    if sorting.column.sort is None:
        raise ValueError(f"cannot sort by {sorting.column.key!r}")
    return Ordering(sorting.column.sort)
