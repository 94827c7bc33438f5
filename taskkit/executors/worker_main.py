"""The main function of a worker process: executes one run after the other, until the program releases it.

The body of a run is on the main thread, as in a program of its own. A second thread reads what the program
sends, so that a stop is seen while the task computes. When the channel ends, the program is gone, or no
longer needs the worker: an active run is then ended with everything that it started.
"""

from __future__ import annotations

import faulthandler
import io
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from functools import partial
from queue import SimpleQueue
from threading import Lock
from typing import Any, Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.capture import router
from taskkit.engine.foreign_calls import ForeignCalls
from taskkit.executors.execution import execute
from taskkit.executors.messages import Message, MessageReader, packed
from taskkit.executors.report_sender import ReportSender
from taskkit.executors.reports import Batch, PlainRecord, forward_records, plain, plain_result
from taskkit.executors.worker_run import WorkerRun
from taskkit.process import forks
from taskkit.process.parent_death import end_with_parent
from taskkit.run import Run, current

SWITCH_SECONDS: Final = 0.001
"""Time after which a computing task leaves the interpreter to the thread that reads, so that it soon sees a
stop. The default of Python is five times as long."""

CHUNK: Final = 65_536


def main(channel: int) -> None:
    """Serve the program at the other end of `channel`, a socket, until it closes that."""
    worker = _WorkerProcess(socket.socket(fileno=channel))
    forks.reset_in_child(worker, _WorkerProcess.leave_to_parent)
    BoundedStartThread(worker.read, name="taskkit channel").start()
    worker.execute_runs()


def main_of_spawned(channel: int, parent: int) -> None:
    """Do the same in an interpreter of its own, which process `parent` started just now."""
    end_with_parent(parent, signal.SIGKILL)
    main(channel)


class _WorkerProcess:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._sending = Lock()
        self._forked = forks.count
        self._inbox: SimpleQueue[Message | None] = SimpleQueue()
        self._run: WorkerRun | None = None  # while it is active
        self._reports: ReportSender  # of the run
        self._foreign = ForeignCalls(lambda: None, inline=False)

    def leave_to_parent(self) -> None:
        """Close the channel in a forked child: it is the parent's."""
        self._channel.close()

    def read(self) -> None:
        """Read what the program sends, until it closes the channel. On a thread of its own."""
        reader = MessageReader()
        while data := self._receive():
            for message in reader.feed(data):
                if message[0] == "stop":
                    self._stop(*message[1:])
                else:
                    self._inbox.put(message)
        if self._run is not None:
            os.killpg(0, signal.SIGKILL)
        self._inbox.put(None)

    def execute_runs(self) -> None:
        """Execute the runs that come. On the main thread."""
        settings: Mapping[str, Any] = {}
        while (message := self._inbox.get()) is not None:
            if message[0] == "prepare":
                settings = message[1]
                prepare(settings, self._write_outside)
                forward_records(self._forward)
            else:
                assert message[0] == "run"
                _put_back(settings)
                self._reports = ReportSender(self._report, self._foreign)
                result = execute(message[1], self._reports, self._announce, self._may_begin)
                self._run = None
                _flush_descriptors()
                self._send("end", plain_result(result))

    def _announce(self, run: WorkerRun) -> None:
        self._run = run

    def _may_begin(self) -> bool:
        self._send("ready")
        answer = self._inbox.get()
        return answer is not None and answer[0] == "go"

    def _stop(self, now: float, timed_out: bool) -> None:
        run = self._run
        if run is not None:
            run.request_stop(now, timed_out=timed_out)
            run.notify_stop()

    def _report(self, batch: Batch) -> None:
        self._send("reports", *batch)

    def _write_outside(self, name: str, text: str) -> None:
        """Write what belongs to no run, as that of a thread that a run has left behind."""
        if forks.count != self._forked:  # the channel is the parent's
            os.write(_DESCRIPTORS[name], text.encode("utf-8", "backslashreplace"))
        else:
            self._send("outside", name, plain(text))

    def _forward(self, run: Run, record: PlainRecord) -> None:
        if run is self._run:
            self._reports.logged(record)

    def _send(self, *message: Any) -> None:
        """Send a message. If that fails, the program is gone, or the task closed the channel: end here."""
        if forks.count != self._forked:
            return
        data = packed(*message)
        try:
            with self._sending:
                self._channel.sendall(data)
        except OSError:
            os._exit(1)

    def _receive(self) -> bytes:
        try:
            return self._channel.recv(CHUNK)
        except OSError:
            return b""


def prepare(settings: Mapping[str, Any], write_outside: Callable[[str, str], None]) -> None:
    """Make this process like the program: its folder, environment, import path and levels of logging."""
    signal.signal(signal.SIGINT, lambda *_: None)  # not ignored, as what a task starts would inherit that
    sys.setswitchinterval(SWITCH_SECONDS)
    sys.argv[:] = settings["argv"]
    sys.path[:] = settings["path"]
    for name, level in settings["levels"].items():
        logging.getLogger(name or None).setLevel(level)
    sys.stdout = _Beneath(partial(write_outside, "stdout"), _DESCRIPTORS["stdout"])
    sys.stderr = _Beneath(partial(write_outside, "stderr"), _DESCRIPTORS["stderr"])
    faulthandler.enable(file=2)
    router.install()


_DESCRIPTORS: Final = {"stdout": 1, "stderr": 2}


def _put_back(settings: Mapping[str, Any]) -> None:
    """Undo what the run before may have changed for all: the folder and the environment."""
    if os.environ != settings["environ"]:
        os.environ.clear()
        os.environ.update(settings["environ"])
    try:
        os.chdir(settings["folder"])
    except OSError:
        pass  # it is gone; the task finds that out if it matters


class _Beneath(io.TextIOBase):
    """The stream beneath the proxies of a worker: the lines of the run go to the program another way."""

    def __init__(self, write_outside: Callable[[str], None], descriptor: int) -> None:
        self._write_outside = write_outside
        self._descriptor = descriptor

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return "utf-8"

    def fileno(self) -> int:
        """Return the descriptor, which is a pipe to the program."""
        return self._descriptor

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Pass on what belongs to no run."""
        run = current.get()
        if run is None or run.finished is not None:
            self._write_outside(text)
        return len(text)


def _flush_descriptors() -> None:
    """Flush what waits for the descriptors 1 and 2, in Python and in C."""
    flushes: list[Callable[[], object]] = [
        stream.flush for stream in (sys.__stdout__, sys.__stderr__) if stream is not None
    ]
    try:
        import ctypes

        flushes.append(lambda: ctypes.CDLL(None).fflush(None))
    except ImportError:
        pass
    for flush in flushes:
        try:
            flush()
        except (OSError, ValueError, AttributeError):
            pass
