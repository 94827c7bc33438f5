"""`taskkit history`: what has become of the runs, from the state."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Final

from taskkit.cli.console import GREEN, RED, YELLOW, Console, say, task_colour
from taskkit.cli.errors import CommandLineError, did_you_mean, quoted
from taskkit.cli.json_lines import json_line
from taskkit.cli.loading import find_state
from taskkit.cli.parser import add_colour, add_command, add_json, count_up_to, file_path
from taskkit.cli.past_times import FORMS, past_time
from taskkit.cli.statuses import OK
from taskkit.cli.table import Column, print_table
from taskkit.cli.words import compact_time, full_time, kind_words, trigger_words
from taskkit.durations import duration, in_words
from taskkit.outcome import FAILURES, OutcomeKind
from taskkit.plain_text import harmless, plural
from taskkit.target import check_target, is_target

if TYPE_CHECKING:
    from taskkit.store import StoredRun, StoredSkip

_DESCRIPTION: Final = """
Tell what has become of the runs of a target, the newest first: how each ended, how long it took, how late it
began, and which due times were skipped, and why. It is read from the state, which a running taskkit may have
open meanwhile. A target in a module is loaded, as its scheduler may keep its state itself; where that fails,
what taskkit run has kept for it is told.
"""

_EPILOG: Final = """
exit status:
  0    it is told, if there is anything to tell
  2    there is no such state, or it cannot be read

with --json, a line has the keys:
  task                        its name
  outcome                     how the run ended, or the reason of a skip
  finished                    when that was, or was told, in epoch seconds
and, of a run:
  started, due                epoch seconds
  duration, lateness          seconds
  run, trigger, attempt, result, exception, traceback, output
and, of a skip:
  count                       how many due times there were
  first_due, last_due         epoch seconds

examples:
  taskkit history tasks.toml
  taskkit history tasks.toml backup --failed --since sat --output
  taskkit history tasks.toml --state /var/lib/shop/state.sqlite --search timeout
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer it."""
    parser = add_command(
        commands,
        "history",
        "tell what has become of the runs",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.usage = "taskkit history [options] [TARGET] [NAME] [--state PATH]"
    parser.add_argument(
        "words",
        nargs="*",
        metavar="TARGET NAME",
        help="whose state it is, which may be left out with --state; and the name of one task",
    )
    parser.add_argument("--state", type=file_path, metavar="PATH", help="the file that keeps the state")
    parser.add_argument(
        "-n",
        "--number",
        type=count_up_to(1_000_000),
        default=20,
        metavar="N",
        help="how many to tell; 20 by default",
    )
    parser.add_argument("--failed", action="store_true", help="only runs that failed in one way or another")
    parser.add_argument(
        "--since",
        type=_instant,
        metavar="TIME",
        help=f"only what ended since then: {FORMS}",
    )
    parser.add_argument(
        "--search",
        default="",
        metavar="TEXT",
        help="only runs whose output, exception or result has TEXT in it",
    )
    parser.add_argument(
        "--output", action="store_true", help="tell what each run wrote last, and its traceback"
    )
    add_json(parser, "a run or skip")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Do it. Returns the exit status."""
    from taskkit.store import StoreError, read_history

    try:
        path, name = _whose(options)
        told = sorted(
            read_history(
                path,
                name,
                limit=options.number,
                kinds=FAILURES if options.failed else (),
                since=options.since,
                search=options.search,
            ),
            key=_told_at,  # as one line of skips may go on being added to for long
            reverse=True,
        )
        if not told and name is not None:
            _check_name(path, name)
    except StoreError as error:
        raise CommandLineError(harmless(str(error))) from error
    console = Console(sys.stdout, options.colour)
    if options.json:
        for each in told:
            console.print(json_line(_values(each)))
    elif not told:
        say("there is nothing to tell")
    elif options.output:
        for each in told:
            _print_whole(console, each)
    else:
        print_table(
            console,
            (
                *(Column("TASK", 20, 8), Column("WHEN"), Column("OUTCOME")),
                *(Column("TOOK"), Column("LATE"), Column("", 30, 10)),
            ),
            [_row(each, compact=console.is_narrow) for each in told],
            [task_colour(each.name) for each in told],
        )
    return OK


