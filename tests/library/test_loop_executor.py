"""Async tasks on the event loop of the program: no thread for a run, and nothing that blocks the loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import ClassVar

import pytest
from patience import PATIENCE, eventually

from taskkit import Outcome, OutcomeKind, Scheduler, Task, TaskHandler, TaskState, current_run
from taskkit.executors import LoopExecutor
from taskkit.executors import loop as module
from taskkit.store import PersistentScheduler
from taskkit.testing import InlineExecutor, ManualClock


async def soon(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds, without blocking the loop."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.001)


def outcome(handle: TaskHandler) -> Outcome:
    assert handle.last_outcome is not None
    return handle.last_outcome


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    async with Scheduler(on_error=lambda _: None) as made:
        yield made


async def ended(scheduler: Scheduler, task: Callable[[], object], **policies: object) -> Outcome:
    """Run a task once, and return how that ended."""
    handle = scheduler.add_on_demand_task(task, "it", **policies)  # type: ignore[arg-type]
    handle.run_now()
    await soon(lambda: handle.state is not TaskState.RUNNING)
    return outcome(handle)


async def waits() -> None:
    await asyncio.sleep(1000)


class TestARun:
    async def test_is_on_the_loop_that_the_scheduler_was_entered_on(self, scheduler: Scheduler) -> None:
        here = asyncio.get_running_loop()

        async def look() -> bool:
            task = asyncio.current_task()
            return asyncio.get_running_loop() is here and task is not None and task.get_name() == "it"

        assert (await ended(scheduler, look)).result is True

    async def test_has_what_it_prints_and_so_have_its_own_tasks(
        self, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def child(name: str) -> None:
            print("child of", name)

        async def speak() -> None:
            name = current_run().name
            for number in range(3):
                print(name, number)
                await asyncio.sleep(0)
            await asyncio.create_task(child(name))
            await asyncio.to_thread(print, "thread of", name)
            logging.getLogger("mine").warning("logged by %s", name)

        handles = [scheduler.add_on_demand_task(speak, name) for name in ("a", "b")]
        for handle in handles:
            handle.run_now()
        await soon(lambda: not scheduler.running)

        for handle in handles:
            name = handle.name
            assert outcome(handle).output == (
                *(f"{name} {number}" for number in range(3)),
                f"child of {name}",
                f"thread of {name}",
                f"logged by {name}",
            )

    async def test_has_a_context_of_its_own(self, scheduler: Scheduler) -> None:
        """O1: it sees nothing of the program's, and the next one nothing of it."""
        variable = contextvars.ContextVar("variable", default="untouched")
        variable.set("the program's")

        async def look() -> str:
            before = variable.get()
            variable.set("the run's")
            return before

        assert (await ended(scheduler, look)).result == "untouched"
        assert (await ended(scheduler, look)).result == "untouched"
        assert variable.get() == "the program's"

    async def test_has_parameters_and_reports_progress(self, scheduler: Scheduler) -> None:
        class Count(Task):
            run_parameters: ClassVar = {"most": 3}

            async def run(self) -> object:
                self.progress(1, 4, "counting")
                seen.append(scheduler.snapshot().tasks[0].run)
                return self.parameters["most"], self.name, self.proceed()

        seen: list[object] = []
        handle = scheduler.add_on_demand_task(Count(), "it")
        handle.run_now({"most": 7})
        await soon(lambda: handle.last_outcome)

        assert outcome(handle).result == "(7, 'it', True)"
        assert "counting" in str(seen)

    @pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, ValueError, MemoryError])
    async def test_that_raises_anything_fails_alone(
        self, scheduler: Scheduler, error: type[BaseException]
    ) -> None:
        """O2: the loop, and with it the application, goes on."""

        async def breaks() -> None:
            await asyncio.sleep(0)
            raise error("broken")

        found = await ended(scheduler, breaks)
        assert (found.kind, found.exception) == (OutcomeKind.FAILED, f"{error.__name__}: broken")
        assert found.traceback is not None
        assert found.traceback.count("File ") == 1  # only the frame of the task

    async def test_reports_a_failure_on_a_thread_and_ends_after_that(self) -> None:
        """`on_error` may block, and finds the exception, as that of a thread's run does."""
        told: list[object] = []
        hold = threading.Event()

        def on_error(found: Outcome) -> None:
            told.append((found.exception, sys.exception(), current_run().name, threading.get_ident()))
            assert hold.wait(PATIENCE)

        async def breaks() -> None:
            raise error

        error = ValueError("broken")
        async with Scheduler(on_error=on_error) as scheduler:
            handle = scheduler.add_on_demand_task(breaks, "it")
            handle.run_now()
            await soon(lambda: told)
            assert handle.state is TaskState.RUNNING
            hold.set()
            await soon(lambda: handle.state is TaskState.ON_DEMAND)

        ((words, raised, name, thread),) = told  # type: ignore[misc]
        assert (words, raised, name) == ("ValueError: broken", error, "it")
        assert thread != threading.get_ident()

    async def test_is_retried(self, scheduler: Scheduler) -> None:
        tries: list[int] = []

        async def flaky() -> str:
            tries.append(current_run().attempt)
            if len(tries) < 3:
                raise ConnectionError
            return "at last"

        handle = scheduler.add_on_demand_task(flaky, "it", retries=2, retry_delay=0)
        handle.run_now()
        await soon(lambda: len(tries) == 3 and handle.state is not TaskState.RUNNING)

        assert outcome(handle).result == "at last"

    async def test_that_is_stopped_is_cancelled(self, scheduler: Scheduler) -> None:
        cleaned: list[str] = []

        async def tidies() -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(0)
                cleaned.append("up")

        handle = scheduler.add_on_demand_task(tidies, "it")
        handle.run_now()
        await soon(lambda: scheduler.snapshot().tasks[0].run.started)  # type: ignore[union-attr]
        assert handle.stop()
        await soon(lambda: handle.state is not TaskState.RUNNING)

        assert (outcome(handle).kind, cleaned) == (OutcomeKind.STOPPED, ["up"])
        assert (outcome(handle).exception, outcome(handle).traceback) == (None, None)

    async def test_that_times_out_is_cancelled(self, scheduler: Scheduler) -> None:
        assert (await ended(scheduler, waits, timeout=0.01)).kind is OutcomeKind.TIMED_OUT

    async def test_that_is_cancelled_by_the_program_has_failed(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_on_demand_task(waits, "it")
        handle.run_now()
        await soon(lambda: [task for task in asyncio.all_tasks() if task.get_name() == "it"])
        # Whether or not its first step has come: a task that is cancelled before that is never called.
        (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "it")
        task.cancel()
        await soon(lambda: handle.state is not TaskState.RUNNING)

        assert outcome(handle).exception == "CancelledError"

    async def test_that_is_cancelled_before_its_first_step_has_failed_too(self, scheduler: Scheduler) -> None:
        """Its coroutine is never called then, and could not say how it ended."""

        def cancelled(
            loop: asyncio.AbstractEventLoop, coroutine: Coroutine[object, object, object], **others: object
        ) -> asyncio.Task[object]:
            task = asyncio.Task(coroutine, loop=loop, **others)  # type: ignore[arg-type]
            if "_perform" in str(coroutine):
                task.cancel()
            return task

        asyncio.get_running_loop().set_task_factory(cancelled)  # type: ignore[arg-type]
        assert (await ended(scheduler, waits)).exception == "CancelledError"

    async def test_has_failed_if_the_loop_makes_no_task_of_it(self, scheduler: Scheduler) -> None:
        def refuses(
            loop: asyncio.AbstractEventLoop, coroutine: Coroutine[object, object, object], **others: object
        ) -> asyncio.Task[object]:
            if "_perform" in str(coroutine):
                raise OSError("no more tasks")
            return asyncio.Task(coroutine, loop=loop, **others)  # type: ignore[arg-type]

        asyncio.get_running_loop().set_task_factory(refuses)  # type: ignore[arg-type]
        assert (await ended(scheduler, waits)).exception == "OSError: no more tasks"

    async def test_that_suppresses_its_cancellation_is_shown_as_stopping(self, scheduler: Scheduler) -> None:
        let_go = asyncio.Event()

        async def stubborn() -> str:
            while True:
                try:
                    await let_go.wait()
                    return "in my own time"
                except asyncio.CancelledError:
                    pass

        handle = scheduler.add_on_demand_task(stubborn, "it")
        handle.run_now()
        await soon(lambda: scheduler.snapshot().tasks[0].run.started)  # type: ignore[union-attr]
        handle.stop()
        await asyncio.sleep(0.01)
        assert handle.stopping
        assert "was asked to stop" in handle.explain()

        let_go.set()
        await soon(lambda: handle.state is not TaskState.RUNNING)
        assert outcome(handle).kind is OutcomeKind.STOPPED

    async def test_must_not_sleep_as_that_would_block_the_loop(self, scheduler: Scheduler) -> None:
        class Sleeps(Task):
            async def run(self) -> None:
                self.sleep(1)

        async def on_a_thread() -> bool:
            return await asyncio.to_thread(current_run().sleep, 0.001)

        found = await ended(scheduler, Sleeps())
        assert found.exception is not None
        assert found.exception.startswith("RuntimeError: sleep() would block the event loop")
        assert "await asyncio.sleep" in found.exception
        assert (await ended(scheduler, on_a_thread)).result is True

    async def test_may_stop_the_scheduler(self) -> None:
        """Its own run, and the others of the loop, can end only once the call has returned."""
        async with Scheduler() as scheduler:

            async def stops() -> list[str]:
                return scheduler.stop()

            other = scheduler.add_on_demand_task(waits, "other")
            other.run_now()
            await soon(lambda: scheduler.snapshot().tasks[0].run.started)  # type: ignore[union-attr]
            one = scheduler.add_on_demand_task(stops, "one")
            one.run_now()
            await soon(lambda: not scheduler.running)

        assert (outcome(one).kind, outcome(one).result) == (OutcomeKind.STOPPED, "[]")
        assert outcome(other).kind is OutcomeKind.STOPPED

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    async def test_that_forks_and_returns_in_the_child_ends_the_child(self, scheduler: Scheduler) -> None:
        """The loop is the parent's: a child that went on would read from its connections."""

        async def forks() -> int | None:
            child = os.fork()
            if child == 0:
                return None
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        assert (await ended(scheduler, forks)).result == 0


class TestManyRuns:
    async def test_take_no_threads(self, scheduler: Scheduler) -> None:
        count, inside = 10_000, 0
        let_go = asyncio.Event()

        async def wait() -> None:
            nonlocal inside
            inside += 1
            await let_go.wait()

        scheduler.add_on_demand_task(wait, "first").run_now()
        await soon(lambda: inside)
        before = set(threading.enumerate())
        for number in range(count):
            scheduler.add_on_demand_task(wait, f"task {number}").run_now()
        await soon(lambda: inside == count + 1)

        assert len(scheduler.running) == count + 1
        assert set(threading.enumerate()) <= before
        let_go.set()
        await soon(lambda: not scheduler.running)

    async def test_begin_a_few_at_a_turn_so_that_the_loop_answers(
        self, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "BEGUN_AT_A_TURN", 2)
        order: list[str] = []

        async def note() -> None:
            order.append("run")

        for number in range(6):
            scheduler.add_on_demand_task(note, f"task {number}").run_now()
        asyncio.get_running_loop().call_soon(
            lambda: asyncio.get_running_loop().call_soon(order.append, "other")
        )
        await soon(lambda: order.count("run") == 6)

        assert order.index("other") < 5

    async def test_are_not_bound_by_max_threads(self) -> None:
        async with Scheduler(max_threads=1) as scheduler:
            for number in range(3):
                scheduler.add_on_demand_task(waits, f"task {number}").run_now()
            await soon(lambda: all(each.run and each.run.started for each in scheduler.snapshot().tasks))


class Asks:
    async def method(self) -> str:
        return where()

    async def __call__(self) -> str:
        return where()


class AsksAsATask(Task):
    async def run(self) -> str:
        return where()


async def ask(_: object = None) -> str:
    return where()


def returns_a_coroutine() -> object:
    return ask()


def where() -> str:
    return "loop" if threading.current_thread() is threading.main_thread() else "thread"


class TestTheChoice:
    @pytest.mark.parametrize(
        ("task", "place"),
        [
            (ask, "loop"),
            (functools.partial(ask, 1), "loop"),
            (Asks().method, "loop"),
            (Asks(), "loop"),
            (functools.partial(Asks()), "loop"),
            (AsksAsATask(), "loop"),
            (returns_a_coroutine, "thread"),
            (where, "thread"),
        ],
    )
    async def test_is_the_loop_for_what_inspect_sees_as_async(
        self, scheduler: Scheduler, task: Callable[[], object], place: str
    ) -> None:
        assert (await ended(scheduler, task)).result == place
        handle = scheduler.handle("it")
        assert handle is not None
        assert handle.executor == place

    async def test_of_the_task_is_asked_first_and_then_that_of_the_scheduler(self) -> None:
        async with Scheduler(executor="thread") as scheduler:
            assert (await ended(scheduler, ask)).result == "thread"
            assert (await ended(scheduler, ask, executor="loop")).result == "loop"

        async with Scheduler() as scheduler:
            assert (await ended(scheduler, ask, executor="thread")).result == "thread"

    async def test_is_made_anew_when_the_scheduler_is_entered(self) -> None:
        scheduler = Scheduler()
        handles = [
            scheduler.add_on_demand_task(ask, "loop"),
            scheduler.add_on_demand_task(ask, "also loop", executor="loop"),
            scheduler.add_on_demand_task(ask, "thread", executor="thread"),
            scheduler.add_on_demand_task(where, "plain"),
        ]
        async with scheduler:
            assert [handle.executor for handle in handles] == ["loop", "loop", "thread", "thread"]
            for handle in handles:
                handle.run_now()
            await soon(lambda: not scheduler.running)

        assert [outcome(handle).result for handle in handles] == ["loop", "loop", "thread", "thread"]

    def test_of_the_loop_is_refused_for_what_is_not_async(self) -> None:
        with pytest.raises(TypeError, match=r"'loop' runs async tasks only, and .*:where is none.*'thread'"):
            Scheduler().add_on_demand_task(where, "it", executor="loop")
        with pytest.raises(TypeError, match="'loop' runs async tasks only"):
            Scheduler(executor="loop").add_on_demand_task(where, "it")

    def test_of_the_loop_is_refused_where_there_is_none(self) -> None:
        words = r"^executor 'loop' of 'it' has no event loop: .*`async with`.*LoopExecutor\(loop\)"
        scheduler = Scheduler()
        scheduler.add_on_demand_task(ask, "it", executor="loop")
        with pytest.raises(ValueError, match=words):
            scheduler.start()
        assert not scheduler.is_running

        with Scheduler() as scheduler:
            with pytest.raises(ValueError, match=words):
                scheduler.add_on_demand_task(ask, "it", executor="loop")
            assert scheduler.handle("it") is None

    def test_without_a_loop_is_a_thread_as_ever(self) -> None:
        with Scheduler() as scheduler:
            handle = scheduler.add_on_demand_task(ask, "it")
            handle.run_now()
            eventually(lambda: handle.last_outcome)

        assert (outcome(handle).result, handle.executor) == ("thread", "thread")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of a program, on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


class TestALoopThatIsPassed:
    def test_runs_what_asks_for_it(self, loop: asyncio.AbstractEventLoop) -> None:
        async def look() -> bool:
            return asyncio.get_running_loop() is loop

        with Scheduler(executors={"app": LoopExecutor(loop)}) as scheduler:
            handles = [
                scheduler.add_on_demand_task(look, "one", executor="app"),
                scheduler.add_on_demand_task(look, "two", executor=LoopExecutor(loop)),
                scheduler.add_on_demand_task(look, "three"),
            ]
            for handle in handles:
                handle.run_now()
            eventually(lambda: not scheduler.running)

        assert [outcome(handle).result for handle in handles] == [True, True, False]
        assert [handle.executor for handle in handles] == ["app", "LoopExecutor", "thread"]

    def test_may_be_called_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        with Scheduler(executor="loop", executors={"loop": LoopExecutor(loop)}) as scheduler:
            handle = scheduler.add_on_demand_task(ask, "it")
            handle.run_now()
            eventually(lambda: handle.last_outcome)

        assert outcome(handle).result == "thread"  # its own, which is not the main one

    def test_is_refused_if_it_is_none(self) -> None:
        with pytest.raises(TypeError, match="loop must be an event loop, not 3"):
            LoopExecutor(3)  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match="no running event loop"):
            LoopExecutor()

    def test_that_is_closed_under_its_runs_fails_them_and_says_so(
        self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)
        let_go = asyncio.Event()

        async def wait() -> None:
            await let_go.wait()

        with Scheduler(executors={"app": LoopExecutor(loop)}, on_error=lambda _: None) as scheduler:
            handle = scheduler.add_on_demand_task(wait, "it", executor="app")
            handle.run_now()
            eventually(lambda: scheduler.snapshot().tasks[0].run.started)  # type: ignore[union-attr]
            close(loop)
            eventually(lambda: handle.state is not TaskState.RUNNING)
            assert outcome(handle).exception == "its event loop was closed"

            handle.run_now()
            eventually(lambda: handle.run_count == 2 and handle.state is not TaskState.RUNNING)
            assert outcome(handle).exception == "its event loop was closed"

    def test_that_is_closed_does_not_keep_the_scheduler_from_stopping(
        self, loop: asyncio.AbstractEventLoop
    ) -> None:
        let_go = asyncio.Event()

        async def wait() -> None:
            await let_go.wait()

        with Scheduler(executors={"app": LoopExecutor(loop)}) as scheduler:
            handle = scheduler.add_on_demand_task(wait, "it", executor="app")
            handle.run_now()
            eventually(lambda: scheduler.snapshot().tasks[0].run.started)  # type: ignore[union-attr]
            close(loop)
            stopping = threading.Thread(target=scheduler.stop, args=(10 * PATIENCE,), daemon=True)
            stopping.start()
            eventually(lambda: not stopping.is_alive())

        # Failed, if the scheduler looked at the loop between the two.
        assert outcome(handle).kind in (OutcomeKind.STOPPED, OutcomeKind.FAILED)


