"""`taskkit run`: run a scheduler in the foreground, on a terminal or as a service."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.cli.command_line_errors import CommandLineError
from taskkit.cli.console import print_message
from taskkit.cli.event_lines import Detail
from taskkit.cli.exit_statuses import ABANDONED, OK, USAGE
from taskkit.cli.foreground import Foreground, exit_now, report_abandoned
from taskkit.cli.options import add_colour, add_command, add_json, add_state, add_target, span_seconds
from taskkit.cli.run_report import RunReport, start_message
from taskkit.cli.run_standby import Standby, check_standby
from taskkit.cli.target_loading import prints_to_stderr
from taskkit.cli.task_status import PAUSED_MESSAGE
from taskkit.errors import StoreInUseError, TaskkitError
from taskkit.events import SchedulerStopped
from taskkit.process.orphans import leave_orphans_to_parent
from taskkit.snapshot import SchedulerState
from taskkit.targets.notices import how_to_look, new_state
from taskkit.targets.state_paths import named_state_path, other_state_path, usable_state_path
from taskkit.targets.target import Target, TargetError, load_target
from taskkit.words.durations import in_words
from taskkit.words.plain_text import harmless

if TYPE_CHECKING:
    from taskkit.remote.server import Server
    from taskkit.store import Store
    from taskkit.taskfile import Reload

OUTPUT_SECONDS: Final = 2.0
"""Time limit for writing the last lines."""

STATE_SECONDS: Final = 3.0
"""Time limit for storing the state at the end."""

SWITCH_INTERVAL_SECONDS: Final = 0.0005
"""Interval at which Python switches threads. At its default of 5 ms, a task that prints fast overruns its
output buffer before the writer thread can empty it."""

HURRIED_SECONDS: Final = 0.5
"""Time limit for either of them after a second signal."""

_DESCRIPTION: Final = """
Run the tasks of a target on schedule, in the foreground, until ctrl+c or SIGTERM. The output of tasks and
the outcomes of their runs go to standard output, each line with its time and task. Errors of the command
itself go to standard error.

The state is saved in a file, so that after a restart everything continues where it was. Only one process can
use a state file at a time; with --standby a second one waits, and takes over within a second when the first
ends, whatever the reason.

A .toml task file is watched, and changes take effect without a restart; tasks that are unchanged are left
alone. SIGHUP reloads the file at once. A file with errors changes nothing.

While it runs, taskkit-tui TARGET shows it, and taskkit ps, trigger, stop, disable and others act on it. They
use a socket that is open to this user only; see docs/attach.md.
"""

_EPILOG: Final = """
signals:
  SIGINT, SIGTERM, SIGQUIT
                   stop: start no more runs, and ask those in progress to end;
                   a second signal exits at once. With --drain, those in
                   progress may continue for that long; a second signal
                   asks them to end, and a third exits at once
  SIGUSR1, SIGUSR2, SIGALRM and others that would end the process
                   stop, unless the target handles them
  SIGHUP           reload the .toml file; stop, if the target is a module

exit status:
  0    stopped, and all runs have ended
  2    the command line, the target or the state cannot be used
  3    some runs did not end in time and were abandoned; standard error names
       them

with --json, each line is an object with the keys event, time (epoch seconds) and, for events of a task, task.
docs/command.md lists the events and their other keys.

