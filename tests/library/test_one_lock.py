"""The one lock is never held while somebody else's code is called (sections 7 and 10)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest

from taskkit import Event, Every, Once, OnDemand, Outcome, Scheduler, Task, current_run
from taskkit.engine.threads import Job, Threads
from taskkit.testing import InlineExecutor, ManualClock


class Lock:
    """Looks whether a scheduler's lock is held, each time somebody is called."""

    def __init__(self) -> None:
        self.scheduler: Scheduler | None = None
        self.called: list[str] = []
        self.held: list[str] = []

    def look(self, who: str) -> None:
        assert self.scheduler is not None
        self.called.append(who)
        if self.scheduler._core.lock.locked():
            self.held.append(who)

    def looking(self, who: str) -> Callable[..., None]:
        return lambda *_: self.look(who)


class LookingExecutor(InlineExecutor):
    """Runs everything on the calling thread, and looks."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock

    @property
    def count(self) -> int:
        self.lock.look("threads")
        return 0

    def submit(self, jobs: Sequence[Job]) -> None:
        self.lock.look("executor")
        super().submit(jobs)

    def for_events(self) -> Threads:
        return LookingDelivery(self.lock)


class LookingDelivery:
    """As the other one, for the delivery of events."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.count = 0

    def submit(self, jobs: Sequence[Job]) -> None:
        self.lock.look("delivery")
        for _, work in jobs:
            work()

    def for_events(self) -> Threads:
        return self


@pytest.fixture
def lock() -> Lock:
    return Lock()


@pytest.fixture
def looked_at(lock: Lock, clock: ManualClock) -> Iterator[Scheduler]:
    scheduler = Scheduler(clock=clock, executor=LookingExecutor(lock), on_error=lock.looking("on_error"))
    lock.scheduler = scheduler
    scheduler.subscribe(lock.looking("subscriber"))
    with scheduler:
        yield scheduler
    assert lock.held == []


def everything(scheduler: Scheduler, clock: ManualClock, name: str) -> None:
    """Every command there is, to one task, in the midst of whatever goes on."""
    handle = scheduler.handle(name)
    assert handle is not None
    handle.demand({"a": 1})
    handle.run_on_completion()
    scheduler.run_task_now(name)
    scheduler.set_period(name, 7)
    scheduler.disable_task(name)
    clock.advance(20)
    scheduler.enable_task(name)
    scheduler.pause()
    clock.advance(20)
    scheduler.resume()
    scheduler.stop_task(name)
    scheduler.stop_all_tasks()
    scheduler.reschedule_task(name, Once(clock.time() + 5))
    scheduler.reschedule_task(name, Every(3))
    clock.advance(20)
    clock.step_wall(3_600)
    scheduler.snapshot()
    scheduler.watch().collect()
    scheduler.describe(name)
    handle.explain()


def test_no_task_no_subscriber_no_on_error_and_no_executor_is_called_under_the_lock(
    looked_at: Scheduler, lock: Lock, clock: ManualClock
) -> None:
    class Looks(Task):
        def run(self) -> str:
            lock.look("task")
            self.handle._entry.run.on_stop(lock.looking("on_stop"))  # type: ignore[union-attr]
            self.progress(1, 2)
            print("written")
            if self.name == "fails":
                raise ValueError("as it should")
            return "result"

    for name in ("works", "fails"):
        looked_at.add_task(Every(5), Looks(), name, retries=1, retry_delay=1, timeout=60)
        clock.advance(11)
        everything(looked_at, clock, name)
        looked_at.add_task(OnDemand(), Looks(), name)
        looked_at.demand_task(name)
        looked_at.unregister_task(name)

    assert {"task", "subscriber", "on_error", "executor", "delivery", "threads"} <= set(lock.called)


def test_describing_asks_no_task_and_no_policy_for_its_words_under_the_lock(
    looked_at: Scheduler, lock: Lock
) -> None:
    class Wordy:
        """Looks each time it is asked for words."""

        def __call__(self, *_: object) -> None: ...

        def __getattr__(self, name: str) -> str:
            lock.look("attribute")
            raise AttributeError(name)

        def __str__(self) -> str:
            lock.look("words")
            return "wordy"

        def __ne__(self, other: object) -> bool:
            lock.look("comparison")
            return self is not other

    looked_at.add_on_demand_task(Wordy(), "it", on_error=Wordy())
    details = looked_at.describe("it")

    assert details is not None
    assert (details.body, details.policies) == ("wordy", {"on_error": "wordy"})
    assert "words" in lock.called


