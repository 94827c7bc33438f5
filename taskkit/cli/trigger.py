"""`taskkit trigger`: one task, now, here."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, cast

from taskkit.cli.console import complain, forget, say
from taskkit.cli.errors import CommandLineError, did_you_mean, quoted, unknown_task
from taskkit.cli.leaving import leave, tell_abandoned
from taskkit.cli.loading import load_with_state
from taskkit.cli.news import News
from taskkit.cli.noticing import noticed_output
from taskkit.cli.parser import add_command, add_state, add_target, seconds
from taskkit.cli.signals import Signals
from taskkit.cli.statuses import ABANDONED, FAILED, OK, TIMED_OUT, by_signal
from taskkit.cli.words import kind_words
from taskkit.durations import duration
from taskkit.engine.parameters import parse_parameter
from taskkit.events import Event, RunFinished
from taskkit.outcome import Outcome, OutcomeKind, Trigger
from taskkit.plain_text import harmless
from taskkit.policies import Policies
from taskkit.scheduler import Scheduler
from taskkit.spec import TaskSpec
from taskkit.task import Task, TaskLike

_DESCRIPTION: Final = """
Run one task of a target now, in this process, and leave with its outcome. What it writes goes where this
command's own output goes, as if it were run by itself. Nothing else is started, due times stay where they
are, and nothing is written to the state. It is one try: a failed one is not repeated.

Parameters are read as the task declares them, or else as its constructor takes them. A plain function that
declares none is given whatever is named, as texts, in current_run().parameters.
"""

_EPILOG: Final = """
exit status:
  0    it succeeded
  1    it failed, or was stopped, or what it wrote could not be written
  2    there is no such task, or the target cannot be used
  3    it was asked to stop, and did not in time
  124  its time was over
  130  it was stopped by ctrl+c, 143 by SIGTERM
  141  nobody read what it wrote