def close(loop: asyncio.AbstractEventLoop) -> None:
    """Close the loop as a program does that forgets its tasks."""
    loop.call_soon_threadsafe(loop.stop)
    eventually(lambda: not loop.is_running())
    logging.getLogger("asyncio").disabled = True  # it logs each task that is destroyed
    loop.close()


class TestABlockedLoop:
    @pytest.fixture(autouse=True)
    def _sooner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "BLOCKED_SECONDS", 0.05)
        monkeypatch.setattr(module, "WATCH_SECONDS", 0.01)

    def test_is_reported_with_the_name_of_the_task_that_blocks_it(
        self, loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
    ) -> None:
        hold = threading.Event()

        async def blocks() -> None:
            hold.wait(PATIENCE)

        with Scheduler(executors={"app": LoopExecutor(loop)}) as scheduler:
            handle = scheduler.add_on_demand_task(blocks, "thumbnails", executor="app")
            other = scheduler.add_on_demand_task(ask, "mails", executor="app")
            handle.run_now()
            eventually(lambda: caplog.records)
            other.run_now()

            assert "it has blocked the event loop for" in handle.explain()
            assert other.explain().startswith("mails waits for the event loop, which thumbnails has blocked")
            hold.set()
            eventually(lambda: other.last_outcome)
            handle.run_now()
            eventually(lambda: not scheduler.running)
            assert "blocked" not in other.explain()

        (record,) = caplog.records
        assert record.name == "taskkit"
        assert record.levelno == logging.WARNING
        assert record.getMessage().startswith("thumbnails blocks the event loop")

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no eager tasks")
    def test_is_reported_too_where_tasks_are_eager(
        self, loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
    ) -> None:
        hold = threading.Event()
        loop.call_soon_threadsafe(loop.set_task_factory, asyncio.eager_task_factory)

        async def blocks() -> None:
            hold.wait(PATIENCE)

        with Scheduler(executors={"app": LoopExecutor(loop)}) as scheduler:
            handle = scheduler.add_on_demand_task(blocks, "thumbnails", executor="app")
            handle.run_now()
            eventually(lambda: caplog.records)
            hold.set()
            eventually(lambda: handle.last_outcome)

        assert "thumbnails blocks the event loop" in caplog.text
        assert outcome(handle).kind is OutcomeKind.SUCCEEDED

    def test_is_reported_too_if_the_program_itself_blocks_it(
        self, loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
    ) -> None:
        hold = threading.Event()
        with Scheduler(executors={"app": LoopExecutor(loop)}) as scheduler:
            handle = scheduler.add_on_demand_task(waits, "it", executor="app")
            handle.run_now()
            eventually(lambda: scheduler.snapshot().tasks[0].run.started)  # type: ignore[union-attr]
            loop.call_soon_threadsafe(hold.wait, PATIENCE)
            eventually(lambda: caplog.records)
            hold.set()

        assert "something other than a task of this scheduler blocks the event loop" in caplog.text

    async def test_is_not_looked_for_while_no_task_is_on_it(self, scheduler: Scheduler) -> None:
        await ended(scheduler, ask)
        eventually(lambda: not scheduler._core.bodies._watched)


