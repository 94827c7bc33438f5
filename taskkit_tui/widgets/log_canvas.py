"""What the log is painted on: its colours, and the rows that are painted already."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.strip import Strip

from taskkit_tui.formatting import fit, harmless, task_colour
from taskkit_tui.log.columns import share_out
from taskkit_tui.log.line import LogLine
from taskkit_tui.widgets.framed_scroll import FramedScroll
from taskkit_tui.widgets.log_paint import LogLooks, LogPainter

_LINES_KEPT: Final = 1_000


class LogCanvas(FramedScroll):
    """Knows how lines look, not which there are.

    Args:
        id: As for every widget.
    """

    DEFAULT_CSS = """
    LogCanvas {
        overflow-y: scroll;
        & > .log--dim { color: $dim; }
        & > .log--warning { color: $soon; }
        & > .log--error { color: $bad; }
        & > .log--match { background: $soon; color: $background; }
        & > .log--current-match { background: $next; color: $background; text-style: bold; }
        & > .log--cursor { background: $row-cursor; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--dim",
        "log--warning",
        "log--error",
        "log--match",
        "log--current-match",
        "log--cursor",
    }

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._painter: LogPainter | None = None
        self._painted: dict[tuple[int, bool], tuple[LogLine, list[Strip]]] = {}

    def notify_style_update(self) -> None:
        """The theme, or the focus, changed the styles: paint anew."""
        super().notify_style_update()
        self.forget_columns()

    def painter(self, *, time: bool, name: int, wrap: bool) -> LogPainter:
        """What paints lines, with the columns of the first call until they are forgotten.

        Args:
            time: Whether one wants to see the time.
            name: Cells of the longest name; 0 for no names.
            wrap: Whether long lines are folded.
        """
        if self._painter is None:
            columns = share_out(self.scrollable_content_region.width, time=time, name=name)
            self._painter = LogPainter(self._looks(), columns, wrap=wrap, colour=self._colour_of)
        return self._painter

    def forget_columns(self) -> None:
        """Share the columns out anew, and paint all rows anew."""
        self._painter = None
        self._painted.clear()

    def forget_rows(self) -> None:
        """Paint all rows anew."""
        self._painted.clear()

    def kept_rows(self, number: int, line: LogLine, *, cursor: bool) -> list[Strip] | None:
        """The rows of a line, if it was painted as it is now."""
        known = self._painted.get((number, cursor))
        return known[1] if known is not None and known[0] == line else None

    def keep_rows(self, number: int, line: LogLine, rows: list[Strip], *, cursor: bool) -> None:
        """Do not paint this line again until its rows are forgotten."""
        if len(self._painted) >= _LINES_KEPT:
            self._painted.clear()
        self._painted[number, cursor] = line, rows

    def notice_row(self, text: str) -> Strip:
        """A row that is no line of the log."""
        width = max(0, self.scrollable_content_region.width)
        return Strip([Segment(fit(f" {text}", width), self.rich_style + self._part("log--dim"))], width)

    def prompt_row(self, typed: str, told: str) -> Strip:
        """The row in which one types what to find.

        Args:
            typed: What was typed; its end is shown.
            told: What is found.
        """
        width = max(0, self.scrollable_content_region.width)
        if width >= 60:
            told += " · ↑ ↓ other matches · ⏎ keeps · esc ends"
        typed = harmless(typed)
        room = width - cell_len(told) - 4
        while typed and cell_len(typed) > room:
            typed = typed[1:]
        base = self.rich_style
        segments = [
            Segment(f"/{typed}", base + Style(bold=True)),
            Segment(" ", base + Style(reverse=True)),
            Segment(f" {told}", base + self._part("log--dim")),
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(name, partial=True)

    def _looks(self) -> LogLooks:
        return LogLooks(
            base=self.rich_style,
            dim=self._part("log--dim"),
            warning=self._part("log--warning"),
            error=self._part("log--error"),
            match=self._part("log--match"),
            current_match=self._part("log--current-match"),
            # Of sixteen colours none is sure to be read on another.
            cursor=Style(reverse=True) if self.app.native_ansi_color else self._part("log--cursor"),
            selection=self.screen.get_component_rich_style("screen--selection"),
        )

    def _colour_of(self, name: str) -> Style:
        if not name:
            return Style.null()
        try:
            colour = Color.parse(self.app.theme_variables[task_colour(name)])
        except (KeyError, ColorParseError):
            return Style.null()
        return Style(color=colour.rich_color)
