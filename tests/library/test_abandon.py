"""`abandon_task`: a run that hangs is given up, and its name is free (O6)."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
from patience import eventually
from recorder import Events

from taskkit import Outcome, OutcomeKind, OutputWritten, Scheduler, TaskState, current_run

ABANDONED, SUCCEEDED = OutcomeKind.ABANDONED, OutcomeKind.SUCCEEDED


class Hanging:
    """Its first run does not hear; later runs end at once."""

    def __init__(self) -> None:
        self.free, self.began, self.ended = Event(), Event(), Event()
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1
        if self.runs > 1:
            return
        self.began.set()
        assert self.free.wait(60)
        print("after all", current_run().number)
        self.ended.set()
        raise RuntimeError("nobody hears this")


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.free.set()


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    with Scheduler() as scheduler:
        yield scheduler


def hang(scheduler: Scheduler, task: Hanging) -> None:
    scheduler.add_on_demand_task(task, "it", retries=3)
    scheduler.run_task_now("it")
    assert task.began.wait(60)


def test_the_name_is_free_at_once(scheduler: Scheduler, hanging: Hanging) -> None:
    events = Events(scheduler.subscribe)
    hang(scheduler, hanging)
    scheduler.stop_task("it")

    assert scheduler.abandon_task("it")

    assert scheduler.on_demand["it"].state is TaskState.ON_DEMAND
    assert scheduler.run_task_now("it")
    eventually(lambda: len(events.outcomes("it")) == 2)
    assert [each.kind for each in events.outcomes("it")] == [ABANDONED, SUCCEEDED]
    assert events.outcomes("it")[0].last_try, "an abandoned run is not tried again"


def test_only_a_run_that_was_asked_to_stop_is_abandoned(scheduler: Scheduler, hanging: Hanging) -> None:
    assert not scheduler.abandon_task("it"), "there is no such task"
    hang(scheduler, hanging)
    assert not scheduler.abandon_task("it"), "it was not asked to stop"
    assert not scheduler.running["it"].abandon()
    scheduler.stop_task("it")
    assert scheduler.running["it"].abandon()
    assert not scheduler.abandon_task("it"), "it does not run any more"


def test_it_is_said_honestly_until_the_thread_ends(scheduler: Scheduler, hanging: Hanging) -> None:
    watch = scheduler.watch()
    hang(scheduler, hanging)
    scheduler.stop_task("it")
    number = scheduler.running["it"].last_outcome
    assert number is None
    scheduler.abandon_task("it")
    handle = scheduler.on_demand["it"]

    assert handle.last_outcome is not None
    assert f"Its run {handle.last_outcome.run} was abandoned 0 s ago and has not ended." in handle.explain()
    assert scheduler.snapshot().tasks[0].abandoned == 1
    watch.collect()

    hanging.free.set()
    eventually(lambda: scheduler.snapshot().tasks[0].abandoned == 0)
    assert [task.abandoned for task in watch.collect().changed] == [0]
    assert "has not ended" not in handle.explain()


def test_later_output_is_under_its_number_and_its_end_changes_nothing(
    scheduler: Scheduler, hanging: Hanging
) -> None:
    events = Events(scheduler.subscribe)
    hang(scheduler, hanging)
    scheduler.stop_task("it")
    scheduler.abandon_task("it")
    scheduler.run_task_now("it")
    hanging.free.set()
    assert hanging.ended.wait(60)

    eventually(lambda: events.of(OutputWritten, "it"))
    first = events.outcomes("it")[0].run
    assert [event.run for event in events.of(OutputWritten, "it")] == [first]
    eventually(lambda: scheduler.snapshot().tasks[0].abandoned == 0)
    assert [each.kind for each in events.outcomes("it")] == [ABANDONED, SUCCEEDED]


def test_on_error_is_called_once(hanging: Hanging) -> None:
    told: list[Outcome] = []
    with Scheduler(on_error=told.append) as scheduler:
        hang(scheduler, hanging)
        scheduler.stop_task("it")
        scheduler.abandon_task("it")
        eventually(lambda: told)
        hanging.free.set()
        eventually(lambda: not scheduler.snapshot().tasks[0].abandoned)
    assert [each.kind for each in told] == [ABANDONED]


def test_a_demand_that_waited_starts_at_once(scheduler: Scheduler, hanging: Hanging) -> None:
    hang(scheduler, hanging)
    scheduler.demand_task("it")
    scheduler.stop_task("it")
    scheduler.abandon_task("it")
    eventually(lambda: hanging.runs == 2)


def test_stop_does_not_wait_for_it(hanging: Hanging) -> None:
    scheduler = Scheduler()
    scheduler.start()
    hang(scheduler, hanging)
    scheduler.stop_task("it")
    scheduler.abandon_task("it")

    assert scheduler.stop(30) == []


def test_its_thread_stays_taken_and_explain_says_so(hanging: Hanging) -> None:
    with Scheduler(max_threads=1) as scheduler:
        hang(scheduler, hanging)
        scheduler.stop_task("it")
        scheduler.abandon_task("it")
        scheduler.run_task_now("it")
        assert (
            "waits for a thread: 1 run, 1 of them abandoned, uses all threads"
            in scheduler.running["it"].explain()
        )
        hanging.free.set()
        eventually(lambda: hanging.runs == 2)
