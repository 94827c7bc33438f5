"""`taskkit list`: list the tasks of a target with their status."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from taskkit.cli.command_line_errors import CommandLineError, quoted
from taskkit.cli.console import Console, print_message, task_colour
from taskkit.cli.exit_statuses import FAILED, OK
from taskkit.cli.json_output import json_line
from taskkit.cli.list_columns import COLUMNS, TaskCells, list_width, zones_differ
from taskkit.cli.live_tasks import live_tasks
from taskkit.cli.options import add_colour, add_command, add_json, add_state, add_target_and_name
from taskkit.cli.table import print_table
from taskkit.cli.target_loading import (
    load_target_and_state,
    may_hold_state,
    read_target_and_name,
    target_or_state,
)
from taskkit.cli.task_status import PAUSED_MESSAGE, TaskStatus, process_status, task_statuses
from taskkit.cli.upcoming import UpcomingTask, upcoming_tasks
from taskkit.targets.state_paths import state_path
from taskkit.words.plain_text import harmless

if TYPE_CHECKING:
    from taskkit.scheduler import Scheduler
    from taskkit.store import SavedState, StoreProcess

_DESCRIPTION: Final = """
List the tasks of a target: which are running, how the last run of each ended, and when the next is due. The
process that runs the target is asked; if none answers, the saved state is read. No task is started, and
nothing is written. With --state the state is always read; without TARGET, the tasks are those in it. TARGET
may also be the name or the process id of a running scheduler, as taskkit ps shows them.

NEXT is in the time zone of the schedule, with the UTC offset where that differs from the machine's; on
terminals with fewer than 60 columns it is in the machine's time zone. --failing lists only the tasks whose
last run failed, timed out, was abandoned or was interrupted.

Standard error says whether a process is running the tasks, and whether it was asked. With --alive, the exit
status also says whether one is running.
"""

_EPILOG: Final = """
exit status:
  0    success; with --failing: no task fails
  1    with --failing: some tasks fail; with --alive: no process is running
       the target
  2    the target or the state cannot be used; with --failing: there is no
       state

with --json, a task has these keys; times are in epoch seconds:
  task                 the name
  schedule             the schedule in words; null if the state, without a
                       TARGET, does not know it
  next_run             when the task is due next; null if it is not due
  enabled              false if the task is disabled
  disabled_until       when it is enabled again automatically, or null
  done                 true if its last due time before its until has passed
  zone                 the time zone of the schedule
  running_since        when the current run started; null if there is none
  last_outcome         how the last run ended: succeeded, failed, stopped,
                       timed_out, abandoned or interrupted; or null
  last_finished        when the last run ended, or null
  failing              true if the last run was a failure
  running              true if a process is running the target (not only
                       this task)
  pid                  the id of that process, or null
  last_seen            when a process last wrote to the state, or null; it
                       writes whenever something happens
  overrides            the schedule from the program or task file, if someone
                       replaced it while it ran; otherwise null
  executor             where the task runs: thread, loop, process or another
                       name; null if that is not known
  where                where the current run is, as "process 4711"; null on
                       a thread
  description          a sentence, or empty

examples:
  taskkit list tasks.toml
  taskkit list --failing tasks.toml
  taskkit list --state /var/lib/shop/state.sqlite
  taskkit list --alive tasks.toml > /dev/null || systemctl restart tasks
  taskkit list shop.tasks:nightly --json | jq -r .task
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands,
        "list",
        "list the tasks with their status, last run and next run",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_target_and_name(parser, "[TARGET]")
    parser.add_argument(
        "--failing",
        action="store_true",
        help="list only tasks whose last run failed; exit with 1 if there are any",
    )
    parser.add_argument(
        "--alive", action="store_true", help="exit with 1 if no process is running the target"
    )
    add_state(parser)
    add_json(parser, "task")
    add_colour(parser)


