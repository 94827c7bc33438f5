"""The threads on which the loop of an `async` task calls what blocks: `asyncio.to_thread` and the like.

Those of `concurrent.futures` are joined when the interpreter exits, however long they take. These are
daemons, as the threads of runs are, so that one that never comes back keeps no program from ending (O5).
"""

from __future__ import annotations

import os
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, ParamSpec, TypeVar

MOST_THREADS: Final = min(32, (os.cpu_count() or 1) + 4)
"""As many as a `ThreadPoolExecutor` has by itself."""

P = ParamSpec("P")
T = TypeVar("T")


def lend_threads(loop: AbstractEventLoop, name: str) -> None:
    """Have `loop` call what blocks on such threads, unless it is given other ones.

    They are made when they are first needed: a loop that has some starts a thread only to end them, which
    takes longer than all else that a short task needs.

    Args:
        loop: A new one.
        name: For the threads.
    """
    own_run, own_set = loop.run_in_executor, loop.set_default_executor

    def run_in_executor(executor: Executor | None, function: Callable[..., T], *args: Any) -> Awaitable[T]:
        if executor is None:
            set_default_executor(LoopThreads(name))
        return own_run(executor, function, *args)

    def set_default_executor(executor: ThreadPoolExecutor) -> None:
        methods.pop("run_in_executor", None)
        methods.pop("set_default_executor", None)
        own_set(executor)

    try:
        methods = vars(loop)
    except TypeError:  # it is not made in Python, and its methods cannot be replaced
        own_set(LoopThreads(name))
        return
    methods["run_in_executor"] = run_in_executor
    methods["set_default_executor"] = set_default_executor


class LoopThreads(ThreadPoolExecutor):
    """Daemon threads, started as they are needed, for one loop. Thread-safe.

    It is a `ThreadPoolExecutor` because a loop takes nothing else; of that it uses nothing.

    Args:
        name: For the threads.
    """

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=1)
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._guard = Lock()
        self._daemons: list[Thread] = []  # guarded by _guard, as is the rest
        self._free = 0  # how many more calls those that there are can take at once
        self._is_shut = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn` on one of the threads.

        Raises:
            RuntimeError: It was shut down, or there is no thread and none can be started.
        """
        future: Future[T] = Future()
        with self._guard:
            if self._is_shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if self._free <= 0 and len(self._daemons) < MOST_THREADS:
                self._start_one()
            self._free -= 1
            self._calls.put(partial(_call, future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Take no more calls; those that were taken are still made. The loop calls this when it ends."""
        with self._guard:
            if not self._is_shut:
                self._is_shut = True
                for _ in self._daemons:
                    self._calls.put(None)
        if wait:
            for each in self._daemons:
                each.join()

    def _start_one(self) -> None:
        thread = Thread(target=self._work, name=f"{self._name}_{len(self._daemons)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            if not self._daemons:
                raise
            return
        self._daemons.append(thread)
        self._free += 1

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call
            with self._guard:
                self._free += 1


def _call(future: Future[T], function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
        future.set_exception(error)
    else:
        future.set_result(result)
