"""Shows the tabs on a small terminal, where one panel is visible at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.text_lines import Piece
from taskkit_tui.widgets.toned_widget import LineState, TonedWidget


class Tab(NamedTuple):
    """One tab."""

    key: str
    title: str
    short: str
    rows: int | None
    current: bool


class TabBar(TonedWidget):
    """The tabs in one line. If space is short, titles become shorter, then only keys remain."""

    DEFAULT_CSS = """
    TabBar {
        height: 1;
        background: $background;
    }
    """

    @dataclass
    class TabClicked(Message):
        """Says that a tab was clicked."""

        index: int

    def __init__(self, *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._tabs: tuple[Tab, ...] = ()

    def show(self, tabs: Sequence[Tab]) -> None:
        """Show these tabs; repaint only if they differ."""
        if tuple(tabs) != self._tabs:
            self._tabs = tuple(tabs)
            self.refresh()

    def _words(self) -> list[str]:
        for words in (
            [f" {tab.key} {tab.title}{_count(tab)} " for tab in self._tabs],
            [f" {tab.key} {tab.short}{_count(tab)} " for tab in self._tabs],
            [f" {tab.key} {tab.short} " for tab in self._tabs],
        ):
            if sum(map(cell_len, words)) <= self.size.width:
                return words
        return [f" {tab.key} " for tab in self._tabs]

    def render_line(self, y: int) -> Strip:
        """Return the line, as Textual asks for it."""
        if y > 0:
            return Strip.blank(self.size.width)
        segments: list[Segment] = []
        for words, tab in zip(self._words(), self._tabs, strict=True):
            tone, state = (Tone.STRONG, LineState.CURSOR) if tab.current else (Tone.DIM, LineState.PLAIN)
            segments.extend(self.segments([Piece(words, tone)], state))
        return self.line(segments)

    def on_click(self, event: events.Click) -> None:
        """Post a message about the tab that was clicked."""
        x = 0
        for index, words in enumerate(self._words()):
            x += cell_len(words)
            if event.x < x:
                self.post_message(self.TabClicked(index))
                return


def _count(tab: Tab) -> str:
    return "" if tab.rows is None else f" {tab.rows:,}"
