"""Asks until when to disable tasks, and shows how the scheduler reads the time while a person types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual.widgets import Input

from taskkit_tui.screens.preview_dialog import PreviewDialog
from taskkit_tui.viewmodel.forms.typed_time import UNTIL_HINT, TypedTime, until_preview
from taskkit_tui.viewmodel.row import TaskRow


class UntilScreen(PreviewDialog[TypedTime, float]):
    """Answers the time, or None.

    Args:
        rows: The tasks to disable; at least one.
        now: The present instant, in epoch seconds.
        preview: Returns how the scheduler reads a text, in epoch seconds.
    """

    def __init__(
        self,
        rows: Sequence[TaskRow],
        now: Callable[[], float],
        preview: Callable[[str], Awaitable[float]],
    ) -> None:
        super().__init__(rows, now)
        self._ask_preview = preview

    def field(self) -> Input:
        """Make the field, which is empty."""
        return Input(id="until")

    def headings(self, which: str) -> tuple[str, str, str]:
        """Return the title, the verb, and a hint."""
        return f"Disable {which} until", "disable", UNTIL_HINT

    async def read(self, typed: str) -> float:
        """Return the time that a text means, in epoch seconds."""
        return await self._ask_preview(typed)

    def lines(self, preview: float) -> Sequence[str]:
        """Return the time in words."""
        return until_preview(preview, self.now()).split("\n")

    def answer(self, typed: str, preview: float) -> TypedTime:
        """Return what was typed, and the time."""
        return TypedTime(typed, preview)
