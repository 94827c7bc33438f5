"""A framed part of a screen that holds lines: to read, or with a cursor to choose one of them."""

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

from taskkit_tui.viewmodel.pieces import Tone
from taskkit_tui.viewmodel.text_lines import BLANK, Line
from taskkit_tui.widgets.framed_scroll import FramedScroll
from taskkit_tui.widgets.line_bindings import LINE_BINDINGS
from taskkit_tui.widgets.tones import LineState, TonedWidget

Fill: TypeAlias = Callable[[int], Sequence[Line]]
"""The lines of a part, for a width in cells."""

_SIDE = 1
"""Cells that stay free at each side of a line."""
_NO_STYLE = Style()


class LineList(FramedScroll, TonedWidget, can_focus=True, inherit_bindings=False):
    """Lines from a function of the width, asked anew on each `show`; only those that differ are repainted.

    Args:
        fill: Makes the lines.
        titles: Makes a line that stays above them; `None` for none.
        choosing: Whether there is a cursor. Without one the arrows scroll.
    """

    BINDINGS: ClassVar[list[BindingType]] = LINE_BINDINGS

    @dataclass
    class Chosen(Message):
        """A person moved the cursor."""

        part: LineList
        index: int

        @property
        def control(self) -> LineList:
            """The part, for `@on` with a selector."""
            return self.part

    @dataclass
    class Opened(Message):
        """A person clicked the line of the cursor twice."""

        part: LineList

        @property
        def control(self) -> LineList:
            """The part, for `@on` with a selector."""
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
        """Whether there is a cursor; a list that has nothing to choose from needs none."""
        self._lines: Sequence[Line] = ()
        self._title_line: Line = BLANK
        self.index = 0
        """The line that the cursor is on."""
        self.follow = False
        """Whether it stays at its end as lines come; scrolling up lets go."""

    @property
    def lines(self) -> Sequence[Line]:
        """What it holds."""
        return self._lines

    @property
    def reached(self) -> int:
        """How many lines there are down to the last one that is seen, or that the cursor is on."""
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
        """Ask for the lines anew, and repaint what differs.

        Args:
            index: Where the cursor is to be; `None` to leave it.
        """
        if index is not None and not self._lines:
            self.index = index
        width = self._room.width - 2 * _SIDE
        if width < 1:
            return  # nothing of it is seen; to fold long texts into no width would cost much
        before, before_index, before_titles = self._lines, self.index, self._title_line
        self._lines = self._fill(width)
        self._title_line = BLANK if self._titles is None else self._titles(width)
        self.index = max(0, min(self.index if index is None else index, len(self._lines) - 1))
        size = Size(0, len(self._lines) + self._head)
        if size.height != self.virtual_size.height:
            self.virtual_size = size
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
        """Set what stands in the frame; the texts are shown literally."""
        if self._border_title is None or self._border_title.plain != title:
            self.border_title = Content(title)
        if self._border_subtitle is None or self._border_subtitle.plain != subtitle:
            self.border_subtitle = Content(subtitle)

    def on_resize(self) -> None:
        """Ask for lines of the new width."""
        self.show()
        self._show_cursor()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the widget, as Textual asks for it."""
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
                # Some viewers of exported pictures leave out the space that a piece begins with.
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
                self.post_message(self.Chosen(self, index))
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
        """Let go of the end."""
        self.follow = False

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor as active, or as resting."""
        super().watch_has_focus(has_focus)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a line; open it on the second click."""
        offset = event.get_content_offset(self)
        if offset is None or not self.choosing or offset.y < self._head:
            return
        index = offset.y - self._head + self.scroll_offset.y
        if index < len(self._lines):
            self._go(index)
            if event.chain == 2:
                self.post_message(self.Opened(self))
