"""A target that runs for the browsers only: `taskkit run` in a process that ends with the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from time import sleep
from typing import Final

from taskkit.process.parent_death import end_with_parent
from taskkit.remote.sockets import SocketFile
from taskkit.targets.target import TargetError
from taskkit_tui.attach import running_target
from taskkit_tui.formatting import harmless

_LOOK_SECONDS: Final = 0.1


class TargetProcess:
    """`taskkit run TARGET`, whose output goes where ours goes.

    Start it before there is any other thread: it ends with this one.

    Args:
        target: The target.

    Raises:
        OSError: The system refuses the process.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._process = subprocess.Popen(
            [sys.executable, "-m", "taskkit", "run", target],
            stdin=subprocess.DEVNULL,
            process_group=0,  # ctrl+c comes to this process, which passes it on: two signals end it at once
            preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGTERM),
        )

    def wait_until_served(self) -> SocketFile:
        """Wait until it can be attached to, and return its socket.

        Raises:
            TargetError: It has ended; it has said why itself.
        """
        while self._process.poll() is None:
            found = running_target(self._target)
            if found:
                return found[0]
            sleep(_LOOK_SECONDS)
        raise TargetError(f"{harmless(self._target)} is not running, so there is nothing to serve")

    def wait(self) -> int:
        """Wait for its end. Return its exit status."""
        return self._process.wait()

    def stop(self) -> int:
        """Ask it to stop in order, and wait for that. Return its exit status. Ctrl+c hurries it."""
        while True:
            self._process.terminate()
            try:
                return self._process.wait()
            except KeyboardInterrupt:
                continue