class TestLeaving:
    async def test_cancels_the_runs_and_does_not_block_the_loop(self) -> None:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        async def slow_to_leave() -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                before = beats
                while beats < before + 10:
                    await asyncio.sleep(0)

        beating = asyncio.create_task(beat())
        async with Scheduler() as scheduler:
            handle = scheduler.add_on_demand_task(slow_to_leave, "it")
            handle.run_now()
            await soon(lambda: scheduler.snapshot().tasks[0].run.started)  # type: ignore[union-attr]
        beating.cancel()

        assert outcome(handle).kind is OutcomeKind.STOPPED

    async def test_abandons_what_suppresses_its_cancellation(self) -> None:
        let_go = asyncio.Event()

        async def stubborn() -> None:
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    pass

        async with Scheduler(on_error=lambda _: None) as scheduler:
            handle = scheduler.add_on_demand_task(stubborn, "it")
            handle.run_now()
            await soon(lambda: scheduler.snapshot().tasks[0].run.started)  # type: ignore[union-attr]
            assert await asyncio.to_thread(scheduler.stop, 0.05) == ["it"]

        assert outcome(handle).kind is OutcomeKind.ABANDONED
        let_go.set()

    async def test_on_an_error_raises_that(self) -> None:
        with pytest.raises(ZeroDivisionError):
            async with Scheduler() as scheduler:
                raise ZeroDivisionError
        assert not scheduler.is_running

    async def test_of_a_cancelled_program_stops_the_scheduler(self) -> None:
        """As ctrl+c ends a program of `asyncio.run`."""
        entered = asyncio.Event()
        schedulers: list[Scheduler] = []

        async def program() -> None:
            async with Scheduler() as scheduler:
                schedulers.append(scheduler)
                scheduler.add_on_demand_task(waits, "it").run_now()
                entered.set()
                await asyncio.sleep(1000)

        task = asyncio.create_task(program())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert schedulers[0].stop() == []
        assert not schedulers[0].running

    async def test_leaves_no_thread(self) -> None:
        before = set(threading.enumerate())
        async with Scheduler() as scheduler:
            scheduler.add_on_demand_task(ask, "it").run_now()
            await soon(lambda: not scheduler.running)
        await soon(lambda: set(threading.enumerate()) - before <= set(idle_threads()))

    async def test_stores_what_has_happened(self, tmp_path: Path) -> None:
        async with PersistentScheduler(tmp_path / "state.db") as scheduler:
            assert (await ended(scheduler, ask)).result == "loop"

        assert [past.name for past in scheduler.store.history()] == ["it"]


