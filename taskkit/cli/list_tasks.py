"""`taskkit list`: what there is, what runs, and what fails."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from taskkit.cli.console import Console, say, task_colour
from taskkit.cli.errors import CommandLineError, quoted
from taskkit.cli.json_lines import json_line
from taskkit.cli.loading import load_with_state
from taskkit.cli.outlook import Prospect, prospects
from taskkit.cli.parser import add_colour, add_command, add_json, add_state, add_target
from taskkit.cli.standing import Standing, standings
from taskkit.cli.statuses import FAILED, OK
from taskkit.cli.table import print_table
from taskkit.cli.task_cells import COLUMNS, TaskCells, differ_in_zone, room_of
from taskkit.plain_text import harmless

_DESCRIPTION: Final = """
List the tasks of a target: what runs and since when, how each last run ended, and when the next one is due.
That is seen in the state, also while a running taskkit has it open; nothing is started, and nothing is
written.

The next times are those of each schedule's time zone, with their offset from UTC where that is not the zone
of the machine; on a terminal of less than 60 columns all are of the machine's. With --failing there are only
those tasks whose last run failed, timed out, was abandoned or cut off.
"""

_EPILOG: Final = """
exit status:
  0    they are listed; with --failing: none fails
  1    with --failing: those that are listed fail
  2    the target or the state cannot be used; with --failing: nothing is
       known

with --json, a task has the keys:
  task, schedule       its name, and its schedule in words
  next_run             when it is due next, in epoch seconds; null if it is not
  enabled              false if nothing falls due until it is enabled
  zone                 the time zone that it is due in
  running_since        when the run that goes on began, in epoch seconds;
                       null if none does
  last_outcome         how the last run ended: succeeded, failed, stopped,
                       timed_out, abandoned or interrupted; or null
  last_finished        when that was, in epoch seconds, or null
  failing              whether that was a failure
  overrides            the schedule that the target gives it, if a person chose
                       another; else null
  description          a sentence, or nothing

examples:
  taskkit list tasks.toml
  taskkit list --failing tasks.toml
  taskkit list shop.tasks:nightly --json | jq -r .task
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer it."""
    parser = add_command(
        commands,
        "list",
        "list the tasks, and how they stand",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_target(parser)
    parser.add_argument("--failing", action="store_true", help="only the tasks whose last run failed")
    add_state(parser)
    add_json(parser, "a task")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Do it. Returns the exit status."""
    target, state = load_with_state(options)
    scheduler = target.scheduler
    if options.failing and state is None and not scheduler.is_running:
        raise CommandLineError(
            f"nothing is known of the runs of {quoted(options.target)}: it has no state here"
        )
    standing = standings(scheduler, state)
    found = [(each, standing.get(each.name, Standing())) for each in prospects(scheduler, state)]
    if options.failing:
        found = [(each, how) for each, how in found if how.failing]
    console = Console(sys.stdout, options.colour)
    paused = scheduler.paused if state is None else state.paused
    if options.json:
        for each, how in found:
            console.print(json_line(_told(each, how)))
    elif found:
        _print(console, found, scheduler.snapshot().figures.time, paused=paused)
    else:
        say(
            f"nothing fails in {harmless(options.target)}"
            if options.failing
            else f"{harmless(options.target)} has no tasks"
        )
    if paused and not options.json:
        say("the scheduler was paused: nothing falls due until somebody resumes it")
    return FAILED if options.failing and found else OK


def _print(console: Console, found: list[tuple[Prospect, Standing]], now: float, *, paused: bool) -> None:
    cells = TaskCells(now, paused, room_of(console), differ_in_zone([each for each, _ in found]))
    print_table(
        console,
        COLUMNS,
        [cells.of(each, how) for each, how in found],
        [task_colour(each.name) for each, _ in found],
    )


def _told(each: Prospect, how: Standing) -> dict[str, object]:
    last = how.last
    return {
        "task": each.name,
        "schedule": str(each.schedule),
        "next_run": each.next_run,
        "enabled": each.enabled,
        "running_since": how.running_since,
        "last_outcome": None if last is None else last.kind,
        "last_finished": None if last is None else last.finished,
        "failing": how.failing,
        "zone": each.zone,
        "overrides": each.overrides,
        "description": each.policies.description,
    }
