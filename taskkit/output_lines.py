"""One line of output: its stream, its text, and whether its end has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from taskkit._helpers.fast_init import fast_init


class Stream(StrEnum):
    """The stream that a line of output was written to."""

    STDOUT = "stdout"
    STDERR = "stderr"
    LOG = "log"


@fast_init
@dataclass(frozen=True, slots=True)
class OutputLine:
    r"""One line that a run wrote, without its line end.

    A text that ends in `\r` is not final: it is a progress line, or the start of a line whose end has not
    come yet. The next line of the same run and stream replaces it.
    """

    time: float
    """In epoch seconds."""
    stream: Stream
    text: str
    level: int
    """Level of `logging`: stdout counts as INFO (20), stderr as WARNING (30), a record as its own level."""


@dataclass(slots=True, eq=False)
class ShownLine:
    """A line that was shown before its end came, and changes in its place."""

    time: float
    stream: Stream
    text: str
    level: int
    place: int
    """The number of lines that were handed over before it."""
    taken: bool = False
