"""What is to come: the tasks of a scheduler that is not started, with what it will take up from its state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import islice
from typing import TYPE_CHECKING

from taskkit.grid import grid_next
from taskkit.local_times import zone_name
from taskkit.policies import Policies
from taskkit.schedules import Cron, Daily, Every, OnDemand, Schedule, due_after
from taskkit.snapshot import TaskSnapshot

if TYPE_CHECKING:
    from taskkit.keeping import KeptTask
    from taskkit.scheduler import Scheduler
    from taskkit.store import KeptState


@dataclass(frozen=True, slots=True)
class Prospect:
    """One task, and when it will run."""

    name: str
    schedule: Schedule
    policies: Policies
    enabled: bool
    overrides: str | None
    """The schedule that the program or a file registers, in words, if a person put this one in its place."""
    due: float | None
    """When it next falls due, in epoch seconds, were it enabled."""
    run_count: int

    @property
    def next_run(self) -> float | None:
        """When it next falls due, in epoch seconds; `None` if it is disabled, or never does."""
        return self.due if self.enabled else None

    @property
    def tz(self) -> tzinfo | None:
        """The time zone of its schedule; `None` for that of the machine."""
        return self.schedule.tz if isinstance(self.schedule, Daily | Cron) else None

    @property
    def zone(self) -> str:
        """The name of that zone."""
        return self.schedule.zone or zone_name(None)

    def due_times(self, now: float) -> Iterator[float]:
        """All due times, in epoch seconds. What is past runs at once, if it is not to be skipped.

        Args:
            now: Epoch seconds.
        """
        most = self.policies.max_runs
        times = self._due_times(now)
        return times if most is None else islice(times, max(0, most - self.run_count))

    def _due_times(self, now: float) -> Iterator[float]:
        due = self.next_run
        if due is None:
            return
        if due > now or self.policies.catch_up:
            yield due
        schedule = self.schedule
        if not schedule.repeats:
            return
        reached: float | None = max(due, now)
        while reached is not None:
            if isinstance(schedule, Every):
                reached = grid_next(due, schedule.period, reached)
            else:
                reached = _due_after(schedule, reached)
            if reached is not None:
                yield reached


def prospects(scheduler: Scheduler, state: KeptState | None) -> list[Prospect]:
    """The tasks in the order of their registration; those that are done with their last run left out.

    That of a run which still goes on is not done.
    """
    found = []
    snapshot = scheduler.snapshot()
    kept = {} if state is None else dict(state.tasks)
    running = frozenset[str]() if state is None else state.running.keys()
    for task in snapshot.tasks:
        handle = scheduler.handle(task.name)
        if handle is None or task.unregistered:
            continue
        schedule = handle.schedule
        due = _due_after(schedule, snapshot.figures.time) if task.disabled else task.next_run
        registered = Prospect(
            task.name, schedule, handle.policies, not task.disabled, task.overrides, due, task.run_count
        )
        prospect = _taken_up(registered, kept.pop(task.name, None), task, task.name in running)
        if prospect is not None:
            found.append(prospect)
    restored = (_restored(each, each.name in running) for each in kept.values())
    return found + [prospect for prospect in restored if prospect is not None]


def _due_after(schedule: Schedule, instant: float) -> float | None:
    """When it is next due; `None` also where a schedule of somebody's own fails to tell."""
    try:
        return due_after(schedule, instant)
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        return None


def _taken_up(prospect: Prospect, kept: KeptTask | None, task: TaskSnapshot, runs: bool) -> Prospect | None:
    """It as it will go on; `None` if it had its last run."""
    if kept is None or task.run_count or task.run is not None:
        return prospect
    if kept.disabled is not None:
        prospect = replace(prospect, enabled=not kept.disabled)
    if kept.override is None and not kept.goes_on_as(prospect.schedule):
        return prospect
    due, most = _next_due(kept), prospect.policies.max_runs
    schedule = kept.override or prospect.schedule
    never = isinstance(schedule, OnDemand)
    if (due is None and not never) or (most is not None and kept.run_count >= most):
        if not runs:
            return None
        due = None
    overrides = None if kept.override is None else str(prospect.schedule)
    return replace(prospect, schedule=schedule, overrides=overrides, due=due, run_count=kept.run_count)


def _restored(kept: KeptTask, runs: bool) -> Prospect | None:
    """A task that a person registered while an earlier life went on."""
    if kept.spec is None:
        return None
    due = _next_due(kept)
    schedule = kept.override or kept.spec.schedule
    if due is None and not isinstance(schedule, OnDemand) and not runs:
        return None
    enabled = kept.spec.enabled if kept.disabled is None else not kept.disabled
    overrides = str(kept.spec.schedule) if kept.override is not None else None
    return Prospect(kept.name, schedule, kept.spec.policies, enabled, overrides, due, kept.run_count)


def _next_due(kept: KeptTask) -> float | None:
    return kept.due if kept.retry is None else kept.retry.at
