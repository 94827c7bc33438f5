"""The execution of a run in a worker, whether that is a process of this machine or one of a cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import Context

from taskkit.capture import router
from taskkit.engine import runner
from taskkit.executor import BodyResult
from taskkit.executors.report_sender import ReportSender
from taskkit.executors.worker_run import Job, WorkerRun, clock_of, load, run_of
from taskkit.process import forks
from taskkit.run import Run, current


def execute(
    job: Job, reports: ReportSender, announce: Callable[[WorkerRun], None], may_begin: Callable[[], bool]
) -> BodyResult | None:
    """Execute a run to its end, on this thread.

    Args:
        job: The run as plain values.
        reports: Gets its lines, records and progress.
        announce: Called with the run as soon as it is made. From then on it may be asked to stop.
        may_begin: Called when the task was imported. It asks the program, and waits for the answer.

    Returns:
        How it ended; `None` if the program did not let it begin.
    """
    return Context().run(_execute, job, reports, announce, may_begin)


def _execute(
    job: Job, reports: ReportSender, announce: Callable[[WorkerRun], None], may_begin: Callable[[], bool]
) -> BodyResult | None:
    clock = clock_of(job)
    run = run_of(job, clock, reports)
    announce(run)
    current.set(run)
    forked = forks.count

    def body_ended(run: Run) -> None:
        if forks.count != forked:
            forks.leave_child(sys.exception(), even_main=True)
        router.finish(run)

    router.ensure()
    try:
        try:
            load(run, job)
        except BaseException as error:  # noqa: BLE001 - importing a module may raise anything
            body_ended(run)
            return runner.failure(error)
        if not may_begin():
            return None
        run.begin(clock.now())
        runner.perform(run, body_ended, lambda _: None)
        return BodyResult.of(run)
    finally:
        run.finished = clock.time()
        reports.close()
