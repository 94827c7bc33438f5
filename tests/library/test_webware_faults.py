"""Section 11 in the old spelling: each fault that stands in the table of the docs is mended."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from threading import Thread

import pytest
from old_spelling import Noting, fail, started

from taskkit import OutcomeKind
from taskkit.testing import ManualClock
from taskkit.webware import Scheduler, Task, TaskHandler


@pytest.fixture
def old(clock: ManualClock) -> Iterator[Scheduler]:
    with started(clock) as scheduler:
        yield scheduler


def test_disabling_before_the_first_run_harms_nobody(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    bystander, task = Noting(clock), Noting(clock)
    old.addPeriodicAction(start, 10, bystander, "bystander")
    old.addPeriodicAction(start + 5, 10, task, "it")

    assert old.disableTask("it") is True
    clock.advance(20)
    old.enableTask("it")
    clock.advance(10)

    assert len(bystander.times) == 4
    assert task.times == [start + 25]


def test_a_failed_run_is_reported_once_and_the_demanded_one_is_listed_as_running(clock: ManualClock) -> None:
    told: list[tuple[str, object]] = []

    class Telling(Scheduler):
        def notifyCompletion(self, handle: TaskHandler) -> None:  # noqa: N802
            told.append(("completion", handle.name()))

    def demand_and_fail(task: Task) -> None:
        task.handle().runOnCompletion()
        fail(task)

    def look(_: Task) -> None:
        told.append(("running", old.hasRunning("it") and not old.hasOnDemand("it")))

    with started(clock, Telling) as old:
        old.addActionOnDemand(Noting(clock, demand_and_fail, look), "it")
        old.runTaskNow("it")

    assert told == [("completion", "it"), ("running", True), ("completion", "it")]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_whatever_a_task_raises_it_is_due_again(
    clock: ManualClock, start: float, error: BaseException
) -> None:
    told: list[object] = []

    def leave(_: Task) -> None:
        raise error

    with started(clock, exceptionHandler=lambda: told.append(sys.exc_info()[1])) as old:
        task = Noting(clock, leave)
        old.addPeriodicAction(start, 10, task, "it")
        clock.advance(10)
        assert not old.hasRunning("it")

    assert told == [error]
    assert len(task.times) == 2


def test_a_running_task_that_is_unregistered_can_be_stopped_and_is_not_overlapped(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    second = Noting(clock)
    seen: list[object] = []

    def unregister(task: Task) -> None:
        seen.append(old.unregisterTask("it") is task.handle())
        old.addPeriodicAction(start, 10, second, "it")
        clock.advance(15)
        seen.extend([len(second.times), old.stopTask("it"), task.proceed()])

    old.addActionOnDemand(Noting(clock, unregister), "it")
    old.runTaskNow("it")

    assert seen == [True, 0, True, False]
    clock.advance(5)
    assert len(second.times) == 1


def test_one_task_under_two_names_has_two_stop_flags_and_two_names(
    old: Scheduler, clock: ManualClock
) -> None:
    seen: list[object] = []

    def first(task: Task) -> None:
        old.stopTask("one")
        old.runTaskNow("two")
        clock.advance(1)  # which lets the other run
        seen.append((task.name(), task.handle().name(), task._handle.name(), task.proceed()))

    def second(task: Task) -> None:
        seen.append((task.name(), task.handle().name(), task._handle.name(), task.proceed()))

    task = Noting(clock, first, second)
    old.addActionOnDemand(task, "one")
    old.addActionOnDemand(task, "two")
    old.runTaskNow("one")

    assert seen == [("two", "two", "two", True), ("one", "one", "one", False)]


def test_a_task_on_demand_can_be_disabled(old: Scheduler, clock: ManualClock) -> None:
    task = Noting(clock)
    old.addActionOnDemand(task, "it")

    assert old.disableTask("it") is True
    assert (old.demandTask("it"), old.runTaskNow("it")) == (True, True)
    assert task.times == []
    assert old.enableTask("it") is True
    old.demandTask("it")
    assert len(task.times) == 1


def test_a_shorter_period_wakes_the_scheduler(old: Scheduler, clock: ManualClock, start: float) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start, 3600, task, "it")
    clock.advance(1)

    old.scheduled("it").setPeriod(5)
    assert old.nextTime() == start + 5
    clock.advance(9)

    assert task.times == [start, start + 5, start + 10]


def test_a_negative_period_makes_no_storm(old: Scheduler, clock: ManualClock, start: float) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start, 10, task, "it")

    old.scheduled("it").setPeriod(-5)
    assert old.scheduled("it").period() == 5
    clock.advance(10)

    assert task.times == [start, start + 5, start + 10]


def test_a_daily_task_runs_on_the_minute(old: Scheduler, clock: ManualClock, start: float) -> None:
    clock.advance(41.5)
    task = Noting(clock)
    shown = time.localtime(start + 7200)

    old.addDailyAction(shown.tm_hour, shown.tm_min, task, "it")
    clock.advance(86_400)

    assert task.times == [start + 7200]


def test_a_failure_is_logged_and_kept(
    old: Scheduler, clock: ManualClock, start: float, caplog: pytest.LogCaptureFixture
) -> None:
    old.addPeriodicAction(start, 10, Noting(clock, fail), "it")
    clock.advance(0)

    assert caplog.messages == ["it failed: RuntimeError: it is broken"]
    outcome = old.scheduled("it").modern.last_outcome
    assert outcome is not None
    assert (outcome.kind, outcome.exception) == (OutcomeKind.FAILED, "RuntimeError: it is broken")


def test_a_periodic_task_that_is_demanded_while_it_runs_runs_again(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock, lambda it: old.demandTask(it.name()))
    old.addPeriodicAction(start, 10, task, "it")
    clock.advance(10)

    assert task.times == [start, start, start + 10]


@pytest.mark.parametrize("on_demand", [False, True])
def test_a_handle_that_waits_is_gone_when_it_is_unregistered(
    old: Scheduler, clock: ManualClock, start: float, on_demand: bool
) -> None:
    task = Noting(clock)
    if on_demand:
        old.addActionOnDemand(task, "it")
    else:
        old.addPeriodicAction(start + 5, 5, task, "it")

    (old.onDemand("it") or old.scheduled("it")).unregister()
    clock.advance(20)

    assert task.times == []
    assert not old.hasScheduled("it")
    assert not old.hasOnDemand("it")


def test_a_long_run_does_not_move_the_due_times(old: Scheduler, clock: ManualClock, start: float) -> None:
    task = Noting(clock, lambda _: clock.advance(13))
    old.addPeriodicAction(start - 1, 10, task, "it")
    clock.advance(30)

    assert task.times == [start, start + 19, start + 29]


def test_what_was_on_demand_is_what_it_was_last_added_as(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addActionOnDemand(task, "it")

    old.addTimedAction(start + 5, task, "it")
    assert old.scheduled("it").isOnDemand() is False
    clock.advance(5)

    assert not old.hasScheduled("it")
    assert not old.hasOnDemand("it")


def test_looping_over_the_lists_is_safe_while_they_change(start: float) -> None:
    old = Scheduler()
    going_on = True

    def change() -> None:
        while going_on:
            for number in range(20):
                old.addTimedAction(start, Noting(ManualClock()), number)
            for number in range(20):
                old.unregisterTask(number)

    changer = Thread(target=change)
    changer.start()
    try:
        for _ in range(2_000):
            for name, handle in old.scheduledTasks().items():
                assert handle.name() == name
            assert all(handle.period() == 0 for handle in old.scheduledTasks().values())
            assert len(list(old.scheduledTasks())) <= 20
    finally:
        going_on = False
        changer.join()


def test_a_scheduler_that_was_never_started_can_be_stopped_for_good(
    caplog: pytest.LogCaptureFixture, clock: ManualClock, start: float
) -> None:
    old = Scheduler()
    old.stop()

    old.addTimedAction(start, Noting(clock), "it")

    assert not old.hasScheduled("it")
    assert caplog.messages == ["it was added to a stopped scheduler, and will not run"]
