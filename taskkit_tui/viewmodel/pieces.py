"""What stands in one cell of a panel: pieces of text, each with a tone, no colours."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Tone(StrEnum):
    """What a piece of text means to the eye. A widget gives each tone a colour of the theme."""

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
    """A run that goes on."""
    CHANGED = "changed"
    CHART = "chart"


class Piece(NamedTuple):
    """Some text of one tone. The text is harmless already."""

    text: str
    tone: Tone


Cell: TypeAlias = tuple[Piece, ...]
"""The pieces from left to right."""


def cell(text: str, tone: Tone = Tone.PLAIN) -> Cell:
    """A cell of one piece."""
    return (Piece(text, tone),)


EMPTY: Cell = ()
