"""Section 12: what an old handle can be told, while it waits and from inside its run."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from old_spelling import Noting, started
from patience import PATIENCE

from taskkit.testing import ManualClock
from taskkit.webware import Scheduler, Task, TaskHandler


@pytest.fixture
def old(clock: ManualClock) -> Iterator[Scheduler]:
    with started(clock) as scheduler:
        yield scheduler


def test_a_longer_period_counts_from_the_last_due_time(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock, lambda it: it.handle().setPeriod(it.handle().period() + 2))
    old.addPeriodicAction(start, 5, task, "it")
    clock.advance(14)

    assert task.times == [start, start + 7, start + 14]
    assert old.scheduled("it").period() == 7


@pytest.mark.parametrize("inside", [False, True])
def test_a_period_of_zero_makes_the_next_run_or_the_present_one_the_last(
    old: Scheduler, clock: ManualClock, start: float, inside: bool
) -> None:
    task = Noting(clock, *([lambda it: it.handle().setPeriod(0)] if inside else []))
    old.addPeriodicAction(start, 5, task, "it")
    if not inside:
        old.scheduled("it").setPeriod(0)
        assert old.scheduled("it").period() == 0
    clock.advance(30)

    assert task.times == [start]
    assert not old.hasScheduled("it")


def test_a_period_of_zero_can_be_taken_back_in_the_same_run(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    def think(it: Task) -> None:
        it.handle().setPeriod(0)
        it.handle().setPeriod(7)

    task = Noting(clock, think)
    old.addPeriodicAction(start, 5, task, "it")
    clock.advance(14)

    assert task.times == [start, start + 7, start + 14]


def test_a_timed_action_with_a_period_continues_after_its_time(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addTimedAction(start + 5, task, "it")

    old.scheduled("it").setPeriod(10)
    clock.advance(30)

    assert task.times == [start + 5, start + 15, start + 25]


def test_a_task_on_demand_with_a_period_becomes_periodic_with_its_next_run(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addActionOnDemand(task, "it")

    old.onDemand("it").setPeriod(10)
    clock.advance(20)
    assert task.times == []
    old.runTaskNow("it")
    clock.advance(20)

    assert task.times == [start + 20, start + 30, start + 40]
    assert old.scheduled("it").period() == 10
    assert old.scheduled("it").isOnDemand() is False


@pytest.mark.parametrize("on_demand", [False, True])
def test_a_run_that_moves_its_start_time_is_due_again_then(
    old: Scheduler, clock: ManualClock, start: float, on_demand: bool
) -> None:
    def again(it: Task) -> None:
        it.handle().startTime(clock.time() + 5)

    task = Noting(clock, again, again)
    if on_demand:
        old.addActionOnDemand(task, "it")
        old.runTaskNow("it")
    else:
        old.addTimedAction(start, task, "it")
    clock.advance(30)

    assert task.times == [start, start + 5, start + 10]
    assert (old.hasScheduled("it"), old.hasOnDemand("it")) == (False, on_demand)


@pytest.mark.parametrize(("moved", "times"), [(3, [3, 13, 23]), (-3, [0, 7, 17, 27])])
def test_a_start_time_that_is_moved_takes_effect_at_once(
    old: Scheduler, clock: ManualClock, start: float, moved: float, times: list[float]
) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start + 3600, 10, task, "it")

    assert old.scheduled("it").startTime(start + moved) == start + moved
    clock.advance(30)

    assert task.times == [start + each for each in times]


def test_a_handle_of_ones_own_is_scheduled_or_kept_on_demand(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    timed = TaskHandler(old, start + 5, 0, Noting(clock), "timed")
    asked = TaskHandler(old, start, 0, Noting(clock), "asked")
    asked.setOnDemand()
    assert (asked.isOnDemand(), timed.isOnDemand()) == (True, False)

    old.scheduleTask(timed)
    old.setOnDemand(asked)

    assert old.scheduled("timed") is timed
    assert old.onDemand("asked") is asked
    old.runTask(asked)
    clock.advance(5)
    assert old.onDemand("asked") is asked
    assert not old.hasScheduled("timed")
    old.scheduleTask(timed)  # it is past: due at once
    clock.advance(0)
    assert len(timed.plan.task.times) == 2


def test_a_reset_handle_has_another_time_period_and_task(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    first, second = Noting(clock), Noting(clock)
    old.addTimedAction(start + 50, first, "it")
    handle = old.scheduled("it")

    handle.reset(start + 5, 10, second, True)
    old.scheduleTask(handle)
    clock.advance(20)
    assert (first.times, second.times) == ([], [start + 5, start + 15])
    handle.reset(start + 25, 10, second, False)
    clock.advance(30)

    assert second.times == [start + 5, start + 15, start + 25]
    assert not old.hasScheduled("it")


def test_taking_from_a_list_lets_the_task_be_gone_and_putting_it_back_registers_it(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addTimedAction(start + 5, task, "it")
    handle = old.delScheduled("it")
    assert (old.delScheduled("it"), old.hasScheduled("it")) == (None, False)

    old.setScheduled(handle)
    clock.advance(5)

    assert task.times == [start + 5]
    old.addActionOnDemand(task, "it")
    assert old.delOnDemand("it") is not None
    assert not old.hasOnDemand("it")


def test_while_it_runs_the_start_time_is_that_of_the_run(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    told: list[float] = []
    task = Noting(clock, *[lambda it: (clock.advance(1), told.append(it.handle().startTime()))] * 2)
    old.addPeriodicAction(start + 5, 10, task, "it")
    clock.advance(20)

    assert told == [start + 5, start + 15]
    assert old.scheduled("it").startTime() == start + 25


def test_a_handle_that_is_gone_tells_so_and_does_nothing_to_its_successor(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    old.addPeriodicAction(start + 5, 10, Noting(clock), "it")
    gone = old.unregisterTask("it")
    assert gone is not None
    assert (gone.reschedule(), gone.isRunning(), gone.isOnDemand()) == (False, False, False)

    def command(task: Task) -> None:
        gone.stop()
        seen.append((task.proceed(), gone.isRunning(), task.handle().reschedule()))

    seen: list[object] = []
    old.addPeriodicAction(start + 5, 20, Noting(clock, command), "it")
    gone.startTime(start + 1)
    gone.setPeriod(1)
    gone.disable()
    gone.runTask()
    gone.setOnDemand()
    clock.advance(5)

    assert seen == [(True, False, True)]
    assert (old.scheduled("it").period(), old.nextTime()) == (20, start + 25)


def test_what_a_run_was_to_become_does_not_befall_what_was_added_meanwhile(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    later = Noting(clock)
    task = Noting(clock, lambda _: old.addTimedAction(start + 50, later, "it"))
    old.addActionOnDemand(task, "it")
    old.onDemand("it").setPeriod(10)
    old.runTaskNow("it")
    clock.advance(100)

    assert (task.times, later.times) == ([start], [start + 50])


def test_what_is_added_in_a_run_that_was_unregistered_is_another(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    def unregister(task: Task) -> None:
        seen.append(old.unregisterTask("it") is task.handle())
        seen.append(old.unregisterTask("it"))
        old.addTimedAction(start + 5, task, "it")
        seen.append(old.scheduled("it") is task.handle())
        seen.append(old.running("it") is task.handle())

    seen: list[object] = []
    task = Noting(clock, unregister)
    old.addTimedAction(start, task, "it")
    clock.advance(5)

    assert seen == [True, None, False, True]
    assert task.times == [start, start + 5]


def test_a_run_that_would_start_itself_continues(old: Scheduler, clock: ManualClock, start: float) -> None:
    task = Noting(clock, lambda it: old.runTask(it.handle()))
    old.addTimedAction(start, task, "it")
    clock.advance(0)

    assert task.times == [start]


def test_what_had_no_method_is_read_as_it_was(old: Scheduler, clock: ManualClock, start: float) -> None:
    task = Noting(clock)
    old.addTimedAction(start, task, "it")
    handle = old.scheduled("it")

    assert (handle._task, handle._suspend, handle._scheduler) == (task, False, old)
    old.disableTask("it")
    assert handle._suspend is True


def test_a_disabled_handle_stays_so_when_it_is_reset(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addTimedAction(start + 50, task, "it")
    handle = old.scheduled("it")
    handle.disable()

    handle.reset(start, 10, task, True)
    clock.advance(20)

    assert task.times == []


def test_a_task_that_was_disabled_is_not_run_again_on_completion(old: Scheduler, clock: ManualClock) -> None:
    def disable(task: Task) -> None:
        task.handle().disable()
        task.handle().runOnCompletion()

    task = Noting(clock, disable)
    old.addActionOnDemand(task, "it")
    old.runTaskNow("it")

    assert len(task.times) == 1


def test_a_timed_action_can_be_kept_on_demand_and_removed_again(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addTimedAction(start + 5, task, "it")
    handle = old.scheduled("it")

    handle.setOnDemand()
    clock.advance(5)
    assert old.onDemand("it") is handle
    handle.setOnDemand(False)
    old.runTaskNow("it")

    assert len(task.times) == 2
    assert not old.hasOnDemand("it")


def test_of_two_threads_that_add_under_one_name_the_last_ones_is_what_the_handle_speaks_for(
    old: Scheduler, clock: ManualClock, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.addPeriodicAction(start + 5, 10, Noting(clock), "it")
    add_task = old.modern.add_task
    second = Thread(target=lambda: old.addPeriodicAction(start + 5, 20, Noting(clock), "it"))

    def add_the_other_first(*arguments: Any) -> Any:
        monkeypatch.undo()
        second.start()
        second.join(0.2)  # it waits for its turn; it used to be through by now
        return add_task(*arguments)

    monkeypatch.setattr(old.modern, "add_task", add_the_other_first)
    old.addPeriodicAction(start + 5, 30, Noting(clock), "it")
    second.join(PATIENCE)
    handle = old.scheduled("it")
    assert handle.modern is old.modern.handle("it")
    old.unregisterTask("it")
    assert not old.hasScheduled("it")
