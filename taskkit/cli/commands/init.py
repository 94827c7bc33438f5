"""`taskkit init`: write an example task file to start from."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import Final

from taskkit.cli.command_line_errors import CommandLineError, quoted
from taskkit.cli.console import Console
from taskkit.cli.exit_statuses import OK
from taskkit.cli.options import add_command, file_path

_DESCRIPTION: Final = """
Write an example task file, with comments, that runs as it is. An existing file is not replaced.
"""

_EPILOG: Final = """
exit status:
  0    success
  2    the file exists already, or cannot be written

examples:
  taskkit init
  taskkit init ~/backup/tasks.toml
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands, "init", "write an example task file", perform, description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument(
        "path",
        nargs="?",
        type=file_path,
        default=Path("tasks.toml"),
        metavar="PATH",
        help="the file to write, or a folder for it (default: tasks.toml in the current folder)",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def perform(options: argparse.Namespace) -> int:
    """Write the example. Returns the exit status."""
    from taskkit.taskfile import example_text

    destination: Path = options.path
    is_folder = os.path.isdir(destination)  # noqa: PTH112 - unlike `Path.is_dir`, it never raises
    path = destination / "tasks.toml" if is_folder else destination
    if path.suffix != ".toml":
        raise CommandLineError(f"{quoted(str(path))} does not end in .toml, as a task file must")
    try:
        with path.open("w" if options.force else "x", encoding="utf-8") as file:
            file.write(example_text())
    except FileExistsError:
        raise CommandLineError(f"{quoted(str(path))} exists already; --force replaces it") from None
    except OSError as error:
        raise CommandLineError(f"cannot write {quoted(str(path))}: {error.strerror}") from error
    console = Console(sys.stdout)
    typed = console.shown(shlex.quote(f"./{path}" if str(path).startswith("-") else str(path)))
    console.print(f"Wrote {console.shown(str(path))}. Change it to suit you, then:")
    console.print(f"  taskkit check {typed}    report problems in it")
    console.print(f"  taskkit run {typed}      run its tasks until ctrl+c")
    console.print(f"  taskkit-tui {typed}      watch and control them")
    return OK
