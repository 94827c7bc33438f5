"""Changes since the last look: for a dashboard to follow many handles without reading them all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from taskkit.engine.snapshots import figures_of, task_snapshot
from taskkit.snapshot import Changes, TaskState

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.core import Core
    from taskkit.engine.ledger import Ledger
    from taskkit.engine.registration import Registration
    from taskkit.events import RunFinished


class Watch:
    """Returns the handles that changed since the last call. Thread-safe.

    The first call returns all handles, each further one costs O(changes + runs). A dashboard with thousands
    of handles calls it once a tick; `close()` it when done.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        with core.lock:
            self._looked = core.now()
            self._changed: dict[Registration, None] = dict.fromkeys(core.ledger.all_entries())
            core.ledger.watchers.append(self._note)
            self._failure_watchers: list[Callable[[RunFinished], None]] = []
            self._reported_end = False

    def _note(self, entry: Registration) -> None:
        self._changed[entry] = None

    def follow_failures(self, receive: Callable[[RunFinished], object]) -> None:
        """Call `receive` with each run that fails, until `close()`.

        It is called where subscribers are, in order with the events that they get. It must be quick and must
        not raise. Unlike a subscription to `RunFinished`, this costs nothing for a run that succeeds.
        """
        bus = self._core.bus

        def post(event: RunFinished) -> None:
            bus.post(lambda: _no_event(receive(event)))

        with self._core.lock:
            self._failure_watchers.append(post)
            self._core.ledger.failure_watchers.append(post)

    def collect(self, most: int | None = None) -> Changes:
        """Return what changed since the last call; everything at the first.

        Args:
            most: Return at most this many handles, and the rest at the next calls. The scheduler's lock is
                held about 15 µs for each, so the first look at thousands is best taken in parts.
        """
        threads = self._core.threads.count
        with self._core.view() as (ledger, now):
            return self._changes(ledger, threads, now, most)

    def _changes(self, ledger: Ledger, threads: int, now: Instant, most: int | None) -> Changes:
        for entry in ledger.running.values():
            before = entry.next_run(self._looked)
            if (
                before is not None and before <= now.wall
            ):  # its run covers one more due time, which is not a transition
                self._changed[entry] = None
        if ledger.closed and not self._reported_end:
            self._reported_end = True
            self._changed.update(dict.fromkeys(ledger.all_entries()))  # nothing is to come for any of them
        self._looked = now
        if most is None or len(self._changed) <= most:
            changed, self._changed = self._changed, {}
        else:
            changed = dict.fromkeys(islice(self._changed, most))
            for entry in changed:
                del self._changed[entry]
        return Changes(
            figures=figures_of(ledger, self._core.is_running, self._core.state, threads, now),
            changed=tuple(
                task_snapshot(entry, ledger, now) for entry in changed if entry.state is not TaskState.GONE
            ),
            gone=tuple(entry.number for entry in changed if entry.state is TaskState.GONE),
            rest=len(self._changed),
        )

    def close(self) -> None:
        """Stop following changes."""
        watchers = self._core.ledger.watchers
        with self._core.lock:
            if self._note in watchers:
                watchers.remove(self._note)
            for each in self._failure_watchers:
                self._core.ledger.failure_watchers.remove(each)
            self._failure_watchers = []
            self._changed = {}


def _no_event(_answer: object) -> None:
    """Return None, which is not an event for the subscribers."""
