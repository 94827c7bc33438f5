"""What has changed since the last look: the way to follow many handles without reading them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskkit.engine.picture import figures_of, task_snapshot
from taskkit.snapshot import Changes, TaskState

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.core import Core
    from taskkit.engine.entry import Entry
    from taskkit.engine.ledger import Ledger


class Watch:
    """Tells the handles that changed since it was last asked. Thread-safe.

    The first answer tells all handles, each further one costs as much as there are changes and runs. Whoever
    shows thousands of handles asks it once a tick; `close()` it when done.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        with core.lock:
            self._looked = core.now()
            self._changed: dict[Entry, None] = dict.fromkeys(core.ledger.all_entries())
            core.ledger.watchers.append(self._note)
            self._told_end = False

    def _note(self, entry: Entry) -> None:
        self._changed[entry] = None

    def collect(self) -> Changes:
        """What is different since the last call; everything at the first."""
        threads = self._core.executor.threads
        return self._core.look(lambda ledger, now: self._changes(ledger, threads, now))

    def _changes(self, ledger: Ledger, threads: int, now: Instant) -> Changes:
        for entry in ledger.running.values():
            told = entry.next_run(self._looked)
            if told is not None and told <= now.wall:  # its run covers one more due time, which nobody notes
                self._changed[entry] = None
        if ledger.closed and not self._told_end:
            self._told_end = True
            self._changed.update(dict.fromkeys(ledger.all_entries()))  # nothing is to come for any of them
        self._looked = now
        changed, self._changed = self._changed, {}
        return Changes(
            figures=figures_of(ledger, self._core.started and not ledger.closed, threads, now),
            changed=tuple(
                task_snapshot(entry, ledger, now) for entry in changed if entry.state is not TaskState.GONE
            ),
            gone=tuple(entry.number for entry in changed if entry.state is TaskState.GONE),
        )

    def close(self) -> None:
        """Stop noting changes."""
        watchers = self._core.ledger.watchers
        with self._core.lock:
            if self._note in watchers:
                watchers.remove(self._note)
            self._changed = {}
