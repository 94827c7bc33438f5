"""Previews a schedule that a person types, and turns a task's schedule back into typed text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from taskkit import TaskSnapshot
from taskkit.words.durations import countdown
from taskkit.words.times import clock_time
from taskkit_tui.formatting import harmless

WHEN_HINT: Final = "90 · 1h30m · 03:30 · in 10m · */15 * * * * · on demand"
"""Examples of what can be typed for a schedule."""


class TypedSchedule(NamedTuple):
    """A schedule as a person typed it. The scheduler reads it, in its own time zone."""

    text: str
    words: str
    """The scheduler's words for it, as in `every 5 min`."""


class SchedulePreview(NamedTuple):
    """A typed schedule as the scheduler reads it."""

    words: str
    due_times: Sequence[float]
    """The next ones, in epoch seconds."""


def preview_lines(preview: SchedulePreview, now: float) -> list[str]:
    """Return the words of a schedule, then its due times, one per line."""
    return [
        harmless(preview.words),
        *(
            f"{clock_time(due, now):>10}   {'at once' if due <= now else 'in ' + countdown(due, now)}"
            for due in preview.due_times
        ),
    ]


def as_typed(task: TaskSnapshot) -> str:
    """Return the schedule of a task as a person could type it; a custom schedule may have no such form."""
    if task.schedule != "once" or task.next_run is None:
        return harmless(task.schedule)
    at = datetime.fromtimestamp(task.next_run)
    return f"{at:%Y-%m-%d %H:%M:%S}" if at.second else f"{at:%Y-%m-%d %H:%M}"
