"""A connection to a scheduler in another process, for commands: finds it, asks it, reports errors."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final

from taskkit.cli.command_line_errors import (
    CommandLineError,
    did_you_mean,
    quoted,
    resolve_task_name,
    unknown_task_error,
)
from taskkit.cli.console import print_message
from taskkit.cli.exit_statuses import FAILED, NO_ANSWER, OK, USAGE
from taskkit.remote.client import Client, own_terminal
from taskkit.remote.discovery import Found, matching, running_schedulers
from taskkit.remote.errors import NoAnswerError, RefusedError, RemoteError
from taskkit.remote.protocol import MOST_WATCHERS
from taskkit.schedules.zones import zone_name
from taskkit.targets.state_paths import state_path
from taskkit.targets.target import TargetError, is_target
from taskkit.words.plain_text import harmless
from taskkit.words.times import full_time, offset_words

SERVICE_HELP: Final = (
    "a scheduler that runs on this machine: its name, its process id or its target, as taskkit ps shows "
    "them; or the path of its socket"
)

STATUSES: Final = """
exit status:
  0    it was done
  1    it was refused, or does not apply to a task
  2    there is no such scheduler or task, or several have the name
  4    the scheduler was asked and did not answer
"""
"""The exit statuses of commands on a running scheduler, for their help."""


def add_service(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument SERVICE, and `--all`."""
    parser.add_argument("service", metavar="SERVICE", help=SERVICE_HELP)
    parser.add_argument(
        "--all", action="store_true", help="if several have that name: all of them, one after the other"
    )


class Service:
    """A connection to one running scheduler.

    Args:
        found: The scheduler to connect to.
        watch: True to receive its news.
    """

    def __init__(self, found: Found, *, watch: bool = False) -> None:
        self.found = found
        self.client = Client(found.socket, watch=watch, tty=own_terminal(), program="taskkit")

    def ask(self, request: str, **arguments: object) -> dict[str, Any]:
        """Ask, and wait for the answer.

        Raises:
            CommandLineError: It was refused, or there was no answer.
        """
        return self.answer(self.client.ask(request, **arguments))

    def answer(self, future: Future[dict[str, Any]]) -> dict[str, Any]:
        """Wait for an answer; see `ask`."""
        try:
            return future.result()
        except RefusedError as error:
            status = USAGE if error.kind == "bad_time" else FAILED
            raise CommandLineError(f"{self.shown}: {harmless(str(error))}", status) from None
        except NoAnswerError as error:
            raise CommandLineError(harmless(str(error)), NO_ANSWER) from None
        except RemoteError as error:
            raise CommandLineError(harmless(str(error))) from None

    @property
    def shown(self) -> str:
        """Its name, harmless."""
        return harmless(self.found.name)

    @property
    def process(self) -> str:
        """Its process, in words."""
        return f"process {self.found.pid}"

    def task_name(self, typed: str) -> str:
        """Return the name of the task that a person means.

        Raises:
            CommandLineError: There is no such task, or it may be one of several.
        """
        names = self.ask("names")["names"]
        name = resolve_task_name(typed, names)
        if name is None:
            raise unknown_task_error(self.found.name, typed, names)
        return name

    def task_names(self, typed: Sequence[str]) -> list[str]:
        """Return the names of the tasks that a person means, each once; see `task_name`."""
        return list(dict.fromkeys(self.task_name(each) for each in typed))

    def time_words(self, instant: float) -> str:
        """Return a time in epoch seconds, as clocks show it here; with its offset if zones differ."""
        greeting = self.client.greeting or {}
        offset = "" if greeting.get("zone") == zone_name(None) else f" {offset_words(instant)}"
        return f"{full_time(instant)}{offset}"


def may_watch(found: Found) -> bool:
    """True if the scheduler has a place left for one more client that watches."""
    with connected(found) as service:
        clients = service.ask("clients")["clients"]
    return len([each for each in clients if each["watches"]]) < MOST_WATCHERS


@contextmanager
def connected(found: Found, *, watch: bool = False) -> Iterator[Service]:
    """Connect to one running scheduler; the connection is closed at the end of the block."""
    service = Service(found, watch=watch)
    try:
        yield service
    finally:
        service.client.close()


def services_meant(text: str, *, all_of_them: bool | None = None) -> list[Found]:
    """Return the running schedulers that a person means: one, unless all are wanted.

    Args:
        text: The typed name, process id, target or path of a socket.
        all_of_them: True if `--all` was given; None if the command takes one scheduler only.

    Raises:
        CommandLineError: There is none; or there are several, and one is wanted.
    """
    running = running_schedulers()
    found = matching(text, running)
    if not found:
        raise CommandLineError(_no_such_service(text, running))
    if len(found) > 1 and not all_of_them:
        pids = ", ".join(str(each.pid) for each in found)
        or_all = "" if all_of_them is None else ", or use --all"
        raise CommandLineError(
            f"several schedulers are called {quoted(text)}: choose one by its process id ({pids}){or_all}"
        )
    return found


def running_target(target: str) -> Found | None:
    """Return the process that runs a target and can be asked; None if there is none.

    Raises:
        CommandLineError: There are several.
    """
    found = matching(target, running_schedulers())
    if len(found) > 1:
        pids = ", ".join(str(each.pid) for each in found)
        raise CommandLineError(
            f"several processes run {quoted(target)}: choose one by its process id ({pids})"
        )
    return found[0] if found else None


def unreachable_process(target: str) -> int | None:
    """Return the process id of a running target that serves no socket; None if there is none.

    It has the state of the target open. It was started with --no-attach, or could not create a socket.
    """
    from taskkit.store import StoreError, read_state

    try:
        path = state_path(target)
        process = read_state(path).process if path.is_file() else None
    except (StoreError, TargetError, OSError):
        return None
    return process.pid if process is not None and process.running else None


def for_each_service(options: argparse.Namespace, act: Callable[[Service], int]) -> int:
    """Call `act` for each scheduler that the command line names. Return the worst exit status.

    Raises:
        CommandLineError: There is none, or the only one fails.
    """
    found = services_meant(options.service, all_of_them=options.all)
    status = OK
    for each in found:
        try:
            with connected(each) as service:
                status = max(status, act(service))
        except CommandLineError as error:
            if len(found) == 1:
                raise
            print_message(f"{error} ({each.pid})")
            status = max(status, error.status)
    return status


def report_missed(done: Sequence[str], asked: Sequence[str], words: str) -> int:
    """Report why the command did nothing to some tasks. Return the exit status."""
    missed = [name for name in asked if name not in done]
    for name in missed:
        print_message(f"{quoted(name)} {words}")
    return FAILED if missed else OK


def _no_such_service(text: str, running: Sequence[Found]) -> str:
    if is_target(text):
        pid = unreachable_process(text)
        if pid is not None:
            return (
                f"{quoted(text)} is run by process {pid}, which cannot be reached: it was started with"
                " --no-attach, or could not create a socket"
            )
        return f"no process runs {quoted(text)}"
    names = [each.name for each in running]
    if text.isdigit():
        return f"process {text} runs no scheduler that can be reached; see taskkit ps"
    perhaps = did_you_mean(text, names)
    if not perhaps:
        perhaps = f"; there are {', '.join(sorted(map(harmless, set(names))))}" if names else ""
    return f"no scheduler {quoted(text)} runs here{perhaps}"
