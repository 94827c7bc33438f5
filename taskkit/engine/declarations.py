"""Declared schedules and states, where they differ from the present ones; makes the `SavedTask` of a handle.

Most registrations are as they were declared, so this is stored beside them. Guarded by the scheduler's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taskkit.engine.due_times import covered_until
from taskkit.engine.registration import QUEUED
from taskkit.outcome import Trigger
from taskkit.persistence import SavedRetry, SavedTask
from taskkit.schedules import Once, OnDemand
from taskkit.schedules.queries import are_equal

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.registration import Registration
    from taskkit.schedules import Schedule
    from taskkit.spec import TaskSpec


TIMES: Final = ("declared", "due", "last_due", "run_count", "retry")
"""The fields of a saved task that say how far it has come with its schedule; the others are decisions."""

NOTHING_LEFT: Final[frozenset[str]] = frozenset()


class Declarations:
    """Registrations that a person or a task has changed since the program declared them."""

    def __init__(self) -> None:
        self._schedules: dict[Registration, Schedule] = {}
        self._overridden: set[Registration] = set()
        self._disabled: set[Registration] = set()
        self._specs: dict[Registration, TaskSpec] = {}
        self._left: dict[Registration, frozenset[str]] = {}
        self._at_stop: dict[Registration, SavedTask] = {}
        self._done: dict[str, SavedTask] | None = None  # None: not wanted

    def begin(self, entry: Registration, spec: TaskSpec | None = None) -> None:
        """Take the entry's present state for the declared one, unless a person has overridden it."""
        if entry not in self._overridden:
            self._forget_schedule(entry)
        if entry.disabled:
            self._disabled.add(entry)
        if spec is not None:
            self._specs[entry] = spec

    def declare_disabled(self, entry: Registration) -> None:
        """Take its present `disabled` for what the program declares."""
        if entry.disabled:
            self._disabled.add(entry)
        else:
            self._disabled.discard(entry)

    def change_schedule(self, entry: Registration, before: Schedule, *, override: bool) -> None:
        """Note its new schedule; the last change counts, whether a person or the program made it."""
        if override:
            self.decide(entry, "override", *TIMES)
        declared = self._schedules.setdefault(entry, before)
        if are_equal(declared, entry.schedule):
            self._forget_schedule(entry)
        elif override:
            self._overridden.add(entry)
        else:
            self._overridden.discard(entry)

    def leave(self, entry: Registration, fields: frozenset[str]) -> None:
        """Preserve these saved fields as they are, because the store cannot read them at present."""
        self._left[entry] = fields

    def decide(self, entry: Registration, *fields: str) -> None:
        """Note that these fields were decided again: from now on they are saved as they are here."""
        if entry in self._left:
            self._left[entry] -= {*fields}

    def is_a_persons(self, entry: Registration) -> bool:
        """True if a person registered it while the program ran."""
        return entry in self._specs

    def schedule(self, entry: Registration) -> Schedule:
        """Return the schedule that it was declared with."""
        return self._schedules.get(entry, entry.schedule)

    def overridden(self, entry: Registration) -> Schedule | None:
        """Return the schedule that it was declared with if a person overrides it, else `None`."""
        return self._schedules[entry] if entry in self._overridden else None

    def _forget_schedule(self, entry: Registration) -> None:
        self._schedules.pop(entry, None)
        self._overridden.discard(entry)

    def forget(self, entry: Registration) -> None:
        """Forget an entry that is no longer registered."""
        self._left.pop(entry, None)
        self._at_stop.pop(entry, None)
        if self._schedules or self._disabled or self._specs:  # for most there is nothing to forget
            self._forget_schedule(entry)
            self._disabled.discard(entry)
            self._specs.pop(entry, None)

    def keep_done(self, wanted: bool = True) -> None:
        """Remember tasks that are done with their last run, for `take_done`; or stop doing so."""
        self._done = {} if wanted else None

    def keep_to_come(self, entry: Registration, now: Instant) -> None:
        """Keep the saved state of an entry whose run is about to be dropped by the scheduler's stop.

        The run waits for a thread, so it is still to come after a restart. Nothing changes after the stop.
        """
        if entry.registered:
            self._at_stop[entry] = self.saved(entry, now)

    def note_done(self, entry: Registration, now: Instant) -> None:
        """Remember it if wanted: it is about to be removed because nothing is to come."""
        if self._done is None:
            return
        if entry.run_count or not isinstance(entry.schedule, OnDemand):
            # Else it was demanded and stopped before it began, and no count would tell that it is done.
            self._done[entry.name] = self.saved(entry, now)

    def take_done(self) -> dict[str, SavedTask]:
        """Return the tasks that are done since the last call, by name."""
        done = self._done or {}
        if done:
            self._done = {}
        return done

    def saved(self, entry: Registration, now: Instant) -> SavedTask:
        """Return what a store must save of it."""
        if (at_stop := self._at_stop.get(entry)) is not None:
            return at_stop
        born_disabled, until = entry in self._disabled, entry.disabled_until
        due = None if entry.due is None else entry.to_wall(entry.due, now)
        last_due = None if entry.last_due is None else entry.to_wall(entry.last_due, now)
        if entry in self._schedules and entry not in self._overridden:
            due = _due_as_declared(self._schedules[entry], entry, now)
        retry = None
        if entry.retry is not None:
            retry = SavedRetry(entry.retry.attempt, now.in_epoch(entry.retry.at), entry.retry.parameters)
        again = None if entry.again is None or entry.again is QUEUED else entry.again.parameters
        if (run := entry.run) is not None and run.started is None:
            # It waits for a thread. If it never gets one, the run is still to come.
            if run.trigger is Trigger.SCHEDULE:
                due, last_due = run.due, covered_until(entry, run.due, now)
            elif run.trigger is Trigger.RETRY:
                retry = SavedRetry(run.attempt, run.due, run.given)
            else:
                again = run.given
        return SavedTask(
            entry.name,
            declared=self.schedule(entry),
            override=entry.schedule if entry in self._overridden else None,
            due=due,
            last_due=last_due,
            disabled=None if entry.disabled == born_disabled and until is None else entry.disabled,
            disabled_until=until,
            run_count=entry.run_count,
            retry=retry,
            again=again,
            ended=() if not entry.ended else tuple(sorted(entry.ended)),
            spec=self._specs.get(entry),
            totals=None if entry.history is None else entry.history.totals.snapshot(),
            preserved=self._left.get(entry, NOTHING_LEFT),
        )


def _due_as_declared(declared: Schedule, entry: Registration, now: Instant) -> float | None:
    """Return the due time to save where the program has replaced the declared schedule.

    That replacement is gone after a restart, and its due time with it: the task then continues from the last
    one. Only a one-shot needs a due time, to know whether it has run.
    """
    if not isinstance(declared, Once) or declared.at is None:
        return None
    return None if entry.run_count and declared.at <= now.wall else declared.at
