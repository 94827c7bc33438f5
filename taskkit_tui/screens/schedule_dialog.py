"""Asks for a schedule, and shows its due times while a person types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from textual.widgets import Input

from taskkit_tui.screens.preview_dialog import PreviewDialog
from taskkit_tui.viewmodel.forms.schedule_preview import (
    WHEN_HINT,
    SchedulePreview,
    TypedSchedule,
    as_typed,
    preview_lines,
)
from taskkit_tui.viewmodel.row import TaskRow

PREVIEWED: Final = 3


class ScheduleScreen(PreviewDialog[TypedSchedule, SchedulePreview]):
    """Answers the schedule, or None.

    Args:
        rows: The tasks whose schedule is to change; at least one.
        now: The present instant, in epoch seconds.
        preview: How the scheduler reads a text, with up to that many due times.
    """

    def __init__(
        self,
        rows: Sequence[TaskRow],
        now: Callable[[], float],
        preview: Callable[[str, int], Awaitable[SchedulePreview]],
    ) -> None:
        super().__init__(rows, now)
        self._ask_preview = preview

    def field(self) -> Input:
        """Make the field, with the present schedule of the first task."""
        return Input(as_typed(self.rows[0].task), id="when", select_on_focus=True)

    def headings(self, which: str) -> tuple[str, str, str]:
        """Return the title, the verb, and a hint."""
        return f"Schedule of {which}", "change", WHEN_HINT

    async def read(self, typed: str) -> SchedulePreview:
        """Return the schedule that a text means, with its next due times."""
        return await self._ask_preview(typed, PREVIEWED)

    def lines(self, preview: SchedulePreview) -> Sequence[str]:
        """Return the schedule in words, and its due times."""
        lines = preview_lines(preview, self.now())
        if preview.due_times and all(row.task.disabled for row in self.rows):
            return [lines[0], "Not due before it is enabled"]
        return lines

    def answer(self, typed: str, preview: SchedulePreview) -> TypedSchedule:
        """Return what was typed, and its words."""
        return TypedSchedule(typed, preview.words)
