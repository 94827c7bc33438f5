"""Read the state in a store without opening it: another process may be using it meanwhile."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from math import isnan, nan
from pathlib import Path
from typing import Final

from taskkit._helpers.checks import is_finite, is_number, is_whole
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.engine.summaries import one_line
from taskkit.errors import StoreError
from taskkit.outcome import Outcome, OutcomeKind, Trigger
from taskkit.persistence import SavedTask
from taskkit.store.database import PAST_COLUMNS
from taskkit.store.history import connect_to_read
from taskkit.store.lock_file import is_held
from taskkit.store.registration_rows import (
    RegistrationRow,
    is_paused,
    read_saved_task,
    read_spec,
    unread_notice,
)
from taskkit.store.rows import PastRow, StartedRun, read_name, read_past, seconds_or
from taskkit.store.sqlite_file import fetch_all, sqlite_message, why_untrusted_store

_BRIEF_PAST: Final = PAST_COLUMNS.replace("output, traceback", "NULL, NULL")

_LAST_RUNS: Final = (
    f"SELECT name, {_BRIEF_PAST} FROM (SELECT name, (SELECT id FROM history WHERE task = names.id"
    " AND run IS NOT NULL ORDER BY id DESC LIMIT 1) AS last_run FROM names)"
    " CROSS JOIN history ON history.id = last_run"
)


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that is active in the process that has the store open."""

    run: int
    """The number of the run."""
    trigger: Trigger
    due: float
    """Epoch seconds."""
    started: float
    """Epoch seconds."""
    attempt: int


@dataclass(frozen=True, slots=True)
class StoreProcess:
    """The process that has a store open, or had it open last.

    All values but `running` are `None` if they are not known.
    """

    running: bool
    """True if the process has the store open now."""
    pid: int | None = None
    """The process id; in a container, the id within it."""
    since: float | None = None
    """When the process opened the store, in epoch seconds."""
    last_seen: float | None = None
    """When the process last wrote to the store, in epoch seconds. It writes when something happens, and when
    it ends."""
    stopped: float | None = None
    """When the process ended in order, in epoch seconds; `None` if it is running or was killed."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """The state in a store when it was last written."""

    tasks: Mapping[str, SavedTask]
    """The registrations by name, without their histories. If one cannot be read whole, only a person's
    decisions about it are here."""
    paused: bool
    """True if the whole scheduler was paused."""
    running: Mapping[str, OpenRun] = FrozenDict()
    """The active runs by task name; none if no process has the store open."""
    last_runs: Mapping[str, Outcome] = FrozenDict()
    """The last outcome by task name, without output and traceback. If the run was interrupted, `finished` is
    the last time at which its process was seen."""
    unread: Mapping[str, str] = FrozenDict()
    """A sentence for each registration that cannot be read whole, by task name."""
    process: StoreProcess = StoreProcess(running=False)
    """The process that has the store open, or had it open last."""
    untrusted: str | None = None
    """The reason why no task registered here may run: others may have written the file. `None` if all may."""


def read_state(path: str | os.PathLike[str]) -> SavedState:
    """Read the state in the store at `path`, whether or not a process has it open. Thread-safe.

    Raises:
        StoreError: There is no store, or it cannot be read.
    """
    path = Path(path)
    columns = ", ".join(RegistrationRow._fields)
    open_columns = ", ".join(StartedRun._fields)
    lock = Path(f"{path.absolute()}.lock")
    try:
        lock = Path(f"{path.resolve()}.lock")
    except (OSError, RuntimeError):
        pass  # reading fails below, with the reason
    # Tested before and after the reading. A process that ends deletes its open runs before it releases the
    # lock; one that begins deletes them after it has taken the lock.
    in_use = is_held(lock, path)
    try:
        with closing(connect_to_read(path)) as connection:
            connection.execute("BEGIN")  # so that everything is of one moment
            rows = fetch_all(connection, f"SELECT {columns} FROM registrations")
            facts = dict(fetch_all(connection, "SELECT key, value FROM facts"))
            begun = fetch_all(connection, f"SELECT {open_columns} FROM open_runs ORDER BY run")
            ended = fetch_all(connection, _LAST_RUNS)
    except sqlite3.Error as error:
        raise StoreError(f"cannot read {path}: {sqlite_message(error)}") from error
    in_use = in_use or is_held(lock, path)
    tasks, unread = {}, {}
    for row in (RegistrationRow(*each) for each in rows):
        try:
            saved, missing = read_saved_task(row)
        except ValueError as error:
            unread[repr(row.name)] = f"a task is left out: {one_line(error)}"
            continue
        if missing:
            unread[saved.name] = unread_notice(saved.name, missing)
        try:
            saved = replace(saved, spec=read_spec(row))
        except Exception as error:  # noqa: BLE001 - a package or a time zone may be missing, or anything else
            unread[saved.name] = f"{saved.name!r} cannot be registered again at present: {one_line(error)}"
        tasks[saved.name] = saved
    running, last_runs = _runs([StartedRun(*row) for row in begun], ended, in_use, facts.get("seen"))
    return SavedState(
        tasks,
        is_paused(facts.get("paused")),
        running,
        last_runs,
        unread,
        _process(facts, in_use),
        _why_untrusted(path),
    )


def _process(facts: dict[object, object], in_use: bool) -> StoreProcess:
    pid, since, seen, stopped = (
        value if is_number(value) and is_finite(value) else None
        for value in (facts.get(key) for key in ("pid", "began", "seen", "ended"))
    )
    return StoreProcess(
        running=in_use and stopped is None,  # else it is about to end, and has noted that already
        pid=None if pid is None else int(pid),
        since=since,
        last_seen=since if seen is None or (since is not None and since > seen) else seen,
        stopped=stopped,
    )


def _why_untrusted(path: Path) -> str | None:
    try:
        return why_untrusted_store(path.absolute())
    except (OSError, RuntimeError) as error:
        return str(error)


def _runs(
    begun: list[StartedRun], ended: list[tuple[object, ...]], in_use: bool, seen: object
) -> tuple[dict[str, OpenRun], dict[str, Outcome]]:
    running, last_runs = {}, {}
    for row in ended:
        past = PastRow(*row)  # type: ignore[arg-type]
        try:
            outcome = read_past(past)
        except ValueError:
            continue  # a kind that this version does not know
        if isinstance(outcome, Outcome):
            last_runs[read_name(past.name)] = outcome
    for each in begun:
        try:
            run = _open_run(each)
            name = read_name(each.name)
        except ValueError:
            continue  # as above, or a value cannot be read
        if in_use:
            running[name] = run
        else:
            last_runs[name] = _interrupted(name, run, seconds_or(0.0, seen))
    return running, last_runs


def _open_run(row: StartedRun) -> OpenRun:
    started = seconds_or(nan, row.started)
    if isnan(started) or not is_whole(row.attempt):
        raise ValueError(f"a run cannot be read: {row!r}")
    return OpenRun(row.run, Trigger(row.trigger), seconds_or(started, row.due), started, row.attempt)


def _interrupted(name: str, begun: OpenRun, seen: float) -> Outcome:
    at = max(begun.started, seen)
    return Outcome(
        kind=OutcomeKind.INTERRUPTED,
        trigger=begun.trigger,
        run=begun.run,
        due=begun.due,
        started=begun.started,
        finished=at,
        duration=at - begun.started,
        lateness=max(0.0, begun.started - begun.due),
        attempt=begun.attempt,
        task=name,
    )
