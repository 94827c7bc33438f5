"""Execution of `async` tasks: each on a loop of its own, cancelled when its run is stopped.

It is a module of its own because `asyncio` takes longer to import than the rest of the library, and most
programs have no `async` task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from inspect import iscoroutine
from typing import cast

from taskkit.engine.loop_threads import use_daemon_threads
from taskkit.run import Run


def run_to_end(awaitable: object, run: Run) -> object:
    """Await it until it has ended.

    A stop of the run cancels it, once. If it ignores that, this waits for it.

    Raises:
        asyncio.CancelledError: It was cancelled, but not by a stop of the run.
        RuntimeError: A loop runs on this thread already, as in a test that is `async` itself.
        BaseException: What it raises.
    """
    coroutine = awaitable if iscoroutine(awaitable) else _wait_for(awaitable)
    stoppable = _stoppable(coroutine, run)
    try:
        if _has_loop():
            raise RuntimeError(
                "an async task cannot run on a thread whose event loop runs already: call the scheduler, or"
                " move its manual clock, on another one, as by asyncio.to_thread"
            )
        return asyncio.run(stoppable)
    except asyncio.CancelledError:
        if not run.stop_requested:
            raise
        return None
    finally:
        # In case they never began.
        stoppable.close()
        coroutine.close()


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _stoppable(coroutine: Coroutine[object, object, object], run: Run) -> object:
    if run.stop_requested:
        return None
    loop = asyncio.get_running_loop()
    use_daemon_threads(loop, run.name)
    task = cast("asyncio.Task[object]", asyncio.current_task())

    def cancel() -> None:
        try:
            loop.call_soon_threadsafe(task.cancel)
        except RuntimeError:
            pass  # the loop is closed: it has ended by itself

    run.wake_on_stop(cancel)
    return await coroutine


async def _wait_for(awaitable: object) -> object:
    return await awaitable  # type: ignore[misc]