def idle_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "taskkit events"]


async def test_a_manual_clock_starts_async_tasks_on_the_loop_of_the_test() -> None:
    clock = ManualClock(1_700_000_000)
    times: list[float] = []

    async def note() -> None:
        times.append(clock.time() - 1_700_000_000)

    async with Scheduler(clock=clock, threads=InlineExecutor()) as scheduler:
        scheduler.add_periodic_task(None, 60, note, "it")
        for _ in range(3):
            clock.advance(60)
            await soon(lambda: not scheduler.running)

    assert times == [60, 120, 180] or times == [0, 60, 120, 180]


def test_the_scheduler_can_be_left_while_a_run_blocks_the_loop() -> None:
    """A body that blocks cannot be cancelled: the program goes on when it has ended."""

    async def program() -> float:
        async with Scheduler(on_error=lambda _: None) as scheduler:
            handle = scheduler.add_on_demand_task(blocks, "it")
            handle.run_now()
            await soon(lambda: handle.last_outcome)
        return outcome(handle).duration

    async def blocks() -> None:
        sleep(0.05)

    assert asyncio.run(program()) >= 0.05


@pytest.mark.skipif(find_spec("starlette") is None, reason='starlette is missing: pip install -e ".[dev]"')
class TestAStarletteApplication:
    """The example, whose pool is bound to the loop; it is driven as a server drives it."""

    async def test_shares_its_pool_with_its_tasks_and_stops_them(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.syspath_prepend(Path(__file__).parents[2] / "examples")
        example = import_module("starlette_loop")
        to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        from_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        serving = asyncio.create_task(example.app({"type": "lifespan"}, to_app.get, from_app.put))

        to_app.put_nowait({"type": "lifespan.startup"})
        assert await from_app.get() == {"type": "lifespan.startup.complete"}
        handle = example.scheduler.handle("refresh cache")
        await soon(lambda: handle.last_outcome)
        answer = json.loads(await get(example.app))
        to_app.put_nowait({"type": "lifespan.shutdown"})
        assert await from_app.get() == {"type": "lifespan.shutdown.complete"}
        await serving

        assert answer == {"cache": "answer to refresh", "answer": "answer to request"}
        assert (handle.executor, outcome(handle).kind) == ("loop", OutcomeKind.SUCCEEDED)
        assert not example.scheduler.is_running


async def get(app: Callable[..., Coroutine[object, object, None]]) -> bytes:
    """Return the body of a request of an ASGI application."""
    sent: list[dict[str, bytes]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, bytes]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent)
