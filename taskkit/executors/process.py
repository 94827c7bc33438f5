"""`ProcessExecutor`: runs tasks in worker processes, which compute side by side and can really be stopped."""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from collections.abc import Sequence
from threading import Event, Lock, current_thread
from time import monotonic
from typing import Final

from taskkit._helpers.checks import check_seconds, check_whole
from taskkit.bounded_start import BoundedStartThread
from taskkit.clock import LockGate
from taskkit.engine.summaries import one_line
from taskkit.errors import SchedulerStoppedError
from taskkit.executor import Body, BodyResult
from taskkit.executors.followed_run import FollowedRun, WorkerDiedError
from taskkit.executors.launcher import Launcher, WorkerStartError
from taskkit.executors.other_process import OtherProcessExecutor
from taskkit.executors.worker import Worker
from taskkit.executors.worker_run import Job
from taskkit.outcome import OutcomeKind
from taskkit.process import forks

KILL_AFTER_SECONDS: Final = 5.0
"""The default time that a body has to end after it was asked to stop."""

IDLE_SECONDS: Final = 10.0
"""Lifetime of an idle worker while there are others."""

LAST_IDLE_SECONDS: Final = 90.0
"""Lifetime of the last idle worker. The process that starts workers ends with it, and costs ten times as much
to start, so that a task of every minute does not wait for it each time."""

CLOSE_SECONDS: Final = 1.0
"""Longest wait of `close` for the ends of what it kills; then it kills what should have killed it."""


class ProcessExecutor(OtherProcessExecutor):
    """Runs tasks in a few worker processes, and kills the worker of a run that does not stop.

    It is for tasks that compute in Python for long, or hang, or crash. A worker executes one run at a time,
    and is used again; nothing is started before the first run. A run gets a copy of its task, so that what it
    changes in it is gone with the run.

    A task must be importable in another process: an instance of a class, or a function, of a module that is
    not `__main__`. Workers do not import the program's `__main__`.

    Args:
        max_workers: The most processes at once; further runs wait. By default as many as there are cores for
            this process.
        kill_after: Seconds after a stop or a timeout until the process is killed, with all that it has
            started.
        preload: Modules to import once, in the process that workers are forked from, so that they start
            sooner. They must not start threads, and their random numbers are the same in all workers unless
            they are seeded again.
        start_method: `forkserver` or `spawn`, as in `multiprocessing`; by default `forkserver` on Linux.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is out of range.
    """

    waits_for = "a process"

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        kill_after: float = KILL_AFTER_SECONDS,
        preload: Sequence[str] = (),
        start_method: str | None = None,
    ) -> None:
        super().__init__()
        if max_workers is not None:
            check_whole("max_workers", max_workers, least=1)
        check_seconds("kill_after", kill_after)
        if isinstance(preload, str) or not all(isinstance(name, str) for name in preload):
            raise TypeError(f"preload must be a sequence of module names, not {preload!r}")
        if start_method not in (None, "forkserver", "spawn"):
            raise ValueError(f"start_method must be 'forkserver' or 'spawn', not {start_method!r}")
        self._max_workers = _cores() if max_workers is None else max_workers
        self._kill_after = kill_after
        self._preload = tuple(preload)
        self._start_method = start_method or ("forkserver" if sys.platform == "linux" else "spawn")
        self._reset()
        forks.reset_in_child(self, ProcessExecutor._reset_in_child)

    def __repr__(self) -> str:
        return f"ProcessExecutor(max_workers={self._max_workers})"

    def _reset(self) -> None:
        self._lock = Lock()
        self._backlog: deque[Body] = deque()  # guarded by _lock, as is the rest
        self._idle: list[_Follower] = []
        self._followers: set[_Follower] = set()
        self._launcher: Launcher | None = None
        self._launching = Lock()
        self._closed = False

    def _reset_in_child(self) -> None:
        """Forget in a forked child the processes and threads, which are the parent's."""
        launcher, followers = self._launcher, self._followers
        self._reset()
        if launcher is not None:
            launcher.close_in_child()
        for follower in followers:
            follower.close_in_child()

    # What a scheduler calls

    def start(self, body: Body) -> None:
        """Execute a run in the next free worker."""
        with self._lock:
            if self._closed:
                raise SchedulerStoppedError
            self._backlog.append(body)
            if self._idle:
                self._idle.pop().gate.open()
                return
            if len(self._followers) >= self._max_workers:
                return
            follower = _Follower(self)
            self._followers.add(follower)
        try:
            follower.start()
        except (RuntimeError, MemoryError):
            with self._lock:
                self._followers.discard(follower)
                if self._followers or body not in self._backlog:
                    return  # another one takes it
                self._backlog.remove(body)
            raise

    def close(self) -> None:
        """Kill what is left, and let all workers go."""
        with self._lock:
            self._closed = True
            self._backlog.clear()
            followers, idle, self._idle = list(self._followers), self._idle, []
            launcher = self._launcher
        for each in idle:
            each.gate.open()
        busy = [each for each in followers if each not in idle and each is not current_thread()]
        for each in busy:
            each.kill_now()
        if not _have_ended(busy) and launcher is not None:
            launcher.kill_all()
            _have_ended(busy)
        if launcher is not None:
            launcher.close()

    # What followers call

    def next_body(self, follower: _Follower) -> Body | None:
        """Return the next run for a follower; `None` if it was idle for long enough, and must end."""
        while True:
            with self._lock:
                if self._backlog:
                    return self._backlog.popleft()
                if self._closed:
                    self._followers.discard(follower)
                    return None
                self._idle.append(follower)
                longest = IDLE_SECONDS if len(self._followers) > 1 else LAST_IDLE_SECONDS
            if follower.gate.wait(longest):
                continue
            with self._lock:
                if follower in self._idle:
                    self._idle.remove(follower)
                    self._followers.discard(follower)
                    return None
            follower.gate.wait(None)  # it was chosen in this moment

    def release_launcher(self) -> None:
        """End the process that starts workers, if none is left."""
        with self._lock:
            if self._followers:
                return
            launcher, self._launcher = self._launcher, None
        if launcher is not None:
            launcher.close()

    @property
    def kill_after(self) -> float:
        """Seconds after a stop until a worker is killed."""
        return self._kill_after

    def new_worker(self) -> Worker:
        """Start a worker.

        Raises:
            WorkerStartError: The system refuses.
            OSError: As before.
        """
        return Worker(self._running_launcher(), _settings(), self.clock)

    def _running_launcher(self) -> Launcher:
        with self._launching:
            if self._launcher is None or self._launcher.is_lost:
                self._launcher = Launcher(self._start_method, self._preload)
            launcher = self._launcher
        if self._closed:
            launcher.close()
            raise WorkerStartError("the scheduler has stopped")
        return launcher


