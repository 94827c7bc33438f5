"""Rows, outcomes and details cut to what fits into a message. Pure.

A task may print megabytes, return anything, and have a description of any length. Only texts
for people are cut, and the answer says so. A name is cut only if it would fill a message by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from taskkit.outcome import Outcome
from taskkit.remote.protocol import json_text
from taskkit.remote.rows import to_row
from taskkit.snapshot import TaskDetails, TaskSnapshot

MOST_DETAILS_BYTES: Final = 256 * 1024
"""The most bytes for the details of one task."""
MOST_OUTCOME_BYTES: Final = 448 * 1024
"""The most bytes for one whole outcome."""
MOST_FAILURE_BYTES: Final = 8 * 1024
"""The most bytes for an outcome in a frame."""
MOST_ROW_BYTES: Final = 16 * 1024
"""The most bytes for the row of one task."""
_BYTES_A_CHARACTER: Final = 12
"""The most bytes of a character in JSON: beyond the basic plane it is two escapes of six."""


def encoded_task(task: TaskSnapshot) -> str:
    """Return the row of a task as JSON, cut if it is too long."""
    text = json_text(to_row(task))
    if len(text) <= MOST_ROW_BYTES:
        return text
    most = MOST_ROW_BYTES // 8
    progress = task.run.progress if task.run is not None else None
    run = task.run
    if run is not None and progress is not None:
        run = replace(run, progress=replace(progress, message=_cut(progress.message, most)))
    short = replace(
        task,
        name=_cut(task.name, MOST_ROW_BYTES),
        schedule=_cut(task.schedule, most),
        overrides=None if task.overrides is None else _cut(task.overrides, most),
        description=_cut(task.description, most),
        run=run,
        past=tuple(
            replace(each, exception=None if each.exception is None else _cut(each.exception, most // 8))
            for each in task.past
        ),
    )
    return json_text(to_row(short))


def shortened_details(details: TaskDetails) -> tuple[TaskDetails, str]:
    """Return details that fit into a message, and a few words on what was cut; empty if nothing was."""
    if len(json_text(to_row(details))) <= MOST_DETAILS_BYTES:
        return details, ""
    runs = sum(isinstance(each, Outcome) for each in details.history)
    share = MOST_DETAILS_BYTES // 2 // max(1, runs)
    history = tuple(
        shortened_outcome(each, share) if isinstance(each, Outcome) else each for each in details.history
    )
    output = newest_lines(details.output, MOST_DETAILS_BYTES // 4)
    short = replace(details, history=history, output=output)
    if len(json_text(to_row(short))) > MOST_DETAILS_BYTES:
        bare = tuple(
            replace(each, output=(), traceback=None) if isinstance(each, Outcome) else each
            for each in history
        )
        short = replace(short, history=bare, output=())
    return short, "output and tracebacks are shortened"


def shortened_outcome(outcome: Outcome, most_bytes: int) -> Outcome:
    """Return the outcome in about `most_bytes`: with its newest lines, and both ends of its traceback."""
    output = newest_lines(outcome.output, most_bytes // 2)
    return replace(
        outcome,
        output=output,
        output_dropped=outcome.output_dropped + len(outcome.output) - len(output),
        traceback=_ends(outcome.traceback, most_bytes // 4),
        exception=None if outcome.exception is None else _cut(outcome.exception, most_bytes // 8),
    )


def shortened_failure(outcome: Outcome) -> Outcome:
    """Return a failed outcome for a frame: without its output, which was sent as lines."""
    short = shortened_outcome(outcome.without_output(), MOST_FAILURE_BYTES)
    return replace(short, task=_cut(short.task, MOST_FAILURE_BYTES))


def newest_lines(lines: tuple[str, ...], most_bytes: int) -> tuple[str, ...]:
    """Return the last lines that fit."""
    start = len(lines)
    while start and (most_bytes := most_bytes - len(json_text(lines[start - 1])) - 1) >= 0:
        start -= 1
    return lines[start:]


def _cut(text: str, most_bytes: int) -> str:
    if len(text) * _BYTES_A_CHARACTER <= most_bytes or len(json_text(text)) <= most_bytes:
        return text
    return text[: most_bytes // _BYTES_A_CHARACTER - 1] + "…"


def _ends(text: str | None, most_bytes: int) -> str | None:
    if text is None or len(json_text(text)) <= most_bytes:
        return text
    half = most_bytes // 2 // _BYTES_A_CHARACTER
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[len(text) - half :]}"
