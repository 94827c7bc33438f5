"""`taskkit run`: a scheduler in the foreground, for a terminal, a service manager or a container."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from taskkit.cli.console import say
from taskkit.cli.errors import CommandLineError
from taskkit.cli.event_lines import Detail
from taskkit.cli.foreground import Foreground
from taskkit.cli.leaving import leave, tell_abandoned
from taskkit.cli.loading import printing_nothing
from taskkit.cli.parser import add_colour, add_command, add_json, add_state, add_target, seconds
from taskkit.cli.reporting import Report
from taskkit.cli.statuses import ABANDONED, OK
from taskkit.errors import TaskkitError
from taskkit.plain_text import harmless, plural
from taskkit.target import Target, TargetError, load_target, usable_state_path
from taskkit.words import how_to_look

if TYPE_CHECKING:
    from taskkit.store import Store
    from taskkit.taskfile import Reload

FOR_THE_OUTPUT: Final = 2.0
"""Seconds that the last lines have to be written."""

FOR_THE_STATE: Final = 3.0
"""Seconds that the state has to be stored, at the end."""

SWITCH_INTERVAL: Final = 0.0005
"""Seconds after which a thread lets another one run. With Python's own 5 ms, a task that prints fast would
have printed more than is kept before anybody could take it."""

HURRIED: Final = 0.5
"""Seconds for either of them, after a second signal."""

_DESCRIPTION: Final = """
Run the tasks of a target at their times, in the foreground, until ctrl+c or SIGTERM. What tasks write is
written to standard output, each line after its time and its task; so is what becomes of the runs. What
concerns the command itself goes to standard error.

How things stand is kept in a file, so that after a restart everything goes on where it was: another process
that is given the same state is refused.

A .toml file is watched: what is changed in it is done, and what is not changed is left alone. SIGHUP has it
read at once. A file that is broken changes nothing.
"""

_EPILOG: Final = """
signals:
  SIGINT, SIGTERM  stop: no run starts, those that go on are asked to end;
                   a second one leaves at once
  SIGHUP           read the .toml file again; with another target, stop

exit status:
  0    it was stopped, and all runs have ended
  2    the command line, the target or the state cannot be used
  3    runs did not end in time and were abandoned: they are named on
       standard error

with --json, each line is an object with the keys event, time (epoch seconds) and, if it is about one, task.
The events and their other keys are in docs/command.md.

examples:
  taskkit run tasks.toml
  taskkit run -q shop.tasks:nightly
  taskkit run tasks.toml --json | jq -r 'select(.outcome == "failed").task'
  taskkit run once.toml --no-state --until-idle
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer it."""
    parser = add_command(
        commands,
        "run",
        "run the tasks, until it is stopped",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_target(parser)
    add_state(parser)
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=10.0,
        metavar="TIME",
        help="how long runs have to end when it is stopped: seconds, or a span as 1m30s; 10 by default",
    )
    parser.add_argument(
        "--until-idle",
        action="store_true",
        help="leave when nothing is scheduled any more and nothing runs",
    )
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q",
        "--quiet",
        dest="detail",
        action="store_const",
        const=Detail.QUIET,
        help="only what tasks write, and what fails",
    )
    loudness.add_argument(
        "-v", "--verbose", dest="detail", action="store_const", const=Detail.VERBOSE, help="progress, too"
    )
    parser.set_defaults(detail=Detail.NORMAL)
    add_json(parser, "an event")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Do it. Ends the process, once the scheduler has begun."""
    reloads: list[Callable[[Reload], object]] = []

    def on_reload(reload: Reload) -> None:
        for tell in reloads:
            tell(reload)

    path = None if options.no_state else _path_of_state(options)
    with printing_nothing(options):
        target = load_target(options.target, on_reload=on_reload, remembers=path is not None)
    if options.state is not None and target.scheduler.is_kept:
        raise CommandLineError(f"{harmless(target.text)} keeps its state itself: leave --state out")
    store = None if path is None or target.scheduler.is_kept else _open(path, options)
    follower = target.follower
    # On a thread of its own, as what the file names may take long to import, and a signal must be heard.
    on_hangup = None if follower is None else lambda: Thread(target=follower.reload, daemon=True).start()
    sys.setswitchinterval(SWITCH_INTERVAL)
    with Foreground(target.scheduler, on_hangup, until_idle=options.until_idle) as foreground:
        report = Report(
            target.scheduler,
            as_json=options.json,
            detail=options.detail,
            colour=options.colour,
            on_closed=foreground.output_is_closed,
        )
        reloads.append(report.reloaded)
        report.open()
        try:
            stop_here = _begin(target, store, report)
        except TaskkitError as error:
            report.close(FOR_THE_OUTPUT)
            raise CommandLineError(_with_a_way_out(error, options)) from error
        report.say(f"stopping: {foreground.wait()}")
        if follower is not None:
            follower.close()
        abandoned = foreground.stop(options.timeout) if stop_here else ()
        report.close(HURRIED if foreground.is_hurried else FOR_THE_OUTPUT)
        if store is not None:
            store.close(HURRIED if foreground.is_hurried else FOR_THE_STATE)
        if abandoned:
            tell_abandoned(abandoned)
        leave(ABANDONED if abandoned else OK)


def _begin(target: Target, store: Store | None, report: Report) -> bool:
    """Start it. Returns whether it was not started already: only then it is to be stopped."""
    scheduler = target.scheduler
    if store is not None:
        store.attach(scheduler)
        store.restore()
    report.say(_what_begins(target, store))
    started_here = not scheduler.is_running
    scheduler.start()
    if scheduler.paused:
        say("the scheduler was paused: nothing falls due until somebody resumes it")
    if target.follower is not None:
        target.follower.watch()
    return started_here


def _what_begins(target: Target, store: Store | None) -> str:
    tasks = plural(target.scheduler.snapshot().figures.tasks, "task")
    if store is not None:
        where = f"state in {harmless(str(store.path))}"
    else:
        where = "it keeps its state itself" if target.scheduler.is_kept else "no state is kept"
    return f"{harmless(target.text)}: {tasks}; {where}"


def _path_of_state(options: argparse.Namespace) -> Path | None:
    """Where the state is to be kept; `None` where the default place cannot be used, which is said."""
    named: Path | None = options.state
    if named is not None:
        return named
    try:
        return usable_state_path(options.target)
    except TargetError as error:
        say(f"no state is kept: {error}")
        return None


def _open(path: Path, options: argparse.Namespace) -> Store:
    from taskkit.store import Store, StoreError

    try:
        return Store.open(path)
    except StoreError as error:
        told = _with_a_way_out(error, options)
        raise CommandLineError(f"{told}; --no-state runs it without") from error


def _with_a_way_out(error: TaskkitError, options: argparse.Namespace) -> str:
    from taskkit.store import StoreInUseError

    told = harmless(str(error))
    in_use = isinstance(error, StoreInUseError)
    return f"{told}; {how_to_look(options.target, options.state)}" if in_use else told
