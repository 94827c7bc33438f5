"""The dialog that changes a schedule without a period: says what it would mean as one types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from taskkit import OnDemand, Schedule
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.typed_schedule import WHEN_HINT, as_typed, preview_lines, read_schedule

LOOK: Final = 1.0
"""Seconds after which the countdowns fall."""
PREVIEWED: Final = 3


class ScheduleScreen(Dialog[Schedule]):
    """Answers the schedule, or `None`.

    Args:
        rows: The tasks whose schedule is to change; at least one.
        now: The present instant, in epoch seconds.
    """

    DEFAULT_CSS = """
    ScheduleScreen #preview { margin-top: 1; height: 4; }
    """

    def __init__(self, rows: Sequence[TaskRow], now: Callable[[], float]) -> None:
        super().__init__()
        self.rows = tuple(rows)
        self._now = now
        self._sent = False  # since one last typed; only then what is empty is missing

    def compose(self) -> ComposeResult:
        """A field, and what its content would mean."""
        first = self.rows[0]
        with VerticalScroll(id="box", can_focus=False) as box:
            name = shorten(harmless(first.name), 40)
            which = name if len(self.rows) == 1 else f"{len(self.rows)} tasks"
            # As content, not as a string: names are foreign text, which may look like markup.
            box.border_title = Content(f"Schedule of {which}")
            box.border_subtitle = "⏎ change · esc leave"
            yield Static(WHEN_HINT, classes="dim", markup=False)
            yield Input(as_typed(first.task), id="when", select_on_focus=True)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Preview what is there, and keep the countdowns falling."""
        self._read()
        self.set_interval(LOOK, self._read)

    def on_input_changed(self) -> None:
        """Say at once what it would mean."""
        self._sent = False
        self._read()

    def on_input_submitted(self) -> None:
        """Answer, unless it is nonsense."""
        self._sent = True
        schedule = self._read()
        if schedule is None:
            self.app.bell()
        else:
            self.dismiss(schedule)

    def _read(self) -> Schedule | None:
        """Tell what was typed would mean, or what is wrong with it; the schedule if nothing is."""
        preview = self.query_one("#preview", Static)
        typed = self.query_one(Input).value.strip()
        if not typed and not self._sent:
            preview.update("")
            return None
        now = self._now()
        try:
            schedule = read_schedule(typed, now)
        except (ValueError, TypeError) as error:
            preview.set_classes("bad")
            preview.update(f"✗ {harmless(str(error))}")
            return None
        preview.set_classes("dim")
        told = preview_lines(schedule, now, PREVIEWED, at_once=False)
        if all(row.task.disabled for row in self.rows) and not isinstance(schedule, OnDemand):
            told = [told[0], "Not due before it is enabled"]
        preview.update("\n".join(told))
        return schedule
