"""Changes of what a store must save, since the last look: for the store to follow a scheduler."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Final

from taskkit.persistence import SavedChanges

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.core import Core
    from taskkit.engine.ledger import Ledger
    from taskkit.engine.registration import Registration


MOST_AT_A_TIME: Final = 256
"""The most registrations that are read between two releases of the lock."""


class PersistenceWatch:
    """Returns the saved state of each registration that changed since the last call. Thread-safe.

    The first call returns all of them, each further one costs O(changes). `close()` it when done.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        with core.lock:
            self._changed: dict[Registration, None] = dict.fromkeys(core.ledger.entries.values())
            core.ledger.declarations.keep_done()
            core.ledger.watchers.append(self._note)

    def _note(self, entry: Registration) -> None:
        self._changed[entry] = None

    def collect(self) -> SavedChanges:
        """Return what changed since the last call; everything at the first."""
        with self._core.view() as (ledger, now):
            return self._changes(ledger, now)

    def post(self, receive: Callable[[SavedChanges], object]) -> bool:
        """Call `receive` with the changes, at their place among the events.

        It is called where subscribers are: after every event that led to this state, and before every event
        that follows. It must be quick and must not raise. A call hands over a limited number of changes, so
        that the lock is not held for long. When it returns `False`, everything handed over is how things
        stood at that moment.

        Returns:
            True if there are more changes.
        """
        core = self._core
        with core.lock:
            # Not by `core.view`, which counts the due times of disabled tasks and so posts events itself.
            changes = self._changes(core.ledger, core.moment(), MOST_AT_A_TIME)

            def hand_over() -> None:
                receive(changes)

            core.own_bus.post(hand_over)
            more = bool(self._changed)
        core.own_bus.flush()
        return more

    @property
    def has_begun(self) -> bool:
        """True if the scheduler was started; before that it has not restored anything."""
        return self._core.started

    @property
    def is_delivering_here(self) -> bool:
        """True on a thread that delivers events: nothing more is delivered until the caller returns."""
        return self._core.bus.is_delivering_here

    def _changes(self, ledger: Ledger, now: Instant, most: int | None = None) -> SavedChanges:
        if most is None or len(self._changed) <= most:
            changed, self._changed = self._changed, {}
        else:
            changed = dict.fromkeys(islice(self._changed, most))
            for entry in changed:
                del self._changed[entry]
        done = {
            name: saved
            for name, saved in ledger.declarations.take_done().items()
            if name not in ledger.entries
        }
        changed_tasks = [ledger.declarations.saved(entry, now) for entry in changed if entry.registered]
        gone = dict.fromkeys(
            entry.name for entry in changed if entry.name not in ledger.entries and entry.name not in done
        )
        return SavedChanges((*changed_tasks, *done.values()), tuple(gone), ledger.paused, tuple(done))

    def close(self) -> None:
        """Stop following changes."""
        ledger = self._core.ledger
        with self._core.lock:
            if self._note in ledger.watchers:
                ledger.watchers.remove(self._note)
            ledger.declarations.keep_done(False)
            self._changed = {}
