"""Loads a target and its saved state, for commands that start no scheduler."""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from taskkit.cli.command_line_errors import CommandLineError, quoted
from taskkit.cli.console import print_message
from taskkit.scheduler import Scheduler
from taskkit.targets.state_paths import other_state_path, state_path
from taskkit.targets.target import (
    Target,
    TargetError,
    check_target,
    importable_here,
    is_target,
    is_task_file,
    load_target,
)
from taskkit.words.plain_text import harmless

if TYPE_CHECKING:
    from taskkit.store import SavedState


def read_target_and_name(
    options: argparse.Namespace, *, takes_name: bool = True, needs_name: bool = False
) -> None:
    """Set `options.target` and `options.name` from `options.positionals`; each is `None` if left out.

    With --state the target is optional, so a single word may be either. It is the name of a task if the state
    knows such a task; else a target, if it has the form of one; else a name.

    Raises:
        TargetError: The target does not have the form of one.
    """
    words: list[str] = options.positionals
    path: Path | None = options.state
    limit = 2 if takes_name else 1
    name = ", and a NAME" if needs_name else ", and at most one NAME" if takes_name else ""
    needed = f"needs a TARGET or --state PATH{name}"
    if len(words) > limit:
        hint = "; put a NAME with spaces in quotes" if takes_name else ""
        options.parser.error(f"unrecognized arguments: {' '.join(words[limit:])}; it {needed}{hint}")
    if path is None and not words:
        options.parser.error(needed)
    options.target, options.name = words[0] if words else None, words[1] if len(words) == 2 else None
    if path is not None and len(words) == 1 and takes_name:
        (word,) = words
        if not is_target(word) or word in task_names_in_state(path):
            options.target, options.name = None, word
    if needs_name and options.name is None:
        options.parser.error(needed)
    if options.target is not None:
        check_target(options.target)


def task_names_in_state(path: Path) -> set[str]:
    """Return the names of tasks in a state and in its recent history; empty if it cannot be read."""
    from taskkit.store import StoreError, read_history, read_state

    try:
        return {*read_state(path).tasks, *(entry.name for entry in read_history(path, limit=1000))}
    except StoreError:
        return set()  # the caller reads the state next, and reports why it cannot


def target_or_state(options: argparse.Namespace) -> str:
    """Return what the command line names: the target, or the path of the state without a target."""
    return options.target or str(options.state)


def load_target_and_state(
    options: argparse.Namespace, *, needs_state: bool = False
) -> tuple[Target, SavedState | None]:
    """Load the target that the options name, and its state: `None` if there is none that can be read.

    The state may be in use by another process. With --state and no target, the returned target has no tasks.

    Args:
        options: The parsed command line.
        needs_state: Refuse an unreadable state also at the default path.

    Raises:
        CommandLineError: A state that was named, or is needed, cannot be read.
        TargetError: There is no such target.
    """
    if options.target is None:
        importable_here()
        return Target(str(options.state), Scheduler()), _read_state("", options.state, needs_state)
    state = None if options.no_state else _read_state(options.target, options.state, needs_state)
    with prints_to_stderr(options):
        target = load_target(options.target, remembers=state is not None)
    if not options.no_state and (own := _own_state_path(target)) is not None:
        state = _read_state(options.target, own, needs_state) if may_hold_state(own) else None
    return target, state


def find_state_file(target: str, options: argparse.Namespace) -> Path:
    """Return the path of a target's state file. A task file is not read.

    A target in a module is loaded, as its scheduler may have a store of its own. If loading fails, the file
    that `taskkit run` keeps for it is returned, if there is one.

    Raises:
        CommandLineError: There is no such file.
        TargetError: There is no such file, and no such target.
    """
    default = _default_state_path(target)
    own = None
    if not is_task_file(target):
        try:
            with prints_to_stderr(options):
                own = _own_state_path(load_target(target))
        except TargetError as error:
            if not may_hold_state(default):
                raise
            print_message(f"{error}; showing what taskkit run has saved for it")
    if not may_hold_state(path := own or default):
        raise CommandLineError(
            f"there is no state of {quoted(target)}: it was not run here ({harmless(str(path))})"
        )
    return path


def _own_state_path(target: Target) -> Path | None:
    """Return the path of a scheduler's own store; `None` if it has none."""
    if not target.scheduler.is_persistent:
        return None
    from taskkit.store import PersistentScheduler

    scheduler = target.scheduler
    return scheduler.path if isinstance(scheduler, PersistentScheduler) else None


def _default_state_path(target: str) -> Path:
    """Return the state file for the path as given, or, if only that exists, for the path without links."""
    other = other_state_path(target)
    if other is None:
        return state_path(target)
    print_message(
        "there is no state for this path; showing the one for the path without symbolic links, "
        f"{harmless(str(other))}"
    )
    return other


def may_hold_state(path: Path) -> bool:
    """True if a file exists and is not empty, or if this cannot be found out: then reading it reports why."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def prints_to_stderr(options: argparse.Namespace) -> AbstractContextManager[object]:
    """With `--json`, redirect to standard error what the modules of a target print while it is loaded."""
    return redirect_stdout(sys.stderr) if getattr(options, "json", False) else nullcontext()


def _read_state(target: str, named: Path | None, needed: bool) -> SavedState | None:
    path = _default_state_path(target) if named is None else named
    if named is None and not may_hold_state(path):
        return None
    from taskkit.store import StoreError, read_state

    try:
        state = read_state(path)
    except StoreError as error:
        if named is not None or needed:
            raise CommandLineError(harmless(str(error))) from error
        print_message(f"{harmless(str(error))}; continuing without it")
        return None
    for sentence in state.unread.values():
        print_message(harmless(sentence))
    return state