@dataclass(frozen=True, slots=True)
class Source:
    """The source of the rows."""

    process: StoreProcess | None
    """The process that runs the tasks, or ran them last; None if there is none."""
    is_known: bool
    """True if it is known whether a process is running the target."""
    was_asked: bool = False
    """True if that process was asked; False if its state was read."""


def perform(options: argparse.Namespace) -> int:
    """List the tasks. Returns the exit status."""
    if (live := live_tasks(options)) is not None:
        options.target = options.positionals[0]
        source = Source(live.process, is_known=True, was_asked=True)
        return _show(options, live.rows, source, live.now, paused=live.paused)
    read_target_and_name(options, takes_name=False)
    if options.alive and options.no_state:
        raise CommandLineError("--alive needs the state: leave out --no-state")
    target, state = load_target_and_state(options, needs_state=options.alive)
    scheduler = target.scheduler
    if options.failing and state is None and not scheduler.is_running:
        raise CommandLineError(
            f"the last runs of {quoted(target_or_state(options))} are not known: it has no state here"
        )
    statuses = task_statuses(scheduler, state)
    tasks = upcoming_tasks(scheduler, state, alone=options.target is None)
    rows = [(task, statuses.get(task.name, TaskStatus())) for task in tasks]
    return _show(
        options,
        rows,
        Source(None if state is None else state.process, is_known=_is_known(options, state, scheduler)),
        scheduler.snapshot().figures.time,
        paused=scheduler.paused if state is None else state.paused,
    )


def _show(
    options: argparse.Namespace,
    rows: list[tuple[UpcomingTask, TaskStatus]],
    source: Source,
    now: float,
    *,
    paused: bool,
) -> int:
    """Print the rows, and what is known of the process. Returns the exit status."""
    process = source.process
    if options.failing:
        rows = [(task, status) for task, status in rows if status.failing]
    console = Console(sys.stdout, options.colour)
    if options.json:
        for task, status in rows:
            console.print(json_line(_task_object(task, status, process)))
    elif rows:
        _print_rows(console, rows, now, paused=paused)
    else:
        what = harmless(target_or_state(options))
        print_message(f"no task of {what} fails" if options.failing else f"{what} has no tasks")
    if paused and not options.json:
        print_message(PAUSED_MESSAGE)
    if not options.json and source.is_known:
        words = process_status(harmless(target_or_state(options)), process, was_asked=source.was_asked)
        print_message(words)  # on stderr: scripts read the other lines
    is_dead = options.alive and (process is None or not process.running)
    return FAILED if is_dead or (options.failing and rows) else OK


def _is_known(options: argparse.Namespace, state: SavedState | None, scheduler: Scheduler) -> bool:
    """True if it is known whether a process is running the target."""
    if state is not None:
        return True
    return not (options.no_state or scheduler.is_running or may_hold_state(state_path(options.target)))


def _print_rows(
    console: Console, rows: list[tuple[UpcomingTask, TaskStatus]], now: float, *, paused: bool
) -> None:
    tasks = [task for task, _ in rows]
    shown = console.shown_names(task.name for task in tasks)
    cells = TaskCells(now, paused, list_width(console), zones_differ(tasks), shown)
    print_table(
        console,
        COLUMNS,
        [cells.of(task, status) for task, status in rows],
        [task_colour(task.name) for task in tasks],
    )


def _task_object(task: UpcomingTask, status: TaskStatus, process: StoreProcess | None) -> dict[str, object]:
    last = status.last
    running = process is not None and process.running
    return {
        "task": task.name,
        "schedule": task.words,
        "next_run": task.next_run,
        "enabled": task.enabled,
        "disabled_until": task.disabled_until,
        "done": task.done,
        "running_since": status.running_since,
        "last_outcome": None if last is None else last.kind,
        "last_finished": None if last is None else last.finished,
        "failing": status.failing,
        "running": running,
        "pid": process.pid if process is not None and running else None,
        "last_seen": None if process is None else process.last_seen,
        "zone": task.zone,
        "overrides": task.overrides,
        "executor": task.executor,
        "where": status.where,
        "description": task.policies.description,
    }
