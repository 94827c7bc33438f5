"""The tasks of a running scheduler as it reports them itself, for `list`, `next` and `metrics`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Final

from taskkit.cli.console import print_message
from taskkit.cli.running_service import Service, connected, services_meant
from taskkit.cli.service_news import POLL_SECONDS
from taskkit.cli.target_loading import may_hold_state
from taskkit.cli.task_status import TaskStatus, status_of
from taskkit.cli.upcoming import UpcomingTask
from taskkit.policies import limits_from_texts
from taskkit.remote.discovery import Found, matching, running_schedulers
from taskkit.remote.link import Link
from taskkit.schedules import Once
from taskkit.schedules.typed_schedule import read_schedule
from taskkit.snapshot import Figures, Snapshot, TaskSnapshot
from taskkit.targets.state_paths import state_path
from taskkit.targets.target import is_target
from taskkit.words.plain_text import harmless

if TYPE_CHECKING:
    from taskkit.schedules import Schedule
    from taskkit.store import StoreProcess

ANSWER_SECONDS: Final = 5.0
"""The time limit for the rows of all tasks."""


@dataclass(frozen=True, slots=True)
class LiveTasks:
    """The tasks of a running scheduler at one moment."""

    rows: list[tuple[UpcomingTask, TaskStatus]]
    """In the order of registration."""
    now: float
    """By its clock, in epoch seconds."""
    paused: bool
    process: StoreProcess
    name: str
    """The name that people use for it."""
    snapshot: Snapshot


def live_tasks(options: argparse.Namespace) -> LiveTasks | None:
    """Ask the process that runs what the command line names; None if its state is to be read instead.

    Only a process that can be reached is asked. If it does not answer, that is said.

    Raises:
        CommandLineError: The name is that of several.
    """
    found = _process_to_ask(options)
    if found is None:
        return None
    live, reason = None, found.trouble
    if not found.trouble:  # one that was too busy to answer in time when all were asked has longer now
        with connected(found, watch=True) as service:
            live, reason = _ask(service), service.client.state.text
    if live is None:
        why = harmless(reason or "it does not answer")
        print_message(f"cannot ask {harmless(found.name)} (process {found.pid}): {why}")
    return live


def _process_to_ask(options: argparse.Namespace) -> Found | None:
    words: list[str] = options.positionals
    if options.state is not None or not words:
        return None
    if not is_target(words[0]):
        found = matching(words[0], running_schedulers())
        return services_meant(words[0])[0] if found else None
    found = matching(words[0], running_schedulers())
    if len(found) == 1:
        return found[0]
    # Only one of several processes can have the state; without one, it is not clear which is meant.
    has_state = not options.no_state and may_hold_state(state_path(words[0]))
    return None if has_state or not found else services_meant(words[0])[0]


def _ask(service: Service) -> LiveTasks | None:
    from taskkit.store import StoreProcess

    client = service.client
    tasks: dict[int, TaskSnapshot] = {}
    deadline = monotonic() + ANSWER_SECONDS
    frame: dict[str, object] = {"rest": 1}
    while frame["rest"]:
        for news in client.take_news():
            frame = news.frame
            rows, gone = frame.get("rows"), frame.get("gone")
            for row in rows if isinstance(rows, list) else ():
                task = client.rows.read(TaskSnapshot, row)
                tasks[task.number] = task
            for number in gone if isinstance(gone, list) else ():
                tasks.pop(number, None)
        is_refused = client.state.link not in (Link.CONNECTING, Link.ATTACHED)
        if frame["rest"] and (is_refused or monotonic() > deadline):
            return None
        if frame["rest"]:
            sleep(POLL_SECONDS)
    figures = client.rows.read(Figures, frame["figures"])
    found = service.found
    # One that was replaced, and only ends its run, has the name of its successor.
    there = [tasks[number] for number in sorted(tasks) if not tasks[number].unregistered]
    live = [_row(task, figures.time) for task in there]
    process = StoreProcess(running=True, pid=found.pid, since=found.since, last_seen=time())
    snapshot = Snapshot(figures, tuple(there))
    return LiveTasks(live, figures.time, figures.paused, process, found.name, snapshot)


def _row(task: TaskSnapshot, now: float) -> tuple[UpcomingTask, TaskStatus]:
    limits = limits_from_texts(task.limits)
    policies = replace(limits, description=task.description, max_runs=task.max_runs)
    upcoming = UpcomingTask(
        task.name,
        _schedule(task, now),
        policies,
        not task.disabled,
        task.overrides,
        task.next_run,
        task.run_count,
        task.disabled_until,
        reported_words=task.schedule,
        executor=task.executor,
    )
    return upcoming, status_of(task)


def _schedule(task: TaskSnapshot, now: float) -> Schedule | None:
    """Return the schedule that its words mean; None for a custom schedule."""
    if task.schedule == "once":
        return None if task.next_run is None or task.retry is not None else Once(task.next_run)
    try:
        return read_schedule(task.schedule, now)
    except Exception:  # noqa: BLE001 - the words of a foreign schedule may be anything
        return None
