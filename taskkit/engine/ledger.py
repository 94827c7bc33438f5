"""All state transitions of a handle, and nothing else: no lock, no thread, no clock.

The caller holds the scheduler's lock and passes the time. Work that must happen outside the lock (starting
a run, waking one that was asked to stop) is left in `starts` and `stops`. `Ledger` is one class in five
layers, a file each. Names that begin with an underscore belong to all of them; a layer calls only those
below, and each names the rules that it decides:

- here: registration, restoring after a restart, and what concerns all tasks (the state table);
- `command_ledger`: the commands for one task (R3, R4, R5, R7 and R8);
- `run_ledger`: the life of a run, and what follows when it ends;
- `chain_ledger`: tasks that are due when others have ended (T15);
- `time_ledger`: the timer queues, what blocks a start, and what is skipped.

A registered entry is in one place: waiting for its time, asleep while it is disabled, running, or on
demand. An entry that was replaced or unregistered while it ran stays in `running` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from math import inf
from typing import TYPE_CHECKING

from taskkit.clock import Clock, Instant
from taskkit.engine import due_times, passed_due_times, resumed_due_times
from taskkit.engine.clock_steps import ClockStep
from taskkit.engine.command_ledger import CommandLedger
from taskkit.engine.event_bus import EventBus
from taskkit.engine.limited_times import times_within
from taskkit.engine.registration import QUEUED, Registration, Retry
from taskkit.engine.timers import NO_TICKET
from taskkit.events import SchedulerPaused, SchedulerResumed, TaskRegistered, UnregisterReason
from taskkit.executor import BodyListener
from taskkit.outcome import Outcome, Skip, SkipReason
from taskkit.persistence import SavedTask
from taskkit.policies import Policies
from taskkit.run import Run, RunListener
from taskkit.schedules import Schedule
from taskkit.schedules.queries import schedule_words

if TYPE_CHECKING:
    from taskkit.spec import TaskSpec


class Ledger(CommandLedger):
    """The registered tasks, their runs and their due times."""

    def __init__(self, clock: Clock, bus: EventBus, listener: RunListener, bodies: BodyListener) -> None:
        super().__init__(clock, bus, listener, bodies)
        self._numbers = count(1).__next__
        self.interrupted: tuple[Outcome, ...] = ()
        """The runs of restored registrations that ended with the process before."""

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
    ) -> Registration:
        """Add a registration; it replaces one of the same name, and waits for its run (R6, T6).

        With `carries_on` the new one also takes over a due time that the old one was about to make up for.
        """
        self.chains.check(name, schedule)
        limits = policies.limits(schedule)
        anchor, due = due_times.begin(schedule, now, due_at_once=True, limits=limits)
        limited = times_within(schedule, limits, now, due_at_once=True)
        entry = Registration(name, self._numbers(), task, schedule, policies, anchor, due, limited)
        if (old := self.entries.get(name)) is not None:
            self._count_passed(old, now, for_good=not carries_on)
            self._release(old, UnregisterReason.REPLACED, now)
            if old.history is not None:
                entry.past().totals = old.history.totals  # shared, as a run of the old one may still end
        self.done.pop(name, None)
        self.entries[name] = entry
        self.chains.add(entry)
        self._enqueue(entry, now)
        if TaskRegistered in self._bus.wanted:
            self._bus.post(TaskRegistered(now.wall, name, schedule_words(schedule), entry.next_run(now)))
        self._touch(entry)
        return entry

    def unregister(self, entry: Registration, now: Instant) -> bool:
        """Remove it at once, or when its run ends; a run that waits for a thread never begins."""
        if not entry.registered:
            return False
        self._count_passed(entry, now, for_good=True)
        self._release(entry, UnregisterReason.UNREGISTERED, now)
        return True

    # Restoring after a restart

    def carried_over(self, name: str, now: Instant) -> SavedTask | None:
        """Return what a new registration of that name inherits: the past, and what a person decided."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        self._count_passed(entry, now)
        saved = self.declarations.saved(entry, now)
        past = () if entry.history is None else entry.history.entries()
        # The totals are shared with the new registration already.
        return replace(saved, declared=None, retry=None, again=None, spec=None, totals=None, history=past)

    def restore(
        self, entry: Registration, saved: SavedTask | None, now: Instant, spec: TaskSpec | None = None
    ) -> None:
        """Restore how the entry stood before a restart; its present schedule is the declared one."""
        self.declarations.begin(entry, spec)
        if saved is None:
            return
        self._dequeue(entry)
        self._restore_history(entry, saved.history)
        if saved.totals is not None:
            entry.past().totals.restore(saved.totals)
        if saved.interrupted:
            entry.past().totals.add_interrupted(saved.interrupted)
            self.interrupted += saved.interrupted
        if saved.preserved and saved.spec is None and self.declarations.is_a_persons(entry):
            # What a person registered cannot be read, and another task takes its place.
            saved = SavedTask(entry.name, declared=None)
        overridden, goes_on = saved.override is not None, saved.continues_as(entry.schedule)
        if saved.override is not None:
            self._restore_override(entry, saved.override, now)
        self._restore_disabled(entry, saved, now)
        if overridden or goes_on or saved.declared is None:
            entry.run_count = saved.run_count
        if saved.preserved:
            # With `max_runs` the count still continues.
            counted = {"run_count"} if entry.policies.max_runs is not None else set()
            self.declarations.leave(entry, saved.preserved - counted)
        if "due" in saved.preserved:
            if overridden:
                due_times.begin_anew(entry, now)
        elif overridden or goes_on:
            resumed_due_times.resume(entry, saved, now)
            if saved.retry is not None and not entry.disabled:
                at = resumed_due_times.saved_retry_at(saved.retry, entry.policies, now.wall)
                entry.retry = Retry(saved.retry.attempt, at - now.offset, saved.retry.parameters)
        if entry.ended is not None:
            entry.ended.update(entry.ended_of(saved.ended))
        self._note_interrupted(entry, now)
        self._touch(entry)
        is_done = entry.had_all_runs and entry.retry is None
        if is_done or (saved.again is None and self._has_nothing_to_come(entry, now)):
            self._remove_done(entry, now)
            return
        if entry.ended:
            self._make_due(entry, now)
        if entry.ticket == NO_TICKET:
            self._enqueue(entry, now)
        if saved.again is not None:
            self.demand(entry, saved.again, now)

    def remove_if_done(self, entry: Registration, now: Instant) -> None:
        """Remove a registration that has no due time left because of `until`."""
        if entry.limited is None or not entry.registered or entry.run is not None:
            return
        if self._has_nothing_to_come(entry, now):
            self._remove_done(entry, now)
        elif entry.ended is not None:
            self._await_opening(entry.limited, now)

    def _restore_override(self, entry: Registration, override: Schedule, now: Instant) -> None:
        declared = entry.schedule
        self.chains.remove(entry)
        entry.set_schedule(override)
        self.chains.add(entry)
        entry.limit_by(times_within(override, entry.policies.limits(override), now))
        entry.state = self._idle_state(entry)
        self.declarations.change_schedule(entry, declared, override=True)
        self._limit_jitter(entry, now)

    def _restore_disabled(self, entry: Registration, saved: SavedTask, now: Instant) -> None:
        disabled = saved.is_disabled(entry.schedule, entry.policies)
        if disabled is not None and disabled != entry.disabled:
            entry.disabled = disabled
            self.disabled_count += 1 if disabled else -1
        until = saved.enabled_at(entry.schedule, entry.policies) if entry.disabled else None
        self._set_enable_timer(entry, until, now)

    def _restore_history(self, entry: Registration, history: Sequence[Outcome | Skip]) -> None:
        if not history:
            return
        self.failing_count -= entry.failing
        entry.past().restore(history)
        self.failing_count += entry.failing

    # Commanding all

    def end_standby(self, now: Instant) -> None:
        """Take over from another process: what is registered counts from now, as if it were new."""
        self.standby = False
        for entry in self.entries.values():
            self._dequeue(entry)
            limits = entry.policies.limits(entry.schedule)
            entry.limit_by(times_within(entry.schedule, limits, now, due_at_once=True))
            due_times.begin_anew(entry, now, due_at_once=True)
            self._enqueue(entry, now)
            self._touch(entry)

    def pause(self, now: Instant) -> bool:
        """Make nothing fall due until `resume`; runs by hand still start."""
        if self.closed or self.standby:
            return False
        if not self.paused:
            self.paused = True
            self._bus.post(SchedulerPaused(now.wall))
        return True

    def resume(self, now: Instant) -> bool:
        """Let tasks fall due again; counts what was due meanwhile, without catching up."""
        if self.closed or self.standby:
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
                    self._enqueue(entry, now)
                elif not entry.disabled:
                    self._settle(entry, SkipReason.MISSED, now)
        return True

    def close(self, now: Instant, *, drains: bool = False) -> tuple[list[Run], int]:
        """Start nothing any more, and drop the runs that wait for a thread. Ask the others to stop.

        Counts what has passed a last time: from now on nothing falls due.

        Args:
            now: The present moment.
            drains: Leave active runs alone until `end_drain`.

        Returns:
            The active runs, and the number of pending runs that were dropped.
        """
        for entry in self.entries.values():
            self._count_passed(entry, now)
        self.closed = True
        self.enables_at = inf
        self.draining = drains
        self.starts.clear()
        runs = [entry.run for entry in self.running.values() if entry.run is not None]
        waiting = [run for run in runs if run.started is None]
        going = [run for run in runs if run.started is not None]
        for run in waiting:
            self.declarations.keep_to_come(self.running[run.name], now)
            self._cancel(run, now)
        to_come = sum(self._awaits_more(entry) for entry in self.entries.values())
        if not drains:
            self.end_drain(now)
        return going, len(waiting) + to_come

    def end_drain(self, now: Instant) -> None:
        """Ask the active runs to stop."""
        self.draining = False
        for run in self.abandoned:
            run.goes_on = False
        for entry in self.running.values():
            if entry.run is not None:
                self.ask_to_stop(entry.run, now)

    def _awaits_more(self, entry: Registration) -> bool:
        """True if a demand or a retry of it is still to come."""
        return entry.retry is not None or (entry.again is not None and entry.again is not QUEUED)

    # When the wall clock was set

    def wall_clock_set(self, step: ClockStep, now: Instant) -> None:
        """Let calendars count from the new wall clock, if the old one was wrong (T4)."""
        self.started_at += step.seconds
        self.touch_all(self.all_entries())  # the epoch figures of periodic tasks moved
        if not self.closed:
            self._move_limits(now)
        if not step.corrects or self.closed:
            return
        for entry in list(self.entries.values()):
            if not entry.follows_wall_clock:
                continue
            if is_queued := entry.again is QUEUED:
                entry.again = None
            waits = is_queued or entry.ticket != NO_TICKET or entry.fault is not None
            waits = waits and entry.retry is None
            if waits:
                self._dequeue(entry)
            due_times.count_anew(entry, now)
            self._log_fault(entry)
            if waits:
                self._wait(entry, now)

    def _move_limits(self, now: Instant) -> None:
        """Apply the limits of periodic tasks by the new wall clock: their own clock was not set (T4)."""
        for entry in list(self.entries.values()):
            if (limited := entry.limited) is None:
                continue
            waits = entry.retry is None and entry.ticket != NO_TICKET
            if entry.follows_wall_clock:
                limited.reported_until = min(limited.reported_until, now.wall)
                if waits and not entry.disabled:
                    self._await_opening(limited, now)
                continue
            self._count_outside(entry, now)
            limited.apart = now.offset
            if entry.due is None or entry.due <= now.steady:
                continue
            if waits:
                self._dequeue(entry)
            entry.due = passed_due_times.following(entry, now.steady)
            if waits:
                self._wait(entry, now)
