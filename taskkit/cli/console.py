"""What the terminal gets: colours where they are wanted, columns that fit, text that it does not obey."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Final, TextIO
from zlib import crc32

from taskkit.plain_text import columns, cut_end, cut_middle, harmless, padded

BOLD: Final = 1
DIM: Final = 2
RED: Final = 31
GREEN: Final = 32
YELLOW: Final = 33

COLOURS: Final = ("auto", "always", "never")

_TASK_COLOURS: Final = (36, 33, 35, 34, 32, 96, 93, 95, 94, 92)
"""Of these each task gets one; red is for what went wrong."""
_LEAST_COLUMN: Final = 8
_GAP: Final = "  "


def task_colour(name: str) -> int:
    """The colour of a task: the same for the same name, in every command."""
    return _TASK_COLOURS[crc32(name.encode(errors="surrogatepass")) % len(_TASK_COLOURS)]


class Console:
    """How to write to one stream.

    Args:
        stream: Where the text goes.
        colour: `always`, `never`, or `auto`: on a terminal, unless `NO_COLOR` is set or it is a dumb one.
    """

    def __init__(self, stream: TextIO, colour: str = "auto") -> None:
        self.is_terminal = stream.isatty()
        self.coloured = colour == "always" or (
            colour == "auto"
            and self.is_terminal
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
        )
        self._stream = stream
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def width(self) -> int | None:
        """The columns there are; `None` where there is no terminal, and so no limit."""
        return shutil.get_terminal_size().columns if self.is_terminal else None

    def paint(self, text: str, *codes: int) -> str:
        """`text` in these colours, if there are any."""
        if not self.coloured or not codes or not text:
            return text
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m"

    def shown(self, text: str) -> str:
        """Foreign text: harmless on a terminal, as it is elsewhere."""
        return harmless(text) if self.is_terminal else text

    def print(self, line: str = "") -> None:
        """Write one line."""
        self._stream.write(f"{line}\n")

    def print_table(
        self, titles: Sequence[str], rows: Sequence[Sequence[str]], colours: Sequence[Sequence[int]] = ()
    ) -> None:
        """Write rows in aligned columns. On a terminal they are shortened until they fit, the last one first.

        Args:
            titles: Of the columns.
            rows: Harmless texts.
            colours: For each row, the colours of its first column.
        """
        widths = [
            max(columns(title), *(columns(row[index]) for row in rows)) if rows else columns(title)
            for index, title in enumerate(titles)
        ]
        self._narrow(widths)
        self.print(self.paint(self._row(titles, widths), BOLD))
        for number, row in enumerate(rows):
            self.print(self._row(row, widths, colours[number] if colours else ()))

    def _narrow(self, widths: list[int]) -> None:
        room = self.width
        if room is None:
            return
        excess = sum(widths) + len(_GAP) * (len(widths) - 1) - room
        for index in (len(widths) - 1, 0, *range(len(widths) - 2, 0, -1)):
            if excess <= 0:
                return
            given_up = min(excess, max(0, widths[index] - _LEAST_COLUMN))
            widths[index] -= given_up
            excess -= given_up

    def _row(self, cells: Sequence[str], widths: Sequence[int], colours: Sequence[int] = ()) -> str:
        last = len(cells) - 1
        shown = [
            padded(
                cut_middle(cell, width) if index == 0 else cut_end(cell, width), 0 if index == last else width
            )
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return _GAP.join([self.paint(shown[0], *colours), *shown[1:]]).rstrip()


def say(line: str) -> None:
    """Tell the command's own trouble, in one line."""
    print(f"taskkit: {line}", file=sys.stderr)


def plural(count: int, noun: str) -> str:
    """`1 task`, `2 tasks`, `1,204 lines`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
