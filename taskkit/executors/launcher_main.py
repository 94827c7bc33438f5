"""The process that starts the workers of a program, reaps them, and kills what they leave.

Workers are not children of the program. So nothing in the program takes their exit status or waits for them
by accident, and this process, whose only thread never waits for a worker, kills them when the program dies,
whatever the workers are doing. A worker is forked from here in a few milliseconds, because what it imports
is imported already. Where a fork is not safe, as on macOS, it is a new interpreter.

Guarantee: a worker is reaped only after its group was killed. Until then its number, which is also that of
its group, belongs to no other process, so that no signal ever hits the wrong one.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Final

from taskkit.executors import worker_main
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
from taskkit.process.parent_death import end_with_parent

PROGRAM_DIED: Final = signal.SIGUSR1
"""The kernel sends it. The channel ends as well, unless another child of the program holds it."""


LEAVE_SECONDS: Final = 1.0
"""Time for idle workers to end by themselves once the program no longer needs them."""


def main(control_fd: int, start_method: str, preload: Sequence[str], program: int) -> None:
    """Serve the program at the other end of `control_fd` until it closes that, or dies.

    Args:
        control_fd: One end of a pair of sockets.
        start_method: `forkserver` or `spawn`.
        preload: Modules to import before the first fork.
        program: The process id of the program.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a service manager sends them to all processes at once
    for number in (signal.SIGCHLD, PROGRAM_DIED):
        signal.signal(number, lambda *_: None)  # wakes the loop
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    end_with_parent(program, PROGRAM_DIED)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    if start_method == "forkserver":
        _preload(preload)
    work = _Launcher(socket.socket(fileno=control_fd), start_method).serve()
    if work is not None:
        worker_main.main(work)


def _preload(modules: Sequence[str]) -> None:
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException:  # noqa: BLE001 - the run whose task needs it reports that
            pass


class _Launcher:
    def __init__(self, control: socket.socket, start_method: str) -> None:
        self._control = control
        self._start_method = start_method
        self._pid = os.getpid()
        self._workers: set[int] = set()
        self._leave_at: float | None = None  # monotonic; then the workers that are left are killed

    def serve(self) -> int | None:
        """Serve until the program is gone. Return the channel in a forked worker; else `None`."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._reply(READY)
        with DefaultSelector() as selector:
            selector.register(self._control, EVENT_READ)
            selector.register(woken, EVENT_READ)
            while self._leave_at is None or (self._workers and monotonic() < self._leave_at):
                for key, _ in selector.select(None if self._leave_at is None else LEAVE_SECONDS / 10):
                    if key.fd == woken:
                        if PROGRAM_DIED in os.read(woken, 65_536):
                            self._leave_at = 0.0
                        self._reap()
                        continue
                    try:
                        data, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 3)
                    except OSError:
                        data = b""  # reset: the program died before it had read all replies
                    if len(data) < REQUEST.size:
                        self._leave_at = 0.0
                        break
                    kind, number = REQUEST.unpack(data)
                    if kind == LEAVE:
                        self._leave_at = monotonic() + LEAVE_SECONDS
                    elif kind == KILL:
                        self._kill(number)
                    elif kind == START and self._start(descriptors) == 0:
                        signal.set_wakeup_fd(-1)
                        selector.close()
                        for each in (woken, wake):
                            os.close(each)
                        self._control.close()
                        return self._become_worker(descriptors)
        self._kill_all()
        return None

    def _start(self, descriptors: list[int]) -> int:
        """Start a worker with a channel and the descriptors for its output. Return 0 in a forked one."""
        try:
            pid = os.fork() if self._start_method == "forkserver" else self._spawn(descriptors)
        except OSError as error:
            self._reply(REFUSED, error.errno or errno.EAGAIN)
            pid = -1
        if pid > 0:
            self._workers.add(pid)
            self._reply(STARTED, pid)
        if pid != 0:
            for each in descriptors:
                os.close(each)
        return pid

    def _spawn(self, descriptors: list[int]) -> int:
        channel, out, err = descriptors
        program = (
            "import sys, json; sys.path[:] = json.loads(sys.argv[2]); "
            "from taskkit.executors.worker_main import main_of_spawned; "
            "main_of_spawned(int(sys.argv[1]), int(sys.argv[3]))"
        )
        process = subprocess.Popen(
            [*interpreter(), "-c", program, str(channel), sys.argv[2], str(self._pid)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=[channel],
            start_new_session=True,
        )
        process.returncode = 0  # it is reaped below, as every worker
        return process.pid

    def _become_worker(self, descriptors: list[int]) -> int:
        channel, out, err = descriptors
        os.setsid()
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.close(out)
        os.close(err)
        for number in (signal.SIGCHLD, PROGRAM_DIED, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        end_with_parent(self._pid, signal.SIGKILL)
        return channel

    def _reap(self) -> None:
        for pid in list(self._workers):
            if hasattr(os, "waitid"):
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    continue
                self._kill(pid)  # what it started and left in its group
                _, status = os.waitpid(pid, 0)
            else:
                ended, status = os.waitpid(pid, os.WNOHANG)
                if not ended:
                    continue
                self._kill(pid)
            self._workers.discard(pid)
            self._reply(ENDED, pid, os.waitstatus_to_exitcode(status))

    def _kill(self, pid: int) -> None:
        if pid not in self._workers:
            return  # it was reaped
        for kill in (os.killpg, os.kill):  # it may not have a group yet
            try:
                kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass

    def _kill_all(self) -> None:
        for pid in self._workers:
            self._kill(pid)

    def _reply(self, kind: bytes, first: int = 0, second: int = 0) -> None:
        try:
            self._control.sendall(REPLY.pack(kind, first, second))
        except OSError:
            pass  # the program is gone, which the loop sees next
