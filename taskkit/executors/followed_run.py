"""A run in a worker, followed from the program: its start, its reports, its stop, and its end or its kill.

The handshake:

1. The worker is sent the run. It imports the task and says `ready`.
2. `Body.begin` says whether the run may begin; it may have been stopped meanwhile.
3. The worker is sent `go`, or `skip`.

Guarantee: a run that was stopped before its start never begins, and a timeout counts from step 2.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from time import monotonic
from typing import Any, Final

from taskkit.executor import Body, BodyResult
from taskkit.executors.messages import Message
from taskkit.executors.reports import pass_on, result_of, write_outside
from taskkit.executors.worker import Worker
from taskkit.executors.worker_run import Job
from taskkit.outcome import OutcomeKind
from taskkit.output_lines import OutputLine


class WorkerDiedError(Exception):
    """A worker died before the run began in it."""


class FollowedRun:
    """One run in a worker.

    Args:
        worker: Executes it, and nothing else meanwhile.
        body: The run; its reports are passed on.
        job: The same as plain values.
        kill_after: Seconds after a stop in which the body must have ended.
    """

    def __init__(self, worker: Worker, body: Body, job: Job, kill_after: float) -> None:
        self._worker = worker
        self._body = body
        self._run = body.run
        self._job = job
        self._kill_after = kill_after
        self._begun = False
        self._asked_at: float | None = None  # monotonic; when the worker was sent the stop
        self._is_over = False
        self._result: BodyResult | None = None

    def to_end(self) -> BodyResult | None:
        """Follow it until it has ended. Return how; `None` if it should no longer begin.

        Raises:
            WorkerDiedError: The worker died before the run began.
        """
        worker = self._worker
        self._run.wake_on_stop(worker.wake)
        worker.post("run", self._job)
        while not self._is_over:
            self._take(worker.receive(self._next_look()))
            if worker.has_ended:
                break
            self._look_for_stop()
        self._take(worker.receive_rest())
        if not self._is_over:
            self._result = self._died()
        return self._result

    def _next_look(self) -> float | None:
        dying = self._worker.seconds_to_die()
        if dying is not None:
            return dying
        if self._asked_at is None:
            return None
        return max(0.0, self._asked_at + self._kill_after - monotonic())

    def _look_for_stop(self) -> None:
        run = self._run
        if self._worker.seconds_to_die() == 0:
            self._worker.kill_launcher()
        if self._asked_at is None:
            if run.stop_requested or run.kind is not None:
                self._asked_at = monotonic()
                if self._begun:
                    self._worker.post("stop", run.asked_to_stop or 0.0, run.timed_out)
        elif not self._worker.is_killed and monotonic() >= self._asked_at + self._kill_after:
            self._worker.kill()

    def _take(self, received: Iterable[Message | list[OutputLine]]) -> None:
        for each in received:
            if isinstance(each, list):
                if each:
                    self._body.add_output(each)
            else:
                self._take_message(*each)

    def _take_message(self, kind: str, *values: Any) -> None:
        if kind == "ready":
            self._begun = self._body.begin(f"process {self._worker.pid}")
            self._worker.post("go" if self._begun else "skip")
        elif kind == "reports":
            pass_on(self._body, *values)
        elif kind == "outside":
            write_outside(*values)
        elif kind == "end":
            self._is_over = True
            self._result = result_of(*values)

    def _died(self) -> BodyResult | None:
        if self._asked_at is not None and self._worker.is_killed:
            seconds = min(self._kill_after, round(monotonic() - self._asked_at, 1))
            words = f"killed {seconds:g} s after it was asked to stop"
        elif not self._begun:
            raise WorkerDiedError(end_in_words(self._worker.status))
        else:
            words = end_in_words(self._worker.status)
        return BodyResult(OutcomeKind.FAILED, exception=words)


def end_in_words(status: int | None) -> str:
    """Return how a worker ended by itself, or was ended by others.

    Args:
        status: Its exit status, negative for a signal; `None` if that is not known.
    """
    if status is None:
        return "its process was killed with the one that starts all workers"
    if status >= 0:
        return f"its process exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:  # a real-time signal has no name
        name = f"signal {-status}"
    hint = _HINTS.get(name)
    return f"killed by {name}" if hint is None else f"killed by {name} ({hint})"


_HINTS: Final = {
    "SIGKILL": "out of memory?",
    "SIGSEGV": "a crash in C code",
    "SIGBUS": "a crash in C code",
    "SIGABRT": "aborted in C code",
}
