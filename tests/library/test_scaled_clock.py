"""A clock that runs so many times as fast: the rules of time hold on it as on the one beneath."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from threading import Event as Flag

import pytest

from taskkit import ClockJumped, Event, OutcomeKind, ScaledClock, Scheduler, current_run
from taskkit.clock import Instant
from taskkit.testing import InlineExecutor, ManualClock

NOON = 1_800_000_000.0
"""Epoch seconds; 08:00 in UTC."""
HOUR = 3600.0


@pytest.fixture
def below() -> ManualClock:
    """The clock that is quickened."""
    below = ManualClock(NOON)
    below.advance(12_345.678)  # so that they do not begin at zero both
    return below


@pytest.fixture
def clock(below: ManualClock) -> ScaledClock:
    return ScaledClock(60, below)


@pytest.fixture
def scheduler(clock: ScaledClock) -> Iterator[Scheduler]:
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        yield scheduler


@pytest.mark.parametrize("speed", [0, -1, 0.0, float("nan"), float("inf"), -float("inf")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match=f"speed must be finite and more than 0, not {speed!r}"):
        ScaledClock(speed)


@pytest.mark.parametrize("speed", [True, "60", None, 1j])
def test_a_speed_that_is_no_number_is_refused(speed: float) -> None:
    with pytest.raises(TypeError, match="speed must be a number, not"):
        ScaledClock(speed)


def test_both_clocks_begin_as_they_are_below_and_run_so_many_times_as_fast(
    below: ManualClock, clock: ScaledClock
) -> None:
    assert clock.now() == Instant(below.time(), below.monotonic())
    wall, steady = clock.now()

    below.advance(10)

    assert clock.speed == 60
    assert clock.time() == pytest.approx(wall + 600)
    assert clock.monotonic() == pytest.approx(steady + 600)


def test_a_clock_can_be_slower_too(below: ManualClock) -> None:
    clock = ScaledClock(0.25, below)
    before = clock.monotonic()

    below.advance(10)

    assert clock.monotonic() == pytest.approx(before + 2.5)


@pytest.mark.parametrize("speed", [0.001, 0.3, 1, 7, 60, 999.9, 1e6])
def test_at_any_speed_the_due_times_are_on_the_grid_and_each_is_run_once(speed: float) -> None:
    """T1, T7. What one clock rounds up the other rounds down; an alarm that rang too early would not end."""
    chance = random.Random(3)
    for _ in range(40):
        below = ManualClock(chance.uniform(1e9, 2e9))
        below.advance(chance.uniform(0, 1e6))
        clock = ScaledClock(speed, below)
        began: list[float] = []
        with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
            start = clock.monotonic()
            scheduler.add_periodic_task(
                clock.time() + 0.3,
                0.7,
                lambda noted=began, clock=clock: noted.append(clock.monotonic()),
                "it",
            )
            below.advance(10 / speed)

        assert len(began) == 14
        assert [at - start for at in began] == pytest.approx([0.3 + 0.7 * k for k in range(14)], abs=1e-3)


def test_a_week_of_nights_passes_in_less_than_three_hours(
    scheduler: Scheduler, below: ManualClock, clock: ScaledClock
) -> None:
    """T5."""
    at: list[str] = []
    scheduler.add_daily_task(
        3, 30, lambda: at.append(time.strftime("%H:%M:%S", time.gmtime(clock.time()))), "report", tz="UTC"
    )

    below.advance(7 * 24 * HOUR / 60)

    assert at == ["03:30:00"] * 7


def test_sleeps_and_timeouts_pass_as_fast_as_the_clock(scheduler: Scheduler, below: ManualClock) -> None:
    before = below.monotonic()
    slept = scheduler.add_on_demand_task(lambda: current_run().sleep(120), "sleeper")
    timed = scheduler.add_on_demand_task(lambda: current_run().sleep(HOUR), "too long", timeout=60)

    assert scheduler.run_task_now("sleeper")
    assert below.monotonic() - before == pytest.approx(2)
    assert scheduler.run_task_now("too long")

    assert below.monotonic() - before == pytest.approx(3)
    assert slept.last_outcome is not None
    assert slept.last_outcome.duration == pytest.approx(120)
    assert timed.last_outcome is not None
    assert timed.last_outcome.kind is OutcomeKind.TIMED_OUT


def test_retries_wait_by_this_clock(scheduler: Scheduler, below: ManualClock) -> None:
    handle = scheduler.add_periodic_task(None, HOUR, lambda: 1 / 0, "failing", retries=2, retry_delay=60)

    below.advance(2.9)  # the first after one, the second after two more
    assert handle.retry == "2/2, in 6 s"

    below.advance(0.2)
    assert handle.retry is None


def test_when_the_wall_clock_is_set_this_one_jumps_by_as_much(
    scheduler: Scheduler, below: ManualClock, clock: ScaledClock
) -> None:
    """T4: a periodic task is neither starved nor hurried, a timed one follows, and it is told."""
    jumps: list[Event] = []
    scheduler.subscribe(lambda event: jumps.append(event) if isinstance(event, ClockJumped) else None)
    ran: list[str] = []
    scheduler.add_periodic_task(None, 600, lambda: ran.append("periodic"), "periodic")
    scheduler.add_timed_task(clock.time() + HOUR, lambda: ran.append("timed"), "timed")
    below.advance(1)
    before = clock.now()

    below.step_wall(HOUR)

    assert clock.now() == pytest.approx((before.wall + HOUR, before.steady))
    assert ran == ["periodic", "timed"]
    assert [jump.seconds for jump in jumps if isinstance(jump, ClockJumped)] == [pytest.approx(HOUR)]
    below.step_wall(-2 * HOUR)
    below.advance(10)
    assert ran == ["periodic", "timed", "periodic"]


def test_a_thread_that_is_held_up_between_two_looks_does_not_see_the_clock_jump() -> None:
    """T4: at this speed 20 ms are more than a second."""

    class Held(ManualClock):
        looks = 0

        def monotonic(self) -> float:
            self.looks += 1
            if self.looks % 3 == 0:
                self._elapsed += 0.02
            return self._elapsed

        def now(self) -> Instant:
            return Instant(self.time(), self._elapsed)

    below = Held(NOON)
    jumps: list[Event] = []
    with Scheduler(clock=ScaledClock(60, below), executor=InlineExecutor(), capture=False) as scheduler:
        scheduler.subscribe(lambda event: jumps.append(event) if isinstance(event, ClockJumped) else None)
        scheduler.add_periodic_task(None, 10, below.monotonic, "it")
        below.advance(5)

    assert jumps == []


def test_on_the_machines_own_clock_it_wakes_in_time_and_a_stop_is_not_waited_for() -> None:
    ran, sleeps, stopped = Flag(), Flag(), Flag()
    with Scheduler(clock=ScaledClock(1000), capture=False) as scheduler:
        begun = time.monotonic()
        scheduler.add_timed_task(scheduler.snapshot().figures.time + 100, ran.set, "in 0.1 s")

        def sleep() -> None:
            sleeps.set()
            if not current_run().sleep(100 * HOUR):
                stopped.set()

        scheduler.add_on_demand_task(sleep, "sleeper")
        assert ran.wait(60)
        assert time.monotonic() - begun >= 0.1

        scheduler.run_task_now("sleeper")
        assert sleeps.wait(60)
        scheduler.stop_task("sleeper")
        assert stopped.wait(60)
