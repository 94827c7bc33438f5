"""What has changed since the last look: the way to follow many handles without reading them all."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from taskkit.engine.picture import figures_of, task_snapshot
from taskkit.snapshot import Changes, TaskState

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.entry import Entry
    from taskkit.engine.ledger import Ledger


class Watch:
    """Tells the handles that changed since it was last asked. Thread-safe.

    The first answer tells all handles, each further one costs as much as there are changes. Whoever
    shows thousands of handles asks it once a tick; `close()` it when done.

    Args:
        lock: The scheduler's.
        ledger: Guarded by it.
        now: What time it is.
        life: Whether the scheduler is running, and how many threads it has.
        after: To be called when the lock has been released.
    """

    def __init__(
        self,
        lock: Lock,
        ledger: Ledger,
        now: Callable[[], Instant],
        life: Callable[[], tuple[bool, int]],
        after: Callable[[], None],
    ) -> None:
        self._lock = lock
        self._ledger = ledger
        self._now = now
        self._life = life
        self._after = after
        with lock:
            self._changed: dict[Entry, None] = dict.fromkeys(ledger.all_entries())
            ledger.watchers.append(self._note)

    def _note(self, entry: Entry) -> None:
        self._changed[entry] = None

    def collect(self) -> Changes:
        """What is different since the last call; everything at the first."""
        with self._lock:
            now = self._now()
            self._ledger.settle_sleepers(now)
            changed, self._changed = self._changed, {}
            here = [entry for entry in changed if entry.state is not TaskState.GONE]
            changes = Changes(
                figures=figures_of(self._ledger, *self._life(), now),
                changed=tuple(task_snapshot(entry, self._ledger, now) for entry in here),
                gone=tuple(entry.number for entry in changed if entry.state is TaskState.GONE),
            )
        self._after()
        return changes

    def close(self) -> None:
        """Stop noting changes."""
        with self._lock:
            if self._note in self._ledger.watchers:
                self._ledger.watchers.remove(self._note)
            self._changed = {}
