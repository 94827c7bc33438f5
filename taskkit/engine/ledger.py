"""All state transitions of a handle, and nothing else: no lock, no thread, no clock.

The caller holds the scheduler's lock and passes the time. Work that must happen outside the lock (starting
a run, waking one that was asked to stop) is left in `starts` and `stops`. `Ledger` is one class in four
layers, a file each. Names that begin with an underscore belong to all three; a layer calls only those below,
and each names the rules that it decides:

- here: registration and commands (the state table, R3, R4, R5 and R8);
- `run_ledger`: the life of a run, and what follows when it ends;
- `chain_ledger`: tasks that are due when others have ended (T15);
- `time_ledger`: the timer queues, what blocks a start, and what is skipped.

A registered entry is in one place: waiting for its time, asleep while it is disabled, running, or on
demand. An entry that was replaced or unregistered while it ran stays in `running` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Final

from taskkit.clock import Clock, Instant
from taskkit.engine import due_times, resumed_due_times
from taskkit.engine.declarations import TIMES
from taskkit.engine.event_bus import EventBus
from taskkit.engine.limited_times import LimitedTimes
from taskkit.engine.registration import QUEUED, Registration, Retry, follows_wall_clock
from taskkit.engine.run_ledger import RunLedger
from taskkit.engine.timers import NO_TICKET
from taskkit.events import ChangeKind, SchedulerPaused, SchedulerResumed, TaskRegistered, UnregisterReason
from taskkit.executor import BodyListener
from taskkit.outcome import Outcome, Skip, SkipReason, Trigger
from taskkit.persistence import SavedTask
from taskkit.policies import Policies
from taskkit.run import NO_PARAMETERS, Run, RunListener
from taskkit.schedules import Every, Schedule
from taskkit.schedules.due_limits import ROUNDING_SECONDS
from taskkit.schedules.queries import schedule_words

if TYPE_CHECKING:
    from taskkit.schedules.due_limits import DueLimits
    from taskkit.spec import TaskSpec


ENABLED_AT_A_TIME: Final = 256
"""The most tasks that are enabled automatically between two releases of the lock."""

_INSTANT_SECONDS: Final = 1e-6
"""Due times are exact to this: one so much before the end of a disabling is before it."""


class Ledger(RunLedger):
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
        limited = _limited(schedule, limits, now, due_at_once=True)
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

    # Commanding one

    def run_now(self, entry: Registration, parameters: Mapping[str, object], now: Instant) -> bool:
        """Start it by hand unless it runs already (R1, R4); `False` if only a retry is still to come."""
        if not self._commandable(entry) or (entry.run is None and entry.had_all_runs):
            return False
        if entry.run is None:
            self._start_by_hand(entry, Trigger.RUN_NOW, parameters, now)
        return True

    def demand(self, entry: Registration, parameters: Mapping[str, object], now: Instant) -> bool:
        """Start it by hand, or once more after the present run, however often it is demanded (R2).

        Returns `False` after the last of its `max_runs`: only retries can follow.
        """
        if not self._commandable(entry) or entry.had_all_runs:
            return False
        if entry.run is None:
            self._start_by_hand(entry, Trigger.DEMAND, parameters, now)
        else:
            self._queue_again(entry, Trigger.DEMAND, parameters, now)
        return True

    def run_on_completion(self, entry: Registration, now: Instant) -> bool:
        """Run it once more after the present run; `False` if there is none, or it was the last."""
        return entry.run is not None and self.demand(entry, NO_PARAMETERS, now)

    def stop(self, entry: Registration, now: Instant) -> bool:
        """Ask its run to stop; a run that waits for a thread never begins (R3)."""
        run = entry.run
        if run is None or (self.closed and not self.draining):
            return False
        self.ask_to_stop(run, now)
        if run.started is None:
            self._cancel(run, now)
        return True

    def abandon_asked(self, entry: Registration, now: Instant) -> Run | None:
        """Abandon its run, so that its name is free; only if it was asked to stop before (O6).

        Return the run, which is still active; `None` if there is none to abandon.
        """
        run = entry.run
        if run is None or (self.closed and not self.draining):
            return None
        if not run.stop_requested or not self.abandon(run, now):
            return None
        run.goes_on = True
        return run

    def disable(
        self, entry: Registration, now: Instant, until: float | None = None, *, declares: bool = False
    ) -> bool:
        """Make nothing fall due until it is enabled; ends its retries (R4).

        Args:
            entry: The entry to disable; if it is disabled already, only the end is replaced.
            now: The moment of the command.
            until: When it is enabled again automatically, in epoch seconds (R8); `None` for never.
            declares: True if the program says so, and not a person: it may do that on standby.
        """
        if not self._commandable(entry, declares=declares):
            return False
        if entry.disabled and entry.disabled_until == until:
            return True
        self.declarations.decide(entry, "disabled", "disabled_until")
        if entry.disabled:
            self._set_enable_timer(entry, until, now)
            self._changed(entry, ChangeKind.DISABLED, True, True, now, until)
            return True
        self._count_passed(entry, now)
        self._dequeue(entry)
        entry.disabled = True
        self.disabled_count += 1
        if until is not None:
            self._set_enable_timer(entry, until, now)
        self._changed(entry, ChangeKind.DISABLED, False, True, now, until)
        if entry.retry is not None:
            self._drop_retry(entry, now)
            self._settle_or_remove(entry, now)
        else:
            self._wait(entry, now)
        return True

    def enable(self, entry: Registration, now: Instant, *, declares: bool = False) -> bool:
        """Let it fall due again, on its original grid; counts what was due meanwhile (R5)."""
        if not self._commandable(entry, declares=declares):
            return False
        if entry.disabled:
            self._enable(entry, now, now)
        return True

    def end_disabling(self, now: Instant, *, clock_was_set: bool = False) -> None:
        """Enable what was disabled until a time that has come (R8).

        What was due before that time counts as `disabled`. What was due at that time or since then, if this
        is called late, gives its one late run (T3). A call enables a limited number, so that the lock is not
        held for long: while there are more, `enables_at` has passed, and the loop looks again at once.

        Args:
            now: This moment.
            clock_was_set: True if it has come because the wall clock was set; then all are enabled.
        """
        left = len(self._enable_timers) if clock_was_set else ENABLED_AT_A_TIME
        while left > 0 and (taken := self._enable_timers.pop_due(now.wall)) is not None:
            left -= 1
            timer, until = taken
            entry = timer.entry
            assert entry is not None  # a cancelled timer is in no queue
            if clock_was_set and not entry.follows_wall_clock:
                self._enable(entry, now, now, until)  # by the steady clock, that time has come only now
                continue
            steady = now.steady - (now.wall - until)
            just_before = Instant(until - _INSTANT_SECONDS, steady - _INSTANT_SECONDS)
            self._enable(entry, Instant(until, steady), just_before, until)
        at = self._enable_timers.next_due()
        self.enables_at = inf if at is None else at

    def _enable(
        self, entry: Registration, now: Instant, counted_until: Instant, ended: float | None = None
    ) -> None:
        """Enable a disabled entry.

        Args:
            entry: The entry.
            now: The moment at which it is enabled.
            counted_until: The last moment whose due times count as `disabled`.
            ended: The time until which it was disabled, if that has come.
        """
        self.declarations.decide(entry, "disabled", "disabled_until", *TIMES)
        self._count_passed(entry, counted_until)
        self._dequeue(entry)
        self._set_enable_timer(entry, None, now)
        entry.disabled = False
        self.disabled_count -= 1
        self._changed(entry, ChangeKind.DISABLED, True, False, now, ended)
        blocked_by = self._blocked_by(entry)
        waits_in_line = blocked_by is SkipReason.REPLACED and entry.stays_due
        if blocked_by is None or (waits_in_line and entry.again is None):
            self._settle(entry, SkipReason.MISSED, counted_until)
        else:
            self._wait(entry, counted_until)

    def declare_enabled(self, entry: Registration, enabled: bool, now: Instant) -> bool:
        """Enable or disable it because the program says so, and not a person."""
        declare = self.enable if enabled else self.disable
        if not declare(entry, now, declares=True):
            return False
        if not entry.registered:
            return True  # it is gone, as nothing was to come
        self.declarations.declare_disabled(entry)
        self._touch(entry)
        return True

    def set_period(self, entry: Registration, period: float, now: Instant, *, override: bool = False) -> bool:
        """Change its period (R7); `False` for a schedule that has none."""
        schedule, before = entry.schedule, entry.period
        if before is None or not self._commandable(entry):
            return False
        self._count_passed(entry, now)
        self._dequeue(entry)
        due_times.change_period(entry, period, now, is_blocked=self._blocked_by(entry) is not None)
        self.declarations.change_schedule(entry, schedule, override=override)
        self._changed(entry, ChangeKind.PERIOD, before, period, now)
        if entry.policies.jitter:
            self._limit_jitter(entry, now)
        self._enqueue(entry, now)
        return True

    def due_times_with(
        self, entry: Registration, period: float, count: int, now: Instant
    ) -> list[float] | None:
        """Return its due times after a `set_period`, in epoch seconds; `None` if it does not apply."""
        if entry.period is None or not self._commandable(entry):
            return None
        return due_times.with_period(entry, period, count, now, self._blocked_by(entry))

    def reschedule(
        self, entry: Registration, schedule: Schedule, now: Instant, *, override: bool = False
    ) -> bool:
        """Replace its schedule; the due times count from now."""
        if not self._commandable(entry):
            return False
        self.chains.check(entry.name, schedule)
        limits = entry.policies.limits(schedule)
        anchor, due = due_times.begin(schedule, now, due_at_once=False, limits=limits)
        if due is None and limits is not None and schedule.has_due_times:
            words = schedule_words(schedule)
            raise ValueError(f"schedule must be due before until, and {words} is not from now on")
        self._count_passed(entry, now, for_good=True)
        self._dequeue(entry)
        before = entry.schedule
        self.chains.remove(entry)
        entry.set_schedule(schedule)
        self.chains.add(entry)
        entry.limit_by(_limited(schedule, limits, now))
        entry.anchor, entry.due, entry.last_due, entry.fault = anchor, due, None, None
        self.declarations.change_schedule(entry, before, override=override)
        self._changed(entry, ChangeKind.SCHEDULE, schedule_words(before), schedule_words(schedule), now)
        self._limit_jitter(entry, now)
        if entry.run is None:
            entry.state = self._idle_state(entry)
        self._enqueue(entry, now)
        return True

    def drop_override(self, entry: Registration, now: Instant) -> bool:
        """Return to the declared schedule, if a person put another in its place."""
        if not self._commandable(entry):
            return False
        declared = self.declarations.overridden(entry)
        self.declarations.decide(entry, "override", *TIMES)
        if declared is None:
            self._touch(entry)  # a store may hold an override that cannot be read
            return True
        if isinstance(declared, Every) and declared.is_like(entry.schedule):
            return self.set_period(entry, declared.period, now)
        return self.reschedule(entry, declared, now)

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
            # With `max_runs` the count goes on even so.
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
        entry.limit_by(_limited(override, entry.policies.limits(override), now))
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
            entry.limit_by(_limited(entry.schedule, limits, now, due_at_once=True))
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

    def _commandable(self, entry: Registration, *, declares: bool = False) -> bool:
        return entry.registered and not self.closed and (declares or not self.standby)


def _limited(
    schedule: Schedule, limits: DueLimits | None, now: Instant, *, due_at_once: bool = False
) -> LimitedTimes | None:
    """Return the limited times of a schedule that is given to a task now; `None` if there are no limits.

    Args:
        schedule: The schedule.
        limits: The limits.
        now: This moment. What the schedule has after it counts.
        due_at_once: True if a periodic schedule is due at this moment already.
    """
    if limits is None:
        return None
    if follows_wall_clock(schedule):
        return LimitedTimes(limits, 0.0, now.wall)
    is_due = due_at_once and isinstance(schedule, Every)
    return LimitedTimes(limits, now.offset, now.steady - ROUNDING_SECONDS if is_due else now.steady)
