"""Section 12: in `taskkit.webware` the old names have the old meanings."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from old_spelling import Noting, started

from taskkit.testing import ManualClock
from taskkit.webware import Scheduler, Task


@pytest.fixture
def old(clock: ManualClock) -> Iterator[Scheduler]:
    with started(clock) as scheduler:
        yield scheduler


# Adding


def test_a_timed_action_runs_once_and_is_gone(old: Scheduler, clock: ManualClock, start: float) -> None:
    task = Noting(clock)

    assert old.addTimedAction(start + 5, task, "it") is None
    handle = old.scheduled("it")
    assert (handle.name(), handle.period(), handle.startTime()) == ("it", 0, start + 5)
    assert (handle.isRunning(), handle.isOnDemand(), handle.runAgain()) == (False, False, False)
    clock.advance(20)

    assert task.times == [start + 5]
    assert not old.hasScheduled("it")
    assert old.scheduled("it", "nobody") == "nobody"


def test_a_periodic_action_runs_once_a_period(old: Scheduler, clock: ManualClock, start: float) -> None:
    task = Noting(clock)

    old.addPeriodicAction(start + 5, 10, task, "it")
    clock.advance(30)

    assert task.times == [start + 5, start + 15, start + 25]
    assert old.nextTime() == old.scheduled("it").startTime() == start + 35


@pytest.mark.parametrize(("period", "told", "runs"), [(-10, 10, 3), (0, 0, 1), (9.0, 9.0, 3)])
def test_a_negative_period_means_its_absolute_value_and_zero_once(
    old: Scheduler, clock: ManualClock, start: float, period: float, told: float, runs: int
) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start, period, task, "it")
    handle = old.scheduled("it")

    assert handle.period() == told
    assert type(handle.period()) is type(told)  # a period of 60 is shown as 60, as it always was
    clock.advance(20)
    assert len(task.times) == runs


def test_a_task_on_demand_stays_after_its_run(old: Scheduler, clock: ManualClock) -> None:
    task = Noting(clock)
    old.addActionOnDemand(task, "it")
    handle = old.onDemand("it")

    assert old.runTaskNow("it") is True
    assert old.demandTask("it") is True

    assert len(task.times) == 2
    assert old.onDemand("it") is handle
    assert (handle.isOnDemand(), handle.period()) == (True, 0)
    assert old.nextTime() is None


def local(instant: float) -> tuple[int, int, int]:
    shown = time.localtime(instant)
    return shown.tm_hour, shown.tm_min, shown.tm_sec


def test_sixty_minutes_of_a_daily_action_are_carried_into_the_hour(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    hour = local(start)[0]
    task = Noting(clock)

    old.addDailyAction(hour, 60, task, "it")
    assert old.scheduled("it").period() == 86_400
    clock.advance(86_400)

    assert [local(each) for each in task.times] == [((hour + 1) % 24, 0, 0)]


def test_twenty_three_hours_and_sixty_minutes_are_midnight(old: Scheduler, clock: ManualClock) -> None:
    task = Noting(clock)

    old.addDailyAction(23, 60, task, "it")
    clock.advance(2 * 86_400)

    assert [local(each) for each in task.times] == [(0, 0, 0)] * 2


def test_a_daily_action_is_due_at_once_in_its_own_minute_and_then_on_the_minute(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    clock.advance(37)
    hour, minute, _ = local(start + 37)
    task = Noting(clock)

    old.addDailyAction(hour, minute, task, "it")
    clock.advance(2 * 86_400)

    assert task.times[0] == start + 37
    assert [local(each) for each in task.times[1:]] == [(hour, minute, 0)] * 2


def test_what_is_added_again_is_replaced_and_its_handle_lives_on(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    first, second = Noting(clock), Noting(clock)
    old.addPeriodicAction(start + 5, 10, first, "it")
    handle = old.scheduled("it")

    old.addPeriodicAction(start + 6, 20, second, "it")

    assert old.scheduled("it") is handle
    assert handle.period() == 20
    clock.advance(10)
    assert (first.times, second.times) == ([], [start + 6])
    old.addActionOnDemand(first, "it")
    assert old.onDemand("it") is handle
    assert not old.hasScheduled("it")


def test_what_is_added_after_it_was_unregistered_is_another(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    old.addPeriodicAction(start + 5, 10, Noting(clock), "it")
    handle = old.scheduled("it")
    old.disableTask("it")

    assert old.unregisterTask("it") is handle
    assert old.unregisterTask("it") is None
    task = Noting(clock)
    old.addPeriodicAction(start + 5, 10, task, "it")

    assert old.scheduled("it") is not handle
    clock.advance(5)
    assert len(task.times) == 1
    handle.setPeriod(1)
    handle.unregister()
    assert old.scheduled("it").period() == 10


# Commanding


def test_a_task_that_waits_for_its_time_is_run_now_but_not_demanded(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start + 5, 10, task, "it")

    assert old.demandTask("it") is False
    assert task.times == []
    assert old.runTaskNow("it") is True
    clock.advance(5)
    assert task.times == [start, start + 5]


def test_an_unknown_name_is_false_or_none(old: Scheduler) -> None:
    commands = (old.runTaskNow, old.demandTask, old.stopTask, old.disableTask, old.enableTask)
    assert [command("nobody") for command in commands] == [False] * 5
    assert [old.unregisterTask("nobody"), old.delRunning("nobody"), old.running("nobody")] == [None] * 3


def test_a_demand_while_it_runs_is_one_more_run(old: Scheduler, clock: ManualClock) -> None:
    told: list[object] = []

    def demand(_: Task) -> None:
        told.append(old.demandTask("it"))
        told.append(old.demandTask("it"))
        told.append(old.runTaskNow("it"))
        told.append(old.running("it").runAgain())

    task = Noting(clock, demand)
    old.addActionOnDemand(task, "it")
    old.runTaskNow("it")

    assert told == [True] * 4
    assert len(task.times) == 2
    assert old.onDemand("it").runAgain() is False


def test_a_run_that_is_asked_to_stop_is_not_running_for_its_handle_but_is_listed(
    old: Scheduler, clock: ManualClock
) -> None:
    seen: list[object] = []

    def stop(task: Task) -> None:
        handle = old.running("it")
        seen.append((task.proceed(), task._handle._isRunning, handle.isRunning(), handle is task.handle()))
        seen.append(old.stopTask("it"))
        seen.append((task.proceed(), task._handle._isRunning, handle.isRunning(), old.hasRunning("it")))

    old.addActionOnDemand(Noting(clock, stop), "it")
    assert old.stopTask("it") is False
    old.runTaskNow("it")

    assert seen == [(True, True, True, True), True, (False, False, False, True)]


def test_a_disabled_task_is_not_run_by_hand_either(old: Scheduler, clock: ManualClock, start: float) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start, 10, task, "it")
    clock.advance(0)

    assert old.disableTask("it") is True
    assert old.runTaskNow("it") is True
    clock.advance(20)
    assert task.times == [start]
    assert old.enableTask("it") is True
    clock.advance(10)
    assert task.times == [start, start + 30]


def test_a_disabled_name_that_is_added_again_stays_disabled(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    old.addPeriodicAction(start + 5, 10, Noting(clock), "it")
    old.disableTask("it")
    task = Noting(clock)

    old.addPeriodicAction(start, 10, task, "it")
    assert old.hasScheduled("it")
    clock.advance(20)
    assert task.times == []
    old.enableTask("it")
    clock.advance(10)
    assert task.times == [start + 30]


def test_stopping_all_asks_every_run(old: Scheduler, clock: ManualClock) -> None:
    proceeded: list[bool] = []

    def stop(task: Task) -> None:
        old.stopAllTasks()
        proceeded.append(task.proceed())

    old.addActionOnDemand(Noting(clock, stop), "it")
    old.runTaskNow("it")

    assert proceeded == [False]
