"""`taskkit check`: everything that is wrong with a task file, at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from taskkit.cli.console import Console, say
from taskkit.cli.errors import CommandLineError
from taskkit.cli.json_lines import json_line
from taskkit.cli.parser import add_command, add_json, given
from taskkit.cli.statuses import FAILED, OK, USAGE
from taskkit.plain_text import harmless, plural

if TYPE_CHECKING:
    from taskkit.taskfile import Problem

_DESCRIPTION: Final = """
Read a file of tasks and say everything that is wrong with it, a problem a line: where it stands, and what
was perhaps meant. No task is made or run.

Modules are looked for, and not imported. With --imports they are, which runs what stands in them; then it is
also seen whether they have what is named, and whether that takes its arguments.
"""

_EPILOG: Final = """
exit status:
  0    nothing is wrong
  1    something is
  2    the file cannot be read

with --json, a problem has the keys:
  file, line, key, value, message, suggestion    null where there is none

examples:
  taskkit check tasks.toml
  taskkit check --imports tasks.toml && systemctl reload my-tasks
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer it."""
    parser = add_command(
        commands,
        "check",
        "say what is wrong with a file of tasks",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("file", type=given, metavar="FILE", help="the file of tasks")
    parser.add_argument("--imports", action="store_true", help="import the modules that are named, too")
    add_json(parser, "a problem")


def perform(options: argparse.Namespace) -> int:
    """Do it. Returns the exit status."""
    from taskkit.taskfile import TaskFileError, UnreadableTaskFileError, check_recipes, read_task_file

    problems: Sequence[Problem]
    tasks, status = 0, FAILED
    try:
        file = read_task_file(options.file)
        tasks = len(file.specs)
        problems = check_recipes(file, imports=options.imports)
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
            say(f"{plural(len(problems), 'problem')} in {harmless(options.file)}")
        return status
    if not options.json:
        console.print(f"{harmless(options.file)}: {plural(tasks, 'task')}, nothing is wrong")
    return OK
