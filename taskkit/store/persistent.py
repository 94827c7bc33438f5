"""A scheduler that takes up, when it is started, what it was doing when it last ended."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from taskkit.clock import Clock
from taskkit.engine.executor import Executor
from taskkit.outcome import Outcome
from taskkit.run import current
from taskkit.scheduler import STOP_TIMEOUT, Scheduler
from taskkit.store.retention import Retention, check_retention
from taskkit.store.store import Store


class PersistentScheduler(Scheduler):
    """A `Scheduler` with a store: after a restart everything is as it was.

    `start()` opens the store and registers again what a person had registered while the program ran;
    `stop()` stores the rest and closes it. Until then nothing on the disk is touched, so a module that makes
    one can be imported while a program runs on its store.

    Args:
        path: Of the store; see `Store.open`.
        retention: How much of the past is kept; `Retention()` by default.
        clock: See `Scheduler`, as for the following.
        executor: Where runs go.
        max_threads: The most runs that go on at once.
        capture: Whether what runs print is attributed to them.
        on_error: Called with the outcome of every try that failed, timed out or was abandoned.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: `max_threads` is less than 1, or given beside an executor.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        retention: Retention | None = None,
        clock: Clock | None = None,
        executor: Executor | None = None,
        max_threads: int | None = None,
        capture: bool = True,
        on_error: Callable[[Outcome], object] | None = None,
    ) -> None:
        super().__init__(
            clock=clock, executor=executor, max_threads=max_threads, capture=capture, on_error=on_error
        )
        check_retention(retention)
        self.path = Path(path).absolute()
        """Of the store."""
        self._retention = retention
        self._clock = clock
        self._opening = Lock()
        self._opened: Store | None = None

    @property
    def store(self) -> Store:
        """Where everything is kept: opened when it is first asked for, or by `start()`.

        Raises:
            StoreError: It cannot be opened.
        """
        with self._opening:
            if self._opened is None:
                store = Store.open(self.path, retention=self._retention, clock=self._clock)
                store.attach(self)
                self._opened = store
            return self._opened

    @property
    def is_kept(self) -> bool:
        """`True`: by its own store."""
        return True

    def start(self) -> None:
        """Open the store, register again what was registered at run time, and start what is due from now on.

        Raises:
            SchedulerStoppedError: It was stopped.
            StoreError: The store cannot be opened.
        """
        if not self.is_running:
            self.store.restore()
        super().start()

    def stop(self, timeout: float = STOP_TIMEOUT) -> list[str]:
        """Stop, as `Scheduler.stop` does, and store what has happened. The store is closed then.

        A task or a subscriber may call this: the store is closed when its run has ended, or when it returns.
        """
        left = super().stop(timeout)
        if self._opened is None:
            return left
        if current.get() is None:
            self._opened.close()
        else:
            self._opened.close_later()
        return left
