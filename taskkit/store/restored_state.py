"""The saved state of a scheduler, read once when its store is opened, to be restored from memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from taskkit._helpers.checks import is_whole
from taskkit.engine.recent_runs import MOST_REMEMBERED
from taskkit.engine.summaries import one_line
from taskkit.errors import StoreError
from taskkit.outcome import Outcome, Skip
from taskkit.persistence import SavedTask
from taskkit.schedules import OnDemand
from taskkit.spec import TaskSpec
from taskkit.store.database import Database
from taskkit.store.registration_rows import RegistrationRow, read_saved_task, read_spec, unread_notice
from taskkit.store.rows import PastRow, read_name, read_past, stored_name
from taskkit.store.sqlite_file import is_corrupt, sqlite_message

if TYPE_CHECKING:
    from taskkit.clock import Instant

MAX_RESTORED_ROWS: Final = 10_000
"""The most runs and skips that are read, over all tasks: more would make the opening slow."""


class RestoredState:
    """The `StateSource` of a store. It reads the file when it is made, and never waits for the disk later.

    A registration that cannot be read whole is one notice, and nothing is lost: a person's decisions about it
    are restored as far as they can be read, and its row in the file stays as it is.

    Args:
        database: The database to read the history from.
        registrations: The rows of all registrations.
        paused: True if the whole scheduler was paused.
    """

    def __init__(self, database: Database, registrations: Iterable[RegistrationRow], *, paused: bool) -> None:
        self.paused = paused
        """True if the whole scheduler was paused."""
        self._path = database.path
        self.notices: list[str] = []
        """Sentences about registrations that cannot be read, since the last `take_notices()`."""
        self.registrations = {row.name: row for row in registrations}
        """The rows of the registrations, by name."""
        self._not_taken = dict(self.registrations)
        self._interrupted = database.interrupted
        per_task = max(1, min(MOST_REMEMBERED, MAX_RESTORED_ROWS // max(1, len(self.registrations))))
        self._past = database.recent_past(per_task) if self.registrations else {}
        for stored in self.registrations:
            try:
                read_name(stored)
            except ValueError as error:
                self.notices.append(
                    f"a task cannot be restored, and is left in {self._path} as it is: {one_line(error)}"
                )

    def take_task(self, name: str) -> SavedTask | None:
        """Return the saved state of the registration of that name; `None` from the second call on."""
        key = stored_name(name)
        row = self._not_taken.pop(key, None)
        if row is None:
            return None
        interrupted = _readable(reversed(self._interrupted.get(key, [])))
        saved, unread = read_saved_task(
            row,
            history=_readable(self._past.pop(key, [])),
            interrupted=tuple(each for each in interrupted if isinstance(each, Outcome)),
        )
        if unread:
            self.notices.append(f"{unread_notice(name, unread)}; it is left in {self._path} as it is")
        return saved

    def take_notices(self) -> list[str]:
        """Remove and return the notices."""
        notices, self.notices = self.notices, []
        return notices

    def specs_to_register(self) -> list[tuple[str, TaskSpec | Exception]]:
        """Return what a person had registered at run time: each name, with its spec or the reason why not."""
        found: list[tuple[str, TaskSpec | Exception]] = []
        for row in list(self._not_taken.values()):
            try:
                name = read_name(row.name)
            except ValueError:
                continue  # there is a notice about it
            try:
                spec = read_spec(row)
            except Exception as error:  # noqa: BLE001 - a package or a time zone may be missing, or anything else
                found.append((name, error))
                continue
            if spec is not None and not _is_done(row, spec):
                found.append((name, spec))
        return found


def restored_state(database: Database, now: Instant) -> RestoredState:
    """Read the saved state. If only the history is corrupt, start a new file with the registrations alone.

    Args:
        database: The database to read.
        now: This moment.

    Raises:
        StoreError: The file cannot be read, or no new one can be started.
    """
    registrations: list[RegistrationRow] = []
    paused = None
    try:
        registrations = database.registrations()
        paused = database.paused()
        return RestoredState(database, registrations, paused=paused)
    except sqlite3.Error as error:
        if not is_corrupt(error):
            raise StoreError(f"cannot open {database.path}: {sqlite_message(error)}") from error
        database.start_anew(f"the old one is corrupt ({error})", now, registrations, paused=paused)
        return RestoredState(database, database.registrations(), paused=database.paused())


def _is_done(row: RegistrationRow, spec: TaskSpec) -> bool:
    """True if nothing of it is left to run."""
    if row.again is not None or row.retry is not None:
        return False
    most, run_count = spec.policies.max_runs, row.run_count if is_whole(row.run_count) else 0
    if most is not None and run_count >= most:
        return True
    if row.override is None and isinstance(spec.schedule, OnDemand):
        return not spec.policies.keep and run_count > 0
    return row.due is None and row.override is None and not spec.schedule.repeats


def _readable(newest_first: Iterable[PastRow]) -> tuple[Outcome | Skip, ...]:
    """Return the rows that can be read, oldest first."""
    past = []
    for row in reversed([*newest_first]):
        try:
            past.append(read_past(row))
        except ValueError:
            pass  # a kind that this version does not know
    return tuple(past)
