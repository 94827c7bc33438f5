"""Writes to the terminal: colours if wanted, no control characters, messages on standard error."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from typing import Final, TextIO

from taskkit.words.name_forms import ShownNames
from taskkit.words.plain_text import harmless
from taskkit.words.task_colours import colour_of_task

BOLD: Final = 1
DIM: Final = 2
RED: Final = 31
GREEN: Final = 32
YELLOW: Final = 33

_USUAL_WIDTH: Final = 80

COLOURS: Final = ("auto", "always", "never")

_TASK_COLOURS: Final = (36, 33, 35, 34, 32, 96, 93, 95, 94, 92)
"""The colours for names of tasks; red is reserved for failures."""


def task_colour(name: str) -> int:
    """Return the colour of a task; it is the same in every command."""
    return colour_of_task(name, _TASK_COLOURS)


class Console:
    """Writes to one stream, with colours and widths if it is a terminal.

    Args:
        stream: The stream to write to.
        colour: `always`, `never`, or `auto`: on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
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
        """The width of the terminal in columns; `None`, so no limit, where there is no terminal."""
        return shutil.get_terminal_size().columns if self.is_terminal else None

    @property
    def is_narrow(self) -> bool:
        """True if the terminal has fewer than 80 columns."""
        return (self.width or _USUAL_WIDTH) < _USUAL_WIDTH

    def paint(self, text: str, *codes: int) -> str:
        """Return `text` in these colours, if colours are used."""
        if not self.coloured or not codes or not text:
            return text
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m"

    def shown(self, text: str) -> str:
        """Return foreign text: harmless for a terminal, unchanged otherwise."""
        return harmless(text) if self.is_terminal else text

    def shown_names(self, names: Iterable[str]) -> Callable[[str], str]:
        """Return how to write these names: harmless and distinct on a terminal, unchanged otherwise."""
        return ShownNames(names).of if self.is_terminal else str

    def print(self, line: str = "") -> None:
        """Write one line."""
        self._stream.write(f"{line}\n")


def print_message(line: str) -> None:
    """Write a message of the command itself to standard error, as `taskkit: …`."""
    print_to_stderr(f"taskkit: {line}")


def print_to_stderr(line: str) -> None:
    """Write a line to standard error. A failure to write is ignored.

    If a task has replaced `sys.stderr` by something that takes no text, the original stream is used.
    """
    for stream in (getattr(sys, "stderr", None), sys.__stderr__):
        if stream is None:
            continue
        try:
            print(line, file=stream)
        except OSError:
            redirect_to_devnull(stream)
        except Exception:  # noqa: BLE001 - a foreign stream may raise anything
            continue
        return


def redirect_to_devnull(stream: TextIO) -> None:
    """Discard what a standard stream still buffers; Python would report it as an error at exit."""
    try:
        number = stream.fileno()
    except Exception:  # noqa: BLE001 - a foreign stream without a descriptor
        return
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, number)
    os.close(devnull)