class _Follower(BoundedStartThread):
    """A thread with a worker, which executes one run after the other there."""

    def __init__(self, executor: ProcessExecutor) -> None:
        super().__init__(self._follow_worker, name="taskkit process")
        self.gate = LockGate()
        self.has_ended_run = Event()
        self._executor = executor
        self._worker: Worker | None = None

    def _follow_worker(self) -> None:
        try:
            self._execute_runs(self._executor)
        finally:
            self.has_ended_run.set()
            if self._worker is not None:
                self._worker.release()
            self._executor.release_launcher()

    def _execute_runs(self, executor: ProcessExecutor) -> None:
        while (body := executor.next_body(self)) is not None:
            self.has_ended_run.clear()
            self.name = body.run.name
            result = self._result_of(body)
            if result is not None:
                body.end(result)
            del body, result
            self.has_ended_run.set()

    def close_in_child(self) -> None:
        """Close in a forked child what is the parent's."""
        if self._worker is not None:
            self._worker.close_in_child()

    def kill_now(self) -> None:
        """Kill the worker, if it is executing a run. Any thread."""
        worker = self._worker
        if worker is not None:
            worker.kill()

    def _result_of(self, body: Body) -> BodyResult | None:
        try:
            job = self._executor.job_of(body)
            is_new = self._renew_worker()
            try:
                return self._follow(body, job)
            except WorkerDiedError:
                if is_new:
                    raise
                self._renew_worker()  # it was idle, and was killed just before
                return self._follow(body, job)
        except (WorkerDiedError, WorkerStartError) as error:
            return BodyResult(OutcomeKind.FAILED, exception=str(error))
        except BaseException as error:  # noqa: BLE001 - packing a task calls its code, which may raise anything
            self._drop_worker()
            return BodyResult(OutcomeKind.FAILED, exception=one_line(error))

    def _follow(self, body: Body, job: Job) -> BodyResult | None:
        assert self._worker is not None
        return FollowedRun(self._worker, body, job, self._executor.kill_after).to_end()

    def _drop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            worker.close()

    def _renew_worker(self) -> bool:
        """Make sure that there is a worker. Return True if it is a new one."""
        if self._worker is not None:
            if self._worker.is_usable:
                return False
            self._drop_worker()
        self._worker = self._executor.new_worker()
        return True


def _have_ended(followers: Sequence[_Follower]) -> bool:
    """Wait until all runs have ended, for `CLOSE_SECONDS` at most."""
    deadline = monotonic() + CLOSE_SECONDS
    return all(each.has_ended_run.wait(max(0.0, deadline - monotonic())) for each in followers)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _settings() -> dict[str, object]:
    """Return what a worker takes over from this process as it is now."""
    levels = {"": logging.getLogger().level}
    for name, logger in list(logging.Logger.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and logger.level:
            levels[name] = logger.level
    try:
        folder = os.getcwd()  # noqa: PTH109 - a text
    except OSError:
        folder = "/"
    return {
        "argv": [str(argument) for argument in sys.argv],
        "path": [folder if entry == "" else entry for entry in sys.path if isinstance(entry, str)],
        "environ": dict(os.environ),
        "folder": folder,
        "levels": levels,
    }
