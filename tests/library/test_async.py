"""Tasks that are `async`: awaited on a loop of their own, cancelled when their run is stopped (R3, O2)."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskkit import (
    Event,
    Outcome,
    OutcomeKind,
    Progress,
    Run,
    RunFinished,
    RunProgressed,
    Scheduler,
    Task,
    current_run,
)
from taskkit.testing import InlineExecutor, ManualClock

DEADLINE = 20.0
"""Seconds after which a test gives up."""


class Ended:
    """How runs end, on whatever thread."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._changed = threading.Condition()
        self._outcomes: list[Outcome] = []
        scheduler.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            with self._changed:
                self._outcomes.append(event.outcome)
                self._changed.notify_all()

    def outcome(self) -> Outcome:
        """Wait until the next run has ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._outcomes, DEADLINE), "it goes on"
            return self._outcomes.pop(0)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """On real threads: what stops a run is another one."""
    with Scheduler(capture=False) as scheduler:
        yield scheduler


@pytest.fixture
def ended(scheduler: Scheduler) -> Ended:
    return Ended(scheduler)


@pytest.fixture(autouse=True)
def _every_coroutine_is_awaited() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        gc.collect()


def start(scheduler: Scheduler, task: Task | Callable[[], object]) -> None:
    scheduler.add_on_demand_task(task, "it")
    assert scheduler.run_task_now("it")


class Started:
    """A gate that a coroutine opens, and a test waits at."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def tell(self) -> None:
        self._event.set()

    def wait(self) -> None:
        assert self._event.wait(DEADLINE), "it does not begin"


class TestWhatCanBeAsync:
    def test_the_run_of_a_task(self, scheduler: Scheduler, ended: Ended) -> None:
        class Async(Task):
            async def run(self) -> str:
                await asyncio.sleep(0)
                return f"{self.name} {self.proceed()}"

        start(scheduler, Async())
        assert ended.outcome().result == "it True"

    def test_a_function(self, scheduler: Scheduler, ended: Ended) -> None:
        async def task() -> int:
            await asyncio.sleep(0)
            return 5

        start(scheduler, task)
        assert ended.outcome().result == 5

    def test_a_callable_object(self, scheduler: Scheduler, ended: Ended) -> None:
        class Callable:
            async def __call__(self) -> int:
                return 5

        start(scheduler, Callable())
        assert ended.outcome().result == 5

    def test_a_plain_function_that_returns_a_coroutine(self, scheduler: Scheduler, ended: Ended) -> None:
        start(scheduler, lambda: asyncio.sleep(0, 5))
        assert ended.outcome().result == 5

    def test_a_plain_function_that_returns_something_else_to_await(
        self, scheduler: Scheduler, ended: Ended
    ) -> None:
        class Later:
            def __await__(self) -> Generator[object, None, int]:
                yield from asyncio.sleep(0).__await__()
                return 5

        start(scheduler, lambda: Later())
        assert ended.outcome().result == 5

    def test_not_an_async_generator_of_which_nothing_would_run(
        self, scheduler: Scheduler, ended: Ended
    ) -> None:
        class Yields(Task):
            async def run(self) -> AsyncIterator[int]:
                yield 1

        start(scheduler, Yields())
        outcome = ended.outcome()
        assert outcome.kind is OutcomeKind.FAILED
        assert "Yields.run has a yield in it, so that nothing of it would ever run" in str(outcome.exception)

    def test_not_a_coroutine_itself_which_could_run_but_once(self, scheduler: Scheduler) -> None:
        """Section 9."""
        coroutine = asyncio.sleep(0)
        with pytest.raises(TypeError, match="register the function itself, without calling it"):
            scheduler.add_on_demand_task(coroutine, "it")  # type: ignore[arg-type]
        coroutine.close()

    def test_two_at_once_each_with_a_loop_of_its_own(self, scheduler: Scheduler, ended: Ended) -> None:
        both = threading.Barrier(2, timeout=DEADLINE)

        async def meet() -> None:
            await asyncio.to_thread(both.wait)

        scheduler.add_on_demand_task(meet, "one").run_now()
        scheduler.add_on_demand_task(meet, "other").run_now()
        assert {ended.outcome().kind, ended.outcome().kind} == {OutcomeKind.SUCCEEDED}

    def test_one_on_a_manual_clock_without_a_thread(self, clock: ManualClock) -> None:
        async def task() -> int:
            await asyncio.sleep(0)
            return 5

        with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
            handle = scheduler.add_periodic_task(None, 60, task, "it")
            clock.advance(60)
        assert handle.run_count == 2
        assert handle.last_outcome is not None
        assert handle.last_outcome.result == 5

    async def test_but_not_where_the_thread_has_a_loop_already(self, clock: ManualClock) -> None:
        """Runs on the calling thread, in a test that is async itself: a failure that says so."""

        async def task() -> None:
            """Do nothing."""

        with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
            handle = scheduler.add_on_demand_task(task, "it")
            handle.run_now()
        assert handle.last_outcome is not None
        assert "cannot run on a thread whose event loop runs already" in str(handle.last_outcome.exception)
        assert "asyncio.to_thread" in str(handle.last_outcome.exception)

    async def test_there_the_clock_is_moved_on_another_thread(self, clock: ManualClock) -> None:
        async def task() -> int:
            await asyncio.sleep(0)
            return 5

        with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
            handle = scheduler.add_periodic_task(clock.time() + 60, 60, task, "it")
            await asyncio.to_thread(clock.advance, 120)
        assert handle.run_count == 2
        assert handle.last_outcome is not None
        assert handle.last_outcome.result == 5


