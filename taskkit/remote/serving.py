"""Serves a scheduler to other processes of this machine: `serve()`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from taskkit.events import SchedulerStarted
from taskkit.operations import Operations
from taskkit.remote.names import check_name, default_name
from taskkit.remote.server import Access, Server, servers
from taskkit.scheduler import Scheduler

if TYPE_CHECKING:
    from taskkit.store import Store
    from taskkit.task import Task


def serve(
    scheduler: Scheduler,
    name: str | None = None,
    *,
    target: str | None = None,
    task_classes: Iterable[type[Task]] = (),
    store: Store | None = None,
    access: Access = "control",
    path: str | os.PathLike[str] | None = None,
    strict: bool = False,
) -> Server:
    """Serve a scheduler to the dashboards and commands of this user, from now until it stops.

    At the end of a `with` block the server stays open while the scheduler is still running, and closes when
    the scheduler stops. So people who watch see its last moments.

    Args:
        scheduler: The scheduler, started or not. A `PersistentScheduler` brings its store.
        name: The name that people use; the program's name by default. See `names.check_name`.
        target: `package.module:attribute` or the path of a task file: what `taskkit ps` shows, and how
            `taskkit-tui TARGET` finds it.
        task_classes: The classes from which a dashboard can make new tasks.
        store: The store of its history, if there is one.
        access: `control`, or `view` to refuse every command.
        path: The path of the socket, instead of one in the user's runtime folder.
        strict: Raise if no socket can be made, instead of logging a warning.

    Returns:
        The server. Its `path` is None if no socket could be made.

    Raises:
        ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
        SocketPathError: No socket can be made, and `strict` is true.
        TypeError: An argument is of the wrong type.
        ValueError: `name` cannot be a name, or `access` is neither `control` nor `view`.
    """
    if not isinstance(scheduler, Scheduler):
        raise TypeError(f"scheduler must be a Scheduler, not {scheduler!r}")
    if target is not None and not isinstance(target, str):
        raise TypeError(f"target must be a string or None, not {target!r}")
    scheduler.refuse_if_forked()
    name = default_name() if name is None else check_name(name)
    if access not in ("control", "view"):
        raise ValueError(f"access must be 'control' or 'view', not {access!r}")
    operations = Operations(scheduler, task_classes=task_classes, store=store)
    if store is None and scheduler.is_persistent:
        _take_store(operations)
    server = Server(operations, name, target, access)
    server.open(None if path is None else Path(path), strict=strict)
    return server


def _take_store(operations: Operations) -> None:
    """Let clients read the history of a `PersistentScheduler`, once it has opened its store."""
    from taskkit.store import PersistentScheduler

    scheduler = operations.scheduler
    if not isinstance(scheduler, PersistentScheduler):
        return
    if scheduler.is_running:
        operations.store = scheduler.store
        return

    def take(_event: object) -> None:
        operations.store = scheduler.store
        unsubscribe()

    unsubscribe = scheduler.subscribe(take, kinds=(SchedulerStarted,))


def is_served(scheduler: Scheduler) -> bool:
    """True if the program serves it already."""
    return any(each.operations.scheduler is scheduler and each.path is not None for each in list(servers))
