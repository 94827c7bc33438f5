"""Every state transition of a handle, and nothing else: no lock, no thread, no look at a clock.

Whoever calls holds the scheduler's lock and says what time it is. What has to happen outside the lock —
starting a run, waking one that was asked to stop — is left in `starts` and `stops` for the caller to
take along. `Ledger` is one class in three layers, a file each. What begins with an underscore belongs to all
three; a layer calls only those below, and each names the rules that it decides:

- here: what is registered and what it is commanded (the state table, R3, R4 and R5);
- `run_ledger`: the life of a run, and what follows when it ends;
- `time_ledger`: who waits for what, what keeps it from starting, and what is skipped.

A registered entry is in one place: waiting for its time, asleep while it is disabled, running, or on
demand. An entry that was replaced or unregistered while it ran lives on in `running` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from math import inf
from typing import TYPE_CHECKING

from taskkit.clock import Clock, Instant
from taskkit.engine import duetimes
from taskkit.engine.agenda import NO_TICKET
from taskkit.engine.bus import EventBus
from taskkit.engine.entry import Entry, Retry
from taskkit.engine.run_ledger import RunLedger
from taskkit.engine.summary import in_words
from taskkit.events import SchedulerPaused, SchedulerResumed, TaskRegistered
from taskkit.outcome import Outcome, Skip, SkipReason, Trigger
from taskkit.policies import Policies
from taskkit.run import NO_PARAMETERS, Listener, Run
from taskkit.schedules import Every, Schedule

if TYPE_CHECKING:
    from taskkit.keeping import KeptTask
    from taskkit.spec import TaskSpec


class Ledger(RunLedger):
    """Who is registered, who runs, and what falls due when."""

    def __init__(self, clock: Clock, bus: EventBus, listener: Listener) -> None:
        super().__init__(clock, bus, listener)
        self._numbers = count(1).__next__

    # Registering

    def register(
        self,
        name: str,
        task: object,
        schedule: Schedule,
        policies: Policies,
        now: Instant,
        *,
        carries_on: bool = False,
    ) -> Entry:
        """Add a registration; one of the same name is replaced, and its run is waited for (R6, T6).

        With `carries_on` a due time that the old one was about to make up for is the new one's to run.
        """
        anchor, due = duetimes.begin(schedule, now, due_at_once=True)
        entry = Entry(name, self._numbers(), task, schedule, policies, anchor, due)
        if (old := self.entries.get(name)) is not None:
            self._tell_passed(old, now, for_good=not carries_on)
            self._release(old, "replaced", now)
        self.entries[name] = entry
        self._put(entry, now)
        if self._bus.wanted:
            self._bus.post(TaskRegistered(now.wall, name, in_words(schedule), entry.next_run(now)))
        self._touch(entry)
        return entry

    def unregister(self, entry: Entry, now: Instant) -> bool:
        """Let it be gone at once, or when its run ends; one that waits for a thread never begins."""
        if not entry.registered:
            return False
        self._tell_passed(entry, now, for_good=True)
        self._release(entry, "unregistered", now)
        return True

    # Commanding one

    def run_now(self, entry: Entry, parameters: Mapping[str, object], now: Instant) -> bool:
        """Start it by hand unless it runs already (R1, R4); `False` where only a retry is still to come."""
        if not self._commandable(entry) or (entry.run is None and entry.had_all_runs):
            return False
        if entry.run is None:
            self._start_by_hand(entry, Trigger.RUN_NOW, parameters, now)
        return True

    def demand(self, entry: Entry, parameters: Mapping[str, object], now: Instant) -> bool:
        """Start it by hand, or once more after the present run, however often it is demanded (R2).

        `False` where it had the last of its `max_runs`: only retries can follow.
        """
        if not self._commandable(entry) or entry.had_all_runs:
            return False
        if entry.run is None:
            self._start_by_hand(entry, Trigger.DEMAND, parameters, now)
        else:
            self._queue_again(entry, Trigger.DEMAND, parameters, now)
        return True

    def run_on_completion(self, entry: Entry, now: Instant) -> bool:
        """Have it run once more after the present run; `False` if there is none, or it was the last."""
        return entry.run is not None and self.demand(entry, NO_PARAMETERS, now)

    def stop(self, entry: Entry, now: Instant) -> bool:
        """Ask its run to stop; a run that waits for a thread never begins (R3)."""
        run = entry.run
        if run is None or self.closed:
            return False
        self.ask_to_stop(run, now)
        if run.started is None:
            self._cancel(run, now)
        return True

    def disable(self, entry: Entry, now: Instant) -> bool:
        """Let nothing fall due until it is enabled; ends its retries (R4)."""
        if not self._commandable(entry):
            return False
        if entry.disabled:
            return True
        self._tell_passed(entry, now)
        self._take_off(entry)
        entry.disabled = True
        self.disabled_count += 1
        self._changed(entry, "disabled", False, True, now)
        if entry.retry is not None:
            entry.retry = None
            self._rest(entry, now)
        else:
            self._wait(entry, now)
        return True

    def enable(self, entry: Entry, now: Instant) -> bool:
        """Let it fall due again, on its original grid; what was due meanwhile is counted (R5)."""
        if not self._commandable(entry):
            return False
        if not entry.disabled:
            return True
        self._tell_passed(entry, now)
        self._take_off(entry)
        entry.disabled = False
        self.disabled_count -= 1
        self._changed(entry, "disabled", True, False, now)
        hindrance = self._hindrance(entry)
        waits_in_line = hindrance is SkipReason.REPLACED and not entry.schedule.repeats
        if hindrance is None or (waits_in_line and entry.again is None):
            self._settle(entry, SkipReason.MISSED, now)
        else:
            self._wait(entry, now)
        return True

    def declare_enabled(self, entry: Entry, enabled: bool, now: Instant) -> bool:
        """Enable or disable it because the program says so, and not a person."""
        if not (self.enable(entry, now) if enabled else self.disable(entry, now)):
            return False
        if not entry.registered:
            return True  # nothing was to come
        self.declarations.declare_disabled(entry)
        self._touch(entry)
        return True

    def set_period(self, entry: Entry, period: float, now: Instant, *, override: bool = False) -> bool:
        """Change the distance of its due times (R7); `False` for a schedule that has none."""
        schedule, before = entry.schedule, entry.period
        if before is None or not self._commandable(entry):
            return False
        self._tell_passed(entry, now)
        self._take_off(entry)
        duetimes.change_period(entry, period, now, hindered=self._hindrance(entry) is not None)
        self.declarations.change_schedule(entry, schedule, override=override)
        self._put(entry, now)
        self._changed(entry, "period", before, period, now)
        return True

    def due_times_with(self, entry: Entry, period: float, count: int, now: Instant) -> list[float] | None:
        """Those that it would have after `set_period`, in epoch seconds; `None` where that does not apply."""
        if entry.period is None or not self._commandable(entry):
            return None
        return duetimes.with_period(entry, period, count, now, self._hindrance(entry))

    def reschedule(self, entry: Entry, schedule: Schedule, now: Instant, *, override: bool = False) -> bool:
        """Give it another schedule, whose due times count from now."""
        if not self._commandable(entry):
            return False
        anchor, due = duetimes.begin(schedule, now, due_at_once=False)
        self._tell_passed(entry, now, for_good=True)
        self._take_off(entry)
        before = entry.schedule
        entry.schedule = schedule
        entry.anchor, entry.due, entry.last_due, entry.fault = anchor, due, None, None
        self.declarations.change_schedule(entry, before, override=override)
        if entry.run is None:
            entry.state = self._idle_state(entry)
            self._put(entry, now)
        self._changed(entry, "schedule", in_words(before), in_words(schedule), now)
        return True

    def drop_override(self, entry: Entry, now: Instant) -> bool:
        """Go back to the schedule that was declared, if a person put another in its place."""
        if not self._commandable(entry):
            return False
        declared = self.declarations.overridden(entry)
        if declared is None:
            return True
        if isinstance(declared, Every) and entry.period is not None:
            return self.set_period(entry, declared.period, now)
        return self.reschedule(entry, declared, now)

    # Going on from an earlier life

    def carried_over(self, name: str, now: Instant) -> KeptTask | None:
        """What one that takes the place of that name inherits: the past, and what a person decided."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        self._tell_passed(entry, now)
        kept = self.declarations.kept(entry, now)
        past = () if entry.history is None else entry.history.told()
        return replace(kept, declared=None, retry=None, again=None, spec=None, history=past)

    def recall(self, entry: Entry, kept: KeptTask | None, now: Instant, spec: TaskSpec | None = None) -> None:
        """Take what the entry is for what was declared, and let it go on where it was kept."""
        self.declarations.begin(entry, spec)
        if kept is None:
            return
        self._take_off(entry)
        self._recall_history(entry, kept.history)
        if kept.disabled is not None and kept.disabled != entry.disabled:
            entry.disabled = kept.disabled
            self.disabled_count += 1 if kept.disabled else -1
        overridden, goes_on = kept.override is not None, kept.goes_on_as(entry.schedule)
        if kept.override is not None:
            declared = entry.schedule
            entry.schedule = kept.override
            entry.state = self._idle_state(entry)
            self.declarations.change_schedule(entry, declared, override=True)
        if overridden or goes_on or kept.declared is None:
            entry.run_count = kept.run_count
        if overridden or goes_on:
            duetimes.go_on(entry, kept.due, kept.last_due, now)
            if kept.retry is not None and not entry.disabled:
                retry = kept.retry
                entry.retry = Retry(retry.attempt, retry.at - now.offset, retry.parameters)
        self._touch(entry)
        if entry.had_all_runs or (kept.again is None and self._has_nothing_to_come(entry)):
            self._be_gone(entry, now)
            return
        self._put(entry, now)
        if kept.again is not None:
            self.demand(entry, kept.again, now)

    def _recall_history(self, entry: Entry, history: Sequence[Outcome | Skip]) -> None:
        if not history:
            return
        self.failing_count -= entry.failing
        entry.past().recall(history)
        self.failing_count += entry.failing

    # Commanding all

    def pause(self, now: Instant) -> bool:
        """Let nothing fall due until `resume`; runs by hand still start."""
        if self.closed:
            return False
        if not self.paused:
            self.paused = True
            self._bus.post(SchedulerPaused(now.wall))
        return True

    def resume(self, now: Instant) -> bool:
        """Let tasks fall due again; what was due meanwhile is counted, and not caught up."""
        if self.closed:
            return False
        if self.paused:
            self.settle_sleepers(now)
            self.paused = False
            self.soonest = -inf
            self._bus.post(SchedulerResumed(now.wall))
            held, self._held = self._held, []
            for entry in held:
                if not entry.registered or entry.run is not None or entry.ticket != NO_TICKET:
                    continue
                if entry.retry is not None or self._waits_for_predecessor(entry):
                    self._put(entry, now)
                elif not entry.disabled:
                    self._settle(entry, SkipReason.MISSED, now)
        return True

    def close(self, now: Instant) -> tuple[list[Run], int]:
        """Start nothing any more, drop the runs that wait for a thread, and ask the others to stop.

        What has passed is counted a last time: from now on nothing falls due.

        Returns:
            The runs that go on, and how many were dropped.
        """
        for entry in self.entries.values():
            self._tell_passed(entry, now)
        self.closed = True
        self.starts.clear()
        runs = [entry.run for entry in self.running.values() if entry.run is not None]
        waiting = [run for run in runs if run.started is None]
        going = [run for run in runs if run.started is not None]
        for run in waiting:
            self._cancel(run, now)
        for run in going:
            self.ask_to_stop(run, now)
        return going, len(waiting)

    def _commandable(self, entry: Entry) -> bool:
        return entry.registered and not self.closed
