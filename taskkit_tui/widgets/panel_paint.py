"""Paints the rows of a panel, and finds the cells in which two lines differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual.strip import Strip

from taskkit_tui.formatting import shorten_end
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.panels import row_cells
from taskkit_tui.viewmodel.panels.columns import NOTHING_KNOWN, PanelColumn, PanelPlan, place_columns
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.text_lines import Cell, Piece
from taskkit_tui.widgets.toned_widget import LineState, TonedWidget

_SIDE: Final = 1
"""Empty cells at each side of a line."""


class PanelLine(NamedTuple):
    """Everything that determines the look of one line."""

    cells: tuple[Cell, ...]
    state: LineState
    mark: bool


BLANK: Final = PanelLine((), LineState.PLAIN, mark=False)


class PanelPainter:
    """Paints lines into the columns of a plan, as many columns as fit.

    Args:
        widget: The widget that gives the colours.
        plan: The panel's columns.
        width: Cells of a line.
        contents: The cells that the rows need in a column, by its key, as far as known.
    """

    def __init__(
        self,
        widget: TonedWidget,
        plan: PanelPlan,
        width: int,
        contents: Mapping[str, int] = NOTHING_KNOWN,
    ) -> None:
        self.width = width
        self._widget = widget
        self._room = width - 2 * _SIDE
        self._layout = place_columns(plan.columns, self._room, contents)

    def row(self, row: TaskRow, now: float, state: LineState, *, mark: bool, paused: bool) -> PanelLine:
        """Return the line of a row.

        Args:
            row: The row.
            now: Epoch seconds.
            state: The state of the line, such as having the cursor.
            mark: True if the row is marked.
            paused: True while the scheduler is paused.
        """
        shown = tuple(
            row_cells.paused(row) if paused and column.counts_down else column.cell(row, now, width)
            for column, _, width in self._layout
        )
        return PanelLine(shown, state, mark)

    def words(self, text: str) -> PanelLine:
        """Return a line of words instead of a row."""
        text = shorten_end(text, self._room - 2)
        return PanelLine(((Piece(text, Tone.DIM),),), LineState.PLAIN, mark=False)

    def difference(self, one: PanelLine, other: PanelLine) -> tuple[int, int] | None:
        """Return the first and the last cell in which two lines differ; `None` for the whole line."""
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
        """Return the line, ready to show."""
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
        """Return the line of titles, with the sorted column highlighted."""
        pieces = [Piece(" " * _SIDE, Tone.PLAIN)]
        x = 0
        for column, start, width in self._layout:
            title = column.title[:width]
            title = title.rjust(width) if column.right else title.ljust(width)
            pieces.append(Piece(" " * (start - x), Tone.PLAIN))
            pieces.append(Piece(title, Tone.PLAIN if column.key == sorted_by else Tone.DIM))
            x = start + width
        return self._widget.line(self._widget.segments(pieces))

    def sortable(self) -> tuple[PanelColumn, ...]:
        """Return the visible columns that rows can be sorted by."""
        return tuple(column for column, _, _ in self._layout if column.sort is not None)

    def column_at(self, x: int) -> PanelColumn | None:
        """Return the sortable column at a cell of the titles; `None` if there is none."""
        return next(
            (
                column
                for column, start, width in self._layout
                if _SIDE + start <= x <= _SIDE + start + width and column.sort is not None
            ),
            None,
        )
