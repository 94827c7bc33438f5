"""Events on their way to the subscribers: in order, one at a time, outside every lock.

Whoever changes something posts the fact while it still holds the scheduler's lock, so the order of the
queue is the order of truth. Delivery is one job at a time on a thread of its own: a slow subscriber
delays the other subscribers, never a run or a command.

A fact that is made again and again while nobody listens fast enough (lines of output, progress) is
queued once, as a function that makes the event when its turn comes, so a flood costs no memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock, get_ident
from time import sleep
from typing import TYPE_CHECKING, Final

from taskkit.clock import LockGate
from taskkit.engine import log

if TYPE_CHECKING:
    from taskkit.engine.executor import Executor
    from taskkit.events import Event

LINGER: Final = 0.0005
"""Seconds that the delivery waits for more before it ends: the end of a short run, for example, or the first
fact where some are expected. So they need not wake a thread, which costs whoever posts them more than all
the rest."""

Subscriber = Callable[["Event"], object]


class EventBus:
    """A queue of facts and those who want to hear them. Thread-safe."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._queue: deque[Event | Callable[[], Event | None]] = deque()
        self._lock = Lock()
        self._delivering: int | None = None  # the thread that does; guarded by _lock
        self._scheduled = False  # whether a delivery is under way or will be; guarded by _lock
        self._subscriptions: dict[object, Subscriber] = {}  # guarded by _lock
        self._listeners: tuple[tuple[object, Subscriber], ...] = ()  # those whose turn has come
        self._waiting: list[LockGate] = []  # for the queue to be empty; guarded by _lock
        self.wanted = False
        """Whether anybody listens. What nobody listens to need not be made."""

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with every event from now on, until the answer is called."""
        subscription = object()

        def begin() -> None:
            with self._lock:
                if subscription in self._subscriptions:
                    self._listeners += ((subscription, subscriber),)

        def unsubscribe() -> None:
            with self._lock:
                if self._subscriptions.pop(subscription, None) is not None:
                    self._listeners = tuple(each for each in self._listeners if each[0] is not subscription)
                    self.wanted = bool(self._subscriptions)

        with self._lock:
            self._subscriptions[subscription] = subscriber
            self.wanted = True
            if self._queue or self._scheduled:
                self._queue.append(begin)  # behind what happened before
            else:
                self._listeners += ((subscription, subscriber),)
        return unsubscribe

    def post(self, event: Event | Callable[[], Event | None]) -> None:
        """Queue a fact, or a function that will tell it when its turn comes. Calls nobody."""
        self._queue.append(event)

    def flush(self) -> None:
        """Have what is queued delivered. Call it outside every lock."""
        if self._queue and not self._scheduled:  # a look without the lock: whoever posted flushes after it
            self.expect()

    def expect(self) -> None:
        """Have the delivery stand ready for facts that will be posted in this moment."""
        with self._lock:
            if self._scheduled:
                return
            self._scheduled = True
        self._executor.submit([("taskkit events", self._deliver)])

    @property
    def is_told_here(self) -> bool:
        """Whether the calling thread is the one that tells: a subscriber asks."""
        return self._delivering == get_ident()

    def wait_delivered(self, timeout: float) -> bool:
        """Wait until what was posted is told, `timeout` seconds at most; never on the thread that tells."""
        gate = LockGate()
        with self._lock:
            if not self._scheduled or self.is_told_here:
                return not self._scheduled
            self._waiting.append(gate)
        return gate.wait(timeout)

    def _deliver(self) -> None:
        self._delivering = get_ident()
        lingered = False
        while True:
            told = self._tell_queued()
            if (told or not lingered) and self._executor.threads and not self._waiting:
                lingered = True
                sleep(LINGER)
                continue
            with self._lock:
                self._scheduled = False
                if self._queue:  # looked at only now: `flush` posts first and then looks for a delivery
                    self._scheduled = True
                    continue
                self._delivering = None
                waiting, self._waiting = self._waiting, []
            for gate in waiting:
                gate.open()
            return

    def _tell_queued(self) -> int:
        """Tell what is queued, until there is nothing more. Returns how much it was."""
        told = 0
        while True:
            try:
                event = self._queue.popleft()
            except IndexError:
                return told
            told += 1
            if callable(event):
                fact = event()
                with self._lock:  # what is made only now tells also of what happened since it was queued
                    listeners = tuple(self._subscriptions.items())
            else:
                fact, listeners = event, self._listeners
            if fact is not None:
                for subscription, subscriber in listeners:
                    if subscription in self._subscriptions:  # else one before it has just ended it
                        self._tell(subscriber, fact)

    def _tell(self, subscriber: Subscriber, event: Event) -> None:
        try:
            subscriber(event)
        except BaseException as error:  # noqa: BLE001 - whatever it raises, the others listen all the same
            log.complain("a subscriber raised at %s", type(event).__name__, raised=error)
