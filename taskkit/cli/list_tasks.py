"""`taskkit list`: what there is."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from taskkit.cli.console import Console, say, task_colour
from taskkit.cli.json_lines import json_line
from taskkit.cli.loading import load_with_state
from taskkit.cli.outlook import Prospect, prospects
from taskkit.cli.parser import add_colour, add_command, add_json, add_state, add_target
from taskkit.cli.statuses import OK
from taskkit.cli.table import Column, print_table
from taskkit.cli.words import compact_time, full_time, until
from taskkit.plain_text import harmless

_DESCRIPTION: Final = """
List the tasks of a target: their names, their schedules, and when they run next. The state is looked at, so
that the times are right; nothing is started, and nothing is written.
"""

_EPILOG: Final = """
exit status:
  0    they are listed
  2    the target or the state cannot be used

with --json, a task has the keys:
  task, schedule       its name, and its schedule in words
  next_run             when it is due next, in epoch seconds; null if it is not
  enabled              false if nothing falls due until it is enabled
  zone                 the time zone that it is due in
  overrides            the schedule that the target gives it, if a person chose
                       another; else null
  description          a sentence, or nothing

examples:
  taskkit list tasks.toml
  taskkit list shop.tasks:nightly --json | jq -r .task
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer it."""
    parser = add_command(
        commands, "list", "list the tasks", perform, description=_DESCRIPTION, epilog=_EPILOG
    )
    add_target(parser)
    add_state(parser)
    add_json(parser, "a task")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Do it. Returns the exit status."""
    target, state = load_with_state(options)
    found = prospects(target.scheduler, state)
    now = target.scheduler.snapshot().figures.time
    console = Console(sys.stdout, options.colour)
    if options.json:
        for each in found:
            console.print(json_line(_told(each)))
        return OK
    if not found:
        say(f"{harmless(options.target)} has no tasks")
        return OK
    print_table(
        console,
        (
            *(Column("TASK", 20, 8), Column("SCHEDULE", 20, 10)),
            *(Column("NEXT"), Column(""), Column("DESCRIPTION", 20)),
        ),
        [_row(each, now, compact=console.is_narrow) for each in found],
        [task_colour(each.name) for each in found],
    )
    if state is not None and state.paused:
        say("the scheduler was paused: nothing falls due until somebody resumes it")
    return OK


def _told(each: Prospect) -> dict[str, object]:
    return {
        "task": each.name,
        "schedule": str(each.schedule),
        "next_run": each.next_run,
        "enabled": each.enabled,
        "zone": each.zone,
        "overrides": each.overrides,
        "description": each.policies.description,
    }


def _row(each: Prospect, now: float, *, compact: bool) -> tuple[str, ...]:
    description = " ".join(each.policies.description.split())
    return harmless(each.name), harmless(_schedule(each)), *_next(each, now, compact), harmless(description)


def _schedule(each: Prospect) -> str:
    if each.overrides is None:
        return str(each.schedule)
    return f"{each.schedule} (instead of {each.overrides})"


def _next(each: Prospect, now: float, compact: bool) -> tuple[str, str]:
    if not each.enabled:
        return "disabled", ""
    if each.next_run is None:
        return "-", ""
    due = each.next_run
    when = compact_time(due, now, each.tz) if compact else full_time(due, each.tz)
    return when, until(due, now)
