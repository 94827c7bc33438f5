"""T4: what calendars do when somebody sets the wall clock, and sets it right again."""

from __future__ import annotations

from datetime import UTC, datetime
from math import floor

import pytest
from doing import Doing, Notes, Takes, fail
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import eventually
from recorder import Events

from taskkit import ClockJumped, Cron, Daily, Schedule, Scheduler, SkipReason, current_run
from taskkit.clock import Instant, SystemClock
from taskkit.engine.clock_steps import ClockSteps
from taskkit.testing import InlineExecutor, ManualClock

HOUR = 3600.0
DAY = 86_400.0
YEARS = 730 * DAY

CALENDARS = (Daily(9, 0, "UTC"), Cron("0 9 * * *", "UTC"), Cron("*/30 * * * *", "UTC"))
every_calendar = pytest.mark.parametrize("schedule", CALENDARS, ids=str)


class EveryDayAtNine(Schedule):
    """One of somebody's own that follows the wall clock."""

    follows_wall_clock = True
    repeats = True

    def next_after(self, instant: float) -> float | None:
        return (floor((instant - 9 * HOUR) / DAY) + 1) * DAY + 9 * HOUR


def glitch(clock: ManualClock, ahead: float = YEARS, seconds: float = 3.0) -> None:
    """The clock is set ahead, and some seconds later it is right again."""
    clock.step_wall(ahead)
    clock.advance(seconds)
    clock.step_wall(-ahead)


@pytest.mark.parametrize("schedule", [*CALENDARS, EveryDayAtNine()], ids=lambda each: type(each).__name__)
def test_after_a_clock_that_was_years_ahead_calendars_count_from_the_right_time(
    scheduler: Scheduler, clock: ManualClock, events: Events, start: float, schedule: Schedule
) -> None:
    task = Notes(clock)
    handle = scheduler.add_task(schedule, task, "it")
    glitch(clock)

    expected = schedule.next_after(clock.time())
    assert expected is not None
    assert handle.next_run == expected
    assert scheduler.next_time == expected
    assert scheduler.snapshot().tasks[0].next_run == expected
    assert "2028" not in handle.explain()
    clock.advance(DAY)
    assert expected in task.times
    assert task.times[-1] > start


