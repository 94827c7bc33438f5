"""What one run writes: its lines, bounded, with a count of those no longer kept."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LINES_KEPT: Final = 1_000
"""How many of its newest lines a run that goes on keeps."""

LINES_REMEMBERED: Final = 100
"""How many of its last lines an ended run keeps, in its outcome."""


class Stream(StrEnum):
    """Where a line of output was written."""

    STDOUT = "stdout"
    STDERR = "stderr"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line that a run wrote, without its line end."""

    time: float
    """When, in epoch seconds."""
    stream: Stream
    text: str
    level: int
    """As in `logging`: stdout counts as INFO (20), stderr as WARNING (30), a record as its own level."""


class RunOutput:
    """The newest lines of one run.

    Any thread may `add`; one thread at a time may `take`. Lines are told in batches: a run that writes
    faster than its readers read costs them no event a line, and the lines that fell out of the
    bounded buffer before anyone took them are counted.
    """

    __slots__ = ("_lines", "_taken", "_written", "announced", "name", "run")

    def __init__(self, name: str, run: int) -> None:
        self.name = name
        self.run = run
        self.announced = False
        """Whether somebody has been told that there are lines to take."""
        self._lines: deque[tuple[float, Stream, str, int]] = deque(maxlen=LINES_KEPT)
        self._written = 0
        self._taken = 0

    def add(self, time: float, stream: Stream, text: str, level: int) -> None:
        """Keep one more line. Epoch seconds; `text` has no line end."""
        self._lines.append((time, stream, text, level))
        self._written += 1

    def take(self) -> tuple[tuple[OutputLine, ...], int]:
        """The lines added since the last call, and how many more of them are lost."""
        self.announced = False
        written = self._written
        lines = list(self._lines)
        fresh = written - self._taken
        self._taken = written
        kept = lines[-fresh:] if fresh > 0 else []
        return tuple(OutputLine(*line) for line in kept), max(0, fresh - len(kept))

    def remembered(self) -> tuple[str, ...]:
        """The last lines, as text."""
        return tuple(line[2] for line in list(self._lines)[-LINES_REMEMBERED:])

    @property
    def dropped(self) -> int:
        """How many lines `remembered()` does not tell."""
        return max(0, self._written - LINES_REMEMBERED)
