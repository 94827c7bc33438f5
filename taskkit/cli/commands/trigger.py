"""`taskkit trigger`: run one task now, in the process that runs the target, or else in this one."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, cast

from taskkit._helpers.user_frames import error_words, raised_at
from taskkit.cli.command_line_errors import (
    CommandLineError,
    did_you_mean,
    name_list,
    quoted,
    resolve_task_name,
    unknown_task_error,
)
from taskkit.cli.console import print_message, print_to_stderr, redirect_to_devnull
from taskkit.cli.exit_statuses import ABANDONED, FAILED, OK, TIMED_OUT, by_signal
from taskkit.cli.foreground import exit_now, report_abandoned
from taskkit.cli.options import add_command, add_state, add_target_and_name, span_seconds
from taskkit.cli.remote_trigger import trigger_there
from taskkit.cli.running_service import connected, may_watch, running_target, services_meant
from taskkit.cli.signal_queue import SignalQueue
from taskkit.cli.signals import SignalHandlers
from taskkit.cli.stdout_errors import recorded_stdout_errors
from taskkit.cli.target_loading import load_target_and_state, read_target_and_name, target_or_state
from taskkit.events import Event, RunFinished
from taskkit.outcome import Outcome, OutcomeKind, Trigger
from taskkit.parameters import parse_parameter
from taskkit.policies import Policies
from taskkit.process.orphans import leave_orphans_to_parent
from taskkit.process.process_exit import StandardStreams, prepare_to_leave, unhandled_signals
from taskkit.remote.discovery import Found, matching, running_schedulers
from taskkit.scheduler import Scheduler
from taskkit.snapshot import Parameter
from taskkit.spec import TaskSpec
from taskkit.targets.target import is_target
from taskkit.task import Task, TaskLike
from taskkit.words.durations import duration
from taskkit.words.name_forms import ShownNames, names_meant
from taskkit.words.outcomes import kind_words
from taskkit.words.plain_text import harmless

_STOPPING_UNLESS_IGNORED: Final = (signal.SIGQUIT, signal.SIGHUP)
"""Signals that also stop the run, unless they are ignored, as with `nohup`."""

_DESCRIPTION: Final = """
Run one task of a target now, and exit with its outcome. If a process runs the target, the task runs in that
process, and what it writes is printed here; ctrl+c ends only the wait. TARGET may then also be the name or
the process id of the scheduler, as taskkit ps shows them.

If no process runs the target, or with --here, the task runs in this process. It writes straight to standard
output and standard error. No other task runs, no due time changes, and nothing is written to the state. A
failed run is not retried.

The types of parameters are those that the task declares, or else those of its constructor. A plain function
that declares none accepts any name, and finds the values as strings in current_run().parameters.

With --state and no TARGET, you can run the tasks that someone registered while the program ran, as with the
dashboard's form: the state holds all that is needed to create them.
"""

_EPILOG: Final = """
exit status:
  0    the run succeeded
  1    the run failed or was stopped, or its output could not be written
  2    there is no such task, or the target cannot be used, or the task is
       registered only in a state that other users can write to
  3    the run was asked to stop, and did not stop in time
  4    the process that runs the target did not answer
  124  the run timed out
  130  the run was stopped by ctrl+c; 143 by SIGTERM; 128 + n by signal n;
       for a run in another process: ctrl+c ended the wait
  141  the reader of standard output went away, as with | head

examples:
  taskkit trigger tasks.toml backup
  taskkit trigger shop.tasks:nightly report --param month=2026-11
  taskkit trigger shop backup --no-wait
  taskkit trigger --state /var/lib/shop/state.sqlite reminder
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands,
        "trigger",
        "run one task now",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_target_and_name(parser, "[TARGET] NAME")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="pass a parameter to the run; repeat for several",
    )
    parser.add_argument(
        "--timeout",
        type=span_seconds,
        default=10.0,
        metavar="TIME",
        help="how long to wait for the run after asking it to stop, as 20 or 1m30s (default: 10)",
    )
    add_state(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--here", action="store_true", help="run it in this process, even if another process runs the target"
    )
    where.add_argument(
        "--no-wait",
        action="store_true",
        help="only ask the process that runs the target to run it, and do not wait for the outcome",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="do not report the outcome")


