"""Section 11 of the contract: the faults of Webware's TaskKit, each of which is mended here for good."""

from __future__ import annotations

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from doing import Doing, Notes, fail
from recorder import Events

from taskkit import (
    Outcome,
    OutcomeKind,
    RunFinished,
    Scheduler,
    SkipReason,
    Task,
    TaskState,
    current_run,
)
from taskkit.testing import InlineExecutor, ManualClock


def test_disabling_a_periodic_task_before_its_first_run_kills_nobody(
    scheduler: Scheduler, clock: ManualClock, events: Events, start: float
) -> None:
    """Fault 1: disabling a periodic task before its first run killed the scheduler thread.

    It computed `None - float`, as there was no last run to count from.
    """
    bystander = Doing()
    scheduler.add_periodic_task(None, 10, bystander, "bystander")
    task = Notes(clock)
    scheduler.add_periodic_task(start + 5, 10, task, "it")
    scheduler.disable_task("it")

    clock.advance(20)
    scheduler.enable_task("it")
    clock.advance(10)

    assert bystander.runs == 4
    assert task.times == [start + 25]
    assert events.skips("it") == {SkipReason.DISABLED: 2}


def test_a_failing_run_is_told_once_and_its_demanded_successor_is_running_while_it_runs(
    scheduler: Scheduler, events: Events
) -> None:
    """Fault 2: a failing run notified twice; a demanded re-run was then listed idle while its thread ran."""
    states: list[tuple[TaskState, bool, bool]] = []

    def demand_and_fail() -> None:
        scheduler.demand_task("it")
        fail()

    def look() -> None:
        handle = scheduler.handle("it")
        assert handle is not None
        states.append((handle.state, "it" in scheduler.running, "it" in scheduler.on_demand))

    scheduler.add_on_demand_task(Doing(demand_and_fail, look), "it")
    scheduler.demand_task("it")

    assert states == [(TaskState.RUNNING, True, False)]
    ended = [(event.run, event.outcome.kind) for event in events.of(RunFinished)]
    assert [kind for _, kind in ended] == [OutcomeKind.FAILED, OutcomeKind.SUCCEEDED]
    assert len({run for run, _ in ended}) == 2


@pytest.mark.parametrize("status", [None, 0, 1, "in words"])
def test_sys_exit_in_a_task_ends_the_run_and_only_that(
    scheduler: Scheduler, clock: ManualClock, status: object
) -> None:
    """Fault 3: `sys.exit()` in a task left it “running” for ever."""

    def leave() -> None:
        raise SystemExit(status)

    task = Doing(leave)
    handle = scheduler.add_periodic_task(None, 10, task, "it")
    clock.advance(0)

    assert "it" not in scheduler.running
    assert handle.last_outcome is not None
    assert handle.last_outcome.kind is OutcomeKind.FAILED
    clock.advance(10)
    assert task.runs == 2


def test_a_running_task_that_is_unregistered_can_be_stopped_and_is_not_overlapped(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    """Fault 4: unregistering a running task left a thread that nobody could stop.

    Adding the name again then started a second thread beside it.
    """
    second = Doing()
    seen: list[object] = []

    def first() -> None:
        scheduler.unregister_task("it")
        scheduler.add_periodic_task(None, 10, second, "it")
        clock.advance(15)
        seen.append(second.runs)
        seen.append(scheduler.stop_task("it"))
        seen.append(current_run().proceed())

    scheduler.add_on_demand_task(Doing(first), "it")
    scheduler.run_task_now("it")

    assert seen == [0, True, False]
    clock.advance(5)
    assert second.runs == 1


def test_one_instance_under_two_names_has_two_stop_flags(scheduler: Scheduler) -> None:
    """Fault 5: one task instance under two names shared one stop flag."""
    proceeded: dict[str, bool] = {}

    class Shared(Task):
        def run(self) -> None:
            if self.name == "one":
                scheduler.stop_task("one")
                scheduler.run_task_now("two")
                self.sleep(0)
            proceeded[self.name] = self.proceed()

    shared = Shared()
    scheduler.add_on_demand_task(shared, "one")
    scheduler.add_on_demand_task(shared, "two")
    scheduler.run_task_now("one")

    assert proceeded == {"one": False, "two": True}


def test_disabling_sees_on_demand_tasks(scheduler: Scheduler) -> None:
    """Fault 6: `disableTask` did not see on-demand tasks."""
    handle = scheduler.add_on_demand_task(Doing(), "it")

    assert scheduler.disable_task("it") is True
    assert handle.disabled is True


def test_a_shorter_period_wakes_the_scheduler(scheduler: Scheduler, clock: ManualClock, start: float) -> None:
    """Fault 6: `setPeriod` and `startTime(t)` never woke the scheduler.

    `test_time` shows the same with a thread that sleeps.
    """
    task = Notes(clock)
    scheduler.add_periodic_task(start, 3600, task, "it")
    clock.advance(1)

    scheduler.set_period("it", 5)
    assert scheduler.next_time == start + 5
    clock.advance(9)

    assert task.times == [start, start + 5, start + 10]


def test_a_negative_period_is_refused(scheduler: Scheduler) -> None:
    """Fault 6: `setPeriod(-5)` was stored."""
    handle = scheduler.add_periodic_task(None, 10, Doing(), "it")

    with pytest.raises(ValueError, match="-5"):
        handle.set_period(-5)

    assert handle.period == 10


def test_daily_tasks_fire_on_the_minute_and_keep_their_hour_across_daylight_saving() -> None:
    """Fault 7: daily tasks fired at hh:mm:*current seconds*, and 86,400 s later.

    So they were an hour off after a change of daylight saving.
    """
    berlin = ZoneInfo("Europe/Berlin")
    clock = ManualClock(datetime(2026, 10, 23, 12, 0, 37, 500_000, berlin).timestamp())
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        task = Notes(clock)
        scheduler.add_daily_task(3, 30, task, "it", tz=berlin.key)
        clock.advance(3 * 86_400)

    assert [datetime.fromtimestamp(each, berlin).isoformat() for each in task.times] == [
        "2026-10-24T03:30:00+02:00",
        "2026-10-25T03:30:00+01:00",
        "2026-10-26T03:30:00+01:00",
    ]


def test_an_exception_is_never_lost_and_the_handler_is_told_which(
    scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault 8: exceptions vanished unless a handler was given, and it got no argument."""
    told: list[Outcome] = []
    scheduler.add_on_demand_task(fail, "without a handler")
    scheduler.add_on_demand_task(fail, "with one", on_error=told.append)

    scheduler.run_task_now("without a handler")
    scheduler.run_task_now("with one")

    logged = [(record.name, record.levelno, record.getMessage()) for record in caplog.records]
    assert logged == [
        ("taskkit", logging.ERROR, "without a handler failed: RuntimeError: it is broken"),
        ("taskkit", logging.ERROR, "with one failed: RuntimeError: it is broken"),
    ]
    assert [outcome.exception for outcome in told] == ["RuntimeError: it is broken"]
    assert "in fail" in (told[0].traceback or "")
