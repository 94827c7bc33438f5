"""Makes the cells of a run in progress: functions of a row, a time in epoch seconds, and a width."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from taskkit import OutcomeKind, Progress, TaskSnapshot
from taskkit.words.durations import clock_span, coarse, duration
from taskkit.words.urgency import is_unusually_long
from taskkit_tui.formatting import harmless, shorten_end
from taskkit_tui.tones import Tone, run_glyph
from taskkit_tui.viewmodel.row import TaskRow, usual_duration
from taskkit_tui.viewmodel.text_lines import EMPTY, Cell, Piece, cell

_LEAST_BAR: Final = 10
"""The least cells for a progress bar; below that, the percentage alone is clearer."""

_LONGEST_BAR: Final = 16
_LEAST_MESSAGE: Final = 6
"""The least cells for a message beside the bar."""


def running_status(row: TaskRow, _now: float, _width: int) -> Cell:
    """Return the glyph of a run in progress."""
    run = row.task.run
    return cell("◌", Tone.SOON) if run is None else cell(*run_glyph(run))


def elapsed(row: TaskRow, now: float, width: int) -> Cell:
    """Return how long it has run, and how long it usually takes."""
    run = row.task.run
    if run is None:
        return EMPTY
    if run.started is None:
        return cell("waiting", Tone.SOON)
    usual = usual_duration(row.task.past)
    spent = now - run.started
    text = clock_span(spent)
    hangs = usual is not None and is_unusually_long(spent, usual)
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
    """Return the cells that `elapsed` can use."""
    is_usual_known = any(run.kind is OutcomeKind.SUCCEEDED for run in row.task.past)
    return len("1:23:45 usually 1.2 s" if is_usual_known else "1:23:45")


def progress(row: TaskRow, now: float, width: int) -> Cell:
    """Return the progress of a run, or what it waits for."""
    run = row.task.run
    if run is None:
        return EMPTY
    if run.started is None:
        return cell(shorten_end(waited_for(row.task, width), width), Tone.SOON)
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
    body = _progress_bar(run.progress, width - len(suffix))
    return (*body, Piece(suffix, Tone.SOON)) if suffix else body


def progress_cells(row: TaskRow) -> int:
    """Return the cells that `progress` can use; 0 if it is empty."""
    run = row.task.run
    if run is None:
        return 0
    if run.started is None:
        return len(waited_for(row.task))
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


def waited_for(task: TaskSnapshot, width: int = 20) -> str:
    """Return what a run waits for, as `for a thread`."""
    what = {"thread": "a thread", "process": "a process", "loop": "the loop"}.get(task.executor)
    if what is None:
        return f"for {harmless(task.executor)}"
    words = f"for {what}"
    return words if len(words) <= width else f"for {task.executor}"


def where(row: TaskRow, _now: float, width: int) -> Cell:
    """Return where a run executes, unless that is a thread; only its last word if there is no more room."""
    text = _where(row)
    if cell_len(text) > width:
        text = text.rpartition(" ")[2]
    return cell(shorten_end(text, width), Tone.DIM)


def where_cells(row: TaskRow) -> int:
    """Return the cells that `where` can use; 0 if it is empty."""
    return cell_len(_where(row))


def _where(row: TaskRow) -> str:
    run, executor = row.task.run, row.task.executor
    if executor == "thread":
        return ""
    return harmless(executor if run is None or run.where is None else run.where)


def _suffix(row: TaskRow) -> str:
    """Return the words for what follows the run."""
    return " · again" if row.task.again else " · then gone" if row.task.unregistered else ""


def _progress_bar(made: Progress, width: int) -> Cell:
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
