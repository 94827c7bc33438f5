"""Timer queues of waiting tasks, and the counts of due times that passed without a run.

An entry waits in one place: in the steady queue (periodic due times and retries) or in the wall queue
(calendar ones); while it is disabled in one of two further queues, which are read only when the figures are
asked for. So a disabled or paused task wakes no thread, and its due times are counted afterwards. It decides
O4, and is the lowest layer of `Ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import inf
from random import random

from taskkit.clock import Instant, NextLook
from taskkit.engine import passed_due_times, scheduler_log
from taskkit.engine.chains import Chains
from taskkit.engine.declarations import Declarations
from taskkit.engine.event_bus import EventBus
from taskkit.engine.limited_times import LimitedTimes
from taskkit.engine.registration import QUEUED, Deadline, EnableTimer, Registration
from taskkit.engine.timers import NO_TICKET, TimerQueue
from taskkit.events import ChangeKind, RunFinished, RunSkipped, TaskChanged
from taskkit.jitter import fixed_share
from taskkit.outcome import Skip, SkipReason
from taskkit.schedules.queries import WHY_AT_MOST, shortest_distance
from taskkit.words.durations import in_words


class TimeLedger:
    """The timer queues, and the due times that were skipped."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._steady: TimerQueue[Registration] = TimerQueue()
        self._wall: TimerQueue[Registration] = TimerQueue()
        self._asleep_steady: TimerQueue[Registration] = TimerQueue()
        self._asleep_wall: TimerQueue[Registration] = TimerQueue()
        self._deadlines: TimerQueue[Deadline] = TimerQueue()
        self._openings: TimerQueue[LimitedTimes] = TimerQueue()  # by the wall clock
        self._enable_timers: TimerQueue[EnableTimer] = TimerQueue()
        self.enables_at = inf
        """The earliest time at which a disabled task is enabled again, in epoch seconds."""
        self._held: list[Registration] = []  # one-shots and retries that fell due while everything was paused
        self.entries: dict[str, Registration] = {}
        """The registered ones, by name."""
        self.running: dict[str, Registration] = {}
        """Those that run or wait for a thread, by name; also those that are no longer registered."""
        self.done: dict[str, Registration] = {}
        """The last ones that had their last due time before `until`, by name."""
        self.chains = Chains()
        self.declarations = Declarations()
        """The schedules and states that were declared, where they are others now."""
        self.paused = False
        self.closed = False
        self.standby = False
        """True while another process runs these tasks: nothing is due here, and commands do nothing."""
        self.draining = False
        """True while runs may end by themselves after `close`."""
        self.forked_from: int | None = None
        """In a forked child: the process that runs all this, which is shown here as it was at the fork."""
        self.soonest = inf
        """The earliest instant, by the steady clock, that was queued since this was last reset."""
        self._coming = inf
        """The earliest next due time, by the steady clock, of what was started since the last look.

        The loop looks then, even if nothing is due. So the end of a run, which queues that due time, need not
        wake it.
        """
        self.watchers: list[Callable[[Registration], None]] = []
        """Called with each entry that changed."""
        self.failure_watchers: list[Callable[[RunFinished], None]] = []
        """Called with the end of each run that failed."""

    def all_entries(self) -> list[Registration]:
        """Return the registered ones, and those that only their run keeps alive."""
        return [*self.entries.values(), *(each for each in self.running.values() if not each.registered)]

    @property
    def has_nothing_to_come(self) -> bool:
        """True if nothing runs and nothing waits for a time: what is disabled does not count."""
        if self.running or len(self._steady) or len(self._wall):
            return False
        return not any(entry.registered and not entry.disabled for entry in self._held)

    # Due times to come

    def next_look(self, now: Instant) -> NextLook:
        """Return when to call `take_due` and `take_overdue` again."""
        at = self._deadlines.next_due()
        coming, self._coming = self._coming, inf
        waits_to_enable = self.enables_at < inf
        if waits_to_enable and (at is None or self.enables_at - now.offset < at):
            at = self.enables_at - now.offset
        if self.paused or self.closed or self.standby:
            return NextLook(at, watches_wall_clock=waits_to_enable)
        steady = self._steady.next_due()
        if steady is not None and (at is None or steady < at):
            at = steady
        if coming < inf and (at is None or coming < at):
            at = coming
        wall = self._wall.next_due()
        if wall is not None and (at is None or wall - now.offset < at):
            at = wall - now.offset
        opening = self._openings.next_due()
        if opening is not None and (at is None or opening - now.offset < at):
            at = opening - now.offset if opening < inf else at
        return NextLook(at, watches_wall_clock=waits_to_enable or wall is not None or opening is not None)

    def next_time(self, now: Instant) -> float | None:
        """Return when the next run is due, in epoch seconds: the earliest `next_run`; `None` while paused.

        Costs O(runs), whatever the number of waiting tasks.
        """
        if self.paused or self.closed or self.standby:
            return None
        comes = [self.next_run(entry, now) for name in self.running if (entry := self.entries.get(name))]
        steady = self._steady.next_due_without_jitter()
        comes += [None if steady is None else now.in_epoch(steady), self._wall.next_due_without_jitter()]
        return min((each for each in comes if each is not None), default=None)

    def next_run(self, entry: Registration, now: Instant) -> float | None:
        """Return its next due time, in epoch seconds; `None` while it is disabled, or if there is none."""
        return None if self.closed or self.standby else entry.next_run(now)

    # Waiting

    def _enqueue(self, entry: Registration, now: Instant) -> None:
        """Queue it for its retry or next due time, if there is one that it has to heed."""
        if not entry.registered or (entry.run is not None and not entry.heeds_due_times):
            return
        if entry.retry is not None:
            self._steady.put(entry, entry.retry.at)
            self.soonest = min(self.soonest, entry.retry.at)
        elif entry.due is not None and (not entry.disabled or not entry.stays_due):
            jitter = self._delay_of(entry, entry.due) if entry.jitter else 0.0
            if (limited := entry.limited) is not None and not entry.disabled:
                self._await_opening(limited, now)
            self._queue_of(entry).put(entry, entry.due, jitter)
            if not entry.disabled:
                at = entry.due + jitter
                if entry.follows_wall_clock:
                    at -= now.offset
                if at < self.soonest:
                    self.soonest = at

    def _delay_of(self, entry: Registration, due: float) -> float:
        """Return the seconds by which jitter delays a start, within the window of the task."""
        longest, limited = entry.jitter, entry.limited
        if limited is not None:
            longest = min(longest, limited.room_for_jitter(due))
        return longest * (fixed_share(entry.name) if entry.policies.jitter_is_fixed else random())

    def _await_opening(self, limited: LimitedTimes, now: Instant) -> None:
        """Queue it for the next opening of its window, when the due times outside are reported.

        A periodic one without a window waits there too, so that the loop notices a step of the wall clock.
        """
        self._openings.discard(limited)
        limited.follow_clock(now)
        opening = limited.opening_after(now)
        self._openings.put(limited, opening)
        self.soonest = min(self.soonest, opening - now.offset)

    def _dequeue(self, entry: Registration) -> None:
        if entry.limited is not None:
            self._openings.discard(entry.limited)
        if entry.ticket != NO_TICKET:
            self._queue_of(entry).discard(entry)

    def _queue_of(self, entry: Registration) -> TimerQueue[Registration]:
        if entry.follows_wall_clock and entry.retry is None:
            return self._asleep_wall if entry.disabled else self._wall
        return self._asleep_steady if entry.disabled else self._steady

    def _set_enable_timer(self, entry: Registration, until: float | None, now: Instant) -> None:
        """Let it be enabled again at `until`, in epoch seconds, and at no other time; `None` for never."""
        if (timer := entry.enable_timer) is not None:
            self._enable_timers.discard(timer)
            entry.enable_timer = timer.entry = None
        if until is not None:
            entry.enable_timer = timer = EnableTimer(entry, until)
            self._enable_timers.put(timer, until)
            self.soonest = min(self.soonest, until - now.offset)
        if timer is not None:
            at = self._enable_timers.next_due()
            self.enables_at = inf if at is None else at

    # Due times that pass

    def _blocked_by(self, entry: Registration) -> SkipReason | None:
        """Return the reason that would block a start at a due time now, if there is one."""
        if entry.run is not None or entry.retry is not None:
            return SkipReason.OVERLAP
        if entry.disabled:
            return SkipReason.DISABLED
        if self._waits_for_predecessor(entry):
            return SkipReason.REPLACED
        return SkipReason.PAUSED if self.paused else None

    def _waits_for_predecessor(self, entry: Registration) -> bool:
        return self.running.get(entry.name, entry) is not entry

    def _count_outside(self, entry: Registration, now: Instant) -> None:
        """Count the due times up to now that fell outside its window, and post that (O4)."""
        if entry.limited is None or not entry.limited.has_hours or self.closed:
            return
        skip = passed_due_times.skip_outside(entry, now)
        if skip is not None:
            self._post_skip(entry, skip, now)

    def _count_passed(
        self, entry: Registration, now: Instant, *, for_good: bool = False, outside: bool = True
    ) -> None:
        """Count what has passed up to now, before the reason for it changes (O4).

        Args:
            entry: The entry that is about to be commanded.
            now: The moment of the command.
            for_good: Give up its due times, also one that was about to be made up for.
            outside: Also count those outside its window, which otherwise waits until the window opens.
        """
        if outside and entry.limited is not None:
            self._count_outside(entry, now)
        blocked_by = self._blocked_by(entry)
        if for_good and entry.due is not None:
            stays_due = entry.stays_due and (entry.disabled or self.paused)
            reason = SkipReason.MISSED if stays_due or blocked_by is None else blocked_by
            self._skip(entry, reason, entry.clock_time(now), now)
        elif blocked_by is not None:
            self._skip_passed(entry, blocked_by, now)

    def _skip_passed(self, entry: Registration, reason: SkipReason, now: Instant) -> None:
        """Count the due times up to now as skipped; a one-shot that cannot start now stays due, visibly."""
        if entry.due is None or entry.due > (time := entry.clock_time(now)) or entry.counts_from_end:
            return
        stays_due = entry.disabled or self.paused or reason is SkipReason.REPLACED
        if entry.schedule.repeats or not stays_due:
            self._skip(entry, reason, time, now)

    def _skip(
        self, entry: Registration, reason: SkipReason, until: float, now: Instant, *, late: bool = False
    ) -> None:
        """Count the due times up to `until` as skipped, and post that (O4). Not after `close` or on standby.

        Args:
            entry: The entry.
            reason: The reason.
            until: By the clock of its schedule.
            now: The present moment.
            late: True if they are skipped because a run would be too late.
        """
        if self.closed or self.standby:
            return
        skip = passed_due_times.skip_until(entry, until, reason, now)
        if skip is not None:
            if late:
                skip = replace(
                    skip, late_by=max(0.0, entry.to_wall(entry.clock_time(now), now) - skip.last_due)
                )
            if entry.again is QUEUED:
                entry.again = None
            self._post_skip(entry, skip, now)
            self._log_fault(entry)

    def _post_skip(self, entry: Registration, skip: Skip, now: Instant) -> None:
        entry.past().add_skip(skip)
        if RunSkipped in self._bus.wanted:
            times = skip.count, skip.first_due, skip.last_due, skip.late_by
            self._bus.post(RunSkipped(now.wall, entry.name, skip.reason, *times))
        self._touch(entry)
        predecessor = self.running.get(entry.name, entry)
        if predecessor is not entry:
            self._touch(predecessor)  # it shares the totals

    def _limit_jitter(self, entry: Registration, now: Instant) -> None:
        """Limit the jitter of a new schedule, so that no start is delayed beyond the next due time."""
        wanted, before = entry.policies.jitter_seconds, entry.jitter
        if not wanted:
            return
        entry.jitter = jitter = float(min(wanted, shortest_distance(entry.schedule, now.wall)))
        if jitter == before:
            return
        self._changed(entry, ChangeKind.JITTER, float(before), jitter, now)
        if jitter < wanted:

            def log() -> None:
                scheduler_log.warning(
                    "the jitter of %s is limited to %s, %s", entry.name, in_words(jitter), WHY_AT_MOST
                )

            self._bus.post(log)  # it is called outside the lock

    # Reporting

    def _log_fault(self, entry: Registration) -> None:
        """Log what its schedule has just raised, if it has. Call it after its due time was taken."""
        error = entry.fault
        if error is None:
            return

        def log() -> None:
            words = "%s is no longer due: a schedule raised instead of returning the next due time"
            scheduler_log.error(words, entry.name, raised=error)

        self._bus.post(log)  # it is called outside the lock

    def _changed(
        self,
        entry: Registration,
        what: ChangeKind,
        before: str | float | bool | None,
        after: str | float | bool | None,
        now: Instant,
        until: float | None = None,
    ) -> None:
        if TaskChanged in self._bus.wanted:
            self._bus.post(TaskChanged(now.wall, entry.name, what, before, after, until))
        self._touch(entry)

    def touch_all(self, entries: Iterable[Registration]) -> None:
        """Report all of them as changed, for example after a step of the wall clock."""
        if self.watchers:
            for entry in entries:
                self._touch(entry)

    def _touch(self, entry: Registration) -> None:
        for watcher in self.watchers:
            watcher(entry)
