"""The state of a target: where it is, and its store, opened before the screen changes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from taskkit import ScaledClock, Scheduler
from taskkit.targets.notices import how_to_look, new_state
from taskkit.targets.state_paths import named_state_path, usable_state_path
from taskkit.targets.target import TargetError
from taskkit_tui.formatting import harmless

if TYPE_CHECKING:
    from taskkit.store import Store, StoreError


def own_store(scheduler: Scheduler, options: argparse.Namespace) -> Store | None:
    """Return the store that a scheduler has itself, opened now: errors come before the screen changes.

    Raises:
        TargetError: It cannot be opened.
    """
    from taskkit.store import PersistentScheduler, StoreError, StoreInUseError

    if not isinstance(scheduler, PersistentScheduler):
        return None
    try:
        return scheduler.store
    except StoreError as error:
        if scheduler.standby and isinstance(error, StoreInUseError):
            return None  # another process has it; its history can be read after this one has taken over
        raise TargetError(*_why_not_opened(error, options)) from error


def place_of_state(options: argparse.Namespace) -> tuple[Path | None, tuple[str, ...]]:
    """Return the path of the state, or None and warnings if the usual place cannot be used.

    Raises:
        TargetError: The path that a person typed cannot be used.
    """
    if options.no_state:
        return None, ()
    if options.state is not None:
        return named_state_path(options.state), ()
    if options.target is None:
        return None, ()
    try:
        return usable_state_path(options.target), ()
    except TargetError as error:
        return None, (f"No state is saved: {error}",)


def open_store(
    path: Path | None, options: argparse.Namespace, clock: ScaledClock | None = None
) -> Store | None:
    """Open the store of a state; None without a path.

    Raises:
        TargetError: It cannot be opened.
    """
    if path is None:
        return None
    from taskkit.store import Store, StoreError

    try:
        return Store.open(path, clock=clock)
    except StoreError as error:
        reason, *ways = _why_not_opened(error, options)
        raise TargetError(f"{reason}; use --no-state to start without it", *ways) from error


def notices_of_new(
    store: Store | None, options: argparse.Namespace, other: Path | None = None
) -> tuple[str, ...]:
    """Return a notice if a state is new that a person named, or that is kept by another path."""
    if store is None or not store.is_new or (options.state is None and other is None):
        return ()
    return (new_state(store.path, other),)


def _why_not_opened(error: StoreError, options: argparse.Namespace) -> tuple[str, ...]:
    """Return why it cannot be opened; and what to do where another process has it and runs the tasks."""
    from taskkit.store import StoreInUseError

    reason = harmless(str(error))
    if not isinstance(error, StoreInUseError) or options.target is None:
        return (reason,)
    return reason, how_to_look(options.target, options.state)


def refuse_state_of_others(path: Path | None, scheduler: Scheduler) -> None:
    """Refuse a state that knows no task of the demo: its target was probably left out.

    Raises:
        TargetError: It is such a state.
    """
    if path is None or not path.is_file():
        return
    from taskkit.store import StoreError, read_state

    try:
        known = read_state(path).tasks.keys()
    except StoreError:
        return  # opening it raises the error
    if known and known.isdisjoint((*scheduler.scheduled, *scheduler.on_demand)):
        raise TargetError(
            f"{harmless(str(path))} is not the state of the demo: also name the TARGET that it belongs to"
        )
