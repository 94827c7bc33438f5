"""How things stood at the end of an earlier life, as a scheduler is told of it: read once, at the opening."""

from __future__ import annotations

import sqlite3
from typing import Final

from taskkit.engine.history import KEPT
from taskkit.keeping import KeptTask
from taskkit.outcome import Outcome, Skip
from taskkit.schedules import OnDemand
from taskkit.spec import TaskSpec
from taskkit.store.database import Database
from taskkit.store.errors import StoreError
from taskkit.store.records import (
    PastRow,
    Registration,
    kept_spec,
    kept_task,
    past_of,
    read_name,
    stored_name,
)
from taskkit.store.sqlite_file import in_words, is_corrupt

MOST_READ: Final = 10_000
"""How many runs and skips are read for all together, so that an opening takes no longer than a blink."""


class Recollection:
    """The `taskkit.keeping.Keeper` of a store: it reads when it is made, and waits for no disk later.

    Args:
        database: What to read.
    """

    def __init__(self, database: Database) -> None:
        self.paused = database.paused()
        """Whether the scheduler was."""
        self._unread: list[str] = []
        self.registrations = {row.name: row for row in database.registrations()}
        """How they stood."""
        self._untold = dict(self.registrations)
        per_task = max(1, min(KEPT, MOST_READ // max(1, len(self.registrations))))
        self._past = database.recent_past(per_task) if self.registrations else {}

    def recall(self, name: str) -> KeptTask | None:
        """How the registration of that name stood; each is told once."""
        key = stored_name(name)
        row = self._untold.pop(key, None)
        if row is None:
            return None
        try:
            return kept_task(row, _readable(self._past.pop(key, [])))
        except (KeyError, TypeError, ValueError) as error:
            self._unread.append(f"the registration of {name!r} cannot be read, and begins anew: {error!r}")
            return None

    def take_unread(self) -> list[str]:
        """A sentence for each registration that was recalled and could not be read."""
        unread, self._unread = self._unread, []
        return unread

    def specs(self) -> list[tuple[str, TaskSpec | Exception]]:
        """What a person registered while the program ran, by name: how to do it again, or why not."""
        found: list[tuple[str, TaskSpec | Exception]] = []
        for row in list(self._untold.values()):
            if row.spec is None:
                continue
            try:
                spec = kept_spec(row.spec)
            except (KeyError, TypeError, ValueError) as error:
                found.append((read_name(row.name), error))
                continue
            if not _is_done(row, spec):
                found.append((spec.name, spec))
        return found


def recollect(database: Database, now: float) -> Recollection:
    """How things stood; if only the history cannot be read, a file without it is begun.

    Args:
        database: What to read.
        now: Epoch seconds.

    Raises:
        StoreError: It cannot be read, or begun anew.
    """
    registrations: list[Registration] = []
    paused = None
    try:
        registrations = database.registrations()
        paused = database.paused()
        return Recollection(database)
    except sqlite3.Error as error:
        if not is_corrupt(error):
            raise StoreError(f"cannot open {database.path}: {in_words(error)}") from error
        database.begin_anew(f"it is corrupt ({error})", now, registrations, paused=paused)
        return Recollection(database)


def _is_done(row: Registration, spec: TaskSpec) -> bool:
    if row.again is not None or row.retry is not None:
        return False
    most = spec.policies.max_runs
    if most is not None and row.run_count >= most:
        return True
    if row.override is None and isinstance(spec.schedule, OnDemand):
        return not spec.policies.keep and row.run_count > 0
    return row.due is None and row.override is None


def _readable(rows: list[PastRow]) -> tuple[Outcome | Skip, ...]:
    past = []
    for row in reversed(rows):
        try:
            past.append(past_of(row))
        except ValueError:
            pass  # of a kind that this version does not know
    return tuple(past)
