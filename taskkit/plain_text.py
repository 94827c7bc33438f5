"""Foreign text as plain text: harmless to a terminal, measured in its columns, and not too long."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

ELLIPSIS: Final = "…"

Measure: TypeAlias = Callable[[str], int]
"""How many columns of a terminal some harmless text takes."""

_ZERO_WIDTH: Final = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f]")


def harmless(text: str) -> str:
    r"""Foreign text as one line that no terminal obeys.

    Control characters become their pictures (`␀`, `␛`); C1 controls, bidi marks and overrides, line
    separators and lone surrogates become escapes (`\x9b`, `\u202e`); what has no width and would make a
    terminal disagree about the columns (joiners, variation selectors) is left out. Everything else stays.
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
    """How many columns of a terminal `text` takes, if it is harmless."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


@lru_cache(maxsize=1024)
def _columns_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut_end(text: str, most: int, measure: Measure = columns) -> str:
    """`text` in at most `most` columns, its end replaced by an ellipsis where it is too long.

    Args:
        text: Harmless text.
        most: Columns.
        measure: How many columns a text takes; for whoever draws by another table of characters.
    """
    if measure(text) <= most:
        return text
    return _first(text, most - 1, measure).rstrip() + ELLIPSIS if most > 0 else ""


def cut_middle(text: str, most: int, measure: Measure = columns) -> str:
    """The same, shortened in the middle, so that alike names stay different."""
    if measure(text) <= most:
        return text
    if most < 1:
        return ""
    head = (most - 1) // 2
    return _first(text, head, measure) + ELLIPSIS + _first(text[::-1], most - 1 - head, measure)[::-1]


def padded(text: str, width: int) -> str:
    """`text` with spaces after it, up to so many columns."""
    return text + " " * (width - columns(text))


def _first(text: str, most: int, measure: Measure) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += measure(character)
        if taken > most:
            return text[:index]
    return text


def plural(count: int, noun: str) -> str:
    """`1 task`, `2 tasks`, `1,204 lines`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
