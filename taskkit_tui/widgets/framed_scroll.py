"""The common base of all scrolling parts of a screen: the frame, and scrolling to a row."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget


class FramedScroll(ScrollView):
    """A framed part of a screen. The frame shows which part has the focus.

    It must be the first base of a widget: Textual inherits styles from first bases only.
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

    def set_content_size(self, size: Size) -> None:
        """Note how much there is to scroll through.

        When `virtual_size` changes, Textual lays out the whole screen again. That is only needed if the
        scrollbar comes or goes; the number of rows may change ten times a second.
        """
        room = self.container_size.height
        if size == self.virtual_size:
            return
        if (size.height > room) is self.show_vertical_scrollbar and room:
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)
        else:
            self.virtual_size = size

    def bring_into_view(self, row: int, page: int) -> None:
        """Scroll as little as needed to show a row; `page` is the number of visible rows."""
        top = self.scroll_offset.y
        if row < top:
            self.scroll_to(y=row, animate=False, force=True)
        elif row >= top + page:
            self.scroll_to(y=row - page + 1, animate=False, force=True)
