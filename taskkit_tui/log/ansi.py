"""Makes foreign text safe for the screen: keeps its colours (SGR), and no other escape sequence.

This is done for visible lines only, so it may cost some microseconds a line; plain text costs next to
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.style import Style

from taskkit.words.terminal_line import moves, overwritten
from taskkit_tui.formatting import harmless

LONGEST_SHOWN: Final = 4_096
"""The most characters of a line that are painted; a remark says how many more there are."""

TAB: Final = 8

# Escape sequences by their grammar (ECMA-48), each with its seven-bit and its eight-bit introducer. A
# control string without an end is not a sequence: its introducer is shown, and so is the text after it. A
# control string contains no introducer, so that a text of many introducers is still scanned only once.
_SGR: Final = re.compile(r"(?:\x1b\[|\x9b)([0-9;:]*)m")
_OTHER: Final = re.compile(
    r"(?:\x1b\[|\x9b)(?![0-9;:]*m)[0-?]*[ -/]*[@-~]"  # CSI, unless SGR
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*+(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, …
    r"|\x1b[ -/]+[0-~]"  # charsets and such
    r"|\x1b[0-OQ-WYZ\\`-~]"  # two characters, unless they introduce one of the above
)

_SELECTORS: Final = re.compile("[\ufe00-\ufe0f]")  # printable for Python, but they change the width

Span = tuple[str, Style | None]
"""Harmless text and its style; `None` for the style of the widget."""


def shown(text: str) -> str:
    """Return `text` as it is shown, without colours."""
    if len(text) <= LONGEST_SHOWN:
        plain = _SGR.sub("", text) if "\x1b" in text else text
        if plain.isprintable() and (plain.isascii() or not _SELECTORS.search(plain)):
            return plain
    return _shown_slowly(text)


@lru_cache(maxsize=4_096)
def _shown_slowly(text: str) -> str:
    return "".join(_pieces(text)[::2])


def spans(text: str) -> list[Span]:
    """Return `text` as it is shown, in pieces of one style each. Joined, they are equal to `shown(text)`."""
    pieces = _pieces(text)
    result: list[Span] = [(pieces[0], None)] if pieces[0] else []
    look = _PLAIN
    for index in range(1, len(pieces), 2):
        look = _after(look, pieces[index])
        if piece := pieces[index + 1]:
            result.append((piece, _style(look)))
    return result


def _pieces(text: str) -> list[str]:
    """Return harmless text and SGR parameters alternately, beginning and ending with text."""
    if moves(text):
        text = overwritten(text)
    elif "\r" in text:
        text = _last_written(text)
    hidden = len(text) - LONGEST_SHOWN
    if hidden > 0:
        text = text[:LONGEST_SHOWN]
    pieces = _SGR.split(_OTHER.sub("", text))
    column = 0
    for index in range(0, len(pieces), 2):
        pieces[index], column = _expanded(pieces[index], column)
    if hidden > 0:
        pieces[-1] += f" … {hidden:,} more characters"
    return pieces


def _last_written(text: str) -> str:
    """Return the last update of a line with carriage returns, as a terminal would show it."""
    parts = text.split("\r")
    return next((part for part in reversed(parts) if part), "")


def _expanded(piece: str, column: int) -> tuple[str, int]:
    """Return `piece` made harmless, with tabs as spaces, and the column after it."""
    parts = []
    for index, part in enumerate(piece.split("\t")):
        if index:
            blanks = TAB - column % TAB
            parts.append(" " * blanks)
            column += blanks
        part = harmless(part)
        parts.append(part)
        column += cell_len(part)
    return "".join(parts), column


class _SgrState(NamedTuple):
    """The state that SGR sequences change."""

    colour: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()


_PLAIN: Final = _SgrState()

_ON: Final[dict[int, str]] = {
    1: "bold",
    2: "dim",
    3: "italic",
    4: "underline",
    7: "reverse",
    9: "strike",
    21: "underline",
}
_OFF: Final = {
    22: frozenset({"bold", "dim"}),
    23: frozenset({"italic"}),
    24: frozenset({"underline"}),
    27: frozenset({"reverse"}),
    29: frozenset({"strike"}),
}


@lru_cache(maxsize=1_024)
def _after(look: _SgrState, parameters: str) -> _SgrState:
    """Return the look after one SGR sequence. Blinking and concealing are ignored, so text stays readable."""
    codes = iter(parameters.split(";"))
    for code in codes:
        head, *sub = code.split(":")
        number = int(head) if head.isascii() and head.isdigit() and len(head) < 4 else 0 if not head else -1
        if number == 0:
            look = _PLAIN
        elif number == 4 and sub[:1] == ["0"]:
            look = look._replace(attributes=look.attributes - {"underline"})
        elif number in _ON:
            look = look._replace(attributes=look.attributes | {_ON[number]})
        elif number in _OFF:
            look = look._replace(attributes=look.attributes - _OFF[number])
        elif number in (38, 48):
            colour = _extended(sub or _following(codes))
            look = look._replace(colour=colour) if number == 38 else look._replace(background=colour)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            look = look._replace(colour=_numbered(number - 30))
        elif 40 <= number <= 47 or 100 <= number <= 107:
            look = look._replace(background=_numbered(number - 40))
        elif number == 39:
            look = look._replace(colour="")
        elif number == 49:
            look = look._replace(background="")
    return look


def _numbered(number: int) -> str:
    return f"color({number if number < 8 else number - 52})"


def _following(codes: Iterator[str]) -> list[str]:
    kind = next(codes, "")
    count = {"5": 1, "2": 3}.get(kind, 0)
    return [kind, *(next(codes, "") for _ in range(count))]


def _extended(fields: list[str]) -> str:
    """Return the colour of `5;n`, `2;r;g;b`, `2:r:g:b` or `2::r:g:b`; empty if it is invalid."""
    kind, *values = fields
    if kind == "2" and len(values) > 3:
        values = values[1:]  # the colour space, which is usually empty
    numbers = [
        min(255, int(value)) for value in values if value.isascii() and value.isdigit() and len(value) < 6
    ]
    if kind == "5" and numbers:
        return f"color({numbers[0]})"
    if kind == "2" and len(numbers) >= 3:
        red, green, blue = numbers[:3]
        return f"#{red:02x}{green:02x}{blue:02x}"
    return ""


@lru_cache(maxsize=1_024)
def _style(look: _SgrState) -> Style | None:
    if look == _PLAIN:
        return None
    words = [*look.attributes, look.colour, f"on {look.background}" if look.background else ""]
    return Style.parse(" ".join(filter(None, words)))
