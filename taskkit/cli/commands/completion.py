"""`taskkit completion`: print the completion script of a shell."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from taskkit.cli.exit_statuses import OK
from taskkit.cli.options import add_command
from taskkit.completion.scripts import SHELLS, completion_script

_DESCRIPTION: Final = """
Print a script with which a shell completes the commands and options of taskkit, the names of tasks and of
running schedulers, and paths of task files. After an update of taskkit, make it again. For the dashboard,
taskkit-tui --completion prints one.

The names of tasks come from a task file, the process that runs the target, or its state. No target is
imported or run for it.
"""

_EPILOG: Final = """
exit status:
  0    success
  2    there is no such shell

examples:
  taskkit completion fish > ~/.config/fish/completions/taskkit.fish
  echo 'eval "$(taskkit completion bash)"' >> ~/.bashrc
  echo 'eval "$(taskkit completion zsh)"' >> ~/.zshrc
"""


def add_parser_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = add_command(
        commands,
        "completion",
        "print the completion script of a shell",
        perform,
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))


def perform(options: argparse.Namespace) -> int:
    """Print the script. Returns the exit status."""
    from taskkit.cli.main import build_parser

    sys.stdout.write(completion_script(options.shell, build_parser()))
    return OK
