"""A subprocess as a task: its output becomes the run's, its exit status the outcome."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from taskkit.errors import TaskkitError
from taskkit.run import current
from taskkit.task import Task

LONGEST_WORDS: Final = 100
"""Characters of a command that an error repeats."""


class CommandError(TaskkitError):
    """A command ended with an exit status other than 0.

    Args:
        command: As one would type it.
        status: Its exit status; the negative number of a signal that ended it.
    """

    def __init__(self, command: str, status: int) -> None:
        words = command if len(command) <= LONGEST_WORDS else command[: LONGEST_WORDS - 1] + "…"
        super().__init__(f"{words} {_end_in_words(status)}")
        self.command = command
        self.status = status


class CommandTask(Task):
    r"""Runs a command, in a process group of its own, without a terminal and with empty standard input.

    What it writes is printed, line by line as it comes: it is output of the run, also where
    `Scheduler(capture=False)` leaves `sys.stdout` alone. Bytes that are no UTF-8 are written as `\xff`.

    When the run is asked to stop, or its time is over, the whole group is terminated, and after a grace of
    two seconds killed. Where the process ends by itself, what it left in the background is left alone, and
    half a second later nobody reads any more what that writes. At the end of the program the commands that
    still go on are killed.

    Args:
        command: The program and its arguments, which no shell sees; or one line for the shell.
        cwd: The folder to run it in; `None` for the current one.
        env: Environment variables to add to those of this process.

    Raises:
        TypeError: The command is neither a string nor a sequence of strings, `cwd` is no path, or `env` is
            not a mapping of strings.
        ValueError: The command is empty, or one of the strings has a NUL in it.
    """

    run_parameters: ClassVar[Mapping[str, object] | None] = {}  # and not those of the constructor

    grace: ClassVar[float] = 2.0
    """Seconds between asking the group to terminate and killing it. A subclass may change it;
    `Scheduler.stop()` waits for three seconds, if it is not told otherwise."""

    def __init__(
        self,
        command: str | Sequence[str | os.PathLike[str]],
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.command: str | tuple[str, ...] = _checked_command(command)
        self.cwd: str | None = None if cwd is None else _checked("cwd", cwd)
        self.env: dict[str, str] | None = None if env is None else _checked_env(env)

    def __repr__(self) -> str:
        return f"CommandTask({self.command!r})"

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The command as one would type it."""
        return self.command if isinstance(self.command, str) else shlex.join(self.command)

    def run(self) -> int:
        """Run the command to its end.

        Returns:
            Its exit status: 0, unless it was asked to stop.

        Raises:
            CommandError: It ended with another one, without having been asked to stop.
            OSError: It could not be started.
        """
        from taskkit.engine.process import ProcessGroup  # most programs have no commands, and start faster

        if not self.proceed():
            return -signal.SIGTERM  # as if it had been terminated at once
        env = None if self.env is None else {**os.environ, **self.env}
        process = ProcessGroup(self.command, self.cwd, env, self.name)
        run = current.get()
        if run is not None:
            run.on_stop(process.terminate)
        status = process.follow(self.grace)
        if status != 0 and self.proceed():
            raise CommandError(self.words, status)
        return status


def _end_in_words(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal has no name
        return f"was ended by signal {-status}"


def _checked_command(command: object) -> str | tuple[str, ...]:
    if isinstance(command, str):
        if not command.strip():
            raise ValueError(f"command must not be empty, not {command!r}")
        return _checked("command", command)
    if not isinstance(command, Sequence) or isinstance(command, bytes | bytearray | memoryview):
        raise TypeError(f"command must be a string or a sequence of strings, not {command!r}")
    words = tuple(_checked("command", word) for word in command)
    if not words or not words[0]:
        raise ValueError(f"command must not be empty, not {command!r}")
    return words


def _checked_env(env: object) -> dict[str, str]:
    if not isinstance(env, Mapping):
        raise TypeError(f"env must be a mapping of names to values, not {env!r}")
    for name, value in env.items():
        for text in (name, value):
            if not isinstance(text, str):
                raise TypeError(f"env must hold strings only, not {text!r}")
            if "\0" in text:
                raise ValueError(f"env must hold no NUL, as {text!r} does")
        if not name or "=" in name:
            raise ValueError(f"env must have names without '=', not {name!r}")
    return dict(env)


def _checked(argument: str, value: object) -> str:
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{argument} must be made of strings or paths, not {value!r}")
    text = os.fspath(value)
    if not isinstance(text, str):
        raise TypeError(f"{argument} must be made of strings, not of bytes as {value!r}")
    if "\0" in text:
        raise ValueError(f"{argument} must hold no NUL, as {text!r} does")
    return text
