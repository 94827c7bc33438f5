"""The program's side of the process that starts its workers; see `launcher_main`."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.executors.launcher_messages import (
    ENDED,
    KILL,
    LEAVE,
    READY,
    REFUSED,
    REPLY,
    REQUEST,
    START,
    STARTED,
    interpreter,
)

START_SECONDS: Final = 60.0
"""Longest time in which a new interpreter must have begun; the machine may be very busy."""

_PROGRAM: Final = """\
import sys, json
sys.path[:] = json.loads(sys.argv[2])
from taskkit.executors.launcher_main import main
main(int(sys.argv[1]), sys.argv[3], json.loads(sys.argv[4]), int(sys.argv[5]))"""


Ended = Callable[[int | None], None]
"""Receives the exit status of a worker, negative for a signal; `None` if that is not known."""


class WorkerStartError(RuntimeError):
    """No worker could be started. The message says why."""


class Launcher:
    """Starts workers, reports their ends, and kills them. Thread-safe.

    Its process is made with it, and ends with `close`, or when this program dies.

    Args:
        start_method: `forkserver` or `spawn`.
        preload: Modules to import before the first worker is forked.

    Raises:
        WorkerStartError: The process does not begin.
    """

    def __init__(self, start_method: str, preload: Sequence[str]) -> None:
        self._start_method = start_method
        self._preload = tuple(preload)
        self._sending = Lock()
        self._starting = Lock()
        self._started: SimpleQueue[int | str] = SimpleQueue()  # answers to requests to start a worker
        self._next_ended: Ended = _ignore_end  # of the worker that is being started
        self._alive: dict[int, Ended] = {}
        self._is_ready = Event()
        self._failure = ""
        self.is_lost = False
        """True if its process has ended."""
        self._process: subprocess.Popen[bytes] | None = None
        self._control, self._remote = socket.socketpair()
        # The kernel counts the end of the thread that starts a process as the death of its parent: this
        # thread lives as long as the process.
        BoundedStartThread(self._follow, name="taskkit workers").start()
        self._is_ready.wait(START_SECONDS)
        if not self._is_ready.is_set() or self._failure:
            self.kill_all()
            raise WorkerStartError(self._failure or "the process that starts workers did not start")

    def start_worker(self, channel: int, out: int, err: int, ended: Ended) -> int:
        """Start a worker, and return its number.

        Args:
            channel: Its end of the channel.
            out: The descriptor for its standard output.
            err: That for its standard error.
            ended: Called when it has ended, on the thread of the launcher; must not block.

        Raises:
            WorkerStartError: The system refuses, or the process that starts workers has ended.
        """
        with self._starting:
            self._next_ended = ended
            try:
                with self._sending:
                    socket.send_fds(self._control, [REQUEST.pack(START, 0)], [channel, out, err])
                answer = self._started.get(timeout=START_SECONDS)
            except (OSError, Empty):
                answer = "the process that starts workers did not answer"
                self.kill_all()
        if isinstance(answer, str):
            raise WorkerStartError(answer)
        return answer

    def kill(self, pid: int) -> None:
        """Kill a worker and its group, unless it has ended. Does not wait."""
        try:
            with self._sending:
                self._control.sendall(REQUEST.pack(KILL, pid))
        except OSError:
            pass  # its process has ended, and with it the workers

    def kill_all(self) -> None:
        """Kill the process, which answers nothing, and so all workers. Does not wait."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process when the workers have ended; it kills those that take long. Does not wait."""
        try:
            with self._sending:
                self._control.sendall(REQUEST.pack(LEAVE, 0))
        except OSError:
            pass  # it has ended

    def close_in_child(self) -> None:
        """Close the connection in a forked child: while it is open there, the parent seems to be alive."""
        self._control.close()
        self._remote.close()

    def _follow(self) -> None:
        process = None
        try:
            process = self._process = self._popen()
        except (OSError, ValueError) as error:
            self._failure = f"the process that starts workers cannot be started: {error}"
        finally:
            self._remote.close()
        if process is not None:
            self._read()
            self._note_end(process)
        self._control.close()
        self._lose_workers()
        self._is_ready.set()

    def _popen(self) -> subprocess.Popen[bytes]:
        path = json.dumps([entry for entry in sys.path if isinstance(entry, str)])
        # Not one of the first three, which may be closed in a daemon: those of the process are set below.
        fd = fcntl.fcntl(self._remote.fileno(), fcntl.F_DUPFD_CLOEXEC, 3)
        try:
            return subprocess.Popen(
                [
                    *interpreter(),
                    *("-c", _PROGRAM, str(fd), path, self._start_method),
                    *(json.dumps(self._preload), str(os.getpid())),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[fd],
                start_new_session=True,
            )
        finally:
            os.close(fd)

    def _read(self) -> None:
        data = b""
        while True:
            try:
                more = self._control.recv(REPLY.size - len(data))
            except OSError:
                return
            if not more:
                return
            data += more
            if len(data) < REPLY.size:
                continue
            kind, first, second = REPLY.unpack(data)
            data = b""
            if kind == READY:
                self._is_ready.set()
            elif kind == STARTED:
                self._alive[first] = self._next_ended
                self._started.put(first)
            elif kind == REFUSED:
                reason = os.strerror(first or errno.EAGAIN)
                self._started.put(f"the system refuses another process: {reason}")
            elif kind == ENDED:
                self._alive.pop(first, _ignore_end)(second)

    def _note_end(self, process: subprocess.Popen[bytes]) -> None:
        if not self._is_ready.is_set():
            assert process.stderr is not None
            said = process.stderr.read(65_536).decode("utf-8", "replace").strip().rpartition("\n")[2]
            status = process.wait()
            self._failure = f"the process that starts workers ended at once, with status {status}: {said}"
        with process:
            pass  # closes the pipe and reaps it

    def _lose_workers(self) -> None:
        """End what is left, if the process was killed: the workers were killed with it."""
        self.is_lost = True
        self._started.put("the process that starts workers has ended")
        for pid, ended in self._alive.items():
            try:
                os.killpg(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
            ended(None)
        self._alive.clear()


def _ignore_end(status: int | None) -> None:
    pass
