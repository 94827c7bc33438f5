"""What the subcommands' parsers have in common: the form of their help, and the options that several take."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from taskkit.cli.console import COLOURS
from taskkit.durations import parse_span
from taskkit.plain_text import harmless

_WIDEST: Final = 88
_TARGET: Final = (
    "package.module:attribute, where the attribute is a Scheduler or a function that makes one (the current "
    "folder is importable); or the path of a .toml file of tasks"
)


class HelpText(argparse.HelpFormatter):
    """Fills paragraphs to the width of the terminal, and leaves indented lines as they are."""

    def __init__(self, prog: str, **given: Any) -> None:
        width = max(40, min(_WIDEST, shutil.get_terminal_size().columns - 2))
        super().__init__(prog, **{"width": width, "max_help_position": 26, **given})

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            paragraph
            if "\n " in paragraph
            else textwrap.fill(paragraph, width, initial_indent=indent, break_on_hyphens=False)
            for paragraph in textwrap.dedent(text).strip().split("\n\n")
        )


class CommandParser(argparse.ArgumentParser):
    """Tells what is wrong with a command line such that no terminal obeys what was typed."""

    def error(self, message: str) -> NoReturn:
        """Tell it after the usage, and end the process."""
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
    """A subcommand without arguments yet.

    Args:
        commands: Where it is added.
        name: What one types.
        summary: What it does, in a few words.
        perform: Does it; returns the exit status.
        description: What it does, in paragraphs.
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
    parser.add_argument("-h", "--help", action="help", help="show this text, and leave")
    parser.set_defaults(perform=perform, parser=parser)
    return parser


def add_target(parser: argparse.ArgumentParser, **given: Any) -> None:
    """The scheduler that it is about."""
    parser.add_argument("target", metavar="TARGET", help=_TARGET, **given)


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """Whether a program reads what is written."""
    parser.add_argument("--json", action="store_true", help=f"write {what} a line, as a JSON object")


def add_colour(parser: argparse.ArgumentParser) -> None:
    """When there are colours."""
    parser.add_argument(
        "--color",
        dest="colour",
        choices=COLOURS,
        default="auto",
        metavar="WHEN",
        help="colours: always, never, or auto (the default): on a terminal, unless NO_COLOR is set",
    )
    parser.add_argument(
        "--no-color", dest="colour", action="store_const", const="never", help="the same as --color never"
    )


def add_state(parser: argparse.ArgumentParser) -> None:
    """Where the state is."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--state",
        type=file_path,
        metavar="PATH",
        help="the file that keeps the state; by default one for each target, in the platform's folder for it",
    )
    group.add_argument("--no-state", action="store_true", help="know of no state")


def given(text: str) -> str:
    """A text on the command line; an empty one, as of a variable that is not set, is refused."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def file_path(text: str) -> Path:
    """A path on the command line."""
    return Path(given(text))


def seconds(text: str) -> float:
    """A span of time on the command line: `90`, `0.5`, `1h30m`."""
    try:
        return parse_span(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def count_up_to(most: int) -> Callable[[str], int]:
    """How many, on the command line: from one to so many."""

    def count(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = 0
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {most}, not {text!r}")
        return number

    return count
