"""Builds the top of the details screen: the task, its state, and why it does not run."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len

from taskkit import TaskDetails, TaskState
from taskkit.words.durations import clock_span, coarse, countdown
from taskkit.words.times import clock_time, near_time
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.tones import Tone, countdown_tone, run_glyph
from taskkit_tui.viewmodel.panels.running_cells import waited_for
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.text_lines import Line, Piece, line, line_width, wrapped


class StateWords(NamedTuple):
    """The state of a task: glyph, words and tone."""

    glyph: str
    words: str
    tone: Tone


def state_of(details: TaskDetails, now: float, *, gone: bool = False) -> StateWords:
    """Return the present state of a task, as a glyph and a few words."""
    task = details.task
    failing = TaskRow(task).failing
    if gone:
        return StateWords("○", "unregistered · last known state", Tone.BAD)
    if task.state is TaskState.GONE and task.run is None:
        return StateWords("○", "done", Tone.DIM)
    if task.run is not None:
        glyph, tone = run_glyph(task.run)
        if task.run.started is None:
            return StateWords(glyph, f"waiting {waited_for(task)}", tone)
        if task.run.asked_to_stop is not None:
            return StateWords(glyph, f"stopping {coarse(now - task.run.asked_to_stop)}", tone)
        again = " · then again" if task.again else ""
        return StateWords(glyph, f"running {clock_span(now - task.run.started)}{again}", tone)
    if task.replaces_running:
        return StateWords("◌", "waiting for the previous run", Tone.SOON)
    if task.retry is not None:
        return StateWords("●", f"failed · retry {task.retry.number}/{task.retry.of}", Tone.BAD)
    words = str(task.state).replace("_", " ")
    if task.disabled:
        until = task.disabled_until
        words = "disabled" if until is None else f"disabled until {near_time(until, now)}"
        return StateWords("∥", f"{words} · failing" if failing else words, Tone.BAD if failing else Tone.DIM)
    return StateWords("●", f"{words} · failing", Tone.BAD) if failing else StateWords("●", words, Tone.GOOD)


def headline(details: TaskDetails, now: float, width: int, *, gone: bool = False) -> Line:
    """Return the first line: name and state, countdown and clock."""
    task = details.task
    state = state_of(details, now, gone=gone)
    right: list[Piece] = [Piece(clock_time(now, now), Tone.DIM)]
    due = TaskRow(task).next_due
    if due is not None and task.run is None and not task.disabled and not gone:
        words = countdown(due, now)
        if due > now:
            words = f"in {words}"
        right = [
            Piece(words, countdown_tone(due, now)),
            Piece("   ", Tone.DIM),
            *right,
        ]
    state_words = state.words
    name = harmless(task.name)
    room = width - 2 - 3  # a space at each side; glyph and space; a space before the right side
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
    """Return why it is not running now and when it will, in the words of the library."""
    if gone:
        return [
            line(row, Tone.BAD)
            for row in wrapped(f"{harmless(details.task.name)} is no longer registered.", width)
        ]
    return [line(row) for row in wrapped(harmless(details.explanation), width)]
