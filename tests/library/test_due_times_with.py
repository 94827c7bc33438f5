"""What a new period would mean is told before anybody sets it, and is what comes of it then (R7)."""

from __future__ import annotations

from collections.abc import Callable
from math import nan

import pytest
from doing import Doing, Notes, fail
from recorder import Events

from taskkit import Scheduler
from taskkit.testing import ManualClock


def told_after(scheduler: Scheduler, period: float) -> list[float]:
    """The due times that there are once the period is set."""
    assert scheduler.set_period("it", period)
    details = scheduler.describe("it", due_times=4)
    assert details is not None
    return list(details.due_times)


@pytest.mark.parametrize("passed", [0, 1, 59, 60, 61, 95])
@pytest.mark.parametrize("period", [3, 10, 60, 61, 1000])
@pytest.mark.parametrize("first_in", [0, 100])
def test_it_is_what_comes_of_setting_it(
    scheduler: Scheduler, clock: ManualClock, passed: float, period: float, first_in: float
) -> None:
    scheduler.add_periodic_task(clock.time() + first_in, 60, Doing(), "it")
    clock.advance(passed)

    told = scheduler.due_times_with("it", period, 4)

    assert told is not None
    assert len(told) == 4
    assert told == told_after(scheduler, period)


def test_the_task_runs_then(scheduler: Scheduler, clock: ManualClock) -> None:
    task = Notes(clock)
    scheduler.add_periodic_task(None, 60, task, "it")
    clock.advance(25)

    told = scheduler.due_times_with("it", 10, 3)
    scheduler.set_period("it", 10)
    task.times.clear()
    clock.advance(20)

    assert told == task.times


def test_nothing_is_changed_by_asking(scheduler: Scheduler, clock: ManualClock, events: Events) -> None:
    scheduler.add_periodic_task(None, 60, Doing(), "it")
    clock.advance(5)
    before, heard = scheduler.describe("it"), list(events.all)

    scheduler.due_times_with("it", 10, 3)

    assert scheduler.describe("it") == before
    assert events.all == heard


def test_while_it_runs_they_are_those_after_the_run(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    told: list[object] = []

    def ask() -> None:
        clock.advance(5)
        told.append(scheduler.due_times_with("it", 10, 3))
        scheduler.set_period("it", 10)

    task = Notes(clock)
    scheduler.add_periodic_task(None, 60, Doing(ask, task, task, task), "it")
    clock.advance(26)

    assert told == [[start + 10, start + 20, start + 30]]
    assert task.times == [start + 10, start + 20]


def test_a_run_that_has_covered_due_times_goes_before_them(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    told: list[object] = []

    def ask() -> None:
        clock.advance(25)
        told.append(scheduler.due_times_with("it", 10, 3))

    scheduler.add_periodic_task(None, 7, Doing(ask), "it")
    clock.advance(0)

    assert told == [[start + 30, start + 40, start + 50]]


def test_while_it_is_disabled_there_are_none(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 60, Doing(), "it")
    scheduler.disable_task("it")

    assert scheduler.due_times_with("it", 10, 3) == []


def test_while_everything_is_paused_they_are_after_now(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    scheduler.add_periodic_task(None, 60, Doing(), "it")
    scheduler.pause()
    clock.advance(65)

    assert scheduler.due_times_with("it", 10, 2) == [start + 70, start + 80]


def test_a_retry_is_none_of_them(scheduler: Scheduler, clock: ManualClock, start: float) -> None:
    scheduler.add_periodic_task(None, 60, Doing(fail, fail, fail), "it", retries=2, retry_delay=8)
    clock.advance(1)

    assert scheduler.due_times_with("it", 10, 2) == [start + 10, start + 20]


@pytest.mark.parametrize(
    "add",
    [
        lambda scheduler: scheduler.add_daily_task(3, 0, Doing(), "it"),
        lambda scheduler: scheduler.add_on_demand_task(Doing(), "it"),
        lambda scheduler: scheduler.add_timed_task(2e9, Doing(), "it"),
        lambda scheduler: scheduler.add_periodic_task(None, 60, Doing(), "another"),
    ],
    ids=["daily", "on demand", "once", "unknown"],
)
def test_what_has_no_period_is_answered_with_none(
    scheduler: Scheduler, add: Callable[[Scheduler], object]
) -> None:
    add(scheduler)

    assert scheduler.due_times_with("it", 10, 3) is None


def test_after_the_end_there_are_none_to_tell(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 60, Doing(), "it")
    scheduler.stop()

    assert scheduler.due_times_with("it", 10, 3) is None


@pytest.mark.parametrize(("period", "error"), [(0, ValueError), (nan, ValueError), ("10", TypeError)])
def test_a_bad_period_is_refused(scheduler: Scheduler, period: float, error: type[Exception]) -> None:
    with pytest.raises(error, match="period"):
        scheduler.due_times_with("it", period, 3)


def test_a_long_run_is_measured_by_its_due_time(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    """The last due time is that of the run, however many passed while it went on."""
    told: list[object] = []

    def ask() -> None:
        clock.advance(150)
        scheduler.disable_task("it")
        scheduler.enable_task("it")  # counts what has passed
        told.append(scheduler.due_times_with("it", 7, 1))

    scheduler.add_periodic_task(None, 60, Doing(ask), "it")
    clock.advance(0)

    assert told == [[start + 154]]
