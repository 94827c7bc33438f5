"""The strip of the next runs: what falls due when, as marks on a line of time."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.strip import Strip

from taskkit_tui.formatting import task_colour
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.timeline import Mark, Zoom, axis
from taskkit_tui.widgets.tones import TonedWidget

_LABEL = 14
"""Cells for the words at the left."""

_GLYPHS = {(True, True): "│", (True, False): "┃", (False, True): "╷", (False, False): "╻"}
"""By whether the task is selected, and whether it runs often."""


class TimelineStrip(TonedWidget):
    """Two lines: marks in the colours of their tasks, and the axis beneath."""

    DEFAULT_CSS = """
    TimelineStrip {
        height: 2;
        background: $background;
    }
    """

    def __init__(self, zoom: Zoom, *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._zoom = zoom
        self._marks: Mapping[int, Mark] = {}
        self._paused = False

    @property
    def columns(self) -> int:
        """How many columns of time there are."""
        return max(0, self.size.width - _LABEL - 3)

    def show(self, zoom: Zoom, marks: Mapping[int, Mark], *, paused: bool = False) -> None:
        """Show these marks, or that nothing falls due. Repaints only if they differ."""
        if (zoom, marks, paused) != (self._zoom, self._marks, self._paused):
            self._zoom, self._marks, self._paused = zoom, marks, paused
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One of the two lines, as Textual asks for it."""
        label, tone = ("< > zoom", Tone.FAINT) if y else (self._zoom.title, Tone.DIM)
        if self._paused and y == 0:
            label, tone = "paused", Tone.SOON
        segments = [*self.segments([Piece(f"  {label:<{_LABEL - 2}}", tone), Piece("┃", Tone.NEXT)])]
        if y == 0:
            segments.extend(self._mark(column) for column in range(self.columns))
        else:
            segments.extend(self.segments(axis(self._zoom, self.columns)))
        return self.line(segments)

    def _mark(self, column: int) -> Segment:
        mark = self._marks.get(column)
        if mark is None:
            return self.space(1)
        glyph = _GLYPHS[mark.selected, mark.thin]
        return Segment(glyph, self.coloured(task_colour(mark.name)))
