"""From the command line to one of the subcommands, and from whatever comes of it to an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from taskkit import __version__
from taskkit.cli import check, history, init, list_tasks, next_times, run, trigger
from taskkit.cli.console import Console, forget, say
from taskkit.cli.errors import CommandLineError, did_you_mean, quoted
from taskkit.cli.parser import CommandParser, HelpText
from taskkit.cli.statuses import BROKEN_PIPE, FAILED, INTERRUPTED, USAGE
from taskkit.errors import TaskkitError
from taskkit.plain_text import harmless
from taskkit.target import TargetError

_SUBCOMMANDS: Final = (run, list_tasks, next_times, trigger, history, check, init)

_KNOWN_ELSEWHERE: Final = {
    "status": "list --failing",
    "ls": "list",
    "ps": "list",
    "log": "history",
    "logs": "history",
}
"""What other commands have, and what it is here."""

_DESCRIPTION: Final = """
Run the tasks of a schedule, look at them, and look into their past, without a screen. With a screen, that is
taskkit-tui.
"""

_EPILOG: Final = """
exit status:
  0    all is well
  1    what was asked for was done, and failed
  2    the command line, the target or the state cannot be used
  3    runs did not end in time, and were abandoned

examples:
  taskkit init                  write an example, tasks.toml
  taskkit check tasks.toml      say what is wrong with it
  taskkit run tasks.toml        run its tasks until ctrl+c
  taskkit list tasks.toml       what runs, how the last runs ended, what is next
  taskkit list tasks.toml --failing
  taskkit run shop.tasks:nightly --json | jq .

“taskkit COMMAND --help” tells the options of each command.
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, and its help."""
    parser = CommandParser(
        prog="taskkit",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=HelpText,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="show this text, and leave")
    parser.add_argument(
        "--version", action="version", version=f"taskkit {__version__}", help="show the version, and leave"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=False)
    for each in _SUBCOMMANDS:
        each.add_to(commands)
    parser.set_defaults(commands=tuple(commands.choices))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows its name; by default what the process was given.

    Returns:
        The exit status.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    _occupy_standard_descriptors()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # its descriptor was closed
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for good
    # For the help too: nothing that is told is worth a traceback where the locale lacks a character.
    Console(sys.stdout)
    Console(sys.stderr)
    try:
        return _told(arguments)
    finally:
        try:
            sys.stderr.flush()
        except OSError:
            forget(sys.stderr)


def _occupy_standard_descriptors() -> None:
    """See that none of the three is free: the state would get it, and with it what others write there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest that is free, so this one
            os.set_inheritable(nowhere, True)


def _told(arguments: Sequence[str]) -> int:
    """Perform it, and tell what goes wrong. Returns the exit status."""
    try:
        try:
            status = _perform(build_parser(), arguments)
        except SystemExit:  # of the help, or of a wrong command line
            sys.stdout.flush()
            raise
        sys.stdout.flush()
        return status
    except TargetError as error:
        for line in error.lines:
            say(line)
        return USAGE
    except CommandLineError as error:
        say(str(error))
        return error.status
    except TaskkitError as error:
        say(harmless(str(error)))
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        forget(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is not None:  # most that can fail is told by whoever tries it
            say(f"cannot use {harmless(str(error.filename))}: {error.strerror}")
            return USAGE
        if isinstance(error, FileNotFoundError):  # of whoever asks where it is
            say("the current folder is gone")
            return USAGE
        say(f"cannot write the output: {error.strerror}")
        forget(sys.stdout)
        return FAILED


def _perform(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    known: tuple[str, ...] = parser.get_default("commands")
    if arguments[:1] == ["help"]:  # as git and others have it
        arguments = [*arguments[1:2], "--help"]
    word = next((each for each in arguments if not each.startswith("-")), None)
    if word is not None and word not in known and not arguments[0].startswith("-"):
        meant = _KNOWN_ELSEWHERE.get(word)
        perhaps = f"; did you mean {quoted(meant)}?" if meant else did_you_mean(word, known)
        perhaps = perhaps or f"; there are {', '.join(known)}"
        raise CommandLineError(f"{quoted(word)} is no command{perhaps}")
    options, unread = parser.parse_known_args(arguments)
    if unread:  # of the command, unless it stood before that
        whose = parser if arguments[0].startswith("-") else options.parser
        whose.error(f"unrecognized arguments: {' '.join(unread)}")
    if not hasattr(options, "perform"):
        parser.print_help()
        return USAGE
    status: int = options.perform(options)
    return status
