"""What the keys of a panel of tasks do: they ask, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from textual.message import Message

from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.messages import ShowDetails
from taskkit_tui.viewmodel.columns import PanelPlan
from taskkit_tui.viewmodel.model import Sorting
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.task_commands import TaskCommands


class Rows(Protocol):
    """What a panel looks into; a list could stand behind it."""

    def __len__(self) -> int: ...

    @property
    def total(self) -> int:
        """How many there are, hidden ones counted."""

    @property
    def paused(self) -> bool:
        """Whether nothing falls due."""

    @property
    def sorting(self) -> Sorting:
        """What they are sorted by."""

    @property
    def contents(self) -> Mapping[str, int]:
        """The cells that they need in the columns, by their keys, as far as that is known."""

    def window(self, start: int, stop: int) -> Sequence[TaskRow]:
        """The rows from `start` up to `stop`, as far as there are that many."""

    def position(self, number: int) -> int | None:
        """The index of a row, `None` if it is not here."""

    def number_of(self, name: str) -> int | None:
        """The number of the newest row of that name, whether it is here or not."""

    def is_marked(self, number: int) -> bool:
        """Whether a row is marked."""

    def marked(self) -> Sequence[TaskRow]:
        """The marked rows of all panels."""


class PanelActions(TaskCommands):
    """The half of a panel that knows what can be asked for; the other half shows rows."""

    @dataclass
    class MarkToggled(Message):
        """Rows are to be marked, or no longer; all of them alike."""

        panel: PanelActions
        numbers: tuple[int, ...]

    @dataclass
    class SortAsked(Message):
        """The rows are to be in another order."""

        panel: PanelActions
        sorting: Sorting

    @dataclass
    class LogAsked(Message):
        """The log is to show one task only, or all of them."""

        name: str | None

    plan: PanelPlan
    rows: Rows

    @property
    def selected(self) -> TaskRow | None:
        """The row that keys act on."""
        raise NotImplementedError

    def targets(self) -> tuple[TaskRow, ...]:
        """The rows that a command goes to."""
        raise NotImplementedError

    def select(self, number: int) -> None:
        """Put the cursor on a row."""
        raise NotImplementedError

    def names(self) -> tuple[str, ...]:
        """The tasks that a command goes to."""
        return tuple(row.name for row in self.targets())

    def selected_name(self) -> str | None:
        """The task of the selected row."""
        return None if (row := self.selected) is None else row.name

    def action_details(self) -> None:
        """Open everything about the selected task."""
        if (row := self.selected) is not None:
            self.post_message(ShowDetails(row.name))

    def action_log_of_task(self) -> None:
        """Show only this task in the log."""
        if (row := self.selected) is not None:
            self.post_message(self.LogAsked(row.name))

    def action_log_of_all(self) -> None:
        """Show all tasks in the log."""
        self.post_message(self.LogAsked(None))

    def action_mark(self) -> None:
        """Mark the selected row, or take its mark away, and go on to the next that is as this one was.

        The rows sort themselves anew meanwhile: a marked one may have come to stand below, and who marks on
        must not take its mark away.
        """
        if (row := self.selected) is None:
            return
        self.post_message(self.MarkToggled(self, (row.number,)))
        was_marked = self.rows.is_marked(row.number)
        below = self.rows.window((self.rows.position(row.number) or 0) + 1, len(self.rows))
        following = next((each for each in below if self.rows.is_marked(each.number) is was_marked), None)
        if following is not None:
            self.select(following.number)

    def action_mark_all(self) -> None:
        """Mark every row of this panel that is shown; if all are marked, none."""
        numbers = tuple(row.number for row in self.rows.window(0, len(self.rows)))
        self.post_message(self.MarkToggled(self, numbers))

    def action_sort_next(self) -> None:
        """Sort by the next column that one can sort by."""
        sortable = self.plan.sortable()
        index = sortable.index(self.rows.sorting.column)
        self.post_message(self.SortAsked(self, Sorting(sortable[(index + 1) % len(sortable)])))

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        sorting = self.rows.sorting
        self.post_message(self.SortAsked(self, Sorting(sorting.column, not sorting.reverse)))

    def action_copy_name(self) -> None:
        """Copy the selected task's name to the clipboard."""
        if (row := self.selected) is not None:
            self.app.copy_to_clipboard(row.name)
            self.notify(f"Copied {shorten(harmless(row.name), 40)}", markup=False)