def perform(options: argparse.Namespace) -> int:
    """Run the task. Returns the exit status."""
    if (found := _process_to_ask(options)) is not None:
        return _trigger_in_process(found, options)
    read_target_and_name(options, needs_name=True)
    if options.no_wait:
        raise CommandLineError(f"no process runs {quoted(target_or_state(options))}: leave out --no-wait")
    if (status := leave_orphans_to_parent()) is not None:
        return status
    target, state = load_target_and_state(options)
    if state is not None and state.process.running and not options.here:
        print_message(
            f"process {state.process.pid} runs {quoted(target_or_state(options))} too, and cannot be reached;"
            " the task runs here"
        )
    scheduler = target.scheduler
    saved = {} if state is None else state.tasks
    specs = {task.name: task.spec for task in saved.values() if task.spec is not None}
    names = list(dict.fromkeys([*(task.name for task in scheduler.snapshot().tasks), *specs]))
    if options.target is None:
        _refuse_task_without_recipe(options, names, [name for name in saved if name not in specs])
    name = resolve_task_name(options.name, names)
    if name is None:
        raise unknown_task_error(target_or_state(options), options.name, names)
    if scheduler.handle(name) is None:
        if state is not None and state.untrusted is not None:
            raise CommandLineError(
                f"{quoted(name)} is registered only in the state, and is not run: {harmless(state.untrusted)}"
            )
        _add_saved_task(scheduler, specs[name])
    details = scheduler.describe(name, 0)
    known = {} if details is None else {parameter.name: parameter for parameter in details.parameters}
    takes_any = not known and _declares_nothing(scheduler, name)
    parameters = _read_parameters(name, known, takes_any, options.param)
    if scheduler.is_persistent and not scheduler.is_running:
        scheduler = _scheduler_with_only(scheduler, name)
    with recorded_stdout_errors() as stdout:
        status = _TriggeredRun(scheduler, name, ShownNames(names).of(name), options).run(parameters)
    if stdout.first_error is None:
        return status
    if status == OK:
        raise stdout.first_error
    redirect_to_devnull(sys.stdout)
    return status


def _process_to_ask(options: argparse.Namespace) -> Found | None:
    """The process that runs the task; None if it is to run here."""
    words: list[str] = options.positionals
    if options.here or options.state is not None or len(words) != 2:
        return None
    if is_target(words[0]):
        return running_target(words[0])
    found = matching(words[0], running_schedulers())
    return services_meant(words[0])[0] if found else None


def _trigger_in_process(found: Found, options: argparse.Namespace) -> int:
    watch = not options.no_wait and may_watch(found)
    with connected(found, watch=watch) as service:
        name = service.task_name(options.positionals[1])
        shown = ShownNames([name]).of(name)
        return trigger_there(
            service,
            name,
            options,
            lambda task, known, takes_any: _read_parameters(task, known, takes_any, options.param),
            lambda outcome: _report_outcome(outcome, shown, quiet=options.quiet),
        )


def _refuse_task_without_recipe(options: argparse.Namespace, names: list[str], others: list[str]) -> None:
    """Raise an error if the name is that of a task which only its program or file can create."""
    if resolve_task_name(options.name, [*names, *others]) in others:
        path = harmless(str(options.state))
        raise CommandLineError(
            f"{quoted(options.name)} cannot be created from its state alone: its program or file registers "
            f"it; name that too: taskkit trigger TARGET NAME --state {path}"
        )


def _add_saved_task(scheduler: Scheduler, spec: TaskSpec) -> None:
    """Add a task that was registered while the program ran earlier."""
    try:
        scheduler.add_spec(spec)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # importing it may raise anything, `SystemExit` included
        place = raised_at(error)
        reason = harmless(f"{error_words(error)}{'' if place is None else f' ({place})'}")
        raise CommandLineError(f"{quoted(spec.name)} can no longer be created: {reason}") from error


def _scheduler_with_only(scheduler: Scheduler, name: str) -> Scheduler:
    """Return a new scheduler with that task alone: the given one, once started, would write to its store."""
    handle = scheduler.handle(name)
    assert handle is not None
    policies: dict[str, Any] = {
        field.name: getattr(handle.policies, field.name) for field in fields(Policies)
    }
    del policies["keep"]  # the new scheduler is gone after this one run
    separate = Scheduler()
    separate.add_task(handle.schedule, cast(TaskLike, handle.task), name, **policies)
    return separate


