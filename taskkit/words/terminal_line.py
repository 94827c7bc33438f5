r"""The final content of a line that overwrites itself, such as a progress bar.

A program draws the next picture over the last one: after `\r`, after enough `\b`, or after the escape
sequences that move the cursor within its line or erase (`ESC[G`, `ESC[5D`, `ESC[2K`). Only the last picture
is worth keeping. Sequences that move the cursor to another line are not followed: the lines above have ended,
and are with the reader.
"""

from __future__ import annotations

import re
from typing import Final

from taskkit.words.plain_text import columns

LONGEST: Final = 65_536
"""The most columns of a line."""

FURTHEST: Final = 200
"""The last column to which a sequence moves the cursor beyond the text, as if a terminal ended there."""

LONGEST_SEQUENCE: Final = 32
"""The most characters of an unfinished escape sequence; a longer text is not one."""

_LONGEST_PEN: Final = 100

# Without `ESC[K`, which erases nothing at the end: `grep` and compilers write it after each colour.
# Each of its ways begins with a character of its own, which makes looking for it twice as fast.
# Nor `ESC[2J`: it clears a screen, which says nothing of the line.
_MOVE: Final = r"(?:[0-9;]*[CDGPX`a]|[12]K)"
_MOVES: Final = re.compile(rf"\x08|\x1b\[{_MOVE}|\x9b{_MOVE}")
_BEGUN: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*)?\Z|\x9b[0-?]*[ -/]*\Z")
_CONTROL: Final = re.compile(
    r"[\r\x08]"
    r"|(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~])"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*+[0-OQ-WYZ\\`-~]"
)


def moves(text: str) -> bool:
    r"""True if something in `text`, other than `\r`, moves the cursor within its line or erases."""
    return ("\x1b" in text or "\b" in text or "\x9b" in text) and _MOVES.search(text) is not None


def begun_sequence(text: str) -> str:
    """Return the unfinished escape sequence at the end of `text`; empty if there is none."""
    begun = _BEGUN.search(text, max(0, len(text) - LONGEST_SEQUENCE))
    return "" if begun is None else begun[0]


def overwritten(text: str) -> str:
    """Return what a terminal shows of a line in the end, with its colours."""
    line = TerminalLine()
    line.write(text)
    return line.text()


class TerminalLine:
    r"""One line of a terminal, as wide as it gets. Not safe for threads.

    It differs from a terminal in one point: text after a `\r`, or after `ESC[G`, replaces the whole line, so
    that nothing is left of a longer picture before. Of escape sequences it keeps the colours.
    """

    def __init__(self) -> None:
        self._cells: list[tuple[str, str]] = []  # for each column its text and its colours
        self._cursor = 0
        self._pen = ""
        self._returned = False
        self.lost = 0
        """Characters that were written beyond the last column, and lost."""

    def write(self, text: str) -> None:
        """Write text at the cursor, and obey its control characters and escape sequences."""
        at = 0
        for control in _CONTROL.finditer(text):
            if control.start() > at:
                self._put(text[at : control.start()])
            at = control.end()
            self._obey(control[0], control[1] or "", control[2])
        if at < len(text):
            self._put(text[at:])

    def __len__(self) -> int:
        """Return how many columns the line takes."""
        return len(self._cells)

    def text(self) -> str:
        """Return the visible text, with the escape sequences for its colours."""
        pieces: list[str] = []
        pen = ""
        for text, own in self._cells:
            if own != pen:
                pieces.append("\x1b[0m" + own if pen else own)
                pen = own
            pieces.append(text)
        return "".join(pieces).rstrip(" ") + ("\x1b[0m" if pen else "")

    def _put(self, text: str) -> None:
        if self._returned:
            self._erase_all()
        if self._cursor > len(self._cells):
            self._cells += [(" ", "")] * (self._cursor - len(self._cells))
        room = LONGEST - self._cursor
        if text.isascii():
            self.lost += max(0, len(text) - room)
            pen = self._pen
            new = [(character, pen) for character in text[:room]]
        else:
            new = self._cells_of(text, room)
        end = self._cursor + len(new)
        if not (end < len(self._cells) and self._cells[end][0] == ""):
            self._cells[self._cursor : end] = new
        else:  # half of a wide character is overwritten
            self._cells[self._cursor : end + 1] = [*new, (" ", "")]
        if 0 < self._cursor < len(self._cells) and new and columns(self._cells[self._cursor - 1][0]) == 2:
            self._cells[self._cursor - 1] = (" ", "")
        self._cursor = end

    def _cells_of(self, text: str, room: int) -> list[tuple[str, str]]:
        new: list[tuple[str, str]] = []
        for character in text:
            width = columns(character)
            if len(new) + width > room:
                self.lost += 1
            elif width:
                new.append((character, self._pen))
                new += [("", self._pen)] * (width - 1)
            else:  # it is drawn upon the character before
                cells, last = (new, len(new) - 1) if new else (self._cells, self._cursor - 1)
                while last >= 0 and cells[last][0] == "":
                    last -= 1
                if last >= 0 and len(cells[last][0]) < LONGEST_SEQUENCE:
                    cells[last] = (cells[last][0] + character, cells[last][1])
        return new

    def _obey(self, control: str, parameters: str, final: str | None) -> None:
        if control == "\r":
            self._returned = True
        elif control == "\b":
            self._move(-1)
        elif final == "m":
            self._colour(control, parameters)
        elif final is not None:
            first = parameters.partition(";")[0]
            if first.isascii() and (first.isdigit() or not first):
                self._act(final, int(first[:9] or 0))

    def _act(self, final: str, number: int) -> None:
        if final == "K" or (final == "J" and number == 0):
            self._erase(number)
        elif final in "G`":
            self._cursor = min(max(number, 1) - 1, max(FURTHEST, len(self._cells)))
            self._returned = self._cursor == 0
        elif final == "D":
            self._move(-max(number, 1))
        elif final in "Ca":
            self._move(max(number, 1))
        elif final == "P":
            del self._cells[self._column() : self._column() + max(number, 1)]
        elif final == "X":
            last = min(self._column() + max(number, 1), len(self._cells))
            self._cells[self._column() : last] = [(" ", "")] * (last - self._column())

    def _column(self) -> int:
        return 0 if self._returned else self._cursor

    def _move(self, distance: int) -> None:
        furthest = max(FURTHEST, len(self._cells))
        self._cursor = min(max(0, self._column() + distance), furthest)
        self._returned = False

    def _erase(self, which: int) -> None:
        if which == 0:
            del self._cells[self._column() :]
        elif which == 1:
            column = min(self._column() + 1, len(self._cells))
            self._cells[:column] = [(" ", "")] * column
            if column == len(self._cells):
                self._erase_all()
        else:
            self._erase_all()

    def _erase_all(self) -> None:
        """Erase all, and go to the first column. A terminal would stay in its column, and leave blanks."""
        self._cells.clear()
        self._cursor = 0
        self._returned = False
        self.lost = 0

    def _colour(self, sequence: str, parameters: str) -> None:
        if parameters.strip("0") == "":
            self._pen = ""
        elif parameters.startswith("0;") or len(self._pen) + len(sequence) > _LONGEST_PEN:
            self._pen = sequence[:_LONGEST_PEN]
        elif not self._pen.endswith(sequence):
            self._pen += sequence
