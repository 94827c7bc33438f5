"""How one row of a panel becomes a line of cells, and where two such lines differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual.strip import Strip

from taskkit_tui.formatting import shorten_end
from taskkit_tui.viewmodel import row_cells
from taskkit_tui.viewmodel.columns import NOTHING_KNOWN, Column, PanelPlan, place_columns
from taskkit_tui.viewmodel.pieces import Cell, Piece, Tone
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.tones import LineState, TonedWidget

_SIDE: Final = 1
"""Cells that stay free at each side of a line."""


class PanelLine(NamedTuple):
    """All that decides how one line looks."""

    cells: tuple[Cell, ...]
    state: LineState
    mark: bool


BLANK: Final = PanelLine((), LineState.PLAIN, mark=False)


class PanelPainter:
    """Paints lines into the columns of a plan, as many as there is room for.

    Args:
        widget: Whose colours they get.
        plan: What the panel is about.
        width: Cells of a line.
        contents: The cells that the rows of a column need, by its key, as far as that is known.
    """

    def __init__(
        self,
        widget: TonedWidget,
        plan: PanelPlan,
        width: int,
        contents: Mapping[str, int] = NOTHING_KNOWN,
    ) -> None:
        self._widget = widget
        self._room = width - 2 * _SIDE
        self._layout = place_columns(plan.columns, self._room, contents)

    def row(self, row: TaskRow, now: float, state: LineState, *, mark: bool, paused: bool) -> PanelLine:
        """What the line of a row holds.

        Args:
            row: The row.
            now: Epoch seconds.
            state: What is special about the line.
            mark: Whether the row is marked.
            paused: Whether nothing falls due.
        """
        shown = tuple(
            row_cells.paused(row) if paused and column.counts_down else column.paint(row, now, width)
            for column, _, width in self._layout
        )
        return PanelLine(shown, state, mark)

    def words(self, text: str) -> PanelLine:
        """A line that is no row."""
        text = shorten_end(text, self._room - 2)
        return PanelLine(((Piece(text, Tone.DIM),),), LineState.PLAIN, mark=False)

    def difference(self, one: PanelLine, other: PanelLine) -> tuple[int, int] | None:
        """The cells from which and up to which two lines differ; `None` for all of the line."""
        if one[1:] != other[1:] or not len(one.cells) == len(other.cells) == len(self._layout):
            return None
        differing = [
            placed
            for placed, before, after in zip(self._layout, one.cells, other.cells, strict=True)
            if before != after
        ]
        last = differing[-1]
        return _SIDE + differing[0].x, _SIDE + last.x + last.width

    def strip(self, line: PanelLine) -> Strip:
        """The line, ready to be shown."""
        widget = self._widget
        if line.cells and len(line.cells) != len(self._layout):
            return widget.line([widget.space(_SIDE + 2), *widget.segments(line.cells[0])])
        segments = [*widget.segments([Piece("▌", Tone.SOON)])] if line.mark else [widget.space(_SIDE)]
        x = 0
        for placed, cell in zip(self._layout, line.cells, strict=False):
            width = sum(cell_len(piece.text) for piece in cell)
            lead = placed.x - x + (placed.width - width if placed.column.right else 0)
            if lead:
                segments.append(widget.space(lead, line.state))
            segments.extend(widget.segments(cell, line.state))
            x = placed.x + placed.width
            if not placed.column.right and width < placed.width:
                segments.append(widget.space(placed.width - width, line.state))
        if line.cells and x < self._room:
            segments.append(widget.space(self._room - x, line.state))
        return widget.line(segments)

    def titles(self, sorted_by: str) -> Strip:
        """The titles of the columns; that of the one which the rows are sorted by stands out."""
        pieces = [Piece(" " * _SIDE, Tone.PLAIN)]
        x = 0
        for column, start, width in self._layout:
            title = column.title[:width]
            title = title.rjust(width) if column.right else title.ljust(width)
            pieces.append(Piece(" " * (start - x), Tone.PLAIN))
            pieces.append(Piece(title, Tone.PLAIN if column.key == sorted_by else Tone.DIM))
            x = start + width
        return self._widget.line(self._widget.segments(pieces))

    def column_at(self, x: int) -> Column | None:
        """The column that rows can be sorted by at a cell of the titles."""
        return next(
            (
                column
                for column, start, width in self._layout
                if _SIDE + start <= x <= _SIDE + start + width and column.sort is not None
            ),
            None,
        )
