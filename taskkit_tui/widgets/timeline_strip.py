"""Shows the next runs as marks on a time axis."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.strip import Strip

from taskkit_tui.tones import Tone, task_colour
from taskkit_tui.viewmodel.text_lines import Piece
from taskkit_tui.viewmodel.timeline import TimelineMark, Zoom, axis
from taskkit_tui.widgets.toned_widget import TonedWidget

_LABEL = 14
"""Cells for the label at the left."""

_GLYPHS = {(True, True): "│", (True, False): "┃", (False, True): "╷", (False, False): "╻"}
"""The glyphs by (the task is selected, it runs often)."""


def axis_columns(width: int) -> int:
    """Return the number of columns that a strip of `width` cells has for the time axis."""
    return max(0, width - _LABEL - 3)


class TimelineStrip(TonedWidget):
    """Two lines: marks in the colours of their tasks, and the axis below."""

    DEFAULT_CSS = """
    TimelineStrip {
        height: 2;
        background: $background;
    }
    """

    def __init__(self, zoom: Zoom, *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._zoom = zoom
        self._marks: Mapping[int, TimelineMark] = {}
        self._paused = False

    def show(self, zoom: Zoom, marks: Mapping[int, TimelineMark], *, paused: bool = False) -> None:
        """Show these marks, or that the scheduler is paused; repaint only if they differ."""
        if (zoom, marks, paused) != (self._zoom, self._marks, self._paused):
            self._zoom, self._marks, self._paused = zoom, marks, paused
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one of the two lines, as Textual asks for it."""
        label, tone = ("< > zoom", Tone.FAINT) if y else (self._zoom.title, Tone.DIM)
        if self._paused and y == 0:
            label, tone = "paused", Tone.SOON
        segments = [*self.segments([Piece(f"  {label:<{_LABEL - 2}}", tone), Piece("┃", Tone.NEXT)])]
        columns = axis_columns(self.size.width)
        if y == 0:
            segments.extend(self._mark(column) for column in range(columns))
        else:
            segments.extend(self.segments(axis(self._zoom, columns)))
        return self.line(segments)

    def _mark(self, column: int) -> Segment:
        mark = self._marks.get(column)
        if mark is None:
            return self.space(1)
        glyph = _GLYPHS[mark.selected, mark.thin]
        return Segment(glyph, self.coloured(task_colour(mark.name)))
