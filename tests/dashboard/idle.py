"""Waiting until a dashboard has done what was asked of it, as soon as it has.

Textual's own `wait_for_idle` sleeps 20 ms at least, twice for each key, and takes a process that gets no
processor for an idle one. The event loop knows better: it is idle when no callback is ready.
"""

from __future__ import annotations

import asyncio
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Any, Final

import textual.app
import textual.pilot
from textual.pilot import Pilot

SOON_SECONDS: Final = 0.035
"""Timers that are due within that time, and threads that end within it, are waited for.

Textual paints 60 times a second, and waits up to twice that for the first paint after a rest.
"""

THREAD_CHECK_SECONDS: Final = 0.001

_in_threads: set[asyncio.Future[Any]] = set()

_run_in_executor = BaseEventLoop.run_in_executor


def run_in_executor(loop: BaseEventLoop, executor: Any, function: Any, *args: Any) -> asyncio.Future[Any]:
    """Run a function on a thread, as the method of the event loop does, so that `wait_for_idle` knows it."""
    future = _run_in_executor(loop, executor, function, *args)
    _in_threads.add(future)
    future.add_done_callback(_in_threads.discard)
    return future


async def wait_for_idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until no callback of the event loop is ready, and none will be for a while.

    A timer may lead to another one: a paint of the screen to a layout, and that to the next paint.
    """
    loop: Any = asyncio.get_running_loop()
    began = monotonic()
    last = began + max_sleep
    soon = began + max(min_sleep, SOON_SECONDS)
    while (now := monotonic()) < last:
        await asyncio.sleep(0)
        if loop._ready:
            soon = now + SOON_SECONDS
            continue
        due = min((handle._when for handle in loop._scheduled if not handle._cancelled), default=inf)
        if _in_threads and now < soon:
            due = min(due, now + THREAD_CHECK_SECONDS)
        if due > soon:
            return
        await asyncio.sleep(max(0.0, due - monotonic()))


def use() -> None:
    """Have all pilots of this process wait so."""
    textual.app.wait_for_idle = textual.pilot.wait_for_idle = wait_for_idle  # type: ignore[attr-defined]
    BaseEventLoop.run_in_executor = run_in_executor  # type: ignore[assignment,method-assign]


async def eventually(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Let the app go on until a condition is true, for ten seconds and more on a busy machine."""
    for _ in range(500):
        await pilot.pause()
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not happen in time")
