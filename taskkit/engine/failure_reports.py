"""Reports of failed runs: one record in the log, and one call of `on_error` (O2)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Final

from taskkit.engine import runner, scheduler_log
from taskkit.outcome import Outcome, OutcomeKind
from taskkit.process import forks
from taskkit.run import Run

_IN_WORDS: Final = {
    OutcomeKind.FAILED: "failed",
    OutcomeKind.TIMED_OUT: "timed out",
    OutcomeKind.INTERRUPTED: "was interrupted",
    OutcomeKind.ABANDONED: "did not stop and was abandoned",
}


def report(run: Run, on_error: Callable[[Outcome], object] | None) -> None:
    """Report a run that failed, timed out or was abandoned. Never raises.

    Args:
        run: It has ended. If this is called in the `except` block, `on_error` finds the exception of the task
            in `sys.exc_info()`.
        on_error: The callback of the task or of the scheduler.
    """
    how = _IN_WORDS[run.kind or OutcomeKind.FAILED]
    detail = f": {run.exception}" if run.exception else ""
    # A program that reports outcomes itself can recognise these records by their `run`.
    attributes = {"run": run.number}
    scheduler_log.error("%s %s%s", run.name, how, detail, raised=_exception_of_task(), extra=attributes)
    if on_error is not None:
        forked = forks.count
        try:
            on_error(run.outcome())
        except BaseException as error:  # noqa: BLE001 - the run has ended in any case
            if forks.count != forked:
                forks.leave_child(error)
            scheduler_log.error("on_error of %s raised", run.name, raised=error)


def _exception_of_task() -> tuple[type[BaseException], BaseException, TracebackType | None] | None:
    """Return the exception being handled, with the frames from the task on; `None` if there is none."""
    kind, error, frames = sys.exc_info()
    if kind is None or error is None:
        return None
    return kind, error, runner.frames_of_task(frames)
