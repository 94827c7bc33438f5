"""Builds cells and lines of toned text, and folds and wraps lines into a width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias, TypeVar

from rich.cells import cell_len
from rich.style import Style

from taskkit_tui.log.folding import fold
from taskkit_tui.tones import Tone


class Piece(NamedTuple):
    """A text of one tone. The text is already harmless."""

    text: str
    tone: Tone


Cell: TypeAlias = tuple[Piece, ...]
"""The pieces of one cell of a panel, from left to right."""

EMPTY: Cell = ()

Look: TypeAlias = Tone | Style | None
"""A tone, or the colours that a task gave its own output; `None` for those of the widget."""

Line: TypeAlias = tuple[tuple[str, Look], ...]
"""The pieces from left to right; their text is already harmless."""

BLANK: Line = ()

AnyLook = TypeVar("AnyLook")

_PARTS: Final = re.compile(r"[^./:]*[./:]+|[^./:]+")
"""The parts of a path or of a dotted name, each with the separator that ends it."""


def cell(text: str, tone: Tone = Tone.PLAIN) -> Cell:
    """Return a cell of one piece."""
    return (Piece(text, tone),)


def line(text: str, tone: Tone = Tone.PLAIN) -> Line:
    """Return a line of one piece."""
    return (Piece(text, tone),)


def line_text(pieces: Line) -> str:
    """Return the text of a line."""
    return "".join(text for text, _ in pieces)


def line_width(pieces: Line) -> int:
    """Return the width of a line in cells."""
    return sum(cell_len(text) for text, _ in pieces)


def folded(pieces: Line, width: int) -> list[Line]:
    """Return a line as rows of at most `width` cells, cut anywhere. There is at least one row."""
    text = line_text(pieces)
    starts = fold(text, max(1, width))
    ends = [*starts[1:], len(text)]
    return [tuple(cut(pieces, start, end)) for start, end in zip(starts, ends, strict=True)]


def cut(pieces: Iterable[tuple[str, AnyLook]], start: int, end: int) -> Iterator[tuple[str, AnyLook]]:
    """Yield the pieces, or parts of them, between two indexes into their joined text."""
    position = 0
    for text, look in pieces:
        after = position + len(text)
        if after > start and position < end:
            yield text[max(0, start - position) : end - position], look
        position = after


def wrapped(text: str, width: int) -> list[str]:
    """Return prose in rows of at most `width` cells, cut between words if possible."""
    width = max(1, width)
    rows: list[str] = []
    row = ""
    for word in text.split():
        joined = f"{row} {word}" if row else word
        if cell_len(joined) <= width:
            row = joined
            continue
        if row:
            rows.append(row)
        *full, row = _cut_word(word, width)
        rows += full
    return [*rows, row] if row or not rows else rows


def _cut_word(word: str, width: int) -> list[str]:
    """Return a word in pieces of at most `width` cells; paths and dotted names at their separators."""
    pieces = [""]
    for part in _PARTS.findall(word):
        if cell_len(pieces[-1] + part) <= width:
            pieces[-1] += part
        else:
            starts = fold(part, width)
            pieces += [part[start:end] for start, end in pairwise([*starts, len(part)])]
    return pieces if pieces[0] or len(pieces) == 1 else pieces[1:]


def listed(parts: Iterable[str], width: int) -> list[str]:
    """Return parts joined by ` · `, in rows of at most `width` cells, cut between parts if possible."""
    rows: list[str] = []
    for part in parts:
        joined = f"{rows[-1]} · {part}" if rows else part
        if rows and cell_len(joined) <= width:
            rows[-1] = joined
        else:
            rows += wrapped(part, width)
    return rows


def ruled(title: str, width: int) -> Line:
    """Return the title of a section, with a rule up to the right edge."""
    return (
        Piece(f"{title} ", Tone.DIM),
        Piece("─" * max(0, width - cell_len(title) - 1), Tone.FAINT),
    )
