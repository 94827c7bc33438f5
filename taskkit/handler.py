"""A grip on one registered task: what it does now and did before, and the commands for it alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from taskkit.engine.explain import explain
from taskkit.outcome import Outcome, Skip
from taskkit.policies import Policies
from taskkit.run import check_parameters
from taskkit.schedules import Schedule, check_period, check_schedule
from taskkit.snapshot import TaskState

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.core import Core
    from taskkit.engine.entry import Entry
    from taskkit.engine.ledger import Ledger


class TaskHandler:
    """One registration under one name. Thread-safe.

    A handle whose registration was replaced or is gone does nothing and answers `False`; it never
    commands its successor. One that still runs can be stopped all the same.
    """

    __slots__ = ("_core", "_entry")

    def __init__(self, core: Core, entry: Entry) -> None:
        self._core = core
        self._entry = entry

    def __repr__(self) -> str:
        return f"<TaskHandler {self.name!r} {self.state}>"

    @property
    def name(self) -> str:
        """The unique name that it is registered under."""
        return self._entry.name

    @property
    def task(self) -> object:
        """The task, as it was registered."""
        return self._entry.task

    @property
    def schedule(self) -> Schedule:
        """When it falls due."""
        return self._entry.schedule

    @property
    def policies(self) -> Policies:
        """The keywords it was registered with."""
        return self._entry.policies

    @property
    def period(self) -> float | None:
        """Seconds between due times; `None` for a schedule that has no period."""
        return self._entry.period

    @property
    def state(self) -> TaskState:
        """Where it is: scheduled, running, on demand or gone."""
        return self._entry.state

    @property
    def disabled(self) -> bool:
        """Whether nothing falls due until it is enabled."""
        return self._entry.disabled

    @property
    def stopping(self) -> bool:
        """Whether its run was asked to stop and goes on."""
        run = self._entry.run
        return run is not None and run.stop_requested

    @property
    def next_run(self) -> float | None:
        """When it next falls due, in epoch seconds; `None` while it is disabled, or if it never does."""
        return self._core.look(lambda ledger, now: ledger.next_run(self._entry, now))

    @property
    def retry(self) -> str | None:
        """The try that follows a failed one, as in `2/5, in 8 s`; `None` unless one is pending."""

        def see(ledger: Ledger, now: Instant) -> str | None:
            retry = self._entry.retry
            if retry is None or ledger.closed:
                return None
            left = max(0.0, retry.at - now.steady)
            paused = ", paused" if ledger.paused else ""
            return f"{retry.attempt - 1}/{self._entry.policies.retries}, in {left:.0f} s{paused}"

        return self._core.look(see)

    @property
    def last_outcome(self) -> Outcome | None:
        """How its last run ended."""
        history = self._entry.history
        return None if history is None else history.last_outcome()

    @property
    def history(self) -> tuple[Outcome | Skip, ...]:
        """Its last runs, and the due times that passed without one; oldest first."""
        entry = self._entry
        return self._core.look(lambda _, __: () if entry.history is None else entry.history.told())

    @property
    def run_count(self) -> int:
        """How many runs began, those by hand counted, retries not."""
        return self._entry.run_count

    @property
    def run_again(self) -> bool:
        """Whether it runs once more after its present run."""
        return self._entry.again is not None

    def set_period(self, period: float | timedelta) -> bool:
        """Change the seconds between its due times; may be called by the task itself.

        Raises:
            TypeError: The period is neither a number nor a `timedelta`.
            ValueError: It is not more than 0, infinite, or not a number.
        """
        seconds = check_period(period)
        return self._core.command(lambda ledger, now: ledger.set_period(self._entry, seconds, now))

    def reschedule(self, schedule: Schedule) -> bool:
        """Give it another schedule, which counts from now; see `Scheduler.reschedule_task`.

        Raises:
            TypeError: It is not a schedule.
            ValueError: It never falls due.
        """
        check_schedule(schedule)
        return self._core.command(lambda ledger, now: ledger.reschedule(self._entry, schedule, now))

    def disable(self) -> bool:
        """Let nothing fall due until it is enabled. A run that goes on is left alone."""
        return self._core.command(lambda ledger, now: ledger.disable(self._entry, now))

    def enable(self) -> bool:
        """Let it fall due again, on its original grid."""
        return self._core.command(lambda ledger, now: ledger.enable(self._entry, now))

    def stop(self) -> bool:
        """Ask its run to stop. `False` if there is none."""
        return self._core.command(lambda ledger, now: ledger.stop(self._entry, now))

    def run_now(self, parameters: Mapping[str, object] | None = None) -> bool:
        """Start it now unless it runs already; see `Scheduler.run_task_now`.

        Raises:
            TypeError: `parameters` is no mapping, or has a key that is not a string.
        """
        given = check_parameters(parameters)
        return self._core.command(lambda ledger, now: ledger.run_now(self._entry, given, now))

    def demand(self, parameters: Mapping[str, object] | None = None) -> bool:
        """Start it now, or once more after the run that goes on; see `Scheduler.demand_task`.

        Raises:
            TypeError: `parameters` is no mapping, or has a key that is not a string.
        """
        given = check_parameters(parameters)
        return self._core.command(lambda ledger, now: ledger.demand(self._entry, given, now))

    def run_on_completion(self) -> bool:
        """Have it run once more after its present run. `False` if there is none, or it was its last."""
        return self._core.command(lambda ledger, now: ledger.run_on_completion(self._entry, now))

    def unregister(self) -> bool:
        """Let it be gone, now or when its run ends."""
        return self._core.command(lambda ledger, now: ledger.unregister(self._entry, now))

    def explain(self) -> str:
        """Why it is not running now, when it will, and what went wrong: a sentence or two."""
        return self._core.look(lambda ledger, now: explain(self._entry, ledger, now))
