"""Records a scheduler's events in the write queue, and has its state delivered there too."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from taskkit.events import (
    Event,
    OutputWritten,
    RunFinished,
    RunProgressed,
    RunSkipped,
    RunStarted,
    SchedulerStarted,
)
from taskkit.store.rows import PastRow, StartedRun, run_row, skip_row, started_row
from taskkit.store.write_queue import WriteQueue

if TYPE_CHECKING:
    from taskkit.engine.persistence_watch import PersistenceWatch
    from taskkit.persistence import StateSource
    from taskkit.scheduler import Scheduler

_logger = logging.getLogger("taskkit")


class EventRecorder:
    """Records the events of a scheduler from its start on.

    Before the start nothing is recorded, as the scheduler has not restored its saved state yet.

    Args:
        scheduler: The scheduler to follow.
        source: The saved state to restore it from.
        queue: Receives the events and the state.
    """

    def __init__(self, scheduler: Scheduler, source: StateSource, queue: WriteQueue) -> None:
        self.scheduler = scheduler
        """The scheduler that is followed."""
        self._queue = queue
        self._recording = False
        self._unsubscribe: Callable[[], None] = scheduler.restore_from(source, self._record)
        self._watch: PersistenceWatch = scheduler.watch_persistence()
        self._recording = self._recording or scheduler.is_running

    def request_state(self) -> bool:
        """Put the current state into the queue, after all events that led to it.

        Returns:
            `False` if the scheduler was not started yet: then no state comes.
        """
        if not self._watch.has_begun:  # true a little before `SchedulerStarted` is delivered
            return False
        more = True
        while more:
            self._queue.expect_state()
            more = self._watch.post(self._queue.put_state)
        return True

    @property
    def in_subscriber(self) -> bool:
        """True if a subscriber is the caller: no event is delivered until it returns."""
        return self._watch.is_delivering_here

    def close(self) -> None:
        """Stop recording."""
        self._unsubscribe()
        self._watch.close()

    def _record(self, event: Event) -> None:
        # On the thread that delivers the events; everything that takes long is left to the writer.
        kind = type(event)
        if kind is OutputWritten or kind is RunProgressed:
            return
        if not self._recording:
            if kind is not SchedulerStarted:
                return
            self._recording = True
        if isinstance(event, RunFinished):
            self._put(run_row(event.name, event.outcome))
        elif isinstance(event, RunStarted):
            self._put(started_row(event))
        elif isinstance(event, RunSkipped):
            self._put(skip_row(event))
        else:
            self._queue.wake.open()

    def _put(self, row: StartedRun | PastRow) -> None:
        if self._queue.put(row):
            _logger.warning(
                "the store cannot be written, and its queue is full: the oldest history is dropped"
            )
