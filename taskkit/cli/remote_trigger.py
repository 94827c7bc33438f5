"""Runs a task in the process of its scheduler: asks for the run, prints its lines, waits for the outcome."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from time import monotonic
from typing import Any, Final

from taskkit.cli.command_line_errors import CommandLineError, quoted
from taskkit.cli.console import Console, print_message, print_to_stderr
from taskkit.cli.exit_statuses import FAILED, INTERRUPTED, NO_ANSWER, OK
from taskkit.cli.running_service import Service
from taskkit.cli.service_news import ServiceNews
from taskkit.events import OutputWritten
from taskkit.outcome import Outcome
from taskkit.output_lines import Stream
from taskkit.remote.link import Link
from taskkit.snapshot import Parameter, TaskDetails
from taskkit.words.plain_text import harmless

LAST_LINES_SECONDS: Final = 2.0
"""Time limit for the last lines of a run, once its outcome is known."""
LOOK_SECONDS: Final = 1.0
"""The time between two looks whether a run that has not begun is still to come."""
_MOST_LOOKS: Final = 3
"""So many looks in a row find no run to come before it counts as dropped: an outcome may be on its way."""

ReadParameters = Callable[[str, Mapping[str, Parameter], bool], dict[str, object]]
"""Reads `--param` by the name of the task, its parameters, and whether it takes any others."""
Report = Callable[[Outcome], int]
"""Prints an outcome; returns the exit status."""


def trigger_there(
    service: Service, name: str, options: argparse.Namespace, read: ReadParameters, report: Report
) -> int:
    """Run a task in its process. Returns the exit status.

    Args:
        service: A connection; it watches, unless `--no-wait` was given.
        name: The name of the task.
        options: The options of the command line.
        read: See `ReadParameters`.
        report: See `Report`.

    Raises:
        CommandLineError: There is no such task, it was refused, or there was no answer.
    """
    found = service.ask("describe", name=name, due_times=0)["details"]
    if found is None:
        raise CommandLineError(f"{quoted(name)} is gone")
    details = service.client.rows.read(TaskDetails, found)
    known = {each.name: each for each in details.parameters}
    parameters = read(name, known, not known)
    if options.no_wait:
        _start(service, name, parameters)
        return OK
    run = details.task.run
    after = 0 if run is None else run.number
    outcome = service.client.ask("await_outcome", name=name, after=after)
    _start(service, name, parameters)
    if not options.quiet:
        print_message(f"{quoted(name)} runs in {service.shown} ({service.process})")
    return _FollowedOutput(service, name, after).wait(outcome, report)


def _start(service: Service, name: str, parameters: dict[str, object]) -> None:
    if not service.ask("run", names=[name], parameters=parameters)["names"]:
        raise CommandLineError(f"{quoted(name)} cannot be run")


class _FollowedOutput:
    """Prints what a run writes, until it has ended.

    Args:
        service: The process that runs it.
        name: The name of the task.
        after: The number of a run; only a later one is followed.
    """

    def __init__(self, service: Service, name: str, after: int) -> None:
        self._service = service
        self._name = name
        self._after = after
        self._news = ServiceNews(service)
        self._consoles = {True: Console(sys.stderr), False: Console(sys.stdout)}
        self._printed: dict[int, int] = {}  # lines by run
        self._look_at: float | None = monotonic() + LOOK_SECONDS  # monotonic; None once the run is there
        self._looks = 0

    def wait(self, future: Future[dict[str, Any]], report: Report) -> int:
        """Wait for the outcome and report it. Returns the exit status."""
        try:
            while not future.done():
                self._print_news()
                if self._news.wait() is Link.NO_ANSWER:
                    raise CommandLineError(
                        f"{self._service.shown} ({self._service.process}) no longer answers:"
                        f" the outcome of {quoted(self._name)} is unknown",
                        NO_ANSWER,
                    )
                if self._is_dropped():
                    raise CommandLineError(
                        f"{quoted(self._name)} was unregistered or replaced before this run began", FAILED
                    )
            answer = self._service.answer(future)
            outcome = self._service.client.rows.read(Outcome, answer["outcome"])
            self._print_last_lines(outcome)
        except KeyboardInterrupt:
            print_to_stderr("")
            print_message(
                f"no longer waiting; {quoted(self._name)} continues in {self._service.shown}"
                f" ({self._service.process})"
            )
            return INTERRUPTED
        return report(outcome)

    def _is_dropped(self) -> bool:
        """True if the run has not begun, and never will: its task was unregistered or replaced meanwhile."""
        if self._look_at is None or monotonic() < self._look_at:
            return False
        self._look_at = monotonic() + LOOK_SECONDS
        found = self._service.ask("describe", name=self._name, due_times=0)["details"]
        task = None if found is None else self._service.client.rows.read(TaskDetails, found).task
        if task is not None and task.run is not None and task.run.number > self._after:
            self._look_at = None
        self._looks = 0 if task is not None and (task.again or self._look_at is None) else self._looks + 1
        return self._looks >= _MOST_LOOKS

    def _print_news(self) -> None:
        for event in self._news.take():
            if event.name == self._name and event.run > self._after:
                self._print(event)

    def _print(self, event: OutputWritten) -> None:
        lines = [line for line in event.lines if not line.text.endswith("\r")]
        self._printed[event.run] = self._printed.get(event.run, 0) + event.dropped + len(lines)
        for line in lines:
            self._write(line.text, to_stderr=line.stream is not Stream.STDOUT)
        sys.stdout.flush()

    def _print_last_lines(self, outcome: Outcome) -> None:
        """Print what comes after the outcome, or was not sent because too many watch."""
        total = len(outcome.output) + outcome.output_dropped
        deadline = monotonic() + LAST_LINES_SECONDS
        is_sent = self._news.was_attached and self._service.client.state.link is Link.ATTACHED
        while is_sent and self._printed.get(outcome.run, 0) < total and monotonic() < deadline:
            self._print_news()
            self._news.wait()
        missing = total - self._printed.get(outcome.run, 0)
        if missing > 0:
            for line in outcome.output[-missing:]:
                self._write(line, to_stderr=False)

    def _write(self, text: str, *, to_stderr: bool) -> None:
        console = self._consoles[to_stderr]
        shown = harmless(text) if console.is_terminal else text
        if to_stderr:
            print_to_stderr(shown)
        else:
            console.print(shown)
