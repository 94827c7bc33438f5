"""The command `taskkit` as a process of its own: its output as it comes, and signals for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
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
        folder: Where it works; its state goes there too.
        arguments: Of the command.
        stdout: Where its output goes; by default here.
        environment: Variables to set.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        stdout: int = subprocess.PIPE,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.output: list[str] = []
        self.errors: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "taskkit", *arguments],
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
        """What it has written so far with `--json`."""
        return [json.loads(line) for line in tuple(self.output)]

    def wait_until(self, true: Callable[[], object]) -> None:
        """Wait for a condition."""
        eventually(true, lambda: f"output: {self.output}\nerrors: {self.errors}")

    def wait_for(self, text: str) -> None:
        """Wait until some line of its output has this in it."""
        self.wait_until(lambda: any(text in line for line in tuple(self.output)))

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait until it has ended, and all is read. Returns its exit status."""
        status = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return status


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a command that works in a folder."""
    root = str(Path(__file__).parents[2])
    return os.environ | {
        "PYTHONPATH": root,
        "PYTHONWARNINGS": "error",
        "XDG_STATE_HOME": str(folder / "state-home"),
        "TZ": "UTC",
    }
