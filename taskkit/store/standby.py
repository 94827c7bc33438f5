"""Standby: a scheduler that waits until another process ends, which has the same store, and then takes over.

The waiting is a blocking lock on a daemon thread, so it costs nothing, and the kernel ends it however the
other process ends. The thread cannot be interrupted: where the scheduler was stopped meanwhile, it finds that
once it wakes, and ends.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from time import sleep
from typing import TYPE_CHECKING, Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.errors import SchedulerStoppedError, StoreInUseError
from taskkit.snapshot import SchedulerState
from taskkit.store.store import Store

if TYPE_CHECKING:
    from taskkit.scheduler import Scheduler

_RIVAL_SECONDS: Final = 0.05
"""Wait after another standby was faster. It will have opened the store then, so this waits for its lock."""

_logger: Final = logging.getLogger("taskkit")


def stand_by(
    scheduler: Scheduler,
    path: str | os.PathLike[str],
    open_store: Callable[[], Store],
    take_over: Callable[[Store], object],
    failed: Callable[[BaseException], object] | None = None,
) -> None:
    """Put a scheduler on standby, and return. It takes over on a thread when the other process has ended.

    Args:
        scheduler: A scheduler that is not started.
        path: The store, which another process has open.
        open_store: Opens it.
        take_over: Called with the open store: attaches it, and starts the scheduler.
        failed: Called with the exception if that fails; the scheduler is stopped then. By default it is
            logged.

    Raises:
        ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
        SchedulerStoppedError: The scheduler was stopped.
    """
    scheduler._core.stand_by()

    def waits() -> bool:
        return scheduler.state is SchedulerState.STANDBY

    def begin() -> None:
        store = _next_store(path, open_store, waits)
        if store is None:
            return
        try:
            if not scheduler._core.end_standby():
                raise SchedulerStoppedError
            take_over(store)
        except BaseException:
            store.close(0)
            raise

    def wait() -> None:
        try:
            begin()
        except SchedulerStoppedError:
            pass  # not an error
        except BaseException as error:  # it must not end in silence
            if failed is None:
                _logger.critical("the standby of %s cannot take over: %s", path, error, exc_info=error)
            else:
                failed(error)
            scheduler.stop(0)

    BoundedStartThread(wait, name="taskkit standby").start()


def _next_store(
    path: str | os.PathLike[str], open_store: Callable[[], Store], waits: Callable[[], bool]
) -> Store | None:
    """Wait until the store can be opened, and open it. Return `None` if `waits` says no meanwhile."""
    while True:
        Store.wait_until_free(path)
        if not waits():
            return None
        try:
            return open_store()
        except StoreInUseError:
            sleep(_RIVAL_SECONDS)
