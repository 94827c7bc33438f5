"""How long the last runs took, as bars; one can walk along them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from taskkit_tui.viewmodel.text_lines import Line
from taskkit_tui.widgets.line_bindings import CHART_BINDINGS
from taskkit_tui.widgets.line_list import LineList


class DurationChart(LineList):
    """A chart as high as its place.

    Args:
        fill: Makes its lines, for a width and a height in cells.
    """

    BINDINGS: ClassVar[list[BindingType]] = CHART_BINDINGS

    @dataclass
    class Walked(Message):
        """A person wants the next run selected, or the one before."""

        step: int
        """1 for the next run, -1 for the one before."""

    def __init__(self, fill: Callable[[int, int], Sequence[Line]], *, id: str) -> None:  # noqa: A002
        super().__init__(lambda width: fill(width, self._page), id=id)

    def action_walk(self, step: int) -> None:
        """Select the next run, or the one before."""
        self.post_message(self.Walked(step))
