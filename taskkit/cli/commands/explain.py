"""`taskkit explain`: why a task of a running scheduler runs, waits or does not run."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from taskkit.cli.command_line_errors import CommandLineError, quoted
from taskkit.cli.console import Console
from taskkit.cli.exit_statuses import FAILED, OK
from taskkit.cli.json_output import json_line
from taskkit.cli.options import add_command, add_json, non_empty
from taskkit.cli.running_service import STATUSES, Service, add_service, for_each_service

_DESCRIPTION: Final = """
Show when a task of a running scheduler runs next, or why it does not run, and how its last runs ended.
"""

_EPILOG: Final = (
    STATUSES
    + """
examples:
  taskkit explain shop backup
  taskkit explain tasks.toml report
"""
)


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "explain",
        "say why a task runs, waits or does not run",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_service(parser)
    parser.add_argument("task", metavar="TASK", type=non_empty, help="the name of a task")
    add_json(parser, "one task, with the keys service, pid, task and explanation")


def perform(options: argparse.Namespace) -> int:
    """Carry it out. Returns the exit status."""
    console = Console(sys.stdout)

    def act(service: Service) -> int:
        name = service.task_name(options.task)
        explanation = service.ask("explain", name=name)["explanation"]
        if not isinstance(explanation, str):
            raise CommandLineError(f"{quoted(name)} is gone", FAILED)
        if options.json:
            found = service.found
            values = {"service": found.name, "pid": found.pid, "task": name, "explanation": explanation}
            console.print(json_line(values))
            return OK
        for line in explanation.splitlines():
            console.print(console.shown(line))
        return OK

    return for_each_service(options, act)
