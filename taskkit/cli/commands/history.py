"""`taskkit history`: show past runs and skipped due times, from the state."""

from __future__ import annotations

import argparse
import sys
from time import time
from typing import TYPE_CHECKING, Final

from taskkit.cli.command_line_errors import CommandLineError, did_you_mean, quoted, resolve_task_name
from taskkit.cli.console import GREEN, RED, YELLOW, Console, print_message, task_colour
from taskkit.cli.exit_statuses import OK
from taskkit.cli.json_output import json_line
from taskkit.cli.options import add_colour, add_command, add_json, add_target_and_name, count_up_to, file_path
from taskkit.cli.past_times import PAST_TIME_FORMS, past_time
from taskkit.cli.table import TableColumn, print_table
from taskkit.cli.target_loading import find_state_file, read_target_and_name, task_names_in_state
from taskkit.outcome import FAILURES, OutcomeKind, Trigger
from taskkit.words.durations import duration, in_words
from taskkit.words.outcomes import kind_words, late_words, trigger_words
from taskkit.words.plain_text import harmless, plural
from taskkit.words.times import full_time, row_time
from taskkit.words.urgency import is_late

if TYPE_CHECKING:
    from pathlib import Path

    from taskkit.store import StoredRun, StoredSkip

_DESCRIPTION: Final = """
Show the past runs of a target, newest first: how each ended, how long it took and how late it started; and
which due times were skipped, and why. This is read from the state, also while another process uses it. A
target in a module is loaded, as its scheduler may have a store of its own; if that fails, the state that
taskkit run has saved for it is shown.
"""

_EPILOG: Final = """
exit status:
  0    success, even if there are no runs
  2    there is no such state, or it cannot be read

with --json, a line has these keys:
  task                        the name of the task
  outcome                     how the run ended, or the reason for the skip
  finished                    when the run ended, or the skip was recorded, in
                              epoch seconds
and, for a run:
  started, due                epoch seconds
  duration, lateness          seconds
  run, trigger, attempt, result, exception, traceback, output
and, for a skip:
  count                       the number of skipped due times
  first_due, last_due         epoch seconds
  late_by                     seconds by which the last was too late, or null

examples:
  taskkit history tasks.toml
  taskkit history tasks.toml backup --failed --since sat --output
  taskkit history tasks.toml --state /var/lib/shop/state.sqlite --search timeout
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands,
        "history",
        "show past runs and how they ended",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_target_and_name(parser, "[TARGET] [NAME]")
    parser.add_argument("--state", type=file_path, metavar="PATH", help="the state file")
    parser.add_argument(
        "-n",
        "--number",
        type=count_up_to(1_000_000),
        default=20,
        metavar="N",
        help="show at most N entries (default: 20)",
    )
    parser.add_argument(
        "--failed",
        action="store_true",
        help="show only runs that failed, timed out, were abandoned or interrupted",
    )
    parser.add_argument(
        "--since",
        type=_instant,
        metavar="TIME",
        help=f"show only what ended since TIME: {PAST_TIME_FORMS}",
    )
    parser.add_argument(
        "--search",
        default="",
        metavar="TEXT",
        help="show only runs whose output, exception or result contains TEXT",
    )
    parser.add_argument(
        "--output", action="store_true", help="also show the last output of each run, and its traceback"
    )
    add_json(parser, "run or skip")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Show the history. Returns the exit status."""
    from taskkit.store import StoreError

    read_target_and_name(options)
    try:
        path = options.state or find_state_file(options.target, options)
        entries = _read_entries(options, path)
        is_done = not options.json and _is_done(options.name, path)
    except StoreError as error:
        raise CommandLineError(harmless(str(error))) from error
    console = Console(sys.stdout, options.colour)
    shown = console.shown_names(entry.name for entry in entries)
    if options.json:
        for entry in entries:
            console.print(json_line(_entry_object(entry)))
    elif not entries:
        print_message("no runs found")
    elif options.output:
        for entry in entries:
            _print_with_output(console, entry, shown(entry.name))
    else:
        print_table(
            console,
            (
                *(TableColumn("TASK", 20, 8), TableColumn("WHEN"), TableColumn("OUTCOME")),
                *(TableColumn("TOOK"), TableColumn("LATE"), TableColumn("", 30, 10)),
            ),
            [_row(entry, shown(entry.name), compact=console.is_narrow) for entry in entries],
            [task_colour(entry.name) for entry in entries],
        )
    if is_done:  # on stderr: scripts read the other lines
        print_message(f"{harmless(options.name)} is done: nothing more is due up to its until")
    return OK