examples:
  taskkit run tasks.toml
  taskkit run -q shop.tasks:nightly
  taskkit run tasks.toml --json | jq -r 'select(.outcome == "failed").task'
  taskkit run once.toml --no-state --until-idle
  taskkit run tasks.toml --drain 5m --timeout 10
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands,
        "run",
        "run the tasks on schedule, in the foreground",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_target(parser)
    add_state(parser)
    parser.add_argument(
        "--timeout",
        type=span_seconds,
        default=10.0,
        metavar="TIME",
        help="how long to wait for runs to end when stopping, as 20 or 1m30s (default: 10)",
    )
    parser.add_argument(
        "--drain",
        type=span_seconds,
        default=0.0,
        metavar="TIME",
        help="how long runs may continue when stopping, before they are asked to end (default: 0)",
    )
    parser.add_argument(
        "--until-idle",
        action="store_true",
        help="exit when nothing is scheduled and nothing is running",
    )
    parser.add_argument(
        "--standby",
        action="store_true",
        help="if another process has the state, wait until it ends, and then take over",
    )
    parser.add_argument(
        "--no-attach",
        action="store_true",
        help="do not let dashboards and other commands reach it while it runs",
    )
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q",
        "--quiet",
        dest="detail",
        action="store_const",
        const=Detail.QUIET,
        help="show only task output and failures",
    )
    loudness.add_argument(
        "-v", "--verbose", dest="detail", action="store_const", const=Detail.VERBOSE, help="show progress too"
    )
    parser.set_defaults(detail=Detail.NORMAL)
    add_json(parser, "event")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Run the scheduler, and end the process. Returns only the exit status of a child that ran it instead."""
    if (status := leave_orphans_to_parent()) is not None:
        return status
    reload_listeners: list[Callable[[Reload], object]] = []

    def on_reload(reload: Reload) -> None:
        for listener in reload_listeners:
            listener(reload)

    path = None if options.no_state else _state_path(options)
    other = other_state_path(options.target) if path is not None and options.state is None else None
    with prints_to_stderr(options):
        target = load_target(options.target, on_reload=on_reload, remembers=path is not None)
    if options.state is not None and target.scheduler.is_persistent:
        raise CommandLineError(f"{harmless(target.text)} saves its state itself: leave out --state")
    check_standby(options, target, path)
    store, in_use = (None, None)
    if path is not None and not target.scheduler.is_persistent:
        store, in_use = _open(path, options)
    if store is not None and store.is_new and (options.state is not None or other is not None):
        print_message(new_state(store.path, other))
    follower = target.follower
    on_hangup = None if follower is None else partial(_on_own_thread, follower.reload)
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    with Foreground(target.scheduler, on_hangup, until_idle=options.until_idle) as foreground:
        report = RunReport(
            target.scheduler,
            as_json=options.json,
            detail=options.detail,
            colour=options.colour,
            on_closed=foreground.on_output_closed,
        )
        standby: Standby | None = None
        reload_listeners.append(report.reloaded)
        report.open()
        try:
            if path is None or in_use is None:
                stop_here = _start(target, store, report, foreground)
            else:
                standby = Standby(target, path, report, foreground)
                standby.begin(in_use)
                stop_here = True
            if not options.no_attach:
                server = _serve(target, store, report)
                if standby is not None:
                    standby.server = server
        except TaskkitError as error:
            report.close(OUTPUT_SECONDS)
            raise CommandLineError(_with_remedy(error, options)) from error
        reason = foreground.wait()
        drains = "" if not options.drain else f"; runs may continue for {in_words(options.drain)}"
        report.write_message(f"stopping: {reason}{drains}")
        if follower is not None:
            follower.close()
        abandoned: Sequence[str] = ()
        deadline = monotonic() + options.timeout + (options.drain or 0)
        if stop_here:
            abandoned = foreground.stop(
                options.timeout, options.drain, lambda: report.write_message("the runs are asked to stop now")
            )
        if follower is not None:
            follower.finish_hooks(
                0.0 if foreground.is_hurried else max(HURRIED_SECONDS, deadline - monotonic())
            )
        report.close(HURRIED_SECONDS if foreground.is_hurried else OUTPUT_SECONDS)
        store = standby.store if standby is not None else store
        if store is not None:
            store.close(HURRIED_SECONDS if foreground.is_hurried else STATE_SECONDS)
        if standby is not None and standby.error is not None:
            print_message(_with_remedy(standby.error, options))
        if abandoned:
            report_abandoned(abandoned)
        return exit_now(USAGE if foreground.has_failed else ABANDONED if abandoned else OK)


def _start(target: Target, store: Store | None, report: RunReport, foreground: Foreground) -> bool:
    """Start the scheduler. Returns False if it was running already; then this command must not stop it."""
    scheduler = target.scheduler
    if store is not None:
        store.attach(scheduler)
        store.restore()
    report.write_message(start_message(target, store))
    started_here = not scheduler.is_running
    scheduler.start()
    if scheduler.state is SchedulerState.STANDBY:
        report.write_message("on standby: another process has the state")
        scheduler.subscribe(lambda _event: foreground.on_failed_take_over(), kinds=(SchedulerStopped,))
    if scheduler.paused:
        print_message(PAUSED_MESSAGE)
    if target.follower is not None:
        target.follower.watch()
    return started_here


def _serve(target: Target, store: Store | None, report: RunReport) -> Server | None:
    """Let dashboards and other commands reach it, unless the program does that itself."""
    from taskkit.remote.names import name_of_target
    from taskkit.remote.serving import is_served, serve

    if is_served(target.scheduler):
        return None
    name = name_of_target(target.text)
    server = serve(target.scheduler, name, target=target.text, task_classes=target.classes, store=store)
    server.on_notice = lambda text: report.write_message(harmless(text))
    return server


def _state_path(options: argparse.Namespace) -> Path | None:
    """Return the path for the state file; `None`, with a message, if the default folder cannot be used."""
    named: Path | None = options.state
    if named is not None:
        return named_state_path(named)
    try:
        return usable_state_path(options.target)
    except TargetError as error:
        print_message(f"no state is saved: {error}")
        return None


def _on_own_thread(reload: Callable[[], object]) -> None:
    """Reload there: importing what the file names may take long, and signals must be handled meanwhile."""
    BoundedStartThread(reload, name="taskkit reload").start()


def _open(path: Path, options: argparse.Namespace) -> tuple[Store | None, StoreInUseError | None]:
    """Return the store; or, with `--standby`, the error that says which process has it open."""
    from taskkit.store import Store, StoreError

    try:
        return Store.open(path), None
    except StoreError as error:
        if options.standby and isinstance(error, StoreInUseError):
            return None, error
        message = _with_remedy(error, options)
        raise CommandLineError(f"{message}; use --no-state to run without it") from error


def _with_remedy(error: BaseException, options: argparse.Namespace) -> str:
    message = harmless(str(error))
    in_use = isinstance(error, StoreInUseError)
    return f"{message}; {how_to_look(options.target, options.state)}" if in_use else message
