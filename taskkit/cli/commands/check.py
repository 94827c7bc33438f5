"""`taskkit check`: report every problem in a task file, at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from taskkit.cli.command_line_errors import CommandLineError, quoted
from taskkit.cli.console import Console, print_message
from taskkit.cli.exit_statuses import FAILED, OK, USAGE
from taskkit.cli.json_output import json_line
from taskkit.cli.options import add_command, add_json, non_empty
from taskkit.targets.target import is_target, is_task_file
from taskkit.words.plain_text import harmless, plural

if TYPE_CHECKING:
    from taskkit.taskfile import Problem

_DESCRIPTION: Final = """
Read a task file and report every problem in it, one a line, with its line number and a suggestion. No task is
created or run.

Modules are looked up, but not imported. With --imports they are imported, which runs their code; then check
also finds out whether they have the names that the file uses, and whether those accept the arguments.
"""

_EPILOG: Final = """
exit status:
  0    the file has no problems
  1    the file has problems
  2    the file cannot be read

with --json, a problem has these keys; null where there is none:
  file, line, key, value, message, suggestion

examples:
  taskkit check tasks.toml
  taskkit check --imports tasks.toml && systemctl reload my-tasks
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands,
        "check",
        "report the problems in a task file",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("file", type=non_empty, metavar="FILE", help="the task file")
    parser.add_argument("--imports", action="store_true", help="also import the modules that the file names")
    add_json(parser, "problem")


def perform(options: argparse.Namespace) -> int:
    """Check the file. Returns the exit status."""
    from taskkit.taskfile import (
        TaskFileError,
        UnreadableTaskFileError,
        check_recipes,
        find_hints,
        read_task_file,
    )

    if options.file.endswith(".py") or (is_target(options.file) and not is_task_file(options.file)):
        raise CommandLineError(
            f"{quoted(options.file)} is not a task file; taskkit list shows the tasks of a module"
        )
    problems: Sequence[Problem]
    tasks, status = 0, FAILED
    try:
        file = read_task_file(options.file)
        tasks = len(file.specs)
        problems = check_recipes(file, imports=options.imports)
        for hint in () if options.json else find_hints(file):
            print_message(f"hint: {hint}")
    except UnreadableTaskFileError as error:
        if not options.json:
            raise CommandLineError(str(error)) from error
        problems, status = error.problems, USAGE
    except TaskFileError as error:
        problems = error.problems
    console = Console(sys.stdout)
    for problem in problems:
        console.print(json_line(asdict(problem)) if options.json else str(problem))
    if problems:
        if not options.json:
            print_message(f"{plural(len(problems), 'problem')} in {harmless(options.file)}")
        return status
    if not options.json:
        console.print(f"{harmless(options.file)}: {plural(tasks, 'task')}, no problems")
    return OK
