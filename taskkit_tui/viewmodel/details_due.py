"""The next due times of a task, one a line, each with day, zone and what the clocks do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from taskkit import TaskDetails
from taskkit.local_times import local_time
from taskkit.words import BEYOND_THE_CALENDAR, offset_text
from taskkit_tui.formatting import countdown, harmless
from taskkit_tui.viewmodel.moments import DueTime, due_times
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.row_cells import IMMINENT
from taskkit_tui.viewmodel.text_lines import Line, line, line_width, wrapped


def due_title(details: TaskDetails) -> str:
    """What stands above the due times: how many, and in which zone."""
    count = len(details.due_times)
    words = f"Next {count}" if count > 1 else "Retry" if details.task.retry else "Next"
    return f"{words} · {harmless(details.zone) if details.zone else 'local time'}"


def due_lines(details: TaskDetails, now: float, width: int) -> list[Line]:
    """The next due times, one a line; where the clocks were set meanwhile, by how much."""
    told = due_times(details.due_times, details.zone, now)
    if not told:
        return [line(row, Tone.DIM) for row in wrapped(_why_nothing_is_due(details), width)]
    style = next(
        (each for each in _due_styles(told, details, now) if _due_width(told, now, each) <= width), _BAREST
    )
    return [_due_line(each, now, width, style) for each in told]


class _DueStyle(NamedTuple):
    """How due times are written; the same for all of a list, so that they stay aligned."""

    day: str
    """A format; empty for none."""
    time: str
    fraction: bool
    offset: bool
    span: bool
    """Whether it is told how long it is until then."""


_BAREST: Final = _DueStyle("", "%H:%M:%S", False, False, False)


def _due_styles(told: Sequence[DueTime], details: TaskDetails, now: float) -> Iterator[_DueStyle]:
    """Ways to write some due times, the fullest first."""
    period = details.task.period
    fraction = period is not None and period != int(period)
    whole_minutes = all(each.local is None or each.local.second == 0 for each in told) and not fraction
    today = local_time(now)
    years = today is not None and any(each.local and each.local.year != today.year for each in told)
    full = _DueStyle("%a %d %b %Y" if years else "%a %d %b", "%H:%M:%S", fraction, offset=True, span=True)
    yield full
    if whole_minutes:
        yield full._replace(time="%H:%M")
    bare = full._replace(offset=False)
    yield bare
    if whole_minutes:
        yield bare._replace(time="%H:%M")
    yield bare._replace(time="%H:%M" if whole_minutes else "%H:%M:%S", day="%d %b %Y" if years else "%a %d")
    yield bare._replace(time="%H:%M" if whole_minutes else "%H:%M:%S", day="%d %b", span=False)


def _due_width(told: Sequence[DueTime], now: float, style: _DueStyle) -> int:
    return max(line_width(_due_left(each, style)) + 1 + len(_due_span(each, now, style)) for each in told)


def _due_span(due: DueTime, now: float, style: _DueStyle) -> str:
    return countdown(due.instant, now) if style.span else ""


def _due_left(due: DueTime, style: _DueStyle) -> Line:
    if due.local is None:
        return line(BEYOND_THE_CALENDAR, Tone.DIM)
    time = due.local.strftime(style.time)
    if style.fraction:
        time += f".{due.local.microsecond // 1000:03}"
    pieces = [Piece(due.local.strftime(f"{style.day}  "), Tone.DIM)] if style.day else []
    pieces.append(Piece(time, Tone.PLAIN))
    if style.offset:
        pieces.append(Piece(f" {offset_text(due.local)}", Tone.SOON if due.shift else Tone.DIM))
    if due.shift:
        pieces.append(Piece(f" {due.shift_words}", Tone.SOON))
    return tuple(pieces)


def _due_line(due: DueTime, now: float, width: int, style: _DueStyle) -> Line:
    left, span = _due_left(due, style), _due_span(due, now, style)
    gap = max(1, width - line_width(left) - len(span))
    tone = Tone.SOON if due.instant - now <= IMMINENT else Tone.NEXT
    return (*left, Piece(" " * gap, Tone.PLAIN), Piece(span, tone))


def _why_nothing_is_due(details: TaskDetails) -> str:
    if details.task.disabled:
        return "Nothing is due while it is disabled; e enables it."
    if details.task.schedule == "on demand":
        return "It runs only when asked; r runs it now."
    return "Nothing is due any more."


def due_copy(due: DueTime) -> str:
    """A due time as one would paste it: ISO 8601 with its offset."""
    return f"{due.instant:.3f}" if due.local is None else due.local.isoformat(timespec="milliseconds")
