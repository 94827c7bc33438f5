"""Totals of one task: counts that only grow, for metrics. Counting a run costs well below a microsecond."""

from __future__ import annotations

from collections.abc import Sequence

from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.engine.enum_members import SUCCEEDED
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason
from taskkit.run import Run
from taskkit.snapshot import TaskTotals


class Totals:
    """The growing counts behind `TaskTotals`. Not thread-safe.

    A registration shares them with the one that it replaces, whose last run may end later.
    """

    __slots__ = ("last_success", "lateness", "others", "scheduled", "seconds", "skipped", "succeeded")

    def __init__(self) -> None:
        self.succeeded = 0
        self.others: dict[OutcomeKind, int] | None = None
        """The counts of the other outcomes; `None` if there are none, as of most tasks."""
        self.seconds = 0.0
        self.scheduled = 0
        self.lateness = 0.0
        self.skipped: dict[SkipReason, int] | None = None
        self.last_success: float | None = None

    def add_run(self, run: Run) -> None:
        """Add a run that has ended."""
        self.seconds += run.duration
        if run.kind is SUCCEEDED:
            self.succeeded += 1
            self.last_success = run.finished
        elif run.kind is not None:
            others = self.others = self.others or {}
            others[run.kind] = others.get(run.kind, 0) + 1

    def add_interrupted(self, runs: Sequence[Outcome]) -> None:
        """Add runs that ended with an earlier process."""
        others = self.others = self.others or {}
        others[OutcomeKind.INTERRUPTED] = others.get(OutcomeKind.INTERRUPTED, 0) + len(runs)
        self.seconds += sum(each.duration for each in runs)

    def add_skip(self, skip: Skip) -> None:
        """Add due times that were skipped."""
        skipped = self.skipped = self.skipped or {}
        skipped[skip.reason] = skipped.get(skip.reason, 0) + skip.count

    def restore(self, saved: TaskTotals) -> None:
        """Continue from the totals of before a restart."""
        runs = dict(saved.runs)
        self.succeeded = runs.pop(OutcomeKind.SUCCEEDED, 0)
        self.others = runs or None
        self.seconds, self.scheduled, self.lateness = saved.seconds, saved.scheduled, saved.lateness
        self.skipped = dict(saved.skipped) or None
        self.last_success = saved.last_success

    def snapshot(self) -> TaskTotals:
        """Return them as plain data."""
        runs = dict(self.others or ())
        if self.succeeded:
            runs[OutcomeKind.SUCCEEDED] = self.succeeded
        return TaskTotals(
            FrozenDict(runs),
            self.seconds,
            self.scheduled,
            self.lateness,
            FrozenDict(self.skipped or ()),
            self.last_success,
        )
