"""A subprocess as a task: its output is the run's, and its exit status the outcome."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from taskkit._helpers.checks import check_flag
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.errors import TaskkitError
from taskkit.process.child_identity import ChildIdentity, check_nice, check_umask
from taskkit.process.variables import expand
from taskkit.run import current
from taskkit.task import Task

if TYPE_CHECKING:
    from taskkit.engine.process_group import ProcessGroup

_NO_VARIABLES: Final[Mapping[str, str]] = FrozenDict()

LONGEST_COMMAND: Final = 100
"""Characters of a command that an error message repeats."""


class CommandError(TaskkitError):
    """A command ended with an exit status other than 0.

    Args:
        command: The command as one would type it.
        status: Its exit status; negative for the number of the signal that ended it.
    """

    def __init__(self, command: str, status: int) -> None:
        words = command if len(command) <= LONGEST_COMMAND else command[: LONGEST_COMMAND - 1] + "…"
        super().__init__(f"{words} {_end_in_words(status)}")
        self.command = command
        self.status = status


class CommandTask(Task):
    r"""Runs a command: `CommandTask("pg_dump shop | gzip > shop.gz")`, or `CommandTask(["make", "site"])`.

    The command has a process group of its own, no controlling terminal, and empty standard input. Its output
    is printed line by line: it is output of the run, also where `Scheduler(capture=False)` leaves
    `sys.stdout` alone. Bytes that are not UTF-8 are written as `\xff`. Python programs print at once, because
    PYTHONUNBUFFERED is 1 unless it is set to something else.

    When the run is asked to stop, or times out, the whole group is terminated, and killed after a grace of
    two seconds. When the process ends by itself, processes that it left in the background continue, and their
    output is read for half a second more. Commands that still run when the program ends are killed.

    Args:
        command: A sequence of program and arguments, run without a shell; or one line for the shell.
        cwd: The folder to run it in; `None` for the current one.
        env: Environment variables to add to those of this process and of `env_file`.
        shell: The shell for a command line: program and arguments, as a sequence or in one string, to which
            the line is added. `None` for `/bin/sh -c`. A pipeline has the exit status of its last part; with
            `bash -o pipefail -c` it fails if any part does.
        folder: The folder in which a relative `cwd` or `env_file` is; `None` for the current one.
        env_file: A file of environment variables to add, in the syntax of python-dotenv. It is read at each
            start of a run: a regular file of at most 64 KiB.
        expand_variables: True to replace `${NAME}` and `${NAME:-default}` in `cwd`, `env`, `env_file` and a
            `command` that is a sequence, at each start of a run. A line for the shell is left to the shell.
            The values are in no message and no description.
        terminal: True to have it print to a pseudo-terminal of 120 columns, as one stream: most programs
            print at once there, and in colours.
        nice: The niceness, from -20 (the most processor time) to 19. Only root may lower it.
        umask: The permissions that new files do not get, in octal digits, as `"027"`.
        user: The name of the user to run as, with all groups; HOME, USER and LOGNAME are set. Only root may
            name another user.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: `command` or `shell` is empty, a string has a NUL in it, `shell` is given with a command
            that needs no shell, or `nice` or `umask` is out of range.
    """

    run_parameters: ClassVar[Mapping[str, object] | None] = {}  # not those of the constructor

    grace: ClassVar[float] = 2.0
    """Seconds between terminating the group and killing it. A subclass may change it; by default
    `Scheduler.stop()` waits for three seconds."""

    def __init__(
        self,
        command: str | Sequence[str | os.PathLike[str]],
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        shell: Sequence[str] | None = None,
        *,
        folder: str | os.PathLike[str] | None = None,
        env_file: str | os.PathLike[str] | None = None,
        expand_variables: bool = False,
        terminal: bool = False,
        nice: int | None = None,
        umask: str | None = None,
        user: str | None = None,
    ) -> None:
        self.command: str | tuple[str, ...] = _checked_command(command)
        self.cwd: str | None = None if cwd is None else _checked("cwd", cwd)
        self.env: dict[str, str] | None = None if env is None else _checked_env(env)
        self.shell: tuple[str, ...] | None = None if shell is None else _checked_shell(shell)
        if shell is not None and not isinstance(self.command, str):
            raise ValueError(f"shell must be left out, as no shell is used for the command {self.command!r}")
        self.env_file: str | None = None if env_file is None else _checked("env_file", env_file)
        self.folder: str | None = None if folder is None else _checked("folder", folder)
        check_flag("expand_variables", expand_variables)
        check_flag("terminal", terminal)
        self.expand_variables = expand_variables
        self.terminal = terminal
        self.nice: int | None = None if nice is None else check_nice(nice)
        self.umask: str | None = None if umask is None else check_umask(umask)
        self.user: str | None = None if user is None else _checked_user(user)

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
            The exit status: 0, unless the run was asked to stop.

        Raises:
            CommandError: The exit status is another, and the run was not asked to stop.
            OSError: The command could not be started, or `env_file` could not be read.
            ValueError: A variable is not set, something in `env_file` is wrong, or there is no such user.
        """
        if not self.proceed():
            return -signal.SIGTERM  # as if it had been terminated at once
        process = self.start(self.name)
        run = current.get()
        if run is not None:
            run.wake_on_stop(process.terminate)
        status = process.follow(self.grace)
        if status != 0 and self.proceed():
            raise CommandError(self.words, status)
        return status

    def start(self, name: str, more: Mapping[str, str] = _NO_VARIABLES) -> ProcessGroup:
        """Start the command, and return its process, to be followed to its end.

        Args:
            name: The name of a thread that waits for it.
            more: Variables to add to its environment.

        Raises:
            OSError: As in `run`.
            ValueError: As in `run`.
        """
        # Imported late: most programs have no commands, and start faster.
        from taskkit.engine.process_group import ProcessGroup

        env = {**self._environment(), **more}
        folder = self._path("cwd", self.cwd, env)
        try:
            return ProcessGroup(
                self._program(env),
                folder,
                env,
                name,
                terminal=self.terminal,
                identity=ChildIdentity(self.user, self.umask, self.nice),
            )
        except OSError as error:
            if self.expand_variables and error.filename is not None:
                # The value of a variable may be in the name.
                shown = self.cwd if error.filename == folder else self.words
                raise type(error)(error.errno, error.strerror, shown) from None
            raise

    def _environment(self) -> dict[str, str]:
        """Return all variables of the command: those of this process, of `env_file`, and of `env`."""
        variables = dict(os.environ)
        if not self.terminal:
            variables.setdefault("PYTHONUNBUFFERED", "1")
        path = self._path("env_file", self.env_file, variables)
        if path is not None:
            from taskkit.process.env_file import read_env_file  # most commands have none

            variables |= read_env_file(path, variables, self.env_file)
        if self.env is not None:
            known = dict(variables)  # they refer to what was set before, not to each other
            for name, value in self.env.items():
                variables[name] = self._expanded(f"env.{name}", value, known)
        return variables

    def _program(self, variables: Mapping[str, str]) -> str | tuple[str, ...]:
        command = self.command
        if isinstance(command, str):
            return command if self.shell is None else (*self.shell, command)
        return tuple(self._expanded("command", word, variables) for word in command)

    def _path(self, argument: str, path: str | None, variables: Mapping[str, str]) -> str | None:
        if path is None:
            return self.folder if argument == "cwd" else None
        return os.path.join(self.folder or "", self._expanded(argument, path, variables))  # noqa: PTH118

    def _expanded(self, argument: str, text: str, variables: Mapping[str, str]) -> str:
        return expand(argument, text, variables) if self.expand_variables else text


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


def _checked_shell(shell: object) -> tuple[str, ...]:
    if isinstance(shell, str):
        try:
            shell = shlex.split(_checked("shell", shell))
        except ValueError as error:
            raise ValueError(f"shell must be a program and its arguments, not {shell!r}: {error}") from None
    if not isinstance(shell, Sequence) or isinstance(shell, bytes | bytearray | memoryview):
        raise TypeError(f"shell must be a string or a sequence of strings, not {shell!r}")
    words = tuple(_checked("shell", word) for word in shell)
    if not words or not words[0]:
        raise ValueError(f"shell must not be empty, not {shell!r}")
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


def _checked_user(user: object) -> str:
    if not isinstance(user, str):
        raise TypeError(f"user must be the name of a user, not {user!r}")
    if not user or "\0" in user:
        raise ValueError(f"user must be the name of a user, not {user!r}")
    return user


def _checked(argument: str, value: object) -> str:
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{argument} must be made of strings or paths, not {value!r}")
    text = os.fspath(value)
    if not isinstance(text, str):
        raise TypeError(f"{argument} must be made of strings, not of bytes as {value!r}")
    if "\0" in text:
        raise ValueError(f"{argument} must hold no NUL, as {text!r} does")
    return text
