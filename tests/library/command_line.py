"""Runs the command `taskkit` in a process of its own, reads its output, and sends it signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, Self

from patience import PATIENCE, eventually

for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:  # the tests run in the background of a shell
        signal.signal(_number, signal.SIG_DFL)


class RunningCommand:
    """`taskkit` with these arguments, in a folder.

    Args:
        folder: The current folder of the process, which also gets its state.
        arguments: The arguments of the command.
        stdout: The descriptor for its output; by default, `output` collects it.
        environment: Variables to set.
        around: A command that starts it, with its arguments.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        stdout: int = subprocess.PIPE,
        environment: dict[str, str] | None = None,
        around: Sequence[str] = (),
    ) -> None:
        self.output: list[str] = []
        self.errors: list[str] = []
        self.process = subprocess.Popen(
            [*around, sys.executable, "-m", "taskkit", *arguments],
            cwd=folder,
            env=surroundings(folder) | (environment or {}),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.output), (self.process.stderr, self.errors))
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))  # noqa: PERF401 - as it comes

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events written so far, with `--json`."""
        return [json.loads(line) for line in tuple(self.output)]

    def wait_until(self, true: Callable[[], object]) -> None:
        """Wait until `true()` is true."""
        eventually(true, lambda: f"output: {self.output}\nerrors: {self.errors}")

    def wait_for(self, text: str) -> None:
        """Wait until a line of its output contains `text`."""
        self.wait_until(lambda: any(text in line for line in tuple(self.output)))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait until the process has ended and its output is read. Returns its exit status."""
        status = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return status


def surroundings(folder: Path) -> dict[str, str]:
    """Return the environment for a command in this folder."""
    root = str(Path(__file__).parents[2])
    return os.environ | {
        "PYTHONPATH": root,
        "PYTHONWARNINGS": "error",
        "XDG_STATE_HOME": str(folder / "state-home"),
        "TZ": "UTC",
    }
