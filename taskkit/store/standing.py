"""How all registrations stand as far as the file knows or soon will: what a file begun anew is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from taskkit.keeping import KeptChanges
from taskkit.store.database import Batch
from taskkit.store.records import Registration, StoredText, registration_row, stored_name
from taskkit.store.retention import LOOK_SECONDS, Retention


class Standing:
    """Follows the changes, and puts into each batch what is different. For one thread.

    Args:
        registrations: How they stood when the store was opened.
        retention: How long those are kept that nobody renews.
        time: The wall clock, in epoch seconds.
        complain: Called with a sentence for each part that cannot be stored.
    """

    def __init__(
        self,
        registrations: dict[StoredText, Registration],
        retention: Retention,
        time: Callable[[], float],
        complain: Callable[[str], object],
    ) -> None:
        self.registrations = registrations
        """By name."""
        self.paused: bool | None = None
        """Whether the scheduler is; `None` while nobody has said."""
        self._retention = retention
        self._time = time
        self._complain = complain
        self._live: set[StoredText] = set()  # those that are registered now
        self._looked = time()

    def take(self, states: Iterable[KeptChanges], batch: Batch) -> None:
        """Note how things stand now, in `batch` too."""
        now = self._time()
        for state in states:
            self._take(state, batch, now)
        if abs(now - self._looked) >= LOOK_SECONDS:
            self._looked = now
            self._forget_stale(batch, now)

    def _take(self, state: KeptChanges, batch: Batch, now: float) -> None:
        for kept in state.changed:
            try:
                row = registration_row(kept, now, self._complain)
            except Exception as error:  # noqa: BLE001 - one that is odd must not cost the others
                self._complain(f"the registration of {kept.name!r} cannot be stored: {error!r}")
                continue
            batch.registrations[row.name] = self.registrations[row.name] = row
            self._live.add(row.name)
        for name in state.done:
            self._live.discard(stored_name(name))
        for name in state.gone:
            key = stored_name(name)
            batch.registrations[key] = None
            self.registrations.pop(key, None)
            self._live.discard(key)
        if state.paused != self.paused:
            self.paused = batch.paused = state.paused

    def _forget_stale(self, batch: Batch, now: float) -> None:
        """Forget what the program has not registered for long, unless a person had registered it."""
        before = self._retention.oldest(now)
        for name, row in list(self.registrations.items()):
            if row.spec is None and row.written < before and name not in self._live:
                batch.registrations[name] = None
                del self.registrations[name]
