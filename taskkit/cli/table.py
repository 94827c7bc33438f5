"""Rows in aligned columns, narrowed until they fit the terminal. Elsewhere nothing is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from taskkit.cli.console import BOLD, Console
from taskkit.plain_text import columns, cut_end, cut_middle, padded

_GAP: Final = "  "


class Column(NamedTuple):
    """One column. Where all its cells are empty it is left out."""

    title: str
    good: int | None = None
    """Down to how many columns of the terminal it is narrowed at first; `None` for not at all."""
    least: int = 0
    """And down to how many after that; 0 for until it is left out."""
    whole: bool = False
    """Whether it is left out rather than cut, when those after it have been narrowed."""


def print_table(
    console: Console,
    titles: Sequence[Column],
    rows: Sequence[Sequence[str]],
    colours: Sequence[int],
) -> None:
    """Write rows under their titles.

    Args:
        console: Where to.
        titles: The columns; the last one is narrowed first.
        rows: Harmless texts.
        colours: For each row, the colour of its first cell.
    """
    widths = [max((columns(row[index]) for row in rows), default=0) for index in range(len(titles))]
    widths = [width and max(width, columns(each.title)) for width, each in zip(widths, titles, strict=True)]
    _narrow(widths, titles, console.width)
    console.print(console.paint(_GAP.join(_cells([each.title for each in titles], widths)).rstrip(), BOLD))
    for row, colour in zip(rows, colours, strict=True):
        first, *others = _cells(row, widths)
        console.print(_GAP.join([console.paint(first, colour), *others]).rstrip())


def _narrow(widths: list[int], titles: Sequence[Column], room: int | None) -> None:
    if room is None:
        return
    first = [(index, each.good) for index, each in enumerate(titles) if each.good is not None]
    then = [(index, each.least) for index, each in enumerate(titles) if each.good is not None or each.whole]
    for index, least in [*reversed(first), *reversed(then)]:
        excess = sum(width + len(_GAP) for width in widths if width) - len(_GAP) - room
        if excess > 0 and widths[index] > least:
            left = max(least, widths[index] - excess)
            stays = least or (left >= columns(titles[index].title) and not titles[index].whole)
            widths[index] = left if stays else 0


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        padded(cut_end(cell, width) if index else cut_middle(cell, width), width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        if width
    ]
