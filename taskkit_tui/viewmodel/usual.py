"""How long the runs of a task usually take."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from taskkit import Outcome, OutcomeKind, PastRun


def usual_duration(runs: Iterable[PastRun | Outcome]) -> float | None:
    """The median of those that succeeded, in seconds: one that took long once does not change it."""
    taken = [run.duration for run in runs if run.kind is OutcomeKind.SUCCEEDED]
    return median(taken) if taken else None
