"""Starts a process with a niceness of its own from its first instruction on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from threading import get_native_id
from typing import TypeVar

from taskkit.bounded_start import BoundedStartThread

T = TypeVar("T")


def start_with_niceness(nice: int, start: Callable[[], T]) -> T:
    """Call `start`, and return what it returns; a process that it starts has the niceness.

    On Linux each thread has a niceness, which the processes that it starts inherit, and only root can go
    back. So this is done on a thread of its own. On other systems nothing is set.

    Args:
        nice: From -20 to 19.
        start: Starts a process. Its exceptions are raised here.

    Raises:
        RuntimeError: The system refuses a thread.
    """
    if sys.platform != "linux":
        return start()
    started: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, get_native_id(), nice)
            started.append(start())
        except BaseException as error:  # noqa: BLE001 - raised again on the thread that asked
            failed.append(error)

    thread = BoundedStartThread(work, name="starts a command")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return started[0]
