"""The calls of what tasks give to `Run.on_stop`, wherever their runs are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from taskkit.engine import scheduler_log
from taskkit.engine.foreign_calls import ForeignCalls
from taskkit.process import forks
from taskkit.run import Run


class StopCallbacks:
    """The part of a `taskkit.run.RunListener` that calls stop callbacks. Thread-safe.

    Args:
        foreign: Calls them, on threads that they may block.
    """

    def __init__(self, foreign: ForeignCalls) -> None:
        self._foreign = foreign

    def expect_stop_callbacks(self, run: Run, expected: bool) -> None:  # noqa: ARG002 - any run's
        """Keep a thread ready while a run has callbacks for a stop."""
        if expected:
            self._foreign.reserve_thread()
        else:
            self._foreign.release_thread()

    def call_on_stop(self, run: Run, callbacks: Sequence[Callable[[], object]]) -> None:
        """Call what the task gave to `on_stop`, one after the other."""

        def call_each() -> None:
            for callback in callbacks:
                forked = forks.count
                try:
                    callback()
                except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
                    if forks.count != forked:
                        forks.leave_child(error)
                    self.raised_on_stop(run, error)

        self._foreign.call(run.name, "on_stop callback", call_each)

    def raised_on_stop(self, run: Run, error: BaseException) -> None:
        """Log the exception of a stop callback."""
        scheduler_log.error("an on_stop callback of %s raised", run.name, raised=error)
