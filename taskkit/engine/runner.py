"""A task's body becomes an outcome, whatever it raises. Never raises itself (O2)."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Coroutine
from reprlib import Repr
from typing import Final

from taskkit.run import OutcomeKind, Run, current

LONGEST_SUMMARY: Final = 200
"""Characters of a result or an exception's message that are kept."""

LONGEST_TRACEBACK: Final = 32_768
"""Characters; of a longer traceback the end is kept, where the exception is."""

_repr = Repr()
_repr.maxstring = _repr.maxother = LONGEST_SUMMARY


def perform(
    body: Callable[[], object],
    run: Run,
    flush_output: Callable[[Run], None],
    report: Callable[[Run], None],
) -> None:
    """Run `body` and say in `run` how it ended.

    Args:
        body: What to do; a coroutine that it returns is run to its end.
        run: Current while the body runs; its `kind`, `result`, `exception` and `traceback` are set.
        flush_output: Called as soon as the body has ended.
        report: Called unless the run succeeded or was stopped, and inside the `except` block where there
            was an exception, so that what it calls finds that in `sys.exc_info()`.
    """
    token = current.set(run)
    try:
        try:
            result = body()
            if inspect.iscoroutine(result):
                result = _run_coroutine(result, run)
            elif inspect.isawaitable(result):
                result = _run_coroutine(_wait_for(result), run)
        finally:
            flush_output(run)
    except BaseException as error:  # noqa: BLE001 - whatever a task raises ends its run, and only that
        _describe(error, run)
        _decide(run, OutcomeKind.FAILED)
        if run.kind is not OutcomeKind.STOPPED:
            report(run)
    else:
        _decide(run, OutcomeKind.SUCCEEDED)
        if result is not None:
            run.result = _summary(result)
        if run.kind is OutcomeKind.TIMED_OUT:
            report(run)
    finally:
        current.reset(token)


def _decide(run: Run, otherwise: OutcomeKind) -> None:
    if run.kind is not None:
        return  # it was given up meanwhile
    if run.timed_out:
        run.kind = OutcomeKind.TIMED_OUT
    else:
        run.kind = OutcomeKind.STOPPED if run.stop_requested else otherwise


def _run_coroutine(coroutine: Coroutine[object, object, object], run: Run) -> object:
    import asyncio  # it costs more to import than the rest of the library, and most tasks do without

    async def stoppable() -> object:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()

        def cancel() -> None:
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                pass  # the loop is closed: it has ended by itself

        run.on_stop(cancel)
        return await coroutine

    return asyncio.run(stoppable())


async def _wait_for(awaitable: object) -> object:
    return await awaitable  # type: ignore[misc]


def _summary(result: object) -> object:
    if isinstance(result, bool | int | float) and len(str(result)) <= LONGEST_SUMMARY:
        return result
    if isinstance(result, str) and type(result) is str and len(result) <= LONGEST_SUMMARY:
        return result
    try:
        return _repr.repr(result)[:LONGEST_SUMMARY]
    except Exception:  # noqa: BLE001 - a repr is a task's code too
        return f"<{type(result).__name__}>"


def _describe(error: BaseException, run: Run) -> None:
    try:
        lines = traceback.format_exception_only(error)
        text = " ".join(lines[-1].split())
        run.exception = text if len(text) <= LONGEST_SUMMARY else text[:LONGEST_SUMMARY] + "…"
        # The first frame is the one above, which tells a reader nothing.
        frames = error.__traceback__.tb_next if error.__traceback__ is not None else None
        run.traceback = "".join(traceback.format_exception(type(error), error, frames))[-LONGEST_TRACEBACK:]
    except BaseException:  # noqa: BLE001 - out of memory, or an exception that cannot be printed
        run.exception = run.exception or type(error).__name__
        run.traceback = run.traceback or run.exception
