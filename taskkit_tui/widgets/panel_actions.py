"""The actions of a panel of tasks: each posts a message, and does nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from textual.message import Message

from taskkit_tui.formatting import shorten
from taskkit_tui.messages import ShowLog
from taskkit_tui.viewmodel.panel_order import Sorting
from taskkit_tui.viewmodel.panels.columns import PanelColumn, PanelPlan
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.clipboard import copy
from taskkit_tui.widgets.task_commands import TaskCommands


class Rows(Protocol):
    """The rows of a panel; a list could implement them."""

    def __len__(self) -> int: ...

    @property
    def total(self) -> int:
        """The number of rows, with the hidden ones."""

    @property
    def paused(self) -> bool:
        """True while the scheduler is paused."""

    @property
    def sorting(self) -> Sorting:
        """The order of the rows."""

    @property
    def contents(self) -> Mapping[str, int]:
        """The widths that the columns need, by their keys, as far as they are known."""

    def window(self, start: int, stop: int) -> Sequence[TaskRow]:
        """Return the rows from `start` up to `stop`, or as many as there are."""

    def position(self, number: int) -> int | None:
        """Return the index of a row; None if it is not here."""

    def number_of(self, name: str) -> int | None:
        """Return the number of the newest row of that name, here or elsewhere."""

    def is_marked(self, number: int) -> bool:
        """Return True if a row is marked."""

    def marked(self) -> Sequence[TaskRow]:
        """Return the marked rows of all panels."""

    @property
    def marks(self) -> int:
        """The number of marked rows of all panels."""

    def marked_examples(self) -> Sequence[TaskRow]:
        """Return marked rows, one of each kind that commands treat alike."""


class PanelActions(TaskCommands):
    """The actions of a panel; its subclass shows the rows."""

    @dataclass
    class MarkToggled(Message):
        """Asks to mark rows, or to unmark them if all are marked."""

        panel: PanelActions
        numbers: tuple[int, ...]

    @dataclass
    class SortAsked(Message):
        """Asks for another order of the rows."""

        panel: PanelActions
        sorting: Sorting

    plan: PanelPlan
    rows: Rows

    @property
    def selected(self) -> TaskRow | None:
        """The selected row."""
        raise NotImplementedError

    def targets(self) -> tuple[TaskRow, ...]:
        """Return the rows that a command goes to."""
        raise NotImplementedError

    def select(self, number: int) -> None:
        """Select a row."""
        raise NotImplementedError

    def sortable(self) -> tuple[PanelColumn, ...]:
        """Return the visible columns that can be sorted by; at least one."""
        raise NotImplementedError

    def names(self) -> tuple[str, ...]:
        """Return the tasks that a command goes to."""
        return tuple(row.name for row in self.targets())

    def selected_name(self) -> str | None:
        """Return the task of the selected row."""
        return None if (row := self.selected) is None else row.name

    def action_log_of_all(self) -> None:
        """Show all tasks in the log."""
        self.post_message(ShowLog(None))

    def action_mark(self) -> None:
        """Mark or unmark the selected row, and select the next one that is as this one was.

        The rows may be sorted again meanwhile, so that a marked one is below: the next press must not unmark
        it.
        """
        if (row := self.selected) is None:
            return
        self.post_message(self.MarkToggled(self, (row.number,)))
        was_marked = self.rows.is_marked(row.number)
        for index in range((self.rows.position(row.number) or 0) + 1, len(self.rows)):
            for below in self.rows.window(index, index + 1):
                if self.rows.is_marked(below.number) is was_marked:
                    self.select(below.number)
                    return

    def action_mark_all(self) -> None:
        """Mark every row of this panel that is shown; if all are marked, none."""
        numbers = tuple(row.number for row in self.rows.window(0, len(self.rows)))
        self.post_message(self.MarkToggled(self, numbers))

    def action_sort_next(self) -> None:
        """Sort by the next visible column."""
        every, seen = self.plan.sortable(), self.sortable()
        after = every.index(self.rows.sorting.column) + 1
        following = next(column for column in (*every[after:], *every) if column in seen)
        self.post_message(self.SortAsked(self, Sorting(following)))

    def action_sort_reverse(self) -> None:
        """Reverse the order."""
        sorting = self.rows.sorting
        self.post_message(self.SortAsked(self, Sorting(sorting.column, not sorting.reverse)))

    def action_copy_name(self) -> None:
        """Copy the selected task's name to the clipboard."""
        if (row := self.selected) is not None:
            copy(self, row.name, shorten(row.shown_name, 40))
