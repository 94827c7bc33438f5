"""Every state transition of a handle, and nothing else: no lock, no thread, no clock.

Whoever calls holds the scheduler's lock and says what time it is. What has to happen outside the lock —
starting a run, waking one that was asked to stop — is left in `starts` and `stops` for the caller to
take along. The rules R1 to R7, T2, T3 and O4 are here; each method names those it keeps.

A registered entry is in one place: on one of the two agendas (periodic due times and retries by the
steady clock, calendar ones by the wall clock), asleep while it is disabled, running, or on demand. An
entry that was replaced or unregistered while it ran lives on in `running` only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from math import inf
from random import random
from typing import Final

from taskkit.clock import Clock, Instant, NextLook
from taskkit.engine import duetimes
from taskkit.engine.agenda import NO_TICKET, Agenda
from taskkit.engine.bus import EventBus
from taskkit.engine.entry import Again, Entry
from taskkit.engine.history import History
from taskkit.events import (
    RunFinished,
    RunSkipped,
    RunStarted,
    SchedulerPaused,
    SchedulerResumed,
    TaskChanged,
    TaskRegistered,
    TaskUnregistered,
)
from taskkit.policies import Policies
from taskkit.run import (
    NO_PARAMETERS,
    NOTHING_SKIPPED,
    Listener,
    OutcomeKind,
    Run,
    Skip,
    SkipReason,
    Trigger,
)
from taskkit.schedules import OnDemand, Schedule
from taskkit.snapshot import TaskState

CATCH_UP_GRACE: Final = 1.0
"""Seconds; a start later than that has missed its due time, where a task is not to catch up."""

LATENESSES_KEPT: Final = 1_000

_run_numbers = count(1).__next__


class Ledger:
    """Who is registered, who runs, and what falls due when."""

    def __init__(self, clock: Clock, bus: EventBus, listener: Listener) -> None:
        self._clock = clock
        self._bus = bus
        self._listener = listener
        self._numbers = count(1).__next__
        self._steady: Agenda[Entry] = Agenda()
        self._wall: Agenda[Entry] = Agenda()
        self._asleep_steady: Agenda[Entry] = Agenda()
        self._asleep_wall: Agenda[Entry] = Agenda()
        self._deadlines: Agenda[Run] = Agenda()
        self._held: list[Entry] = []  # one-shots that fell due while everything was paused
        self.entries: dict[str, Entry] = {}
        """The registered ones by name."""
        self.running: dict[str, Entry] = {}
        """Those with a run, or a run that waits for a thread, by name; also those registered no more."""
        self.paused = False
        self.closed = False
        self.disabled_count = 0
        self.failing_count = 0
        self.starts: list[Run] = []
        """Runs to be handed to the executor."""
        self.stops: list[Run] = []
        """Runs to be told that they were asked to stop."""
        self.soonest = inf
        """The earliest instant, by the steady clock, that was put on an agenda since somebody set this."""
        self.latenesses: deque[float] = deque(maxlen=LATENESSES_KEPT)
        """Of the last runs that a schedule started, in seconds."""
        self.watchers: list[Callable[[Entry], None]] = []
        """Called with each entry that changed."""

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

    def _release(self, entry: Entry, why: str, now: Instant) -> None:
        self._take_off(entry)
        if self.entries.get(entry.name) is entry:
            del self.entries[entry.name]
        entry.registered = False
        entry.again = entry.retry = None
        self.disabled_count -= entry.disabled
        self.failing_count -= entry.failing
        if self._bus.wanted:
            self._bus.post(TaskUnregistered(now.wall, entry.name, why))
        if entry.run is None:
            entry.state = TaskState.GONE
        elif entry.run.started is None:
            self._cancel(entry.run, now)
        self._touch(entry)

    # Commands

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

    def ask_to_stop(self, run: Run, now: Instant, *, timed_out: bool = False) -> None:
        """Raise its stop flag, and leave it in `stops` to be told."""
        asked_before = run.stop_requested
        run.request_stop(now.wall, timed_out=timed_out)
        self.stops.append(run)
        if not asked_before:
            self._changed(self.running[run.name], "stopping", False, True, now)

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
        last_due = entry.last_due
        self._tell_passed(entry, now)
        if entry.run is not None and entry.run.trigger is Trigger.SCHEDULE:
            entry.last_due = last_due  # that of the run, whatever has passed since
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

    # Time

    def take_due(self, now: Instant, most: int) -> int:
        """Leave in `starts` what has fallen due, `most` runs at most; returns how many (T2, T3)."""
        before = len(self.starts)
        if not self.paused and not self.closed:
            for agenda, time in ((self._steady, now.steady), (self._wall, now.wall)):
                while len(self.starts) - before < most and (taken := agenda.pop_due(time)) is not None:
                    self._fall_due(*taken, now)
        return len(self.starts) - before

    def take_overdue(self, now: Instant) -> None:
        """Ask the runs to stop whose time is over."""
        while (taken := self._deadlines.pop_due(now.steady)) is not None:
            self.ask_to_stop(taken[0], now, timed_out=True)

    def next_look(self, now: Instant) -> NextLook:
        """When to call `take_due` and `take_overdue` again."""
        at = self._deadlines.next_due()
        if self.paused or self.closed:
            return NextLook(at, watches_wall_clock=False)
        steady = self._steady.next_due()
        if steady is not None and (at is None or steady < at):
            at = steady
        wall = self._wall.next_due()
        if wall is not None and (at is None or wall - now.offset < at):
            at = wall - now.offset
        return NextLook(at, watches_wall_clock=wall is not None)

    def next_time(self, now: Instant) -> float | None:
        """When the next run is due, in epoch seconds."""
        if self.paused or self.closed:
            return None
        steady, wall = self._steady.next_due(), self._wall.next_due()
        if steady is None:
            return wall
        return steady + now.offset if wall is None else min(steady + now.offset, wall)

    def settle_sleepers(self, now: Instant) -> None:
        """Count what fell due for those who are disabled or paused. Costs nothing where nothing did.

        They are left alone between two looks, so that a disabled task wakes nobody.
        """
        places = [(self._asleep_steady, now.steady), (self._asleep_wall, now.wall)]
        if self.paused:
            places += [(self._steady, now.steady), (self._wall, now.wall)]
        for agenda, time in places:
            while (taken := agenda.pop_due(time)) is not None:
                entry = taken[0]
                if entry.retry is None and entry.schedule.repeats:
                    self._tell_passed(entry, now)
                    self._put(entry, now)
                else:  # retries and one-shots wait for the resume
                    self._held.append(entry)

    # Runs

    def begin(self, run: Run, now: Instant) -> bool:
        """A thread has come for the run. `False`: it was stopped while it waited for one."""
        entry = self.running.get(run.name)
        if entry is None or entry.run is not run:
            return False
        run.begin(now)
        if run.trigger is Trigger.SCHEDULE:
            self.latenesses.append(run.lateness)
        timeout = entry.policies.timeout
        if timeout is not None:
            self._deadlines.put(run, now.steady + timeout)
            self.soonest = min(self.soonest, now.steady + timeout)
        if self._bus.wanted:
            self._bus.post(RunStarted(now.wall, run.name, run.number, run.trigger, run.due, run.attempt))
        if self.watchers:
            self._touch(entry)
        return True

    def finish(self, run: Run, now: Instant) -> bool:
        """The run ended, as its `kind` says (T2, R2, R6, R7). `False`: it had been given up before."""
        entry = self.running.get(run.name)
        if entry is None or entry.run is not run:
            return False
        del self.running[run.name]
        self._deadlines.discard(run)
        run.end(now)
        entry.run = None
        self._remember(entry, run)
        if self._bus.wanted:
            self._bus.post(RunFinished(now.wall, run.name, run.number, run.outcome()))
        if not entry.registered:
            entry.state = TaskState.GONE
        else:
            self._go_on(entry, run, now)
        if (successor := self.entries.get(run.name)) is not None and successor is not entry:
            self._after_predecessor(successor, now)
        if self.watchers:
            self._touch(entry)
        return True

    def progressed(self, run: Run) -> None:
        """A run said how far it has come."""
        if self.watchers and (entry := self.running.get(run.name)) is not None:
            self._touch(entry)

    def all_entries(self) -> list[Entry]:
        """The registered ones, and those that only their run keeps."""
        return [*self.entries.values(), *(each for each in self.running.values() if not each.registered)]

    def close(self, now: Instant) -> tuple[list[Run], int]:
        """Start nothing any more, drop the runs that wait for a thread, and ask the others to stop.

        Returns:
            The runs that go on, and how many were dropped.
        """
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

    def abandon(self, run: Run, now: Instant) -> bool:
        """Give a run up that did not end in time. `False`: it just did."""
        entry = self.running.get(run.name)
        if entry is None or entry.run is not run:
            return False
        run.kind = OutcomeKind.ABANDONED
        self.finish(run, now)
        run.outcome()  # made now, as the task goes on and may still write or raise
        return True

    # How it is done

    def _start_by_hand(
        self, entry: Entry, trigger: Trigger, parameters: Mapping[str, object], now: Instant
    ) -> None:
        if self._waits_for_predecessor(entry):
            self._queue_again(entry, trigger, parameters, now)
        else:
            self._tell_passed(entry, now)
            self._take_off(entry)
            entry.retry = None
            self._start(entry, trigger, now.wall, now.steady, parameters, 1)

    def _start(
        self,
        entry: Entry,
        trigger: Trigger,
        due: float,
        due_steady: float,
        parameters: Mapping[str, object],
        attempt: int,
    ) -> None:
        assert entry.handle is not None
        run = Run(
            entry.name,
            entry.handle,
            _run_numbers(),
            trigger,
            due,
            due_steady,
            attempt,
            parameters,
            entry.skipped or NOTHING_SKIPPED,
            self._clock,
            self._listener,
        )
        entry.run = run
        entry.skipped = None
        entry.state = TaskState.RUNNING
        if attempt == 1:
            entry.run_count += 1
        self.running[entry.name] = entry
        self.starts.append(run)
        if self.watchers:
            self._touch(entry)

    def _fall_due(self, entry: Entry, at: float, now: Instant) -> None:
        if entry.retry is not None:
            attempt, at = entry.retry
            entry.retry = None
            self._start(entry, Trigger.RETRY, at + now.offset, at, NO_PARAMETERS, attempt)
            return
        time = entry.clock_time(now)
        if self._waits_for_predecessor(entry):
            if entry.schedule.repeats:
                self._pass_over(entry, SkipReason.REPLACED, now)
                self._put(entry, now)
            return  # a one-shot is not lost: it starts when the run before it ends
        if not entry.policies.catch_up and time - at > CATCH_UP_GRACE:
            self._skip(entry, SkipReason.MISSED, time - CATCH_UP_GRACE, now)
            if entry.due is None or entry.due > time:
                self._rest(entry, now)
                return
            at = entry.due  # this one is not late
        due = duetimes.take_due(entry)
        self._pass_over(entry, SkipReason.MISSED, now)
        steady = at - now.offset if entry.schedule.follows_wall_clock else at
        self._start(entry, Trigger.SCHEDULE, entry.to_wall(due, now), steady, NO_PARAMETERS, 1)

    def _go_on(self, entry: Entry, run: Run, now: Instant) -> None:
        """What becomes of a registered entry whose run has ended."""
        policies = entry.policies
        failed = run.kind is OutcomeKind.FAILED or run.kind is OutcomeKind.TIMED_OUT
        may_retry = failed and run.attempt <= policies.retries and not entry.disabled and not self.closed
        if may_retry and entry.again is None:
            entry.retry = (run.attempt + 1, now.steady + policies.delay_before(run.attempt + 1))
            entry.state = self._idle_state(entry)
            self._put(entry, now)
        elif (again := entry.again) is not None and not self.closed and not entry.had_all_runs:
            entry.again = None
            self._pass_over(entry, SkipReason.OVERLAP, now)
            self._start(entry, again.trigger, now.wall, now.steady, again.parameters, 1)
        else:
            entry.state = self._idle_state(entry)
            self._rest(entry, now)

    def _rest(self, entry: Entry, now: Instant) -> None:
        """Let it be gone if it had all its runs; else wait for what comes next."""
        if entry.had_all_runs or (isinstance(entry.schedule, OnDemand) and not entry.policies.keep):
            self._be_gone(entry, now)
        else:
            self._settle(entry, SkipReason.OVERLAP, now)

    def _settle(self, entry: Entry, reason: SkipReason, now: Instant) -> None:
        """Count what passed, and wait for what comes next; with nothing to come, be gone."""
        self._pass_over(entry, reason, now)
        if entry.due is None and not isinstance(entry.schedule, OnDemand):
            self._be_gone(entry, now)
        else:
            self._put(entry, now)
            self._touch(entry)

    def _after_predecessor(self, entry: Entry, now: Instant) -> None:
        self._take_off(entry)
        if entry.schedule.repeats:
            self._pass_over(entry, SkipReason.DISABLED if entry.disabled else SkipReason.REPLACED, now)
        if (again := entry.again) is not None and not self.closed:
            entry.again = None
            self._start_by_hand(entry, again.trigger, again.parameters, now)
        else:
            self._put(entry, now)
        self._touch(entry)

    def _be_gone(self, entry: Entry, now: Instant) -> None:
        self._release(entry, "done", now)

    def _cancel(self, run: Run, now: Instant) -> None:
        """End a run that waits for a thread."""
        run.kind = OutcomeKind.STOPPED
        self.finish(run, now)

    def _remember(self, entry: Entry, run: Run) -> None:
        if entry.history is None:
            entry.history = History()
        entry.history.add_run(run)
        was_failing = entry.failing
        entry.last_kind = run.kind
        if entry.registered:
            self.failing_count += entry.failing - was_failing

    def _tell_passed(self, entry: Entry, now: Instant, *, for_good: bool = False) -> None:
        """Count what has passed unseen, before the reason for it changes (O4).

        Args:
            entry: What is about to be commanded.
            now: The moment of the command.
            for_good: Whether its due times are given up, also one that was about to be made up for.
        """
        hindrance = self._hindrance(entry)
        if for_good and entry.due is not None:
            kept = not entry.schedule.repeats and (entry.disabled or self.paused)
            reason = SkipReason.MISSED if kept or hindrance is None else hindrance
            self._skip(entry, reason, entry.clock_time(now), now)
        elif hindrance is not None:
            self._pass_over(entry, hindrance, now)

    def _pass_over(self, entry: Entry, reason: SkipReason, now: Instant) -> None:
        """Count the due times up to now as skipped; a one-shot that cannot start now is kept, visibly."""
        if entry.due is None or entry.due > (time := entry.clock_time(now)):
            return
        if entry.schedule.repeats or not (entry.disabled or self.paused):
            self._skip(entry, reason, time, now)

    def _skip(self, entry: Entry, reason: SkipReason, until: float, now: Instant) -> None:
        """Count the due times up to `until` as skipped, and tell of them (O4)."""
        skip = duetimes.pass_over(entry, until, reason, now)
        if skip is not None:
            self._tell_skip(entry, skip, now)

    def _tell_skip(self, entry: Entry, skip: Skip, now: Instant) -> None:
        if entry.history is None:
            entry.history = History()
        entry.history.add_skip(skip)
        if entry.skipped is None:
            entry.skipped = {}
        entry.skipped[skip.reason] = entry.skipped.get(skip.reason, 0) + skip.count
        if self._bus.wanted:
            told = RunSkipped(now.wall, entry.name, skip.reason, skip.count, skip.first_due, skip.last_due)
            self._bus.post(told)
        self._touch(entry)

    def _queue_again(
        self, entry: Entry, trigger: Trigger, parameters: Mapping[str, object], now: Instant
    ) -> None:
        asked_before = entry.again is not None
        entry.again = Again(trigger, parameters)
        if not asked_before:
            self._changed(entry, "again", False, True, now)

    def _commandable(self, entry: Entry) -> bool:
        return entry.registered and not self.closed

    def _waits_for_predecessor(self, entry: Entry) -> bool:
        return self.running.get(entry.name, entry) is not entry

    def _idle_state(self, entry: Entry) -> TaskState:
        return TaskState.ON_DEMAND if isinstance(entry.schedule, OnDemand) else TaskState.SCHEDULED

    def _hindrance(self, entry: Entry) -> SkipReason | None:
        """What keeps it from being started at a due time, if anything does."""
        if entry.run is not None or entry.retry is not None:
            return SkipReason.OVERLAP
        if entry.disabled:
            return SkipReason.DISABLED
        if self._waits_for_predecessor(entry):
            return SkipReason.REPLACED
        return SkipReason.PAUSED if self.paused else None

    def _agenda_of(self, entry: Entry) -> Agenda[Entry]:
        if entry.schedule.follows_wall_clock and entry.retry is None:
            return self._asleep_wall if entry.disabled else self._wall
        return self._asleep_steady if entry.disabled else self._steady

    def _put(self, entry: Entry, now: Instant) -> None:
        """Wait for the next try or due time, if there is one and nothing runs."""
        if entry.run is not None or not entry.registered:
            return
        if entry.retry is not None:
            self._steady.put(entry, entry.retry[1])
            self.soonest = min(self.soonest, entry.retry[1])
        elif entry.due is not None and (entry.schedule.repeats or not entry.disabled):
            jitter = entry.policies.jitter
            at = entry.due + random() * jitter if jitter else entry.due
            self._agenda_of(entry).put(entry, at)
            if not entry.disabled:
                if entry.schedule.follows_wall_clock:
                    at -= now.offset
                if at < self.soonest:
                    self.soonest = at

    def _take_off(self, entry: Entry) -> None:
        if entry.ticket != NO_TICKET:
            self._agenda_of(entry).discard(entry)

    def _changed(
        self,
        entry: Entry,
        what: str,
        before: str | float | bool | None,
        after: str | float | bool | None,
        now: Instant,
    ) -> None:
        if self._bus.wanted:
            self._bus.post(TaskChanged(now.wall, entry.name, what, before, after))
        self._touch(entry)

    def _touch(self, entry: Entry) -> None:
        for watcher in self.watchers:
            watcher(entry)
