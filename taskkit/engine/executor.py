"""Where runs go: a thread per run, idle ones reused and let go.

A finishing worker takes the next waiting job itself, so a burst of short runs costs few wake-ups.
Idle workers are a stack: the one that went idle last is the warmest, and those at the bottom time out.
Each is parked on a raw lock of its own, which wakes it sooner than a shared condition would.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from time import sleep
from typing import Final, Protocol

from taskkit.clock import LockGate
from taskkit.engine import log

Job = tuple[str, Callable[[], None]]
"""The name for its thread, and what to do there. It never raises."""

IDLE_SECONDS: Final = 5.0
"""How long a thread without work is kept."""

LONGEST_CALL: Final = 0.01
"""Seconds to wait for a worker that was called before another one is."""

PROGRESS: Final = 0.0005
"""Seconds within which the workers must have taken further jobs for no other to be called."""


class Executor(Protocol):
    """What a scheduler needs to have its runs executed."""

    def submit(self, jobs: Sequence[Job]) -> bool | None:
        """Execute each of the jobs soon, in this order as far as there is one. Any thread.

        Returns:
            Whether some wait for a thread that the system did not give, so that this should be called again
            soon, be it without jobs. `None` is no.
        """

    def aside(self) -> Executor:
        """Where work goes that is no run and must not wait for one: the delivery of events."""

    @property
    def threads(self) -> int:
        """How many threads there are, idle ones counted."""


class _Worker(Thread):
    """A thread that executes one job after the other, and ends after a while without one."""

    def __init__(self, pool: ThreadExecutor, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.called = LockGate()
        self.came = LockGate()
        self._pool = pool

    def run(self) -> None:
        pool = self._pool
        while (job := pool.next_job(self)) is not None:
            name, work = job
            if self.name != name:
                self.name = name
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - whatever it raises, the next job is to be done
                log.complain("%s raised outside its run", name, raised=error)
            del work, job


class ThreadExecutor:
    """Executes each job on a thread of its own as soon as possible. Thread-safe.

    Args:
        max_threads: The most threads there may be at once; more jobs wait for one. `None` for no limit.
        idle_seconds: How long a thread without work is kept.
    """

    def __init__(self, max_threads: int | None = None, idle_seconds: float = IDLE_SECONDS) -> None:
        self._max_threads = max_threads
        self._idle_seconds = idle_seconds
        self._lock = Lock()
        self._backlog: deque[Job] = deque()  # guarded by _lock, as is the rest
        self._idle: list[_Worker] = []
        self._threads = 0
        self._refused = False  # whether the system gave no thread when it was last asked

    @property
    def threads(self) -> int:
        """How many threads there are, idle ones counted."""
        return self._threads

    def aside(self) -> Executor:
        """A pool of its own, so that events are told also where `max_threads` runs block."""
        return ThreadExecutor(idle_seconds=self._idle_seconds)

    def submit(self, jobs: Sequence[Job]) -> bool:
        """Execute each of the jobs soon. Any thread.

        One worker after the other is set to the backlog, each as soon as the one before has come and does
        not keep on taking jobs: short ones are all done by the first before a second is called, and if
        they block, every job gets its thread.

        Returns:
            Whether some wait for a thread that the system did not give; then call it again, without jobs.
        """
        backlog = self._backlog
        with self._lock:
            backlog.extend(jobs)
        left = len(backlog)
        more = len(jobs) or left
        while (worker := self._call_worker()) is not None and (more := more - 1):
            worker.came.wait(LONGEST_CALL)
            while (still := len(backlog)) and still < left - 1:
                left = still
                sleep(PROGRESS)
            left = still
        return self._refused and bool(backlog)

    def next_job(self, worker: _Worker) -> Job | None:
        """The next job for `worker`; `None` when it was idle for long enough and shall end."""
        lock, backlog = self._lock, self._backlog
        while True:
            with lock:
                if backlog:
                    return backlog.popleft()
                self._idle.append(worker)
            if worker.called.wait(self._idle_seconds):
                worker.came.open()
                continue
            with lock:
                if worker in self._idle:
                    self._idle.remove(worker)
                    self._threads -= 1
                    return None
            # It was called in the very moment in which it gave up waiting: take the call.
            worker.called.wait(None)
            worker.came.open()

    def _call_worker(self) -> _Worker | None:
        """Set one more worker to the backlog. `None` if none is needed, or none to be had."""
        with self._lock:
            if not self._backlog:
                return None
            if self._idle:
                worker = self._idle.pop()
                worker.came.wait(0)  # of an earlier call that nobody waited for
                worker.called.open()
                return worker
            if self._max_threads is not None and self._threads >= self._max_threads:
                return None
            self._threads += 1
            name = self._backlog[0][0]
        worker = _Worker(self, name)
        worker.came.open()
        try:
            worker.start()
        except RuntimeError:  # the system gives no more threads: the jobs wait for those that there are
            with self._lock:
                self._threads -= 1
                is_news, self._refused = not self._refused, True
            if is_news:
                log.warn("no more threads can be started; runs wait for the %d there are", self._threads)
            return None
        self._refused = False
        return worker
