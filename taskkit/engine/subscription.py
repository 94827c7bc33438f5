"""One subscriber of an `EventBus`, and the events that wait for it while it is set aside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Final

from taskkit.engine.summaries import body_in_words
from taskkit.events import OutputWritten, RunFinished

if TYPE_CHECKING:
    from taskkit.events import Event

MOST_BYTES: Final = 32 * 2**20
"""Approximate bytes that may wait for a subscriber set aside; beyond that it loses the oldest events."""

_BYTES_OF_AN_EVENT: Final = 500
"""Approximate size of one event without its lines."""

_BYTES_OF_A_LINE: Final = 150

Subscriber = Callable[["Event"], object]


class Subscription:
    """One subscriber. All but `call` and `kinds` is guarded by the lock of its bus."""

    __slots__ = ("behind", "call", "is_named", "kinds", "lost", "name", "since", "weight")

    def __init__(self, call: Subscriber, kinds: frozenset[type[Event]]) -> None:
        self.call = call
        self.kinds = kinds
        self.name = body_in_words(call)  # here, as that may be foreign code
        self.behind: deque[tuple[Event, int]] = deque()
        """Events that wait while it is set aside, each with its weight."""
        self.weight = 0
        self.lost = 0
        """Events that it lost since it was set aside."""
        self.since = inf
        """Time of the call that has not returned, by `time.monotonic()`."""
        self.is_named = False
        """True if the log has said that it does not return."""

    def keep(self, event: Event) -> None:
        """Store an event for later; for a subscriber that is set aside."""
        if type(event) not in self.kinds:
            return
        weight = _weight(event)
        self.behind.append((event, weight))
        self.weight += weight
        while self.weight > MOST_BYTES:
            self.weight -= self.behind.popleft()[1]
            self.lost += 1


def _weight(event: Event) -> int:
    """Return approximately how many bytes an event takes."""
    if isinstance(event, OutputWritten):
        return _BYTES_OF_AN_EVENT + sum(_BYTES_OF_A_LINE + len(line.text) for line in event.lines)
    if isinstance(event, RunFinished):
        outcome = event.outcome
        lines = sum(_BYTES_OF_A_LINE + len(text) for text in outcome.output)
        return _BYTES_OF_AN_EVENT + lines + len(outcome.traceback or "")
    return _BYTES_OF_AN_EVENT
