"""Shows the last failures of all tasks; one of them opens with its traceback and output."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from taskkit_tui.formatting import plural
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.messages import ShowDetails
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.details.stored_history import PAGE
from taskkit_tui.viewmodel.failure_rows import (
    FailureQuery,
    Failures,
    PastFailure,
    failure_columns,
    failure_copy,
    failure_line,
    failure_titles,
)
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.text_lines import BLANK, Line, line, wrapped
from taskkit_tui.widgets.clipboard import copy
from taskkit_tui.widgets.line_list import LineList

TICK_SECONDS: Final = 1.0
"""Time between two looks for new failures."""
_NEAR: Final = 30
"""More stored failures are loaded this many rows before the end of the list."""
_NOTHING: Final = "No failures are recorded."
_ERROR_LEVEL: Final = 40


class FailuresScreen(Dialog[None]):
    """The last failures, the newest first.

    Args:
        failures: Those of this session.
        model: The state of the tasks.
        look_for: Called on a thread for those that are stored.
    """

    DEFAULT_CSS = """
    FailuresScreen > LineList {
        width: 118;
        max-width: 100%;
        height: 80%;
        max-height: 100%;
        background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "open",
            "Read",
            id="failures.open",
            tooltip="Read the traceback or the last output of the run.",
        ),
        Binding("i", "details", "Details", id="failures.details", tooltip="Open the details of its task."),
        Binding(
            "y", "copy", "Copy", id="failures.copy", tooltip="Copy the failure, with its traceback or output."
        ),
        Binding("q,F", "cancel", "Close", id="failures.close", tooltip="Go back to the tasks."),
    ]

    def __init__(self, failures: Failures, model: TaskModel, look_for: FailureQuery) -> None:
        super().__init__()
        self._failures = failures
        self._model = model
        self._look_for = look_for
        self._stored: list[PastFailure] = []
        self._all: Sequence[PastFailure] = ()
        self._asking = False
        self._complete = False
        self._key: object = None

    def compose(self) -> ComposeResult:
        """Make a list in a box that scrolls."""
        box = LineList(self._lines, id="failures", titles=self._titles, choosing=True)
        box.border_title = "Failures"
        box.border_subtitle = (
            "✗ fails still · ✓ recovered · – gone    ⏎ read · i details · y copy · esc close"
        )
        yield box

    def on_mount(self) -> None:
        """Show what is known, ask for the rest, and look again once a second."""
        self._look()
        self.set_interval(TICK_SECONDS, self._look)

    # What is shown.

    @property
    def _list(self) -> LineList:
        return self.query_one(LineList)

    @property
    def selected(self) -> PastFailure | None:
        """The failure that the cursor is on."""
        index = self._list.index
        return self._all[index] if index < len(self._all) else None

    def _look(self) -> None:
        """Show what failed meanwhile; the cursor stays on its failure, or on the newest if it is there."""
        self._all = self._failures.with_stored(self._stored)
        index = next((at for at, each in enumerate(self._all) if each.key == self._key), 0)
        self._list.choosing = bool(self._all)
        self._list.show(index)
        self._list.border_title = f"Failures {len(self._all):,}{'' if self._complete else ' +'}"
        self._ask()

    def _titles(self, width: int) -> Line:
        now = self._model.figures.time
        return failure_titles(failure_columns(self._all, now, width)) if self._all else BLANK

    def _lines(self, width: int) -> list[Line]:
        now = self._model.figures.time
        if not self._all:
            words = _NOTHING if self._complete else "Reading the stored history …"
            return [line(row, Tone.DIM) for row in wrapped(words, width)]
        columns = failure_columns(self._all, now, width)
        return [failure_line(each, self._model, now, columns) for each in self._all]

    # What is stored.

    def _ask(self) -> None:
        """Ask for the next page, where one comes near the end of those that are there."""
        if self._asking or self._complete or len(self._all) - self._list.reached >= _NEAR:
            return
        self._asking = True
        self.run_worker(self._read(), "failures")

    async def _read(self) -> None:
        wanted = True
        before = self._stored[-1].stored if self._stored else None
        try:
            page = await to_thread(self._look_for, before, lambda: wanted)
        finally:
            wanted = False
        self._asking = False
        self._complete = len(page) < PAGE
        self._stored += page
        if self.is_attached and self.app.is_running:
            self._look()

    # Keys.

    @on(LineList.CursorMoved)
    def _chosen(self, event: LineList.CursorMoved) -> None:
        # On the newest the cursor stays with the newest.
        self._key = self._all[event.index].key if event.index and event.index < len(self._all) else None
        self._list.show(event.index)
        self._ask()

    @on(LineList.Opened)
    def _opened(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """Read the traceback or the last output of the run."""
        if (failure := self.selected) is None:
            return
        from taskkit_tui.screens.traceback_screen import TracebackScreen

        traceback = failure.text if failure.has_traceback else None
        self._key = failure.key
        self.app.push_screen(
            TracebackScreen(
                LogLine(failure.at, failure.name, failure.run, "log", _ERROR_LEVEL, failure.text, traceback)
            )
        )

    def action_details(self) -> None:
        """Open everything about the task, on this run if it is of this life."""
        if (failure := self.selected) is not None:
            self._key = failure.key
            self.app.post_message(ShowDetails(failure.name, failure.run if failure.stored is None else None))

    def action_copy(self) -> None:
        """Copy the failure, with its traceback or output."""
        if (failure := self.selected) is not None:
            text = failure_copy(failure)
            copy(self, text, plural(text.count("\n") + 1, "line"))
