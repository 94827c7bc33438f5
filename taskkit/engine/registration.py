"""One registration: all that the ledger knows about one handle.

Only the ledger changes its attributes, under the scheduler's lock. One of these exists for each registered
task, so it is small: parts that most handles do not have yet are `None`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from taskkit.engine.recent_runs import History
from taskkit.engine.timers import NO_TICKET
from taskkit.outcome import NOTHING_SKIPPED, SkipReason, Trigger
from taskkit.policies import Overlap
from taskkit.schedules import After, Every, OnDemand, Schedule
from taskkit.schedules.grid import grid_next
from taskkit.schedules.queries import due_after, is_for_now
from taskkit.snapshot import TaskState

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.limited_times import LimitedTimes
    from taskkit.executor import Executor
    from taskkit.handler import TaskHandler
    from taskkit.policies import Policies
    from taskkit.run import Run
    from taskkit.spec import Recipe


THREAD: Final = "thread"
"""The name of the executor that is the scheduler's own threads."""


class Placement(NamedTuple):
    """Where the bodies of a task run, and what it was chosen by."""

    name: str
    """The name of the executor."""
    executor: Executor | None
    """Runs them; `None` for a thread of the scheduler."""
    given: str | Executor | None
    """The executor as it was registered; `None` for the scheduler's choice."""
    recipe: Recipe | None
    """The recipe that the task was made from, if it was registered as data."""


ON_THREADS: Final = Placement(THREAD, None, None, None)
"""That of most tasks: one object for all of them."""


def follows_wall_clock(schedule: Schedule) -> bool:
    """True if its due times move when the wall clock is set; what is due now is due in any case."""
    return schedule.follows_wall_clock and not is_for_now(schedule)


def unlimited_after(schedule: Schedule, anchor: float, time: float) -> float | None:
    """Return the first due time of a schedule strictly after `time`, by its own clock, without limits.

    Args:
        schedule: The schedule.
        anchor: See `Registration.anchor`.
        time: By the schedule's own clock.

    Raises:
        Exception: It is a user's schedule that raises, or returns something impossible.
    """
    if isinstance(schedule, Every):
        return grid_next(anchor, schedule.period, time)
    due = due_after(schedule, time + anchor)
    return None if due is None else due - anchor


