"""The first line: is it running, how many tasks of which kind, and how well the scheduler keeps time."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from taskkit import Figures
from taskkit_tui.formatting import shorten_end
from taskkit_tui.viewmodel.cell import Piece
from taskkit_tui.viewmodel.headline import headline, side_notes
from taskkit_tui.widgets.tones import TonedWidget


class HeaderBar(TonedWidget):
    """One line of figures; what does not fit is left out from the right."""

    DEFAULT_CSS = """
    HeaderBar {
        height: 1;
        background: $bar;
    }
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._left: tuple[Piece, ...] = ()
        self._right: tuple[Piece, ...] = ()

    def look(self, figures: Figures, *, read_only: bool, marked: int) -> None:
        """Show how things stand. Repaints only if a word of it differs."""
        left, right = headline(figures, read_only=read_only, marked=marked), side_notes(figures)
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line, as Textual asks for it."""
        if y > 0:
            return Strip.blank(self.size.width)
        width = self.size.width
        left, used = self._fitting(self._left, width - 1)
        right = self._right
        room = width - 1 - used
        while right and sum(cell_len(piece.text) for piece in right) + 2 > room:
            right = right[1:]
        gap = room - sum(cell_len(piece.text) for piece in right) - (1 if right else 0)
        segments = [Segment(" "), *left, Segment(" " * max(0, gap)), *map(self.segment, right)]
        return Strip(segments).adjust_cell_length(width)

    def _fitting(self, pieces: Sequence[Piece], width: int) -> tuple[list[Segment], int]:
        segments: list[Segment] = []
        used = 0
        for piece in pieces:
            length = cell_len(piece.text)
            if used + length > width:
                text = shorten_end(piece.text, width - used)
                segments.append(self.segment(Piece(text, piece.tone)))
                return segments, used + cell_len(text)
            segments.append(self.segment(piece))
            used += length
        return segments, used
