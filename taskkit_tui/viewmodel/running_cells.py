"""What each cell says of a run that goes on: functions of a row, an instant and a width."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from taskkit import OutcomeKind, Progress
from taskkit_tui.formatting import clock_span, coarse, duration, harmless, shorten_end
from taskkit_tui.viewmodel.pieces import EMPTY, Cell, Piece, Tone, cell
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.usual import usual_duration

LONG: Final = 3.0
"""How many times as long as usual a run takes that perhaps hangs."""
LEAST_LONGER: Final = 2.0
"""Seconds by which it takes longer at the least: short runs differ by chance."""

_LEAST_BAR: Final = 10
"""Cells below which a progress bar says less than the figures alone."""

_LONGEST_BAR: Final = 16
_LEAST_MESSAGE: Final = 6
"""Cells from which a message is shown beside the bar."""


def running_status(row: TaskRow, _now: float, _width: int) -> Cell:
    """One glyph for a run that goes on."""
    run = row.task.run
    if run is None or run.started is None:
        return cell("◌", Tone.SOON)
    return cell("▶", Tone.SOON if run.asked_to_stop is not None else Tone.BUSY)


def elapsed(row: TaskRow, now: float, width: int) -> Cell:
    """How long it has run, and how long it usually takes."""
    run = row.task.run
    if run is None:
        return EMPTY
    if run.started is None:
        return cell("waiting", Tone.SOON)
    usual = usual_duration(row.task.past)
    spent = now - run.started
    text = clock_span(spent)
    hangs = usual is not None and spent > LONG * usual and spent > usual + LEAST_LONGER
    first = Piece(text, Tone.SOON if hangs or run.asked_to_stop is not None else Tone.NEXT)
    if usual is None:
        return (first,)
    estimate = clock_span(max(1, round(usual)))
    compared = [f" of ~{estimate}", f" ~{estimate}", ""]
    if hangs:
        compared = [f" usually {duration(usual)}", *compared[:-1], " !", ""]
    beside = next((words for words in compared if len(text) + len(words) <= width), "")
    return (first, Piece(beside, Tone.SOON if hangs else Tone.DIM)) if beside else (first,)


def elapsed_cells(row: TaskRow) -> int:
    """The cells that `elapsed` can use."""
    is_usual_known = any(run.kind is OutcomeKind.SUCCEEDED for run in row.task.past)
    return len("1:23:45 usually 1.2 s" if is_usual_known else "1:23:45")


def progress(row: TaskRow, now: float, width: int) -> Cell:
    """How far a run has come, or what it waits for."""
    run = row.task.run
    if run is None:
        return EMPTY
    if run.started is None:
        return cell("for a thread" if width >= 12 else "for thread", Tone.SOON)
    suffix = _suffix(row)
    if run.asked_to_stop is not None:
        words = f"stopping {coarse(now - run.asked_to_stop)}"
        if len(words) > width:
            words = words.replace("stopping", "stop")
        return cell(shorten_end(words + suffix, width), Tone.SOON)
    if run.progress is None:
        if suffix:
            return cell(shorten_end(suffix.removeprefix(" · "), width), Tone.SOON)
        if run.attempt > 1:
            return cell(f"try {run.attempt}", Tone.SOON)
        return EMPTY
    body = _how_far(run.progress, width - len(suffix))
    return (*body, Piece(suffix, Tone.SOON)) if suffix else body


def progress_cells(row: TaskRow) -> int:
    """The cells that `progress` can use; 0 where it says nothing."""
    run = row.task.run
    if run is None:
        return 0
    if run.started is None:
        return len("for a thread")
    suffix = len(_suffix(row))
    if run.asked_to_stop is not None:
        return len("stopping 9 s") + suffix
    made = run.progress
    if made is None:
        return suffix - 3 if suffix else len("try 2") if run.attempt > 1 else 0
    message = cell_len(harmless(made.message))
    if not made.total or made.total < 0:
        return (message or len("1000000 done")) + suffix
    return _LONGEST_BAR + len(" 100 %") + (1 + max(message, _LEAST_MESSAGE) if message else 0) + suffix


def _suffix(row: TaskRow) -> str:
    """What comes after the run."""
    return " · again" if row.task.again else " · then gone" if row.task.unregistered else ""


def _how_far(made: Progress, width: int) -> Cell:
    message = harmless(made.message)
    if not made.total or made.total < 0:
        words = message or f"{made.done:g} done"
        return cell(shorten_end(words, width), Tone.DIM)
    share = min(1.0, max(0.0, made.done / made.total))
    percent = f"{share * 100:3.0f} %"
    room = min(_LONGEST_BAR, width - len(percent) - 1)
    if width < _LEAST_BAR:
        return cell(percent.strip(), Tone.PLAIN)
    halves = round(share * room * 2)
    full, half = divmod(halves, 2)
    done = "━" * full + ("╸" if half else "")
    bar = (
        Piece(done, Tone.BUSY),
        Piece("━" * (room - len(done)), Tone.FAINT),
        Piece(f" {percent}", Tone.PLAIN),
    )
    left = width - room - len(percent) - 2
    if message and left >= _LEAST_MESSAGE:
        return (*bar, Piece(f" {shorten_end(message, left)}", Tone.DIM))
    return bar
