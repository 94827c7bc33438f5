"""Command-line options that several subcommands share, and the layout of their help."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from taskkit.cli.console import COLOURS
from taskkit.words.durations import parse_span
from taskkit.words.plain_text import harmless

_MAX_HELP_WIDTH: Final = 88
_TARGET_HELP: Final = (
    "the path of a .toml task file; or package.module:attribute, where the attribute is a Scheduler or a "
    "function that returns one. Modules in the current folder can be imported"
)
SHOW_HELP: Final = "show this help and exit"


class HelpText(argparse.HelpFormatter):
    """Wraps paragraphs to the width of the terminal, and leaves paragraphs with indented lines alone."""

    def __init__(self, prog: str, **settings: Any) -> None:
        width = max(40, min(_MAX_HELP_WIDTH, shutil.get_terminal_size().columns - 2))
        super().__init__(prog, **{"width": width, "max_help_position": 26, **settings})

    def add_argument(self, action: argparse.Action) -> None:
        """Add an argument; for the list of commands, make its column wide enough."""
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment  # argparse forgets that they are indented

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            textwrap.indent(paragraph, indent)
            if "\n " in paragraph
            else textwrap.fill(paragraph, width, initial_indent=indent, break_on_hyphens=False)
            for paragraph in textwrap.dedent(text).strip().split("\n\n")
        )


class CommandParser(argparse.ArgumentParser):
    """Escapes what was typed before an error message repeats it, so that no terminal obeys it."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit with status 2."""
        super().error(harmless(message))


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    perform: Callable[[argparse.Namespace], int],
    *,
    description: str,
    epilog: str,
) -> argparse.ArgumentParser:
    """Add a subcommand. Returns its parser, which has no arguments yet but `--help`.

    Args:
        commands: The subcommands of `taskkit`.
        name: The name of the subcommand, as it is typed.
        summary: One line for the list of commands.
        perform: Carries the subcommand out; returns the exit status.
        description: What the subcommand does, in paragraphs.
        epilog: Exit statuses and examples.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=HelpText,
        allow_abbrev=False,
        add_help=False,
    )
    parser._positionals.title = "arguments"
    parser.add_argument("-h", "--help", action="help", help=SHOW_HELP)
    parser.set_defaults(perform=perform, parser=parser)
    return parser


def add_target(parser: argparse.ArgumentParser, **settings: Any) -> None:
    """Add the positional argument TARGET."""
    parser.add_argument("target", metavar="TARGET", help=_TARGET_HELP, **settings)


def add_target_and_name(parser: argparse.ArgumentParser, usage: str) -> None:
    """Add the positional arguments TARGET and NAME; `read_target_and_name` finds out which is which.

    Args:
        parser: The parser of the subcommand.
        usage: How the usage line shows them, as `[TARGET] NAME`.
    """
    parser.usage = f"{parser.prog} [-h] [options] {usage} [--state PATH]"
    # One argument for both: argparse cannot tell them apart, nor take one before and one after the options.
    parser.add_argument("positionals", nargs="*", help=argparse.SUPPRESS)
    target_only = usage == "[TARGET]"
    rows = [("TARGET", f"{_TARGET_HELP}. Optional with --state")]
    parser._positionals.description = _rows(rows if target_only else [*rows, ("NAME", "the name of a task")])


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    """Lay out names and their help in two columns, as argparse does."""
    width = max(40, min(_MAX_HELP_WIDTH, shutil.get_terminal_size().columns - 2))
    column = 2 + max(len(name) for name, _ in rows)
    return "\n".join(
        textwrap.fill(
            text,
            width - 2,
            initial_indent=name.ljust(column),
            subsequent_indent=" " * column,
            break_on_hyphens=False,
        )
        for name, text in rows
    )


def add_json(parser: argparse.ArgumentParser, item: str) -> None:
    """Add `--json`.

    Args:
        parser: The parser of the subcommand.
        item: What one line describes, as “task”.
    """
    parser.add_argument(
        "--json", action="store_true", help=f"write one JSON object per {item}, each on a line"
    )


def add_colour(parser: argparse.ArgumentParser) -> None:
    """Add `--color` and `--no-color`."""
    parser.add_argument(
        "--color",
        dest="colour",
        choices=COLOURS,
        default="auto",
        metavar="WHEN",
        help="use colours: always, never, or auto (the default): on a terminal, unless NO_COLOR is set",
    )
    parser.add_argument(
        "--no-color", dest="colour", action="store_const", const="never", help="short for --color never"
    )


def add_state(parser: argparse.ArgumentParser) -> None:
    """Add `--state` and `--no-state`."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--state",
        type=file_path,
        metavar="PATH",
        help="the state file; by default, each target has one in the user's state folder",
    )
    group.add_argument("--no-state", action="store_true", help="use no state file")


def non_empty(text: str) -> str:
    """Return an argument; refuse an empty one, as from a shell variable that is not set."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def file_path(text: str) -> Path:
    """Return an argument as a path."""
    return Path(non_empty(text))


def span_seconds(text: str) -> float:
    """Return a time span such as `90`, `0.5` or `1h30m` in seconds."""
    try:
        return parse_span(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def count_up_to(limit: int) -> Callable[[str], int]:
    """Return a converter for an argument that is a whole number from 1 to `limit`."""

    def count(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = 0
        if not 1 <= number <= limit:
            raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {limit}, not {text!r}")
        return number

    return count
