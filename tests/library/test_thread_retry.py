"""Where the system gives no thread it is asked again: nothing waits until by chance another begins."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
from patience import Gates, eventually

from taskkit import Event, Scheduler
from taskkit.clock import NextLook
from taskkit.engine import run_loop
from taskkit.engine import threads as threads_module
from taskkit.engine.thread_retry import RETRY_SECONDS
from taskkit.engine.threads import Job, ThreadPool, Threads
from taskkit.testing import InlineExecutor, ManualClock

LACKING = "it waits for a thread: the system refuses to start more, which is tried again twice a second."


class System:
    """Gives threads for runs and deliveries, or does not."""

    def __init__(self) -> None:
        self.gives = True
        self.refused: list[str] = []


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    system = System()
    begin = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if not system.gives:
            system.refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threads_module._PoolThread, "start", start)
    monkeypatch.setattr(run_loop, "RETRY_SECONDS", 0.01)
    return system


@pytest.fixture
def real(system: System) -> Iterator[Scheduler]:
    """A scheduler with threads of its own, none of which is there yet."""
    with Scheduler(threads=ThreadPool(idle_seconds=0.01), capture=False) as scheduler:
        eventually(lambda: scheduler._core.bus._threads.count == 0)
        yield scheduler
        system.gives = True


class TestARunWithoutAThread:
    def test_begins_when_there_is_one_though_nothing_else_happens(
        self, real: Scheduler, system: System
    ) -> None:
        system.gives = False
        handle = real.add_on_demand_task(lambda: None, "it")
        handle.run_now()
        eventually(lambda: handle.explain() == LACKING)
        system.gives = True
        eventually(lambda: handle.last_outcome)

    def test_asks_again_and_again_and_is_logged_once(
        self, real: Scheduler, system: System, caplog: pytest.LogCaptureFixture
    ) -> None:
        system.gives = False
        real.add_on_demand_task(lambda: None, "it").run_now()
        eventually(lambda: len(system.refused) > 5)
        assert caplog.text.count("no more threads can be started") == 1

    def test_that_a_schedule_started_begins_too(self, real: Scheduler, system: System) -> None:
        system.gives = False
        handle = real.add_timed_task(None, lambda: 5, "it")
        eventually(lambda: len(system.refused) > 1)
        system.gives = True
        eventually(lambda: handle.last_outcome)

    def test_gets_one_though_those_that_there_are_have_no_end(self, real: Scheduler, system: System) -> None:
        gates = Gates()
        real.add_timed_task(None, gates, "long")
        eventually(lambda: gates.inside == 1)
        system.gives = False
        handle = real.add_timed_task(None, lambda: None, "it")
        eventually(lambda: handle.explain() == LACKING)
        system.gives = True
        eventually(lambda: handle.last_outcome)
        gates.open()

    def test_that_was_added_before_the_start_begins_after_it(self, system: System) -> None:
        scheduler = Scheduler(capture=False)
        system.gives = False
        handle = scheduler.add_on_demand_task(lambda: None, "it")
        handle.run_now()
        system.gives = True
        with scheduler:
            eventually(lambda: handle.last_outcome)


def test_events_are_delivered_when_there_is_a_thread_for_them(real: Scheduler, system: System) -> None:
    told: list[Event] = []
    system.gives = False
    real.subscribe(told.append)
    real.add_on_demand_task(lambda: None, "it")
    eventually(lambda: len(system.refused) > 1)
    assert told == []
    system.gives = True
    eventually(lambda: told)


def test_with_max_threads_it_is_said_how_many_runs_go_on() -> None:
    gates = Gates()
    with Scheduler(max_threads=1, capture=False) as scheduler:
        scheduler.add_timed_task(None, gates, "first")
        eventually(lambda: gates.inside == 1)
        handle = scheduler.add_timed_task(None, gates, "it")
        eventually(lambda: "it" in scheduler.running)
        assert handle.explain() == "it waits for a thread: 1 run uses all threads."
        gates.open()


class Refusing:
    """An executor that lacks threads as long as a test says so."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.refuses = True
        self.count = 0

    def submit(self, jobs: Sequence[Job]) -> bool:
        self.jobs += jobs
        return self.refuses

    def for_events(self) -> Threads:
        return InlineExecutor().for_events()


class TestTheLoop:
    """It looks again in time, and only as long as a thread is lacking."""

    def test_looks_again_soon(self) -> None:
        clock, executor = ManualClock(), Refusing()
        looks: list[NextLook] = []
        scheduler = Scheduler(clock=clock, threads=executor, capture=False)
        core = scheduler._core
        with scheduler:
            handle = scheduler.add_periodic_task(1000, 1000, lambda: None, "it")
            clock.advance(0)
            handle.run_now()
            assert handle.explain() == "it waits for a thread, which is starting."
            looks.append(core._ring())
            assert handle.explain() == LACKING
            executor.refuses = False
            looks.append(core._ring())
            assert handle.explain() == "it waits for a thread, which is starting."
            looks.append(core._ring())
        assert [each.at for each in looks] == [RETRY_SECONDS, None, None]

    def test_looks_no_later_than_something_is_due(self) -> None:
        clock, executor = ManualClock(), Refusing()
        scheduler = Scheduler(clock=clock, threads=executor, capture=False)
        with scheduler:
            scheduler.add_periodic_task(RETRY_SECONDS / 2, 1000, lambda: None, "soon")
            scheduler.add_on_demand_task(lambda: None, "it").run_now()
            assert scheduler._core._ring().at == RETRY_SECONDS / 2
