"""The one lock and the loop: all that crosses between the ledger and the threads.

The ledger is touched only while the lock is held; tasks, subscribers, `on_error`, the executor and the
clock's alarm are called only when it is not. So a transition leaves `Orders`, which are carried out as soon
as the lock is released:

    with core.transition() as (ledger, now):
        ledger.disable(entry, now)
    # here the lock is released, and what follows from it is done
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from math import inf
from threading import Event, Lock
from time import sleep
from typing import Final, TypeVar

from taskkit._helpers.fast_init import fast_init
from taskkit.capture import router
from taskkit.clock import Clock, Instant, LockGate, NextLook
from taskkit.engine import failure_reports, runner, scheduler_log
from taskkit.engine.bodies import Bodies, RunSteps
from taskkit.engine.clock_steps import CLOCK_STEP_SECONDS, ClockSteps
from taskkit.engine.event_bus import EventBus
from taskkit.engine.foreign_calls import ForeignCalls
from taskkit.engine.ledger import Ledger
from taskkit.engine.stop_callbacks import StopCallbacks
from taskkit.engine.thread_retry import RETRY_SECONDS, ThreadRetry
from taskkit.engine.threads import Threads, runs_inline
from taskkit.errors import ForkedSchedulerError
from taskkit.events import ClockJumped, OutputWritten, RunProgressed
from taskkit.executor import Body
from taskkit.outcome import Outcome, OutcomeKind
from taskkit.output import RunOutput
from taskkit.process import forks
from taskkit.run import Run

RUNS_AT_A_TIME: Final = 512
"""The most runs that are started between two releases of the lock."""

RETRY_LOOK_SECONDS: Final = 0.5
"""Time until the loop looks again after a look that failed."""

FORK_LOCK_SECONDS: Final = 0.5
"""Longest wait of a fork for the lock. A thread releases it within that, unless it is the one that forks."""

T = TypeVar("T")


@fast_init
@dataclass(frozen=True, slots=True)
class Orders:
    """The work that a transition leaves for the moment after the lock is released."""

    starts: Sequence[Run]
    """Runs to hand to their executors."""
    stops: Sequence[Run]
    """Runs to notify that they were asked to stop."""
    wake_loop: bool
    """True if something is due before the loop looks next."""


_NO_ORDERS: Final = Orders((), (), False)


class _Transition:
    """Holds the lock of a `RunLoop` for a change; carries out the orders after releasing it."""

    __slots__ = ("_core", "_lock")

    def __init__(self, core: RunLoop) -> None:
        self._core = core
        self._lock = core.lock  # a child that is forked meanwhile has another, which it does not hold

    def __enter__(self) -> tuple[Ledger, Instant]:
        core = self._core
        ledger = core.ledger
        if ledger.forked_from is not None:
            core.refuse_if_forked()
        self._lock.acquire()
        try:
            return ledger, core.moment()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        core = self._core
        orders = None
        try:
            if kind is None:
                orders = core._orders()
        finally:
            self._lock.release()
        if orders is not None:
            core._carry_out(orders)
            if orders.starts:
                core.bus.prepare()


class _View:
    """Holds the lock of a `RunLoop` for a look at the ledger as it is now."""

    __slots__ = ("_core", "_lock")

    def __init__(self, core: RunLoop) -> None:
        self._core = core
        self._lock = core.lock  # a child that is forked meanwhile has another, which it does not hold

    def __enter__(self) -> tuple[Ledger, Instant]:
        core = self._core
        self._lock.acquire()
        try:
            now = core.moment()
            core.ledger.settle_sleepers(now)
            core.ledger.loop_fault = core.loop_fault
            return core.ledger, now
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        core = self._core
        try:
            wake = core._must_wake()  # after a step of the clock that this look was the first to see
        finally:
            self._lock.release()
        core.bus.flush()
        if wake:
            core._alarm.reset()


class RunLoop(StopCallbacks):
    """A ledger, its lock, and everything that is called outside that lock. Thread-safe.

    `Core` adds the start, the stop, and the state after a restart.
    """

    def __init__(
        self,
        clock: Clock,
        threads: Threads,
        capture: bool,
        on_error: Callable[[Outcome], object] | None,
    ) -> None:
        self.threads = ThreadRetry(threads, self._request_threads)
        self._event_threads = self.threads.for_events()
        self.own_bus = EventBus(self._event_threads, sets_aside=False)
        """The bus of taskkit's own subscribers, which must not wait for foreign code."""
        self.bus = EventBus(self._event_threads, self.own_bus)
        super().__init__(ForeignCalls(self._request_threads, inline=runs_inline(threads)))
        self._thread_users = (self.threads, self._event_threads, self._foreign)
        self.clock = clock
        self.now = clock.now
        """Returns this moment by both clocks."""
        self._time = clock.time
        self.speed: float = getattr(clock, "speed", 1.0)
        self._capture = capture
        self._on_error = on_error
        self._alarm = clock.alarm(self._ring, "taskkit scheduler")
        self._stopped = Event()
        self._fault: BaseException | None = None  # the exception of the loop's last look, if that failed
        self.lock = Lock()
        steps = RunSteps(self._begin, self._report_end, self._finish, self.perform)
        self.bodies = Bodies(steps, self._event_threads, clock, capture, self._alarm.reset)
        """The executors, and the bodies that run elsewhere than on `threads`."""
        self.ledger = Ledger(clock, self.bus, self, self.bodies)
        """Guarded by `lock`, as is everything below."""
        self.started = False
        self._capturing = False
        now = self.now()
        self._clock_steps = ClockSteps(now)
        self._offset = now.offset  # as `_clock_steps` knows it; here, because each run reads it
        self._armed = -inf  # when the loop looks next; -inf while it is looking
        self._waited_for: dict[Run, None] = {}  # by `stop`, in the order in which they began
        self._all_ended = LockGate()  # opened when the last of them has ended
        self._joiners: list[LockGate] = []  # opened when nothing runs and nothing is to come
        self._at_fork = self.now()
        forks.hold_during_fork(self)
        forks.reset_in_child(self, RunLoop._reset_in_child)

    # Forked children

    @property
    def forked(self) -> bool:
        """True in a forked child, if the scheduler runs in its parent."""
        return self.ledger.forked_from is not None

    def refuse_if_forked(self) -> None:
        """Refuse what only the process can do that runs the scheduler.

        Raises:
            ForkedSchedulerError: This is a forked child of it.
        """
        if self.ledger.forked_from is not None:
            raise ForkedSchedulerError(self.ledger.forked_from)

    def hold(self) -> bool:
        """Take the lock, so that nothing is half done while the process forks."""
        held = self.lock.acquire(timeout=FORK_LOCK_SECONDS)
        try:
            self._at_fork = self.now()
        except BaseException:  # noqa: BLE001 - a user's clock may raise anything
            pass  # the child shows an older time then
        return held

    def release(self) -> None:
        """Release the lock in the parent, after the fork."""
        self.lock.release()

    def _reset_in_child(self) -> None:
        """Stand still in a forked child, if the scheduler runs in its parent: the child shows the fork."""
        self.lock = Lock()
        ledger = self.ledger
        if (self.started or ledger.running) and not self._stopped.is_set():
            ledger.forked_from = ledger.forked_from or forks.parent
            at = self._at_fork
            self.now = lambda: at
        ledger.standby = False  # the thread that waits for the other process is in the parent
        self.bus.reset_in_child(is_silent=self.forked)
        self._foreign.reset_in_child()

    def ask(self, name: str, what: str, function: Callable[[], T], otherwise: T) -> T:
        """Return the answer of a task's foreign code, or `otherwise` if it takes long."""
        return self._foreign.ask(name, what, function, otherwise)

    # Crossing the lock

    def transition(self) -> _Transition:
        """Return a context that holds the lock, for a change of the ledger.

        Entering it raises `ForkedSchedulerError` in a forked child of the process that runs the scheduler.
        """
        return _Transition(self)

    def view(self) -> _View:
        """Return a context that holds the lock, for a look at the ledger as it is now."""
        return _View(self)

    def moment(self) -> Instant:
        """Return this moment, after handling a step of the wall clock. Call it under the lock.

        Everything that moves a due time gets its time here. Guarantee: no step that it shows is missed.
        What was disabled until then is enabled, many of them in several looks.
        """
        now = self.now()
        wall, steady = now
        if not -CLOCK_STEP_SECONDS <= wall - steady - self._offset <= CLOCK_STEP_SECONDS:
            self._note_clock(now)
        if wall >= self.ledger.enables_at:
            self.ledger.end_disabling(now)
        return now

    def _note_clock(self, now: Instant) -> None:
        step = self._clock_steps.note(now)
        self._offset = now.offset
        if step is not None:
            self.bus.post(ClockJumped(now.wall, step.seconds))
            self.ledger.wall_clock_set(step, now)
            if now.wall >= self.ledger.enables_at:
                self.ledger.end_disabling(now, clock_was_set=True)

    @property
    def loop_fault(self) -> BaseException | None:
        """The reason why the loop starts nothing: what ended its thread, or what its last look raised."""
        return self._fault or getattr(self._alarm, "died_of", None)

    def _orders(self) -> Orders:
        # An empty list stays the ledger's: handed out, it would be filled, and carried out, by two threads.
        ledger = self.ledger
        starts: Sequence[Run] = ()
        stops: Sequence[Run] = ()
        if ledger.starts:
            starts, ledger.starts = ledger.starts, []
        if ledger.stops:
            stops, ledger.stops = ledger.stops, []
        wake_loop = self._must_wake()
        if self._joiners and ledger.has_nothing_to_come:
            self._wake_joiners()
        return Orders(starts, stops, wake_loop) if starts or stops or wake_loop else _NO_ORDERS

    def _must_wake(self) -> bool:
        """Return True, once, if something is due before the loop looks next."""
        wake = self.ledger.soonest < self._armed
        if wake:
            self._armed = -inf
        self.ledger.soonest = inf
        return wake

    def _carry_out(self, orders: Orders) -> None:
        if orders.starts:
            perform = self.perform
            here = [(run.name, partial(perform, run)) for run in orders.starts if run.place is None]
            if here:
                self.threads.submit(here)
            if len(here) < len(orders.starts):
                for run in orders.starts:
                    if isinstance(run.place, Body):
                        self.bodies.start(run.place)
        for run in orders.stops:
            run.notify_stop()
        self.bus.flush()
        if orders.wake_loop:
            self._alarm.reset()

    def _wake_joiners(self) -> None:
        for gate in self._joiners.copy():
            gate.open()

    # The loop

    def run_pending(self) -> int:
        """Start everything that is due. Return the number of runs started.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
        """
        self.refuse_if_forked()
        started = 0
        while True:
            with self.lock:
                taken = self._take_due(self.now())
                orders = self._orders()
            self._carry_out(orders)
            started += taken
            if taken < RUNS_AT_A_TIME:
                return started

    def _ring(self) -> NextLook:
        """Look once, for the alarm. Never raises, as the loop must survive any failure."""
        forked = forks.count
        try:
            look = self._look()
        except BaseException as error:  # noqa: BLE001 - a user's clock or executor may raise anything
            if forks.count != forked:
                forks.leave_child(error)
            return self._log_failed_look(error)
        if forks.count != forked:  # a user's schedule did that, for example
            forks.leave_child(None)
        if self._fault is not None:
            self._fault = None
            scheduler_log.warning("the scheduler's loop works again")
        return look

    def _log_failed_look(self, error: BaseException) -> NextLook:
        """Log a look that failed, once, and return a time soon for the next."""
        is_news, self._fault = self._fault is None, error
        if is_news:
            scheduler_log.critical("the scheduler's loop failed; nothing starts until it works again", error)
        try:
            with self.lock:
                self._armed = at = self.now().steady + RETRY_LOOK_SECONDS
        except BaseException:  # noqa: BLE001 - as above: its clock is what failed
            sleep(RETRY_LOOK_SECONDS)
            at = -inf
        return NextLook(at, watches_wall_clock=False)

    def _look(self) -> NextLook:
        """Start what is due, and return when to look again; at once if more is due.

        Hands the runs to their threads last, because these can do nothing before this thread sleeps.
        """
        if self.forked:
            return NextLook(None, False)
        with self.lock:
            self._armed = -inf
            now = self.now()
            self._take_due(now)
            orders = self._orders()
            look = self.ledger.next_look(now)
            self._armed = inf if look.at is None else look.at
        self._carry_out(orders)
        if (watch := self.bodies.watch()) is not None:
            at = now.steady + watch * self.speed
            look = NextLook(at if look.at is None else min(look.at, at), look.watches_wall_clock)
        if any(each.lacks_threads for each in self._thread_users):
            look = self._retry_threads(look, now)
        return look

    def _request_threads(self) -> None:
        """Wake the loop, which has a thread, to ask the system again for the threads that it refused."""
        self._alarm.reset()

    def _retry_threads(self, look: NextLook, now: Instant) -> NextLook:
        """Ask the system again for missing threads. Return when to look next."""
        lacking = [each for each in self._thread_users if each.retry_threads()]
        with self.lock:
            self.ledger.lacks_threads = self.threads in lacking
        if not lacking:
            return look
        again = now.steady + RETRY_SECONDS
        return NextLook(again if look.at is None else min(look.at, again), look.watches_wall_clock)

    def _take_due(self, now: Instant) -> int:
        self._note_clock(now)
        if now.wall >= self.ledger.enables_at:
            self.ledger.end_disabling(now)
        self.ledger.take_overdue(now)
        return self.ledger.take_due(now, RUNS_AT_A_TIME)

    # The life of a run

    def perform(self, run: Run) -> None:
        """Execute a run on this thread, from its start to its end. Never raises."""
        if self._begin(run):
            # A context of its own, because its thread may have executed other runs before (O1).
            Context().run(runner.perform, run, self._body_ended, self._report_end)
            self._finish(run)

    def _begin(self, run: Run) -> bool:
        """Note that the body begins; False if the run was ended while it waited."""
        with self.lock:
            if not self.ledger.begin(run, self.now()):
                return False
            wake = self._must_wake()
        if wake:
            self._alarm.reset()
        self.bus.flush()
        if self._capture:
            self._ensure_capture()
        return True

    def _finish(self, run: Run) -> None:
        """Note the end of a run, and carry out what follows."""
        with self.lock:
            self.ledger.finish(run, self.moment())
            if self.ledger.closed:
                self._note_end(run)
            orders = self._orders()
        self._carry_out(orders)

    def _note_end(self, run: Run) -> None:
        """Note that `stop` need not wait for this run any more. Call it under the lock, after `close`."""
        self._waited_for.pop(run, None)
        if not self._waited_for:
            self._all_ended.open()

    def _body_ended(self, run: Run) -> None:
        if self.ledger.forked_from is not None:
            forks.leave_child(sys.exception())
        router.finish(run)

    def _ensure_capture(self) -> None:
        if not self._capturing:
            with self.lock:
                first, self._capturing = not self._capturing, True
            if first:
                router.install()
        router.ensure()

    def _report_end(self, run: Run) -> None:
        if run.kind is not OutcomeKind.ABANDONED:  # that was reported when the run was abandoned
            run.end(self.now())
            self._report(run)

    def _report(self, run: Run) -> None:
        failure_reports.report(run, run.policies.on_error or self._on_error)

    # Reports of an active run: the rest of `taskkit.run.RunListener`

    def output_written(self, output: RunOutput) -> None:
        """Post the new lines of a run."""

        def make_event() -> OutputWritten | None:
            lines, dropped = output.take()
            if not lines and not dropped:
                return None
            return OutputWritten(self._time(), output.name, output.run, lines, dropped)

        if OutputWritten in self.bus.wanted_here:
            self.bus.post(make_event)
            self.bus.flush()
        else:
            output.trim_unread()  # a later subscriber gets the next line

    def progressed(self, run: Run) -> None:
        """Post the progress of a run."""
        with self.lock:
            self.ledger.progressed(run)
        if RunProgressed in self.bus.wanted_here and not run.progress_announced:
            run.progress_announced = True

            def make_event() -> RunProgressed | None:
                run.progress_announced = False
                progress = run.progress_made
                if progress is None:
                    return None
                return RunProgressed(self._time(), run.name, run.number, progress)

            self.bus.post(make_event)
            self.bus.flush()
