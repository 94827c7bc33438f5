"""Asks for a period, shows the due times with it while a person types, and refuses invalid ones in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker

from taskkit import TaskkitError
from taskkit.words.durations import countdown, period_text, typed_period
from taskkit.words.times import clock_time
from taskkit_tui.formatting import harmless, plural, shorten
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.viewmodel.row import TaskRow

TICK_SECONDS: Final = 1.0
"""Time between two updates of the countdowns."""
PREVIEWED: Final = 3


class PeriodScreen(Dialog[float]):
    """Answers the period in seconds, or None.

    Args:
        rows: The tasks whose period is to change; at least one, each with a period.
        now: The present instant, in epoch seconds.
        due_times_with: Returns the due times of a task with another period, in epoch seconds, for its name,
            the period in seconds and the number of due times; None if it no longer has a period.
    """

    DEFAULT_CSS = """
    PeriodScreen #preview { margin-top: 1; height: 4; }
    """

    def __init__(
        self,
        rows: Sequence[TaskRow],
        now: Callable[[], float],
        due_times_with: Callable[[str, float, int], Awaitable[Sequence[float] | None]],
    ) -> None:
        super().__init__()
        self.rows = tuple(rows)
        self._now = now
        self._due_times_with = due_times_with
        self._sent = False  # since one last typed; only then what is empty is missing

    def compose(self) -> ComposeResult:
        """Make a field, and a preview under it."""
        first = self.rows[0]
        with VerticalScroll(id="box", can_focus=False) as box:
            name = shorten(first.shown_name, 40)
            # As content, not as a string: names are foreign text, which may look like markup.
            box.border_title = Content(
                f"Period of {name if len(self.rows) == 1 else f'{len(self.rows)} tasks'}"
            )
            box.border_subtitle = "⏎ change · esc leave"
            yield Static("Seconds, as in 90 or 0.5, or a span, as in 1h30m", classes="dim", markup=False)
            yield Input(period_text(first.task.period or 0.0), id="period", select_on_focus=True)
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Show the preview, and update its countdowns."""
        self._preview()
        self.set_interval(TICK_SECONDS, self._preview)

    def on_input_changed(self) -> None:
        """Update the preview."""
        self._sent = False
        self._preview()

    def on_input_submitted(self) -> None:
        """Answer, unless the text is invalid."""
        try:
            seconds = typed_period(self.query_one(Input).value)
        except ValueError:
            self._sent = True
            self._preview()
            self.app.bell()
            return
        self.dismiss(seconds)

    def _preview(self) -> None:
        self.workers.cancel_group(self, "preview")
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
        foresee = partial(self._foresee, seconds)
        _worker: Worker[None] = self.run_worker(foresee, group="preview", exclusive=True)

    async def _foresee(self, seconds: float) -> None:
        """Show what the first task would do with that period, once it is known."""
        preview = self.query_one("#preview", Static)
        try:
            due_times = await self._due_times_with(self.rows[0].name, seconds, PREVIEWED)
        except (TaskkitError, ValueError) as error:  # a service does not answer
            preview.set_classes("bad")
            preview.update(f"✗ {harmless(str(error))}")
            return
        preview.set_classes("dim")
        preview.update("\n".join(self._meaning(due_times)))

    def _meaning(self, due_times: Sequence[float] | None) -> Sequence[str]:
        """Return what these due times mean for the first task, in lines."""
        now = self._now()
        others = len(self.rows) - 1
        which = f"The first of them ({plural(others, 'other')})" if others else "It"
        if due_times is None:
            return [f"{which} no longer has a period"]
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
