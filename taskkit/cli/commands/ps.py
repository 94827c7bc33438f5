"""`taskkit ps`: the schedulers that run on this machine."""

from __future__ import annotations

import argparse
import sys
from time import time
from typing import Final

from taskkit.cli.console import Console, print_message, task_colour
from taskkit.cli.exit_statuses import OK
from taskkit.cli.json_output import JsonObject, json_line
from taskkit.cli.options import add_colour, add_command, add_json
from taskkit.cli.table import TableColumn, print_table
from taskkit.remote.discovery import Found, running_schedulers
from taskkit.snapshot import SchedulerState
from taskkit.words.durations import in_words
from taskkit.words.plain_text import harmless

_DESCRIPTION: Final = """
List the schedulers of this user that run on this machine and can be reached: those that taskkit run and
taskkit-tui run, and those of programs that call taskkit.remote.serve(). Root sees those of all users.
"""

_EPILOG: Final = """
exit status:
  0    success, even if there are none
  2    the command line cannot be used

with --json, a scheduler has the keys:
  name, pid            what people call it, and its process
  target               what it was loaded from, or null
  socket               the path of its socket
  since                when serving it began, in epoch seconds, or null
  access               control, or view if commands are refused; or null
  answers              false if it did not answer in 0.4 s
  trouble              why it cannot be used, or null
  state                as running, standby or draining; or null
  paused               true if it is paused, or null
  tasks, running, disabled, failing
                       how many, or null

examples:
  taskkit ps
  taskkit ps --json | jq -r 'select(.failing > 0).name'
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "ps",
        "list the schedulers that run on this machine",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_json(parser, "one scheduler")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Carry it out. Returns the exit status."""
    found = running_schedulers()
    console = Console(sys.stdout, options.colour)
    if options.json:
        for each in found:
            console.print(json_line(_object(each)))
    elif found:
        print_table(
            console,
            (
                TableColumn("NAME", 20, 8),
                TableColumn("PID"),
                TableColumn("TARGET", 20, 8),
                *(TableColumn(title) for title in ("UP", "TASKS", "RUNNING", "FAILING")),
                TableColumn("", 20, 8),
            ),
            [_row(each) for each in found],
            [task_colour(each.name) for each in found],
        )
    else:
        print_message("no scheduler runs here; taskkit run TARGET starts one")
    return OK


def _row(found: Found) -> tuple[str, ...]:
    figures = found.figures()
    up = "" if found.since is None else in_words(max(0, int(time() - found.since)))
    notes = harmless(found.trouble)
    if found.greeting is None and not notes:
        notes = "no answer"
    elif figures is not None and figures.state in (SchedulerState.STANDBY, SchedulerState.DRAINING):
        notes = str(figures.state)
    elif figures is not None and figures.paused:
        notes = "paused"
    counts = ("", "", "") if figures is None else (figures.tasks, figures.running, figures.failing)
    name, target = harmless(found.name), harmless(found.target or "")
    return (name, str(found.pid), target, up, *map(str, counts), notes)


def _object(found: Found) -> JsonObject:
    figures, greeting = found.figures(), found.greeting or {}
    return {
        "name": found.name,
        "pid": found.pid,
        "target": found.target,
        "socket": str(found.path),
        "since": found.since,
        "access": greeting.get("access"),
        "answers": found.greeting is not None,
        "trouble": found.trouble or None,
        "state": None if figures is None else figures.state,
        "paused": None if figures is None else figures.paused,
        "tasks": None if figures is None else figures.tasks,
        "running": None if figures is None else figures.running,
        "disabled": None if figures is None else figures.disabled,
        "failing": None if figures is None else figures.failing,
    }
