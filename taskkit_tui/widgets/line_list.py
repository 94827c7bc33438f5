"""Shows a list of lines in a frame: to read, or to choose from with a cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from taskkit_tui.keys.bindings import bindings_of
from taskkit_tui.keys.command import Place
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.text_lines import BLANK, Line
from taskkit_tui.widgets.framed_scroll import FramedScroll
from taskkit_tui.widgets.toned_widget import LineState, TonedWidget

Fill: TypeAlias = Callable[[int], Sequence[Line]]
"""Makes the lines of a part for a width in cells."""

_SIDE = 1
"""Empty cells at each side of a line."""
_NO_STYLE = Style()


class LineList(FramedScroll, TonedWidget, can_focus=True, inherit_bindings=False):
    """Lines from a function of the width. Each `show` calls it, and repaints the lines that differ.

    Args:
        fill: Makes the lines.
        id: The widget's id.
        titles: Makes a line that stays above them; `None` for no such line.
        choosing: True for a list with a cursor. Without one the arrows scroll.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Place.LINES)

    @dataclass
    class CursorMoved(Message):
        """Asks to move the cursor to another line."""

        part: LineList
        index: int

        @property
        def control(self) -> LineList:
            """The list, for `@on` with a selector."""
            return self.part

    @dataclass
    class Opened(Message):
        """Asks to open the line of the cursor, after a double click."""

        part: LineList

        @property
        def control(self) -> LineList:
            """The list, for `@on` with a selector."""
            return self.part

    def __init__(
        self,
        fill: Fill,
        *,
        id: str,  # noqa: A002  Textual's name
        titles: Callable[[int], Line] | None = None,
        choosing: bool = False,
    ) -> None:
        super().__init__(id=id)
        self._fill = fill
        self._titles = titles
        self.choosing = choosing
        """True if there is a cursor."""
        self._lines: Sequence[Line] = ()
        self._title_line: Line = BLANK
        self.index = 0
        """The line under the cursor."""
        self.follow = False
        """True while the list stays at its end as lines are added; scrolling up ends that."""

    @property
    def lines(self) -> Sequence[Line]:
        """The lines."""
        return self._lines

    @property
    def reached(self) -> int:
        """The number of lines down to the last one in sight, or to the cursor."""
        return max(self.scroll_offset.y + self._page, self.index + 1 if self.choosing else 0)

    @property
    def _head(self) -> int:
        return 1 if self._title_line else 0

    @property
    def _room(self) -> Size:
        return self.scrollable_content_region.size

    @property
    def _page(self) -> int:
        return max(1, self._room.height - self._head)

    def show(self, index: int | None = None) -> None:
        """Make the lines again, and repaint those that differ.

        Args:
            index: The new place of the cursor; `None` leaves it.
        """
        if index is not None and not self._lines:
            self.index = index
        width = self._room.width - 2 * _SIDE
        if width < 1:
            return  # nothing is visible, and folding long texts into no width would cost much
        before, before_index, before_titles = self._lines, self.index, self._title_line
        self._lines = self._fill(width)
        self._title_line = BLANK if self._titles is None else self._titles(width)
        self.index = max(0, min(self.index if index is None else index, len(self._lines) - 1))
        self.set_content_size(Size(0, len(self._lines) + self._head))
        if self._title_line != before_titles:
            self.refresh()
        top = self.scroll_offset.y
        for y in range(self._head, self._room.height):
            at = y - self._head + top
            if self._at(before, at) != self._at(self._lines, at) or (
                self.index != before_index and at in (self.index, before_index)
            ):
                self._repaint(y)
        if self.follow:
            self.scroll_end(animate=False, immediate=True)
        elif self.index != before_index:
            self._show_cursor()

    @staticmethod
    def _at(lines: Sequence[Line], index: int) -> Line | None:
        return lines[index] if index < len(lines) else None

    def _repaint(self, y: int) -> None:
        self.refresh(Region(0, y, self.size.width, 1))

    def name_border(self, title: str, subtitle: str = "") -> None:
        """Set the title and subtitle of the frame; the texts are shown literally."""
        if self._border_title is None or self._border_title.plain != title:
            self.border_title = Content(title)
        if self._border_subtitle is None or self._border_subtitle.plain != subtitle:
            self.border_subtitle = Content(subtitle)

    def on_resize(self) -> None:
        """Make the lines for the new width."""
        self.show()
        self._show_cursor()
        self.refresh()

    def watch_show_vertical_scrollbar(self) -> None:
        """Make the lines again for the width beside the scrollbar, which has come or gone."""
        self.call_after_refresh(self.show)

    def render_line(self, y: int) -> Strip:
        """Return one line of the widget, as Textual asks for it."""
        if y < self._head:
            return self._strip(self._title_line, LineState.PLAIN)
        index = y - self._head + self.scroll_offset.y
        if index >= len(self._lines):
            return self.line(())
        state = LineState.PLAIN
        if self.choosing and index == self.index:
            state = LineState.CURSOR if self.has_focus else LineState.RESTING
        return self._strip(self._lines[index], state)

    def _strip(self, pieces: Line, state: LineState) -> Strip:
        plain = self.toned(Tone.PLAIN, state)
        segments = [self.space(_SIDE)]
        for text, look in pieces:
            blanks = len(text) - len(text.lstrip(" "))
            if blanks:
                # Some SVG viewers drop the space at the start of a piece.
                segments.append(Segment(text[:blanks], plain))
            style = self.toned(look, state) if isinstance(look, Tone) else plain + (look or _NO_STYLE)
            segments.append(Segment(text[blanks:], style))
        width = max(0, self._room.width - 2 * _SIDE)
        strip = Strip(segments).adjust_cell_length(_SIDE + width, plain)
        return Strip([*strip, self.space(self.size.width - _SIDE - width)], self.size.width)

    # Moving.

    def _show_cursor(self) -> None:
        if self.choosing:
            self.bring_into_view(self.index, self._page)

    def _go(self, index: int) -> None:
        if self.choosing:
            index = max(0, min(index, len(self._lines) - 1))
            if index != self.index:
                self.post_message(self.CursorMoved(self, index))
        else:
            self.follow = False
            self.scroll_to(y=index, animate=False)

    @property
    def _from(self) -> int:
        return self.index if self.choosing else self.scroll_offset.y

    def action_up(self) -> None:
        """Go up a line."""
        self._go(self._from - 1)

    def action_down(self) -> None:
        """Go down a line."""
        self._go(self._from + 1)

    def action_page(self, pages: int) -> None:
        """Go up or down by pages."""
        self._go(self._from + pages * self._page)

    def action_first(self) -> None:
        """Go to the first line."""
        self._go(0)

    def action_last(self) -> None:
        """Go to the last line."""
        self._go(len(self._lines) - 1)
        self.follow = not self.choosing

    def on_mouse_scroll_up(self) -> None:
        """Stop following the end."""
        self.follow = False

    def watch_has_focus(self, has_focus: bool) -> None:
        """Repaint the cursor: it looks different in the focused list."""
        super().watch_has_focus(has_focus)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to a line; open the line on a double click."""
        offset = event.get_content_offset(self)
        if offset is None or not self.choosing or offset.y < self._head:
            return
        index = offset.y - self._head + self.scroll_offset.y
        if index < len(self._lines):
            self._go(index)
            if event.chain == 2:
                self.post_message(self.Opened(self))