class Registration:
    """One registration under one name."""

    __slots__ = (
        "again",
        "anchor",
        "counts_from_end",
        "disabled",
        "due",
        "enable_timer",
        "ended",
        "follows_wall_clock",
        "handle",
        "history",
        "jitter",
        "last_due",
        "limited",
        "name",
        "number",
        "placement",
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
        limited: LimitedTimes | None = None,
    ) -> None:
        self.name = name
        self.number = number
        self.task = task
        self.set_schedule(schedule)
        self.placement = ON_THREADS
        self.policies = policies
        self.jitter = policies.jitter_seconds
        """Seconds; a start is delayed at random by up to this much, never beyond the next due time."""
        self.handle: TaskHandler | None = None
        self.state = TaskState.ON_DEMAND if isinstance(schedule, OnDemand) else TaskState.SCHEDULED
        self.registered = True
        """False after it was replaced or unregistered: commands do not reach it, but it may still run."""
        self.disabled = False
        self.enable_timer: EnableTimer | None = None
        """Enables it again, if it is disabled until a given time."""
        self.anchor = anchor
        """The origin of its due times.

        `Every`: where the grid begins, by the steady clock.
        Other schedules: offset from the schedule's own clock to epoch seconds.
        """
        self.due = due
        """The next due time that was neither run nor skipped, by the schedule's own clock."""
        self.last_due: float | None = None
        """The latest due time that has passed, by the same clock; runs by hand do not count."""
        self.limited: LimitedTimes | None = None
        """The limits of its due times, if it has any."""
        if limited is not None:
            self.limit_by(limited)
        self.ended: set[str] | None = None
        """Names of followed tasks that have ended as asked since its last scheduled run began; `None` if it
        follows none."""
        self.ticket = NO_TICKET
        self.run: Run | None = None
        self.again: Again | None = None
        """A run that starts as soon as nothing blocks it."""
        self.retry: Retry | None = None
        """The try that follows a failed one."""
        self.run_count = 0
        """The number of runs that began; retries do not count."""
        self.history: History | None = None

    def limit_by(self, limited: LimitedTimes | None) -> None:
        """Limit its due times from now on. Call it while no timer queue holds the limits before."""
        self.limited = limited
        if limited is not None:
            limited.entry = self

    def __repr__(self) -> str:
        return f"<Registration {self.number} {self.name!r} {self.state}>"

    def set_schedule(self, schedule: Schedule) -> None:
        """Replace its schedule. The caller moves its due times."""
        self.schedule = schedule
        self.follows_wall_clock = follows_wall_clock(schedule)
        """True if its due times move when the wall clock is set; what is due now is due in any case.

        Stored, because each run asks several times.
        """
        self.counts_from_end = isinstance(schedule, Every) and schedule.fixed_delay
        """True if its next due time counts from the end of its last run, and waits for what blocks it."""

    @property
    def executor(self) -> Executor | None:
        """The executor of its bodies; `None` for a thread of the scheduler."""
        return self.placement.executor

    @property
    def fault(self) -> BaseException | None:
        """The exception of a schedule that raised when asked for the next due time; then there is none."""
        return None if self.history is None else self.history.fault

    @fault.setter
    def fault(self, error: BaseException | None) -> None:
        if error is not None or self.history is not None:
            self.past().fault = error

    @property
    def period(self) -> float | None:
        """Seconds; `None` for a schedule without a period."""
        return self.schedule.period if isinstance(self.schedule, Every) else None

    @property
    def stays_due(self) -> bool:
        """True if a due time waits while it cannot start: of a one-shot, and of a fixed delay."""
        return self.counts_from_end or not self.schedule.repeats

    @property
    def had_a_run(self) -> bool:
        """True if it has begun, also by hand."""
        return self.run_count > 0

    @property
    def had_all_runs(self) -> bool:
        """True if it has begun as often as `max_runs` allows, counting a run that waits for a thread."""
        most = self.policies.max_runs
        if most is None:
            return False
        run = self.run
        waits = run is not None and run.started is None and run.attempt == 1
        return self.run_count + waits >= most

    @property
    def disabled_until(self) -> float | None:
        """When it is enabled again automatically, in epoch seconds; `None` if it is not, or is enabled."""
        return None if self.enable_timer is None else self.enable_timer.at

    @property
    def heeds_due_times(self) -> bool:
        """True if a due time must be noticed when it comes: nothing runs, or `overlap` is not `skip`."""
        if self.run is None:
            return True
        skips = self.policies.overlap is Overlap.SKIP or self.disabled or self.had_all_runs
        return not skips and self.again is not QUEUED

    def past(self) -> History:
        """Return its history, which is made when there is something to remember."""
        if self.history is None:
            self.history = History()
        return self.history

    @property
    def failing(self) -> bool:
        """True if the last run ended in one of the `FAILURES`."""
        return self.failing_since is not None

    @property
    def failing_since(self) -> float | None:
        """The end of the first of the latest failures in a row, in epoch seconds."""
        return None if self.history is None else self.history.failing_since

    @property
    def skipped(self) -> Mapping[SkipReason, int]:
        """Counts of the due times skipped since the last run."""
        return NOTHING_SKIPPED if self.history is None else self.history.skipped

    def ended_of(self, names: Iterable[str]) -> set[str]:
        """Return those of `names` that it follows."""
        return set(self.schedule.names).intersection(names) if isinstance(self.schedule, After) else set()

    def may_start(self, now: Instant) -> bool:
        """True unless its window is closed now."""
        return self.limited is None or self.limited.may_start(now)

    def clock_time(self, now: Instant) -> float:
        """Return `now` by the schedule's own clock."""
        return now.wall if self.follows_wall_clock else now.steady

    def to_wall(self, time: float, now: Instant) -> float:
        """Return a time of the schedule's own clock in epoch seconds, as the clocks are set now."""
        return time if self.follows_wall_clock else now.in_epoch(time)

    def next_run(self, now: Instant) -> float | None:
        """Return its next due time, in epoch seconds; `None` while it is disabled, or if there is none."""
        if self.disabled or self.state is TaskState.GONE or not self.registered:
            return None
        if self.run is not None and self.had_all_runs:
            return None
        if self.retry is not None:
            return now.in_epoch(self.retry.at)
        due = self._next_due(now)
        return None if due is None else self.to_wall(due, now)

    def next_runs(self, count: int, now: Instant) -> list[float]:
        """Return its next due times, `count` at most, in epoch seconds."""
        first = self.next_run(now)
        if first is None or count < 1:
            return []
        repeats = self.schedule.repeats and not self.counts_from_end  # that depends on the next run
        runs, due = [first], self._next_due(now) if self.retry is None and repeats else None
        while due is not None and len(runs) < count and (due := self.foreseen_after(due)) is not None:
            runs.append(self.to_wall(due, now))
        return runs

    def _next_due(self, now: Instant) -> float | None:
        """Return the next due time by the schedule's own clock, after now if a run covers earlier ones."""
        if self.due is not None and self.run is not None and self.due <= self.clock_time(now):
            return self.foreseen_after(self.clock_time(now))
        return self.due

    def due_after(self, time: float) -> float | None:
        """Return the first due time strictly after `time`, both by the schedule's own clock.

        Raises:
            Exception: It is a user's schedule that raises, or returns something impossible.
        """
        if self.limited is not None:
            return self.limited.first_after(self.unlimited_after, time)
        return unlimited_after(self.schedule, self.anchor, time)

    def unlimited_after(self, time: float) -> float | None:
        """Do what `due_after` does, for due times outside the limits as well."""
        return unlimited_after(self.schedule, self.anchor, time)

    def foreseen_after(self, time: float) -> float | None:
        """Return `due_after(time)`, or `None` if the schedule raises; for looking only."""
        try:
            return self.due_after(time)
        except BaseException:  # noqa: BLE001 - a user's schedule may raise anything
            return None