def _is_done(name: str | None, path: Path) -> bool:
    """True if the state says that the task has had its last due time."""
    from taskkit.store import read_state

    if name is None:
        return False
    state = read_state(path)
    saved = state.tasks.get(name)
    return saved is not None and name not in state.running and saved.is_done


def _read_entries(options: argparse.Namespace, path: Path) -> list[StoredRun | StoredSkip]:
    from taskkit.store import read_history

    while True:
        entries = read_history(
            path,
            options.name,
            limit=options.number,
            kinds=FAILURES if options.failed else (),
            since=options.since,
            search=options.search,
        )
        if entries or options.name is None:
            break
        names = task_names_in_state(path)
        meant = resolve_task_name(options.name, names)
        if meant is None:
            perhaps = did_you_mean(options.name, names)
            raise CommandLineError(f"the state has no task {quoted(options.name)}{perhaps}")
        if meant == options.name:
            break
        options.name = meant
    # Sorted by end: an entry of skips is updated while more due times are skipped.
    return sorted(entries, key=_ended_at, reverse=True)


def _instant(text: str) -> float:
    try:
        return past_time(text, time())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _ended_at(entry: StoredRun | StoredSkip) -> float:
    from taskkit.store import StoredSkip

    return entry.at if isinstance(entry, StoredSkip) else entry.outcome.finished


def _row(entry: StoredRun | StoredSkip, name: str, *, compact: bool = False) -> tuple[str, ...]:
    from taskkit.store import StoredSkip

    if isinstance(entry, StoredSkip):
        skip = entry.skip
        words = f"{plural(skip.count, 'due time')}: {skip.reason}{late_words(skip.late_by, skip.count)}"
        return name, _when(entry.at, compact), "skipped", "", "", words
    outcome = entry.outcome
    late = in_words(round(outcome.lateness)) if is_late(outcome.lateness) else ""
    detail = outcome.exception or ("" if outcome.result is None else f"→ {outcome.result}")
    by_schedule = outcome.trigger is Trigger.SCHEDULE and outcome.attempt == 1
    trigger = "" if by_schedule else trigger_words(outcome.trigger, outcome.attempt)
    words = harmless(f"{trigger}: {detail}" if trigger and detail else trigger or detail)
    length = duration(outcome.duration) if outcome.kind is not OutcomeKind.INTERRUPTED else ""
    when = _when(outcome.finished, compact)
    return name, when, kind_words(outcome.kind), length, late, words


def _when(instant: float, compact: bool) -> str:
    return row_time(instant, time(), weekday=False) if compact else full_time(instant)


def _print_with_output(console: Console, entry: StoredRun | StoredSkip, shown: str) -> None:
    from taskkit.store import StoredRun

    name, when, kind, length, late, words = _row(entry, shown)
    colour = YELLOW
    if isinstance(entry, StoredRun):
        colour = RED if entry.outcome.kind in FAILURES else GREEN
    ended = f"{kind} after {length}" if length else kind
    parts = [ended, f"{late} late" if late else "", words]
    painted = console.paint(name, task_colour(entry.name))
    console.print(f"{when}  {painted}  {console.paint(', '.join(filter(None, parts)), colour)}")
    if isinstance(entry, StoredRun):
        outcome = entry.outcome
        if outcome.output_dropped:
            console.print(f"    … {plural(outcome.output_dropped, 'earlier line')} dropped")
        for line in (*outcome.output, *(outcome.traceback or "").rstrip("\n").split("\n")):
            if line:
                console.print(f"    {console.shown(line.expandtabs(8))}")


def _entry_object(entry: StoredRun | StoredSkip) -> dict[str, object]:
    from taskkit.store import StoredSkip

    if isinstance(entry, StoredSkip):
        skip = entry.skip
        return {
            "task": entry.name,
            "outcome": skip.reason,
            "finished": entry.at,
            "count": skip.count,
            "first_due": skip.first_due,
            "last_due": skip.last_due,
            "late_by": skip.late_by,
        }
    outcome = entry.outcome
    return {
        "task": entry.name,
        "outcome": outcome.kind,
        "started": outcome.started,
        "finished": outcome.finished,
        "due": outcome.due,
        "duration": outcome.duration,
        "lateness": outcome.lateness,
        "run": outcome.run,
        "trigger": outcome.trigger,
        "attempt": outcome.attempt,
        "result": outcome.result,
        "exception": outcome.exception,
        "traceback": outcome.traceback,
        "output": outcome.output,
    }
