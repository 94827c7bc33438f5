"""A target with what is known of its earlier life, for commands that look at it and start nothing."""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from taskkit.cli.console import say
from taskkit.cli.errors import CommandLineError, quoted
from taskkit.plain_text import harmless
from taskkit.target import Target, TargetError, is_task_file, load_target, state_path

if TYPE_CHECKING:
    from taskkit.store import KeptState


def load_with_state(options: argparse.Namespace) -> tuple[Target, KeptState | None]:
    """The target that the options name, and its state; `None` if there is none, or none that can be read.

    Another process may have the state open meanwhile, and go on with it.

    Raises:
        CommandLineError: A state that was named cannot be read.
        TargetError: There is no such target.
    """
    state = None if options.no_state else _read_state(options.target, options.state)
    with printing_nothing(options):
        target = load_target(options.target, remembers=state is not None)
    if not options.no_state and (own := _own_store(target)) is not None:
        state = _read_state(options.target, own) if is_there(own) else None
    return target, state


def find_state(target: str, options: argparse.Namespace) -> Path:
    """The file that keeps the state of a target, without loading what is in a task file.

    A target in a module is loaded, as its scheduler may keep its state itself. Where that fails, the file is
    told that `taskkit run` keeps for it, if there is one.

    Raises:
        CommandLineError: There is no such file.
        TargetError: There is none, and no such target.
    """
    usual = state_path(target)
    own = None
    if not is_task_file(target):
        try:
            with printing_nothing(options):
                own = _own_store(load_target(target))
        except TargetError as error:
            if not is_there(usual):
                raise
            say(f"{error}; telling of what taskkit run has kept for it")
    if not is_there(path := own or usual):
        raise CommandLineError(
            f"there is no state of {quoted(target)}: it was not run here ({harmless(str(path))})"
        )
    return path


def _own_store(target: Target) -> Path | None:
    """Where a scheduler keeps its state itself; such a one is not asked for anything else."""
    if not target.scheduler.is_kept:
        return None
    from taskkit.store import PersistentScheduler

    scheduler = target.scheduler
    return scheduler.path if isinstance(scheduler, PersistentScheduler) else None


def is_there(path: Path) -> bool:
    """Whether a file is there and is not empty, or nobody can tell; whoever reads it says why not."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def printing_nothing(options: argparse.Namespace) -> AbstractContextManager[object]:
    """While a target is loaded with `--json`, what its modules print goes to standard error."""
    return redirect_stdout(sys.stderr) if getattr(options, "json", False) else nullcontext()


def _read_state(target: str, named: Path | None) -> KeptState | None:
    path = state_path(target) if named is None else named
    if named is None and not is_there(path):
        return None
    from taskkit.store import StoreError, read_state

    try:
        return read_state(path)
    except StoreError as error:
        if named is not None:
            raise CommandLineError(harmless(str(error))) from error
        say(f"{harmless(str(error))}; going on without it")
        return None