class Retry(NamedTuple):
    """A failed run that will be tried again."""

    attempt: int
    """The number of the next try; the first retry is 2."""
    at: float
    """By the steady clock."""
    parameters: Mapping[str, object]
    """The parameters of the failed run."""


class Again:
    """A demanded run that waits for the present one to end."""

    __slots__ = ("parameters", "trigger")

    def __init__(self, trigger: Trigger, parameters: Mapping[str, object]) -> None:
        self.trigger = trigger
        self.parameters = parameters


QUEUED: Final = Again(Trigger.SCHEDULE, {})
"""In the place of a demand: the due time that has come meanwhile gives one more run (`overlap`). It is still
`Registration.due`, and is counted as skipped if the run does not come about after all."""


class Deadline:
    """The time at which a run must be over. A timer queue may hold it for a while after the run has ended."""

    __slots__ = ("run", "ticket")

    def __init__(self, run: Run) -> None:
        self.run: Run | None = run
        """`None` after the run has ended, so that the run is freed."""
        self.ticket = NO_TICKET


class EnableTimer:
    """The time at which a disabled task is enabled again. A timer queue may hold a cancelled one."""

    __slots__ = ("at", "entry", "ticket")

    def __init__(self, entry: Registration, at: float) -> None:
        self.entry: Registration | None = entry
        """`None` after it was cancelled, so that the registration is freed."""
        self.at = at
        """Epoch seconds."""
        self.ticket = NO_TICKET
