"""Programs that made more of the old classes: what they override is called, once, where it was."""

# ruff: noqa: N802

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from time import sleep

import pytest
from old_spelling import Noting, fail, started
from patience import eventually

from taskkit.testing import ManualClock
from taskkit.webware import Scheduler, Task, TaskHandler
from taskkit.webware import scheduler as scheduler_module


class Telling(Scheduler):
    """Tells what is called."""

    def __init__(self, *arguments: object, **keywords: object) -> None:
        Scheduler.__init__(self, *arguments, **keywords)
        self.time = 30  # names that the original left free
        self.told: list[tuple[str, object]] = []

    def scheduleTask(self, handle: TaskHandler) -> None:
        self.told.append(("schedule", handle.name()))
        Scheduler.scheduleTask(self, handle)

    def runTask(self, handle: TaskHandler) -> None:
        self.told.append(("run", handle.name()))
        Scheduler.runTask(self, handle)

    def notifyCompletion(self, handle: TaskHandler) -> None:
        self.told.append(("completion", handle.name()))
        Scheduler.notifyCompletion(self, handle)

    def notifyFailure(self, handle: TaskHandler) -> None:
        self.told.append(("failure", handle.name()))
        Scheduler.notifyFailure(self, handle)


@pytest.fixture
def telling(clock: ManualClock) -> Iterator[Telling]:
    with started(clock, Telling) as scheduler:
        yield scheduler


