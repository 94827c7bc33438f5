"""Computes the timeline: the columns of the screen in which tasks fall due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from taskkit import Every
from taskkit.policies import limits_from_texts
from taskkit.schedules.due_limits import DueLimits
from taskkit.words.durations import DAY, HOUR, MINUTE
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.text_lines import Piece


@dataclass(frozen=True, slots=True)
class Zoom:
    """The span of time that the strip shows."""

    title: str
    seconds: float
    marks: tuple[tuple[float, str], ...]
    """The labels of the axis: seconds from now, and the words."""


ZOOMS: Final = (
    Zoom("next 1 min", MINUTE, ((15, "+15s"), (30, "+30s"), (45, "+45s"))),
    Zoom("next 10 min", 10 * MINUTE, ((150, "+2:30"), (300, "+5 min"), (450, "+7:30"))),
    Zoom("next 1 h", HOUR, ((900, "+15 min"), (1800, "+30 min"), (2700, "+45 min"))),
    Zoom("next 1 day", DAY, ((DAY / 4, "+6 h"), (DAY / 2, "+12 h"), (DAY * 3 / 4, "+18 h"))),
)

OFTEN: Final = 20
"""A task that runs more often than this within the strip is drawn thin, so that rare runs stand out."""


MOST_FOLLOWED: Final = 50
"""The most tasks of a chain that the strip shows."""


class TimelineMark(NamedTuple):
    """One column of the strip."""

    name: str
    """The name of the drawn task: the selected one, else the one that runs least often."""
    thin: bool
    selected: bool


def timeline_marks(rows: Iterable[TaskRow], now: float, zoom: Zoom, width: int) -> dict[int, TimelineMark]:
    """Return the columns in which something falls due. A task that runs seldom hides one that runs often.

    Of the tasks with the same period that are due in the same column, only the first and the last are
    followed: those between fall due in no other columns. After every column has a task that runs seldom, no
    more rows are read.

    Args:
        rows: The tasks that fall due in that time, earliest first.
        now: Epoch seconds.
        zoom: The span of time.
        width: The number of columns.
    """
    seldom: dict[int, TimelineMark] = {}
    often: dict[int, TimelineMark] = {}
    if not width:
        return {}

    def draw(row: TaskRow) -> None:
        thin = _is_thin(row.task.period, zoom)
        marks = often if thin else seldom
        if len(marks) < width:
            mark = TimelineMark(row.name, thin, selected=False)
            for column in _columns(row, now, zoom, width):
                marks.setdefault(column, mark)

    cell = zoom.seconds / width
    first: set[tuple[int, float | None, bool]] = set()
    last: dict[tuple[int, float | None, bool], TaskRow] = {}
    for row in rows:
        task, due = row.task, row.next_due
        if len(seldom) == width and not _is_thin(task.period, zoom):
            break
        if due is not None and not task.limits:
            alike = (int((due - now) / cell), task.period, task.fixed_delay)
            if alike in first:
                last[alike] = row
                continue
            first.add(alike)
        draw(row)
    for row in last.values():
        draw(row)
    return {**often, **seldom}


def _is_thin(period: float | None, zoom: Zoom) -> bool:
    return period is not None and zoom.seconds / period > OFTEN


def marks_of_selected(
    row: TaskRow, now: float, zoom: Zoom, width: int, named: Callable[[str], TaskRow | None]
) -> dict[int, TimelineMark]:
    """Return the columns in which the selected task falls due; they are drawn over all others.

    For one that follows others they are the columns of its chain, in the colours of those tasks.

    Args:
        row: The selected task.
        now: Epoch seconds.
        zoom: The span of time.
        width: The number of columns.
        named: Returns the row of a task by its name.
    """
    marks: dict[int, TimelineMark] = {}
    for each in _chain(row, named):
        mark = TimelineMark(each.name, _is_thin(each.task.period, zoom), selected=True)
        for column in _columns(each, now, zoom, width):
            marks.setdefault(column, mark)
    return marks


def _chain(row: TaskRow, named: Callable[[str], TaskRow | None]) -> list[TaskRow]:
    """Return a row, and those of the tasks that it follows, directly or not; `MOST_FOLLOWED` at most."""
    rows = {row.name: row}
    waiting = [row]
    while waiting and len(rows) < MOST_FOLLOWED:
        for name in waiting.pop().task.follows:
            followed = None if name in rows else named(name)
            if followed is not None:
                rows[name] = followed
                waiting.append(followed)
    return list(rows.values())


def _columns(row: TaskRow, now: float, zoom: Zoom, width: int) -> Iterator[int]:
    """Yield the columns in which a task falls due, from left to right."""
    due, period = row.next_due, row.task.period
    if due is None or not width:
        return
    cell = zoom.seconds / width
    at = max(due, now)
    spans = _open_spans(row, now, zoom)
    while at < now + zoom.seconds:
        column = int((at - now) / cell)
        if column >= width:
            return
        if spans is None or any(begin < at <= end for begin, end in spans):
            yield column
        if period is None or row.task.fixed_delay:  # what follows depends on how long the next run takes
            return
        # Several due times in one column are one mark.
        at += max(period, period * (((column + 1) * cell - (at - now)) // period))


def _open_spans(row: TaskRow, now: float, zoom: Zoom) -> list[tuple[float, float]] | None:
    """Return the spans in which a task may be due, each without its first instant; `None` for always."""
    task = row.task
    if not task.limits or task.period is None or task.retry is not None:
        return None  # what is shown then is within the limits, or not bound by them
    limits = _limits(tuple(sorted(task.limits.items())))
    return None if limits is None else list(limits.spans(now - 1.0, now + zoom.seconds))


@lru_cache(maxsize=256)
def _limits(texts: tuple[tuple[str, str], ...]) -> DueLimits | None:
    """Return the limits of a periodic task; `None` if they cannot be read."""
    return limits_from_texts(dict(texts)).limits(Every(HOUR))


def axis(zoom: Zoom, width: int) -> tuple[Piece, ...]:
    """Return the line below the marks: `now┈┈┈+15s┈┈┈`."""
    pieces: list[Piece] = []
    x = 0
    for seconds, words in ((0.0, "now"), *zoom.marks):
        start = int(seconds / zoom.seconds * width)
        if x <= start and start + len(words) < width:
            pieces += [Piece("┈" * (start - x), Tone.FAINT), Piece(words, Tone.DIM)]
            x = start + len(words)
    return (*pieces, Piece("┈" * (width - x), Tone.FAINT))
