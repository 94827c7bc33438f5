"""Shows the line of the tour that says what to press next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.strip import Strip

from taskkit_tui.viewmodel.text_lines import Piece
from taskkit_tui.widgets.toned_widget import TonedWidget


class TourCaption(TonedWidget):
    """One line, worded for its width.

    Args:
        caption: Makes the line for a width in cells.
        id: The widget's id.
    """

    DEFAULT_CSS = """
    TourCaption {
        height: 1;
        background: $row-marked;
    }
    """

    def __init__(self, caption: Callable[[int], Sequence[Piece]], *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._caption = caption
        self._shown: tuple[Piece, ...] = ()

    def show(self) -> None:
        """Show the current step; repaint only if the line differs."""
        pieces = tuple(self._caption(self.size.width))
        if pieces != self._shown:
            self._shown = pieces
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the line, as Textual asks for it."""
        if y > 0:
            return Strip.blank(self.size.width)
        self._shown = tuple(self._caption(self.size.width))
        return self.line(self.segments(self._shown))
