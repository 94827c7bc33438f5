"""Due times of tasks that follow others: they come when those have ended (`After`).

It is the layer of `Ledger` between the timer queues and the life of a run.
"""

from __future__ import annotations

from math import inf

from taskkit.clock import Instant
from taskkit.engine.registration import Registration
from taskkit.engine.time_ledger import TimeLedger
from taskkit.outcome import OutcomeKind, Skip, SkipReason
from taskkit.policies import Overlap
from taskkit.run import Run
from taskkit.schedules import After


class ChainLedger(TimeLedger):
    """The ends of runs that tasks with `After` wait for."""

    def _note_end(self, name: str, kind: OutcomeKind | None, now: Instant) -> list[Run]:
        """Note for the tasks that follow `name` that it has ended, and no retry is to come.

        Returns:
            The runs that `overlap="restart"` asks to stop, as they are to begin again.
        """
        to_restart: list[Run] = []
        for entry in self.chains.followers(name):
            schedule = entry.schedule
            if (
                kind is None
                or entry.ended is None
                or not isinstance(schedule, After)
                or not schedule.counts(kind)
            ):
                continue
            if name not in entry.ended:
                entry.ended.add(name)
                self._touch(entry)
            restarts = entry.policies.overlap is Overlap.RESTART and not self.closed
            if restarts and entry.run is not None and self._has_seen_all(entry):
                to_restart.append(entry.run)
            self._make_due(entry, now)
        return to_restart

    def _drop_retry(self, entry: Registration, now: Instant) -> None:
        """Let no retry follow: the last try was the end of its run."""
        if entry.retry is None:
            return
        entry.retry = None
        last = None if entry.history is None else entry.history.last_outcome()
        if last is not None:
            self._note_end(entry.name, last.kind, now)

    def _has_seen_all(self, entry: Registration) -> bool:
        """True if all tasks that it follows have ended since its last scheduled run began."""
        schedule, ended = entry.schedule, entry.ended
        return bool(ended) and isinstance(schedule, After) and set(schedule.names) <= (ended or set())

    def _make_due(self, entry: Registration, now: Instant) -> None:
        """Make it due now if all that it follows have ended; later if it runs or waits in line (T2).

        While it is disabled or paused, or outside its window, that counts as a skip, and is not made up for.
        """
        if self.closed or entry.due is not None or not self._has_seen_all(entry):
            return
        reason = self._blocked_by(entry)
        if reason is SkipReason.OVERLAP or reason is SkipReason.REPLACED:
            return  # it is asked again when that has ended
        assert entry.ended is not None
        entry.ended.clear()
        if entry.limited is not None:
            limits = entry.limited.limits
            if not limits.not_before <= now.wall <= limits.until:
                return  # what lies outside is not a due time
            if reason is None and not limits.is_open(now.wall):
                reason = SkipReason.WINDOW
        if reason is None:
            entry.due = now.steady
            self._enqueue(entry, now)
            self._touch(entry)
        else:
            entry.last_due = now.steady
            self._post_skip(entry, Skip(reason, 1, now.wall, now.wall), now)

    def _follows_no_more(self, entry: Registration, now: Instant) -> bool:
        """True if it follows others, and its `until` has passed."""
        return entry.ended is not None and entry.limited is not None and now.wall > entry.limited.limits.until

    def _note_interrupted(self, entry: Registration, now: Instant) -> None:
        """Note a run that its process did not survive as an end, for the tasks that follow it.

        It counts for a follower unless that has been due since. Both are restored after a restart.
        """
        pairs = [(entry, each) for each in self.chains.followers(entry.name)]
        if isinstance(entry.schedule, After):
            pairs += [(self.entries[name], entry) for name in entry.schedule.names if name in self.entries]
        for followed, follower in pairs:
            last = None if followed.history is None else followed.history.last_outcome()
            schedule = follower.schedule
            if last is None or last.kind is not OutcomeKind.INTERRUPTED or not isinstance(schedule, After):
                continue
            seen = -inf if follower.last_due is None else follower.to_wall(follower.last_due, now)
            if follower.ended is not None and schedule.counts(last.kind) and last.finished > seen:
                follower.ended.add(followed.name)
                if follower is not entry:
                    self._make_due(follower, now)
