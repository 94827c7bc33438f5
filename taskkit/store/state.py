"""Looking at how registrations stand, without opening the store: its process goes on with it meanwhile."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from taskkit.keeping import KeptTask
from taskkit.store.errors import StoreError
from taskkit.store.history import connect_to_read
from taskkit.store.records import Registration, kept_task
from taskkit.store.sqlite_file import in_words


@dataclass(frozen=True, slots=True)
class KeptState:
    """How things stood when the store was last written to."""

    tasks: Mapping[str, KeptTask]
    """The registrations by name, without their histories; those that cannot be read are left out."""
    paused: bool
    """Whether the scheduler was."""


def read_state(path: str | os.PathLike[str]) -> KeptState:
    """How things stand in the store at `path`, whether or not a process has it open. Thread-safe.

    Raises:
        StoreError: There is no store, or it cannot be read.
    """
    path = Path(path)
    columns = ", ".join(Registration._fields)
    try:
        with closing(connect_to_read(path)) as connection:
            connection.execute("BEGIN")  # so that both are of one moment
            rows = connection.execute(f"SELECT {columns} FROM registrations").fetchall()
            paused = connection.execute("SELECT value FROM facts WHERE key = 'paused'").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"cannot read {path}: {in_words(error)}") from error
    tasks = {}
    for row in rows:
        try:
            kept = kept_task(Registration(*row), ())
        except (KeyError, TypeError, ValueError):
            continue  # the store says so when it is opened
        tasks[kept.name] = kept
    return KeptState(tasks, paused is not None and bool(paused[0]))