class _TriggeredRun:
    """The run that this command starts and waits for."""

    def __init__(self, scheduler: Scheduler, name: str, shown: str, options: argparse.Namespace) -> None:
        self._scheduler = scheduler
        self._name = name
        self._shown = shown
        self._options = options
        self._queue: SignalQueue[Outcome | int] = SignalQueue()
        self._streams = StandardStreams()

    def run(self, parameters: dict[str, object]) -> int:
        """Start the run, and wait for its end. Returns the exit status."""
        prepare_to_leave()
        scheduler = self._scheduler
        started_here = not scheduler.is_running
        logging.getLogger("taskkit").addFilter(_is_not_about_a_run)
        unsubscribe = scheduler.subscribe(self._on_event, (RunFinished,))
        if started_here:
            scheduler.pause()  # so that no other task starts
            scheduler.start()
        try:
            numbers = {signal.SIGINT, signal.SIGTERM, *_STOPPING_UNLESS_IGNORED, *unhandled_signals()}
            with SignalHandlers(
                numbers, self._queue.put, self._queue.descriptor, keep_ignored=_STOPPING_UNLESS_IGNORED
            ):
                if not scheduler.demand_task(self._name, parameters or None):
                    raise CommandLineError(f"{quoted(self._name)} cannot be run")
                return self._wait()
        finally:
            logging.getLogger("taskkit").removeFilter(_is_not_about_a_run)
            unsubscribe()
            if started_here:
                scheduler.stop(0)

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, RunFinished) or event.name != self._name:
            return
        if event.outcome.trigger is Trigger.DEMAND:
            self._queue.put(event.outcome)

    def _wait(self) -> int:
        first = self._queue.get()
        if isinstance(first, Outcome):
            return self._report(first)
        assert first is not None
        self._scheduler.stop_task(self._name)
        outcome = self._queue.get(self._options.timeout)
        if not isinstance(outcome, Outcome):  # it did not stop in time, or a second signal came
            report_abandoned([self._name])
            return exit_now(ABANDONED)
        self._report(outcome)
        return by_signal(first)

    def _report(self, outcome: Outcome) -> int:
        """Print the outcome. Returns the exit status."""
        self._streams.put_back()
        try:
            sys.stdout.flush()  # so that the outcome comes after the task's output
        except (OSError, ValueError, AttributeError):
            pass  # the error is recorded, or the task has closed the stream
        return _report_outcome(outcome, self._shown, quiet=self._options.quiet)


def _report_outcome(outcome: Outcome, shown: str, *, quiet: bool) -> int:
    """Print how a run ended. Returns the exit status."""
    if not quiet:
        if outcome.traceback:
            for line in outcome.traceback.rstrip().split("\n"):
                print_to_stderr(harmless(line.expandtabs()))
        detail = f": {harmless(outcome.exception)}" if outcome.exception and not outcome.traceback else ""
        ended = f"{kind_words(outcome.kind)} after {duration(outcome.duration)}"
        print_message(f"{shown} {ended}{detail}")
    match outcome.kind:
        case OutcomeKind.SUCCEEDED:
            return OK
        case OutcomeKind.TIMED_OUT:
            return TIMED_OUT
        case _:
            return FAILED


def _is_not_about_a_run(record: logging.LogRecord) -> bool:
    return not hasattr(record, "run")


def _declares_nothing(scheduler: Scheduler, name: str) -> bool:
    """True if the task is a plain callable that does not declare its parameters."""
    handle = scheduler.handle(name)
    if handle is None or isinstance(handle.task, Task):
        return False
    return not isinstance(getattr(handle.task, "run_parameters", None), Mapping)


def _read_parameters(
    name: str, known: Mapping[str, Parameter], takes_any: bool, given: list[str]
) -> dict[str, object]:
    parameters: dict[str, object] = {}
    for text in given:
        key, equals, value = text.partition("=")
        meant = names_meant(key, known)
        key = meant[0] if len(meant) == 1 else key  # typed as it is shown
        if not equals or not key:
            raise CommandLineError(f"--param {quoted(text)} must be of the form NAME=VALUE")
        if takes_any:
            parameters[key] = value
            continue
        if key not in known:
            perhaps = did_you_mean(key, known) or (f"; it takes {name_list(known)}" if known else "")
            raise CommandLineError(f"{quoted(name)} takes no parameter {quoted(key)}{perhaps}")
        try:
            parameters[key] = parse_parameter(known[key], value)
        except ValueError as error:
            raise CommandLineError(harmless(str(error))) from None
    return parameters
