"""The last runs and skips of one handle, bounded; its last run is always among them.

A list, because an empty deque takes ten times its memory and most handles of a large scheduler
have run seldom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Final

from taskkit.frozen_dict import FrozenDict
from taskkit.outcome import FAILURES, NOTHING_SKIPPED, Outcome, Skip, SkipReason
from taskkit.run import Run

KEPT: Final = 20
"""How many runs and skips a handle remembers."""


class History:
    """Runs and skips, oldest first. Not thread-safe."""

    __slots__ = ("_past", "failed_before", "failed_tries", "failing_since", "fault", "skipped")

    def __init__(self) -> None:
        self._past: list[Run | Outcome | Skip] = []
        self.failing_since: float | None = None
        """When the first of the last runs ended that all failed, in epoch seconds."""
        self.failed_tries = 0
        """How many those are, retries counted."""
        self.failed_before = False
        """Whether they may have been more: what was before is no longer known."""
        self.fault: Exception | None = None
        """What a schedule of somebody's own raised, and so ended its due times; here, as hardly any does."""
        self.skipped: Mapping[SkipReason, int] = NOTHING_SKIPPED
        """Due times that passed since the last run began."""

    def add_run(self, run: Run) -> None:
        """Remember a run that ended."""
        if run.kind not in FAILURES:
            self.failing_since, self.failed_tries, self.failed_before = None, 0, False
        else:
            self.failed_tries += 1
            if self.failing_since is None:
                self.failing_since = run.finished
        self._past.append(run)
        if len(self._past) > KEPT:
            del self._past[0]

    def add_skip(self, skip: Skip) -> None:
        """Remember due times that passed; those that follow others for the same reason join them."""
        count = self.skipped.get(skip.reason, 0) + skip.count
        self.skipped = FrozenDict({**self.skipped, skip.reason: count})
        past = self._past
        if past and isinstance(last := past[-1], Skip) and last.reason is skip.reason:
            past[-1] = Skip(skip.reason, last.count + skip.count, last.first_due, skip.last_due)
            return
        past.append(skip)
        self._forget()

    def recall(self, past: Iterable[Outcome | Skip]) -> None:
        """Put what an earlier life remembered before everything else."""
        self._past = [*past, *self._past]
        self._forget()
        runs = self.runs()
        failed = list(takewhile(lambda each: each.kind in FAILURES, reversed(runs)))
        self.failing_since = failed[-1].finished if failed else None
        self.failed_tries = len(failed)
        self.failed_before = 0 < len(failed) == len(runs) and len(self._past) >= KEPT
        skipped: dict[SkipReason, int] = {}
        for skip in self.skips_since_the_last_run():
            skipped[skip.reason] = skipped.get(skip.reason, 0) + skip.count
        self.skipped = FrozenDict(skipped)

    def _forget(self) -> None:
        """Forget the oldest ones, but not the last run, however much was skipped since."""
        past = self._past
        surplus = len(past) - KEPT
        if surplus <= 0:
            return
        last_run = next((at for at in reversed(range(len(past))) if not isinstance(past[at], Skip)), surplus)
        if last_run < surplus:
            past[: surplus + 1] = [past[last_run]]
        else:
            del past[:surplus]

    def take_skipped(self) -> Mapping[SkipReason, int]:
        """What passed since the last run began; nothing has, from now on."""
        skipped, self.skipped = self.skipped, NOTHING_SKIPPED
        return skipped

    def last_outcome(self) -> Outcome | None:
        """How the last run ended."""
        last = next((past for past in reversed(self._past) if not isinstance(past, Skip)), None)
        return last.outcome() if isinstance(last, Run) else last

    def skips_since_the_last_run(self) -> list[Skip]:
        """What passed since, as far as it is remembered; the latest first."""
        skips = []
        for past in reversed(self._past):
            if not isinstance(past, Skip):
                break
            skips.append(past)
        return skips

    def runs(self) -> list[Run | Outcome]:
        """The runs, oldest first; those of an earlier life as their outcomes."""
        return [past for past in self._past if not isinstance(past, Skip)]

    def told(self) -> tuple[Outcome | Skip, ...]:
        """Everything, as plain data."""
        return tuple(past.outcome() if isinstance(past, Run) else past for past in self._past)
