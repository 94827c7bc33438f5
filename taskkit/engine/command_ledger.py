"""The commands for one task: run it, stop it, disable and enable it, change its schedule.

It decides R3, R4, R5, R7 and R8, and is the layer of `Ledger` above the life of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Final

from taskkit.clock import Instant
from taskkit.engine import due_times
from taskkit.engine.declarations import TIMES
from taskkit.engine.limited_times import times_within
from taskkit.engine.registration import Registration
from taskkit.engine.run_ledger import RunLedger
from taskkit.events import ChangeKind
from taskkit.outcome import SkipReason, Trigger
from taskkit.run import NO_PARAMETERS, Run
from taskkit.schedules import Every, Schedule
from taskkit.schedules.queries import schedule_words

ENABLED_AT_A_TIME: Final = 256
"""The most tasks that are enabled automatically between two releases of the lock."""

_INSTANT_SECONDS: Final = 1e-6
"""The precision of due times: one that is earlier than the end of a disabling by this much is before it."""


class CommandLedger(RunLedger):
    """The commands for one task. Each answers whether the state is now as asked."""

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
        entry.limit_by(times_within(schedule, limits, now))
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

    def _commandable(self, entry: Registration, *, declares: bool = False) -> bool:
        return entry.registered and not self.closed and (declares or not self.standby)
