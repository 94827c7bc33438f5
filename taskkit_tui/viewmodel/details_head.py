"""What the details screen says before all else: which task it is, what it does, and why it does not run."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len

from taskkit import TaskDetails
from taskkit_tui.formatting import clock_span, clock_time, coarse, countdown, harmless, shorten
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.row_cells import IMMINENT
from taskkit_tui.viewmodel.text_lines import Line, line, line_width, wrapped


class State(NamedTuple):
    """What a task does now."""

    glyph: str
    words: str
    tone: Tone


def state_of(details: TaskDetails, now: float, *, gone: bool = False) -> State:
    """What a task does now, in a glyph and a few words."""
    task = details.task
    failing = TaskRow(task).failing
    if gone:
        return State("○", "gone · as it last was", Tone.BAD)
    if task.run is not None:
        if task.run.started is None:
            return State("◌", "waiting for a thread", Tone.SOON)
        if task.run.asked_to_stop is not None:
            return State("▶", f"stopping {coarse(now - task.run.asked_to_stop)}", Tone.SOON)
        again = " · once more after it" if task.again else ""
        return State("▶", f"running {clock_span(now - task.run.started)}{again}", Tone.BUSY)
    if task.replaces_running:
        return State("◌", "waiting for the run before", Tone.SOON)
    if task.retry is not None:
        return State("●", f"failed · retry {task.retry.number}/{task.retry.of}", Tone.BAD)
    words = str(task.state).replace("_", " ")
    if task.disabled:
        return State("∥", "disabled · failing" if failing else "disabled", Tone.BAD if failing else Tone.DIM)
    return State("●", f"{words} · failing", Tone.BAD) if failing else State("●", words, Tone.GOOD)


def headline(details: TaskDetails, now: float, width: int, *, gone: bool = False) -> Line:
    """The first line: which task, what it does, when it is due, what time it is."""
    task = details.task
    state = state_of(details, now, gone=gone)
    right: list[Piece] = [Piece(clock_time(now, now), Tone.DIM)]
    due = TaskRow(task).next_due
    if due is not None and task.run is None and not task.disabled and not gone:
        soon = due - now <= IMMINENT
        words = countdown(due, now)
        if due > now:
            words = f"in {words}"
        right = [Piece(words, Tone.SOON if soon else Tone.NEXT), Piece("   ", Tone.DIM), *right]
    state_words = state.words
    name = harmless(task.name)
    room = width - 2 - 3  # a blank at each side; glyph and blank; one blank before the right side
    if room - cell_len(state_words) - line_width(tuple(right)) < min(12, cell_len(name)) + 2:
        right = right[:1] if len(right) > 1 else []
    if room - cell_len(state_words) - line_width(tuple(right)) < min(12, cell_len(name)) + 2:
        right = []
    name = shorten(name, max(1, room - cell_len(state_words) - 2 - line_width(tuple(right))))
    left = [
        Piece(f" {state.glyph} ", state.tone),
        Piece(name, Tone.STRONG),
        Piece(f"  {state_words}", state.tone),
    ]
    gap = width - 1 - line_width(tuple(left)) - line_width(tuple(right))
    return (*left, Piece(" " * max(1, gap), Tone.PLAIN), *right)


def explanation_lines(details: TaskDetails, width: int, *, gone: bool = False) -> list[Line]:
    """Why it is not running now and when it will, as the library says it."""
    if gone:
        return [line(row, Tone.BAD) for row in wrapped(f"{harmless(details.task.name)} is gone.", width)]
    return [line(row) for row in wrapped(harmless(details.explanation), width)]
