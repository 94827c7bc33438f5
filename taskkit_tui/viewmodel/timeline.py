"""The next runs on a strip: which column of the screen which task falls due in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from taskkit_tui.formatting import DAY, HOUR, MINUTE
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.row import TaskRow


@dataclass(frozen=True, slots=True)
class Zoom:
    """How much time the strip shows."""

    title: str
    seconds: float
    marks: tuple[tuple[float, str], ...]
    """Where the axis is labelled: seconds from now, and the words."""


ZOOMS: Final = (
    Zoom("next 1 min", MINUTE, ((15, "+15s"), (30, "+30s"), (45, "+45s"))),
    Zoom("next 10 min", 10 * MINUTE, ((150, "+2:30"), (300, "+5 min"), (450, "+7:30"))),
    Zoom("next 1 h", HOUR, ((900, "+15 min"), (1800, "+30 min"), (2700, "+45 min"))),
    Zoom("next 1 day", DAY, ((DAY / 4, "+6 h"), (DAY / 2, "+12 h"), (DAY * 3 / 4, "+18 h"))),
)

OFTEN: Final = 20
"""A task that runs more often than this within the strip is drawn thin: it is the ground, not the news."""

_MOST_STEPS: Final = 20_000
"""How many due times are looked at; more than that, and every column is full anyway."""


class Mark(NamedTuple):
    """One column of the strip."""

    name: str
    """Of the task that is drawn: the selected one, else the one that runs least often."""
    thin: bool
    selected: bool


def timeline_marks(
    rows: Iterable[TaskRow], now: float, zoom: Zoom, width: int, selected: int | None = None
) -> dict[int, Mark]:
    """The columns in which something falls due.

    Args:
        rows: The tasks that fall due in that time, the earliest first.
        now: Epoch seconds.
        zoom: How much time the strip shows.
        width: Its columns.
        selected: The number of the row that is drawn before all others.
    """
    marks: dict[int, tuple[int, Mark]] = {}
    steps = 0
    cell = zoom.seconds / max(1, width)
    for row in rows:
        due = row.next_due
        if due is None:
            continue
        period = row.task.period
        often = period is not None and zoom.seconds / period > OFTEN
        mark = Mark(row.name, often, row.number == selected)
        rank = 2 if mark.selected else 0 if often else 1
        at = max(due, now)
        while at < now + zoom.seconds and steps < _MOST_STEPS:
            steps += 1
            column = int((at - now) / cell)
            if column not in marks or marks[column][0] < rank:
                marks[column] = (rank, mark)
            if period is None:
                break
            # Several due times in one column are one mark.
            at += max(period, period * (((column + 1) * cell - (at - now)) // period))
    return {column: mark for column, (_, mark) in marks.items() if column < width}


def axis(zoom: Zoom, width: int) -> tuple[Piece, ...]:
    """The line beneath: `now┈┈┈+15s┈┈┈`."""
    pieces: list[Piece] = []
    x = 0
    for seconds, words in ((0.0, "now"), *zoom.marks):
        start = int(seconds / zoom.seconds * width)
        if x <= start and start + len(words) < width:
            pieces += [Piece("┈" * (start - x), Tone.FAINT), Piece(words, Tone.DIM)]
            x = start + len(words)
    return (*pieces, Piece("┈" * (width - x), Tone.FAINT))
