"""The life of a run, from its due time or a command to the next state of its task.

It decides T2, T3, R1, R2 and R6, and how retries and `max_runs` count (section 6). It is the layer of
`Ledger` between the chains of tasks and the commands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import count
from math import inf, nextafter
from typing import Final

from taskkit.clock import Clock, Instant
from taskkit.engine import due_times
from taskkit.engine.chain_ledger import ChainLedger
from taskkit.engine.enum_members import MISSED, OVERLAP, RUNNING, SCHEDULE, SCHEDULED, SKIP
from taskkit.engine.event_bus import EventBus
from taskkit.engine.output_budget import OutputBudget
from taskkit.engine.registration import QUEUED, Again, Deadline, Registration, Retry
from taskkit.engine.timers import NO_TICKET
from taskkit.events import (
    ChangeKind,
    OutputWritten,
    RunFinished,
    RunStarted,
    TaskUnregistered,
    UnregisterReason,
)
from taskkit.executor import Body, BodyListener
from taskkit.outcome import FAILURES, NOTHING_SKIPPED, RETRIED, OutcomeKind, SkipReason, Trigger
from taskkit.output import RunOutput
from taskkit.policies import Overlap
from taskkit.run import NO_PARAMETERS, Run, RunListener
from taskkit.schedules import OnDemand
from taskkit.snapshot import TaskState

MOST_DONE: Final = 1_000
"""Tasks that are done and can still be asked why they do not run."""

MOST_LATENESSES: Final = 1_000

_run_numbers = count(1).__next__


class RunLedger(ChainLedger):
    """The runs, and what follows when one ends."""

    def __init__(self, clock: Clock, bus: EventBus, listener: RunListener, bodies: BodyListener) -> None:
        super().__init__(bus)
        self._clock = clock
        self._listener = listener
        self._bodies = bodies
        self._outputs = OutputBudget()
        self._deadline_of: dict[Run, Deadline] = {}  # of the present runs that have a timeout
        self.disabled_count = 0
        self.failing_count = 0
        self.starts: list[Run] = []
        """Runs to hand to their executors."""
        self.stops: list[Run] = []
        """Runs to notify that they were asked to stop."""
        self.latenesses: deque[float] = deque(maxlen=MOST_LATENESSES)
        """Latenesses of the last runs that a schedule started, in seconds."""
        self.started_at = -inf
        """Epoch seconds. Due times before that waited for the program, and say nothing about lateness."""
        self.lacks_threads = False
        """True while the system refuses threads for waiting runs."""
        self.abandoned: dict[Run, None] = {}
        """Abandoned runs that are still active, oldest first. Their names are free, their threads are not."""
        self.loop_fault: BaseException | None = None
        """The reason why the loop starts nothing at present, if it has failed."""

    # Reports of the loop and the threads

    def take_due(self, now: Instant, most: int) -> int:
        """Put into `starts` what has fallen due, `most` runs at most. Return how many (T2, T3)."""
        before = len(self.starts)
        if not self.paused and not self.closed and not self.standby:
            self._report_openings(now)
            for queue, time in ((self._steady, now.steady), (self._wall, now.wall)):
                while len(self.starts) - before < most and (taken := queue.pop_due(time)) is not None:
                    entry, at = taken
                    try:
                        self._start_due(entry, at, now)
                    except BaseException as error:  # noqa: BLE001 - a user's schedule; the others go on
                        if entry.run is None:
                            entry.due, entry.fault = None, error
                            self._log_fault(entry)
        return len(self.starts) - before

    def _report_openings(self, now: Instant) -> None:
        """Count what fell outside the windows that have opened."""
        while (taken := self._openings.pop_due(now.wall)) is not None:
            limited = taken[0]
            assert limited.entry is not None
            if limited.entry.registered:
                self._count_outside(limited.entry, now)
                self._await_opening(limited, now)
                if limited.entry.ended is not None and limited.entry.run is None:
                    self._wait(limited.entry, now)

    def settle_sleepers(self, now: Instant) -> None:
        """Count what fell due for disabled or paused tasks. Costs nothing if nothing did.

        Nothing wakes up for them between two looks, so that a disabled task costs no thread its sleep.
        """
        if self.closed or self.standby:
            return
        places = [(self._asleep_steady, now.steady), (self._asleep_wall, now.wall)]
        if self.paused:
            places += [(self._steady, now.steady), (self._wall, now.wall)]
        for queue, time in places:
            while (taken := queue.pop_due(time)) is not None:
                entry = taken[0]
                if entry.disabled_until is not None and entry.disabled_until <= now.wall:
                    continue  # it is about to be enabled, and queued again; what is due since then is to run
                if entry.retry is None and not entry.stays_due:
                    self._count_passed(entry, now)
                    self._wait(entry, now)
                else:  # retries and one-shots wait for the resume
                    self._held.append(entry)

    def take_overdue(self, now: Instant) -> None:
        """Ask the runs to stop whose timeout is over."""
        while (taken := self._deadlines.pop_due(now.steady)) is not None:
            run = taken[0].run
            assert run is not None  # the deadline of a run that has ended was discarded
            self.ask_to_stop(run, now, timed_out=True)

    def begin(self, run: Run, now: Instant) -> bool:
        """Note that a thread begins the run. `False` if it was stopped while it waited for one."""
        entry = self.running.get(run.name)
        if entry is None or entry.run is not run:
            return False
        run.begin(now)
        if run.attempt == 1:
            entry.run_count += 1
        if run.trigger is SCHEDULE:
            if entry.ended:
                entry.ended.clear()  # it sees what they have done up to now
            if run.due >= self.started_at:
                self.latenesses.append(run.lateness)
                totals = entry.past().totals
                totals.scheduled += 1
                totals.lateness += run.lateness
        timeout = entry.policies.timeout
        if timeout is not None:
            deadline = self._deadline_of[run] = Deadline(run)
            self._deadlines.put(deadline, now.steady + timeout)
            self.soonest = min(self.soonest, now.steady + timeout)
        if RunStarted in self._bus.wanted:
            self._bus.post(RunStarted(now.wall, run.name, run.number, run.trigger, run.due, run.attempt))
        if self.watchers:
            self._touch(entry)
        return True

    def finish(self, run: Run, now: Instant) -> bool:
        """Note the end of a run, as its `kind` says (T2, R2, R6, R7). `False` if it was abandoned before."""
        entry = self.running.get(run.name)
        if entry is None or entry.run is not run:
            self._forget_abandoned(run)
            return False
        del self.running[run.name]
        if self._deadline_of and (deadline := self._deadline_of.pop(run, None)) is not None:
            self._deadlines.discard(deadline)
            deadline.run = None
        run.end(now)
        if entry.ticket != NO_TICKET:
            self._dequeue(entry)
        entry.run = None
        if entry.counts_from_end:
            due_times.count_from_end(entry, now)
        past = run.without_parameters()
        recovered = self._remember(entry, past)
        if RunFinished in self._bus.wanted:
            self._bus.post(RunFinished(now.wall, run.name, run.number, past.outcome(), recovered))
        if self.failure_watchers and past.kind in FAILURES:
            for watcher in self.failure_watchers:
                watcher(RunFinished(now.wall, run.name, run.number, past.outcome()))
        if run.output is not None:
            self._keep_output(entry, past, run.output)
        if not entry.registered:
            entry.state = TaskState.GONE
        else:
            self._settle_after(entry, run, now)
        if (successor := self.entries.get(run.name)) is not None and successor is not entry:
            self._after_predecessor(successor, now)
        # A run that `close` has dropped is still to come.
        if self.chains.followers_of and entry.retry is None and (run.started is not None or not self.closed):
            for restarted in self._note_end(run.name, past.kind, now):
                self.ask_to_stop(restarted, now)
        if self.watchers:
            self._touch(entry)
        return True

    def progressed(self, run: Run) -> None:
        """Note that a run made progress."""
        if self.watchers and (entry := self.running.get(run.name)) is not None:
            self._touch(entry)

    def ask_to_stop(self, run: Run, now: Instant, *, timed_out: bool = False) -> None:
        """Raise its stop flag, and put it into `stops`."""
        asked_before = run.stop_requested
        run.request_stop(now.wall, timed_out=timed_out)
        self.stops.append(run)
        if not asked_before:
            self._changed(self.running[run.name], ChangeKind.STOPPING, False, True, now)

    def abandon(self, run: Run, now: Instant) -> bool:
        """Abandon a run that did not end in time. `False` if it has just ended."""
        entry = self.running.get(run.name)
        if entry is None or entry.run is not run:
            return False
        run.kind = OutcomeKind.ABANDONED
        run.end(now)
        run.outcome()  # made now, because the task continues and may still write or raise
        self.abandoned[run] = None
        self.finish(run, now)
        return True

    def _forget_abandoned(self, run: Run) -> None:
        """Note that an abandoned run has ended after all."""
        if run in self.abandoned:
            del self.abandoned[run]
            if (entry := self.entries.get(run.name)) is not None:
                self._touch(entry)

    def abandoned_of(self, name: str) -> list[Run]:
        """Return the abandoned runs of a task that have not ended yet, oldest first."""
        return [run for run in self.abandoned if run.name == name] if self.abandoned else []

    # Starting

    def _start_due(self, entry: Registration, at: float, now: Instant) -> None:
        if entry.run is not None:
            self._note_overlap(entry, entry.run, now)
            return
        if entry.retry is not None:
            retry, entry.retry = entry.retry, None
            if entry.policies.overlap is Overlap.RESTART and self._runs_queued(entry, now):
                return
            due = now.in_epoch(retry.at)
            self._start(entry, Trigger.RETRY, due, retry.at, retry.parameters, retry.attempt, now)
            return
        if self._waits_for_predecessor(entry):
            if not entry.stays_due:
                self._skip_passed(entry, SkipReason.REPLACED, now)
                self._wait(entry, now)
            return  # a one-shot is not lost: it starts when the run before it ends
        if entry.policies.catch_up is not True:
            time, grace = entry.clock_time(now), entry.policies.latest_start(entry.period)
            if time - at > grace:
                self._skip(entry, SkipReason.MISSED, nextafter(time - grace, -inf), now, late=True)
                if entry.due is None or entry.due > time:
                    self._settle_or_remove(entry, now)
                    return
                at = entry.due  # this one is not late
        if entry.limited is not None and not entry.limited.may_start(now):  # late, and the window has closed
            self._skip(entry, SkipReason.MISSED, entry.clock_time(now), now, late=True)
            self._settle_or_remove(entry, now)
            return
        self._start_scheduled(entry, at, MISSED, now)

    def _start_scheduled(self, entry: Registration, at: float, reason: SkipReason, now: Instant) -> None:
        """Start the run of its due time, and count what has passed after that.

        Args:
            entry: An entry that is due.
            at: When the run was to start, by the clock of its schedule: the due time, or later with jitter.
            reason: The reason for which the other due times have passed.
            now: The present moment.
        """
        if entry.limited is not None:
            self._count_outside(entry, now)
        due = due_times.take_due(entry)
        if entry.due is None:
            self._log_fault(entry)
        else:
            self._skip_passed(entry, reason, now)
        if entry.due is not None and entry.due < self._coming and not entry.follows_wall_clock:
            self._coming = entry.due
        steady = at - now.offset if entry.follows_wall_clock else at
        self._start(entry, SCHEDULE, entry.to_wall(due, now), steady, NO_PARAMETERS, 1, now)

    def _note_overlap(self, entry: Registration, run: Run, now: Instant) -> None:
        """Do what `overlap` says, as a due time has come during a run."""
        restarts = entry.policies.overlap is Overlap.RESTART
        if restarts and run.started is None:
            # A run that waits for a thread is as new as one could be. Stopped, it would wait all over again.
            self._skip_passed(entry, SkipReason.OVERLAP, now)
            self._enqueue(entry, now)
            return
        if entry.again is None:
            entry.again = QUEUED
            self._touch(entry)
        if restarts:
            self.ask_to_stop(run, now)

    def _runs_queued(self, entry: Registration, now: Instant) -> bool:
        """Start the run of a due time that came during the run before, if there is one and `overlap` says so.

        Return True if it was started.
        """
        blocked = entry.disabled or self.paused or self.closed or entry.had_all_runs
        if blocked or entry.due is None or entry.due > entry.clock_time(now) or not entry.may_start(now):
            return False
        entry.again = None
        self._start_scheduled(entry, entry.due, SkipReason.OVERLAP, now)
        return True

    def _start_by_hand(
        self, entry: Registration, trigger: Trigger, parameters: Mapping[str, object], now: Instant
    ) -> None:
        if self._waits_for_predecessor(entry):
            self._queue_again(entry, trigger, parameters, now)
        else:
            self._count_passed(entry, now, outside=False)
            self._dequeue(entry)
            entry.retry = None
            self._start(entry, trigger, now.wall, now.steady, parameters, 1, now)

    def _start(
        self,
        entry: Registration,
        trigger: Trigger,
        due: float,
        due_steady: float,
        parameters: Mapping[str, object],
        attempt: int,
        now: Instant,
    ) -> None:
        assert entry.handle is not None
        run = Run(
            entry.name,
            entry.task,
            entry.policies,
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
        if (executor := entry.placement.executor) is not None:
            run.place = Body(run, executor, self._bodies, entry.placement.recipe)
        entry.run = run
        if entry.counts_from_end:
            entry.due = None  # also if it was still to come, and this is a run by hand
        entry.state = RUNNING
        self.running[entry.name] = entry
        self.starts.append(run)
        if entry.policies.overlap is not SKIP:
            self._enqueue(entry, now)
        if self.watchers:
            self._touch(entry)

    # After a run

    def _settle_after(self, entry: Registration, run: Run, now: Instant) -> None:
        """Decide what follows for a registered entry whose run has ended."""
        policies = entry.policies
        again = entry.again
        may_retry = run.attempt <= policies.retries and run.kind in RETRIED
        if (
            may_retry
            and not entry.disabled
            and not self.closed
            and (again is None or (again is QUEUED and policies.overlap is Overlap.QUEUE))
        ):
            attempt = run.attempt + 1
            entry.retry = Retry(attempt, now.steady + policies.delay_before(attempt), run.given)
            entry.state = self._idle_state(entry)
            self._enqueue(entry, now)
        elif again is not None and again is not QUEUED and not self.closed and not entry.had_all_runs:
            entry.again = None
            self._skip_passed(entry, SkipReason.OVERLAP, now)
            self._start(entry, again.trigger, now.wall, now.steady, again.parameters, 1, now)
        elif policies.overlap is SKIP or not self._runs_queued(entry, now):
            if again is QUEUED:
                entry.again = None
            entry.state = self._idle_state(entry)
            if run.started is None and self.closed:
                return  # `close` dropped it, and it is still to come after a restart
            self._settle_or_remove(entry, now)

    def _settle_or_remove(self, entry: Registration, now: Instant) -> None:
        """Remove it if it had all its runs; else wait for what comes next."""
        if entry.had_all_runs or (isinstance(entry.schedule, OnDemand) and not entry.policies.keep):
            self._remove_done(entry, now)
        else:
            self._settle(entry, OVERLAP, now)

    def _settle(self, entry: Registration, reason: SkipReason, now: Instant) -> None:
        """Count what passed, and wait for what comes next."""
        self._skip_passed(entry, reason, now)
        self._wait(entry, now)

    def _wait(self, entry: Registration, now: Instant) -> None:
        """Wait for what comes next, or for the end of its run; remove it if nothing is to come."""
        if entry.counts_from_end and entry.due is None and entry.run is None and entry.retry is None:
            entry.due = due_times.due_after_end(entry)
        if entry.due is None and entry.run is None and self._has_nothing_to_come(entry, now):
            self._remove_done(entry, now)
            return
        if entry.ended and entry.due is None:
            self._make_due(entry, now)
        if entry.ticket == NO_TICKET:
            self._enqueue(entry, now)
        self._touch(entry)

    def _has_nothing_to_come(self, entry: Registration, now: Instant) -> bool:
        if entry.due is not None or entry.retry is not None or entry.again is not None:
            return False
        if entry.ended is not None and self._follows_no_more(entry, now):
            return True
        return entry.schedule.has_due_times and entry.fault is None

    def _after_predecessor(self, entry: Registration, now: Instant) -> None:
        self._dequeue(entry)
        if not entry.stays_due:
            self._skip_passed(entry, SkipReason.DISABLED if entry.disabled else SkipReason.REPLACED, now)
        if (again := entry.again) is not None and not self.closed:
            entry.again = None
            self._start_by_hand(entry, again.trigger, again.parameters, now)
        else:
            self._wait(entry, now)

    def _queue_again(
        self, entry: Registration, trigger: Trigger, parameters: Mapping[str, object], now: Instant
    ) -> None:
        asked_before = entry.again is not None
        entry.again = Again(trigger, parameters)
        if not asked_before:
            self._changed(entry, ChangeKind.AGAIN, False, True, now)

    def _remember(self, entry: Registration, run: Run) -> bool:
        """Add a run to the history. Return True if it succeeded after others had failed."""
        past = entry.past()
        was_failing = past.failing_since is not None
        past.add_run(run)
        is_failing = past.failing_since is not None
        if is_failing is not was_failing and entry.registered:
            self.failing_count += 1 if is_failing else -1
        return was_failing and run.kind is OutcomeKind.SUCCEEDED

    def _keep_output(self, entry: Registration, past: Run, output: RunOutput) -> None:
        output.close()
        if OutputWritten not in self._bus.wanted_here:
            output.drop_untaken()
        elif output.has_untaken:
            self._bus.post(output.drop_untaken)  # after the lines that were announced
        self._outputs.add(past, entry.past().runs())

    # Removing

    def _release(self, entry: Registration, why: UnregisterReason, now: Instant) -> None:
        self._dequeue(entry)
        if self.entries.get(entry.name) is entry:
            del self.entries[entry.name]
        entry.registered = False
        entry.again = None
        if entry.retry is not None:
            self._drop_retry(entry, now)
        self.chains.remove(entry)
        self.declarations.forget(entry)
        if entry.enable_timer is not None:
            self._set_enable_timer(entry, None, now)
        self.disabled_count -= entry.disabled
        self.failing_count -= entry.failing
        if TaskUnregistered in self._bus.wanted:
            self._bus.post(TaskUnregistered(now.wall, entry.name, why, entry.run_count))
        if entry.run is None:
            entry.state = TaskState.GONE
        elif entry.run.started is None:
            self._cancel(entry.run, now)
        self._touch(entry)

    def _remove_done(self, entry: Registration, now: Instant) -> None:
        self.declarations.note_done(entry, now)
        if entry.policies.until is not None and not entry.had_all_runs:
            self.done[entry.name] = entry
            if len(self.done) > MOST_DONE:
                del self.done[next(iter(self.done))]
        self._release(entry, UnregisterReason.DONE, now)

    def _cancel(self, run: Run, now: Instant) -> None:
        """End a run that waits for a thread."""
        run.kind = OutcomeKind.STOPPED
        self.finish(run, now)

    def _idle_state(self, entry: Registration) -> TaskState:
        return TaskState.ON_DEMAND if isinstance(entry.schedule, OnDemand) else SCHEDULED
