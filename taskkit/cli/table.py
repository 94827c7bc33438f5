"""Tables with aligned columns, narrowed to fit the terminal if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from taskkit.cli.console import BOLD, Console
from taskkit.words.plain_text import columns as columns_of
from taskkit.words.plain_text import cut_end, cut_middle, padded

_GAP: Final = "  "


class TableColumn(NamedTuple):
    """A column. It is left out if all its cells are empty."""

    title: str
    preferred: int | None = None
    """The width to which it is narrowed first; `None` if it is never narrowed."""
    minimum: int = 0
    """The width to which it is narrowed when that was not enough; 0 to leave it out in the end."""
    never_cut: bool = False
    """True to leave it out instead of cutting its cells, once the columns after it have been narrowed."""


def print_table(
    console: Console,
    columns: Sequence[TableColumn],
    rows: Sequence[Sequence[str]],
    colours: Sequence[int],
) -> None:
    """Print rows under their titles.

    Args:
        console: Where to print.
        columns: The columns; the last is narrowed first.
        rows: Harmless texts.
        colours: The colour of the first cell of each row.
    """
    widths = [max((columns_of(row[index]) for row in rows), default=0) for index in range(len(columns))]
    widths = [
        width and max(width, columns_of(column.title)) for width, column in zip(widths, columns, strict=True)
    ]
    _narrow(widths, columns, console.width)
    titles = [column.title for column in columns]
    console.print(console.paint(_GAP.join(_cells(titles, widths)).rstrip(), BOLD))
    for row, colour in zip(rows, colours, strict=True):
        first, *others = _cells(row, widths)
        console.print(_GAP.join([console.paint(first, colour), *others]).rstrip())


def _narrow(widths: list[int], columns: Sequence[TableColumn], limit: int | None) -> None:
    """Reduce `widths` until the table is at most `limit` wide, or nothing is left to cut."""
    if limit is None:
        return
    first = [(index, each.preferred) for index, each in enumerate(columns) if each.preferred is not None]
    then = [
        (index, each.minimum)
        for index, each in enumerate(columns)
        if each.preferred is not None or each.never_cut
    ]
    for index, minimum in [*reversed(first), *reversed(then)]:
        excess = sum(width + len(_GAP) for width in widths if width) - len(_GAP) - limit
        if excess > 0 and widths[index] > minimum:
            width = max(minimum, widths[index] - excess)
            column = columns[index]
            stays = minimum or (width >= columns_of(column.title) and not column.never_cut)
            widths[index] = width if stays else 0


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        padded(cut_end(cell, width) if index else cut_middle(cell, width), width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        if width
    ]
