"""Section 5 of the contract, O1 to O6, as far as no threads are needed."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError

import pytest
from doing import Doing, Notes, Takes, fail
from later import Later
from recorder import Events

from taskkit import (
    NoCurrentRunError,
    Outcome,
    OutcomeKind,
    RunFinished,
    RunStarted,
    Scheduler,
    SchedulerStopped,
    SkipReason,
    Task,
    TaskState,
    Trigger,
    current_run,
)
from taskkit.testing import InlineExecutor, ManualClock


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class ExitingError(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)

    __repr__ = __str__


class Group(BaseExceptionGroup[BaseException]):
    pass


HOSTILE: list[BaseException] = [
    ValueError("plain"),
    SystemExit(1),
    KeyboardInterrupt(),
    GeneratorExit(),
    MemoryError(),
    StopIteration(7),
    RecursionError(),
    asyncio.CancelledError(),
    UnprintableError(),
    ExitingError(),
    BaseException("bare"),
    Group("several", [ValueError("one"), SystemExit(2)]),
    RuntimeError("many\nlines\x1b[2J" + "x" * 10_000),
]

UNPRINTABLE = (UnprintableError, ExitingError)

every_hostile = pytest.mark.parametrize("error", HOSTILE, ids=lambda error: type(error).__name__)
every_printable = pytest.mark.parametrize(
    "error",
    [error for error in HOSTILE if not isinstance(error, UNPRINTABLE)],
    ids=lambda error: type(error).__name__,
)
"""Without those that `asyncio` and handlers of `logging` stumble over by themselves."""


class TestO2WhateverItRaises:
    @every_hostile
    def test_it_ends_that_run_and_nothing_else(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, error: BaseException
    ) -> None:
        """O2."""

        def hostile() -> None:
            raise error

        bystander = Doing()
        handle = scheduler.add_periodic_task(None, 10, Doing(hostile), "it")
        scheduler.add_periodic_task(None, 10, bystander, "bystander")
        clock.advance(10)

        first, second = events.outcomes("it")
        assert first.kind is OutcomeKind.FAILED
        assert first.exception is not None
        assert type(error).__name__ in first.exception
        assert "\n" not in first.exception
        assert len(first.exception) < 300
        assert first.traceback
        assert second.kind is OutcomeKind.SUCCEEDED
        assert handle.state is TaskState.SCHEDULED
        assert bystander.runs == 2

    @every_printable
    def test_a_coroutine_may_raise_it_too(
        self, scheduler: Scheduler, events: Events, error: BaseException
    ) -> None:
        """O2; nobody asked for that `CancelledError`."""

        async def hostile() -> None:
            raise error

        scheduler.add_on_demand_task(hostile, "it")
        scheduler.run_task_now("it")

        assert [outcome.kind for outcome in events.outcomes("it")] == [OutcomeKind.FAILED]

    @every_printable
    def test_it_is_logged_once_on_the_logger_taskkit(
        self, scheduler: Scheduler, error: BaseException, caplog: pytest.LogCaptureFixture
    ) -> None:
        """O2."""

        def hostile() -> None:
            raise error

        scheduler.add_on_demand_task(hostile, "it")
        scheduler.run_task_now("it")

        records = [record for record in caplog.records if record.name == "taskkit"]
        assert len(records) == 1
        assert records[0].levelno == logging.ERROR
        assert "it failed" in records[0].getMessage()
        assert records[0].exc_info is not None

    @every_hostile
    def test_it_is_passed_to_on_error_once(
        self, scheduler: Scheduler, events: Events, error: BaseException
    ) -> None:
        """O2."""

        def hostile() -> None:
            raise error

        told: list[Outcome] = []
        scheduler.add_on_demand_task(hostile, "it", on_error=told.append)
        scheduler.run_task_now("it")

        assert told == events.outcomes("it")

    def test_the_outcome_names_the_task_and_says_if_another_try_follows(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        told: list[Outcome] = []
        scheduler.add_on_demand_task(Doing(fail, fail), "mended", retries=2, on_error=told.append)
        scheduler.add_on_demand_task(fail, "broken", retries=1, on_error=told.append)
        mended, broken = scheduler.on_demand["mended"], scheduler.on_demand["broken"]
        for handle in (mended, broken):
            handle.run_now()
            clock.advance(10)

        assert [(each.task, each.attempt, each.last_try) for each in told] == [
            ("mended", 1, False),
            ("mended", 2, False),
            ("broken", 1, False),
            ("broken", 2, True),
        ]
        assert mended.last_outcome is not None
        assert (mended.last_outcome.kind, mended.last_outcome.last_try) == (OutcomeKind.SUCCEEDED, True)

    def test_a_run_that_timed_out_is_tried_again_and_one_that_was_stopped_is_not(
        self, scheduler: Scheduler, events: Events
    ) -> None:
        scheduler.add_on_demand_task(lambda: current_run().sleep(9), "late", timeout=5, retries=1)
        scheduler.add_on_demand_task(lambda: scheduler.stop_task("left"), "left", retries=1)
        scheduler.run_task_now("late")
        scheduler.run_task_now("left")

        assert not events.outcomes("late")[0].last_try
        assert events.outcomes("left")[0].last_try

    def test_on_error_is_called_inside_the_except_block_before_the_handle_goes_on(
        self, scheduler: Scheduler
    ) -> None:
        """Section 12: what is called there finds the exception in `sys.exc_info()`."""
        seen: list[object] = []

        def look(outcome: Outcome) -> None:
            seen.extend([sys.exc_info()[0], scheduler.running["it"].state])

        scheduler.add_on_demand_task(fail, "it", on_error=look)
        scheduler.run_task_now("it")

        assert seen == [RuntimeError, TaskState.RUNNING]

    def test_the_traceback_begins_in_the_task(self, scheduler: Scheduler, events: Events) -> None:
        """O2."""
        scheduler.add_on_demand_task(fail, "it")
        scheduler.run_task_now("it")

        traceback = events.outcomes("it")[0].traceback
        assert traceback is not None
        assert traceback.startswith("Traceback (most recent call last):")
        assert traceback.count('File "') == 1
        assert "in fail" in traceback
        assert traceback.rstrip().endswith("RuntimeError: it is broken")


class TestO3Outcome:
    def test_it_says_when_and_how_long(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """O3."""
        scheduler.add_timed_task(start + 10, Takes(clock, 4), "it")
        clock.stall(12)

        outcome = events.outcomes("it")[0]
        assert (outcome.due, outcome.started, outcome.finished) == (start + 10, start + 12, start + 16)
        assert (outcome.lateness, outcome.duration) == (2, 4)
        assert (outcome.trigger, outcome.attempt, outcome.kind) == (
            Trigger.SCHEDULE,
            1,
            OutcomeKind.SUCCEEDED,
        )

    def test_it_is_plain_frozen_data(self, scheduler: Scheduler, events: Events) -> None:
        scheduler.add_on_demand_task(Doing(), "it")
        scheduler.run_task_now("it")

        with pytest.raises(FrozenInstanceError):
            events.outcomes("it")[0].kind = OutcomeKind.FAILED  # type: ignore[misc]

    @pytest.mark.parametrize(
        ("result", "kept"),
        [(None, None), (3, 3), (2.5, 2.5), (True, True), ("done", "done"), ([1, 2], "[1, 2]")],
        ids=str,
    )
    def test_the_result_is_kept(
        self, scheduler: Scheduler, events: Events, result: object, kept: object
    ) -> None:
        scheduler.add_on_demand_task(lambda: result, "it")
        scheduler.run_task_now("it")

        assert events.outcomes("it")[0].result == kept

    @pytest.mark.parametrize("result", ["x" * 10**6, ["x" * 10**6], 10**1000, list(range(10**5))], ids=type)
    def test_a_result_is_bounded(self, scheduler: Scheduler, events: Events, result: object) -> None:
        """O3."""
        scheduler.add_on_demand_task(lambda: result, "it")
        scheduler.run_task_now("it")

        assert len(str(events.outcomes("it")[0].result)) <= 1000

    def test_a_result_that_cannot_be_printed_is_no_failure(
        self, scheduler: Scheduler, events: Events
    ) -> None:
        scheduler.add_on_demand_task(lambda: UnprintableError(), "it")
        scheduler.run_task_now("it")

        assert events.outcomes("it")[0].kind is OutcomeKind.SUCCEEDED

    def test_a_coroutine_has_a_result(self, scheduler: Scheduler, events: Events) -> None:
        class Async(Task):
            async def run(self) -> int:
                await asyncio.sleep(0)
                return len(self.name)

        scheduler.add_on_demand_task(Async(), "it")
        scheduler.run_task_now("it")

        assert events.outcomes("it")[0].result == 2

    @pytest.mark.parametrize(
        "error", [RuntimeError("bad"), SystemExit(1), asyncio.CancelledError()], ids=repr
    )
    def test_what_it_raises_after_it_was_asked_to_stop_does_not_make_it_failed(
        self,
        scheduler: Scheduler,
        events: Events,
        error: BaseException,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """O3."""

        def stop_and_raise() -> None:
            scheduler.stop_task("it")
            raise error

        scheduler.add_on_demand_task(Doing(stop_and_raise), "it")
        scheduler.run_task_now("it")

        outcome = events.outcomes("it")[0]
        assert outcome.kind is OutcomeKind.STOPPED
        assert outcome.exception is not None
        assert caplog.records == []

    def test_skips_are_counted_since_the_last_run(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """O3."""
        scheduler.add_periodic_task(None, 10, Doing(lambda: clock.advance(25)), "it")
        clock.advance(50)

        assert [dict(outcome.skipped) for outcome in events.outcomes("it")] == [
            {},
            {SkipReason.OVERLAP: 2},
            {},
            {},
        ]

    def test_a_demanded_further_run_reports_what_the_first_has_covered(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """O3, T2."""

        def take_long() -> None:
            scheduler.demand_task("it")
            clock.advance(25)

        scheduler.add_periodic_task(None, 10, Doing(take_long), "it")
        clock.advance(0)

        assert [dict(outcome.skipped) for outcome in events.outcomes("it")] == [{}, {SkipReason.OVERLAP: 2}]

    def test_reasons_are_counted_apart(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """O3."""
        scheduler.add_periodic_task(None, 10, Doing(lambda: clock.advance(15)), "it")
        clock.advance(16)
        scheduler.disable_task("it")
        clock.advance(20)
        scheduler.enable_task("it")
        scheduler.pause()
        clock.advance(20)
        scheduler.resume()
        clock.stall(30)

        assert dict(events.outcomes("it")[-1].skipped) == {
            SkipReason.OVERLAP: 1,
            SkipReason.DISABLED: 2,
            SkipReason.PAUSED: 2,
            SkipReason.MISSED: 2,
        }

    def test_the_last_outcome_is_the_handles_too(self, scheduler: Scheduler, events: Events) -> None:
        handle = scheduler.add_on_demand_task(Doing(fail), "it")
        assert handle.last_outcome is None
        scheduler.run_task_now("it")

        assert [handle.last_outcome] == events.outcomes("it")

    def test_events_follow_a_run_from_its_beginning_to_its_end(
        self, scheduler: Scheduler, events: Events, start: float
    ) -> None:
        scheduler.add_on_demand_task(Doing(), "it")
        scheduler.run_task_now("it")

        (begun,), (ended,) = events.of(RunStarted), events.of(RunFinished)
        assert begun.run == ended.run == ended.outcome.run
        assert (begun.at, begun.due, begun.trigger, begun.attempt) == (start, start, Trigger.RUN_NOW, 1)


@pytest.fixture
def executor() -> Later:
    return Later()


@pytest.fixture
def crowded(clock: ManualClock, executor: Later) -> Iterator[Scheduler]:
    """A scheduler whose runs have to wait for a thread."""
    with Scheduler(clock=clock, threads=executor, capture=False) as scheduler:
        yield scheduler


class TestO1WaitingForAThread:
    def test_it_is_in_running_and_marked_as_waiting(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        """O1."""
        task = Doing()
        handle = crowded.add_periodic_task(None, 10, task, "it")
        clock.advance(0)

        assert crowded.running["it"] is handle
        run = crowded.snapshot().tasks[0].run
        assert run is not None
        assert run.started is None
        assert "waits for a thread" in handle.explain()

    def test_when_its_thread_comes_it_is_late_by_the_wait(
        self, crowded: Scheduler, clock: ManualClock, executor: Later, start: float
    ) -> None:
        """Section 1: lateness is actual start − due."""
        handle = crowded.add_periodic_task(None, 100, Doing(), "it")
        clock.advance(7)
        executor.work()

        assert handle.last_outcome is not None
        assert (handle.last_outcome.lateness, handle.last_outcome.started) == (7, start + 7)

    def test_stop_reaches_it_and_it_never_begins(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        """O1."""
        events = Events(crowded.subscribe)
        task = Doing()
        handle = crowded.add_periodic_task(None, 10, task, "it")
        clock.advance(0)

        assert crowded.stop_task("it") is True
        executor.work()

        assert task.runs == 0
        assert handle.state is TaskState.SCHEDULED
        outcome = events.outcomes("it")[0]
        assert (outcome.kind, outcome.started, outcome.duration) == (OutcomeKind.STOPPED, None, 0)
        assert events.of(RunStarted) == []

    def test_it_counts_as_a_run_once_it_begins(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        handle = crowded.add_periodic_task(None, 10, Doing(), "it")
        clock.advance(0)
        assert handle.run_count == 0

        executor.work()
        assert handle.run_count == 1

    def test_one_that_was_stopped_is_none_of_its_max_runs(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        task = Doing()
        handle = crowded.add_periodic_task(None, 10, task, "it", max_runs=1)
        clock.advance(0)
        assert crowded.demand_task("it") is False, "the last run was started, and waits"
        assert crowded.stop_task("it") is True
        assert (handle.state, handle.run_count) == (TaskState.SCHEDULED, 0)

        clock.advance(10)
        executor.work()
        assert (task.runs, handle.state, handle.run_count) == (1, TaskState.GONE, 1)

    def test_unregister_reaches_it_and_it_never_begins(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        """O1."""
        task = Doing()
        handle = crowded.add_periodic_task(None, 10, task, "it")
        clock.advance(0)

        assert crowded.unregister_task("it") is True
        executor.work()

        assert task.runs == 0
        assert handle.state is TaskState.GONE
        assert crowded.handle("it") is None

    def test_a_new_registration_takes_its_place_at_once(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        """R6: there is no run to wait for."""
        first, second = Doing(), Doing()
        crowded.add_periodic_task(None, 10, first, "it")
        clock.advance(0)
        crowded.add_periodic_task(None, 10, second, "it")
        clock.advance(0)
        executor.work()

        assert (first.runs, second.runs) == (0, 1)

    def test_it_can_be_stopped_and_demanded_in_one_go(self, crowded: Scheduler, executor: Later) -> None:
        task = Doing()
        crowded.add_on_demand_task(task, "it")
        crowded.run_task_now("it")
        crowded.stop_task("it")
        crowded.demand_task("it")
        executor.work()

        assert task.runs == 1

    def test_due_times_meanwhile_are_overlap(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        """T2."""
        events = Events(crowded.subscribe)
        crowded.add_periodic_task(None, 10, Doing(), "it")
        clock.advance(25)
        executor.work()

        assert events.skips("it") == {SkipReason.OVERLAP: 2}

    def test_its_timeout_counts_from_its_start(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        handle = crowded.add_on_demand_task(Takes(clock, 4), "it", timeout=5)
        crowded.run_task_now("it")
        clock.advance(60)
        executor.work()

        assert handle.last_outcome is not None
        assert handle.last_outcome.kind is OutcomeKind.SUCCEEDED

    def test_the_stop_of_the_scheduler_drops_and_counts_it(self, crowded: Scheduler, executor: Later) -> None:
        """Section 2."""
        events = Events(crowded.subscribe)
        task = Doing()
        crowded.add_on_demand_task(task, "one")
        crowded.add_on_demand_task(task, "two")
        crowded.run_task_now("one")
        crowded.run_task_now("two")

        assert crowded.stop() == []
        executor.work()

        assert task.runs == 0
        assert [(event.dropped, event.abandoned) for event in events.of(SchedulerStopped)] == [(2, ())]
        assert [handle.run_count for handle in crowded.on_demand.values()] == [0, 0]


class TestO5Stop:
    def test_a_run_that_does_not_end_is_abandoned_by_name(
        self, crowded: Scheduler, clock: ManualClock, executor: Later
    ) -> None:
        """O5: seen from inside such a run, whose thread stops the scheduler by way of another run's."""
        events = Events(crowded.subscribe)
        told: list[OutcomeKind] = []
        abandoned: list[str] = []

        def stubborn() -> None:
            # The second job stops the scheduler while this one still goes on.
            executor.work()

        crowded.add_on_demand_task(stubborn, "stubborn", on_error=lambda each: told.append(each.kind))
        crowded.add_on_demand_task(lambda: abandoned.extend(crowded.stop(timeout=0)), "stopper")
        crowded.run_task_now("stubborn")
        crowded.run_task_now("stopper")
        executor.work()

        assert abandoned == ["stubborn"]
        kinds = {event.name: event.outcome.kind for event in events.of(RunFinished)}
        assert kinds == {"stubborn": OutcomeKind.ABANDONED, "stopper": OutcomeKind.STOPPED}
        assert len(events.of(RunFinished)) == 2  # none is told twice, though both ended later
        assert told == [OutcomeKind.ABANDONED]
        assert [event.abandoned for event in events.of(SchedulerStopped)] == [("stubborn",)]

    def test_nothing_starts_after_the_stop(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """Section 2."""
        periodic = Doing()

        def demand_and_stop() -> None:
            scheduler.demand_task("again")
            scheduler.stop()

        again = Doing(demand_and_stop)
        scheduler.add_periodic_task(None, 10, periodic, "periodic")
        scheduler.add_on_demand_task(again, "again")
        scheduler.demand_task("again")
        clock.advance(100)

        assert (again.runs, periodic.runs) == (1, 0)

    def test_nor_does_what_waited_for_the_run_of_its_predecessor(self, scheduler: Scheduler) -> None:
        """R6."""
        second = Doing()

        def replace_and_stop() -> None:
            scheduler.add_on_demand_task(second, "it")
            scheduler.demand_task("it")
            scheduler.stop()

        scheduler.add_on_demand_task(Doing(replace_and_stop), "it")
        scheduler.run_task_now("it")

        assert second.runs == 0

    def test_nor_does_a_retry(self, scheduler: Scheduler, clock: ManualClock) -> None:
        def stop_and_fail() -> None:
            clock.advance(6)  # so that it has timed out, which would be tried again
            scheduler.stop()
            fail()

        task = Doing(stop_and_fail)
        handle = scheduler.add_on_demand_task(task, "it", retries=3, timeout=5)
        scheduler.run_task_now("it")
        clock.advance(100)

        assert task.runs == 1
        assert handle.retry is None

    def test_a_task_may_stop_the_scheduler(self, scheduler: Scheduler, events: Events) -> None:
        answers: list[list[str]] = []
        scheduler.add_on_demand_task(lambda: answers.append(scheduler.stop()), "it")
        scheduler.run_task_now("it")

        assert answers == [[]]
        assert [outcome.kind for outcome in events.outcomes("it")] == [OutcomeKind.STOPPED]
        assert scheduler.is_running is False

    def test_is_running_from_the_start_to_the_stop(self, clock: ManualClock) -> None:
        scheduler = Scheduler(clock=clock, executor=InlineExecutor())
        told = [scheduler.is_running]
        with scheduler:
            told.append(scheduler.is_running)
        told.append(scheduler.is_running)

        assert told == [False, True, False]


class TestO6Stopping:
    def test_a_stopped_run_that_has_not_ended_is_shown_as_stopping(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """O6."""

        def be_slow_to_stop() -> None:
            scheduler.stop_task("it")
            clock.advance(12)
            assert scheduler.running["it"] is handle
            assert (handle.state, handle.stopping) == (TaskState.RUNNING, True)
            run = scheduler.snapshot().tasks[0].run
            assert run is not None
            assert run.asked_to_stop == start
            assert "was asked to stop 12 s ago" in handle.explain()

        handle = scheduler.add_on_demand_task(Doing(be_slow_to_stop), "it")
        scheduler.run_task_now("it")

        assert handle.stopping is False


class TestTheTaskItself:
    def test_it_knows_its_run(self, scheduler: Scheduler, clock: ManualClock) -> None:
        """Section 2."""
        seen: list[object] = []

        class Knowing(Task):
            def run(self) -> None:
                seen.extend([self.name, self.handle, dict(self.parameters), self.proceed(), self.sleep(3)])

        handle = scheduler.add_on_demand_task(Knowing(), "Known")
        scheduler.run_task_now("Known", {"a": 1})

        assert seen == ["Known", handle, {"a": 1}, True, True]

    def test_parameters_cannot_be_changed(self, scheduler: Scheduler, events: Events) -> None:
        def change() -> None:
            current_run().parameters["a"] = 2  # type: ignore[index]

        given = {"a": 1}
        scheduler.add_on_demand_task(change, "it")
        scheduler.run_task_now("it", given)

        assert events.outcomes("it")[0].kind is OutcomeKind.FAILED
        assert given == {"a": 1}

    def test_outside_any_run_there_is_no_current_one(self) -> None:
        class Alone(Task):
            pass

        with pytest.raises(NoCurrentRunError):
            current_run()
        with pytest.raises(NoCurrentRunError):
            _ = Alone().handle
        assert Alone().proceed() is True
        assert Alone().name == "Alone"
        assert Alone().parameters == {}

    def test_a_task_that_forgot_to_override_run_fails(self, scheduler: Scheduler, events: Events) -> None:
        class Forgetful(Task):
            pass

        scheduler.add_on_demand_task(Forgetful(), "it")
        scheduler.run_task_now("it")

        exception = events.outcomes("it")[0].exception
        assert exception is not None
        assert "Forgetful must override run()" in exception

    def test_one_that_changes_its_own_registration(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """Section 2: a task may command its own handle."""

        class Selfish(Task):
            def run(self) -> None:
                assert self.handle.set_period(50)
                assert self.handle.disable()
                assert self.handle.enable()
                assert self.handle.run_on_completion()
                assert self.handle.unregister()
                assert not self.handle.set_period(60)

        handle = scheduler.add_periodic_task(None, 10, Selfish(), "it")
        clock.advance(100)

        assert handle.run_count == 1
        assert handle.state is TaskState.GONE

    def test_a_run_of_its_own_for_each_name(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task = Notes(clock)
        scheduler.add_on_demand_task(task, "one")
        scheduler.add_on_demand_task(task, "two")
        scheduler.run_task_now("one")
        scheduler.run_task_now("two")

        assert len(task.times) == 2
