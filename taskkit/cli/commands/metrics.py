"""`taskkit metrics`: write the metrics of a scheduler as OpenMetrics text."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from taskkit.cli.command_line_errors import CommandLineError
from taskkit.cli.exit_statuses import FAILED, OK
from taskkit.cli.live_tasks import live_tasks
from taskkit.cli.options import add_command, add_state, add_target_and_name, file_path
from taskkit.cli.target_loading import load_target_and_state, read_target_and_name
from taskkit.cli.task_status import TaskStatus, task_statuses
from taskkit.cli.upcoming import UpcomingTask, upcoming_tasks
from taskkit.metrics import check_label, openmetrics
from taskkit.outcome import Trigger
from taskkit.remote.names import name_of_target, usable_name
from taskkit.snapshot import NO_TOTALS, PastRun, RunSnapshot, Snapshot, TaskSnapshot, TaskState
from taskkit.words.plain_text import harmless

if TYPE_CHECKING:
    from taskkit.scheduler import Scheduler
    from taskkit.store import SavedState

_DESCRIPTION: Final = """
Write the metrics of a target as OpenMetrics text: runs by outcome, failures, seconds, lateness and skipped
due times as counters, and the next due time, the last success and more as gauges. The process that runs the
target is asked for them; if none answers, the saved state is read. No task is started. TARGET may also be the
name or the process id of a running scheduler, as taskkit ps shows them.

Each sample has the label “service”, with the name that taskkit ps shows; --label service=NAME sets another.
"""

_EPILOG: Final = """
exit status:
  0    success
  1    the output could not be written
  2    the target or the state cannot be used

examples:
  taskkit metrics tasks.toml
  taskkit metrics tasks.toml --output /var/lib/node_exporter/shop.prom
  taskkit metrics shop --label host=web1
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands,
        "metrics",
        "write counts of runs and more for Prometheus",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_target_and_name(parser, "[TARGET]")
    parser.add_argument(
        "--output",
        "-o",
        type=file_path,
        metavar="PATH",
        help="replace this file in one step, as a node exporter's textfile collector needs it",
    )
    parser.add_argument(
        "--label",
        dest="labels",
        action="append",
        type=_label,
        default=[],
        metavar="NAME=VALUE",
        help="add a label to each sample; may be given several times",
    )
    add_state(parser)


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    try:
        return check_label(name), value
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def perform(options: argparse.Namespace) -> int:
    """Write the metrics. Returns the exit status."""
    if (live := live_tasks(options)) is not None:
        name, snapshot = live.name, live.snapshot
    else:
        read_target_and_name(options, takes_name=False)
        target, state = load_target_and_state(options)
        snapshot = _saved_snapshot(target.scheduler, state, alone=options.target is None)
        given = options.target
        name = usable_name(options.state.stem, "tasks") if given is None else name_of_target(given)
    text = openmetrics(snapshot, {"service": name, **dict(options.labels)})
    if options.output is None:
        sys.stdout.write(text)
    else:
        _replace_file(options.output, text)
    return OK


def _replace_file(path: Path, text: str) -> None:
    """Write a file that others may read, so that none of them sees a part of it."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.unlink(missing_ok=True)  # left by a process of the same id that was killed
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
                file.write(text)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandLineError(f"cannot write {harmless(str(path))}: {error.strerror}", FAILED) from None


def _saved_snapshot(scheduler: Scheduler, state: SavedState | None, *, alone: bool) -> Snapshot:
    """Return a snapshot of a scheduler that does not run here, as its state has it."""
    snapshot = scheduler.snapshot()
    if scheduler.is_running:
        return snapshot
    statuses: Mapping[str, TaskStatus] = task_statuses(scheduler, state)
    tasks = upcoming_tasks(scheduler, state, alone=alone)
    is_running = state is not None and state.process.running
    figures = replace(
        snapshot.figures, is_running=is_running, paused=scheduler.paused if state is None else state.paused
    )
    return Snapshot(
        figures,
        tuple(
            _task_snapshot(number, task, statuses.get(task.name, TaskStatus()), state)
            for number, task in enumerate(tasks)
        ),
    )


def _task_snapshot(
    number: int, task: UpcomingTask, status: TaskStatus, state: SavedState | None
) -> TaskSnapshot:
    saved = None if state is None else state.tasks.get(task.name)
    last, since = status.last, status.running_since
    past = () if last is None else (PastRun(last.kind, last.finished, 0.0, last.exception),)
    return TaskSnapshot(
        number=number,
        name=task.name,
        state=TaskState.SCHEDULED if since is None else TaskState.RUNNING,
        disabled=not task.enabled,
        schedule=task.words or "",
        overrides=task.overrides,
        period=None,
        next_run=task.next_run,
        description=task.policies.description,
        replaces_running=False,
        again=False,
        run=None if since is None else RunSnapshot(0, Trigger.SCHEDULE, since, since, 1, None, None),
        retry=None,
        past=past,
        failing=status.failing,
        failing_since=None,
        run_count=task.run_count,
        skipped={},
        unregistered=False,
        totals=NO_TOTALS if saved is None or saved.totals is None else saved.totals,
    )
