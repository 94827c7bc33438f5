"""Layout of the main screen at each size: pure, so that every size can be tested."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

WIDE: Final = 110
"""Columns from which everything is visible at once."""
LEAST_WIDTH_FOR_ALL: Final = 80
LEAST_HEIGHT_FOR_ALL: Final = 24
LEAST_WIDTH: Final = 40
LEAST_HEIGHT: Final = 10
HEIGHT_FOR_TIMELINE: Final = 30


class Shape(StrEnum):
    """Layouts; the value is the class of the screen in its style sheet."""

    WIDE = "-wide"
    COMPACT = "-compact"
    SINGLE = "-single"
    """One panel at a time, with tabs."""
    TOO_SMALL = "-too-small"


def shape_for(width: int, height: int) -> Shape:
    """Return the layout for a terminal of this size, in columns and rows."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Shape.TOO_SMALL
    if width < LEAST_WIDTH_FOR_ALL or height < LEAST_HEIGHT_FOR_ALL:
        return Shape.SINGLE
    return Shape.WIDE if width >= WIDE else Shape.COMPACT


def too_small_words(width: int, height: int) -> str:
    """Say what is too small, in as many words as fit in `width` columns."""
    if width < LEAST_WIDTH and height < LEAST_HEIGHT:
        wanted = f"{LEAST_WIDTH}×{LEAST_HEIGHT}"
    elif width < LEAST_WIDTH:
        wanted = f"{LEAST_WIDTH} columns"
    else:
        wanted = f"{LEAST_HEIGHT} rows"
    for words in (
        f"The terminal is {width}×{height}; this needs {wanted}",
        f"{width}×{height}: needs {wanted}",
        f"needs {wanted}",
        "too small",
        "small",
    ):
        if len(words) <= width:
            return words
    return "…"