examples:
  taskkit trigger tasks.toml backup
  taskkit trigger shop.tasks:nightly report --param month=2026-11
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer it."""
    parser = add_command(
        commands, "trigger", "run one task now, here", perform, description=_DESCRIPTION, epilog=_EPILOG
    )
    add_target(parser)
    parser.add_argument("name", metavar="NAME", help="the name of the task")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the run; may be given several times",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=10.0,
        metavar="TIME",
        help="how long it has to end once it was asked to stop: seconds, or a span as 1m30s; 10 by default",
    )
    add_state(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="do not say how it ended")


def perform(options: argparse.Namespace) -> int:
    """Do it. Returns the exit status."""
    target, state = load_with_state(options)
    scheduler, name = target.scheduler, options.name
    if scheduler.handle(name) is None and state is not None:
        kept = state.tasks.get(name)
        if kept is not None and kept.spec is not None:
            _register(scheduler, kept.spec)
    if scheduler.handle(name) is None:
        raise unknown_task(options.target, name, [task.name for task in scheduler.snapshot().tasks])
    parameters = _read_parameters(scheduler, name, options.param)
    if scheduler.is_kept and not scheduler.is_running:
        scheduler = _apart(scheduler, name)
    with noticed_output() as output:
        status = _Triggered(scheduler, name, options).run(parameters)
    if output.trouble is None:
        return status
    if status == OK:
        raise output.trouble
    forget(sys.stdout)
    return status


def _register(scheduler: Scheduler, spec: TaskSpec) -> None:
    """Make a task that a person registered in an earlier life."""
    try:
        scheduler.add_spec(spec)
    except Exception as error:
        told = harmless(f"{type(error).__name__}: {error}")
        raise CommandLineError(f"{quoted(spec.name)} cannot be made any more: {told}") from error


def _apart(scheduler: Scheduler, name: str) -> Scheduler:
    """A scheduler with that task alone, as the other one, once started, would write to its own state."""
    handle = scheduler.handle(name)
    assert handle is not None
    policies: dict[str, Any] = {each.name: getattr(handle.policies, each.name) for each in fields(Policies)}
    del policies["keep"]  # it lives no longer than its one run
    apart = Scheduler()
    apart.add_task(handle.schedule, cast(TaskLike, handle.task), name, **policies)
    return apart


class _Triggered:
    """The one run that is waited for."""

    def __init__(self, scheduler: Scheduler, name: str, options: argparse.Namespace) -> None:
        self._scheduler = scheduler
        self._name = name
        self._options = options
        self._news: News[Outcome | int] = News()

    def run(self, parameters: dict[str, object]) -> int:
        """Start it, and wait for its end. Returns the exit status."""
        scheduler = self._scheduler
        started_here = not scheduler.is_running
        logging.getLogger("taskkit").addFilter(_tells_no_outcome)
        unsubscribe = scheduler.subscribe(self._hear)
        if started_here:
            scheduler.pause()  # so that nothing else falls due
            scheduler.start()
        try:
            with Signals((signal.SIGINT, signal.SIGTERM), self._news.put, self._news.descriptor):
                if not scheduler.demand_task(self._name, parameters or None):
                    raise CommandLineError(f"{quoted(self._name)} cannot be run")
                return self._wait()
        finally:
            logging.getLogger("taskkit").removeFilter(_tells_no_outcome)
            unsubscribe()
            if started_here:
                scheduler.stop(0)

    def _hear(self, event: Event) -> None:
        if not isinstance(event, RunFinished) or event.name != self._name:
            return
        if event.outcome.trigger is Trigger.DEMAND:
            self._news.put(event.outcome)

    def _wait(self) -> int:
        news = self._news.get()
        if isinstance(news, Outcome):
            return self._told(news)
        assert news is not None
        self._scheduler.stop_task(self._name)
        outcome = self._news.get(self._options.timeout)
        if not isinstance(outcome, Outcome):  # its time is over; or a second signal came
            tell_abandoned([self._name])
            return leave(ABANDONED)
        self._told(outcome)
        return by_signal(news)

    def _told(self, outcome: Outcome) -> int:
        try:
            sys.stdout.flush()  # so that how it ended comes after what it wrote
        except OSError:
            pass  # it is noted
        if outcome.traceback and not self._options.quiet:
            for line in outcome.traceback.rstrip().split("\n"):
                complain(harmless(line.expandtabs()))
        if not self._options.quiet:
            detail = f": {harmless(outcome.exception)}" if outcome.exception and not outcome.traceback else ""
            ended = f"{kind_words(outcome.kind)} after {duration(outcome.duration)}"
            say(f"{harmless(self._name)} {ended}{detail}")
        match outcome.kind:
            case OutcomeKind.SUCCEEDED:
                return OK
            case OutcomeKind.TIMED_OUT:
                return TIMED_OUT
            case _:
                return FAILED


def _tells_no_outcome(record: logging.LogRecord) -> bool:
    return not hasattr(record, "run")


def _declares_nothing(scheduler: Scheduler, name: str) -> bool:
    """Whether it is a plain callable that does not say what its runs take."""
    handle = scheduler.handle(name)
    if handle is None or isinstance(handle.task, Task):
        return False
    return not isinstance(getattr(handle.task, "run_parameters", None), Mapping)


def _read_parameters(scheduler: Scheduler, name: str, given: list[str]) -> dict[str, object]:
    details = scheduler.describe(name, 0)
    known = {} if details is None else {each.name: each for each in details.parameters}
    takes_any = not known and _declares_nothing(scheduler, name)
    parameters: dict[str, object] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise CommandLineError(f"--param {quoted(text)} must be of the form NAME=VALUE")
        if takes_any:
            parameters[key] = value
            continue
        if key not in known:
            perhaps = did_you_mean(key, known) or (f"; it takes {', '.join(known)}" if known else "")
            raise CommandLineError(f"{quoted(name)} takes no parameter {quoted(key)}{perhaps}")
        try:
            parameters[key] = parse_parameter(known[key], value)
        except ValueError as error:
            raise CommandLineError(harmless(str(error))) from None
    return parameters
