"""A subprocess as a task: its output becomes the run's, its exit status the outcome."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from threading import Thread
from typing import IO, Final

from taskkit.errors import TaskkitError
from taskkit.run import current
from taskkit.task import Task

GRACE: Final = 2.0
"""Seconds between asking a process group to terminate and killing it."""


class CommandError(TaskkitError):
    """A command ended with an exit status other than 0."""

    def __init__(self, command: str, status: int) -> None:
        if status < 0:
            try:
                how = f"was ended by {signal.Signals(-status).name}"
            except ValueError:
                how = f"was ended by signal {-status}"
        else:
            how = f"ended with exit status {status}"
        super().__init__(f"{command} {how}")
        self.status = status


class CommandTask(Task):
    """Runs a command, in a process group of its own and without standard input.

    What it writes is told line by line as output of the run. When the run is asked to stop the whole group
    is terminated, and killed after a grace of two seconds.

    Args:
        command: The program and its arguments, or one line for the shell.
        cwd: The folder to run it in; `None` for the current one.
        env: Environment variables to add to those of this process.

    Raises:
        TypeError: The command is neither a string nor a sequence of strings, or `env` is not a mapping.
        ValueError: The command is empty.
    """

    def __init__(
        self,
        command: str | Sequence[str | Path],
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.command: str | tuple[str, ...] = _checked(command)
        self.cwd = cwd
        if env is not None and not isinstance(env, Mapping):
            raise TypeError(f"env must be a mapping of names to values, not {env!r}")
        self.env = None if env is None else dict(env)

    def __repr__(self) -> str:
        return f"CommandTask({self.command!r})"

    def run(self) -> int:
        """Run the command to its end.

        Returns:
            Its exit status, 0.

        Raises:
            CommandError: It ended with another one, without having been asked to stop.
            OSError: It could not be started.
        """
        process = subprocess.Popen(
            self.command,
            shell=isinstance(self.command, str),
            cwd=self.cwd,
            env=None if self.env is None else {**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            run = current.get()
            if run is not None:
                run.on_stop(lambda: _signal_group(process, signal.SIGTERM))
            assert process.stdout is not None
            assert process.stderr is not None
            readers = [
                Thread(target=copy_context().run, args=(_pass_on, pipe, stream), name=self.name, daemon=True)
                for pipe, stream in ((process.stdout, "stdout"), (process.stderr, "stderr"))
            ]
            for reader in readers:
                reader.start()
            status = self._wait(process)
            for reader in readers:
                # A grandchild that left the group may hold the pipe open for as long as it likes.
                reader.join(GRACE)
        if status != 0 and (run is None or not run.stop_requested):
            raise CommandError(self.words, status)
        return status

    @property
    def words(self) -> str:
        """The command as one would type it."""
        return self.command if isinstance(self.command, str) else " ".join(self.command)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        while self.proceed():
            try:
                return process.wait(timeout=None if current.get() is None else 0.2)
            except subprocess.TimeoutExpired:
                continue
        try:
            return process.wait(GRACE)
        except subprocess.TimeoutExpired:
            _signal_group(process, signal.SIGKILL)
            return process.wait()


def _pass_on(pipe: IO[bytes], stream: str) -> None:
    with pipe:
        for line in iter(lambda: pipe.readline(65_536), b""):
            getattr(sys, stream).write(line.decode("utf-8", "backslashreplace"))


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # it has ended


def _checked(command: object) -> str | tuple[str, ...]:
    if isinstance(command, str):
        if not command.strip():
            raise ValueError(f"command must not be empty, not {command!r}")
        return command
    if not isinstance(command, Sequence) or isinstance(command, bytes):
        raise TypeError(f"command must be a string or a sequence of strings, not {command!r}")
    if not command:
        raise ValueError(f"command must not be empty, not {command!r}")
    for part in command:
        if not isinstance(part, str | Path):
            raise TypeError(f"command must hold strings only, not {part!r}")
    return tuple(str(part) for part in command)
