"""Daemon threads for the blocking calls of an `async` task, as by `asyncio.to_thread`.

The interpreter joins the threads of `concurrent.futures` when it exits, however long they take. These are
daemons, as the threads of runs are, so that a call that never returns keeps no program from ending (O5).
"""

from __future__ import annotations

import os
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from threading import Lock
from typing import Any, Final, ParamSpec, TypeVar

from taskkit.bounded_start import BoundedStartThread
from taskkit.process import forks

MOST_THREADS: Final = min(32, (os.cpu_count() or 1) + 4)
"""The default of `ThreadPoolExecutor`."""

P = ParamSpec("P")
T = TypeVar("T")


def use_daemon_threads(loop: AbstractEventLoop, name: str) -> None:
    """Make `loop` use daemon threads for its blocking calls, unless it is given other ones.

    The threads are made when they are first needed. A loop with an executor starts one more thread only to
    shut that down, which takes longer than all else that a short task needs: see docs/performance.md.

    Args:
        loop: A new loop.
        name: The prefix for the names of the threads.
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
    except TypeError:  # a loop written in C: its methods cannot be replaced
        own_set(LoopThreads(name))
        return
    methods["run_in_executor"] = run_in_executor
    methods["set_default_executor"] = set_default_executor


class LoopThreads(ThreadPoolExecutor):
    """Daemon threads for one loop, started as they are needed. Thread-safe.

    A subclass of `ThreadPoolExecutor`, because a loop takes nothing else; it uses nothing of that.

    Args:
        name: The prefix for the names of the threads.
    """

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=1)
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._guard = Lock()
        self._daemons: list[BoundedStartThread] = []  # guarded by _guard, as is the rest
        self._free = 0  # how many more calls the present threads can take at once
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
        """Take no more calls; those already taken are still made. The loop calls this when it ends."""
        with self._guard:
            if not self._is_shut:
                self._is_shut = True
                for _ in self._daemons:
                    self._calls.put(None)
        if wait:
            for each in self._daemons:
                each.join()

    def _start_one(self) -> None:
        thread = BoundedStartThread(self._work, name=f"{self._name}_{len(self._daemons)}")
        try:
            thread.start()
        except (RuntimeError, MemoryError):
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
    forked = forks.count
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - the caller that awaits the result gets it
        if forks.count != forked:
            forks.leave_child(error)
        future.set_exception(error)
    else:
        if forks.count != forked:
            forks.leave_child(None)
        future.set_result(result)
