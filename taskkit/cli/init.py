"""`taskkit init`: an example to begin with."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import Final

from taskkit.cli.console import Console
from taskkit.cli.errors import CommandLineError, quoted
from taskkit.cli.parser import add_command, file_path
from taskkit.cli.statuses import OK

_DESCRIPTION: Final = """
Write a file of tasks to begin with: commented, and such that it runs as it is. A file that is there already
is left alone.
"""

_EPILOG: Final = """
exit status:
  0    it is written
  2    it is there already, or cannot be written

examples:
  taskkit init
  taskkit init ~/backup/tasks.toml
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Offer it."""
    parser = add_command(
        commands, "init", "write an example file of tasks", perform, description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument(
        "path",
        nargs="?",
        type=file_path,
        default=Path("tasks.toml"),
        metavar="PATH",
        help="the file to write, or the folder for it; tasks.toml in the current folder by default",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there already")


def perform(options: argparse.Namespace) -> int:
    """Do it. Returns the exit status."""
    from taskkit.taskfile import example_text

    whither: Path = options.path
    path = whither / "tasks.toml" if os.path.isdir(whither) else whither  # noqa: PTH112 - which raises nothing
    if path.suffix != ".toml":
        raise CommandLineError(f"{quoted(str(path))} does not end in .toml, as a task file must")
    try:
        with path.open("w" if options.force else "x", encoding="utf-8") as file:
            file.write(example_text())
    except FileExistsError:
        raise CommandLineError(f"{quoted(str(path))} is there already; --force replaces it") from None
    except OSError as error:
        raise CommandLineError(f"cannot write {quoted(str(path))}: {error.strerror}") from error
    console = Console(sys.stdout)
    typed = console.shown(shlex.quote(f"./{path}" if str(path).startswith("-") else str(path)))
    console.print(f"Wrote {console.shown(str(path))}. Change it to your needs; then:")
    console.print(f"  taskkit check {typed}    say what is wrong with it")
    console.print(f"  taskkit run {typed}      run its tasks, until ctrl+c")
    console.print(f"  taskkit-tui {typed}      watch and steer them")
    return OK
