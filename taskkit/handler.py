"""The handle of one registered task: its state, its past, and the commands for it alone."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from taskkit.engine.explain import explain
from taskkit.outcome import Outcome, Skip
from taskkit.policies import Policies
from taskkit.run import check_parameters
from taskkit.schedules import Schedule
from taskkit.schedules.arguments import check_period, end_of_disabling
from taskkit.schedules.queries import check_schedule
from taskkit.snapshot import TaskState

if TYPE_CHECKING:
    from taskkit.engine.core import Core
    from taskkit.engine.registration import Registration


class TaskHandler:
    """One registration of a task under one name, called a job in APScheduler. Thread-safe.

    If the registration was replaced or is gone, the commands do nothing and return `False`; they never reach
    its successor. A run of it that is still active can be stopped.
    """

    __slots__ = ("_core", "_entry")

    def __init__(self, core: Core, entry: Registration) -> None:
        self._core = core
        self._entry = entry

    def __repr__(self) -> str:
        return f"<TaskHandler {self.name!r} {self.state}>"

    @property
    def name(self) -> str:
        """The unique name of the registration."""
        return self._entry.name

    @property
    def task(self) -> object:
        """The task, as it was registered."""
        return self._entry.task

    @property
    def schedule(self) -> Schedule:
        """When the task is due."""
        return self._entry.schedule

    @property
    def policies(self) -> Policies:
        """The keywords of the registration."""
        return self._entry.policies

    @property
    def executor(self) -> str:
        """The name of the executor that runs it, as `thread` or `loop`."""
        return self._entry.placement.name

    @property
    def period(self) -> float | None:
        """Seconds between due times; `None` for a schedule that has no period."""
        return self._entry.period

    @property
    def state(self) -> TaskState:
        """Scheduled, running, on demand or gone."""
        return self._entry.state

    @property
    def disabled(self) -> bool:
        """True if the task does not fall due until it is enabled."""
        if self._entry.enable_timer is None:
            return self._entry.disabled
        with self._core.view():  # which enables it if its time has come
            return self._entry.disabled

    @property
    def disabled_until(self) -> float | None:
        """When a disabled task is enabled again automatically, in epoch seconds; `None` for never."""
        if self._entry.enable_timer is None:
            return None
        with self._core.view():  # which enables it if its time has come
            return self._entry.disabled_until

    @property
    def overridden(self) -> bool:
        """True if a person replaced the schedule that the program or a file registered."""
        with self._core.view() as (ledger, _):
            return ledger.declarations.overridden(self._entry) is not None

    @property
    def stopping(self) -> bool:
        """True if its run was asked to stop and has not ended."""
        run = self._entry.run
        return run is not None and run.stop_requested

    @property
    def next_run(self) -> float | None:
        """The next due time, in epoch seconds; `None` while disabled, and if there is none."""
        with self._core.view() as (ledger, now):
            return ledger.next_run(self._entry, now)

    @property
    def retry(self) -> str | None:
        """The pending retry, as in `2/5, in 8 s`; `None` if there is none."""
        with self._core.view() as (ledger, now):
            retry = self._entry.retry
            if retry is None or ledger.closed:
                return None
            left = max(0.0, retry.at - now.steady)
            paused = ", paused" if ledger.paused else ""
            return f"{retry.attempt - 1}/{self._entry.policies.retries}, in {left:.0f} s{paused}"

    @property
    def last_outcome(self) -> Outcome | None:
        """The outcome of the last run; `None` before the first has ended."""
        history = self._entry.history
        return None if history is None else history.last_outcome()

    @property
    def history(self) -> tuple[Outcome | Skip, ...]:
        """The last runs, and the due times that passed without one; oldest first."""
        entry = self._entry
        with self._core.view():
            return () if entry.history is None else entry.history.entries()

    @property
    def run_count(self) -> int:
        """The count of runs that began; runs by hand count, retries do not."""
        return self._entry.run_count

    @property
    def run_again(self) -> bool:
        """True if it will run once more after its present run."""
        return self._entry.again is not None

    def set_period(self, period: float | timedelta) -> bool:
        """Change the time between due times; see `Scheduler.set_period`. The task itself may call it.

        Raises:
            TypeError: `period` is neither a number nor a `timedelta`.
            ValueError: `period` is not more than 0, infinite, or NaN.
        """
        seconds = check_period(period)
        with self._core.transition() as (ledger, now):
            return ledger.set_period(self._entry, seconds, now)

    def reschedule(self, schedule: Schedule) -> bool:
        """Give the task another schedule, counted from now; see `Scheduler.reschedule_task`.

        Raises:
            TypeError: `schedule` is not a schedule.
            ValueError: It is never due.
        """
        check_schedule(schedule)
        with self._core.transition() as (ledger, now):
            return ledger.reschedule(self._entry, schedule, now)

    def disable(self, until: float | datetime | str | None = None) -> bool:
        """Disable the task: it does not fall due until it is enabled. An active run is left alone.

        Args:
            until: When it is enabled again automatically; see `Scheduler.disable_task`.

        Raises:
            TypeError: `until` is of another type.
            ValueError: `until` is not in the future, or cannot be read; then nothing is changed.
        """
        at = None if until is None else end_of_disabling(until, self._core.now().wall)
        with self._core.transition() as (ledger, now):
            return ledger.disable(self._entry, now, at)

    def enable(self) -> bool:
        """Enable the task on its original grid of due times; those in between count as skipped."""
        with self._core.transition() as (ledger, now):
            return ledger.enable(self._entry, now)

    def stop(self) -> bool:
        """Ask the run to stop. `False` if there is none."""
        with self._core.transition() as (ledger, now):
            return ledger.stop(self._entry, now)

    def abandon(self) -> bool:
        """Give up a run that was asked to stop and has not ended; see `Scheduler.abandon_task`."""
        with self._core.transition() as (ledger, now):
            run = ledger.abandon_asked(self._entry, now)
        if run is not None:
            self._core.report_abandoned(run)
        return run is not None

    def run_now(self, parameters: Mapping[str, object] | None = None) -> bool:
        """Start a run now, unless one is active; see `Scheduler.run_task_now`.

        Raises:
            TypeError: `parameters` is not a mapping, has a key that is not a string, or holds what cannot be
                passed to where the task runs.
        """
        given = self._checked(parameters)
        with self._core.transition() as (ledger, now):
            return ledger.run_now(self._entry, given, now)

    def demand(self, parameters: Mapping[str, object] | None = None) -> bool:
        """Start a run now, or one more after the present one; see `Scheduler.demand_task`.

        Raises:
            TypeError: `parameters` is not a mapping, has a key that is not a string, or holds what cannot be
                passed to where the task runs.
        """
        given = self._checked(parameters)
        with self._core.transition() as (ledger, now):
            return ledger.demand(self._entry, given, now)

    def _checked(self, parameters: Mapping[str, object] | None) -> Mapping[str, object]:
        given = check_parameters(parameters)
        if given and self._entry.executor is not None:
            self._entry.executor.check_parameters(given)
        return given

    def run_on_completion(self) -> bool:
        """Start one more run after the present one. `False` if there is none, or it is the last allowed."""
        with self._core.transition() as (ledger, now):
            return ledger.run_on_completion(self._entry, now)

    def unregister(self) -> bool:
        """Remove the task: at once, or when its run ends."""
        with self._core.transition() as (ledger, now):
            return ledger.unregister(self._entry, now)

    def explain(self) -> str:
        """Say in a sentence or two why the task is not running, when it will, and what went wrong."""
        with self._core.view() as (ledger, now):
            return explain(self._entry, ledger, now)


class HandleView(Mapping[str, TaskHandler]):
    """The handles in one state, by name: a live view.

    Iteration covers the handles that existed when it began, so it is safe while tasks change.
    """

    __slots__ = ("_core", "_state")

    def __init__(self, core: Core, state: TaskState) -> None:
        self._core = core
        self._state = state

    def __getitem__(self, name: str) -> TaskHandler:
        ledger = self._core.ledger
        with self._core.lock:
            places = (ledger.entries, ledger.running, ledger.done)
            for entry in (place.get(name) for place in places):
                if entry is not None and entry.state is self._state and entry.handle is not None:
                    return entry.handle
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([entry.name for entry in self._entries()])

    def __len__(self) -> int:
        return len(self._entries())

    def items(self) -> ItemsView[str, TaskHandler]:
        """Return the present names and handles, as a copy."""
        return self._handles().items()

    def values(self) -> ValuesView[TaskHandler]:
        """Return the present handles, as a copy."""
        return self._handles().values()

    def _handles(self) -> dict[str, TaskHandler]:
        return {entry.name: entry.handle for entry in self._entries() if entry.handle is not None}

    def _entries(self) -> list[Registration]:
        with self._core.lock:
            if self._state is TaskState.RUNNING:
                return list(self._core.ledger.running.values())
            if self._state is TaskState.GONE:
                return list(self._core.ledger.done.values())
            return [entry for entry in self._core.ledger.entries.values() if entry.state is self._state]

    def __repr__(self) -> str:
        forked_from = self._core.ledger.forked_from
        when = "" if forked_from is None else f" as of the fork from process {forked_from}"
        return f"<{self._state} handles{when}: {list(self)}>"