class TestItsRun:
    def test_is_current_in_its_tasks_and_in_to_thread(self, scheduler: Scheduler, ended: Ended) -> None:
        async def name() -> str:
            return current_run().name

        async def task() -> str:
            here = current_run().name
            there = await asyncio.create_task(name())
            elsewhere = await asyncio.to_thread(lambda: current_run().name)
            return f"{here} {there} {elsewhere}"

        start(scheduler, task)
        assert ended.outcome().result == "it it it"

    def test_tells_its_progress(self, scheduler: Scheduler, ended: Ended) -> None:
        told: list[Progress] = []
        scheduler.subscribe(
            lambda event: told.append(event.progress) if isinstance(event, RunProgressed) else None
        )

        class Steps(Task):
            async def run(self) -> None:
                await asyncio.sleep(0)
                self.progress(1, 2, "half")

        start(scheduler, Steps())
        ended.outcome()
        assert told == [Progress(1, 2, "half")]

    def test_has_its_parameters(self, scheduler: Scheduler, ended: Ended) -> None:
        class Asks(Task):
            async def run(self) -> object:
                return self.parameters["title"]

        scheduler.add_on_demand_task(Asks(), "it")
        scheduler.demand_task("it", {"title": "All pages"})
        assert ended.outcome().result == "All pages"


