"""`taskkit next`: show the next due times of all tasks, in order."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from math import ceil
from typing import Final

from taskkit.cli.command_line_errors import resolve_task_name, unknown_task_error
from taskkit.cli.console import Console, print_message, task_colour
from taskkit.cli.exit_statuses import OK
from taskkit.cli.json_output import json_line
from taskkit.cli.live_tasks import live_tasks
from taskkit.cli.options import add_colour, add_command, add_json, add_state, add_target_and_name, count_up_to
from taskkit.cli.table import TableColumn, print_table
from taskkit.cli.target_loading import load_target_and_state, read_target_and_name, target_or_state
from taskkit.cli.task_status import PAUSED_MESSAGE, process_status
from taskkit.cli.upcoming import UpcomingTask, upcoming_tasks
from taskkit.words.durations import until
from taskkit.words.plain_text import harmless
from taskkit.words.times import full_time, local_time, offset_words, row_time, short_time

_MAX_DUE_TIMES: Final = 10_000
"""The largest `--number`: that many are computed in a fraction of a second."""

_MIN_SHARE: Final = 3
"""The least share of a task: this many due times are shown, if there is room, for any number of tasks."""

_DESCRIPTION: Final = """
Show the next due times of the tasks of a target, in order. Each is in the time zone of the schedule, with the
UTC offset; DST marks daylight-saving time. The process that runs the target is asked; if none answers, the
saved state is read. No task is started, and nothing is written.

A task that is due often does not hide the others: each has an equal share of the lines, but at least three.
With a NAME, only that task is shown. With --state and no TARGET, the tasks are those in the state.
"""

_EPILOG: Final = """
exit status:
  0    success
  2    the target or the state cannot be used

with --json, a due time has these keys:
  task                 the name of the task
  schedule             the schedule in words; null if it is not known
  due                  epoch seconds
  local                the same in the time zone of the schedule, as ISO 8601;
                       null after the year 9999
  zone                 the name of that time zone
  dst                  true in daylight-saving time

examples:
  taskkit next tasks.toml
  taskkit next -n 100 shop.tasks:nightly backup
  taskkit next --state /var/lib/shop/state.sqlite
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands,
        "next",
        "show the next due times of the tasks",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_target_and_name(parser, "[TARGET] [NAME]")
    parser.add_argument(
        "-n",
        "--number",
        type=count_up_to(_MAX_DUE_TIMES),
        default=20,
        metavar="N",
        help=f"show at most N due times (default: 20; at most {_MAX_DUE_TIMES})",
    )
    add_state(parser)
    add_json(parser, "due time")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Show the due times. Returns the exit status."""
    state = None
    if (live := live_tasks(options)) is not None:
        options.target, options.name = options.positionals[0], (options.positionals[1:] or [None])[0]
        now, tasks = live.now, _selected([task for task, _ in live.rows], options)
    else:
        read_target_and_name(options)
        target, state = load_target_and_state(options)
        now = target.scheduler.snapshot().figures.time
        tasks = _selected(upcoming_tasks(target.scheduler, state, alone=options.target is None), options)
    times = _due_times_in_order(tasks, now, options.number)
    console = Console(sys.stdout, options.colour)
    if options.json:
        for due, index in times:
            console.print(json_line(_due_object(due, tasks[index])))
        return OK
    if state is not None and (options.state is None or not state.process.running):
        print_message(process_status(harmless(target_or_state(options)), state.process))
    if (live is not None and live.paused) or (state is not None and state.paused):
        print_message(PAUSED_MESSAGE)
    if not times:
        what = harmless(options.name or target_or_state(options))
        print_message(
            f"no task of {what} is due" if options.name is None else f"{what} {_why_not(tasks, now)}"
        )
        return OK
    shown = console.shown_names(task.name for task in tasks)
    print_table(
        console,
        (
            TableColumn("TASK", 20, 8),
            TableColumn("DUE"),
            TableColumn(""),
            TableColumn(""),
            TableColumn(""),
            TableColumn("ZONE", 10),
        ),
        [
            (shown(tasks[index].name), *_row(due, tasks[index], now, compact=console.is_narrow))
            for due, index in times
        ],
        [task_colour(tasks[index].name) for _, index in times],
    )
    return OK


def _selected(tasks: list[UpcomingTask], options: argparse.Namespace) -> list[UpcomingTask]:
    if options.name is None:
        return tasks
    names = [task.name for task in tasks]
    meant = resolve_task_name(options.name, names)
    if meant is None:
        raise unknown_task_error(target_or_state(options), options.name, names)
    return [task for task in tasks if task.name == meant]


def _why_not(tasks: list[UpcomingTask], now: float) -> str:
    """Return why one task has no due times, to follow its name."""
    task = tasks[0] if len(tasks) == 1 else None
    if task is None or task.enabled:
        return "is not due"
    until = task.disabled_until
    return "is not due: it is disabled" + ("" if until is None else f" until {short_time(until, now)}")


def _due_times_in_order(tasks: list[UpcomingTask], now: float, limit: int) -> list[tuple[float, int]]:
    """Return the next due times, sorted, each with the index of its task in `tasks`."""
    due = [index for index, task in enumerate(tasks) if task.next_run is not None]
    share = max(_MIN_SHARE, ceil(limit / max(1, len(due))))
    return list(islice(merge(*(_indexed(tasks[index], index, now, share) for index in due)), limit))


def _indexed(task: UpcomingTask, index: int, now: float, limit: int) -> Iterator[tuple[float, int]]:
    return ((due, index) for due in islice(task.due_times(now), limit))


def _row(due: float, task: UpcomingTask, now: float, *, compact: bool) -> tuple[str, ...]:
    dst = "DST" if _is_dst(due, task) else ""
    return (
        row_time(due, now, task.tz, weekday=False) if compact else full_time(due, task.tz),
        offset_words(due, task.tz),
        dst,
        until(due, now),
        harmless(task.zone),
    )


def _is_dst(due: float, task: UpcomingTask) -> bool:
    if task.tz is None:
        from time import localtime

        try:
            return localtime(due).tm_isdst > 0
        except (OverflowError, OSError, ValueError):
            return False
    when = local_time(due, task.tz)
    return when is not None and bool(when.dst())


def _due_object(due: float, task: UpcomingTask) -> dict[str, object]:
    when = local_time(due, task.tz)
    return {
        "task": task.name,
        "schedule": task.words,
        "due": due,
        "local": None if when is None else when.isoformat(),
        "zone": task.zone,
        "dst": _is_dst(due, task),
    }
