"""Clients that wait for the outcome of a run that they asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from taskkit.events import RunFinished
from taskkit.outcome import Outcome, Trigger

if TYPE_CHECKING:
    from taskkit.events import Event
    from taskkit.scheduler import Scheduler


class _Wait(NamedTuple):
    session: int
    identity: int | str
    name: str
    after: int
    answer: Callable[[Outcome], object]


class OutcomeWaits:
    """Answers a client when a demanded run ends. Subscribed only while a client waits.

    All methods run on the server's thread, except `_receive`, which runs on the thread of the events.

    Args:
        scheduler: The scheduler whose runs are waited for.
        call: Calls a function on the server's thread.
    """

    def __init__(self, scheduler: Scheduler, call: Callable[[Callable[[], object]], object]) -> None:
        self._scheduler = scheduler
        self._call = call
        self._waits: list[_Wait] = []
        self._unsubscribe: Callable[[], None] | None = None

    def add(
        self, session: int, identity: int | str, name: str, after: int, answer: Callable[[Outcome], object]
    ) -> None:
        """Have `answer` called with the outcome of the next demanded run of a task.

        Args:
            session: The number of the client.
            identity: The `id` of its request.
            name: The name of the task.
            after: The number of a run; only later ones count.
            answer: Called once.
        """
        self._waits.append(_Wait(session, identity, name, after, answer))
        if self._unsubscribe is None:
            self._unsubscribe = self._scheduler.subscribe(self._receive, kinds=(RunFinished,))

    def count(self, session: int) -> int:
        """Return the number of outcomes that a client waits for."""
        return sum(each.session == session for each in self._waits)

    def remove(self, session: int, identity: int | str | None = None) -> bool:
        """Give up one wait of a client, or all of them without `identity`. Return False if there was none."""
        left = [
            each for each in self._waits if each.session != session or identity not in (None, each.identity)
        ]
        removed = len(left) < len(self._waits)
        self._waits = left
        if not left and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        return removed

    def _receive(self, event: Event) -> None:
        assert isinstance(event, RunFinished)
        if event.outcome.trigger is Trigger.DEMAND and any(each.name == event.name for each in self._waits):
            self._call(lambda: self._finished(event))

    def _finished(self, event: RunFinished) -> None:
        for each in [each for each in self._waits if each.name == event.name and event.run > each.after]:
            self.remove(each.session, each.identity)
            each.answer(event.outcome)
