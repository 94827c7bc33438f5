"""Shows the traceback of a failure, with syntax colours."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from taskkit.words.times import full_time
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.viewmodel.details.run_text import traceback_lines
from taskkit_tui.widgets.clipboard import copy
from taskkit_tui.widgets.line_list import LineList


class TracebackScreen(Dialog[None]):
    """The traceback of a failed run, to read and to copy.

    Args:
        line: The line of the log that reports the failure.
    """

    DEFAULT_CSS = """
    TracebackScreen > LineList {
        width: 110;
        max-width: 100%;
        height: 80%;
        max-height: 100%;
        background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter", "cancel", "Close", id="traceback.close", tooltip="Leave the traceback."),
        Binding("y", "copy", "Copy", id="traceback.copy", tooltip="Copy the traceback."),
    ]

    def __init__(self, line: LogLine) -> None:
        super().__init__()
        self.line = line

    def compose(self) -> ComposeResult:
        """Make a box that scrolls."""
        text = self.line.traceback or self.line.text
        box = LineList(lambda width: list(traceback_lines(text, width)), id="traceback")
        # As content: a name may look like markup.
        name = shorten(harmless(self.line.name), 40)
        box.border_title = Content(f"{name} · {full_time(self.line.time)}")
        box.border_subtitle = "y copy · esc close"
        yield box

    def on_mount(self) -> None:
        """Show the lines."""
        self.query_one(LineList).show()

    def action_copy(self) -> None:
        """Copy the traceback without changes."""
        copy(self, self.line.traceback or self.line.text, "the traceback")