def test_each_run_is_reported_once_however_it_was_started(
    telling: Telling, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    telling.addPeriodicAction(start, 10, task, "periodic")
    clock.advance(10)
    telling.addActionOnDemand(Noting(clock), "asked")
    telling.runTaskNow("asked")
    telling.runTaskNow("periodic")
    telling.modern.run_task_now("periodic")

    assert telling.told == [
        ("schedule", "periodic"),
        *[("run", "periodic"), ("completion", "periodic")] * 2,
        *[("run", "asked"), ("completion", "asked")],
        *[("run", "periodic"), ("completion", "periodic")] * 2,
    ]
    assert len(task.times) == 4


def test_a_failure_is_reported_before_its_completion(
    telling: Telling, clock: ManualClock, start: float
) -> None:
    telling.addTimedAction(start, Noting(clock, fail), "it")
    clock.advance(0)

    assert [what for what, _ in telling.told] == ["schedule", "run", "failure", "completion"]


def test_a_scheduler_that_does_not_pass_a_run_on_has_vetoed_it(clock: ManualClock, start: float) -> None:
    class Vetoing(Scheduler):
        def runTask(self, handle: TaskHandler) -> None:
            if handle.name() != "forbidden":
                Scheduler.runTask(self, handle)

    with started(clock, Vetoing) as old:
        forbidden, allowed = Noting(clock), Noting(clock)
        old.addPeriodicAction(start, 10, forbidden, "forbidden")
        old.addPeriodicAction(start, 10, allowed, "allowed")
        clock.advance(10)
        assert old.runTaskNow("forbidden") is True

    assert (len(forbidden.times), len(allowed.times)) == (0, 2)


def test_a_scheduler_may_start_another_task_before_the_one_that_is_due(
    clock: ManualClock, start: float
) -> None:
    class Preparing(Scheduler):
        def runTask(self, handle: TaskHandler) -> None:
            if handle.name() == "it":
                self.onDemand("before").runTask()
            Scheduler.runTask(self, handle)

    with started(clock, Preparing) as old:
        before, task = Noting(clock), Noting(clock)
        old.addActionOnDemand(before, "before")
        old.addPeriodicAction(start, 10, task, "it")
        clock.advance(10)

    assert (len(before.times), len(task.times)) == (2, 2)


def test_a_hook_that_raises_fails_its_run_and_no_other(clock: ManualClock, start: float) -> None:
    class Raising(Scheduler):
        def notifyCompletion(self, handle: TaskHandler) -> None:
            raise RuntimeError("no completion")

    with started(clock, Raising) as old:
        task = Noting(clock)
        old.addPeriodicAction(start, 10, task, "it")
        clock.advance(20)
        assert not old.hasRunning("it")

    assert len(task.times) == 3


def test_a_handler_of_ones_own_takes_the_place_of_the_usual_one(
    clock: ManualClock, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Handler(TaskHandler):
        def runTask(self) -> None:
            told.append("run")
            TaskHandler.runTask(self)

        def notifyFailure(self) -> None:
            told.append("failure")
            TaskHandler.notifyFailure(self)

        def isRunning(self) -> bool:
            return "oh yes" and TaskHandler.isRunning(self)

    monkeypatch.setattr(scheduler_module, "TaskHandler", Handler)
    with started(clock) as old:
        old.addTimedAction(start + 5, Noting(clock, fail), "it")
        assert type(old.scheduled("it")) is Handler
        clock.advance(5)

    assert told == ["run", "failure"]


def test_a_method_that_is_put_in_place_of_the_usual_one_is_called(
    clock: ManualClock, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed: list[object] = []
    monkeypatch.setattr(TaskHandler, "notifyCompletion", lambda self: completed.append(self.name()))
    with started(clock) as old:
        old.addPeriodicAction(start, 10, Noting(clock), "it")
        clock.advance(20)

    assert completed == ["it"] * 3


def test_the_thread_of_the_scheduler_runs_what_a_subclass_has_it_run() -> None:
    told: list[str] = []

    class Framed(Scheduler):
        def run(self) -> None:
            told.append("begin")
            Scheduler.run(self)
            told.append("end")

    old = Framed()
    old.start()
    eventually(lambda: told == ["begin"])
    old.stop()

    assert told == ["begin", "end"]


def test_a_thread_that_a_task_starts_sees_whether_the_task_may_proceed() -> None:
    told: list[object] = []

    class Helped(Task):
        def run(self) -> None:
            helper = Thread(target=self.help)
            helper.start()
            helper.join()

        def help(self) -> None:
            told.append((self.name(), self.proceed()))
            while self.proceed():
                sleep(0.001)
            told.append(self.proceed())

    old = Scheduler()
    old.start()
    old.addActionOnDemand(Helped(), "it")
    old.runTaskNow("it")
    eventually(lambda: told)
    old.stopTask("it")
    eventually(lambda: not old.hasRunning("it"))
    old.stop()

    assert told == [("it", True), False]


def test_a_task_that_calls_another_one_stays_itself(clock: ManualClock, start: float) -> None:
    class Whole(Task):
        def __init__(self) -> None:
            self.part = Part()

        def run(self) -> None:
            self.part.run()
            told.append(self.name())

    class Part(Task):
        def run(self) -> None:
            told.append(self.proceed())
            told.append(hasattr(self, "_name"))

    told: list[object] = []
    with started(clock) as old:
        old.addTimedAction(start, Whole(), "whole")
        clock.advance(0)

    assert told == [True, False, "whole"]


def test_attributes_of_a_tasks_own_may_have_the_names_of_new_ones(clock: ManualClock, start: float) -> None:
    class Owner(Task):
        def __init__(self) -> None:
            self.parameters = {"feed": 1}
            self.progress = 0
            self.sleep = 5
            self._name = "mine"

        def run(self) -> None:
            told.append((self.parameters, self.progress, self.sleep, self.name()))

    told: list[object] = []
    with started(clock) as old:
        old.addTimedAction(start, Owner(), "it")
        clock.advance(0)

    assert told == [({"feed": 1}, 0, 5, "it")]


class Odd:
    """A key whose `repr` a terminal would obey."""

    def __repr__(self) -> str:
        return "odd\x1b[2J"


@pytest.mark.parametrize(
    "name", [1, (1, "two"), None, "", "two\nlines", 2.5, frozenset({1}), b"bytes", Odd()]
)
def test_any_key_is_a_name(clock: ManualClock, start: float, name: object) -> None:
    with started(clock) as old:
        task = Noting(clock, lambda it: told.append(it.name()))
        told: list[object] = []
        old.addPeriodicAction(start, 10, task, name)
        old.addPeriodicAction(start, 10, Noting(clock), repr(name))

        assert old.hasScheduled(name)
        assert name in old.scheduledTasks()
        assert [each for each in old.scheduledTasks() if each == name] == [name]
        assert old.scheduled(name).name() == name
        clock.advance(0)
        assert told == [name]
        assert all(text.isprintable() for text in old.modern.scheduled)
        assert old.unregisterTask(name).name() == name
        assert list(old.scheduledTasks()) == [repr(name)]


def test_tasks_add_and_unregister_tasks_from_inside(clock: ManualClock, start: float) -> None:
    with started(clock) as old:
        children = [Noting(clock) for _ in range(3)]

        def add(task: Task) -> None:
            for number, child in enumerate(children):
                old.addTimedAction(clock.time() + number, child, number)
            old.addTimedAction(clock.time() + 5, task, task.name())

        def unregister(task: Task) -> None:
            assert old.unregisterTask(task.name()) is task.handle()
            task.handle().setPeriod(1)
            task.handle().runOnCompletion()

        parent = Noting(clock, add, unregister)
        old.addPeriodicAction(start, 1, parent, "parent")
        clock.advance(20)

        assert [child.times for child in children] == [[start], [start + 1], [start + 2]]
        assert parent.times == [start, start + 5]
        assert len(old.scheduledTasks()) == 0


def test_a_task_stops_the_scheduler(clock: ManualClock, start: float) -> None:
    with started(clock) as old:
        task = Noting(clock, lambda it: (old.stop(), proceeded.append(it.proceed())))
        proceeded: list[bool] = []
        old.addPeriodicAction(start, 1, task, "it")
        clock.advance(5)

        assert proceeded == [False]
        assert (old.isRunning(), len(task.times)) == (False, 1)
