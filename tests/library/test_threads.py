"""Threads of runs (O1): one each, named after the task, without a hidden ceiling, reused, and let go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from patience import PATIENCE, Gates, eventually, no_thread_left

from taskkit import OutcomeKind, Scheduler, TaskState
from taskkit.clock import LockGate
from taskkit.engine import threads as module
from taskkit.engine.threads import ThreadPool

IDLE = 0.05
"""Seconds that idle threads are kept in these tests."""


@pytest.fixture
def all_threads_end() -> Iterator[None]:
    with no_thread_left():
        yield


@pytest.fixture
def pool() -> ThreadPool:
    return ThreadPool(idle_seconds=IDLE)


@pytest.fixture
def gates() -> Iterator[Gates]:
    gates = Gates()
    yield gates
    gates.open()


@pytest.mark.usefixtures("all_threads_end")
class TestThreads:
    def test_each_run_is_on_a_thread_named_after_its_task(self, gates: Gates) -> None:
        with Scheduler(threads=ThreadPool(idle_seconds=IDLE), capture=False) as scheduler:
            for name in ("sweep", "news", "日本"):
                scheduler.add_on_demand_task(gates, name)
                scheduler.demand_task(name)
            eventually(lambda: gates.inside == 3)
            assert sorted(gates.threads) == sorted(["sweep", "news", "日本"])
            assert {"sweep", "news"} <= {thread.name for thread in threading.enumerate()}
            gates.open()

    def test_all_are_daemons(self, pool: ThreadPool) -> None:
        daemons: list[bool] = []
        pool.submit([("daemon", lambda: daemons.append(threading.current_thread().daemon))])
        eventually(lambda: daemons == [True])

    def test_there_is_no_hidden_ceiling(self, gates: Gates) -> None:
        """Two hundred tasks that block are all inside at once."""
        with Scheduler(threads=ThreadPool(idle_seconds=IDLE), capture=False) as scheduler:
            for number in range(200):
                scheduler.add_timed_task(None, gates, f"blocks {number}")
            eventually(lambda: gates.inside == 200, lambda: f"only {gates.inside} came")
            assert scheduler.snapshot().figures.threads == 200
            gates.open()

    def test_a_batch_that_blocks_gets_a_thread_for_each_job(self, pool: ThreadPool, gates: Gates) -> None:
        pool.submit([(f"job {number}", gates) for number in range(50)])
        eventually(lambda: gates.inside == 50, lambda: f"only {gates.inside} came")

    def test_a_batch_of_short_jobs_needs_few_threads(self, pool: ThreadPool) -> None:
        done: list[int] = []
        pool.submit([(f"job {number}", lambda number=number: done.append(number)) for number in range(5_000)])
        eventually(lambda: len(done) == 5_000)
        assert sorted(done) == list(range(5_000))
        assert pool.count < 50

    def test_many_who_submit_at_once_lose_no_job(self, pool: ThreadPool) -> None:
        done: list[int] = []

        def submit() -> None:
            for number in range(500):
                pool.submit([("job", lambda number=number: done.append(number))])

        submitters = [threading.Thread(target=submit) for _ in range(4)]
        for each in submitters:
            each.start()
        for each in submitters:
            each.join(PATIENCE)
        eventually(lambda: len(done) == 2_000, lambda: f"{len(done)} of 2000 done")

    def test_a_job_submitted_by_a_job_is_done_though_that_one_waits_for_it(self, pool: ThreadPool) -> None:
        inner, outer = threading.Event(), threading.Event()

        def work() -> None:
            pool.submit([("inner", inner.set)])
            if inner.wait(PATIENCE):
                outer.set()

        pool.submit([("outer", work)])
        assert outer.wait(PATIENCE)


@pytest.mark.usefixtures("all_threads_end")
class TestIdleThreads:
    def test_they_end_after_a_while(self, pool: ThreadPool, gates: Gates) -> None:
        pool.submit([(f"job {number}", gates) for number in range(10)])
        eventually(lambda: gates.inside == 10)
        gates.open()
        eventually(lambda: pool.count == 0)
        assert pool._idle == []

    def test_work_that_comes_just_when_they_give_up_is_done(self) -> None:
        """A pool whose threads give up at once, over and over: no job is lost between two of them."""
        pool = ThreadPool(idle_seconds=0.0)
        for _ in range(2_000):
            done = threading.Event()
            pool.submit([("job", done.set)])
            assert done.wait(PATIENCE)


@pytest.mark.usefixtures("all_threads_end")
class TestMaxThreads:
    """`max_threads=`: the further ones wait, visibly, and commands reach them."""

    @pytest.fixture
    def crowded(self, gates: Gates) -> Iterator[Scheduler]:
        executor = ThreadPool(max_threads=2, idle_seconds=IDLE)
        with Scheduler(threads=executor, capture=False) as scheduler:
            for number in range(5):
                scheduler.add_on_demand_task(gates, f"task {number}")
                scheduler.demand_task(f"task {number}")
            eventually(lambda: gates.inside == 2)
            yield scheduler
            gates.open()

    def test_the_others_wait_and_are_running(self, crowded: Scheduler) -> None:
        assert waiting(crowded) == ["task 2", "task 3", "task 4"]
        assert len(crowded.running) == 5
        assert crowded.snapshot().figures.threads == 2

    def test_all_come_in_their_turn(self, crowded: Scheduler, gates: Gates) -> None:
        gates.open()
        eventually(lambda: not crowded.running)
        assert gates.threads == [f"task {number}" for number in range(5)]
        assert gates.most == 2

    def test_one_that_waits_can_be_stopped_and_never_begins(self, crowded: Scheduler, gates: Gates) -> None:
        assert crowded.stop_task("task 3")
        assert "task 3" not in crowded.running
        gates.open()
        eventually(lambda: not crowded.running)
        assert "task 3" not in gates.threads
        handle = crowded.handle("task 3")
        assert handle is not None
        assert handle.state is TaskState.ON_DEMAND
        assert handle.last_outcome is not None
        assert handle.last_outcome.kind is OutcomeKind.STOPPED

    def test_one_that_waits_can_be_unregistered_and_never_begins(
        self, crowded: Scheduler, gates: Gates
    ) -> None:
        assert crowded.unregister_task("task 4")
        assert "task 4" not in crowded.running
        assert crowded.handle("task 4") is None
        gates.open()
        eventually(lambda: not crowded.running)
        assert "task 4" not in gates.threads

    def test_stop_drops_those_that_wait(self, crowded: Scheduler, gates: Gates) -> None:
        assert crowded.stop(timeout=0) == ["task 0", "task 1"]
        gates.open()
        eventually(lambda: not gates.inside)
        assert sorted(gates.threads) == ["task 0", "task 1"]

    def test_events_are_delivered_though_every_thread_is_blocked(self, crowded: Scheduler) -> None:
        told = threading.Event()
        crowded.subscribe(lambda _: told.set())
        crowded.disable_task("task 0")
        assert told.wait(PATIENCE)


@pytest.mark.usefixtures("all_threads_end")
class TestTrouble:
    def test_a_job_that_raises_outside_its_run_is_logged_and_the_thread_goes_on(
        self, pool: ThreadPool, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken() -> None:
            raise SystemExit(1)

        done = threading.Event()
        pool.submit([("broken", broken), ("next", done.set)])
        assert done.wait(PATIENCE)
        eventually(lambda: "broken raised outside its run" in caplog.text)

    def test_where_the_system_gives_no_thread_the_job_waits_for_one_that_there_is(
        self,
        pool: ThreadPool,
        gates: Gates,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        pool.submit([("first", gates)])
        eventually(lambda: gates.inside == 1)

        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        done = threading.Event()
        with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "taskkit"):
            patch.setattr(module._PoolThread, "start", refuse)
            pool.submit([("second", done.set)])
        assert "no more threads can be started" in caplog.text
        assert pool.count == 1
        gates.open()
        assert done.wait(PATIENCE)


def waiting(scheduler: Scheduler) -> list[str]:
    return [task.name for task in scheduler.snapshot().tasks if task.run and task.run.started is None]


def test_the_scheduler_hands_its_ceiling_on(gates: Gates) -> None:
    with Scheduler(max_threads=1, capture=False) as scheduler:
        for name in ("a", "b"):
            scheduler.add_on_demand_task(gates, name)
            scheduler.demand_task(name)
        eventually(lambda: gates.inside == 1)
        assert waiting(scheduler) == ["b"]
        gates.open()
        eventually(lambda: not scheduler.running)
    assert gates.most == 1


def test_a_reused_thread_takes_the_name_of_its_next_run() -> None:
    pool = ThreadPool()
    names: list[str] = []
    for name in ("first", "second"):
        pool.submit([(name, lambda: names.append(threading.current_thread().name))])
        eventually(lambda name=name: name in names and len(pool._idle) == 1)

    assert names == ["first", "second"]
    assert pool.count == 1


def test_the_one_that_went_idle_last_is_taken_first() -> None:
    pool = ThreadPool()
    gates = [Gates() for _ in range(3)]
    for number, gate in enumerate(gates):
        pool.submit([(f"worker {number}", gate)])
        eventually(lambda gate=gate: gate.inside)
    for number in (1, 2, 0):
        gates[number].open()
        eventually(lambda number=number: any(each.name == f"worker {number}" for each in pool._idle))
    last = pool._idle[-1]
    assert last.name == "worker 0"

    took: list[threading.Thread] = []
    pool.submit([("next", lambda: took.append(threading.current_thread()))])
    eventually(lambda: took)
    assert took == [last]


def test_a_thread_that_is_called_just_as_it_gives_up_takes_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    class TooLate(LockGate):
        """Whoever waits at it for long is told that nobody came, in the moment in which somebody comes."""

        def wait(self, timeout: float | None) -> bool:
            if timeout != PATIENCE:
                return super().wait(timeout)
            if super().wait(timeout):
                self.open()
            return False

    monkeypatch.setattr(module, "LockGate", TooLate)
    pool = ThreadPool(idle_seconds=PATIENCE)
    took: list[threading.Thread] = []
    for count in range(1, 6):
        pool.submit([("job", lambda: took.append(threading.current_thread()))])
        eventually(lambda count=count: len(took) == count and len(pool._idle) == 1)

    assert len(set(took)) == 1
    assert pool.count == 1
