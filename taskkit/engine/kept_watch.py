"""What has changed since the last look of what outlives the scheduler: the way for a keeper to follow it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Final

from taskkit.keeping import KeptChanges

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.core import Core
    from taskkit.engine.entry import Entry
    from taskkit.engine.ledger import Ledger


TOLD_AT_A_TIME: Final = 256
"""How many registrations are looked at between two releases of the lock."""


class KeptWatch:
    """Tells how the registrations stand that changed since it was last asked. Thread-safe.

    The first answer tells all, each further one costs as much as there are changes. `close()` it when done.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        with core.lock:
            self._changed: dict[Entry, None] = dict.fromkeys(core.ledger.entries.values())
            core.ledger.declarations.keep_done()
            core.ledger.watchers.append(self._note)

    def _note(self, entry: Entry) -> None:
        self._changed[entry] = None

    def collect(self) -> KeptChanges:
        """What is different since the last call; everything at the first."""
        return self._core.look(self._changes)

    def tell(self, receive: Callable[[KeptChanges], object]) -> bool:
        """Have `receive` called with what is different, in its place among the events.

        It is called where subscribers are: after every event that led to this state of things, and before
        every one that happens afterwards. It must be quick, and not raise. Where much is different only a
        part of it is told, so that the lock is not held for long: once the answer is `False`, all that was
        told is how things stood at that moment.

        Returns:
            Whether there is more to tell.
        """
        core = self._core
        with core.lock:
            # Not by `core.look`, which counts what passed the sleepers by and so makes events of its own.
            changes = self._changes(core.ledger, core.now(), TOLD_AT_A_TIME)

            def hand_over() -> None:
                receive(changes)

            core.bus.post(hand_over)
            more = bool(self._changed)
        core.bus.flush()
        return more

    @property
    def has_begun(self) -> bool:
        """Whether the scheduler was started: before, it does not know how things stood."""
        return self._core.started

    @property
    def is_told_here(self) -> bool:
        """Whether the calling thread is telling events: nothing more is told until it returns from that."""
        return self._core.bus.is_told_here

    def _changes(self, ledger: Ledger, now: Instant, most: int | None = None) -> KeptChanges:
        if most is None or len(self._changed) <= most:
            changed, self._changed = self._changed, {}
        else:
            changed = dict.fromkeys(islice(self._changed, most))
            for entry in changed:
                del self._changed[entry]
        done = {
            name: kept for name, kept in ledger.declarations.take_done().items() if name not in ledger.entries
        }
        kept = [ledger.declarations.kept(entry, now) for entry in changed if entry.registered]
        gone = dict.fromkeys(
            entry.name for entry in changed if entry.name not in ledger.entries and entry.name not in done
        )
        return KeptChanges((*kept, *done.values()), tuple(gone), ledger.paused, tuple(done))

    def close(self) -> None:
        """Stop noting changes."""
        ledger = self._core.ledger
        with self._core.lock:
            if self._note in ledger.watchers:
                ledger.watchers.remove(self._note)
            ledger.declarations.keep_done(False)
            self._changed = {}
