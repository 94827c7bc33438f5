"""Lays out one row of the log: time, name, bar, text."""

from __future__ import annotations

from typing import Final, NamedTuple

TIME_CELLS: Final = 12
"""The width of a time such as `14:03:20.114`."""

LONGEST_NAME: Final = 20


class LogColumns(NamedTuple):
    """The cells of each column; 0 for a column that is left out."""

    width: int
    side: int
    """Blank cells at the left."""
    time: int
    name: int
    bar: int

    @property
    def before_text(self) -> int:
        """The cells before the text, including gaps."""
        return self.side + sum(cells + 1 for cells in (self.time, self.name, self.bar) if cells)

    @property
    def text(self) -> int:
        """The cells of the text; at least 1."""
        return max(1, self.width - self.before_text)


def log_columns(width: int, *, time: bool, name: int) -> LogColumns:
    """Return the columns of a row of `width` cells.

    Args:
        width: The cells of the row.
        time: True to show the time, if there is room.
        name: The cells of the longest name; 0 for no names.
    """
    return LogColumns(
        width,
        side=1 if width >= 24 else 0,
        time=TIME_CELLS if time and width >= 48 else 0,
        name=min(name, LONGEST_NAME, width // 6) if width >= 24 else 0,
        bar=1 if width >= 8 else 0,
    )
