"""The rows of all registrations, in memory: as they are in the file, or will be after the next batch.

They show which rows have really changed, and they fill a new file if the old one turns out to be corrupt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import TYPE_CHECKING

from taskkit.persistence import SavedChanges
from taskkit.store.database import Batch
from taskkit.store.registration_rows import RegistrationRow, registration_row
from taskkit.store.retention import AGE_CHECK_SECONDS, Retention
from taskkit.store.rows import StoredText, seconds_or, stored_name

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.store.store_time import StoreTime


class PendingRegistrations:
    """Applies changes of the state to the rows, and puts the rows that differ into a batch. Not thread-safe.

    Args:
        registrations: The rows as they were when the store was opened.
        retention: How long to keep a registration that no program renews.
        time: The store's own time.
        now: Returns this moment by both clocks.
        complain: Called with a sentence for each part that cannot be stored.
    """

    def __init__(
        self,
        registrations: dict[StoredText, RegistrationRow],
        retention: Retention,
        time: StoreTime,
        now: Callable[[], Instant],
        complain: Callable[[str], object],
    ) -> None:
        self.registrations = registrations
        """The rows by name."""
        self.paused: bool | None = None
        """True if the whole scheduler is paused; `None` until that is known."""
        self._retention = retention
        self._time = time
        self._now = now
        self._complain = complain
        self._live: set[StoredText] = set()  # the names that are registered now
        self._last_age_check = time.at(now())

    def apply(self, changes: Iterable[SavedChanges], batch: Batch) -> None:
        """Apply changes of the state to the rows, and put those that differ into `batch`."""
        now = self._time.at(self._now())
        for each in changes:
            self._apply(each, batch, now)
        if now - self._last_age_check >= AGE_CHECK_SECONDS:
            self._last_age_check = now
            self._forget_stale(batch)

    def _apply(self, changes: SavedChanges, batch: Batch, now: float) -> None:
        for saved in changes.changed:
            try:
                row = registration_row(saved, now, self._complain)
            except Exception as error:  # noqa: BLE001 - one that is odd must not cost the others
                self._complain(f"the registration of {saved.name!r} cannot be stored: {error!r}")
                continue
            self._live.add(row.name)
            before = self.registrations.get(row.name)
            if saved.preserved and before is not None:
                preserved = {column: getattr(before, column) for column in saved.preserved}
                row = row._replace(written=before.written, **preserved)
                if row == before:
                    continue
            batch.registrations[row.name] = self.registrations[row.name] = row
        for name in changes.done:
            self._live.discard(stored_name(name))
        for name in changes.gone:
            key = stored_name(name)
            batch.registrations[key] = None
            self.registrations.pop(key, None)
            self._live.discard(key)
        if changes.paused != self.paused:
            self.paused = batch.paused = changes.paused

    def _forget_stale(self, batch: Batch) -> None:
        """Delete what no program has registered for long, unless a person had registered it."""
        oldest = self._retention.oldest(self._time)
        for name, row in list(self.registrations.items()):
            if row.spec is None and name not in self._live and seconds_or(inf, row.written) < oldest:
                batch.registrations[name] = None
                del self.registrations[name]
