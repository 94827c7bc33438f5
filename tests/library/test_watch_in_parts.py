"""Looking at many handles in parts: each once, in the order of registration, and changes meanwhile."""

from __future__ import annotations

import pytest
from patience import eventually

from taskkit import Event, OutputWritten, RunFinished, Scheduler


def test_the_first_look_can_be_taken_in_parts(scheduler: Scheduler) -> None:
    watch = scheduler.watch()
    for number in range(10):
        scheduler.add_on_demand_task(lambda: None, f"task {number}")
    parts = [watch.collect(most=4) for _ in range(3)]

    assert [len(part.changed) for part in parts] == [4, 4, 2]
    assert [part.rest for part in parts] == [6, 2, 0]
    assert [task.name for part in parts for task in part.changed] == [
        f"task {number}" for number in range(10)
    ]


def test_what_changes_or_goes_before_its_part_comes_is_told_as_it_is_then(scheduler: Scheduler) -> None:
    watch = scheduler.watch()
    for number in range(4):
        scheduler.add_on_demand_task(lambda: None, f"task {number}")
    watch.collect(most=2)
    scheduler.disable_task("task 2")
    scheduler.unregister_task("task 3")
    scheduler.disable_task("task 0")
    rest = watch.collect()

    assert [(task.name, task.disabled) for task in rest.changed] == [("task 2", True), ("task 0", True)]
    assert len(rest.gone) == 1


@pytest.mark.parametrize("most", [None, 100])
def test_a_look_that_is_large_enough_takes_everything(scheduler: Scheduler, most: int | None) -> None:
    watch = scheduler.watch()
    for number in range(3):
        scheduler.add_on_demand_task(lambda: None, f"task {number}")

    assert watch.collect(most).rest == 0
    assert watch.collect(most).changed == ()


def test_failures_are_followed_in_order_with_the_output_and_successes_are_not() -> None:
    heard: list[Event] = []

    def fail() -> None:
        print("about to fail")
        raise ValueError("no such feed")

    with Scheduler() as scheduler:
        scheduler.watch().follow_failures(heard.append)
        scheduler.subscribe(heard.append, kinds=(OutputWritten,))
        succeeds = scheduler.add_on_demand_task(lambda: None, "succeeds")
        scheduler.add_on_demand_task(fail, "fails")
        scheduler.demand_task("succeeds")
        eventually(lambda: succeeds.last_outcome)
        scheduler.demand_task("fails")
        eventually(lambda: len(heard) == 2, lambda: heard)

    assert [type(event).__name__ for event in heard] == ["OutputWritten", "RunFinished"]
    assert isinstance(heard[1], RunFinished)
    assert heard[1].outcome.exception == "ValueError: no such feed"


def test_after_the_watch_is_closed_no_failure_is_reported(scheduler: Scheduler) -> None:
    heard: list[Event] = []
    closed, open_still = scheduler.watch(), scheduler.watch()
    closed.follow_failures(heard.append)
    open_still.follow_failures(heard.append)
    closed.close()
    scheduler.start()
    scheduler.add_on_demand_task(lambda: 1 / 0, "fails")
    scheduler.demand_task("fails")
    eventually(lambda: heard)
    scheduler.stop()

    assert len(heard) == 1
