"""How tasks stand: what runs, and how the last run ended, here or in the process that has the state open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskkit.outcome import FAILURES, OutcomeKind
from taskkit.snapshot import TaskSnapshot

if TYPE_CHECKING:
    from taskkit.scheduler import Scheduler
    from taskkit.store import KeptState


@dataclass(frozen=True, slots=True)
class LastRun:
    """How the last run of a task ended."""

    kind: OutcomeKind
    finished: float
    """Epoch seconds."""
    exception: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How one task stands."""

    running_since: float | None = None
    """Epoch seconds; `None` if it does not run."""
    last: LastRun | None = None

    @property
    def failing(self) -> bool:
        """Whether its last run failed in one way or another."""
        return self.last is not None and self.last.kind in FAILURES


def standings(scheduler: Scheduler, state: KeptState | None) -> dict[str, Standing]:
    """How the tasks stand, by name, as far as anything is known: what has run here counts first."""
    standings = {}
    if state is not None:
        for name in {*state.running, *state.last_runs}:
            run, last = state.running.get(name), state.last_runs.get(name)
            standings[name] = Standing(
                None if run is None else run.started,
                None if last is None else LastRun(last.kind, last.finished, last.exception),
            )
    for task in scheduler.snapshot().tasks:
        if task.run is not None or task.past:
            standings[task.name] = _standing_here(task)
    return standings


def _standing_here(task: TaskSnapshot) -> Standing:
    last = None
    if task.past:
        past = task.past[-1]
        last = LastRun(past.kind, past.finished, past.exception)
    return Standing(None if task.run is None else task.run.started, last)
