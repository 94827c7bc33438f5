"""The life of a run, from the due time or the hand that starts it to what becomes of its task afterwards.

It decides T2, T3, R1, R2 and R6, and how retries and the number of runs are kept (section 6). It is the
middle layer of `Ledger`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import count
from math import inf
from typing import Final

from taskkit.clock import Clock, Instant
from taskkit.engine import duetimes
from taskkit.engine.bus import EventBus
from taskkit.engine.entry import Again, Entry, Retry
from taskkit.engine.time_ledger import TimeLedger
from taskkit.events import RunFinished, RunStarted, TaskUnregistered
from taskkit.outcome import NOTHING_SKIPPED, OutcomeKind, SkipReason, Trigger
from taskkit.run import NO_PARAMETERS, Listener, Run
from taskkit.schedules import OnDemand
from taskkit.snapshot import TaskState

CATCH_UP_GRACE: Final = 1.0
"""Seconds; a start later than that, or than a shorter period, has missed its due time, where a task is not
to catch up."""

LATENESSES_KEPT: Final = 1_000

_run_numbers = count(1).__next__


class RunLedger(TimeLedger):
    """Who runs, and what follows when a run ends."""

    def __init__(self, clock: Clock, bus: EventBus, listener: Listener) -> None:
        super().__init__(bus)
        self._clock = clock
        self._listener = listener
        self.disabled_count = 0
        self.failing_count = 0
        self.starts: list[Run] = []
        """Runs to be handed to the executor."""
        self.stops: list[Run] = []
        """Runs to be told that they were asked to stop."""
        self.latenesses: deque[float] = deque(maxlen=LATENESSES_KEPT)
        """Of the last runs that a schedule started, in seconds."""
        self.started_at = -inf
        """Epoch seconds. What fell due before waited for the program, which says nothing of the scheduler."""
        self.lacks_threads = False
        """Whether the system gives no threads for the runs that wait for one."""

    # What the loop and the threads report

    def take_due(self, now: Instant, most: int) -> int:
        """Leave in `starts` what has fallen due, `most` runs at most; returns how many (T2, T3)."""
        before = len(self.starts)
        if not self.paused and not self.closed:
            for agenda, time in ((self._steady, now.steady), (self._wall, now.wall)):
                while len(self.starts) - before < most and (taken := agenda.pop_due(time)) is not None:
                    self._fall_due(*taken, now)
        return len(self.starts) - before

    def settle_sleepers(self, now: Instant) -> None:
        """Count what fell due for those who are disabled or paused. Costs nothing where nothing did.

        They are left alone between two looks, so that a disabled task wakes nobody.
        """
        if self.closed:
            return
        places = [(self._asleep_steady, now.steady), (self._asleep_wall, now.wall)]
        if self.paused:
            places += [(self._steady, now.steady), (self._wall, now.wall)]
        for agenda, time in places:
            while (taken := agenda.pop_due(time)) is not None:
                entry = taken[0]
                if entry.retry is None and entry.schedule.repeats:
                    self._tell_passed(entry, now)
                    self._wait(entry, now)
                else:  # retries and one-shots wait for the resume
                    self._held.append(entry)

    def take_overdue(self, now: Instant) -> None:
        """Ask the runs to stop whose time is over."""
        while (taken := self._deadlines.pop_due(now.steady)) is not None:
            self.ask_to_stop(taken[0], now, timed_out=True)

    def begin(self, run: Run, now: Instant) -> bool:
        """A thread has come for the run. `False`: it was stopped while it waited for one."""
        entry = self.running.get(run.name)
        if entry is None or entry.run is not run:
            return False
        run.begin(now)
        if run.trigger is Trigger.SCHEDULE and run.due >= self.started_at:
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

    def ask_to_stop(self, run: Run, now: Instant, *, timed_out: bool = False) -> None:
        """Raise its stop flag, and leave it in `stops` to be told."""
        asked_before = run.stop_requested
        run.request_stop(now.wall, timed_out=timed_out)
        self.stops.append(run)
        if not asked_before:
            self._changed(self.running[run.name], "stopping", False, True, now)

    def abandon(self, run: Run, now: Instant) -> bool:
        """Give a run up that did not end in time. `False`: it just did."""
        entry = self.running.get(run.name)
        if entry is None or entry.run is not run:
            return False
        run.kind = OutcomeKind.ABANDONED
        self.finish(run, now)
        run.outcome()  # made now, as the task goes on and may still write or raise
        return True

    # Beginning

    def _fall_due(self, entry: Entry, at: float, now: Instant) -> None:
        if entry.retry is not None:
            retry, entry.retry = entry.retry, None
            self._start(
                entry, Trigger.RETRY, now.in_epoch(retry.at), retry.at, retry.parameters, retry.attempt
            )
            return
        time = entry.clock_time(now)
        if self._waits_for_predecessor(entry):
            if entry.schedule.repeats:
                self._pass_over(entry, SkipReason.REPLACED, now)
                self._wait(entry, now)
            return  # a one-shot is not lost: it starts when the run before it ends
        if not entry.policies.catch_up and time - at > (grace := _grace(entry)):
            self._skip(entry, SkipReason.MISSED, time - grace, now)
            if entry.due is None or entry.due > time:
                self._rest(entry, now)
                return
            at = entry.due  # this one is not late
        due = duetimes.take_due(entry)
        self._tell_fault(entry)
        self._pass_over(entry, SkipReason.MISSED, now)
        if entry.due is not None and entry.due < self._coming and not entry.follows_wall_clock:
            self._coming = entry.due
        steady = at - now.offset if entry.follows_wall_clock else at
        self._start(entry, Trigger.SCHEDULE, entry.to_wall(due, now), steady, NO_PARAMETERS, 1)

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
            NOTHING_SKIPPED if entry.history is None else entry.history.take_skipped(),
            self._clock,
            self._listener,
        )
        entry.run = run
        entry.state = TaskState.RUNNING
        if attempt == 1:
            entry.run_count += 1
        self.running[entry.name] = entry
        self.starts.append(run)
        if self.watchers:
            self._touch(entry)

    # Afterwards

    def _go_on(self, entry: Entry, run: Run, now: Instant) -> None:
        """What becomes of a registered entry whose run has ended."""
        policies = entry.policies
        failed = run.kind is OutcomeKind.FAILED or run.kind is OutcomeKind.TIMED_OUT
        may_retry = failed and run.attempt <= policies.retries and not entry.disabled and not self.closed
        if may_retry and entry.again is None:
            attempt = run.attempt + 1
            entry.retry = Retry(attempt, now.steady + policies.delay_before(attempt), run.given)
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
        """Count what passed, and wait for what comes next."""
        self._pass_over(entry, reason, now)
        self._wait(entry, now)

    def _wait(self, entry: Entry, now: Instant) -> None:
        """Wait for what comes next, or for the run that goes on to end; with nothing to come, be gone."""
        if entry.run is None and self._has_nothing_to_come(entry):
            self._be_gone(entry, now)
        else:
            self._put(entry, now)
            self._touch(entry)

    def _has_nothing_to_come(self, entry: Entry) -> bool:
        if entry.due is not None or entry.retry is not None or entry.again is not None:
            return False
        return entry.fault is None and not isinstance(entry.schedule, OnDemand)

    def _after_predecessor(self, entry: Entry, now: Instant) -> None:
        self._take_off(entry)
        if entry.schedule.repeats:
            self._pass_over(entry, SkipReason.DISABLED if entry.disabled else SkipReason.REPLACED, now)
        if (again := entry.again) is not None and not self.closed:
            entry.again = None
            self._start_by_hand(entry, again.trigger, again.parameters, now)
        else:
            self._wait(entry, now)

    def _queue_again(
        self, entry: Entry, trigger: Trigger, parameters: Mapping[str, object], now: Instant
    ) -> None:
        asked_before = entry.again is not None
        entry.again = Again(trigger, parameters)
        if not asked_before:
            self._changed(entry, "again", False, True, now)

    def _remember(self, entry: Entry, run: Run) -> None:
        past = entry.past()
        was_failing = past.failing_since is not None
        past.add_run(run)
        if entry.registered:
            self.failing_count += (past.failing_since is not None) - was_failing

    # Being gone

    def _release(self, entry: Entry, why: str, now: Instant) -> None:
        self._take_off(entry)
        if self.entries.get(entry.name) is entry:
            del self.entries[entry.name]
        entry.registered = False
        entry.again = entry.retry = None
        self.declarations.forget(entry)
        self.disabled_count -= entry.disabled
        self.failing_count -= entry.failing
        if self._bus.wanted:
            self._bus.post(TaskUnregistered(now.wall, entry.name, why, entry.run_count))
        if entry.run is None:
            entry.state = TaskState.GONE
        elif entry.run.started is None:
            self._cancel(entry.run, now)
        self._touch(entry)

    def _be_gone(self, entry: Entry, now: Instant) -> None:
        self.declarations.note_done(entry, now)
        self._release(entry, "done", now)

    def _cancel(self, run: Run, now: Instant) -> None:
        """End a run that waits for a thread."""
        run.kind = OutcomeKind.STOPPED
        self.finish(run, now)

    def _idle_state(self, entry: Entry) -> TaskState:
        return TaskState.ON_DEMAND if isinstance(entry.schedule, OnDemand) else TaskState.SCHEDULED


def _grace(entry: Entry) -> float:
    """Seconds by which it may start late although it is not to catch up."""
    return CATCH_UP_GRACE if entry.period is None else min(CATCH_UP_GRACE, entry.period)
