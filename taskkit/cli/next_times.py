"""`taskkit next`: the coming due times of all tasks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from math import ceil
from typing import Final

from taskkit.cli.console import Console, say, task_colour
from taskkit.cli.errors import unknown_task
from taskkit.cli.json_lines import json_line
from taskkit.cli.loading import load_with_state
from taskkit.cli.outlook import Prospect, prospects
from taskkit.cli.parser import add_colour, add_command, add_json, add_state, add_target, count_up_to
from taskkit.cli.statuses import OK
from taskkit.cli.table import Column, print_table
from taskkit.cli.words import compact_time, full_time, offset, until
from taskkit.local_times import local_time
from taskkit.plain_text import harmless

_MOST: Final = 10_000
"""How many due times can be told: it takes a fraction of a second."""

_LEAST_SHARE: Final = 3
"""How many of a task are told, if there is room, however many tasks there are."""

_DESCRIPTION: Final = """
Say when the tasks of a target run next, all of them together, in order: in the time zone of each schedule,
with its offset from UTC; DST marks daylight-saving time. Nothing is started, and nothing is written.

No task hides the others: of each there is no more than its share of all the due times, though up to three.
With a NAME there are those of that task alone.
"""

_EPILOG: Final = """
exit status:
  0    they are listed
  2    the target or the state cannot be used

with --json, a due time has the keys:
  task, schedule       the name of the task, and its schedule in words
  due                  epoch seconds
  local                the same in the time zone of the schedule, as ISO 8601;
                       null beyond the calendar
  zone, dst            the name of that zone, and whether it has
                       daylight-saving time then

examples:
  taskkit next tasks.toml
  taskkit next -n 100 shop.tasks:nightly backup
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer it."""
    parser = add_command(
        commands, "next", "say what runs next, and when", perform, description=_DESCRIPTION, epilog=_EPILOG
    )
    add_target(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="the name of one task")
    parser.add_argument(
        "-n",
        "--number",
        type=count_up_to(_MOST),
        default=20,
        metavar="N",
        help=f"how many due times to tell at most; 20 by default, {_MOST} at most",
    )
    add_state(parser)
    add_json(parser, "a due time")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Do it. Returns the exit status."""
    target, state = load_with_state(options)
    now = target.scheduler.snapshot().figures.time
    found = _wanted(prospects(target.scheduler, state), options)
    times = _coming(found, now, options.number)
    console = Console(sys.stdout, options.colour)
    if options.json:
        for due, order in times:
            console.print(json_line(_told(due, found[order])))
        return OK
    if state is not None and state.paused:
        say("the scheduler was paused: nothing falls due until somebody resumes it")
    if not times:
        what = harmless(options.target) if options.name is None else harmless(options.name)
        say(f"nothing is due in {what}" if options.name is None else f"{what} is not due")
        return OK
    print_table(
        console,
        (Column("TASK", 20, 8), Column("DUE"), Column(""), Column(""), Column(""), Column("ZONE", 10)),
        [_row(due, found[order], now, compact=console.is_narrow) for due, order in times],
        [task_colour(found[order].name) for _, order in times],
    )
    return OK


def _wanted(found: list[Prospect], options: argparse.Namespace) -> list[Prospect]:
    if options.name is None:
        return found
    wanted = [each for each in found if each.name == options.name]
    if not wanted:
        raise unknown_task(options.target, options.name, [each.name for each in found])
    return wanted


def _coming(found: list[Prospect], now: float, most: int) -> list[tuple[float, int]]:
    """The due times in order, each with the place of its task in `found`."""
    due = [order for order, each in enumerate(found) if each.next_run is not None]
    share = max(_LEAST_SHARE, ceil(most / max(1, len(due))))
    return list(islice(merge(*(_numbered(found[order], order, now, share) for order in due)), most))


def _numbered(each: Prospect, order: int, now: float, most: int) -> Iterator[tuple[float, int]]:
    return ((due, order) for due in islice(each.due_times(now), most))


def _row(due: float, each: Prospect, now: float, *, compact: bool) -> tuple[str, ...]:
    dst = "DST" if _is_dst(due, each) else ""
    return (
        harmless(each.name),
        compact_time(due, now, each.tz) if compact else full_time(due, each.tz),
        offset(due, each.tz),
        dst,
        until(due, now),
        harmless(each.zone),
    )


def _is_dst(due: float, each: Prospect) -> bool:
    if each.tz is None:
        from time import localtime

        try:
            return localtime(due).tm_isdst > 0
        except (OverflowError, OSError, ValueError):
            return False
    when = local_time(due, each.tz)
    return when is not None and bool(when.dst())


def _told(due: float, each: Prospect) -> dict[str, object]:
    when = local_time(due, each.tz)
    return {
        "task": each.name,
        "schedule": str(each.schedule),
        "due": due,
        "local": None if when is None else when.isoformat(),
        "zone": each.zone,
        "dst": _is_dst(due, each),
    }
