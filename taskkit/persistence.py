"""The saved state of a scheduler as plain data, and the protocol for restoring it after a restart.

`taskkit.store` saves it in a file. A store of your own implements `StateSource`, passes it to
`Scheduler.restore_from`, and collects from `Scheduler.watch_persistence` what there is to save.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from taskkit.outcome import Outcome, Skip
from taskkit.schedules import Every, Once, OnDemand, Schedule
from taskkit.schedules.queries import are_equal

if TYPE_CHECKING:
    from taskkit.policies import Policies
    from taskkit.snapshot import TaskTotals
    from taskkit.spec import TaskSpec


@dataclass(frozen=True, slots=True)
class SavedRetry:
    """A pending retry of a failed run."""

    attempt: int
    """The number of the next try; the first retry is 2."""
    at: float
    """The due time of the retry, in epoch seconds."""
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SavedTask:
    """The saved state of one registration."""

    name: str
    declared: Schedule | None
    """The schedule that the program or a file registered; `None` if it cannot be saved."""
    override: Schedule | None = None
    """The schedule that a person put in its place."""
    due: float | None = None
    """The next due time that was neither run nor skipped, in epoch seconds; `None` if there is none, or if it
    belongs to a schedule with which the program has replaced `declared`."""
    last_due: float | None = None
    """The last due time that has passed, in epoch seconds. While the run for `due` waits for a thread it is
    later than `due`: the due times up to it have been reported as skipped."""
    disabled: bool | None = None
    """The decision of a person; `None` for as it was registered."""
    disabled_until: float | None = None
    """When it is enabled again automatically, in epoch seconds; `None` for never. Only if `disabled`."""
    run_count: int = 0
    retry: SavedRetry | None = None
    again: Mapping[str, object] | None = None
    """The parameters of a demanded run that is still to come; `None` if there is none."""
    ended: tuple[str, ...] = ()
    """Of the tasks that it follows, those that have ended as it waits for."""
    spec: TaskSpec | None = None
    """The spec to register it again, if a person added it while the program ran."""
    totals: TaskTotals | None = None
    """Its counts; `None` if nothing has happened yet."""
    history: tuple[Outcome | Skip, ...] = ()
    """The last runs and skips, oldest first; only in a restored one."""
    interrupted: tuple[Outcome, ...] = ()
    """The runs that ended with the process before, oldest first; only in a restored one, and only once."""
    preserved: frozenset[str] = frozenset()
    """The fields that a store must not overwrite, as it cannot read what it has. In a restored task: all, if
    any part of it is unreadable. In a task to save: those of them that were not decided again since."""

    @property
    def is_done(self) -> bool:
        """True if its last due time before its `until` has passed: of one that repeats, none is left."""
        schedule = self.override or self.declared
        waits = self.retry is not None or self.again is not None or bool(self.preserved)
        has_due_times = schedule is not None and schedule.repeats and schedule.has_due_times
        return has_due_times and self.due is None and not waits

    def is_disabled(self, schedule: Schedule, policies: Policies) -> bool | None:
        """Return True to register the task disabled, False for enabled, `None` for as the program has it.

        A task that runs a limited number of times is disabled if it is not known what has run.

        Args:
            schedule: Its present schedule.
            policies: Its present policies.
        """
        return True if self._may_have_run(schedule, policies) else self.disabled

    def enabled_at(self, schedule: Schedule, policies: Policies) -> float | None:
        """Return when a disabled task is enabled again automatically, in epoch seconds; `None` for never.

        Args:
            schedule: Its present schedule.
            policies: Its present policies.
        """
        return None if self._may_have_run(schedule, policies) else self.disabled_until

    def _may_have_run(self, schedule: Schedule, policies: Policies) -> bool:
        """True if it runs a limited number of times, and it is not known what has run."""
        limited = policies.max_runs is not None or not (schedule.repeats or isinstance(schedule, OnDemand))
        return limited and "disabled" in self.preserved

    def continues_as(self, declared: Schedule) -> bool:
        """True if a registration with this schedule continues where the saved one stopped.

        A periodic one continues if the period is the same, as the start that a program gives often counts
        from now. `Once()` means now each time, and never continues.
        """
        if isinstance(declared, Every):
            before = self.declared
            same_kind = isinstance(before, Every) and before.fixed_delay is declared.fixed_delay
            return same_kind and getattr(before, "period", None) == declared.period
        return are_equal(declared, self.declared) and not are_equal(declared, Once())


@dataclass(frozen=True, slots=True)
class SavedChanges:
    """Changes since the last call of one `PersistenceWatch`."""

    changed: tuple[SavedTask, ...]
    """The registrations that are new or have changed, and those that are done after their last run."""
    gone: tuple[str, ...]
    """The names that are no longer registered, and can be deleted."""
    paused: bool
    """True if the whole scheduler is paused."""
    done: tuple[str, ...] = ()
    """The names of those in `changed` that are no longer registered, as they are done."""


class StateSource(Protocol):
    """The saved state of an earlier run of the program."""

    @property
    def paused(self) -> bool:
        """True if the scheduler was paused."""

    def take_task(self, name: str) -> SavedTask | None:
        """Return the saved state of the registration of that name; `None` from the second call on.

        It is called with the scheduler's lock held: it must be quick, and must not call the scheduler.
        """
