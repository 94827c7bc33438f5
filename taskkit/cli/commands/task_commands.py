"""`taskkit stop`, `enable`, `disable`, `period`, `pause` and `resume`: commands on a running scheduler."""

from __future__ import annotations

import argparse
from typing import Final

from taskkit.cli.console import print_message
from taskkit.cli.exit_statuses import OK
from taskkit.cli.options import add_command, non_empty
from taskkit.cli.running_service import STATUSES, Service, add_service, for_each_service, report_missed
from taskkit.words.durations import in_words, typed_period
from taskkit.words.typed_times import FUTURE_TIME_FORMS

_KEPT: Final = """
If the scheduler saves its state, this survives a restart.
"""

_STOP_DESCRIPTION: Final = """
Ask the runs of tasks in a running scheduler to stop. Tasks that are not running are named, and the exit
status is then 1. Due times do not change.

With --abandon, give up runs that were asked to stop before and have not ended: their outcome is "abandoned",
and the tasks can run again at once. The runs themselves continue.
"""

_ENABLE_DESCRIPTION: Final = f"""
Enable tasks of a running scheduler: they fall due again. A task that is already enabled stays enabled.
{_KEPT}"""

_DISABLE_DESCRIPTION: Final = f"""
Disable tasks of a running scheduler: nothing is due until they are enabled. Runs in progress are left alone.
With --until they are enabled again automatically at that time, read in the time zone of the scheduler. A new
--until replaces the former one.
{_KEPT}"""

_PERIOD_DESCRIPTION: Final = f"""
Change the period of a task of a running scheduler, counted from its last due time.
{_KEPT}"""

_PAUSE_DESCRIPTION: Final = """
Pause a running scheduler: nothing falls due until it is resumed. Runs in progress are left alone, and
triggered tasks still run.
"""

_RESUME_DESCRIPTION: Final = """
Resume a paused scheduler. Due times in between are counted as skipped.
"""


def _examples(*lines: str) -> str:
    return STATUSES + "\nexamples:\n" + "\n".join(f"  taskkit {line}" for line in lines) + "\n"


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommands."""
    stop = add_command(
        commands,
        "stop",
        "ask runs in a running scheduler to stop",
        _perform_stop,
        description=_STOP_DESCRIPTION,
        epilog=_examples("stop shop backup", "stop tasks.toml backup report", "stop shop backup --abandon"),
    )
    stop.add_argument(
        "--abandon", action="store_true", help="give up runs that were asked to stop and have not ended"
    )
    disable = add_command(
        commands,
        "disable",
        "disable tasks of a running scheduler",
        _perform_disable,
        description=_DISABLE_DESCRIPTION,
        epilog=_examples(
            'disable shop "old import"',
            "disable shop backup --until friday",
            "disable --all web cleanup --until 2h",
        ),
    )
    disable.add_argument(
        "--until", metavar="TIME", type=non_empty, help=f"enable them again at this time: {FUTURE_TIME_FORMS}"
    )
    enable = add_command(
        commands,
        "enable",
        "enable tasks of a running scheduler",
        _perform_enable,
        description=_ENABLE_DESCRIPTION,
        epilog=_examples('enable shop "old import"'),
    )
    for parser in (stop, disable, enable):
        add_service(parser)
        parser.add_argument("tasks", metavar="TASK", nargs="+", type=non_empty, help="the name of a task")
    period = add_command(
        commands,
        "period",
        "change the period of a task of a running scheduler",
        _perform_period,
        description=_PERIOD_DESCRIPTION,
        epilog=_examples("period shop heartbeat 30", "period 4711 report 1h30m"),
    )
    add_service(period)
    period.add_argument("task", metavar="TASK", type=non_empty, help="the name of a task")
    period.add_argument(
        "period", metavar="PERIOD", type=_period, help="seconds, or a span such as 1m30s; more than 0"
    )
    for name, summary, description, perform in (
        ("pause", "pause a running scheduler", _PAUSE_DESCRIPTION, _perform_pause),
        ("resume", "resume a paused scheduler", _RESUME_DESCRIPTION, _perform_resume),
    ):
        parser = add_command(
            commands,
            name,
            summary,
            perform,
            description=description,
            epilog=_examples(f"{name} shop"),
        )
        add_service(parser)


def _period(text: str) -> float:
    try:
        return typed_period(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _perform_stop(options: argparse.Namespace) -> int:
    if options.abandon:
        return _on_tasks(options, "abandon", "is not running, or was not asked to stop before")
    return _on_tasks(options, "stop", "is not running")


def _perform_disable(options: argparse.Namespace) -> int:
    if options.until is None:
        return _on_tasks(options, "disable", "is gone")

    def act(service: Service) -> int:
        names = service.task_names(options.tasks)
        answer = service.ask("disable_until", names=names, until=options.until)
        if answer["names"]:
            print_message(f"{service.shown}: disabled until {service.time_words(answer['until'])}")
        return report_missed(answer["names"], names, "is gone")

    return for_each_service(options, act)


def _perform_enable(options: argparse.Namespace) -> int:
    return _on_tasks(options, "enable", "is gone")


def _on_tasks(options: argparse.Namespace, request: str, otherwise: str) -> int:
    """Send one request about tasks. Nothing is sent if one of them is unknown."""

    def act(service: Service) -> int:
        names = service.task_names(options.tasks)
        done = service.ask(request, names=names)["names"]
        return report_missed(done, names, otherwise)

    return for_each_service(options, act)


def _perform_period(options: argparse.Namespace) -> int:
    def act(service: Service) -> int:
        name = service.task_name(options.task)
        done = service.ask("set_periods", periods={name: options.period})["names"]
        status = report_missed(done, [name], "has no period")
        if status == OK:
            print_message(f"{service.shown}: the period is now {in_words(options.period)}")
        return status

    return for_each_service(options, act)


def _perform_pause(options: argparse.Namespace) -> int:
    return for_each_service(options, lambda service: _set_paused(service, "pause"))


def _perform_resume(options: argparse.Namespace) -> int:
    return for_each_service(options, lambda service: _set_paused(service, "resume"))


def _set_paused(service: Service, request: str) -> int:
    service.ask(request)
    return OK
