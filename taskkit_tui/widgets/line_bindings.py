"""The keys of a list of lines, and of the chart of durations, each with an id that a keymap file can name."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

LINE_BINDINGS: Final[list[BindingType]] = [
    Binding("up,k", "up", "Up", id="list.up", tooltip="Go up a line.", show=False),
    Binding("down,j", "down", "Down", id="list.down", tooltip="Go down a line.", show=False),
    Binding(
        "pageup,ctrl+b,ctrl+u",
        "page(-1)",
        "Page up",
        id="list.page-up",
        tooltip="Go up by a page.",
        show=False,
    ),
    Binding(
        "pagedown,ctrl+f,ctrl+d",
        "page(1)",
        "Page down",
        id="list.page-down",
        tooltip="Go down by a page.",
        show=False,
    ),
    Binding("home,g", "first", "First", id="list.first", tooltip="Go to the first line.", show=False),
    Binding("end,G", "last", "Last", id="list.last", tooltip="Go to the last line.", show=False),
]

CHART_BINDINGS: Final[list[BindingType]] = [
    Binding(
        "left,h", "walk(-1)", "Run before", id="chart.left", tooltip="Select the run before.", show=False
    ),
    Binding("right", "walk(1)", "Next run", id="chart.right", tooltip="Select the next run.", show=False),
]
