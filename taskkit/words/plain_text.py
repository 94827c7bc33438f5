"""Foreign text made harmless to a terminal, measured in columns, and shortened."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

ELLIPSIS: Final = "…"

Measure: TypeAlias = Callable[[str], int]
"""Return how many columns of a terminal a harmless text takes."""

_ZERO_WIDTH: Final = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f]")


def harmless(text: str) -> str:
    r"""Return foreign text as one line without commands for a terminal.

    Control characters become their pictures (`␀`, `␛`). C1 controls, bidi marks and overrides, line
    separators and lone surrogates become escapes (`\x9b`, `\u202e`). Characters without width over which
    terminals disagree (joiners, variation selectors) are left out. Everything else stays.
    """
    if text.isprintable() and not _SELECTORS.search(text):
        return text
    return "".join(map(_visible, text))


@lru_cache(maxsize=1024)
def _visible(character: str) -> str:
    if character in _ZERO_WIDTH or _SELECTORS.match(character):
        return ""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}:
        return character.encode("ascii", "backslashreplace").decode() if code > 0xFF else f"\\x{code:02x}"
    return character


def columns(text: str) -> int:
    """Return how many columns of a terminal a harmless text takes."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


@lru_cache(maxsize=1024)
def _columns_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut_end(text: str, most: int, measure: Measure = columns) -> str:
    """Return `text` in at most `most` columns; if it is too long, an ellipsis replaces its end.

    Args:
        text: Harmless text.
        most: Columns.
        measure: The function that measures a text, for a caller with another table of widths.
    """
    if measure(text) <= most:
        return text
    return _first(text, most - 1, measure).rstrip() + ELLIPSIS if most > 0 else ""


def cut_middle(text: str, most: int, measure: Measure = columns) -> str:
    """Return `text` as `cut_end`, but shortened in the middle, so that similar names stay different."""
    if measure(text) <= most:
        return text
    if most < 1:
        return ""
    head = (most - 1) // 2
    return _first(text, head, measure) + ELLIPSIS + _first(text[::-1], most - 1 - head, measure)[::-1]


def padded(text: str, width: int) -> str:
    """Return `text` padded with spaces to `width` columns."""
    return text + " " * (width - columns(text))


def _first(text: str, most: int, measure: Measure) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += measure(character)
        if taken > most:
            return text[:index]
    return text


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 task`, `2 tasks`, `1,204 lines`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
