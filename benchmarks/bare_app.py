"""The least Textual app of the dashboard's size: 10,000 fixed lines, and a cursor. Run it in a terminal."""

from __future__ import annotations

import gc
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

LINES = 10_000
_SELECTED = Style(bold=True)


class Lines(ScrollView, can_focus=True):
    """Fixed lines, one of them selected."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("j", "go(1)"),
        ("k", "go(-1)"),
        ("pagedown", "go(30)"),
        ("pageup", "go(-30)"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines = [f"task {number}   every 1 h" for number in range(LINES)]
        self._selected = 0
        self.virtual_size = Size(40, LINES)

    def action_go(self, step: int) -> None:
        self._selected = max(0, min(self._selected + step, LINES - 1))
        top = self.scroll_offset.y
        if not top <= self._selected < top + self.size.height:
            self.scroll_to(y=self._selected, animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        style = _SELECTED if index == self._selected else Style.null()
        return Strip([Segment(self._lines[index], style)]) if index < LINES else Strip.blank(1)


class BareApp(App[None]):
    """Nothing but the lines."""

    def compose(self) -> ComposeResult:
        yield Lines()

    def on_mount(self) -> None:
        self.screen.set_focus(self.query_one(Lines))
        gc.freeze()


if __name__ == "__main__":
    BareApp().run()
