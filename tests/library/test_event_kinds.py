"""Subscribing to some kinds of events: only those are delivered, and others are not even made."""

from __future__ import annotations

import pytest

from taskkit import Event, RunFinished, RunStarted, Scheduler, SchedulerStopped, TaskEvent
from taskkit.testing import InlineExecutor, ManualClock


@pytest.fixture
def quiet() -> Scheduler:
    return Scheduler(clock=ManualClock(), executor=InlineExecutor(), capture=False)


def test_only_the_wanted_kinds_are_delivered(quiet: Scheduler) -> None:
    finished: list[Event] = []
    everything: list[Event] = []
    quiet.subscribe(finished.append, kinds=(RunFinished,))
    quiet.subscribe(everything.append)
    with quiet:
        quiet.add_on_demand_task(lambda: None, "task")
        quiet.demand_task("task")

    assert [type(event) for event in finished] == [RunFinished]
    assert [event for event in everything if isinstance(event, RunFinished)] == finished
    assert len(everything) > 3


def test_a_base_class_stands_for_all_events_below_it(quiet: Scheduler) -> None:
    of_tasks: list[Event] = []
    quiet.subscribe(of_tasks.append, kinds=[TaskEvent])
    with quiet:
        quiet.add_on_demand_task(lambda: None, "task")
        quiet.demand_task("task")

    assert {type(event).__name__ for event in of_tasks} == {"TaskRegistered", "RunStarted", "RunFinished"}


def test_an_event_that_nobody_wants_is_not_made(quiet: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it was made")

    monkeypatch.setattr(RunStarted, "__init__", refuse)
    ends: list[Event] = []
    quiet.subscribe(ends.append, kinds={SchedulerStopped})
    with quiet:
        quiet.add_on_demand_task(lambda: None, "task")
        quiet.demand_task("task")

    assert [type(event) for event in ends] == [SchedulerStopped]


def test_a_kind_is_heard_no_more_once_its_subscription_ended(quiet: Scheduler) -> None:
    started: list[Event] = []
    end = quiet.subscribe(started.append, kinds=(RunStarted,))
    with quiet:
        quiet.add_on_demand_task(lambda: None, "task")
        quiet.demand_task("task")
        end()
        quiet.demand_task("task")

    assert len(started) == 1


@pytest.mark.parametrize("kinds", [RunFinished, "RunFinished", (int,), [RunFinished, None], 7])
def test_kinds_are_classes_of_events(quiet: Scheduler, kinds: object) -> None:
    with pytest.raises(TypeError, match="kinds must"):
        quiet.subscribe(print, kinds=kinds)  # type: ignore[arg-type]
