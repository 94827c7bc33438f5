"""One registration: what the ledger knows of one handle.

Every attribute is the ledger's to change, under the scheduler's lock. One of these exists for each
registered task, so it is kept small: what most handles do not have yet is `None`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from taskkit.engine.agenda import NO_TICKET
from taskkit.engine.history import History
from taskkit.grid import grid_next
from taskkit.outcome import NOTHING_SKIPPED, SkipReason, Trigger
from taskkit.schedules import Every, OnDemand, Schedule, due_after, is_for_now
from taskkit.snapshot import TaskState

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.handler import TaskHandler
    from taskkit.policies import Policies
    from taskkit.run import Run


class Entry:
    """One registration under one name."""

    __slots__ = (
        "again",
        "anchor",
        "disabled",
        "due",
        "handle",
        "history",
        "last_due",
        "name",
        "number",
        "policies",
        "registered",
        "retry",
        "run",
        "run_count",
        "schedule",
        "state",
        "task",
        "ticket",
    )

    def __init__(
        self,
        name: str,
        number: int,
        task: object,
        schedule: Schedule,
        policies: Policies,
        anchor: float,
        due: float | None,
    ) -> None:
        self.name = name
        self.number = number
        self.task = task
        self.schedule = schedule
        self.policies = policies
        self.handle: TaskHandler | None = None
        self.state = TaskState.ON_DEMAND if isinstance(schedule, OnDemand) else TaskState.SCHEDULED
        self.registered = True
        """Whether commands reach it; a handle that was replaced or unregistered may still run."""
        self.disabled = False
        self.anchor = anchor
        """Where the grid of a periodic schedule begins, by the steady clock. Of any other schedule: what to
        add to a time by the clock that it follows to get the epoch seconds that it is told in."""
        self.due = due
        """The next due time that was neither run nor skipped, by the clock that the schedule follows."""
        self.last_due: float | None = None
        """The last due time that was, by the same clock; runs by hand do not count."""
        self.ticket = NO_TICKET
        self.run: Run | None = None
        self.again: Again | None = None
        """A run that starts as soon as nothing is in its way."""
        self.retry: Retry | None = None
        """The try that follows a failed one."""
        self.run_count = 0
        self.history: History | None = None

    def __repr__(self) -> str:
        return f"<Entry {self.number} {self.name!r} {self.state}>"

    @property
    def follows_wall_clock(self) -> bool:
        """Whether its due times move when the clock is set; what is due now is so whatever that does."""
        return self.schedule.follows_wall_clock and not is_for_now(self.schedule)

    @property
    def fault(self) -> Exception | None:
        """What its schedule raised when it should have said what is due next; since then nothing is."""
        return None if self.history is None else self.history.fault

    @fault.setter
    def fault(self, error: Exception | None) -> None:
        if error is not None or self.history is not None:
            self.past().fault = error

    @property
    def period(self) -> float | None:
        """Seconds, where the schedule has a period."""
        return self.schedule.period if isinstance(self.schedule, Every) else None

    @property
    def had_all_runs(self) -> bool:
        """Whether it has begun as often as it may."""
        most = self.policies.max_runs
        return most is not None and self.run_count >= most

    def past(self) -> History:
        """Its history, which begins with the first thing to remember."""
        if self.history is None:
            self.history = History()
        return self.history

    @property
    def failing(self) -> bool:
        """Whether the last run ended in one of the `FAILURES`."""
        return self.failing_since is not None

    @property
    def failing_since(self) -> float | None:
        """When the first of the last runs ended that all failed, in epoch seconds."""
        return None if self.history is None else self.history.failing_since

    @property
    def skipped(self) -> Mapping[SkipReason, int]:
        """Due times that passed since the last run."""
        return NOTHING_SKIPPED if self.history is None else self.history.skipped

    def clock_time(self, now: Instant) -> float:
        """`now` by the clock that the schedule follows."""
        return now.wall if self.follows_wall_clock else now.steady

    def to_wall(self, time: float, now: Instant) -> float:
        """A time by the clock that the schedule follows, in epoch seconds as clocks stand now."""
        return time if self.follows_wall_clock else now.in_epoch(time)

    def next_run(self, now: Instant) -> float | None:
        """When it next falls due, in epoch seconds; `None` while it is disabled, or if it never does."""
        if self.disabled or self.state is TaskState.GONE or not self.registered:
            return None
        if self.run is not None and self.had_all_runs:
            return None
        if self.retry is not None:
            return now.in_epoch(self.retry.at)
        due = self._next_due(now)
        return None if due is None else self.to_wall(due, now)

    def next_runs(self, count: int, now: Instant) -> list[float]:
        """The next times at which it falls due, `count` at most, in epoch seconds."""
        first = self.next_run(now)
        if first is None or count < 1:
            return []
        runs, due = [first], self._next_due(now) if self.retry is None and self.schedule.repeats else None
        while due is not None and len(runs) < count and (due := self.foreseen_after(due)) is not None:
            runs.append(self.to_wall(due, now))
        return runs

    def _next_due(self, now: Instant) -> float | None:
        """By the clock that the schedule follows; after now if a run covers what comes sooner."""
        if self.due is not None and self.run is not None and self.due <= self.clock_time(now):
            return self.foreseen_after(self.clock_time(now))
        return self.due

    def due_after(self, time: float) -> float | None:
        """The first due time strictly after `time`, both by the clock that the schedule follows.

        Raises:
            Exception: It is somebody's own schedule, which raises, or answers what cannot be.
        """
        if isinstance(self.schedule, Every):
            return grid_next(self.anchor, self.schedule.period, time)
        due = due_after(self.schedule, time + self.anchor)
        return None if due is None else due - self.anchor

    def foreseen_after(self, time: float) -> float | None:
        """The same for who only looks: `None` also where the schedule raises."""
        try:
            return self.due_after(time)
        except Exception:  # noqa: BLE001 - foreign code may raise anything
            return None


class Retry(NamedTuple):
    """A failed run that will be tried again."""

    attempt: int
    """The number of the next try; the first retry is 2."""
    at: float
    """When it is due, by the steady clock."""
    parameters: Mapping[str, object]
    """What the failed run was given."""


class Again:
    """A demanded run that waits for the present one to end."""

    __slots__ = ("parameters", "trigger")

    def __init__(self, trigger: Trigger, parameters: Mapping[str, object]) -> None:
        self.trigger = trigger
        self.parameters = parameters
