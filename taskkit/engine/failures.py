"""A run that went wrong is told: once in the log, and once to whoever asked for it (O2)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Final

from taskkit.engine import log, runner
from taskkit.outcome import Outcome, OutcomeKind
from taskkit.run import Run

_IN_WORDS: Final = {
    OutcomeKind.FAILED: "failed",
    OutcomeKind.TIMED_OUT: "timed out",
    OutcomeKind.ABANDONED: "did not stop and was abandoned",
}


def report(run: Run, on_error: Callable[[Outcome], object] | None) -> None:
    """Tell of a run that failed, timed out or was abandoned. Never raises.

    Args:
        run: Which has ended. An exception of its task is found by `on_error` in `sys.exc_info()`, if this is
            called in the `except` block.
        on_error: Whoever asked for it.
    """
    how = _IN_WORDS[run.kind or OutcomeKind.FAILED]
    detail = f": {run.exception}" if run.exception else ""
    # Who tells of outcomes in another way knows these records by their `run`.
    told = {"run": run.number}
    log.complain("%s %s%s", run.name, how, detail, raised=_exception_of_task(), extra=told)
    if on_error is not None:
        try:
            on_error(run.outcome())
        except BaseException as error:  # noqa: BLE001 - whatever it raises, the run has ended
            log.complain("on_error of %s raised", run.name, raised=error)


def _exception_of_task() -> tuple[type[BaseException], BaseException, TracebackType | None] | None:
    """The exception that is being handled, from the task's frame on; `None` if there is none."""
    kind, error, frames = sys.exc_info()
    if kind is None or error is None:
        return None
    return kind, error, runner.frames_of_task(frames)
