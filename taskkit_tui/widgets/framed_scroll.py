"""What all parts of a screen that scroll have in common: their frame, and how a row comes into sight."""

from __future__ import annotations

from textual.scroll_view import ScrollView


class FramedScroll(ScrollView):
    """A framed part of a screen; the frame says whether it has the focus.

    It comes first among the bases of a widget: Textual inherits styles along the first ones only.
    """

    DEFAULT_CSS = """
    FramedScroll {
        border: round $rule;
        border-title-color: $dim;
        border-title-style: bold;
        border-subtitle-color: $dim;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        background: $background;
        &:focus {
            border: round $border;
            border-title-color: $next;
        }
    }
    """

    def bring_into_view(self, row: int, page: int) -> None:
        """Scroll as little as shows a row of the scrolled area, of which `page` rows are seen at once."""
        top = self.scroll_offset.y
        if row < top:
            self.scroll_to(y=row, animate=False, force=True)
        elif row >= top + page:
            self.scroll_to(y=row - page + 1, animate=False, force=True)
