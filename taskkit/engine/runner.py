"""Execution of a task's body, which ends in an outcome whatever it raises. Never raises itself (O2)."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import AsyncGeneratorType, GeneratorType, TracebackType
from typing import Final, cast

from taskkit.engine.enum_members import SUCCEEDED
from taskkit.engine.summaries import one_line, summary
from taskkit.executor import BodyResult
from taskkit.outcome import OutcomeKind
from taskkit.parameters import parameters_of_run
from taskkit.run import Run, current
from taskkit.task import Task

LONGEST_TRACEBACK: Final = 32_768
"""Characters of a traceback. A longer one keeps its start, with the task, and its end, with the exception."""


def perform(
    run: Run,
    flush_output: Callable[[Run], None],
    report: Callable[[Run], None],
) -> None:
    """Execute the task of `run`, and note in `run` how it ended.

    The task is a `Task` or a callable; if it returns a coroutine or another awaitable, that is awaited.

    Args:
        run: The current run while the body executes; its `kind`, `result`, `exception` and `traceback` are
            set.
        flush_output: Called as soon as the body has ended.
        report: Called unless the run succeeded or was stopped; inside the `except` block if there was an
            exception, so that it finds that in `sys.exc_info()`.
    """
    task = run.task
    token = current.set(run)
    try:
        run.parameters = parameters_of_run(task, run.given)
        try:
            # Looked up only here, because even that may run code of the task and raise.
            result = task.run() if isinstance(task, Task) else cast("Callable[[], object]", task)()
            if result is not None:
                result = _awaited(result, run)
        finally:
            run.release()
            flush_output(run)
    except BaseException as error:  # noqa: BLE001 - whatever a task raises ends its run, and only that
        _describe(error, run)
        _decide(run, OutcomeKind.FAILED)
        if run.kind is not OutcomeKind.STOPPED:
            _report(report, run)
    else:
        _decide(run, SUCCEEDED)
        if result is not None:
            run.result = summary(result)
        if run.timed_out and run.kind is OutcomeKind.TIMED_OUT:
            _report(report, run)
    finally:
        current.reset(token)


def call(task: object) -> object:
    """Call the task, and return what that returns. Raises what the task raises."""
    return task.run() if isinstance(task, Task) else cast("Callable[[], object]", task)()


def failure(error: BaseException) -> BodyResult:
    """Return the result of a body that raised `error`."""
    return BodyResult(OutcomeKind.FAILED, None, one_line(error), _traceback_of(error), error)


def conclude(run: Run, result: BodyResult) -> bool:
    """Note in `run` how its body ended elsewhere. Return True if that must be reported."""
    run.exception, run.traceback = result.exception, result.traceback
    _decide(run, result.kind)
    if result.kind is OutcomeKind.SUCCEEDED:
        run.result = result.result
    return run.kind in (OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.INTERRUPTED)


def report_failure(report: Callable[[Run], None], run: Run, error: BaseException | None) -> None:
    """Call `report`, inside an `except` block if there is an exception, as `perform` does."""
    if error is None:
        _report(report, run)
        return
    try:
        raise error
    except BaseException:  # noqa: BLE001 - it was caught before
        _report(report, run)


def _decide(run: Run, otherwise: OutcomeKind) -> None:
    if run.kind is not None:
        return  # it was abandoned meanwhile
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
    """Return what the body returned, or the result of awaiting that."""
    if hasattr(type(result), "__await__"):
        from taskkit.engine.coroutines import run_to_end  # asyncio costs more to import than all the rest

        return run_to_end(result, run)
    if isinstance(result, GeneratorType | AsyncGeneratorType):
        raise TypeError(f"{result.__qualname__} has a yield in it, so that nothing of it would ever run")
    return result


def _describe(error: BaseException, run: Run) -> None:
    run.exception = one_line(error)
    run.traceback = _traceback_of(error)


def _traceback_of(error: BaseException) -> str:
    try:
        lines = traceback.format_exception(type(error), error, frames_of_task(error.__traceback__))
        return _bounded("".join(lines))
    except BaseException:  # noqa: BLE001 - out of memory, or an exception that cannot be printed
        return one_line(error)


def frames_of_task(frames: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames above the task, which do not help its reader."""
    of_task = frames
    while frames is not None:
        if frames.tb_frame.f_globals.get("__name__") in _ABOVE_TASKS:
            of_task = frames.tb_next
        frames = frames.tb_next
    return of_task


# Of a failed command, its exit status and its words are enough.
_ABOVE_TASKS: Final = (
    __name__,
    "taskkit.engine.coroutines",
    "taskkit.executors.loop",
    "taskkit.executors.portable",
    "taskkit.executors.execution",
    "taskkit.command",
    "taskkit.webware.task",
)


def _bounded(text: str) -> str:
    left_out = len(text) - LONGEST_TRACEBACK
    if left_out <= 0:
        return text
    half = LONGEST_TRACEBACK // 2
    return f"{text[:half]}\n… {left_out:,} characters left out …\n{text[-half:]}"
