"""A scheduler that takes up, when it is started, what it was doing when it last ended."""

from __future__ import annotations

import os
from collections.abc import Callable

from taskkit.clock import Clock
from taskkit.engine.executor import Executor
from taskkit.run import Outcome, current
from taskkit.scheduler import STOP_TIMEOUT, Scheduler
from taskkit.store.retention import Retention
from taskkit.store.store import Store


class PersistentScheduler(Scheduler):
    """A `Scheduler` with a store: after a restart everything is as it was.

    `start()` registers again what a person had registered while the program ran, and `stop()` stores the rest
    and closes the store.

    Args:
        path: Of the store; see `Store.open`.
        retention: How much of the past is kept; `Retention()` by default.
        clock: See `Scheduler`, as for the following.
        executor: Where runs go.
        max_threads: The most runs that go on at once.
        capture: Whether what runs print is attributed to them.
        on_error: Called with the outcomes that are no good ones.

    Raises:
        StoreError: The store cannot be opened.
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
        self.store = Store.open(path, retention=retention, clock=clock)
        """Where everything is kept."""
        self.store.attach(self)

    def start(self) -> None:
        """Start what is due from now on, and first register again what was registered at run time.

        Raises:
            SchedulerStoppedError: It was stopped.
        """
        if not self.is_running:
            self.store.restore()
        super().start()

    def stop(self, timeout: float = STOP_TIMEOUT) -> list[str]:
        """Stop, as `Scheduler.stop` does, and store what has happened. The store is closed then.

        A task or a subscriber may call this: the store is closed when its run has ended, or when it returns.
        """
        left = super().stop(timeout)
        if current.get() is None:
            self.store.close()
        else:
            self.store.close_later()
        return left
