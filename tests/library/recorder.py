"""What a scheduler tells, kept for a test to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from taskkit import Event, Outcome, RunFinished, RunSkipped, SkipReason, TaskEvent

Kind = TypeVar("Kind", bound=Event)


class Events:
    """Every event since it subscribed, in order."""

    def __init__(self, subscribe: Callable[[Callable[[Event], object]], object]) -> None:
        self.all: list[Event] = []
        subscribe(self.all.append)

    def of(self, kind: type[Kind], name: str | None = None) -> list[Kind]:
        """Those of one kind, of one task if a name is given."""
        return [
            event
            for event in self.all
            if isinstance(event, kind)
            and (name is None or (isinstance(event, TaskEvent) and event.name == name))
        ]

    def outcomes(self, name: str) -> list[Outcome]:
        """How the runs of one task ended."""
        return [event.outcome for event in self.of(RunFinished, name)]

    def dues(self, name: str) -> list[float]:
        """When the runs of one task that ended were due."""
        return [outcome.due for outcome in self.outcomes(name)]

    def skips(self, name: str) -> dict[SkipReason, int]:
        """How many due times of one task passed without a run, by reason."""
        counts: dict[SkipReason, int] = {}
        for event in self.of(RunSkipped, name):
            counts[event.reason] = counts.get(event.reason, 0) + event.count
        return counts
