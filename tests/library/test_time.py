"""Section 4 of the contract: T1 to T7, through a scheduler."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from math import inf
from threading import Event as Flag
from zoneinfo import ZoneInfo

import pytest
from doing import Doing, Notes, Takes
from recorder import Events

import taskkit.clock
from taskkit import (
    ClockJumped,
    Cron,
    Daily,
    Every,
    Once,
    RunSkipped,
    Schedule,
    Scheduler,
    SkipReason,
    TaskState,
    current_run,
)
from taskkit.clock import (
    LONGEST_WAIT_SECONDS,
    WALL_CLOCK_CHECK_SECONDS,
    LockGate,
    NextLook,
    SystemClock,
    ThreadAlarm,
)
from taskkit.engine.threads import Job
from taskkit.testing import InlineExecutor, ManualClock

HOUR = 3600.0
DAY = 86_400.0
STEPS = (-DAY, -HOUR, HOUR, DAY)

every_step = pytest.mark.parametrize("step", STEPS, ids=["-1 day", "-1 hour", "+1 hour", "+1 day"])


def epoch(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def scheduler_at(instant: float) -> tuple[Scheduler, ManualClock]:
    clock = ManualClock(instant)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
    scheduler.start()
    return scheduler, clock


class TestT1TheGrid:
    def test_there_is_no_drift(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        """T1: added up, 0.1 s would be off after so many runs."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 0.1, task, "it")
        handle = scheduler.handle("it")
        assert handle is not None

        clock.advance(1000)

        assert handle.run_count == 10_001
        assert task.times[-1] == pytest.approx(start + 1000, abs=1e-6)

    def test_lateness_does_not_move_the_grid(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """T1."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(5)
        clock.stall(7)
        clock.advance(8)

        assert task.times == [start, start + 12, start + 20]

    def test_how_long_a_run_takes_does_not_move_the_grid(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """T1."""
        task = Takes(clock, 4)
        scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(30)

        assert task.starts == [start, start + 10, start + 20, start + 30]

    def test_what_falls_due_at_one_instant_starts_in_the_order_of_registration(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        ran: list[str] = []
        for name in "abc":
            scheduler.add_periodic_task(None, 10, lambda name=name: ran.append(name), name)
        clock.advance(0)

        assert ran == ["a", "b", "c"]


class TestT2NoOverlap:
    def test_due_times_covered_by_a_long_run_are_skipped_counted_and_reported(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T2."""
        task = Takes(clock, 25)
        handle = scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(0)

        assert handle.next_run == start + 30
        assert [(e.reason, e.count, e.first_due, e.last_due) for e in events.of(RunSkipped)] == [
            (SkipReason.OVERLAP, 2, start + 10, start + 20)
        ]

    def test_the_next_run_is_on_the_next_grid_point_after_the_finish(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """T2."""
        task = Takes(clock, 25)
        scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(60)

        assert task.starts == [start, start + 30, start + 60]

    def test_a_due_time_at_the_very_finish_is_covered_too(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """T2: the next grid point *after* the finish."""
        task = Takes(clock, 20)
        scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(30)

        assert task.starts == [start, start + 30]

    def test_a_daily_task_is_not_run_twice_at_once(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T2."""
        task = Takes(clock, 2.5 * DAY)
        handle = scheduler.add_daily_task(9, 0, task, "it", tz="UTC")
        clock.advance(HOUR)

        assert task.starts == [start + HOUR]
        assert handle.next_run == start + HOUR + 3 * DAY
        assert events.skips("it") == {SkipReason.OVERLAP: 2}

    def test_while_one_runs_long_the_others_keep_their_times(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        long, short = Takes(clock, 25), Notes(clock)
        scheduler.add_periodic_task(start, 100, long, "long")
        scheduler.add_periodic_task(start + 5, 10, short, "short")
        clock.advance(30)

        assert short.times == [start + 5, start + 15, start + 25]


class TestT3Late:
    def test_after_a_stall_it_runs_once_for_the_first_missed_due_time(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T3."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(5)
        clock.stall(40)  # 10, 20, 30 and 40 pass

        assert task.times == [start, start + 45]
        outcome = events.outcomes("it")[-1]
        assert (outcome.due, outcome.started, outcome.lateness) == (start + 10, start + 45, 35)
        assert dict(outcome.skipped) == {SkipReason.MISSED: 3}
        assert events.skips("it") == {SkipReason.MISSED: 3}

    def test_then_it_is_back_on_its_grid(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """T3."""
        handle = scheduler.add_periodic_task(start, 10, Doing(), "it")
        clock.advance(5)
        clock.stall(40)

        assert handle.next_run == start + 50

    def test_a_daily_task_missed_on_friday_runs_on_monday_morning_once(self) -> None:
        """T3: however late."""
        scheduler, clock = scheduler_at(epoch("2026-11-20 01:00", "Europe/Berlin"))  # a Friday
        with scheduler:
            task = Notes(clock)
            handle = scheduler.add_daily_task(3, 30, task, "it", tz="Europe/Berlin")
            clock.stall(3 * DAY + 7 * HOUR)

            assert task.times == [epoch("2026-11-23 08:00", "Europe/Berlin")]
            outcome = handle.last_outcome
            assert outcome is not None
            assert outcome.due == epoch("2026-11-20 03:30", "Europe/Berlin")
            assert dict(outcome.skipped) == {SkipReason.MISSED: 3}
            assert handle.next_run == epoch("2026-11-24 03:30", "Europe/Berlin")

    def test_a_once_runs_late(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T3."""
        task = Notes(clock)
        scheduler.add_timed_task(start + 10, task, "it")
        clock.stall(DAY)

        assert task.times == [start + DAY]
        assert events.outcomes("it")[0].lateness == DAY - 10

    def test_without_catch_up_what_was_missed_is_skipped(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T3: `catch_up=False`."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 10, task, "it", catch_up=False)
        clock.advance(5)
        clock.stall(40)
        clock.advance(5)

        assert task.times == [start, start + 50]
        assert events.skips("it") == {SkipReason.MISSED: 4}

    def test_without_catch_up_what_is_due_right_now_was_not_missed(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T3: the stall ends in the moment of a due time."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 10, task, "it", catch_up=False)
        clock.advance(5)
        clock.stall(35)

        assert task.times == [start, start + 40]
        assert events.outcomes("it")[-1].lateness == 0
        assert events.outcomes("it")[-1].due == start + 40
        assert events.skips("it") == {SkipReason.MISSED: 3}

    def test_without_catch_up_no_start_is_later_than_a_short_period(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T3: what a second counts for depends on the period."""
        task = Notes(clock)
        scheduler.add_periodic_task(start + 0.25, 0.25, task, "it", catch_up=False)
        clock.stall(0.875)

        assert events.dues("it") == [start + 0.75]
        assert events.outcomes("it")[0].lateness == 0.125
        assert events.skips("it") == {SkipReason.MISSED: 2}

    def test_without_catch_up_a_missed_once_is_counted_and_gone(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T3."""
        task = Doing()
        handle = scheduler.add_timed_task(start + 10, task, "it", catch_up=False)
        clock.stall(HOUR)

        assert task.runs == 0
        assert handle.state is TaskState.GONE
        assert events.skips("it") == {SkipReason.MISSED: 1}

    def test_without_catch_up_a_daily_task_waits_for_its_next_day(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T3."""
        task = Notes(clock)
        scheduler.add_daily_task(9, 0, task, "it", tz="UTC", catch_up=False)
        clock.stall(2 * DAY)
        clock.advance(DAY)

        assert task.times == [start + HOUR + 2 * DAY]
        assert events.skips("it") == {SkipReason.MISSED: 2}


class TestT4TwoClocks:
    @every_step
    def test_a_periodic_task_neither_bursts_nor_starves(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, step: float
    ) -> None:
        """T4."""
        handle = scheduler.add_periodic_task(None, 60, Doing(), "it")
        clock.advance(30)
        clock.step_wall(step)
        assert handle.run_count == 1
        clock.advance(600)

        assert handle.run_count == 11
        assert events.skips("it") == {}

    @pytest.mark.parametrize("step", [-HOUR, HOUR])
    def test_once_for_now_starts_at_once_whatever_the_clock_is_set_to_before_the_start(
        self, clock: ManualClock, start: float, step: float
    ) -> None:
        """T4, section 2: it is due at the moment of its registration."""
        task = Notes(clock)
        scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
        scheduler.add_timed_task(None, task, "it")
        clock.step_wall(step)
        assert scheduler.next_time == start + step
        with scheduler:
            clock.advance(0)

        assert task.times == [start + step]

    def test_once_for_now_starts_after_the_run_before_it_whatever_the_clock_is_set_to(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """T4, R6."""
        task = Doing()

        def replace() -> None:
            scheduler.add_timed_task(None, task, "it")
            clock.step_wall(-HOUR)
            clock.advance(5)

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")
        clock.advance(0)

        assert task.runs == 1
        assert events.outcomes("it")[-1].lateness == 5

    @every_step
    def test_its_epoch_figures_follow_the_present_offset(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float, step: float
    ) -> None:
        """T4."""
        handle = scheduler.add_periodic_task(start, 60, Doing(), "it")
        clock.advance(30)
        clock.step_wall(step)

        assert handle.next_run == start + 60 + step
        assert scheduler.next_time == start + 60 + step
        assert scheduler.snapshot().tasks[0].next_run == start + 60 + step
        clock.advance(30)
        assert events.dues("it") == [start, start + 60 + step]
        assert events.outcomes("it")[-1].lateness == 0

    @pytest.mark.parametrize("step", [HOUR, DAY])
    def test_a_step_forward_makes_a_once_due(
        self, scheduler: Scheduler, clock: ManualClock, start: float, step: float
    ) -> None:
        """T4: it follows the wall clock."""
        task = Notes(clock)
        scheduler.add_timed_task(start + 1800, task, "it")
        clock.advance(10)
        clock.step_wall(step)

        assert task.times == [start + 10 + step]

    @pytest.mark.parametrize("step", [-HOUR, -DAY])
    def test_a_step_back_lets_a_once_wait_for_its_time_on_the_wall(
        self, scheduler: Scheduler, clock: ManualClock, start: float, step: float
    ) -> None:
        """T4."""
        task = Notes(clock)
        scheduler.add_timed_task(start + 1800, task, "it")
        clock.advance(10)
        clock.step_wall(step)
        clock.advance(1790 - step)

        assert task.times == [start + 1800]

    @pytest.mark.parametrize("schedule", [Daily(9, 0, "UTC"), Cron("0 9 * * *", "UTC")], ids=str)
    def test_a_step_forward_over_a_calendar_due_time_runs_it_once_late(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float, schedule: Schedule
    ) -> None:
        """T3, T4."""
        task = Notes(clock)
        scheduler.add_task(schedule, task, "it")
        clock.step_wall(2 * DAY)
        clock.advance(DAY)

        assert task.times == [start + 2 * DAY, start + HOUR + 2 * DAY]
        assert dict(events.outcomes("it")[0].skipped) == {SkipReason.MISSED: 1}

    @pytest.mark.parametrize("step", [-HOUR, -3 * HOUR])
    @pytest.mark.parametrize("schedule", [Daily(9, 0, "UTC"), Cron("*/30 * * * *", "UTC")], ids=str)
    def test_a_calendar_instant_never_runs_twice_because_the_clock_went_back(
        self,
        scheduler: Scheduler,
        clock: ManualClock,
        events: Events,
        schedule: Schedule,
        step: float,
    ) -> None:
        """T4."""
        scheduler.add_task(schedule, Doing(), "it")
        clock.advance(2 * HOUR)
        before = events.dues("it")
        assert before
        clock.step_wall(step)
        clock.advance(2 * HOUR - step)

        dues = events.dues("it")
        assert len(dues) == len(set(dues))
        assert dues[: len(before)] == before
        assert len(dues) > len(before) or isinstance(schedule, Daily)

    def test_a_once_that_has_run_does_not_run_again_when_the_clock_goes_back(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """T4."""
        task = Doing()
        scheduler.add_timed_task(start + 10, task, "it")
        clock.advance(20)
        clock.step_wall(-HOUR)
        clock.advance(2 * HOUR)

        assert task.runs == 1

    @every_step
    def test_a_timeout_and_a_retry_follow_the_steady_clock(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float, step: float
    ) -> None:
        def fail_and_step() -> None:
            clock.step_wall(step)
            raise RuntimeError("once")

        scheduler.add_on_demand_task(Doing(fail_and_step), "it", retries=1, retry_delay=30)
        scheduler.run_task_now("it")
        clock.advance(29)
        assert len(events.outcomes("it")) == 1
        clock.advance(1)

        first, second = events.outcomes("it")
        assert first.duration == 0
        assert second.lateness == 0
        assert second.started == start + 30 + step

    @every_step
    def test_a_disabled_periodic_task_does_not_count_the_step(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, step: float
    ) -> None:
        """T4, O4."""
        scheduler.add_periodic_task(None, 60, Doing(), "it")
        scheduler.disable_task("it")
        clock.advance(30)
        clock.step_wall(step)
        scheduler.enable_task("it")

        assert events.skips("it") == {SkipReason.DISABLED: 1}

    @every_step
    def test_clock_jumped_says_how_far(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float, step: float
    ) -> None:
        """T4."""
        clock.advance(10)
        clock.step_wall(step)
        clock.advance(10)

        assert [(event.at, event.seconds) for event in events.of(ClockJumped)] == [(start + 10 + step, step)]

    def test_a_stall_is_no_jump(self, scheduler: Scheduler, clock: ManualClock, events: Events) -> None:
        """T4: suspended time counts for both clocks."""
        clock.stall(DAY)

        assert events.of(ClockJumped) == []

    def test_a_schedule_of_ones_own_may_follow_the_steady_clock(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T4: what is neither a calendar nor a grid is told in epoch seconds all the same."""

        class Doubling(Schedule):
            """At 1, 2, 4, 8 … seconds after it was made."""

            follows_wall_clock = False
            repeats = True

            def next_after(self, instant: float) -> float | None:
                return next((start + 2**k for k in range(20) if start + 2**k > instant), None)

        handle = scheduler.add_task(Doubling(), Doing(), "it")
        assert handle.next_run == start + 1
        clock.advance(3)
        clock.step_wall(HOUR)
        clock.advance(5)

        assert events.dues("it") == [start + 1, start + 2, start + 4 + HOUR, start + 8 + HOUR]
        scheduler.disable_task("it")
        clock.advance(60)
        scheduler.enable_task("it")
        assert events.skips("it") == {SkipReason.DISABLED: 3}  # 16, 32 and 64
        assert handle.next_run == start + 128 + HOUR


class TestT5DaylightSaving:
    def test_a_time_that_does_not_exist_runs_at_the_first_instant_after_the_gap(self) -> None:
        """T5."""
        scheduler, clock = scheduler_at(epoch("2027-03-27 12:00", "Europe/Berlin"))
        with scheduler:
            task = Notes(clock)
            scheduler.add_daily_task(2, 30, task, "it", tz="Europe/Berlin")
            clock.advance(2 * DAY)

            assert task.times == [
                epoch("2027-03-28 03:00", "Europe/Berlin"),
                epoch("2027-03-29 02:30", "Europe/Berlin"),
            ]

    def test_a_time_that_exists_twice_runs_the_first_time_only(self) -> None:
        """T5."""
        scheduler, clock = scheduler_at(epoch("2026-10-24 12:00", "Europe/Berlin"))
        with scheduler:
            task = Notes(clock)
            scheduler.add_daily_task(2, 30, task, "it", tz="Europe/Berlin")
            clock.advance(2 * DAY)

            assert task.times == [
                epoch("2026-10-25 02:30", "Europe/Berlin"),
                epoch("2026-10-26 02:30", "Europe/Berlin"),
            ]

    def test_the_hour_on_the_wall_stays_through_a_year(self) -> None:
        """T5."""
        zone = ZoneInfo("America/Santiago")
        scheduler, clock = scheduler_at(epoch("2026-01-01 12:00", "America/Santiago"))
        with scheduler:
            task = Notes(clock)
            scheduler.add_daily_task(3, 30, task, "it", tz="America/Santiago")
            clock.advance(365 * DAY)

            shown = {datetime.fromtimestamp(instant, zone).strftime("%H:%M:%S") for instant in task.times}
            assert shown == {"03:30:00"}
            assert len(task.times) == 365

    def test_a_whole_day_that_is_skipped_is_one_gap(self) -> None:
        """T5: Apia had no 30 December 2011."""
        scheduler, clock = scheduler_at(epoch("2011-12-29 12:00", "Pacific/Apia"))
        with scheduler:
            task = Notes(clock)
            scheduler.add_daily_task(0, 0, task, "it", tz="Pacific/Apia")
            clock.advance(2 * DAY)

            assert task.times == [
                epoch("2011-12-31 00:00", "Pacific/Apia"),
                epoch("2012-01-01 00:00", "Pacific/Apia"),
            ]

    def test_cron_with_fixed_minute_and_hour_goes_with_daily_and_wildcards_with_elapsed_time(self) -> None:
        """T5: Debian's rule."""
        scheduler, clock = scheduler_at(epoch("2026-10-24 23:50", "Europe/Berlin"))
        with scheduler:
            fixed, wildcard = Notes(clock), Notes(clock)
            scheduler.add_cron_task("30 2 * * *", fixed, "fixed", tz="Europe/Berlin")
            scheduler.add_cron_task("30 * * * *", wildcard, "wildcard", tz="Europe/Berlin")
            clock.advance(5 * HOUR)  # to 03:50, as 02:00 to 03:00 exists twice

            assert fixed.times == [epoch("2026-10-25 02:30", "Europe/Berlin")]
            assert [after - before for before, after in pairwise(wildcard.times)] == [HOUR] * 4

    def test_daily_fires_on_the_full_minute(self, scheduler: Scheduler, clock: ManualClock) -> None:
        """T5."""
        clock.advance(12.345)
        task = Notes(clock)
        scheduler.add_daily_task(9, 15, task, "it", tz="UTC")
        clock.advance(2 * DAY)

        shown = [datetime.fromtimestamp(instant, UTC).strftime("%H:%M:%S") for instant in task.times]
        assert shown == ["09:15:00", "09:15:00"]


class TestT6ThePast:
    def test_a_start_in_the_past_is_due_now_and_then_on_its_grid(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T6."""
        task = Notes(clock)
        scheduler.add_periodic_task(start - 1234, 100, task, "it")
        clock.advance(200)

        assert task.times == [start, start + 66, start + 166]
        assert events.skips("it") == {}

    def test_lateness_counts_from_the_registration(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T6."""
        scheduler.add_periodic_task(start - DAY, 100, Doing(), "periodic")
        scheduler.add_timed_task(start - DAY, Doing(), "timed")
        clock.stall(2)

        for name in ("periodic", "timed"):
            assert events.outcomes(name)[0].lateness == 2
            assert events.outcomes(name)[0].due == start
            assert dict(events.outcomes(name)[0].skipped) == {}

    @pytest.mark.parametrize(
        "when",
        [
            None,
            1_800_000_000 - 5,
            datetime.fromtimestamp(1_800_000_000 - 5),
            datetime.fromtimestamp(1_800_000_000 - 5, UTC),
        ],
        ids=["None", "seconds", "naive", "aware"],
    )
    def test_a_start_may_be_said_in_many_ways(
        self, scheduler: Scheduler, clock: ManualClock, when: float | datetime | None, start: float
    ) -> None:
        """Section 2."""
        task = Notes(clock)
        scheduler.add_periodic_task(when, timedelta(seconds=10), task, "periodic")
        scheduler.add_timed_task(when, task, "timed")
        clock.advance(0)

        assert task.times == [start, start]

    def test_a_datetime_in_the_future(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        """Section 2: a naive one means local time."""
        handle = scheduler.add_timed_task(datetime.fromtimestamp(start + 90), Doing(), "naive")
        assert handle.next_run == start + 90
        handle = scheduler.add_timed_task(datetime.fromtimestamp(start + 90, UTC), Doing(), "aware")
        assert handle.next_run == start + 90


class RecordingGate(LockGate):
    """A gate that never makes anybody wait, and remembers for how long it was asked to."""

    waits: list[float | None]

    def wait(self, timeout: float | None) -> bool:
        self.waits.append(timeout)
        return False


@pytest.fixture
def alarm_waits(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[NextLook]], list[float | None]]:
    """How long an alarm of the system's clock waits, given what each ring answers; at 100 s by its clock."""

    def waits_after(looks: list[NextLook]) -> list[float | None]:
        waits: list[float | None] = []
        monkeypatch.setattr(RecordingGate, "waits", waits, raising=False)
        answers = iter(looks)

        def ring() -> NextLook:
            look = next(answers, None)
            if look is None:
                alarm._closed = True
                return NextLook(0, watches_wall_clock=False)
            return look

        with monkeypatch.context() as patch:
            patch.setattr(taskkit.clock, "LockGate", RecordingGate)
            alarm = ThreadAlarm(lambda: 100.0, ring, "alarm")
        alarm.start()
        alarm._thread.join(5)
        return waits

    return waits_after


@pytest.fixture
def looks(clock: ManualClock, scheduler: Scheduler) -> Callable[[], NextLook]:
    """Let the scheduler look, and see what it answers to its alarm."""
    (alarm,) = clock._alarms
    return alarm._ring


@pytest.fixture
def wakes(clock: ManualClock, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one each time the scheduler wakes its alarm."""
    wakes: list[None] = []
    (alarm,) = clock._alarms
    monkeypatch.setattr(alarm, "reset", lambda: wakes.append(None))
    return wakes


class TestT7Exactness:
    def test_the_alarm_sleeps_until_the_next_instant(
        self, alarm_waits: Callable[[list[NextLook]], list[float | None]]
    ) -> None:
        """T7."""
        assert alarm_waits([NextLook(103.5, watches_wall_clock=False)]) == [3.5]

    def test_with_nothing_to_wait_for_it_sleeps_until_a_reset(
        self, alarm_waits: Callable[[list[NextLook]], list[float | None]]
    ) -> None:
        """T7: it never polls."""
        assert alarm_waits([NextLook(None, watches_wall_clock=False)]) == [None]

    def test_what_is_due_is_not_waited_for(
        self, alarm_waits: Callable[[list[NextLook]], list[float | None]]
    ) -> None:
        """T7."""
        assert alarm_waits([NextLook(100.0, watches_wall_clock=False)]) == []

    def test_only_for_the_wall_clock_it_looks_once_a_second(
        self, alarm_waits: Callable[[list[NextLook]], list[float | None]]
    ) -> None:
        """T7, T4."""
        assert WALL_CLOCK_CHECK_SECONDS == 1.0
        assert alarm_waits([NextLook(103.5, True), NextLook(100.25, True)]) == [1.0, 0.25]

    def test_a_suspended_machine_is_noticed_within_a_minute(
        self, alarm_waits: Callable[[list[NextLook]], list[float | None]]
    ) -> None:
        """T4: a timed wait does not count the time that the machine was suspended."""
        assert alarm_waits([NextLook(100 + DAY, False), NextLook(inf, False)]) == [
            LONGEST_WAIT_SECONDS,
            LONGEST_WAIT_SECONDS,
        ]

    def test_it_looks_at_the_wall_clock_only_while_something_waits_for_that(
        self, scheduler: Scheduler, looks: Callable[[], NextLook], start: float
    ) -> None:
        """T7: the one exception."""
        told = [looks()]
        scheduler.add_periodic_task(start + 60, 10, Doing(), "periodic")
        told.append(looks())
        scheduler.add_daily_task(9, 0, Doing(), "daily", tz="UTC")
        told.append(looks())
        scheduler.disable_task("daily")
        told.append(looks())
        scheduler.enable_task("daily")
        scheduler.pause()
        told.append(looks())

        assert told == [(None, False), (60, False), (60, True), (60, False), (None, False)]

    def test_what_is_due_sooner_wakes_it_and_nothing_else_does(
        self, scheduler: Scheduler, looks: Callable[[], NextLook], wakes: list[None], start: float
    ) -> None:
        """T7."""

        def woken_by(command: Callable[[], object]) -> bool:
            looks()
            wakes.clear()
            command()
            return bool(wakes)

        first = partial(scheduler.add_periodic_task, start + 60, 100, Doing(), "it")
        assert woken_by(first)
        assert not woken_by(lambda: scheduler.add_periodic_task(start + 70, 10, Doing(), "later"))
        assert not woken_by(lambda: scheduler.add_on_demand_task(Doing(), "on demand"))
        assert not woken_by(lambda: scheduler.run_task_now("on demand"))
        assert not woken_by(lambda: scheduler.disable_task("it"))
        assert woken_by(lambda: scheduler.enable_task("it"))
        assert woken_by(lambda: scheduler.add_timed_task(start + 50, Doing(), "sooner"))
        assert woken_by(lambda: scheduler.reschedule_task("later", Every(20)))
        assert not woken_by(scheduler.pause)
        assert woken_by(scheduler.resume)

    def test_the_end_of_a_runs_time_wakes_it_too(
        self, scheduler: Scheduler, looks: Callable[[], NextLook], wakes: list[None], start: float
    ) -> None:
        """T7: also where that is sooner than everything else."""
        told: list[int] = []
        scheduler.add_periodic_task(start + 60, 100, Doing(), "it")
        scheduler.add_on_demand_task(lambda: told.append(len(wakes)), "timed", timeout=5)
        scheduler.add_on_demand_task(lambda: told.append(len(wakes)), "slow", timeout=500)
        for name in ("timed", "slow"):
            looks()
            wakes.clear()
            scheduler.run_task_now(name)

        assert told == [1, 0]

    def test_an_earlier_addition_wakes_a_sleeping_scheduler(self) -> None:
        """T7: without the wake-up it would sleep for an hour."""
        ran = Flag()
        with Scheduler(capture=False) as scheduler:
            scheduler.add_periodic_task(time.time() + HOUR, HOUR, Doing(), "later")
            scheduler.add_timed_task(None, ran.set, "sooner")

            assert ran.wait(60)

    @pytest.mark.parametrize(
        "hasten",
        [
            lambda scheduler: scheduler.set_period("it", 0.01),
            lambda scheduler: scheduler.reschedule_task("it", Every(0.01)),
            lambda scheduler: scheduler.reschedule_task("it", Once(0)),
            lambda scheduler: scheduler.add_periodic_task(None, 60, scheduler.handle("it").task, "it"),
        ],
        ids=["set_period", "reschedule to a period", "reschedule to once", "replace"],
    )
    def test_so_does_every_command_that_makes_something_due_sooner(
        self, hasten: Callable[[Scheduler], object]
    ) -> None:
        """T7, R7."""
        ran_again = Flag()
        ran = Flag()

        def note() -> None:
            (ran_again if ran.is_set() else ran).set()

        with Scheduler(capture=False) as scheduler:
            scheduler.add_periodic_task(None, HOUR, note, "it")
            assert ran.wait(60)
            hasten(scheduler)

            assert ran_again.wait(60)

    def test_so_does_the_resume(self) -> None:
        """T7."""
        ran = Flag()
        with Scheduler(capture=False) as scheduler:
            scheduler.pause()
            scheduler.add_periodic_task(time.time() + 0.05, HOUR, Doing(), "later")
            scheduler.resume()
            scheduler.add_timed_task(time.time() + 0.05, ran.set, "sooner")

            assert ran.wait(60)

    def test_the_end_of_a_run_wakes_no_thread_as_the_next_due_time_is_known_when_it_begins(
        self, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """T7: on a machine at rest it is the wake-ups that cost."""
        jobs: list[Job] = []
        executor = InlineExecutor()
        monkeypatch.setattr(executor, "submit", jobs.extend)
        scheduler = Scheduler(clock=clock, threads=executor, capture=False)
        scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.start()
        (alarm,) = clock._alarms
        look = alarm._ring()
        assert look.at == clock.monotonic() + 10
        wakes: list[None] = []
        monkeypatch.setattr(alarm, "reset", lambda: wakes.append(None))
        (job,) = jobs
        job[1]()
        assert scheduler.scheduled["it"].run_count == 1
        assert wakes == []

    def test_the_systems_clock_has_two_clocks(self) -> None:
        """T4."""
        clock = SystemClock()

        assert abs(clock.time() - time.time()) < 5
        before = clock.monotonic()
        assert clock.monotonic() >= before
        if hasattr(time, "CLOCK_BOOTTIME"):
            assert abs(clock.monotonic() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5

    def test_it_is_the_next_due_time_of_all(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """T7."""
        told = [scheduler.next_time]
        scheduler.add_periodic_task(start + 50, 10, Doing(), "later")
        told.append(scheduler.next_time)
        scheduler.add_timed_task(start + 20, Doing(), "sooner")
        told.append(scheduler.next_time)
        scheduler.disable_task("sooner")
        told.append(scheduler.next_time)
        scheduler.pause()
        told.append(scheduler.next_time)

        assert told == [None, start + 50, start + 20, start + 50, None]

    def test_it_may_follow_a_run_that_goes_on(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """T2: it is the same as the handles tell, also where a run covers due times."""
        told: list[float | None] = []

        def look() -> None:
            for _ in range(2):
                told.extend((scheduler.next_time, current_run().handle.next_run))
                clock.advance(15)

        scheduler.add_periodic_task(None, 10, Doing(look), "it")
        clock.advance(0)

        assert told == [start + 10, start + 10, start + 20, start + 20]

    def test_nothing_follows_the_last_run(self, scheduler: Scheduler, clock: ManualClock) -> None:
        told: list[float | None] = []

        def look() -> None:
            told.extend((scheduler.next_time, current_run().handle.next_run))

        scheduler.add_periodic_task(None, 10, Doing(look), "it", max_runs=1)
        clock.advance(0)

        assert told == [None, None]

    def test_it_may_wait_for_the_run_before(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R6."""
        told: list[float | None] = []

        def replace() -> None:
            scheduler.add_timed_task(start + 7, Doing(), "it")
            clock.advance(10)
            told.append(scheduler.next_time)

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")

        assert told == [start + 7]

    def test_it_leaves_the_jitter_out(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        """Section 6."""
        scheduler.add_periodic_task(start + 50, 50, Doing(), "it", jitter=40)
        scheduler.add_periodic_task(start + 70, 50, Doing(), "other")
        told = [scheduler.next_time]
        scheduler.disable_task("it")
        told.append(scheduler.next_time)
        scheduler.enable_task("it")
        told.append(scheduler.next_time)
        clock.advance(95)
        told.append(scheduler.next_time)

        assert told == [start + 50, start + 70, start + 50, start + 100]


class TestTimesThatTheWallClockReachesTwice:
    @pytest.mark.parametrize("command", ["disable_task", "pause"])
    def test_a_once_that_waits_visibly_is_still_to_come_after_the_clock_was_set_back(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float, command: str
    ) -> None:
        """T4, R5: until it is told that it was missed, the wall clock says when its time has come."""
        task = Notes(clock)
        handle = scheduler.add_timed_task(start + 60, task, "it")
        scheduler.pause() if command == "pause" else scheduler.disable_task("it")
        clock.advance(120)
        assert "counts as missed" in handle.explain()
        clock.step_wall(-HOUR)
        assert "counts as missed" not in handle.explain()
        scheduler.resume() if command == "pause" else scheduler.enable_task("it")
        clock.advance(2 * HOUR)

        assert task.times == [start + 60]
        assert events.skips("it") == {}

    def test_one_that_counted_as_missed_does_not_come_again(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T4."""
        task = Doing()
        scheduler.add_timed_task(start + 60, task, "it")
        scheduler.disable_task("it")
        clock.advance(120)
        scheduler.enable_task("it")
        clock.step_wall(-HOUR)
        clock.advance(2 * HOUR)

        assert task.runs == 0
        assert events.skips("it") == {SkipReason.MISSED: 1}


class TestOddClocks:
    def test_any_start_of_the_wall_clock_leads_to_the_same_runs(self) -> None:
        """The two clocks are floats of different sizes; what one rounds up the other rounds down."""
        chance = random.Random(7)
        for _ in range(200):
            scheduler, clock = scheduler_at(chance.uniform(1e9, 2e9))
            with scheduler:
                clock.advance(chance.uniform(0, 100))
                once, periodic = Doing(), Doing()
                scheduler.add_timed_task(clock.time() + chance.uniform(0, 9), once, "once")
                scheduler.add_periodic_task(clock.time() + 0.3, 0.7, periodic, "periodic")
                scheduler.add_cron_task("* * * * * *", Doing(), "cron", tz="UTC")
                clock.advance(10)

                assert once.runs == 1
                assert periodic.runs == 14
