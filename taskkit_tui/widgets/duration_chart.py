"""Shows the durations of the last runs as bars; the arrows go from run to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from taskkit_tui.keys.bindings import bindings_of
from taskkit_tui.keys.command import Place
from taskkit_tui.viewmodel.text_lines import Line
from taskkit_tui.widgets.line_list import LineList


class DurationChart(LineList):
    """A chart that fills its part of the screen.

    Args:
        fill: Makes its lines for a width and a height in cells.
        id: The widget's id.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Place.CHART)

    @dataclass
    class Walked(Message):
        """Asks to select the next or the previous run."""

        step: int
        """1 for the next run, -1 for the previous one."""

    def __init__(self, fill: Callable[[int, int], Sequence[Line]], *, id: str) -> None:  # noqa: A002
        super().__init__(lambda width: fill(width, self._page), id=id)

    def action_walk(self, step: int) -> None:
        """Select the next or the previous run."""
        self.post_message(self.Walked(step))
