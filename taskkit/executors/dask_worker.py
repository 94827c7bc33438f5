"""The functions of `DaskExecutor` that are executed on the workers of the cluster.

Dask begins a task again if its worker died, and a run must never begin twice unnoticed. So a run begins only
when the program says so, and it says so once: this is a fence.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import Any, Final

from distributed import get_worker

from taskkit.capture import router
from taskkit.clock import LockGate
from taskkit.engine.foreign_calls import ForeignCalls
from taskkit.executors.execution import execute
from taskkit.executors.messages import MessageReader, packed
from taskkit.executors.report_sender import ReportSender
from taskkit.executors.reports import Batch, PlainRecord, forward_records, plain_result
from taskkit.executors.worker_run import WorkerRun
from taskkit.run import Run

PROTOCOL: Final = 1
"""The version of what the program and a worker say to each other."""

ANSWER_SECONDS: Final = 60.0
"""Longest wait for the answer whether a run may begin."""

LOOK_SECONDS: Final = 0.25
"""Time between two looks whether the program is still there to answer."""


class WrongVersionError(Exception):
    """A run was not executed on this worker. The message says why."""


class _RunHere:
    """A run on this worker."""

    def __init__(self, key: str, topic: str) -> None:
        self.key = key
        self.topic = topic
        self.worker: Any = get_worker()
        self.reports = ReportSender(self._report, _foreign)
        self.run: WorkerRun | None = None
        self.answer = ""
        self.is_answered = LockGate()

    def may_begin(self) -> bool:
        """Ask the program whether the run may begin, and wait for its answer while the program is there."""
        self.send("ready", self.worker.address)
        end = monotonic() + ANSWER_SECONDS
        while not self.is_answered.wait(LOOK_SECONDS) and self._is_wanted() and monotonic() < end:
            pass
        return self.answer == "go"

    def _is_wanted(self) -> bool:
        """False if nobody waits for the result any more: the program was closed, or has died.

        Dask cannot end a task that executes, but notes that it is cancelled. The task of a program that is
        only slow stays `executing`, as that keeps its future.
        """
        task = self.worker.state.tasks.get(self.key)
        return task is None or task.state != "cancelled"

    def announce(self, run: WorkerRun) -> None:
        self.run = run

    def send(self, *message: Any) -> None:
        self.worker.log_event(self.topic, packed(self.key, *message))

    def _report(self, batch: Batch) -> None:
        self.send("reports", *batch)


_foreign: Final = ForeignCalls(lambda: None, inline=False)
_runs: Final[dict[str, _RunHere]] = {}
_preparing: Final = Lock()
_prepared: list[bool] = []


def perform(data: bytes, key: str, topic: str, protocol: int) -> bytes:
    """Execute a run. This is the function that Dask calls.

    Args:
        data: The run, packed.
        key: The key of the Dask task.
        topic: The topic for messages to the program.
        protocol: The program's version.

    Raises:
        WrongVersionError: The program speaks another version.
    """
    if protocol != PROTOCOL:
        raise WrongVersionError(
            f"the worker speaks version {PROTOCOL} of taskkit's protocol, and the program {protocol}: "
            "install the same taskkit for both"
        )
    _prepare()
    (job,) = MessageReader().feed(data)[0]
    here = _runs[key] = _RunHere(key, topic)
    try:
        return packed(plain_result(execute(job, here.reports, here.announce, here.may_begin)))
    finally:
        _runs.pop(key, None)


def answer(key: str, word: str) -> None:
    """Let a run begin, or not."""
    here = _runs.get(key)
    if here is not None:
        here.answer = word
        here.is_answered.open()


def stop(key: str, now: float, timed_out: bool) -> None:
    """Ask a run to stop."""
    here = _runs.get(key)
    if here is not None and here.run is not None:
        here.run.request_stop(now, timed_out=timed_out)
        here.run.notify_stop()


def _prepare() -> None:
    """Attribute what runs print and log in this process to them, from the first run on."""
    with _preparing:
        if not _prepared:
            _prepared.append(True)
            router.install()
            forward_records(_forward)


def _forward(run: Run, record: PlainRecord) -> None:
    for here in list(_runs.values()):
        if here.run is run:
            here.reports.logged(record)
