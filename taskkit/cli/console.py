"""What the terminal gets: colours where they are wanted, and text that it does not obey."""

from __future__ import annotations

import os
import shutil
import sys
from io import TextIOWrapper
from typing import Final, TextIO
from zlib import crc32

from taskkit.plain_text import harmless

BOLD: Final = 1
DIM: Final = 2
RED: Final = 31
GREEN: Final = 32
YELLOW: Final = 33

_USUAL_WIDTH: Final = 80

COLOURS: Final = ("auto", "always", "never")

_TASK_COLOURS: Final = (36, 33, 35, 34, 32, 96, 93, 95, 94, 92)
"""Of these each task gets one; red is for what went wrong."""


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

    @property
    def is_narrow(self) -> bool:
        """Whether it is a terminal with less room than most."""
        return (self.width or _USUAL_WIDTH) < _USUAL_WIDTH

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


def say(line: str) -> None:
    """Tell the command's own trouble, in one line."""
    complain(f"taskkit: {line}")


def complain(line: str) -> None:
    """Write a line to standard error. That nobody can read it changes nothing of what the command does."""
    try:
        print(line, file=sys.stderr)
    except OSError:
        forget(sys.stderr)


def forget(stream: TextIO) -> None:
    """Let what a standard stream still holds go nowhere: Python would complain of it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
