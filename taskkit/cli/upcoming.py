"""The upcoming due times of a scheduler that is not started, as its saved state will change them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import islice
from math import inf, nextafter
from typing import TYPE_CHECKING

from taskkit.engine.resumed_due_times import saved_due, saved_retry_at
from taskkit.policies import DEFAULT_POLICIES, Policies
from taskkit.schedules import Every, Schedule
from taskkit.schedules.due_limits import zone_of_limits
from taskkit.schedules.grid import grid_next
from taskkit.schedules.queries import due_after, schedule_words, schedule_zone
from taskkit.schedules.zones import zone_name
from taskkit.snapshot import TaskSnapshot

if TYPE_CHECKING:
    from taskkit.persistence import SavedTask
    from taskkit.scheduler import Scheduler
    from taskkit.store import SavedState


@dataclass(frozen=True, slots=True)
class UpcomingTask:
    """A task and its due times."""

    name: str
    schedule: Schedule | None
    """`None` if it is not known, as a state cannot hold custom kinds of schedules."""
    policies: Policies
    enabled: bool
    overrides: str | None
    """The schedule from the program or task file, in words, if someone has replaced it."""
    due: float | None
    """The next due time in epoch seconds, as if the task were enabled."""
    run_count: int
    disabled_until: float | None = None
    """When it is enabled again automatically, in epoch seconds; `None` if it is not."""
    done: bool = False
    """True if its last due time before its `until` has passed."""
    reported_words: str | None = None
    """The schedule in the words of the process that runs it, if that was asked."""
    executor: str | None = None
    """The name of its executor; `None` if it is not known, or chosen when the scheduler is started."""

    @property
    def words(self) -> str | None:
        """The schedule in words; `None` if it is not known."""
        if self.reported_words is not None or self.schedule is None:
            return self.reported_words
        return schedule_words(self.schedule)

    @property
    def next_run(self) -> float | None:
        """The next due time in epoch seconds; `None` if it is disabled, or never due."""
        return self.due if self.enabled else None

    @property
    def tz(self) -> tzinfo | None:
        """The time zone of the schedule; `None` for that of the machine."""
        return None if self.schedule is None else zone_of_limits(self.schedule, self.policies.timezone)

    @property
    def zone(self) -> str:
        """The name of the time zone."""
        own = None if self.schedule is None else schedule_zone(self.schedule)
        return own or self.policies.timezone or zone_name(None)

    def due_times(self, now: float) -> Iterator[float]:
        """Yield all due times, in epoch seconds. A first one in the past will run at once (a misfire).

        Args:
            now: Epoch seconds.
        """
        max_runs = self.policies.max_runs
        times = self._due_times(now)
        return times if max_runs is None else islice(times, max(0, max_runs - self.run_count))

    def _due_times(self, now: float) -> Iterator[float]:
        due = self.next_run
        if due is None:
            return
        schedule = self.schedule
        period = schedule.period if isinstance(schedule, Every) else None
        earliest = now - self.policies.latest_start(period)
        reached = due if due >= earliest else self._following(due, nextafter(earliest, -inf))
        while reached is not None:
            yield reached
            reached = self._following(due, max(reached, now))

    def _following(self, due: float, instant: float) -> float | None:
        """Return the first due time after `instant`; `None` if there is none."""
        schedule = self.schedule
        if schedule is None or not schedule.repeats or getattr(schedule, "fixed_delay", False):
            return None  # with a fixed delay it depends on how long the next run takes
        return _due_after(schedule, instant, self.policies, due)


def upcoming_tasks(
    scheduler: Scheduler, state: SavedState | None, *, alone: bool = False
) -> list[UpcomingTask]:
    """Return the tasks in the order of registration, without those that have had their last run.

    A task whose last run is still in progress is included.

    Args:
        scheduler: A scheduler that is not started.
        state: Its saved state; `None` if there is none.
        alone: True if there is only a state and no target; then the state's tasks of the program count too.
    """
    found = []
    snapshot = scheduler.snapshot()
    now = snapshot.figures.time
    saved = {} if state is None else dict(state.tasks)
    running = frozenset[str]() if state is None else state.running.keys()
    # A process that runs them knows when they are due, whatever clock and time zone are used here.
    as_saved = alone or (state is not None and state.process.running)
    for task in snapshot.tasks:
        handle = scheduler.handle(task.name)
        if handle is None or task.unregistered:
            continue
        schedule = handle.schedule
        due = _due_after(schedule, now, handle.policies) if task.disabled else task.next_run
        registered = UpcomingTask(
            task.name,
            schedule,
            handle.policies,
            not task.disabled,
            task.overrides,
            due,
            task.run_count,
            task.disabled_until,
            executor=task.executor,
        )
        upcoming = _after_restart(
            registered, saved.pop(task.name, None), task, task.name in running, now, as_saved
        )
        if upcoming is not None:
            found.append(upcoming)
    for name, handle in scheduler.done.items():
        saved.pop(name, None)
        found.append(_done(name, handle.schedule, handle.policies, handle.run_count))
    restored = (_restored(each, each.name in running, now, as_saved, alone=alone) for each in saved.values())
    return found + [task for task in restored if task is not None]


def _due_after(
    schedule: Schedule, instant: float, policies: Policies, anchor: float | None = None
) -> float | None:
    """Return the next due time; `None` if there is none, or if a custom schedule raises.

    Args:
        schedule: The schedule.
        instant: Epoch seconds.
        policies: The limits of its due times are among them.
        anchor: Where the grid of a period begins, in epoch seconds; `None` for its start.
    """

    def next_after(instant: float) -> float | None:
        if isinstance(schedule, Every) and anchor is not None:
            return grid_next(anchor, schedule.period, instant)
        return due_after(schedule, instant)

    try:
        limits = policies.limits(schedule)
        return next_after(instant) if limits is None else limits.first_after(next_after, instant)
    except BaseException:  # noqa: BLE001 - foreign code may raise anything
        return None


def _after_restart(
    upcoming: UpcomingTask,
    saved: SavedTask | None,
    task: TaskSnapshot,
    is_running: bool,
    now: float,
    as_saved: bool,
) -> UpcomingTask | None:
    """Return the task as it will continue after a restart; `None` if it has had its last run."""
    if saved is None or task.run_count or task.run is not None:
        return upcoming
    schedule, max_runs = saved.override or upcoming.schedule, upcoming.policies.max_runs
    disabled, until = _disabled(saved, schedule, upcoming.policies, now)
    if disabled is not None:
        upcoming = replace(upcoming, enabled=not disabled, disabled_until=until)
    if saved.override is None and (
        saved.preserved or upcoming.schedule is None or not saved.continues_as(upcoming.schedule)
    ):
        return upcoming
    due = _next_due(saved, schedule, upcoming.policies, now, as_saved)
    is_done = upcoming.policies.until is not None and saved.last_due is not None
    if due is None and saved.override is None and isinstance(schedule, Every) and not is_done:
        due = upcoming.due  # as it is registered
    never = schedule is not None and not schedule.has_due_times
    if (due is None and not never) or (max_runs is not None and saved.run_count >= max_runs):
        if not is_running:
            is_done = due is None and upcoming.policies.until is not None and schedule is not None
            return _done(task.name, schedule, upcoming.policies, saved.run_count) if is_done else None
        due = None
    overrides = None if saved.override is None else schedule_words(upcoming.schedule)
    return replace(upcoming, schedule=schedule, overrides=overrides, due=due, run_count=saved.run_count)


def _done(name: str, schedule: Schedule | None, policies: Policies, run_count: int) -> UpcomingTask:
    return UpcomingTask(name, schedule, policies, True, None, None, run_count, done=True)


def _restored(
    saved: SavedTask, is_running: bool, now: float, as_saved: bool, *, alone: bool
) -> UpcomingTask | None:
    """Return a task that only the state has: registered while the program ran or, with `alone`, any."""
    if saved.spec is None and not alone:
        return None
    declared = saved.declared if saved.spec is None else saved.spec.schedule
    schedule = saved.override or declared
    policies = DEFAULT_POLICIES if saved.spec is None else saved.spec.policies
    due = _next_due(saved, schedule, policies, now, as_saved)
    if due is None and schedule is not None and schedule.has_due_times and not is_running:
        return _done(saved.name, schedule, policies, saved.run_count) if saved.is_done else None
    disabled, until = _disabled(saved, schedule, policies, now)
    enabled = (saved.spec is None or saved.spec.enabled) if disabled is None else not disabled
    overrides = None if saved.override is None else str(declared or "another")
    executor = None if saved.spec is None else saved.spec.executor
    return UpcomingTask(
        saved.name, schedule, policies, enabled, overrides, due, saved.run_count, until, executor=executor
    )


def _disabled(
    saved: SavedTask, schedule: Schedule | None, policies: Policies, now: float
) -> tuple[bool | None, float | None]:
    """Return whether it is disabled, `None` for as it is registered, and when it is enabled automatically."""
    if schedule is None:
        disabled, until = saved.disabled, saved.disabled_until
    else:
        disabled, until = saved.is_disabled(schedule, policies), saved.enabled_at(schedule, policies)
    return (False, None) if until is not None and until <= now else (disabled, until)


def _next_due(
    saved: SavedTask, schedule: Schedule | None, policies: Policies, now: float, as_saved: bool
) -> float | None:
    due = saved.due if saved.retry is None else saved.retry.at
    if schedule is None or (as_saved and due is not None):
        return due
    if saved.retry is not None:
        return saved_retry_at(saved.retry, policies, now)
    try:
        return saved_due(schedule, saved, now, policies)
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        return None
