"""The entry point of `taskkit`: runs a subcommand, and reports its error in one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from taskkit import __version__
from taskkit.cli.command_line_errors import CommandLineError, did_you_mean, quoted
from taskkit.cli.commands import (
    check,
    completion,
    explain,
    history,
    init,
    list_tasks,
    logs,
    metrics,
    next_times,
    ps,
    run,
    task_commands,
    trigger,
)
from taskkit.cli.console import Console, print_message, redirect_to_devnull
from taskkit.cli.exit_statuses import BROKEN_PIPE, FAILED, INTERRUPTED, USAGE
from taskkit.cli.options import SHOW_HELP, CommandParser, HelpText
from taskkit.errors import TaskkitError
from taskkit.process.process_exit import StandardStreams
from taskkit.schedules.machine_zone import take_zone_warning
from taskkit.targets.target import TargetError, is_target
from taskkit.words.plain_text import harmless

_SUBCOMMANDS: Final = (
    *(run, ps, list_tasks, next_times, trigger, task_commands, logs, explain),
    *(history, metrics, check, init, completion),
)

_NAMES_ELSEWHERE: Final = {
    "status": "list --failing",
    "ls": "list",
    "log": "logs",
}
"""Subcommands of other programs, and what to suggest for them."""

_DESCRIPTION: Final = """
Run scheduled tasks in the foreground, list them, and show their history. The dashboard is taskkit-tui.
"""

_EPILOG: Final = """
exit status:
  0    success
  1    a task failed, the file has problems, or the output could not be written
  2    the command line, the target or the state cannot be used
  3    some runs did not end in time and were abandoned
  4    a running scheduler was asked and did not answer

examples:
  taskkit init                  write an example task file, tasks.toml
  taskkit check tasks.toml      report problems in it
  taskkit run tasks.toml        run its tasks until ctrl+c
  taskkit list tasks.toml       show what is running, how the last runs ended,
                                and what is next
  taskkit list tasks.toml --failing
  taskkit run shop.tasks:nightly --json | jq .
  taskkit ps                    the schedulers that run on this machine
  taskkit disable shop backup   one task of one of them

“taskkit COMMAND --help” shows the options of a command.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = CommandParser(
        prog="taskkit",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=HelpText,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help=SHOW_HELP)
    parser.add_argument(
        "--version", action="version", version=f"taskkit {__version__}", help="show the version and exit"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=False)
    for module in _SUBCOMMANDS:
        module.add_parser_to(commands)
    parser.set_defaults(commands=tuple(commands.choices))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The arguments after the name of the command; by default those of the process.

    Returns:
        The exit status.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    _occupy_standard_descriptors()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # its descriptor was closed
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - stays open
    # Each makes its stream escape what the encoding lacks, so that no help or message ends in a traceback.
    Console(sys.stdout)
    Console(sys.stderr)
    streams = StandardStreams()
    try:
        return _run_and_report_errors(arguments, streams)
    finally:
        try:
            _flush(sys.stderr)
        except OSError:
            redirect_to_devnull(sys.stderr)


def _flush(stream: TextIO | None) -> None:
    if stream is not None:  # `None` if a task has closed it
        stream.flush()


def _occupy_standard_descriptors() -> None:
    """Open /dev/null for each of 0, 1, 2 that is closed; else a state file gets the number and stray text."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            devnull = os.open(os.devnull, os.O_RDWR)  # the lowest free number, so this one
            os.set_inheritable(devnull, True)


def _run_and_report_errors(arguments: Sequence[str], streams: StandardStreams) -> int:
    """Run the command, and print its error, if any. Returns the exit status."""
    try:
        try:
            status = _run(build_parser(), arguments)
        except SystemExit:  # after --help, or a wrong command line
            _flush(sys.stdout)
            raise
        finally:
            streams.put_back()
        _flush(sys.stdout)
        return status
    except TargetError as error:
        for line in error.lines:
            print_message(line)
        return USAGE
    except CommandLineError as error:
        print_message(str(error))
        return error.status
    except TaskkitError as error:
        print_message(harmless(str(error)))
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        redirect_to_devnull(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is not None:  # most such errors are caught where they occur
            print_message(f"cannot use {harmless(str(error.filename))}: {error.strerror}")
            return USAGE
        if isinstance(error, FileNotFoundError):  # raised by `os.getcwd`
            print_message("the current folder does not exist any more")
            return USAGE
        print_message(f"cannot write the output: {error.strerror or error}")
        redirect_to_devnull(sys.stdout)
        return FAILED


def _run(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    if arguments[:1] == ["help"]:  # as in git
        arguments = [*arguments[1:2], "--help"]
    options = _parse(parser, arguments)
    if not hasattr(options, "perform"):
        parser.print_help()
        return USAGE
    if (problem := take_zone_warning()) is not None:
        print_message(harmless(problem))
    status: int = options.perform(options)
    return status


def _parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    word = next((each for each in arguments if not each.startswith("-")), None)
    if word is not None and not arguments[0].startswith("-"):
        _refuse_unknown_command(word, parser.get_default("commands"))
    options, unread = parser.parse_known_args(arguments)
    if hasattr(options, "positionals"):  # argparse does not read those after options
        options.positionals += [each for each in unread if not each.startswith("-")]
        unread = [each for each in unread if each.startswith("-")]
    if unread:  # an argument before the command belongs to `taskkit` itself
        command = parser if arguments[0].startswith("-") else options.parser
        hint = "; put -- before a NAME that begins with -" if hasattr(options, "positionals") else ""
        command.error(f"unrecognized arguments: {' '.join(unread)}{hint}")
    return options


def _refuse_unknown_command(word: str, commands: tuple[str, ...]) -> None:
    if word in commands:
        return
    meant = _NAMES_ELSEWHERE.get(word)
    if is_target(word) or word.endswith(".py"):
        meant = f"run {word}"
    suggestion = f"; did you mean {quoted(meant)}?" if meant else did_you_mean(word, commands)
    suggestion = suggestion or f"; the commands are {', '.join(commands)}"
    raise CommandLineError(f"{quoted(word)} is not a command{suggestion}")
