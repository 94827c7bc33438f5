"""Execution of runs on threads: one per run, idle threads reused, and ended after a while.

A worker that finishes a job takes the next one from the backlog itself, so a burst of short runs costs few
wake-ups. Idle workers are a stack: the last one that went idle is used first, and those at the bottom time
out. Each waits on a raw lock of its own, which wakes it sooner than a shared condition would. What this
brings against `concurrent.futures` is in docs/performance.md.

The handshake between `submit` and an idle worker:

1. The worker puts itself on the stack, under the lock, and waits for `wake`.
2. `submit` takes it off the stack, under the lock, and opens `wake`. The worker opens `awake`.
3. If the wait times out, the worker takes the lock. If it is still on the stack it removes itself and ends.
4. If it is not, `submit` has just chosen it: it waits for the `wake` that is certain to come.

Guarantee: no wake-up is lost, and no thread ends while a job counts on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from time import sleep
from typing import Final, Protocol, TypeGuard

from taskkit.bounded_start import BoundedStartThread
from taskkit.clock import LockGate
from taskkit.engine import scheduler_log
from taskkit.process import forks

Job = tuple[str, Callable[[], None]]
"""The name for the thread, and the function to call there. The function never raises."""

IDLE_SECONDS: Final = 5.0
"""Lifetime of an idle thread."""

WAKE_SECONDS: Final = 0.01
"""Time to let a worker wake up before waking another."""

DRAIN_SECONDS: Final = 0.0005
"""Time to let busy workers drain the backlog before waking another."""


class Threads(Protocol):
    """All that a scheduler needs of a pool of threads."""

    def submit(self, jobs: Sequence[Job]) -> bool | None:
        """Execute each of the jobs soon, in this order as far as there is one. Any thread.

        Returns:
            True if jobs wait for a thread that the system refused; then call it again soon, without jobs.
            `None` counts as False.
        """

    def for_events(self) -> Threads:
        """Return the threads for the delivery of events, which must not wait for a run."""

    @property
    def count(self) -> int:
        """The number of threads, idle ones counted."""


def are_threads(value: object) -> TypeGuard[Threads]:
    """True if `value` can execute jobs, as an inline executor can, too."""
    return all(callable(getattr(value, method, None)) for method in ("submit", "for_events"))


def runs_inline(threads: Threads) -> bool:
    """True if it executes jobs on the thread that submits them, as `taskkit.testing.InlineExecutor` does."""
    return getattr(threads, "runs_inline", False) is True


class _PoolThread(BoundedStartThread):
    """A thread that executes one job after the other, and ends after a while without one."""

    def __init__(self, pool: ThreadPool, name: str) -> None:
        super().__init__(self._execute_jobs, name=name)
        self.wake = LockGate()
        self.awake = LockGate()
        self._pool = pool

    def _execute_jobs(self) -> None:
        pool, forked = self._pool, forks.count
        while (job := pool.next_job(self)) is not None:
            name, work = job
            if self.name != name:
                self.name = name
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - the next job must run all the same
                scheduler_log.error("%s raised outside its run", name, raised=error)
            if forks.count != forked:
                forks.leave_child(None)
            del work, job


class ThreadPool:
    """Executes each job on a thread of its own as soon as possible. Thread-safe.

    Args:
        max_threads: The most threads there may be at once; more jobs wait for one. `None` for no limit.
        idle_seconds: Lifetime of an idle thread.
    """

    def __init__(self, max_threads: int | None = None, idle_seconds: float = IDLE_SECONDS) -> None:
        self._max_threads = max_threads
        self._idle_seconds = idle_seconds
        self._lock = Lock()
        self._backlog: deque[Job] = deque()  # guarded by _lock, as is the rest
        self._idle: list[_PoolThread] = []
        self._threads = 0
        self._refused = False  # True if the system refused the last thread
        forks.reset_in_child(self, ThreadPool._reset_in_child)

    @property
    def count(self) -> int:
        """The number of threads, idle ones counted."""
        return self._threads

    def _reset_in_child(self) -> None:
        """Forget in a forked child the threads and jobs, which are the parent's."""
        self._lock = Lock()
        self._backlog = deque()
        self._idle = []
        self._threads = 0

    def for_events(self) -> Threads:
        """Return another pool, so that events are delivered although `max_threads` runs block."""
        return ThreadPool(idle_seconds=self._idle_seconds)

    def submit(self, jobs: Sequence[Job]) -> bool:
        """Execute each of the jobs soon. Any thread.

        Wakes one worker after the other, and only while the backlog does not shrink by itself: the first
        worker does a burst of short jobs alone, while jobs that block get a thread each.

        Returns:
            True if jobs wait for a thread that the system refused; then call it again, without jobs.
        """
        backlog = self._backlog
        with self._lock:
            backlog.extend(jobs)
        left = len(backlog)
        more = len(jobs) or left
        while (worker := self._wake_worker()) is not None and (more := more - 1):
            worker.awake.wait(WAKE_SECONDS)
            while (still := len(backlog)) and still < left - 1:
                left = still
                sleep(DRAIN_SECONDS)
            left = still
        return self._refused and bool(backlog)

    def next_job(self, worker: _PoolThread) -> Job | None:
        """Return the next job for `worker`; `None` if it was idle for long enough and must end."""
        lock, backlog = self._lock, self._backlog
        while True:
            with lock:
                if backlog:
                    return backlog.popleft()
                self._idle.append(worker)
            if worker.wake.wait(self._idle_seconds):
                worker.awake.open()
                continue
            with lock:
                if worker in self._idle:
                    self._idle.remove(worker)
                    self._threads -= 1
                    return None
            # `submit` chose it in the moment in which it gave up waiting; see step 4 above.
            worker.wake.wait(None)
            worker.awake.open()

    def _wake_worker(self) -> _PoolThread | None:
        """Wake or start one more worker. `None` if none is needed, or the system gives none."""
        with self._lock:
            if not self._backlog:
                return None
            if self._idle:
                worker = self._idle.pop()
                worker.awake.wait(0)  # close it: an earlier `submit` may not have waited for it
                worker.wake.open()
                return worker
            if self._max_threads is not None and self._threads >= self._max_threads:
                return None
            self._threads += 1
            name = self._backlog[0][0]
        worker = _PoolThread(self, name)
        worker.awake.open()
        try:
            worker.start()
        except (RuntimeError, MemoryError):  # the jobs wait for the threads that there are
            with self._lock:
                self._threads -= 1
                is_news, self._refused = not self._refused, True
            if is_news:
                scheduler_log.warning(
                    "no more threads can be started; runs wait for the %d there are", self._threads
                )
            return None
        self._refused = False
        return worker
