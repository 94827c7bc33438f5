"""The threads on which an `async` task calls what blocks: daemons, made when they are needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest
from patience import PATIENCE, eventually, no_thread_left

from taskkit.engine import loop_threads as module
from taskkit.engine.loop_threads import LoopThreads, use_daemon_threads


@pytest.fixture(autouse=True)
def _all_threads_end() -> Iterator[None]:
    with no_thread_left():
        yield


@pytest.fixture
def threads() -> Iterator[LoopThreads]:
    with LoopThreads("it") as threads:
        yield threads


class TestCalls:
    def test_the_future_has_what_is_returned_or_raised(self, threads: LoopThreads) -> None:
        assert threads.submit(divmod, 7, 2).result(PATIENCE) == (3, 1)
        assert threads.submit(int, "11", base=2).result(PATIENCE) == 3
        assert isinstance(threads.submit(divmod, 7, 0).exception(PATIENCE), ZeroDivisionError)
        assert list(threads.map(abs, [-1, -2], timeout=PATIENCE)) == [1, 2]

    def test_they_are_on_daemons_with_the_given_name(self, threads: LoopThreads) -> None:
        thread = threads.submit(threading.current_thread).result(PATIENCE)
        assert (thread.name, thread.daemon) == ("it_0", True)

    def test_those_that_wait_for_one_another_are_made_at_once(self, threads: LoopThreads) -> None:
        all_there = threading.Barrier(module.MOST_THREADS, timeout=PATIENCE)
        for each in [threads.submit(all_there.wait) for _ in range(module.MOST_THREADS)]:
            each.result(PATIENCE)

    def test_one_after_the_other_they_need_one_thread(self, threads: LoopThreads) -> None:
        names = set()
        for _ in range(20):
            names.add(threads.submit(threading.current_thread).result(PATIENCE).name)
            eventually(lambda: threads._free == 1)
        assert names == {"it_0"}

    def test_more_than_there_are_threads_wait_and_can_be_cancelled(
        self, threads: LoopThreads, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_THREADS", 1)
        gate = threading.Event()
        first, second, third = threads.submit(gate.wait), threads.submit(int), threads.submit(int)
        assert second.cancel()
        gate.set()
        assert third.result(PATIENCE) == 0
        assert first.done()
        with pytest.raises(CancelledError):
            second.result(0)

    def test_where_no_thread_can_be_started_it_is_said_unless_there_is_one(
        self, threads: LoopThreads, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                threads.submit(int)
        gate = threading.Event()
        threads.submit(gate.wait)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            waiting = threads.submit(int)
        gate.set()
        assert waiting.result(PATIENCE) == 0

    def test_after_the_end_there_are_none(self, threads: LoopThreads) -> None:
        before = threads.submit(int)
        threads.shutdown()
        assert before.done()
        threads.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            threads.submit(int)


class TestALoopThatIsLentThem:
    def test_calls_on_them(self) -> None:
        async def task() -> threading.Thread:
            use_daemon_threads(asyncio.get_running_loop(), "it")
            await asyncio.to_thread(int)
            return await asyncio.to_thread(threading.current_thread)

        thread = asyncio.run(task())
        assert thread.name.startswith("it_")
        assert not thread.is_alive()

    def test_has_none_as_long_as_it_needs_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "LoopThreads", None)

        async def task() -> int:
            loop = asyncio.get_running_loop()
            use_daemon_threads(loop, "it")
            with ThreadPoolExecutor(1) as own:
                return await loop.run_in_executor(own, int)

        assert asyncio.run(task()) == 0

    def test_uses_those_that_it_was_given_instead(self) -> None:
        async def task() -> str:
            loop = asyncio.get_running_loop()
            use_daemon_threads(loop, "it")
            loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="own"))
            return (await asyncio.to_thread(threading.current_thread)).name

        assert asyncio.run(task()) == "own_0"

    def test_has_them_at_once_where_its_methods_cannot_be_replaced(self) -> None:
        class Foreign:
            __slots__ = ("executor",)

            def run_in_executor(self) -> None: ...

            def set_default_executor(self, executor: object) -> None:
                self.executor = executor

        loop = Foreign()
        use_daemon_threads(loop, "it")  # type: ignore[arg-type]
        assert isinstance(loop.executor, LoopThreads)
