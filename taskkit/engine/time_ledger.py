"""Who waits for what instant, who is kept from starting, and what passed meanwhile.

An entry waits in one place: on the steady agenda (periodic due times and retries) or on the wall agenda
(calendar ones); on two further ones while it is disabled, which nobody looks at until somebody asks. So a
disabled or paused task wakes no thread, and the due times that pass it by are counted afterwards. It decides
O4, and is the lowest layer of `Ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from random import random

from taskkit.clock import Instant, NextLook
from taskkit.engine import duetimes, log
from taskkit.engine.agenda import NO_TICKET, Agenda
from taskkit.engine.bus import EventBus
from taskkit.engine.declarations import Declarations
from taskkit.engine.entry import Entry
from taskkit.events import RunSkipped, TaskChanged
from taskkit.outcome import Skip, SkipReason
from taskkit.run import Run


class TimeLedger:
    """What falls due when, and what was skipped."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._steady: Agenda[Entry] = Agenda()
        self._wall: Agenda[Entry] = Agenda()
        self._asleep_steady: Agenda[Entry] = Agenda()
        self._asleep_wall: Agenda[Entry] = Agenda()
        self._deadlines: Agenda[Run] = Agenda()
        self._held: list[Entry] = []  # one-shots and retries that fell due while everything was paused
        self.entries: dict[str, Entry] = {}
        """The registered ones by name."""
        self.running: dict[str, Entry] = {}
        """Those with a run, or a run that waits for a thread, by name; also those registered no more."""
        self.declarations = Declarations()
        """What the registered ones were declared to be."""
        self.paused = False
        self.closed = False
        self.soonest = inf
        """The earliest instant, by the steady clock, that was put on an agenda since somebody set this."""
        self._coming = inf
        """The earliest due time, by the steady clock, of what was started since the last look. The loop looks
        then, though nothing may be due: so the end of a run, which puts it on an agenda, need not wake it."""
        self.watchers: list[Callable[[Entry], None]] = []
        """Called with each entry that changed."""

    def all_entries(self) -> list[Entry]:
        """The registered ones, and those that only their run keeps."""
        return [*self.entries.values(), *(each for each in self.running.values() if not each.registered)]

    # What comes

    def next_look(self, now: Instant) -> NextLook:
        """When to call `take_due` and `take_overdue` again."""
        at = self._deadlines.next_due()
        coming, self._coming = self._coming, inf
        if self.paused or self.closed:
            return NextLook(at, watches_wall_clock=False)
        steady = self._steady.next_due()
        if steady is not None and (at is None or steady < at):
            at = steady
        if coming < inf and (at is None or coming < at):
            at = coming
        wall = self._wall.next_due()
        if wall is not None and (at is None or wall - now.offset < at):
            at = wall - now.offset
        return NextLook(at, watches_wall_clock=wall is not None)

    def next_time(self, now: Instant) -> float | None:
        """When the next run is due, in epoch seconds: the earliest `next_run`; `None` while paused.

        It takes as long as there are runs, whatever the number of those that wait.
        """
        if self.paused or self.closed:
            return None
        comes = [self.next_run(entry, now) for name in self.running if (entry := self.entries.get(name))]
        steady = self._steady.next_told()
        comes += [None if steady is None else now.in_epoch(steady), self._wall.next_told()]
        return min((each for each in comes if each is not None), default=None)

    def next_run(self, entry: Entry, now: Instant) -> float | None:
        """When it next falls due, in epoch seconds; `None` while it is disabled, or if it never does."""
        return None if self.closed else entry.next_run(now)

    # Waiting

    def _put(self, entry: Entry, now: Instant) -> None:
        """Wait for the next try or due time, if there is one and nothing runs."""
        if entry.run is not None or not entry.registered:
            return
        if entry.retry is not None:
            self._steady.put(entry, entry.retry.at)
            self.soonest = min(self.soonest, entry.retry.at)
        elif entry.due is not None and (entry.schedule.repeats or not entry.disabled):
            jitter = entry.policies.jitter
            put_off = random() * jitter if jitter else 0.0
            self._agenda_of(entry).put(entry, entry.due, put_off)
            if not entry.disabled:
                at = entry.due + put_off
                if entry.follows_wall_clock:
                    at -= now.offset
                if at < self.soonest:
                    self.soonest = at

    def _take_off(self, entry: Entry) -> None:
        if entry.ticket != NO_TICKET:
            self._agenda_of(entry).discard(entry)

    def _agenda_of(self, entry: Entry) -> Agenda[Entry]:
        if entry.follows_wall_clock and entry.retry is None:
            return self._asleep_wall if entry.disabled else self._wall
        return self._asleep_steady if entry.disabled else self._steady

    # What passes

    def _hindrance(self, entry: Entry) -> SkipReason | None:
        """What keeps it from being started at a due time, if anything does."""
        if entry.run is not None or entry.retry is not None:
            return SkipReason.OVERLAP
        if entry.disabled:
            return SkipReason.DISABLED
        if self._waits_for_predecessor(entry):
            return SkipReason.REPLACED
        return SkipReason.PAUSED if self.paused else None

    def _waits_for_predecessor(self, entry: Entry) -> bool:
        return self.running.get(entry.name, entry) is not entry

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
        kept = entry.disabled or self.paused or reason is SkipReason.REPLACED
        if entry.schedule.repeats or not kept:
            self._skip(entry, reason, time, now)

    def _skip(self, entry: Entry, reason: SkipReason, until: float, now: Instant) -> None:
        """Count the due times up to `until` as skipped, and tell of them (O4). When closed, none are due."""
        if self.closed:
            return
        skip = duetimes.pass_over(entry, until, reason, now)
        if skip is not None:
            self._tell_skip(entry, skip, now)
            self._tell_fault(entry)

    def _tell_skip(self, entry: Entry, skip: Skip, now: Instant) -> None:
        entry.past().add_skip(skip)
        if self._bus.wanted:
            told = RunSkipped(now.wall, entry.name, skip.reason, skip.count, skip.first_due, skip.last_due)
            self._bus.post(told)
        self._touch(entry)

    # Telling

    def _tell_fault(self, entry: Entry) -> None:
        """Log what its schedule has just raised, if it has. To be called after its due time was taken."""
        error = entry.fault
        if error is None:
            return

        def tell() -> None:
            told = "%s falls due no more: a schedule raised where it should have said what is due next"
            log.complain(told, entry.name, raised=error)

        self._bus.post(tell)  # which is called outside the lock

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

    def touch_all(self, entries: Iterable[Entry]) -> None:
        """Something changed for all of them, as when the wall clock was set."""
        if self.watchers:
            for entry in entries:
                self._touch(entry)

    def _touch(self, entry: Entry) -> None:
        for watcher in self.watchers:
            watcher(entry)
