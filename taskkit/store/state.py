"""Looking at how things stand, without opening the store: its process goes on with it meanwhile."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taskkit.frozen_dict import FrozenDict
from taskkit.keeping import KeptTask
from taskkit.outcome import Outcome, OutcomeKind, Trigger
from taskkit.store.database import PAST_COLUMNS
from taskkit.store.errors import StoreError
from taskkit.store.history import connect_to_read
from taskkit.store.lockfile import is_held
from taskkit.store.records import PastRow, Registration, StartedRun, StoredText, kept_task, past_of, read_name
from taskkit.store.sqlite_file import in_words

_BRIEF_PAST: Final = PAST_COLUMNS.replace("output, traceback", "NULL, NULL")

_LAST_RUNS: Final = (
    f"SELECT name, {_BRIEF_PAST} FROM (SELECT name, (SELECT id FROM history WHERE task = names.id"
    " AND run IS NOT NULL ORDER BY id DESC LIMIT 1) AS last_run FROM names)"
    " CROSS JOIN history ON history.id = last_run"
)


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that goes on in the process that has the store open."""

    run: int
    """Its number."""
    trigger: Trigger
    due: float
    """Epoch seconds."""
    started: float
    """Epoch seconds."""
    attempt: int


@dataclass(frozen=True, slots=True)
class KeptState:
    """How things stood when the store was last written to."""

    tasks: Mapping[str, KeptTask]
    """The registrations by name, without their histories; those that cannot be read are left out."""
    paused: bool
    """Whether the scheduler was."""
    running: Mapping[str, OpenRun] = FrozenDict()
    """By the name of their task, the runs that go on; none where no process has the store open."""
    last_runs: Mapping[str, Outcome] = FrozenDict()
    """By the name of the task, how its last run ended, without output and traceback. Of one that its process
    left behind, `finished` is when it was last known to go on."""


def read_state(path: str | os.PathLike[str]) -> KeptState:
    """How things stand in the store at `path`, whether or not a process has it open. Thread-safe.

    Raises:
        StoreError: There is no store, or it cannot be read.
    """
    path = Path(path)
    columns = ", ".join(Registration._fields)
    open_columns = ", ".join(StartedRun._fields)
    lock = Path(f"{path.absolute()}.lock")
    try:
        lock = Path(f"{path.resolve()}.lock")
    except (OSError, RuntimeError):
        pass  # whoever reads says why
    # Looked at before and after: who ends takes the rows of the runs away first, who begins does so too.
    in_use = is_held(lock)
    try:
        with closing(connect_to_read(path)) as connection:
            connection.execute("BEGIN")  # so that all is of one moment
            rows = connection.execute(f"SELECT {columns} FROM registrations").fetchall()
            facts = dict(connection.execute("SELECT key, value FROM facts").fetchall())
            begun = connection.execute(f"SELECT {open_columns} FROM open_runs ORDER BY run").fetchall()
            ended = connection.execute(_LAST_RUNS).fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"cannot read {path}: {in_words(error)}") from error
    in_use = in_use or (bool(begun) and is_held(lock))
    tasks = {}
    for row in rows:
        try:
            kept = kept_task(Registration(*row), ())
        except (KeyError, TypeError, ValueError):
            continue  # the store says so when it is opened
        tasks[kept.name] = kept
    running, last_runs = _runs([StartedRun(*row) for row in begun], ended, in_use, facts.get("seen"))
    return KeptState(tasks, bool(facts.get("paused")), running, last_runs)


def _runs(
    begun: list[StartedRun], ended: list[tuple[StoredText, ...]], in_use: bool, seen: float | None
) -> tuple[dict[str, OpenRun], dict[str, Outcome]]:
    running, last_runs = {}, {}
    for row in ended:
        past = PastRow(*row)  # type: ignore[arg-type]
        try:
            told = past_of(past)
        except ValueError:
            continue  # of a kind that this version does not know
        if isinstance(told, Outcome):
            last_runs[read_name(past.name)] = told
    for each in begun:
        name = read_name(each.name)
        if in_use:
            running[name] = OpenRun(each.run, Trigger(each.trigger), each.due, each.started, each.attempt)
        else:
            last_runs[name] = _interrupted(each, seen)
    return running, last_runs


def _interrupted(begun: StartedRun, seen: float | None) -> Outcome:
    at = max(begun.started, seen or 0.0)
    return Outcome(
        kind=OutcomeKind.INTERRUPTED,
        trigger=Trigger(begun.trigger),
        run=begun.run,
        due=begun.due,
        started=begun.started,
        finished=at,
        duration=at - begun.started,
        lateness=max(0.0, begun.started - begun.due),
        attempt=begun.attempt,
        task=read_name(begun.name),
    )