class TestStopping:
    def test_cancels_it(self, scheduler: Scheduler, ended: Ended) -> None:
        """R3."""
        begun = Started()

        async def task() -> None:
            begun.tell()
            await asyncio.Event().wait()

        start(scheduler, task)
        begun.wait()
        scheduler.stop_task("it")
        outcome = ended.outcome()
        assert (outcome.kind, outcome.exception, outcome.traceback) == (OutcomeKind.STOPPED, None, None)

    def test_cancels_it_once_and_it_may_take_its_time_to_clean_up(
        self, scheduler: Scheduler, ended: Ended
    ) -> None:
        begun, cleaning = Started(), Started()
        cancelled: list[int] = []

        async def task() -> str:
            begun.tell()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(1)
                cleaning.tell()
                for _ in range(20):
                    await asyncio.sleep(0.001)
                return "swept"
            return "not stopped"

        start(scheduler, task)
        begun.wait()
        scheduler.stop_task("it")
        cleaning.wait()
        scheduler.stop_task("it")
        scheduler.stop_all_tasks()
        outcome = ended.outcome()
        assert (outcome.kind, outcome.result, cancelled) == (OutcomeKind.STOPPED, "swept", [1])

    def test_one_that_swallows_it_is_stopped_when_it_ends(self, scheduler: Scheduler, ended: Ended) -> None:
        begun, may_end = Started(), threading.Event()

        async def task() -> int:
            begun.tell()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass
            await asyncio.to_thread(may_end.wait)
            return 5

        start(scheduler, task)
        begun.wait()
        scheduler.stop_task("it")
        assert scheduler.running["it"].stopping
        may_end.set()
        outcome = ended.outcome()
        assert (outcome.kind, outcome.result) == (OutcomeKind.STOPPED, 5)

    def test_what_it_raises_instead_is_no_failure(self, scheduler: Scheduler, ended: Ended) -> None:
        """O3."""
        begun = Started()

        async def task() -> None:
            begun.tell()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise ConnectionError("closed") from None

        start(scheduler, task)
        begun.wait()
        scheduler.stop_task("it")
        outcome = ended.outcome()
        assert (outcome.kind, outcome.exception) == (OutcomeKind.STOPPED, "ConnectionError: closed")

    def test_wakes_what_waits_in_its_sleep(self, scheduler: Scheduler, ended: Ended) -> None:
        begun = Started()

        def wait() -> bool:
            begun.tell()
            return current_run().sleep(DEADLINE)

        async def task() -> bool:
            try:
                return await asyncio.shield(asyncio.to_thread(wait))
            except asyncio.CancelledError:
                return current_run().proceed()

        start(scheduler, task)
        begun.wait()
        scheduler.stop_task("it")
        outcome = ended.outcome()
        assert (outcome.kind, outcome.result) == (OutcomeKind.STOPPED, False)
        assert outcome.duration < DEADLINE / 2

    def test_cancels_what_it_waits_for(self, scheduler: Scheduler, ended: Ended) -> None:
        begun = Started()
        cancelled: list[str] = []

        async def part(name: str) -> None:
            try:
                begun.tell()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(name)
                raise

        async def task() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(part("a"))
                group.create_task(part("b"))

        start(scheduler, task)
        begun.wait()
        scheduler.stop_task("it")
        assert ended.outcome().kind is OutcomeKind.STOPPED
        assert sorted(cancelled) == ["a", "b"]

    @pytest.mark.parametrize("makes", ["coroutine", "awaitable"])
    def test_before_its_first_step_means_that_nothing_of_it_runs(
        self, scheduler: Scheduler, ended: Ended, makes: str
    ) -> None:
        steps: list[int] = []

        async def body() -> None:
            steps.append(1)

        class Later:
            def __await__(self) -> Generator[object, None, None]:
                return body().__await__()

        def task() -> Awaitable[None]:
            current_run().handle.stop()
            return body() if makes == "coroutine" else Later()

        start(scheduler, task)
        assert ended.outcome().kind is OutcomeKind.STOPPED
        assert steps == []

    def test_it_when_its_time_is_over_makes_it_timed_out(self, scheduler: Scheduler, ended: Ended) -> None:
        """Section 6."""

        async def task() -> None:
            await asyncio.Event().wait()

        scheduler.add_on_demand_task(task, "it", timeout=0.05).run_now()
        assert ended.outcome().kind is OutcomeKind.TIMED_OUT

    def test_from_many_threads_harms_no_run_that_ends_at_the_same_time(
        self, scheduler: Scheduler, ended: Ended
    ) -> None:
        async def task() -> None:
            await asyncio.sleep(0.001)

        scheduler.add_on_demand_task(task, "it")
        with ThreadPoolExecutor(4) as stoppers:
            for _ in range(50):
                scheduler.run_task_now("it")
                list(stoppers.map(scheduler.stop_task, ["it"] * 4))
                assert ended.outcome().kind in (OutcomeKind.STOPPED, OutcomeKind.SUCCEEDED)

    def test_when_its_loop_is_closed_already_does_no_harm(
        self, scheduler: Scheduler, ended: Ended, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another thread may be about to cancel it in the moment in which it ends."""
        callbacks: list[Callable[[], None]] = []
        monkeypatch.setattr(Run, "wake_on_stop", lambda _, callback: callbacks.append(callback))
        start(scheduler, lambda: asyncio.sleep(0))
        ended.outcome()
        (cancel,) = callbacks
        cancel()

    def test_the_scheduler_abandons_no_coroutine_that_can_be_cancelled(self) -> None:
        """O5."""
        begun = Started()

        async def task() -> None:
            begun.tell()
            await asyncio.Event().wait()

        with Scheduler() as scheduler:
            start(scheduler, task)
            begun.wait()
            assert scheduler.stop() == []


class TestWhatItRaises:
    def test_a_cancellation_without_a_stop_is_a_failure(self, scheduler: Scheduler, ended: Ended) -> None:
        """O2."""

        async def task() -> None:
            raise asyncio.CancelledError

        start(scheduler, task)
        outcome = ended.outcome()
        assert (outcome.kind, outcome.exception) == (OutcomeKind.FAILED, "CancelledError")

    def test_so_is_one_that_it_asked_for_itself(self, scheduler: Scheduler, ended: Ended) -> None:
        async def task() -> None:
            me = asyncio.current_task()
            assert me is not None
            me.cancel("because")
            await asyncio.sleep(0)

        start(scheduler, task)
        assert ended.outcome().exception == "CancelledError: because"

    @pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError])
    def test_whatever_it_is_only_this_run_ends(
        self, scheduler: Scheduler, ended: Ended, error: type[BaseException]
    ) -> None:
        """O2."""

        async def task() -> None:
            await asyncio.sleep(0)
            raise error

        start(scheduler, task)
        outcome = ended.outcome()
        assert (outcome.kind, outcome.exception) == (OutcomeKind.FAILED, error.__name__)
        assert "it" in scheduler.on_demand

    def test_a_group_of_exceptions_is_shown_with_its_parts(self, scheduler: Scheduler, ended: Ended) -> None:
        async def part() -> None:
            raise ValueError("no such feed")

        async def task() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(part())

        start(scheduler, task)
        outcome = ended.outcome()
        assert str(outcome.exception).startswith("ExceptionGroup: unhandled errors in a TaskGroup")
        assert "ValueError: no such feed" in str(outcome.traceback)

    def test_one_that_stops_its_own_loop_fails(self, scheduler: Scheduler, ended: Ended) -> None:
        async def task() -> None:
            asyncio.get_running_loop().stop()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        start(scheduler, task)
        assert ended.outcome().exception == "RuntimeError: Event loop stopped before Future completed."


def test_what_it_leaves_to_do_is_cancelled_when_it_ends(scheduler: Scheduler, ended: Ended) -> None:
    cancelled: list[int] = []

    async def rest() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    kept = []

    async def task() -> None:
        kept.append(asyncio.create_task(rest()))
        await asyncio.sleep(0)

    start(scheduler, task)
    assert ended.outcome().kind is OutcomeKind.SUCCEEDED
    assert cancelled == [1]


def test_a_plain_task_may_hand_a_coroutine_over_to_the_loop_of_the_application(scheduler: Scheduler) -> None:
    """What is bound to that loop does not work in an `async` task, which has one of its own."""

    async def application() -> list[object]:
        loop = asyncio.get_running_loop()

        async def use() -> bool:
            return asyncio.get_running_loop() is loop

        def hand_over() -> bool:
            return asyncio.run_coroutine_threadsafe(use(), loop).result(DEADLINE)

        ended = Ended(scheduler)
        results = []
        for task in (use, hand_over):
            scheduler.add_on_demand_task(task, "it").run_now()
            results.append((await asyncio.to_thread(ended.outcome)).result)
        return results

    assert asyncio.run(application()) == [False, True]


def test_a_program_without_async_tasks_loads_no_asyncio() -> None:
    program = """
import sys
from taskkit import Scheduler
from taskkit.testing import InlineExecutor, ManualClock
with Scheduler(clock=ManualClock(), executor=InlineExecutor()) as scheduler:
    scheduler.add_on_demand_task(lambda: 5, "it").run_now()
print("asyncio" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
