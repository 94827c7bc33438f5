"""How the cells of one row of the log are shared out: time, name, bar, text."""

from __future__ import annotations

from typing import Final, NamedTuple

TIME_CELLS: Final = 12
"""As in `14:03:20.114`."""

LONGEST_NAME: Final = 20


class LogColumns(NamedTuple):
    """Cells of each part; a part of 0 is not there."""

    width: int
    side: int
    """Blank cells at the left."""
    time: int
    name: int
    bar: int

    @property
    def before_text(self) -> int:
        """Cells before the text, the gaps counted."""
        return self.side + sum(cells + 1 for cells in (self.time, self.name, self.bar) if cells)

    @property
    def text(self) -> int:
        """Cells of the text; at least 1."""
        return max(1, self.width - self.before_text)


def share_out(width: int, *, time: bool, name: int) -> LogColumns:
    """The columns of a row of `width` cells.

    Args:
        width: Cells of the row.
        time: Whether one wants to see the time.
        name: Cells of the longest name; 0 for no names.
    """
    return LogColumns(
        width,
        side=1 if width >= 24 else 0,
        time=TIME_CELLS if time and width >= 48 else 0,
        name=min(name, LONGEST_NAME, width // 6) if width >= 24 else 0,
        bar=1 if width >= 8 else 0,
    )
