"""The life of a scheduler: its start, standby, its state after a restart, and its end by `stop`.

`Scheduler` and `TaskHandler` are faces of `Core`. The lock and the loop are in `run_loop`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Final

from taskkit.capture import router
from taskkit.clock import Clock, Instant, LockGate
from taskkit.engine import scheduler_log
from taskkit.engine.registration import Registration
from taskkit.engine.run_loop import RunLoop
from taskkit.engine.subscription import Subscriber
from taskkit.engine.threads import Threads
from taskkit.errors import JoinInsideRunError, SchedulerStoppedError
from taskkit.events import SchedulerStarted, SchedulerStopped
from taskkit.outcome import Outcome
from taskkit.run import Run, current
from taskkit.snapshot import SchedulerState

if TYPE_CHECKING:
    from taskkit.persistence import SavedTask, StateSource
    from taskkit.spec import TaskSpec

DELIVERY_SECONDS: Final = 1.0
"""Longest wait of `stop` for the delivery of the last events, and for foreign code that it has called."""


class Core(RunLoop):
    """Everything behind a `Scheduler`. Thread-safe."""

    def __init__(
        self,
        clock: Clock,
        threads: Threads,
        capture: bool,
        on_error: Callable[[Outcome], object] | None,
    ) -> None:
        super().__init__(clock, threads, capture, on_error)
        self._began = Event()  # set when it was started or stopped
        self._source: StateSource | None = None  # guarded by the lock, as is what follows
        self._stopping = False
        self._ends_drain = False
        self._abandoned: list[str] = []

    @property
    def is_running(self) -> bool:
        """True if it was started in this process and not stopped, and its loop works."""
        return self.started and not self.ledger.closed and not self.forked and self.loop_fault is None

    @property
    def state(self) -> SchedulerState:
        """The state of the whole scheduler."""
        if self.ledger.draining:
            return SchedulerState.DRAINING
        if self.ledger.closed:
            return SchedulerState.STOPPED
        if self.started:
            return SchedulerState.RUNNING
        return SchedulerState.STANDBY if self.ledger.standby else SchedulerState.NOT_STARTED

    def start(self) -> None:
        """Start what is due from now on. If this raises, nothing is started, and it may be called again.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            SchedulerStoppedError: It was stopped.
        """
        self.refuse_if_forked()
        with self.lock:
            if self.ledger.closed:
                raise SchedulerStoppedError
            if self.started:
                return
            now = self.moment()
            self.ledger.started_at = now.wall
            self.bus.post(SchedulerStarted(now.wall))
            self._restore_all(now)
            self.started = True
            orders = self._orders()
        try:
            self._carry_out(orders)
            self._alarm.start()
        except BaseException:
            with self.lock:
                self.started = False  # there is no loop
            raise
        self._began.set()

    # Standby

    def stand_by(self) -> None:
        """Wait for the end of another process before the start: nothing is due, and commands do nothing.

        Raises:
            SchedulerStoppedError: It was stopped.
        """
        self.refuse_if_forked()
        with self.lock:
            if self.ledger.closed:
                raise SchedulerStoppedError
            self.ledger.standby = not self.started
            self.ledger.touch_all(self.ledger.all_entries())

    def end_standby(self) -> bool:
        """Note that the other process has ended. `False` if this scheduler was stopped meanwhile."""
        with self.lock:
            waits = self.ledger.standby and not self.ledger.closed
            if waits:
                self.ledger.end_standby(self.moment())
            return waits

    def wait_for_start(self) -> None:
        """Wait until it was started or stopped."""
        self._began.wait()

    # Restoring after a restart

    @property
    def keeps(self) -> bool:
        """True if a state source was given, as a store gives one."""
        return self._source is not None

    def restore_from(self, source: StateSource, on_event: Subscriber | None = None) -> Callable[[], None]:
        """Restore what is registered from `source`, from the start on. See `Scheduler.restore_from`."""
        end = (lambda: None) if on_event is None else self.bus.subscribe_own(on_event)

        with self.transition() as (ledger, now):
            self._source = source
            if source.paused:
                ledger.pause(now)
            if self.started:
                self._restore_all(now)
        return end

    def restore(
        self, entry: Registration, now: Instant, spec: TaskSpec | None, carried: SavedTask | None
    ) -> None:
        """Restore a registration that was made just now, if its state is known. Call it under the lock."""
        saved = self._source.take_task(entry.name) if self._source is not None and self.started else None
        self.ledger.restore(entry, saved or carried, now, spec)
        self._note_shown(entry)

    def _restore_all(self, now: Instant) -> None:
        if self._source is not None:
            for entry in list(self.ledger.entries.values()):
                if entry.run_count == 0 and entry.run is None:
                    self.ledger.restore(entry, self._source.take_task(entry.name), now)
                    self._note_shown(entry)

    def _note_shown(self, entry: Registration) -> None:
        """Note how far the wall clock was before a restart, as a calendar that was restored knows it (T4)."""
        if entry.follows_wall_clock and entry.schedule.repeats and entry.last_due is not None:
            self._clock_steps.has_shown(entry.last_due)

    # The end

    def stop(self, timeout: float, drain: float = 0.0) -> list[str]:
        """Ask all runs to stop, wait `timeout` seconds for them, and abandon the others. Return their names.

        With `drain` they may first end by themselves, for that many seconds. The first caller does it. A
        second caller without a drain of its own ends that of the first. It waits for the first as long as its
        own timeout says, and returns the names of the runs that have not ended; on a thread that the first
        waits for, it returns at once. In a forked child there is nothing to stop.
        """
        if self.forked:
            return []
        own = current.get()
        with self.lock:
            is_first, self._stopping = not self._stopping, True
            if not is_first and not drain and self.ledger.draining:
                self._ends_drain = True
                self._all_ended.open()
        if is_first:
            try:
                self._stop(own, timeout, drain)
            finally:
                self._stopped.set()
                self._began.set()
                self._wake_joiners()
        elif own is None and not self.bus.is_delivering_here and not self._stopped.wait(timeout):
            with self.lock:
                return self._abandoned or [run.name for run in self._waited_for]
        return list(self._abandoned)

    def _stop(self, own: Run | None, timeout: float, drain: float) -> None:
        with self.lock:
            going, dropped = self.ledger.close(self.moment(), drains=drain > 0)
            self._waited_for = {run: None for run in going if run is not own and not _is_here(run)}
            orders = self._orders()
        try:
            self._carry_out(orders)
            if drain > 0:
                self._drain(drain)
            self._close_alarm()
            self._wait_for_runs(timeout)
        finally:  # also if ctrl+c ended the wait
            try:
                self.bodies.close()
            finally:
                self._give_up(dropped)

    def join(self, timeout: float | None) -> bool:
        """Wait until nothing is to come and nothing runs, or until it has stopped; see `Scheduler.join`."""
        if current.get() is not None:
            raise JoinInsideRunError
        deadline = None if timeout is None else monotonic() + timeout
        gate = LockGate()
        with self.lock:
            self._joiners.append(gate)
        try:
            while not self._is_done():
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    return False
                gate.wait(left)
            return True
        finally:
            with self.lock:
                self._joiners.remove(gate)

    def _is_done(self) -> bool:
        with self.lock:
            return self._stopped.is_set() or (not self.ledger.closed and self.ledger.has_nothing_to_come)

    def _drain(self, seconds: float) -> None:
        """Let runs end by themselves, while their timeouts count on; then ask the others to stop."""
        try:
            self._wait_for_runs(seconds)
        finally:  # also if ctrl+c ended the wait
            with self.lock:
                self.ledger.end_drain(self.moment())
                orders = self._orders()
            self._carry_out(orders)

    def _wait_for_runs(self, seconds: float) -> None:
        """Wait until all runs that `stop` waits for have ended, or until the drain is over."""
        deadline = monotonic() + seconds
        while self._waited_for and not (self.ledger.draining and self._ends_drain):
            if not self._all_ended.wait(max(0.0, deadline - monotonic())):
                return

    def _close_alarm(self) -> None:
        try:
            self._alarm.close()
        except KeyboardInterrupt:  # ctrl+c while this waits for the alarm's thread: it ends `stop`
            raise
        except BaseException as error:  # noqa: BLE001 - the alarm of a user's clock may raise anything
            scheduler_log.error("the clock raised when its alarm was closed", raised=error)

    def _give_up(self, dropped: int) -> None:
        """Abandon the runs that did not end in time, and post that everything has stopped."""
        with self.lock:
            now = self.moment()
            abandoned = [run for run in self._waited_for if self.ledger.abandon(run, now)]
            self._abandoned = [run.name for run in abandoned]
            self.bus.post(SchedulerStopped(now.wall, tuple(self._abandoned), dropped))
        self.bus.flush()
        for run in abandoned:
            self.report_abandoned(run)
        deadline = monotonic() + DELIVERY_SECONDS
        if not self.bus.wait_delivered(DELIVERY_SECONDS):
            self.bus.warn_of_late_subscribers()
        self._foreign.wait(max(0.0, deadline - monotonic()))
        if self._capturing:
            router.uninstall()

    def report_abandoned(self, run: Run) -> None:
        """Log that a run was abandoned, and call `on_error`, on a thread of its own. Not under the lock."""
        with self.lock:  # a drain need not wait for it any more
            if self.ledger.closed:
                self._note_end(run)
        self._foreign.call(run.name, "on_error", partial(self._report, run))


def _is_here(run: Run) -> bool:
    """True if this thread executes the run among others, so that the run ends only once this returns."""
    return run.place is not None and run.place.is_here
