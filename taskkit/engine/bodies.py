"""The bodies that run elsewhere than on the scheduler's threads: start, output, end, and their executors.

A run on a thread is executed by `RunLoop.perform` from its start to its end. Here the same steps are calls
that an executor makes, on any thread and in its own time. Foreign code is called only without the lock, and
`on_error` only on a thread of its own: an executor may call `Body.end` where nothing must block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Final

from taskkit import line_assembler
from taskkit.capture import router
from taskkit.capture.stream_proxies import output_of
from taskkit.clock import Clock, LockGate
from taskkit.engine import runner, scheduler_log
from taskkit.engine.threads import Threads
from taskkit.executor import Body, BodyResult, Executor
from taskkit.output_lines import OutputLine
from taskkit.run import Run, current

REPORT_SECONDS: Final = 1.0
"""Longest wait of `close` for the reports of the bodies that it has ended."""


@dataclass(frozen=True, slots=True)
class RunSteps:
    """The steps in the life of a run, as `Core` takes them. None of them raises."""

    begin: Callable[[Run], bool]
    """Note that the body begins; False if the run was ended before."""
    report: Callable[[Run], None]
    """Log a failure, and call `on_error`."""
    finish: Callable[[Run], None]
    """Note the end, and carry out what follows."""
    perform: Callable[[Run], None]
    """Execute the run on this thread."""


class Bodies:
    """The executors of one scheduler, and its side of their bodies, a `BodyListener`. Thread-safe.

    Args:
        steps: The steps in the life of a run.
        threads: Call `on_error`; they must not be those of the runs, which may all be in use.
        clock: The scheduler's.
        captures: True if the output of runs is attributed to them.
        wake: Wakes the loop, which then calls `watch`.
    """

    def __init__(
        self, steps: RunSteps, threads: Threads, clock: Clock, captures: bool, wake: Callable[[], None]
    ) -> None:
        self.captures = captures
        self._steps = steps
        self._threads = threads
        self._clock = clock
        self._wake = wake
        # A clock that a test moves by hand rings for each look: a week of them would take long.
        self._watches = not getattr(clock, "stands_still", False)
        self._attached: list[Executor] = []
        self._watched: dict[Executor, None] = {}
        self._reporting: dict[Run, None] = {}  # the runs whose failure is being reported
        self._reported = LockGate()  # opened each time that the last of them has been

    def attach(self, executor: Executor) -> None:
        """Take an executor into use.

        Raises:
            ValueError: It refuses this scheduler.
        """
        if executor not in self._attached:
            executor.attach(self._clock)
            self._attached.append(executor)

    def start(self, body: Body) -> None:
        """Hand a body to its executor."""
        executor = body.executor
        try:
            executor.start(body)
        except BaseException as error:  # noqa: BLE001 - a user's executor; the other runs must start
            body.end(runner.failure(error))
        if self._watches and executor not in self._watched and type(executor).watch is not Executor.watch:
            self._watched[executor] = None
            self._wake()

    def watch(self) -> float | None:
        """Let the executors look after their bodies. Return the seconds until the next look, if any.

        The race with `start`: this empties `_watched` first, so an executor that gets a body meanwhile is
        entered anew, and wakes the loop again.
        """
        if not self._watched:
            return None
        watched, self._watched = self._watched, {}
        soonest: float | None = None
        for executor in watched:
            try:
                again = executor.watch()
            except Exception as error:  # noqa: BLE001 - a user's executor; the loop goes on
                scheduler_log.error("the executor %r raised in watch()", executor, raised=error)
                continue
            if again is not None:
                self._watched[executor] = None
                soonest = again if soonest is None else min(soonest, again)
        return soonest

    def close(self) -> None:
        """Let the executors end what is left, and wait until that is reported, a second at most."""
        for executor in self._attached:
            try:
                executor.close()
            except Exception as error:  # noqa: BLE001 - a user's executor; `stop` goes on
                scheduler_log.error("the executor %r raised in close()", executor, raised=error)
        deadline = monotonic() + REPORT_SECONDS
        while self._reporting and (left := deadline - monotonic()) > 0:
            self._reported.wait(left)

    # As `taskkit.executor.BodyListener`

    def begin_body(self, run: Run) -> bool:
        """Note that the body begins now."""
        return self._steps.begin(run)

    def perform(self, run: Run) -> None:
        """Execute the run on this thread."""
        self._steps.perform(run)

    def end_body(self, run: Run, result: BodyResult) -> None:
        """Note how the body ended; report a failure on a thread, and end the run after that."""
        run.release()
        if run.output is not None:
            line_assembler.finish(run.output)
        if runner.conclude(run, result):
            self._reporting[run] = None
            self._threads.submit([(run.name, partial(self._report_and_finish, run, result))])
        else:
            self._finish(run)

    def _report_and_finish(self, run: Run, result: BodyResult) -> None:
        def report() -> None:
            current.set(run)
            runner.report_failure(self._steps.report, run, result.error)

        Context().run(report)
        self._finish(run)
        self._reporting.pop(run, None)
        if not self._reporting:
            self._reported.open()

    def _finish(self, run: Run) -> None:
        self._steps.finish(run)
        run.place = None  # the history keeps the run, but not the executor

    def add_output(self, body: Body, lines: Iterable[OutputLine], dropped: int) -> None:
        """Record lines that the body wrote elsewhere, and write them to the stream beneath."""
        output = output_of(body.run)
        if dropped:
            output.count_dropped(dropped)
        for line in lines:
            router.echo(line)
            text, ended = line.text.removesuffix("\r"), not line.text.endswith("\r")
            shown = body.shown.pop(line.stream, None)
            if shown is not None:
                output.revise(shown, text, ended=ended)
            elif ended:
                output.add(line.stream, text, line.level)
            else:
                shown = output.show(line.stream, text, line.level)
            if shown is not None and not ended:
                body.shown[line.stream] = shown
