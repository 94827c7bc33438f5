"""A subprocess in a process group of its own, followed from its start to its end.

One thread waits at once for output, for the end of the process and for a request to stop, and wakes at once
for each of them. No system call waits for the end of a process *and* for something else; therefore a second
thread does nothing but wait for that end and report it.

Guarantee: the process is reaped only after the last signal was sent. Until then its number, which is also
that of its group, belongs to no other process, so that no signal ever hits the wrong one.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from codecs import getincrementaldecoder
from collections.abc import Mapping
from functools import partial
from selectors import EVENT_READ, DefaultSelector
from threading import Lock
from time import monotonic
from typing import Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.capture.stream_proxies import STDERR, STDOUT, StreamProxy
from taskkit.engine.child_output import ChildOutput, read_some
from taskkit.process.child_identity import ChildIdentity
from taskkit.process.niceness import start_with_niceness

LAST_OUTPUT_SECONDS: Final = 0.5
"""Time for descendants to write after the end of the process. In `work | tee log`, for example, `tee` writes
the last lines a little after the shell has ended."""

CHUNK: Final = 65_536
"""Bytes to read at once; as much as a pipe holds."""

SAME_IDENTITY: Final = ChildIdentity()
"""The user, umask and niceness of this process."""

_new_decoder = getincrementaldecoder("utf-8")


class ProcessGroup:
    """A process, and all that it starts and that stays in its group.

    Its standard input is empty, and it has no controlling terminal. What it writes is printed, in the context
    of the thread that calls `follow`.

    Args:
        command: The program and its arguments, or one line for the shell.
        cwd: The folder to run it in; `None` for the current one.
        env: The whole environment.
        name: The name of the thread that waits for its end.
        terminal: True to have it write to a pseudo-terminal.
        identity: Its user, umask and niceness.

    Raises:
        OSError: It could not be started.
        ValueError: There is no such user.
    """

    def __init__(
        self,
        command: str | tuple[str, ...],
        cwd: str | None,
        env: Mapping[str, str],
        name: str,
        *,
        terminal: bool = False,
        identity: ChildIdentity = SAME_IDENTITY,
    ) -> None:
        account = identity.account()
        identity.check_nice()
        self._lock = Lock()
        self._closed = False  # guarded by _lock: True once its number and these descriptors are released
        self._output = ChildOutput(terminal=terminal)
        try:
            self._woken, self._wake = os.pipe()
            try:
                start = partial(
                    subprocess.Popen,
                    command,
                    shell=isinstance(command, str),
                    cwd=cwd,
                    env=env if account is None else {**env, **account.variables},
                    stdin=subprocess.DEVNULL,
                    stdout=self._output.stdout,
                    stderr=self._output.stderr,
                    start_new_session=True,
                    umask=identity.mask,
                    user=None if account is None else account.uid,
                    group=None if account is None else account.gid,
                    extra_groups=None if account is None else account.groups,
                )
                nice = identity.nice
                self._process = start() if nice is None else start_with_niceness(nice, start)
            except BaseException:
                os.close(self._wake)
                os.close(self._woken)
                raise
        except BaseException:
            self._output.close()
            raise
        finally:
            self._output.close_ends_of_child()
        if identity.nice is not None:
            try:  # where it does not have it from its start: for all that it has started by now
                os.setpriority(os.PRIO_PGRP, self._process.pid, identity.nice)
            except OSError:
                pass  # it has ended already
        self._asked: float | None = None  # monotonic, as are the next two
        self._killed: float | None = None
        self._ended: float | None = None
        self._waiter = BoundedStartThread(self._wait_for_end, name=name)
        _alive.add(self)

    def follow(self, grace: float) -> int:
        """Print what it writes until it has ended. Call it once.

        Args:
            grace: Seconds between `terminate` and the kill of the group.

        Returns:
            The exit status; of a process that a signal ended, the negative number of the signal.
        """
        try:
            self._waiter.start()
            with DefaultSelector() as selector:
                selector.register(self._woken, EVENT_READ)
                for descriptor, stream in self._output.readers.items():
                    selector.register(descriptor, EVENT_READ, _Printer(stream))
                self._read(selector, grace)
        finally:
            status = self._close()
        return status

    def terminate(self) -> None:
        """Ask the group to end, and kill it if it does not. Thread-safe; does not wait."""
        with self._lock:
            if self._closed or self._asked is not None:
                return
            self._asked = monotonic()
            self._signal(signal.SIGTERM)
            os.write(self._wake, b"!")

    def kill(self) -> None:
        """Kill the group. Thread-safe; does not wait."""
        with self._lock:
            if not self._closed:
                self._signal(signal.SIGKILL)

    def _read(self, selector: DefaultSelector, grace: float) -> None:
        streams = len(self._output.readers)
        while streams or self._ended is None:
            limit = self._limit(grace)
            left = None if limit is None else limit - monotonic()
            over = left is not None and left <= 0
            if over and self._asked is not None and self._killed is None:
                self._killed = monotonic()
                self.kill()
                continue
            for key, _ in selector.select(left):
                data = read_some(key.fd, CHUNK)
                if key.data is None:
                    continue  # woken; the loop sees why
                key.data(data)
                if not data:
                    selector.unregister(key.fileobj)
                    streams -= 1
            if over:
                return  # another process holds the other end of a pipe; all that was in it has been read

    def _limit(self, grace: float) -> float | None:
        """Return when to stop waiting for the present step."""
        if self._asked is not None and self._killed is None:
            return self._asked + grace
        if self._ended is not None:
            return max(self._ended, self._killed or 0.0) + LAST_OUTPUT_SECONDS
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
        self._output.close()
        return self._process.wait()  # reaps it

    def _wait_for_end(self) -> None:
        try:
            if hasattr(os, "waitid"):
                os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            else:
                self._process.wait()
        except ChildProcessError:
            pass  # another part of the program reaped it
        self._ended = monotonic()
        os.write(self._wake, b"!")

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # no process is left, or it has changed its user


class _Printer:
    """Prints what comes out of one pipe, even if the output of runs is not captured.

    Without capture `sys.stdout` is not a proxy that attributes what is printed. The output of a subprocess
    still belongs to its run, so this wraps the stream in a proxy for itself.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._decoder = _new_decoder("backslashreplace")

    def __call__(self, data: bytes) -> None:
        """Print the next bytes; return nothing at the end."""
        stream = getattr(sys, self._name, None)
        if not isinstance(stream, StreamProxy):
            stream = StreamProxy(stream, STDOUT if self._name == "stdout" else STDERR)
        stream.write(self._decoder.decode(data, final=not data))
        if 0 < len(data) < CHUNK:
            stream.flush()  # shows a line without an end, too: a long silence may follow


_alive: Final[set[ProcessGroup]] = set()


def _kill_all() -> None:
    for group in list(_alive):
        group.kill()


# Threads that follow a process are daemons: without this it would survive the interpreter unseen.
atexit.register(_kill_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alive.clear)  # they are the parent's children