def test_what_comes_again_after_a_correction_runs_again(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Notes(clock)
    scheduler.add_daily_task(9, 0, task, "it", tz="UTC")  # in an hour
    clock.advance(2 * HOUR)
    clock.step_wall(-4 * HOUR)
    clock.advance(4 * HOUR)

    assert task.times == [start + HOUR, start + HOUR]


@pytest.mark.parametrize(
    ("back", "runs"),
    [(HOUR, 1), (3 * HOUR - 1, 1), (3 * HOUR, 1), (3 * HOUR + 1, 2), (9 * DAY, 10)],
)
def test_only_what_goes_back_by_more_than_three_hours_is_a_correction(
    scheduler: Scheduler, clock: ManualClock, back: float, runs: int
) -> None:
    task = Doing()
    scheduler.add_daily_task(9, 0, task, "it", tz="UTC")
    clock.advance(2 * HOUR)
    clock.step_wall(-back)
    clock.advance(back)

    assert task.runs == runs


def test_several_steps_back_add_up(scheduler: Scheduler, clock: ManualClock) -> None:
    """A time server may correct a clock in steps; each further back than the times already shown counts."""
    task = Doing()
    scheduler.add_daily_task(9, 0, task, "it", tz="UTC")
    clock.advance(2 * HOUR)
    for _ in range(2):
        clock.step_wall(-2 * HOUR)
        clock.advance(60)
    clock.advance(4 * HOUR)

    assert task.runs == 2


def test_steps_back_do_not_add_up_once_the_clock_has_caught_up(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    """As when daylight saving ends with a clock that is set by hand, twice."""
    task = Doing()
    scheduler.add_cron_task("*/30 * * * *", task, "it", tz="UTC")
    clock.advance(2 * HOUR + 60)
    for _ in range(2):
        clock.step_wall(-2 * HOUR)
        clock.advance(2 * HOUR)

    assert task.runs == 4


def test_a_clock_that_is_ahead_by_up_to_three_hours_for_a_while_repeats_nothing(
    scheduler: Scheduler, clock: ManualClock, events: Events
) -> None:
    scheduler.add_cron_task("*/30 * * * *", Doing(), "it", tz="UTC")
    glitch(clock, ahead=3 * HOUR)
    clock.advance(4 * HOUR)

    dues = events.dues("it")
    assert len(dues) == len(set(dues))


def test_a_once_that_has_run_stays_done_and_one_to_come_is_still_to_come(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    soon, far = Notes(clock), Notes(clock)
    scheduler.add_timed_task(start + HOUR, soon, "soon")
    scheduler.add_timed_task(start + 3 * YEARS, far, "far")
    glitch(clock)
    clock.advance(4 * YEARS)

    assert soon.times == [start + YEARS]
    assert far.times == [start + 3 * YEARS]


@pytest.mark.parametrize("hold", ["disabled", "paused"])
def test_a_once_that_fell_due_only_by_the_wrong_clock_is_still_to_come(
    scheduler: Scheduler, clock: ManualClock, start: float, hold: str
) -> None:
    task = Notes(clock)
    scheduler.add_timed_task(start + HOUR, task, "it")
    _hold(scheduler, hold)
    clock.step_wall(YEARS)
    scheduler.snapshot()
    clock.step_wall(-YEARS)
    _release(scheduler, hold)
    clock.advance(2 * HOUR)

    assert task.times == [start + HOUR]


def test_a_once_that_was_registered_by_the_wrong_clock_is_due_at_its_time(
    clock: ManualClock, start: float
) -> None:
    clock.step_wall(YEARS)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
    task = Notes(clock)
    scheduler.add_timed_task(start + HOUR, task, "it")
    clock.step_wall(-YEARS)
    with scheduler:
        clock.advance(2 * HOUR)

    assert task.times == [start + HOUR]


@every_calendar
@pytest.mark.parametrize("hold", ["disabled", "paused"])
def test_what_was_disabled_or_paused_meanwhile_counts_from_the_right_time(
    scheduler: Scheduler, clock: ManualClock, schedule: Schedule, hold: str
) -> None:
    task = Doing()
    handle = scheduler.add_task(schedule, task, "it")
    _hold(scheduler, hold)
    clock.step_wall(YEARS)
    scheduler.snapshot()  # counts what has passed, and so looks for what comes next
    clock.step_wall(-YEARS)
    _release(scheduler, hold)

    assert handle.next_run == schedule.next_after(clock.time())
    clock.advance(DAY)
    assert task.runs > 0


def _hold(scheduler: Scheduler, hold: str) -> None:
    assert scheduler.pause() if hold == "paused" else scheduler.disable_task("it")


def _release(scheduler: Scheduler, hold: str) -> None:
    assert scheduler.resume() if hold == "paused" else scheduler.enable_task("it")


@every_calendar
def test_a_run_that_ends_while_the_clock_is_wrong_covers_nothing_of_the_right_time(
    scheduler: Scheduler, clock: ManualClock, schedule: Schedule
) -> None:
    task = Doing(lambda: clock.step_wall(YEARS))
    handle = scheduler.add_task(schedule, task, "it")
    scheduler.run_task_now("it")
    clock.advance(3)
    clock.step_wall(-YEARS)

    assert handle.next_run == schedule.next_after(clock.time())


def test_a_run_that_goes_on_through_the_correction_is_followed_by_what_comes_again(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    """Nobody looks at the clock meanwhile: the task runs from 9 to 13 o'clock, when it is set to 8."""
    task = Takes(clock, 4 * HOUR)
    scheduler.add_daily_task(9, 0, task, "it", tz="UTC")
    clock.advance(HOUR)
    clock.step_wall(-5 * HOUR)
    clock.advance(2 * HOUR)

    assert task.starts == [start + HOUR, start + HOUR]


def test_a_step_that_only_a_command_sees_is_seen(clock: ManualClock, start: float) -> None:
    """A program that is not started yet: no loop looks at the clock."""
    clock.step_wall(YEARS)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
    handle = scheduler.add_daily_task(9, 0, Doing(), "it", tz="UTC")
    clock.step_wall(-YEARS)

    assert handle.next_run == start + HOUR
    scheduler.stop()


def test_a_retry_keeps_its_delay_and_the_calendar_counts_anew(
    scheduler: Scheduler, clock: ManualClock, events: Events, start: float
) -> None:
    handle = scheduler.add_daily_task(9, 0, fail, "it", tz="UTC", retries=1, retry_delay=60)
    clock.step_wall(YEARS)
    clock.advance(3)
    clock.step_wall(-YEARS)

    assert handle.next_run == start + 60
    clock.advance(57)
    assert [outcome.attempt for outcome in events.outcomes("it")] == [1, 2]
    assert handle.next_run == start + HOUR


def test_periodic_tasks_do_not_notice(scheduler: Scheduler, clock: ManualClock, start: float) -> None:
    handle = scheduler.add_periodic_task(None, 600, Doing(), "it")
    glitch(clock)
    assert handle.next_run == start + 600
    clock.advance(3600)

    assert handle.run_count == 7


def test_each_step_is_reported_once_by_the_first_reading(
    scheduler: Scheduler, clock: ManualClock, events: Events
) -> None:
    scheduler.add_daily_task(9, 0, Doing(), "it", tz="UTC")
    glitch(clock)
    scheduler.snapshot()

    assert [event.seconds for event in events.of(ClockJumped)] == [YEARS, -YEARS]


def test_the_delay_of_the_loop_is_measured_after_a_correction_too(clock: ManualClock, start: float) -> None:
    """A machine that begins in the wrong year: what is due afterwards waited for nobody."""
    clock.step_wall(YEARS)
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        clock.step_wall(-YEARS)
        scheduler.add_periodic_task(None, 60, Doing(), "it")
        clock.advance(60)

        assert scheduler.snapshot().figures.lateness_p99 == 0


def test_a_schedule_that_raises_for_the_wrong_time_goes_on_after_it(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    class Limited(EveryDayAtNine):
        def next_after(self, instant: float) -> float | None:
            if instant > start + YEARS:
                raise OverflowError("no such year is known")
            return super().next_after(instant)

    task = Notes(clock)
    handle = scheduler.add_task(Limited(), task, "it")
    glitch(clock)

    assert handle.next_run == start + HOUR
    clock.advance(HOUR)
    assert task.times == [start + YEARS, start + HOUR]


def test_the_last_run_of_all_stays_the_last(scheduler: Scheduler, clock: ManualClock) -> None:
    task = Doing()
    scheduler.add_daily_task(9, 0, task, "it", tz="UTC", max_runs=1)
    glitch(clock)
    clock.advance(3 * DAY)

    assert task.runs == 1
    assert scheduler.handle("it") is None


def test_a_task_that_sets_its_own_schedule_while_the_clock_is_wrong(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    scheduler.add_on_demand_task(lambda: current_run().handle.reschedule(Daily(9, 0, "UTC")), "it")
    clock.step_wall(YEARS)
    scheduler.run_task_now("it")
    clock.step_wall(-YEARS)

    assert scheduler.next_time == start + HOUR


def test_a_clock_set_by_hand_to_three_hours_ago_is_no_correction() -> None:
    steps = ClockSteps(Instant(1e9, 50.0))
    step = steps.note(Instant(1e9 + 60 - 3 * HOUR - 0.02, 110.0))

    assert step is not None
    assert step.seconds == pytest.approx(-3 * HOUR - 0.02)
    assert not step.corrects


def test_a_clock_that_was_set_back_while_the_machine_slept() -> None:
    """How long it slept does not count: four hours back are four hours."""
    steps = ClockSteps(Instant(1e9, 0.0))
    step = steps.note(Instant(1e9 + 2 * HOUR - 4 * HOUR, 2 * HOUR))

    assert step is not None
    assert step.corrects


def test_what_is_slewed_is_no_step() -> None:
    steps = ClockSteps(Instant(1e9, 0.0))

    assert all(steps.note(Instant(1e9 + 60.0 * k - 0.03 * k, 60.0 * k)) is None for k in range(1, 1000))


# Against a second opinion


class Opinion:
    """What a task that is due every so many seconds of the wall clock should have done; written anew."""

    def __init__(self, clock: ManualClock, period: float) -> None:
        self.clock = clock
        self.period = period
        self.dues: list[float] = []
        self.missed = 0
        self.highest = self.wall = clock.time()
        self.next = self._after(self.wall)

    def _after(self, wall: float) -> float:
        return (floor(wall / self.period) + 1) * self.period

    def advance(self, seconds: float) -> None:
        end = self.wall + seconds
        while self.next <= end:
            self.dues.append(self.next)
            self.next += self.period
        self._show(end)

    def stall(self, seconds: float) -> None:
        self._show(self.wall + seconds)
        self._late()

    def step_wall(self, seconds: float) -> None:
        self.wall += seconds
        if self.wall < self.highest - 3 * HOUR:
            self.highest = self.wall
            self.next = self._after(self.wall)
        self._show(self.wall)
        self._late()

    def _show(self, wall: float) -> None:
        self.wall = wall
        self.highest = max(self.highest, wall)

    def _late(self) -> None:
        if self.next <= self.wall:
            self.dues.append(self.next)
            after = self._after(self.wall)
            self.missed += round((after - self.next) / self.period) - 1
            self.next = after


MOVES = st.tuples(st.sampled_from(["advance", "stall"]), st.sampled_from([1, 59, 3600, 5000, 10_000, 90_000]))
SETS = st.tuples(
    st.just("step_wall"),
    st.sampled_from([1, 3600, 10_801, 90_000, 10_000_000]).flatmap(lambda by: st.sampled_from([by, -by])),
)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([("*/30 * * * *", 1800), ("0 * * * *", 3600), ("0 0 * * *", 86_400)]),
    st.lists(MOVES | SETS, max_size=12),
)
def test_whatever_is_done_to_the_clock_a_second_opinion_is_the_same(
    times: tuple[str, int], actions: list[tuple[str, int]]
) -> None:
    clock = ManualClock(datetime(2027, 1, 15, 8, 7, tzinfo=UTC).timestamp())
    opinion = Opinion(clock, times[1])
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        events = Events(scheduler.subscribe)
        handle = scheduler.add_cron_task(times[0], Doing(), "it", tz="UTC")
        for what, seconds in actions:
            getattr(clock, what)(seconds)
            getattr(opinion, what)(seconds)
            assert handle.next_run == opinion.next
        assert events.dues("it") == opinion.dues
        assert events.skips("it").get(SkipReason.MISSED, 0) == opinion.missed


class StepsClock(SystemClock):
    """The clock of the machine, of which a test sets the wall clock."""

    __slots__ = ("ahead",)

    def __init__(self) -> None:
        object.__setattr__(self, "ahead", [0.0])

    def time(self) -> float:
        return super().time() + self.ahead[0]

    def now(self) -> Instant:
        wall, steady = super().now()
        return Instant(wall + self.ahead[0], steady)


def test_the_loop_notices_it_by_itself() -> None:
    """On real threads: it looks at the wall clock once a second while a calendar waits."""
    clock = StepsClock()
    with Scheduler(clock=clock, capture=False) as scheduler:
        events = Events(scheduler.subscribe)
        scheduler.add_cron_task("0 0 1 1 *", Doing(), "it", tz="UTC")
        clock.ahead[0] = 3 * 365 * DAY
        eventually(lambda: events.dues("it"))
        clock.ahead[0] = 0.0
        eventually(lambda: len(events.of(ClockJumped)) == 2)

        upcoming = scheduler.scheduled["it"].next_run
    assert upcoming is not None
    assert 0 < upcoming - clock.time() < 366 * DAY
