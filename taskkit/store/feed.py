"""What a scheduler tells, on its way to the inbox."""

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
from taskkit.store.inbox import Inbox
from taskkit.store.records import PastRow, StartedRun, run_row, skip_row, started_row

if TYPE_CHECKING:
    from taskkit.engine.kept_watch import KeptWatch
    from taskkit.keeping import Keeper
    from taskkit.scheduler import Scheduler

_logger = logging.getLogger("taskkit")


class Feed:
    """Hears a scheduler from its start on: before, it does not know how things stood.

    Args:
        scheduler: Whom to hear.
        keeper: Who tells it how things stood.
        inbox: Where to put what is told.
    """

    def __init__(self, scheduler: Scheduler, keeper: Keeper, inbox: Inbox) -> None:
        self.scheduler = scheduler
        """Whom it hears."""
        self._inbox = inbox
        self._begun = False
        self._unsubscribe: Callable[[], None] = scheduler.subscribe(self._hear)
        scheduler.keep_with(keeper)
        self._watch: KeptWatch = scheduler.watch_kept()
        self._begun = self._begun or scheduler.is_running

    def ask(self) -> bool:
        """Have the inbox told how things stand, after all that led there. `False`: not before the start."""
        if not self._watch.has_begun:  # which may be so for a while before that is told
            return False
        more = True
        while more:
            self._inbox.expect_state()
            more = self._watch.tell(self._inbox.put_state)
        return True

    @property
    def is_told_here(self) -> bool:
        """Whether a subscriber asks: nothing more is told until it returns."""
        return self._watch.is_told_here

    def end(self) -> None:
        """Hear nothing any more."""
        self._unsubscribe()
        self._watch.close()

    def _hear(self, event: Event) -> None:
        # On the thread that tells the events; everything that takes long is the writer's.
        kind = type(event)
        if kind is OutputWritten or kind is RunProgressed:
            return
        if not self._begun:
            if kind is not SchedulerStarted:
                return
            self._begun = True
        if isinstance(event, RunFinished):
            self._put(run_row(event.name, event.outcome))
        elif isinstance(event, RunStarted):
            self._put(started_row(event))
        elif isinstance(event, RunSkipped):
            self._put(skip_row(event))
        else:
            self._inbox.wake.open()

    def _put(self, row: StartedRun | PastRow) -> None:
        if self._inbox.put(row):
            _logger.warning("the store cannot be written for so long that the oldest of its news is dropped")
