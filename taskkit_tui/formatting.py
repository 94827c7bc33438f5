"""Fits text into terminal cells: pads, cuts and shortens it.

A width counts terminal cells, not characters: a wide character takes two. Foreign text (names, schedules,
errors) passes through `harmless` before it is painted anywhere.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from taskkit.words.plain_text import cut_end, cut_middle
from taskkit.words.plain_text import harmless as harmless
from taskkit.words.plain_text import plural as plural


def fit(text: str, width: int) -> str:
    """Return `text`, cut or padded on the right to exactly `width` cells."""
    return set_cell_size(text, max(0, width))


def fit_right(text: str, width: int) -> str:
    """Return `text` aligned to the right in exactly `width` cells; cut with an ellipsis if it is too long."""
    length = cell_len(text)
    if length <= width:
        return " " * (width - length) + text
    return shorten_end(text, width)


def shorten_end(text: str, width: int) -> str:
    """Return `text` in at most `width` cells; cut with an ellipsis if it is too long."""
    return cut_end(text, width, cell_len)


def longest_fitting(width: int, *texts: str) -> str:
    """Return the first of `texts` that fits into `width` cells; if none does, the last one cut."""
    return next((text for text in texts if cell_len(text) <= width), None) or shorten_end(texts[-1], width)


@lru_cache(maxsize=4096)
def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, shortened in the middle, so that similar names differ."""
    return cut_middle(text, width, cell_len)