def _whose(options: argparse.Namespace) -> tuple[Path, str | None]:
    """The file, and the name of one task. Beside --state, the one word may be either TARGET or NAME."""
    words: list[str] = options.words
    path: Path | None = options.state
    if len(words) > 2 or (path is None and not words):
        options.parser.error("needs a TARGET or --state PATH, and at most one NAME")
    if path is None:
        check_target(words[0])
        return find_state(words[0], options), words[1] if len(words) == 2 else None
    if len(words) == 2:
        check_target(words[0])
        return path, words[1]
    if not words or (is_target(words[0]) and words[0] not in _names(path)):
        return path, None
    return path, words[0]


def _check_name(path: Path, name: str) -> None:
    names = _names(path)
    if name not in names:
        raise CommandLineError(f"nothing is known of a task {quoted(name)}{did_you_mean(name, names)}")


def _names(path: Path) -> set[str]:
    """The tasks that are there, and those that were not long ago."""
    from taskkit.store import read_history, read_state

    return {*read_state(path).tasks, *(each.name for each in read_history(path, limit=1000))}


def _instant(text: str) -> float:
    try:
        return past_time(text, time())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _told_at(each: StoredRun | StoredSkip) -> float:
    from taskkit.store import StoredSkip

    return each.at if isinstance(each, StoredSkip) else each.outcome.finished


def _row(each: StoredRun | StoredSkip, *, compact: bool = False) -> tuple[str, ...]:
    from taskkit.store import StoredSkip

    if isinstance(each, StoredSkip):
        skip = each.skip
        words = f"{plural(skip.count, 'due time')}: {skip.reason}"
        return harmless(each.name), _when(each.at, compact), "skipped", "", "", words
    outcome = each.outcome
    late = in_words(round(outcome.lateness)) if outcome.lateness >= 1 else ""
    detail = outcome.exception or ("" if outcome.result is None else f"→ {outcome.result}")
    trigger = trigger_words(outcome.trigger, outcome.attempt)
    words = harmless(f"{trigger}: {detail}" if trigger and detail else trigger or detail)
    length = duration(outcome.duration) if outcome.kind is not OutcomeKind.INTERRUPTED else ""
    when = _when(outcome.finished, compact)
    return harmless(each.name), when, kind_words(outcome.kind), length, late, words


def _when(instant: float, compact: bool) -> str:
    return compact_time(instant, time()) if compact else full_time(instant)


def _print_whole(console: Console, each: StoredRun | StoredSkip) -> None:
    from taskkit.store import StoredRun

    name, when, kind, length, late, words = _row(each)
    colour = YELLOW
    if isinstance(each, StoredRun):
        colour = RED if each.outcome.kind in FAILURES else GREEN
    told = f"{kind} after {length}" if length else kind
    parts = [told, f"{late} late" if late else "", words]
    painted = console.paint(name, task_colour(each.name))
    console.print(f"{when}  {painted}  {console.paint(', '.join(filter(None, parts)), colour)}")
    if isinstance(each, StoredRun):
        outcome = each.outcome
        if outcome.output_dropped:
            console.print(f"    … {plural(outcome.output_dropped, 'earlier line')} not kept")
        for line in (*outcome.output, *(outcome.traceback or "").rstrip("\n").split("\n")):
            if line:
                console.print(f"    {console.shown(line.expandtabs(8))}")


def _values(each: StoredRun | StoredSkip) -> dict[str, object]:
    from taskkit.store import StoredSkip

    if isinstance(each, StoredSkip):
        skip = each.skip
        return {
            "task": each.name,
            "outcome": skip.reason,
            "finished": each.at,
            "count": skip.count,
            "first_due": skip.first_due,
            "last_due": skip.last_due,
        }
    outcome = each.outcome
    return {
        "task": each.name,
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
