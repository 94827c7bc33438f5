"""The last runs and skips of one handle, bounded.

A list, because an empty deque takes ten times its memory and most handles of a large scheduler
have run seldom.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from taskkit.run import Outcome, Run, Skip

KEPT: Final = 20
"""How many runs and skips a handle remembers."""


class History:
    """Runs and skips, oldest first. Not thread-safe."""

    __slots__ = ("_past",)

    def __init__(self) -> None:
        self._past: list[Run | Outcome | Skip] = []

    def add_run(self, run: Run) -> None:
        """Remember a run that ended."""
        self._past.append(run)
        if len(self._past) > KEPT:
            del self._past[0]

    def add_skip(self, skip: Skip) -> None:
        """Remember due times that passed; those that follow others for the same reason join them."""
        past = self._past
        if past and isinstance(last := past[-1], Skip) and last.reason is skip.reason:
            past[-1] = Skip(skip.reason, last.count + skip.count, last.first_due, skip.last_due)
            return
        past.append(skip)
        if len(past) > KEPT:
            del past[0]

    def recall(self, past: Iterable[Outcome | Skip]) -> None:
        """Put what an earlier life remembered before everything else."""
        self._past = [*past, *self._past][-KEPT:]

    def last_outcome(self) -> Outcome | None:
        """How the last run ended."""
        last = next((past for past in reversed(self._past) if not isinstance(past, Skip)), None)
        return last.outcome() if isinstance(last, Run) else last

    def runs(self) -> list[Run | Outcome]:
        """The runs, oldest first; those of an earlier life as their outcomes."""
        return [past for past in self._past if not isinstance(past, Skip)]

    def told(self) -> tuple[Outcome | Skip, ...]:
        """Everything, as plain data."""
        return tuple(past.outcome() if isinstance(past, Run) else past for past in self._past)
