"""Lists the next due times of a task, with day, zone and clock changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from taskkit import TaskDetails, TaskState
from taskkit.words.durations import countdown
from taskkit.words.times import BEYOND_THE_CALENDAR, local_time, near_time, offset_text
from taskkit_tui.formatting import harmless
from taskkit_tui.tones import Tone, countdown_tone
from taskkit_tui.viewmodel.text_lines import Line, Piece, line, line_width, wrapped
from taskkit_tui.viewmodel.zoned_due_times import DueTime, due_times


def due_title(details: TaskDetails) -> str:
    """Return the title of the due times: their number and zone."""
    count = len(details.due_times)
    words = f"Next {count}" if count > 1 else "Retry" if details.task.retry else "Next"
    return f"{words} · {harmless(details.zone) if details.zone else 'local time'}"


def due_lines(details: TaskDetails, now: float, width: int) -> list[Line]:
    """Return the next due times, one per line, with changes of the clock between them."""
    listed = due_times(details.due_times, details.zone, now)
    if not listed:
        return [line(row, Tone.DIM) for row in wrapped(_no_due_words(details, now), width)]
    style = next(
        (each for each in _due_styles(listed, details, now) if _due_width(listed, now, each) <= width),
        _SHORTEST,
    )
    return [_due_line(each, now, width, style) for each in listed]


class _DueStyle(NamedTuple):
    """The format of due times; the same for a whole list, so that they are aligned."""

    day: str
    """A `strftime` format; empty for no day."""
    time: str
    fraction: bool
    offset: bool
    span: bool
    """True to show the countdown."""


_SHORTEST: Final = _DueStyle("", "%H:%M:%S", False, False, False)


def _due_styles(listed: Sequence[DueTime], details: TaskDetails, now: float) -> Iterator[_DueStyle]:
    """Yield formats for some due times, the longest first."""
    period = details.task.period
    fraction = period is not None and period != int(period)
    whole_minutes = all(each.local is None or each.local.second == 0 for each in listed) and not fraction
    today = local_time(now)
    years = today is not None and any(each.local and each.local.year != today.year for each in listed)
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


def _due_width(listed: Sequence[DueTime], now: float, style: _DueStyle) -> int:
    return max(line_width(_due_left(each, style)) + 1 + len(_due_span(each, now, style)) for each in listed)


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
    tone = countdown_tone(due.instant, now)
    return (*left, Piece(" " * gap, Tone.PLAIN), Piece(span, tone))


def _no_due_words(details: TaskDetails, now: float) -> str:
    if details.task.state is TaskState.GONE:
        return "Done: nothing more is due."
    if details.task.disabled:
        until = details.task.disabled_until
        words = "Disabled" if until is None else f"Disabled until {near_time(until, now)}"
        return f"{words}, so nothing is due. e enables it."
    if details.task.follows:
        return f"Due {harmless(details.task.schedule)}; it has no due times of its own."
    if details.task.schedule == "on demand":
        return "Runs on demand only. r runs it now."
    return "No due times are left."


def due_copy(due: DueTime) -> str:
    """Return a due time for copying: ISO 8601 with its offset."""
    return f"{due.instant:.3f}" if due.local is None else due.local.isoformat(timespec="milliseconds")
