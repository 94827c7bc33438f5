"""`taskkit logs`: what the tasks of a running scheduler write."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from taskkit.cli.console import Console, print_message, task_colour
from taskkit.cli.event_lines import Detail, EventLines
from taskkit.cli.exit_statuses import FAILED, NO_ANSWER, OK
from taskkit.cli.json_output import event_objects, json_line
from taskkit.cli.options import add_colour, add_command, add_json, non_empty
from taskkit.cli.running_service import STATUSES, Service, add_service, connected, services_meant
from taskkit.cli.service_news import ServiceNews
from taskkit.remote.link import Link
from taskkit.words.plain_text import columns, padded, plural

_DESCRIPTION: Final = """
Show what the tasks of a running scheduler write. Without -f, show the stored lines of the last run of each
task, or of one task: at most 100 each. With -f, show each new line, until ctrl+c or until the scheduler ends.
"""

_EPILOG: Final = (
    STATUSES
    + """
with --json, a line has the keys event ("output"), task and text; with -f also
time (epoch seconds), run, stream and level.

examples:
  taskkit logs shop
  taskkit logs shop backup
  taskkit logs shop -f --json | jq -r .text
"""
)


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "logs",
        "show what the tasks of a running scheduler write",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_service(parser)
    parser.add_argument("task", metavar="TASK", nargs="?", type=non_empty, help="only this task")
    parser.add_argument("-f", "--follow", action="store_true", help="show each line as it comes")
    add_json(parser, "one line of output")
    add_colour(parser)


def perform(options: argparse.Namespace) -> int:
    """Carry it out. Returns the exit status."""
    found = services_meant(options.service, all_of_them=None if options.follow else options.all)
    console = Console(sys.stdout, options.colour)
    for each in found:
        with connected(each, watch=options.follow) as service:
            name = None if options.task is None else service.task_name(options.task)
            if options.follow:
                return _follow(service, name, console, as_json=options.json)
            _print_last_runs(service, name, console, as_json=options.json)
    return OK


def _print_last_runs(service: Service, name: str | None, console: Console, *, as_json: bool) -> None:
    names = service.ask("names")["names"] if name is None else [name]
    shown = console.shown_names(names)
    width = 0 if name is not None else max((columns(shown(each)) for each in names), default=0)
    for each in names:
        for line in service.ask("output", name=each)["lines"] or ():
            if as_json:
                console.print(json_line({"event": "output", "task": each, "text": line}))
                continue
            text = console.shown(line)
            if name is None:
                text = f"{console.paint(padded(shown(each), width), task_colour(each))} │ {text}"
            console.print(text)


def _follow(service: Service, name: str | None, console: Console, *, as_json: bool) -> int:
    lines = EventLines(console, Detail.QUIET, service.ask("names")["names"] if name is None else [name])
    news = ServiceNews(service)
    while True:
        for event in news.take():
            if name is not None and event.name != name:
                continue
            if event.dropped and as_json:
                print_message(f"{plural(event.dropped, 'line')} of {event.name} lost")
            for line in map(json_line, event_objects(event)) if as_json else lines.of(event):
                console.print(line)
            sys.stdout.flush()
        match news.wait():
            case Link.ENDED:
                print_message(f"{service.shown} has ended")
                return OK
            case Link.NOT_CONNECTED | Link.UNUSABLE:
                reason = service.client.state.text
                print_message(f"{service.shown} ({service.process}) is no longer connected: {reason}")
                return FAILED if news.was_attached else NO_ANSWER
