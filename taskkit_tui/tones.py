"""Chooses the tone of what is soon, late, failing or stopped, and the colour of each task.

A tone is a meaning, not a colour: `themes` and the widgets turn it into one. Panels, timeline, log and
details all ask here; the thresholds are in `taskkit.words.urgency`, which the command uses as well.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final

from taskkit import OutcomeKind, RunSnapshot
from taskkit.outcome import FAILURES
from taskkit.words.outcomes import outcome_mark
from taskkit.words.task_colours import colour_of_task
from taskkit.words.urgency import is_imminent, is_late


class Tone(StrEnum):
    """The meaning of a piece of text to the eye. A widget gives each tone a colour of the theme."""

    PLAIN = "plain"
    STRONG = "strong"
    TITLE = "title"
    DIM = "dim"
    FAINT = "faint"
    """Rules and ground lines: seen only when looked for."""
    GOOD = "good"
    BAD = "bad"
    SOON = "soon"
    """Imminent, or waiting for something."""
    NEXT = "next"
    """Countdowns, and whatever else the eye goes to after alarms."""
    BUSY = "busy"
    """A run in progress."""
    CHANGED = "changed"
    CHART = "chart"


def countdown_tone(due: float, now: float) -> Tone:
    """Return the tone of a countdown to `due`, imminent or not; both in epoch seconds."""
    return Tone.SOON if is_imminent(due, now) else Tone.NEXT


def lateness_tone(lateness: float) -> Tone:
    """Return the tone of a run's lateness in seconds."""
    return Tone.SOON if is_late(lateness) else Tone.DIM


def outcome_tone(kind: OutcomeKind) -> Tone:
    """Return the tone of an outcome: bad for every failure, soon for a stopped run, else good."""
    if kind in FAILURES:
        return Tone.BAD
    return Tone.SOON if kind is OutcomeKind.STOPPED else Tone.GOOD


def outcome_glyph(kind: OutcomeKind) -> tuple[str, Tone]:
    """Return the glyph of an outcome, with its tone."""
    return outcome_mark(kind), outcome_tone(kind)


def run_glyph(run: RunSnapshot) -> tuple[str, Tone]:
    """Return the glyph of a run in progress, with its tone: it waits, runs, or stops."""
    if run.started is None:
        return "◌", Tone.SOON
    return "▶", Tone.BUSY if run.asked_to_stop is None else Tone.SOON


TASK_COLOURS: Final = tuple(f"task-{number}" for number in range(1, 9))
"""The theme variables of the tasks' colours; every theme has them while the app runs."""


@lru_cache(maxsize=16_384)
def task_colour(name: str) -> str:
    """Return the theme variable, without its `$`, for the colour of the task called `name`.

    The same name gets the same colour in every panel, in every session.
    """
    return colour_of_task(name, TASK_COLOURS)