def test_a_policy_whose_words_ask_the_scheduler_can_be_described(scheduler: Scheduler) -> None:
    def tell(handles: object, outcome: Outcome) -> None: ...

    class OutputWriter:
        def __call__(self, outcome: Outcome) -> None: ...

        def __repr__(self) -> str:
            return f"tells of {list(scheduler.on_demand)}"

    scheduler.add_on_demand_task(print, "a", on_error=partial(tell, scheduler.scheduled))
    scheduler.add_on_demand_task(print, "b", on_error=OutputWriter())

    told = [scheduler.describe(name) for name in "ab"]
    assert [details and details.policies for details in told] == [
        {"on_error": "tell"},
        {"on_error": "tells of ['a', 'b']"},
    ]


def test_a_policy_that_has_no_words_is_called_by_its_type(scheduler: Scheduler) -> None:
    class Mute:
        def __call__(self, outcome: Outcome) -> None: ...

        def __repr__(self) -> str:
            raise RuntimeError("no words")

    scheduler.add_on_demand_task(print, "it", on_error=Mute())

    details = scheduler.describe("it")
    assert details is not None
    assert details.policies == {"on_error": "<Mute>"}


def test_nor_from_inside_a_run(looked_at: Scheduler, lock: Lock, clock: ManualClock) -> None:
    inside: list[str] = []

    def task() -> None:
        lock.look("task")
        current_run().on_stop(lock.looking("on_stop"))
        if not inside:
            inside.append(current_run().name)
            everything(looked_at, clock, "task")
            looked_at.add_on_demand_task(task, "task")
            looked_at.demand_task("task")
            looked_at.unregister_task("task")

    looked_at.add_task(Every(5), task, "task")
    clock.advance(1)

    assert inside
    assert "on_stop" in lock.called


def test_a_subscriber_may_give_any_command(looked_at: Scheduler, lock: Lock, clock: ManualClock) -> None:
    given: list[Event] = []

    def hear(event: Event) -> None:
        lock.look("subscriber that commands")
        if not given:
            given.append(event)
            everything(looked_at, clock, "task")

    looked_at.subscribe(hear)
    looked_at.add_task(Every(5), lock.looking("task"), "task")
    clock.advance(30)

    assert given
    assert "task" in lock.called


def test_on_error_may_give_any_command(looked_at: Scheduler, lock: Lock, clock: ManualClock) -> None:
    given: list[Outcome] = []

    def on_error(outcome: Outcome) -> None:
        lock.look("on_error that commands")
        if not given:
            given.append(outcome)
            everything(looked_at, clock, "fails")

    def fail() -> None:
        raise ValueError("as it should")

    looked_at.add_task(Every(5), fail, "fails", on_error=on_error)
    clock.advance(30)

    assert given


def test_what_a_task_returns_and_raises_is_put_in_words_outside_the_lock(
    looked_at: Scheduler, lock: Lock
) -> None:
    class Returned:
        def __repr__(self) -> str:
            lock.look("repr")
            return "returned"

    class RaisedError(Exception):
        def __str__(self) -> str:
            lock.look("str")
            return "raised"

    def fail() -> None:
        raise RaisedError

    looked_at.add_on_demand_task(lambda: Returned(), "returns")
    looked_at.add_on_demand_task(fail, "raises")
    looked_at.demand_task("returns")
    looked_at.demand_task("raises")
    looked_at.snapshot()
    looked_at.describe("returns")

    assert {"repr", "str"} <= set(lock.called)


def test_logging_is_called_outside_the_lock(looked_at: Scheduler, lock: Lock) -> None:
    def fail() -> None:
        raise ValueError("as it should")

    class Looks(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lock.look("logging")

    handler = Looks()
    logger = logging.getLogger("taskkit")
    logger.addHandler(handler)
    try:
        looked_at.add_on_demand_task(fail, "fails")
        looked_at.demand_task("fails")
    finally:
        logger.removeHandler(handler)

    assert "logging" in lock.called


def test_what_one_thread_carries_out_no_other_carries_out_too(lock: Lock, clock: ManualClock) -> None:
    """Another command comes just when the lock is released, before what follows from the first is done."""

    class Meanwhile:
        def __init__(self) -> None:
            self.released = False

        def acquire(self) -> None:
            pass

        def release(self, *_: object) -> None:
            if not self.released:
                self.released = True
                scheduler.demand_task("task")

        __enter__, __exit__ = acquire, release

    runs: list[int] = []
    jobs: list[str] = []

    class Counting(InlineExecutor):
        def submit(self, given: Sequence[Job]) -> None:
            jobs.extend(name for name, _ in given)
            super().submit(given)

    scheduler = Scheduler(clock=clock, executor=Counting(), capture=False)
    scheduler.add_on_demand_task(lambda: runs.append(current_run().number), "task")
    scheduler._core.lock = Meanwhile()  # type: ignore[assignment]
    scheduler.enable_task("task")

    assert jobs == ["task"]
    assert len(runs) == 1
