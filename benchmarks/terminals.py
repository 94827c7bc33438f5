"""Runs a command in a pseudo-terminal of its own, and sees its screen and its costs from the other end."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Self

COLUMNS, ROWS = 120, 40
TIMEOUT_SECONDS = 20.0
"""The time limit for something that should happen."""

PAUSE_SECONDS = (0.02, 0.07)
"""The least and the longest time between two keys: random, so as not to match the dashboard's timers."""


def _surroundings() -> dict[str, str]:
    """The environment of a person: with compiled modules, and all colours."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return own | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Terminal:
    """A command in a session and a pseudo-terminal of its own, seen from the other end."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.began = monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=_surroundings(),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.process.send_signal(signal.SIGTERM)
            self.read_until(lambda _: self.process.poll() is not None)
        except TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def press(self, keys: str) -> None:
        """Type keys."""
        os.write(self._master, keys.encode())

    def read_until(self, enough: Callable[[bytes], object], seconds: float = TIMEOUT_SECONDS) -> bytes:
        """Read until the last mebibyte of the output is enough.

        Raises:
            TimeoutError: It never was; says what came last.
        """
        got = b""
        deadline = monotonic() + seconds
        while not enough(got):
            if monotonic() > deadline:
                raise TimeoutError(f"nothing of that kind came in {seconds} s, but {got[-500:]!r}")
            got = (got + self._read(0.01))[-(1 << 20) :]
        return got

    def read_for(self, seconds: float) -> bytes:
        """Read for so long, and return the output."""
        deadline = monotonic() + seconds
        got = []
        while (left := deadline - monotonic()) > 0:
            got.append(self._read(left))
        return b"".join(got)

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return b""
        try:
            return os.read(self._master, 1 << 16)
        except OSError:
            return b""  # the process has ended

    @property
    def cpu_seconds(self) -> float:
        """Return the processor time that the process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_mib(self) -> float:
        """Return the memory of the process that is in use, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def dashboard(target: str, state: Path | None = None) -> Terminal:
    """Start the dashboard on a scheduler of `benchmarks.dashboard_targets`, with or without a state."""
    start = "import sys; from taskkit_tui.cli import main; sys.exit(main())"
    kept = ["--no-state"] if state is None else ["--state", str(state)]
    return Terminal([sys.executable, "-c", start, f"benchmarks.dashboard_targets:{target}", *kept])
