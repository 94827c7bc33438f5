"""Every state transition of a handle, and nothing else: no lock, no thread, no clock.

Whoever calls holds the scheduler's lock and says what time it is. What has to happen outside the lock —
starting a run, waking one that was asked to stop — is left in `starts` and `stops` for the caller to
take along. The rules are kept in three layers, each of which knows only those below:

- here: what is registered and what it is commanded (the state table with R3, R4, R5 and R7);
- `run_ledger`: the life of a run, and what follows when it ends (T2, T3, R1, R2, R6, retries);
- `time_ledger`: who waits for what, what keeps it from starting, and what is skipped (O4).

A registered entry is in one place: waiting for its time, asleep while it is disabled, running, or on
demand. An entry that was replaced or unregistered while it ran lives on in `running` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from math import inf

from taskkit.clock import Clock, Instant
from taskkit.engine import duetimes
from taskkit.engine.agenda import NO_TICKET
from taskkit.engine.bus import EventBus
from taskkit.engine.entry import Entry
from taskkit.engine.run_ledger import RunLedger
from taskkit.events import SchedulerPaused, SchedulerResumed, TaskRegistered
from taskkit.policies import Policies
from taskkit.run import NO_PARAMETERS, Listener, SkipReason, Trigger
from taskkit.schedules import Schedule


class Ledger(RunLedger):
    """Who is registered, who runs, and what falls due when."""

    def __init__(self, clock: Clock, bus: EventBus, listener: Listener) -> None:
        super().__init__(clock, bus, listener)
        self._numbers = count(1).__next__

    # Registering

    def register(
        self, name: str, task: object, schedule: Schedule, policies: Policies, now: Instant
    ) -> Entry:
        """Add a registration; one of the same name is replaced, and its run is waited for (R6, T6)."""
        anchor, due = duetimes.begin(schedule, now, due_at_once=True)
        entry = Entry(name, self._numbers(), task, schedule, policies, anchor, due)
        if (old := self.entries.get(name)) is not None:
            self._release(old, "replaced", now)
        self.entries[name] = entry
        self._put(entry, now)
        if self._bus.wanted:
            self._bus.post(TaskRegistered(now.wall, name, str(schedule), entry.next_run(now)))
        self._touch(entry)
        return entry

    def unregister(self, entry: Entry, now: Instant) -> bool:
        """Let it be gone at once, or when its run ends; one that waits for a thread never begins."""
        if not entry.registered:
            return False
        self._release(entry, "unregistered", now)
        return True

    # Commanding one

    def run_now(self, entry: Entry, parameters: Mapping[str, object], now: Instant) -> bool:
        """Start it by hand unless it runs already (R1, R4)."""
        if not self._commandable(entry):
            return False
        if entry.run is None:
            self._start_by_hand(entry, Trigger.RUN_NOW, parameters, now)
        return True

    def demand(self, entry: Entry, parameters: Mapping[str, object], now: Instant) -> bool:
        """Start it by hand, or once more after the present run, however often it is demanded (R2)."""
        if not self._commandable(entry):
            return False
        if entry.run is None:
            self._start_by_hand(entry, Trigger.DEMAND, parameters, now)
        else:
            self._queue_again(entry, Trigger.DEMAND, parameters, now)
        return True

    def run_on_completion(self, entry: Entry, now: Instant) -> bool:
        """Have it run once more after the present run; `False` if there is none."""
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
            self._put(entry, now)
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
        if self._hindrance(entry) is None:
            self._settle(entry, SkipReason.MISSED, now)
        else:
            self._put(entry, now)
        return True

    def set_period(self, entry: Entry, period: float, now: Instant) -> bool:
        """Change the distance of its due times (R7); `False` for a schedule that has none."""
        before = entry.period
        if before is None or not self._commandable(entry):
            return False
        self._tell_passed(entry, now)
        self._take_off(entry)
        duetimes.change_period(entry, period, now, hindered=self._hindrance(entry) is not None)
        self._put(entry, now)
        self._changed(entry, "period", before, period, now)
        return True

    def reschedule(self, entry: Entry, schedule: Schedule, now: Instant) -> bool:
        """Give it another schedule, whose due times count from now."""
        if not self._commandable(entry):
            return False
        anchor, due = duetimes.begin(schedule, now, due_at_once=False)
        self._tell_passed(entry, now, for_good=True)
        self._take_off(entry)
        before, entry.schedule = entry.schedule, schedule
        entry.anchor, entry.due, entry.last_due = anchor, due, None
        if entry.run is None:
            entry.state = self._idle_state(entry)
            self._put(entry, now)
        self._changed(entry, "schedule", str(before), str(schedule), now)
        return True

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

    def _commandable(self, entry: Entry) -> bool:
        return entry.registered and not self.closed
