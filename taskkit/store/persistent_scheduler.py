"""A scheduler with a store of its own: it starts where it ended the last time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from taskkit._helpers.checks import check_flag
from taskkit.clock import Clock
from taskkit.engine.threads import Threads
from taskkit.errors import StoreInUseError
from taskkit.executor import Executor
from taskkit.outcome import Outcome
from taskkit.process.forks import reset_in_child
from taskkit.run import current
from taskkit.scheduler import STOP_TIMEOUT_SECONDS, Scheduler
from taskkit.snapshot import SchedulerState
from taskkit.store.retention import Retention, check_retention
from taskkit.store.standby import stand_by
from taskkit.store.store import Store


class PersistentScheduler(Scheduler):
    """A `Scheduler` with a store: after a restart it continues where it ended.

    `start()` opens the store and registers again what a person had registered while the program ran. `stop()`
    stores the rest and closes the store. Before `start()` nothing on the disk is touched, so a module that
    makes such a scheduler can be imported while another process runs on its store.

    Args:
        path: The file of the store; see `Store.open`.
        retention: How much history is kept; `Retention()` by default.
        clock: As in `Scheduler`, like the following.
        executor: Where tasks run that name no executor of their own.
        executors: Executors of your own, by name.
        threads: Threads to use instead of a pool of the scheduler's own.
        max_threads: The most runs at the same time.
        capture: Attribute what a run prints to that run.
        on_error: Called with the outcome of every try that failed, timed out or was abandoned.
        standby: True to wait if another process has the store open, and to take over when it ends.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: `max_threads` is less than 1, or given along with threads; or an executor is unknown.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        retention: Retention | None = None,
        clock: Clock | None = None,
        executor: str | Executor | None = None,
        executors: Mapping[str, Executor] | None = None,
        threads: Threads | None = None,
        max_threads: int | None = None,
        capture: bool = True,
        on_error: Callable[[Outcome], object] | None = None,
        standby: bool = False,
    ) -> None:
        check_flag("standby", standby)
        super().__init__(
            clock=clock,
            executor=executor,
            executors=executors,
            threads=threads,
            max_threads=max_threads,
            capture=capture,
            on_error=on_error,
        )
        check_retention(retention)
        self.path = Path(path).absolute()
        """The file of the store."""
        self._retention = retention
        self._clock = clock
        self._opening = Lock()
        self._opened: Store | None = None
        self.standby = standby
        """True if it waits while another process has the store open."""
        reset_in_child(self, PersistentScheduler._renew)

    def _renew(self) -> None:
        """Renew the lock in a forked child: another thread may have held it at the fork."""
        self._opening = Lock()

    @property
    def store(self) -> Store:
        """The store. It is opened by `start()`, or when this is first read.

        Raises:
            StoreError: The store cannot be opened.
        """
        with self._opening:
            if self._opened is None:
                store = self._open()
                store.attach(self)
                self._opened = store
            return self._opened

    @property
    def is_persistent(self) -> bool:
        """Always `True`: its own store saves its state."""
        return True

    def start(self, *, wait: bool = False) -> None:
        """Open the store, register again what a person had registered at run time, and start running tasks.

        With `standby=True`, and if another process has the store open, this returns at once: `state` is
        `standby`, and the tasks run when that process has ended.

        Args:
            wait: True to wait for that; `stop()` on another thread ends the wait.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            SchedulerStoppedError: The scheduler was stopped.
            StoreError: The store cannot be opened.
        """
        self.refuse_if_forked()
        if self.state is not SchedulerState.STANDBY:
            try:
                self._start()
            except StoreInUseError:
                if not self.standby:
                    raise
                stand_by(self, self.path, self._open, self._take_over)
        if wait:
            self._core.wait_for_start()

    def _start(self) -> None:
        if not self.is_running:
            self.store.restore()
        super().start()

    def _open(self) -> Store:
        return Store.open(self.path, retention=self._retention, clock=self._clock)

    def _take_over(self, store: Store) -> None:
        store.attach(self)
        with self._opening:
            self._opened = store
        self._start()

    def stop(self, timeout: float = STOP_TIMEOUT_SECONDS, *, drain: float = 0.0) -> list[str]:
        """Stop as `Scheduler.stop` does, store what has happened, and close the store.

        A task or a subscriber may call this. Then the store is closed once its run has ended, or once it has
        returned.
        """
        still_running = super().stop(timeout, drain=drain)
        if self._opened is None:
            return still_running
        if current.get() is None and not self.running:
            self._opened.close()
        else:
            self._opened.close_later()
        return still_running
