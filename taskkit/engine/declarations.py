"""What each registration was declared to be, where that is not what it is now, and what is to be kept of it.

Most registrations are as they were declared, so all of this is kept beside them. Under the scheduler's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskkit.keeping import KeptRetry, KeptTask
from taskkit.outcome import Trigger
from taskkit.schedules import are_equal

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.entry import Entry
    from taskkit.schedules import Schedule
    from taskkit.spec import TaskSpec


class Declarations:
    """The words of the program, where a person or a task said something else afterwards."""

    def __init__(self) -> None:
        self._schedules: dict[Entry, Schedule] = {}
        self._overridden: set[Entry] = set()
        self._disabled: set[Entry] = set()
        self._specs: dict[Entry, TaskSpec] = {}
        self._done: dict[str, KeptTask] | None = None  # None: nobody asks

    def begin(self, entry: Entry, spec: TaskSpec | None = None) -> None:
        """Take what the entry is now for what was declared."""
        if entry.disabled:
            self._disabled.add(entry)
        if spec is not None:
            self._specs[entry] = spec

    def declare_disabled(self, entry: Entry) -> None:
        """The program says that it is to be disabled or not, as it is now."""
        if entry.disabled:
            self._disabled.add(entry)
        else:
            self._disabled.discard(entry)

    def change_schedule(self, entry: Entry, before: Schedule, *, override: bool) -> None:
        """It has another schedule now; the last word counts, be it a person's or the program's."""
        declared = self._schedules.setdefault(entry, before)
        if are_equal(declared, entry.schedule):
            self._forget_schedule(entry)
        elif override:
            self._overridden.add(entry)
        else:
            self._overridden.discard(entry)

    def schedule(self, entry: Entry) -> Schedule:
        """The schedule that it was declared with."""
        return self._schedules.get(entry, entry.schedule)

    def overridden(self, entry: Entry) -> Schedule | None:
        """The schedule that it was declared with, if a person put another in its place."""
        return self._schedules[entry] if entry in self._overridden else None

    def _forget_schedule(self, entry: Entry) -> None:
        self._schedules.pop(entry, None)
        self._overridden.discard(entry)

    def forget(self, entry: Entry) -> None:
        """It is registered no more."""
        if self._schedules or self._disabled or self._specs:  # mostly there is nothing to forget
            self._forget_schedule(entry)
            self._disabled.discard(entry)
            self._specs.pop(entry, None)

    def keep_done(self, wanted: bool = True) -> None:
        """Remember, or remember no more, what is done with its last run, so that `take_done` tells it."""
        self._done = {} if wanted else None

    def note_done(self, entry: Entry, now: Instant) -> None:
        """It is about to be gone because nothing is to come."""
        if self._done is not None:
            self._done[entry.name] = self.kept(entry, now)

    def take_done(self) -> dict[str, KeptTask]:
        """What is done since the last call, by name."""
        done = self._done or {}
        if done:
            self._done = {}
        return done

    def kept(self, entry: Entry, now: Instant) -> KeptTask:
        """What is to be kept of it."""
        born_disabled = entry in self._disabled
        due = None if entry.due is None else entry.to_wall(entry.due, now)
        retry = None
        if entry.retry is not None:
            retry = KeptRetry(entry.retry.attempt, now.in_epoch(entry.retry.at), entry.retry.parameters)
        again = None if entry.again is None else entry.again.parameters
        run_count = entry.run_count
        if (run := entry.run) is not None and run.started is None:
            # It waits for a thread: if it never gets one, it is still to come.
            run_count -= run.trigger is not Trigger.RETRY
            if run.trigger is Trigger.SCHEDULE:
                due = run.due
            elif run.trigger is Trigger.RETRY:
                retry = KeptRetry(run.attempt, run.due, run.given)
            else:
                again = run.given
        return KeptTask(
            entry.name,
            declared=self.schedule(entry),
            override=entry.schedule if entry in self._overridden else None,
            due=due,
            last_due=None if entry.last_due is None else entry.to_wall(entry.last_due, now),
            disabled=None if entry.disabled == born_disabled else entry.disabled,
            run_count=run_count,
            retry=retry,
            again=again,
            spec=self._specs.get(entry),
        )
