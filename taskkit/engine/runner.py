"""A task's body becomes an outcome, whatever it raises. Never raises itself (O2)."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import AsyncGeneratorType, GeneratorType, TracebackType
from typing import Final, cast

from taskkit.engine.parameters import parameters_of_run
from taskkit.engine.summary import one_line, summary
from taskkit.outcome import OutcomeKind
from taskkit.run import Run, current
from taskkit.task import Task

LONGEST_TRACEBACK: Final = 32_768
"""Characters; of a longer traceback the begin is kept, where the task is, and the end with the exception."""


def perform(
    task: object,
    run: Run,
    flush_output: Callable[[Run], None],
    report: Callable[[Run], None],
) -> None:
    """Do what `task` does, and say in `run` how it ended.

    Args:
        task: A `Task`, or what can be called; a coroutine or another awaitable that comes of it is awaited.
        run: Current while the body runs; its `kind`, `result`, `exception` and `traceback` are set.
        flush_output: Called as soon as the body has ended.
        report: Called unless the run succeeded or was stopped, and inside the `except` block where there
            was an exception, so that what it calls finds that in `sys.exc_info()`.
    """
    token = current.set(run)
    try:
        run.parameters = parameters_of_run(task, run.given)
        try:
            # Looked up only here: that too may run code of the task's, and raise.
            result = task.run() if isinstance(task, Task) else cast("Callable[[], object]", task)()
            if result is not None:
                result = _awaited(result, run)
        finally:
            run.let_go()
            flush_output(run)
    except BaseException as error:  # noqa: BLE001 - whatever a task raises ends its run, and only that
        _describe(error, run)
        _decide(run, OutcomeKind.FAILED)
        if run.kind is not OutcomeKind.STOPPED:
            _report(report, run)
    else:
        _decide(run, OutcomeKind.SUCCEEDED)
        if result is not None:
            run.result = summary(result)
        if run.kind is OutcomeKind.TIMED_OUT:
            _report(report, run)
    finally:
        current.reset(token)


def _decide(run: Run, otherwise: OutcomeKind) -> None:
    if run.kind is not None:
        return  # it was given up meanwhile
    if run.timed_out:
        run.kind = OutcomeKind.TIMED_OUT
    else:
        run.kind = OutcomeKind.STOPPED if run.stop_requested else otherwise


def _report(report: Callable[[Run], None], run: Run) -> None:
    try:
        report(run)
    except BaseException:  # noqa: BLE001 - a filter of `logging` may raise, and the run must end all the same
        pass


def _awaited(result: object, run: Run) -> object:
    """What a body returned, or what comes of it if it can be awaited."""
    if hasattr(type(result), "__await__"):
        from taskkit.engine.coroutines import run_to_end  # asyncio costs more to import than all the rest

        return run_to_end(result, run)
    if isinstance(result, GeneratorType | AsyncGeneratorType):
        raise TypeError(f"{result.__qualname__} has a yield in it, so that nothing of it would ever run")
    return result


def _describe(error: BaseException, run: Run) -> None:
    run.exception = one_line(error)
    try:
        lines = traceback.format_exception(type(error), error, frames_of_task(error.__traceback__))
        run.traceback = _bounded("".join(lines))
    except BaseException:  # noqa: BLE001 - out of memory, or an exception that cannot be printed
        run.traceback = run.exception


def frames_of_task(frames: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames above the task, which tell its reader nothing."""
    of_task = frames
    while frames is not None:
        if frames.tb_frame.f_globals.get("__name__") in _ABOVE_TASKS:
            of_task = frames.tb_next
        frames = frames.tb_next
    return of_task


# Of a command that failed, its words and its exit status say everything.
_ABOVE_TASKS: Final = (__name__, "taskkit.engine.coroutines", "taskkit.command", "taskkit.webware.task")


def _bounded(text: str) -> str:
    left_out = len(text) - LONGEST_TRACEBACK
    if left_out <= 0:
        return text
    half = LONGEST_TRACEBACK // 2
    return f"{text[:half]}\n… {left_out:,} characters left out …\n{text[-half:]}"
