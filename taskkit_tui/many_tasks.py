"""Carries out a command to many tasks on a thread of its own, so that keys are handled meanwhile."""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections.abc import Callable
from typing import Final, TypeVar

from taskkit.bounded_start import BoundedStartThread

AT_ONCE: Final = 200
"""Tasks that a command changes at once. That takes a few milliseconds, less than a thread would."""

T = TypeVar("T")


async def carry_out(command: Callable[[], T], tasks: int) -> T:
    """Call `command`, which changes `tasks` tasks, and return its result.

    The thread is a daemon: leaving does not wait for it. Without a thread, keys wait instead.

    Raises:
        BaseException: Whatever `command` raises.
    """
    if tasks <= AT_ONCE:
        return command()
    loop = get_running_loop()
    answered: Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answered.cancelled():
            return
        if error is None:
            answered.set_result(result)  # type: ignore[arg-type]
        else:
            answered.set_exception(error)

    def work() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = command()
        except BaseException as raised:  # noqa: BLE001 - the caller raises it
            error = raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            pass  # the loop has ended, as the app has

    try:
        BoundedStartThread(work, name="taskkit-tui command").start()
    except (RuntimeError, MemoryError):
        return command()
    return await answered
