"""History: the last runs and skips of one handle, bounded; it always contains the last run.

It is a list, because an empty deque takes ten times its memory, and most handles of a large scheduler have
run seldom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Final

from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.engine.totals import Totals
from taskkit.outcome import FAILURES, NOTHING_SKIPPED, Outcome, Skip, SkipReason
from taskkit.run import Run

MOST_REMEMBERED: Final = 20
"""The most runs and skips that a handle remembers."""


class History:
    """Runs and skips, oldest first. Not thread-safe."""

    __slots__ = ("_past", "failed_before", "failed_tries", "failing_since", "fault", "skipped", "totals")

    def __init__(self) -> None:
        self._past: list[Run | Outcome | Skip] = []
        self.failing_since: float | None = None
        """The end of the first of the latest failures in a row, in epoch seconds."""
        self.failed_tries = 0
        """The number of those failures, retries counted."""
        self.failed_before = False
        """True if there may have been more failures before those that are remembered."""
        self.fault: BaseException | None = None
        """The exception of a user's schedule that ended its due times; here, because few handles have one."""
        self.skipped: Mapping[SkipReason, int] = NOTHING_SKIPPED
        """Counts of the due times skipped since the last run began."""
        self.totals = Totals()

    def add_run(self, run: Run) -> None:
        """Add a run that has ended."""
        if run.kind not in FAILURES:
            self.failing_since, self.failed_tries, self.failed_before = None, 0, False
        else:
            self.failed_tries += 1
            if self.failing_since is None:
                self.failing_since = run.finished
        self.totals.add_run(run)
        self._past.append(run)
        if len(self._past) > MOST_REMEMBERED:
            del self._past[0]

    def add_skip(self, skip: Skip) -> None:
        """Add skipped due times, or add their count to the last entry if the reason is the same."""
        self.totals.add_skip(skip)
        count = self.skipped.get(skip.reason, 0) + skip.count
        self.skipped = FrozenDict({**self.skipped, skip.reason: count})
        past = self._past
        if past and isinstance(last := past[-1], Skip) and last.reason is skip.reason:
            past[-1] = replace(skip, count=last.count + skip.count, first_due=last.first_due)
            return
        past.append(skip)
        self._forget()

    def restore(self, past: Iterable[Outcome | Skip]) -> None:
        """Put the history from before a restart in front of everything else."""
        self._past = [*past, *self._past]
        self._forget()
        runs = self.runs()
        failed = list(takewhile(lambda each: each.kind in FAILURES, reversed(runs)))
        self.failing_since = failed[-1].finished if failed else None
        self.failed_tries = len(failed)
        self.failed_before = 0 < len(failed) == len(runs) and len(self._past) >= MOST_REMEMBERED
        skipped: dict[SkipReason, int] = {}
        for skip in self.skips_since_the_last_run():
            skipped[skip.reason] = skipped.get(skip.reason, 0) + skip.count
        self.skipped = FrozenDict(skipped)

    def _forget(self) -> None:
        """Drop the oldest entries, but never the last run, however much was skipped since."""
        past = self._past
        surplus = len(past) - MOST_REMEMBERED
        if surplus <= 0:
            return
        last_run = next((at for at in reversed(range(len(past))) if not isinstance(past[at], Skip)), surplus)
        if last_run < surplus:
            past[: surplus + 1] = [past[last_run]]
        else:
            del past[:surplus]

    def take_skipped(self) -> Mapping[SkipReason, int]:
        """Return the counts of skipped due times, and reset them."""
        skipped, self.skipped = self.skipped, NOTHING_SKIPPED
        return skipped

    def last_outcome(self) -> Outcome | None:
        """Return how the last run ended."""
        last = next((past for past in reversed(self._past) if not isinstance(past, Skip)), None)
        return last.outcome() if isinstance(last, Run) else last

    def skips_since_the_last_run(self) -> list[Skip]:
        """Return the skips since the last run, as far as they are remembered; the latest first."""
        skips = []
        for past in reversed(self._past):
            if not isinstance(past, Skip):
                break
            skips.append(past)
        return skips

    def runs(self) -> list[Run | Outcome]:
        """Return the runs, oldest first; those from before a restart as their outcomes."""
        return [past for past in self._past if not isinstance(past, Skip)]

    def last_runs(self, most: int) -> list[Run | Outcome]:
        """Return the last runs, oldest first; `most` at most."""
        last = [past for past in self._past[-most:] if not isinstance(past, Skip)]
        return last if len(last) == most or len(self._past) <= most else self.runs()[-most:]

    def entries(self) -> tuple[Outcome | Skip, ...]:
        """Return everything as plain data, oldest first."""
        return tuple(past.outcome() if isinstance(past, Run) else past for past in self._past)
