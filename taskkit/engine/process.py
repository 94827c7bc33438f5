"""A subprocess with a group of its own, followed from its start to its end.

One thread does it all: it waits at once for output, for the end of the process, and for a request to stop,
and wakes in the same instant for each of them. That no call waits for the end of a process *and* for
something else is why there is a second thread, which does nothing but wait for that end and say so.

The process is not reaped before the last signal was sent. Until then its number, which is that of its group
too, cannot be given to another, so that no signal ever reaches a stranger.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from codecs import getincrementaldecoder
from collections.abc import Mapping
from selectors import EVENT_READ, DefaultSelector
from threading import Lock, Thread
from time import monotonic
from typing import Final

from taskkit.engine.stream_proxies import STDERR, STDOUT, StreamProxy

LINGER: Final = 0.5
"""Seconds after the end of a process in which what it started may still write: `tee`, for example, has the
last lines of a shell's line a little after the shell is gone."""

CHUNK: Final = 65_536
"""Bytes that are read at once; as much as a pipe holds."""

_new_decoder = getincrementaldecoder("utf-8")


class ProcessGroup:
    """A process, and whatever it starts that stays in its group.

    It reads nothing, as its standard input is empty, and has no terminal. What it writes is printed, in the
    context of the thread that calls `follow`.

    Args:
        command: The program and its arguments, or one line for the shell.
        cwd: The folder to run it in; `None` for the current one.
        env: All of its environment; `None` for that of this process.
        name: For the thread that waits for its end.

    Raises:
        OSError: It could not be started.
    """

    def __init__(
        self, command: str | tuple[str, ...], cwd: str | None, env: Mapping[str, str] | None, name: str
    ) -> None:
        self._lock = Lock()
        self._closed = False  # guarded by _lock: whether its number and these descriptors are given back
        self._woken, self._wake = os.pipe()
        try:
            self._process = subprocess.Popen(
                command,
                shell=isinstance(command, str),
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except BaseException:
            os.close(self._wake)
            os.close(self._woken)
            raise
        self._asked: float | None = None  # monotonic, as are the next two
        self._killed: float | None = None
        self._ended: float | None = None
        self._waiter = Thread(target=self._wait_for_end, name=name, daemon=True)
        _alive.add(self)

    def follow(self, grace: float) -> int:
        """Print what it writes until it has ended. To be called once.

        Args:
            grace: Seconds between `terminate` and the moment when the group is killed.

        Returns:
            Its exit status; of a process that a signal ended, the number of the signal, negative.
        """
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            self._waiter.start()
            with DefaultSelector() as selector:
                selector.register(self._woken, EVENT_READ)
                for pipe, printer in (
                    (self._process.stdout, _Printer("stdout")),
                    (self._process.stderr, _Printer("stderr")),
                ):
                    selector.register(pipe, EVENT_READ, printer)
                self._read(selector, grace)
        finally:
            status = self._close()
        return status

    def terminate(self) -> None:
        """Ask the group to end, and see to it that it does. Thread-safe; does not wait."""
        with self._lock:
            if self._closed or self._asked is not None:
                return
            self._asked = monotonic()
            self._signal(signal.SIGTERM)
            os.write(self._wake, b"!")

    def kill(self) -> None:
        """End the group by force. Thread-safe; does not wait."""
        with self._lock:
            if not self._closed:
                self._signal(signal.SIGKILL)

    def _read(self, selector: DefaultSelector, grace: float) -> None:
        streams = 2
        while streams or self._ended is None:
            limit = self._limit(grace)
            left = None if limit is None else limit - monotonic()
            over = left is not None and left <= 0
            if over and self._asked is not None and self._killed is None:
                self._killed = monotonic()
                self.kill()
                continue
            for key, _ in selector.select(left):
                data = os.read(key.fd, CHUNK)
                if key.data is None:
                    continue  # woken: what for is seen above
                key.data(data)
                if not data:
                    selector.unregister(key.fileobj)
                    streams -= 1
            if over:
                return  # somebody else holds the other end of a pipe; what it held at the end has been read

    def _limit(self, grace: float) -> float | None:
        """When to wait no longer for what is waited for now."""
        if self._asked is not None and self._killed is None:
            return self._asked + grace
        if self._ended is not None:
            return max(self._ended, self._killed or 0.0) + LINGER
        return None

    def _close(self) -> int:
        if self._ended is None or self._asked is not None:
            self.kill()  # left in the midst of it; or some of the group are not done, and print nothing
        if self._waiter.ident is not None:
            self._waiter.join()
        with self._lock:
            self._closed = True
            os.close(self._wake)
            os.close(self._woken)
        _alive.discard(self)
        with self._process:  # closes the pipes and reaps it
            return self._process.wait()

    def _wait_for_end(self) -> None:
        try:
            if hasattr(os, "waitid"):
                os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            else:
                self._process.wait()
        except ChildProcessError:
            pass  # somebody else reaped it
        self._ended = monotonic()
        os.write(self._wake, b"!")

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left, or it became another user's


class _Printer:
    """Prints what comes out of one pipe, whether or not the output of runs is captured.

    Where it is not, `sys.stdout` is no proxy that attributes what is printed; what a subprocess writes
    belongs to its run all the same, so this puts one around it for itself.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._decoder = _new_decoder("backslashreplace")

    def __call__(self, data: bytes) -> None:
        """Print the next bytes; none at the end."""
        stream = getattr(sys, self._name, None)
        if not isinstance(stream, StreamProxy):
            stream = StreamProxy(stream, STDOUT if self._name == "stdout" else STDERR)
        stream.write(self._decoder.decode(data, final=not data))
        if 0 < len(data) < CHUNK:
            stream.flush()  # also a line without an end is shown: perhaps a long silence follows


_alive: Final[set[ProcessGroup]] = set()


def _kill_all() -> None:
    for group in list(_alive):
        group.kill()


# Threads that follow a process are daemons: without this it would survive the interpreter unseen.
atexit.register(_kill_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alive.clear)  # they are the parent's children
