"""The dialog that changes a period: says what it would mean as one types, and refuses nonsense in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from taskkit_tui.formatting import clock_time, countdown, harmless, period_text, plural, shorten, typed_period
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.viewmodel.row import TaskRow

LOOK: Final = 1.0
"""Seconds after which the countdowns fall."""
PREVIEWED: Final = 3


class PeriodScreen(Dialog[float]):
    """Answers the period in seconds, or `None`.

    Args:
        rows: The tasks whose period is to change; at least one, each with a period.
        now: The present instant, in epoch seconds.
        due_times_with: Given a name, a period in seconds and how many to tell: the due times that the task
            would have then, in epoch seconds; `None` if there is no period to change any more.
    """

    DEFAULT_CSS = """
    PeriodScreen #preview { margin-top: 1; height: 4; }
    """

    def __init__(
        self,
        rows: Sequence[TaskRow],
        now: Callable[[], float],
        due_times_with: Callable[[str, float, int], Sequence[float] | None],
    ) -> None:
        super().__init__()
        self.rows = tuple(rows)
        self._now = now
        self._due_times_with = due_times_with
        self._sent = False  # since one last typed; only then what is empty is missing

    def compose(self) -> ComposeResult:
        """A field, and what its content would mean."""
        first = self.rows[0]
        with VerticalScroll(id="box", can_focus=False) as box:
            name = shorten(harmless(first.name), 40)
            # As content, not as a string: names are foreign text, which may look like markup.
            box.border_title = Content(
                f"Period of {name if len(self.rows) == 1 else f'{len(self.rows)} tasks'}"
            )
            box.border_subtitle = "⏎ change · esc leave"
            yield Static("Seconds, as in 90 or 0.5, or a span, as in 1h30m", classes="dim", markup=False)
            yield Input(period_text(first.task.period or 0.0), id="period", select_on_focus=True)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Preview what is there, and keep the countdowns falling."""
        self._preview()
        self.set_interval(LOOK, self._preview)

    def on_input_changed(self) -> None:
        """Say at once what it would mean."""
        self._sent = False
        self._preview()

    def on_input_submitted(self) -> None:
        """Answer, unless it is nonsense."""
        try:
            seconds = typed_period(self.query_one(Input).value)
        except ValueError:
            self._sent = True
            self._preview()
            self.app.bell()
            return
        self.dismiss(seconds)

    def _preview(self) -> None:
        preview = self.query_one("#preview", Static)
        typed = self.query_one(Input).value.strip()
        if not typed and not self._sent:
            preview.update("")
            return
        try:
            seconds = typed_period(typed)
        except ValueError as error:
            preview.set_classes("bad")
            preview.update(f"✗ {error}")
            return
        preview.set_classes("dim")
        preview.update("\n".join(self._meaning(seconds)))

    def _meaning(self, seconds: float) -> Sequence[str]:
        """What the first task would do with that period, in lines."""
        now = self._now()
        due_times = self._due_times_with(self.rows[0].name, seconds, PREVIEWED)
        others = len(self.rows) - 1
        which = f"The first of them ({plural(others, 'other')})" if others else "It"
        if due_times is None:
            return [f"{which} has no period any more"]
        if not due_times:
            return [f"{which} is disabled, and not due before it is enabled"]
        title = f"{which} is then due at:" if others else "Then due at:"
        return [
            title,
            *(
                f"{clock_time(due, now):>10}   in {countdown(max(due, now + 0.001), now)}"
                for due in due_times
            ),
        ]
