"""Delivery of events to subscribers: in order, one at a time, outside every lock.

An event is posted while the scheduler's lock is held, so the queue is in the order in which things happened.
Delivery is one job at a time on a thread of its own: a slow subscriber delays the other subscribers for a
moment, but no run and no command.

A subscriber that does not return is set aside: it keeps its thread and gets a bounded queue, and another
thread delivers to the others. After it has caught up, it gets events together with the others again. A store
is taskkit's own subscriber and has a bus of its own, so that it never waits for foreign code.

Output and progress may come faster than subscribers read. Such an event is queued once, as a function that
makes the event at its turn, so that a flood costs no memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from math import inf
from threading import Lock, get_ident
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.clock import LockGate
from taskkit.engine import scheduler_log
from taskkit.engine.subscription import Subscriber, Subscription
from taskkit.events import ALL_KINDS, RunStarted
from taskkit.process import forks

if TYPE_CHECKING:
    from taskkit.engine.threads import Threads
    from taskkit.events import Event

LINGER_SECONDS: Final = 0.0005
"""Time that the delivery waits for more events before it ends, if it had ended less than that before it was
needed again, or was woken by `prepare`. Waking its thread would cost more than delivering them: see
docs/performance.md."""

SUBSCRIBER_SECONDS: Final = 1.0
"""Longest wait of the other subscribers for one that does not return."""

SUBSCRIBER_SECONDS_AT_STOP: Final = 0.25
"""`SUBSCRIBER_SECONDS` while a caller waits for all deliveries, as `stop` does."""

WARN_SECONDS: Final = 10.0
"""Time until the log names a subscriber that has not returned."""

WATCH_SECONDS: Final = 0.1
"""Time between two checks of the subscriber that is being called."""

IDLE_WATCH_SECONDS: Final = 1.0
"""Time between two checks while none is being called, as nearly always."""

QUIET_SECONDS: Final = 2.0
"""Time without a delivery after which the watch ends. Its thread costs more to start than to keep."""

MOST_QUEUED: Final = 50_000
"""Events that may wait in the queue; beyond that a slow subscriber is set aside although it returns."""


class EventBus:
    """A queue of events, and the subscribers that get them. Thread-safe.

    Args:
        threads: Run the delivery.
        own: The bus of taskkit's own subscribers; every event is posted there first.
        sets_aside: False if every subscriber is known to return.
    """

    def __init__(self, threads: Threads, own: EventBus | None = None, *, sets_aside: bool = True) -> None:
        self._threads = threads
        self._own = own
        self._sets_aside = sets_aside
        self._queue: deque[Event | Callable[[], Event | None]] = deque()
        self._lock = Lock()
        self._scheduled = False  # True if a delivery is under way or about to begin; guarded by _lock
        self._subscriptions: dict[Subscription, None] = {}  # guarded by _lock
        self._listeners: tuple[Subscription, ...] = ()  # those that get the next event
        self._aside: tuple[Subscription, ...] = ()  # guarded by _lock
        self._waiting: list[LockGate] = []  # for all deliveries; guarded by _lock
        self._delivering: set[int] = set()  # idents of the threads that deliver
        # The state of the delivery. Another thread takes it over where a subscriber does not return.
        self._event: Event | None = None
        self._left: Iterator[Subscription] = iter(())
        self._called: list[Subscription] = []
        """The subscriber that is being called. Exactly one thread removes it, and that one decides.

        1. The delivery appends the subscriber and calls it.
        2. If it returns in time, the delivery removes it and continues with the next.
        3. If it does not, the watch thread removes it and hands the delivery over to another thread.
        4. When it returns after all, its own thread finds it removed, and from then on serves it alone.

        Guarantee: there are never two deliveries, as `list.remove` is one step under the interpreter's lock
        and so succeeds for one of the two only.
        """
        self._called_at = 0.0  # when that call began, by `time.monotonic()`; set before it is appended
        self._too_slow: Subscription | None = None  # to be set aside when it returns
        self._watched = False  # True while the watch thread runs; guarded by _lock
        self._check_soon = LockGate()  # opened when somebody waits for all deliveries
        self._ended_at = -inf  # the last delivery, by `time.monotonic()`; guarded by _lock
        self._lingers = False  # True if the present one waits for more events before it ends
        self.wanted: frozenset[type[Event]] = frozenset()
        """Kinds of events that have a subscriber. Others need not be made."""
        self.wanted_here: frozenset[type[Event]] = frozenset()
        """`wanted` without taskkit's own subscribers, which get no event that is made at its turn."""
        self._wanted_own: frozenset[type[Event]] = frozenset()

    def subscribe(
        self, subscriber: Subscriber, kinds: frozenset[type[Event]] = ALL_KINDS
    ) -> Callable[[], None]:
        """Call `subscriber` with every event of these kinds from now on.

        Returns:
            A function that ends the subscription.
        """
        subscription = Subscription(subscriber, kinds)

        def begin() -> None:
            with self._lock:
                if subscription in self._subscriptions:
                    self._listeners += (subscription,)

        def unsubscribe() -> None:
            with self._lock:
                if subscription in self._subscriptions:
                    del self._subscriptions[subscription]
                    self._listeners = tuple(each for each in self._listeners if each is not subscription)
                    self._aside = tuple(each for each in self._aside if each is not subscription)
                    subscription.behind.clear()
                    self._note_wanted()

        with self._lock:
            self._subscriptions[subscription] = None
            self._note_wanted()
            if self._queue or self._scheduled:
                self._queue.append(begin)  # after the events that are queued already
            else:
                self._listeners += (subscription,)
        return unsubscribe

    def subscribe_own(self, subscriber: Subscriber) -> Callable[[], None]:
        """Subscribe for taskkit itself: `subscriber` must be quick, and waits for no foreign code."""
        assert self._own is not None
        end = self._own.subscribe(subscriber)
        self._note_wanted()

        def unsubscribe() -> None:
            end()
            self._note_wanted()

        return unsubscribe

    def _note_wanted(self) -> None:
        self.wanted_here = frozenset().union(*(each.kinds for each in self._subscriptions))
        self._wanted_own = frozenset() if self._own is None else self._own.wanted
        self.wanted = self.wanted_here | self._wanted_own

    def post(self, event: Event | Callable[[], Event | None]) -> None:
        """Queue an event, or a function that makes one at its turn. Calls no foreign code."""
        if callable(event):
            self._queue.append(event)
            return
        kind = type(event)
        if kind in self._wanted_own:
            assert self._own is not None
            self._own._queue.append(event)
        if kind in self.wanted_here:
            self._queue.append(event)

    def flush(self) -> None:
        """Start the delivery of what is queued. Call it outside every lock.

        The race with a delivery that is ending:

        1. This thread has posted, and then reads `_scheduled` without the lock.
        2. The delivery sets `_scheduled` to False under the lock, and looks at the queue after that.

        Guarantee: either this thread sees False and starts a delivery, or the delivery sees the event.
        """
        if self._queue and not self._scheduled:
            self._schedule()
        if self._wanted_own:
            assert self._own is not None
            self._own.flush()

    def prepare(self) -> None:
        """Wake the delivery for the events of runs that are about to begin.

        Otherwise the thread of a run would have to wake it before it calls the task, which is what the caller
        of a command waits for: see docs/performance.md.
        """
        if RunStarted in self.wanted_here and not self._scheduled:
            self._schedule(lingers=True)
        if self._own is not None and RunStarted in self._wanted_own:
            self._own.prepare()

    def _schedule(self, *, lingers: bool = False) -> None:
        with self._lock:
            if self._scheduled:
                return
            self._scheduled = True
            # Lingering pays if it would have paid the last time. It does not for a run now and then: its end
            # is here before the thread wakes up, or comes much later.
            self._lingers = lingers or monotonic() - self._ended_at < LINGER_SECONDS
        self._threads.submit([("taskkit events", self._deliver)])

    @property
    def is_delivering_here(self) -> bool:
        """True on a thread that delivers events, so in every subscriber."""
        return get_ident() in self._delivering or (self._own is not None and self._own.is_delivering_here)

    def wait_delivered(self, timeout: float) -> bool:
        """Wait `timeout` seconds at most until all posted events are delivered. Return True if they are.

        Returns False at once on a thread that delivers, as it would wait for itself.
        """
        deadline = monotonic() + timeout
        if self._own is not None and not self._own.wait_delivered(timeout):
            return False
        gate = LockGate()
        with self._lock:
            if not self._scheduled and not self._aside:
                return True
            if self.is_delivering_here:
                return False
            self._waiting.append(gate)
        self._check_soon.open()
        return gate.wait(max(0.0, deadline - monotonic()))

    def warn_of_late_subscribers(self, after: float = 0.0) -> None:
        """Name in the log the subscribers that have not returned for `after` seconds, or that lose events."""
        with self._lock:
            now = monotonic()
            late = [
                each for each in self._aside if not each.is_named and (now - each.since > after or each.lost)
            ]
            for each in late:
                each.is_named = True
        words = (
            "the subscriber %s has not returned for %.1f s; nothing waits for it,"
            " and if too many events wait for it, it loses the oldest"
        )
        for each in late:
            scheduler_log.warning(words, each.name, now - each.since)

    def reset_in_child(self, *, is_silent: bool) -> None:
        """Drop in a forked child what was posted: the parent delivers it.

        Args:
            is_silent: True if the scheduler runs in the parent, so that the child delivers nothing at all.
        """
        self._lock = Lock()
        self._delivering, self._waiting = set(), []
        self._aside, self._left, self._called = (), iter(()), []
        self._watched = False
        self._scheduled = is_silent
        self._queue = deque(maxlen=0 if is_silent else None)
        if is_silent:
            self._subscriptions = {}
        self._listeners = tuple(self._subscriptions)
        if self._own is not None:
            self._own.reset_in_child(is_silent=is_silent)
        self._note_wanted()

    # The delivery

    def _deliver(self) -> None:
        if self._sets_aside and not self._watched and self._threads.count:
            self._begin_to_watch()
        self._delivering.add(get_ident())
        try:
            self._deliver_all()
        finally:
            self._delivering.discard(get_ident())

    def _deliver_all(self) -> None:
        while self._deliver_queued():
            if self._lingers and self._threads.count and not self._waiting:
                sleep(LINGER_SECONDS)
                self._lingers = bool(self._queue)
                continue
            with self._lock:
                self._scheduled = False
                if self._queue:  # read after setting `_scheduled`; see `flush`
                    self._scheduled = True
                    continue
                self._event, self._ended_at = None, monotonic()
                waiting = self._take_waiting()
            for gate in waiting:
                gate.open()
            return

    def _take_waiting(self) -> list[LockGate]:
        """Return the gates of those who wait for all deliveries, if there is nothing left to deliver."""
        if self._scheduled or self._aside:
            return []
        waiting, self._waiting = self._waiting, []
        return waiting

    def _deliver_queued(self) -> bool:
        """Deliver until the queue is empty. False if another thread has taken the delivery over."""
        forked = forks.count
        subscriptions, called = self._subscriptions, self._called
        while True:
            current = self._event
            for subscription in self._left:
                if (
                    type(current) in subscription.kinds and subscription in subscriptions
                ):  # it may just have ended
                    self._called_at = monotonic()
                    called.append(subscription)
                    try:
                        subscription.call(current)  # type: ignore[arg-type]
                    except BaseException as error:  # noqa: BLE001 - the others get the event all the same
                        _log_raised(current, error, forked)
                    try:
                        called.remove(subscription)  # another delivery may have one here
                    except ValueError:
                        self._catch_up(subscription)
                        return False
                    if subscription is self._too_slow:
                        with self._lock:
                            self._set_aside(subscription)
                        self._hand_over()
                        self._catch_up(subscription)
                        return False
            try:
                event = self._queue.popleft()
            except IndexError:
                return True
            if callable(event):
                current = event()
                if current is not None:
                    with self._lock:  # an event that is made only now is news for those set aside, too
                        for each in self._aside:
                            each.keep(current)
                        self._left = iter([each for each in self._subscriptions if each not in self._aside])
                    self._event = current
            elif self._aside:
                with self._lock:
                    for each in self._aside:
                        each.keep(event)
                    self._event, self._left = event, iter(self._listeners)
            else:
                self._event, self._left = event, iter(self._listeners)

    # Subscribers that do not return

    def _begin_to_watch(self) -> None:
        with self._lock:
            if self._watched:
                return
            self._watched = True
        try:
            BoundedStartThread(self._watch, name="taskkit events watch").start()
        except (RuntimeError, MemoryError):
            self._watched = False  # no thread could be started, so none could deliver to the others either

    def _watch(self) -> None:
        """Set aside and name the subscribers that do not return; ends once all is delivered for a while."""
        while True:
            self._check_soon.wait(WATCH_SECONDS if self._called or self._waiting else IDLE_WATCH_SECONDS)
            self._check_subscriber()
            self.warn_of_late_subscribers(WARN_SECONDS)
            with self._lock:
                is_quiet = not self._scheduled and monotonic() - self._ended_at > QUIET_SECONDS
                if is_quiet and all(each.is_named for each in self._aside):
                    self._watched = False
                    return

    def _check_subscriber(self) -> None:
        """Set aside the subscriber that is being called if it takes too long."""
        try:
            subscription = self._called[0]
        except IndexError:
            return
        since = self._called_at
        if monotonic() - since > (SUBSCRIBER_SECONDS_AT_STOP if self._waiting else SUBSCRIBER_SECONDS):
            with self._lock:
                try:
                    self._called.remove(subscription)
                except ValueError:
                    return  # it has just returned
                self._set_aside(subscription)
                subscription.since = since
            self._hand_over()
        elif len(self._queue) > MOST_QUEUED:
            self._too_slow = subscription

    def _set_aside(self, subscription: Subscription) -> None:
        """Leave to a subscriber the thread that called it. Call it under the lock, before `_hand_over`."""
        self._too_slow = None
        if subscription in self._subscriptions:
            subscription.since = monotonic()
            self._aside += (subscription,)
            self._listeners = tuple(each for each in self._listeners if each is not subscription)

    def _hand_over(self) -> None:
        """Let another thread deliver to the others."""
        self._threads.submit([("taskkit events", self._deliver)])

    def _catch_up(self, subscription: Subscription) -> None:
        """Deliver what a subscriber missed while it was set aside; then it gets events with the others."""
        forked = forks.count
        lost, late = 0, monotonic() - subscription.since
        while True:
            with self._lock:
                lost, subscription.lost = lost + subscription.lost, 0
                subscription.since = monotonic()
                if not subscription.behind:
                    self._aside = tuple(each for each in self._aside if each is not subscription)
                    if subscription in self._subscriptions:
                        self._listeners += (subscription,)
                    was_named, subscription.is_named = subscription.is_named, False
                    waiting = self._take_waiting()
                    break
                event, weight = subscription.behind.popleft()
                subscription.weight -= weight
            try:
                subscription.call(event)
            except BaseException as error:  # noqa: BLE001 - as above
                _log_raised(event, error, forked)
            late = max(late, monotonic() - subscription.since)
        for gate in waiting:
            gate.open()
        if was_named or lost:
            words = "the subscriber %s gets events again after %.1f s; it lost %d events"
            scheduler_log.warning(words, subscription.name, late, lost)


def _log_raised(event: Event | None, error: BaseException, forked: int) -> None:
    """Log what a subscriber raised; in a child that it has forked, end the child."""
    if forks.count != forked:
        forks.leave_child(error)
    scheduler_log.error("a subscriber raised at %s", type(event).__name__, raised=error)
