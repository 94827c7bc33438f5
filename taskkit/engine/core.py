"""The one lock and the loop: what crosses between the ledger and the threads.

`Scheduler` and `TaskHandler` are faces of this. The ledger is touched only while the lock is held; tasks,
subscribers, `on_error`, the executor and the clock's alarm are called only when it is not. So a transition
leaves orders — runs to start, runs to tell that they shall stop, whether the loop has to look sooner — which
are carried out as soon as the lock is released.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from threading import Event, Lock
from typing import TYPE_CHECKING, Final, TypeVar

from taskkit.clock import Clock, Instant, LockGate, NextLook
from taskkit.engine import failures, log, router, runner
from taskkit.engine.bus import EventBus
from taskkit.engine.entry import Entry
from taskkit.engine.executor import Executor
from taskkit.engine.insistence import ASK_AGAIN, InsistentExecutor
from taskkit.engine.ledger import Ledger
from taskkit.errors import SchedulerStoppedError
from taskkit.events import ClockJumped, OutputWritten, RunProgressed, SchedulerStarted, SchedulerStopped
from taskkit.outcome import Outcome, OutcomeKind
from taskkit.output import RunOutput
from taskkit.run import Run, current

if TYPE_CHECKING:
    from taskkit.keeping import Keeper, KeptTask
    from taskkit.spec import TaskSpec

RUNS_AT_A_TIME: Final = 512
"""How many runs are started between two releases of the lock."""

CLOCK_JUMP: Final = 0.5
"""Seconds by which the wall clock must be off to count as set; slewing moves it much less in a minute."""

LONGEST_DELIVERY: Final = 1.0
"""Seconds that `stop` waits for the last events to be told."""

Orders = tuple[Sequence[Run], Sequence[Run], bool]
"""Runs to start, runs to tell that they shall stop, and whether the loop has to look sooner."""

T = TypeVar("T")


class Core:
    """A ledger, its lock, and everything that is called outside that lock. Thread-safe."""

    def __init__(
        self,
        clock: Clock,
        executor: Executor,
        capture: bool,
        on_error: Callable[[Outcome], object] | None,
    ) -> None:
        self.executor = InsistentExecutor(executor, self._seek_threads)
        self._telling = self.executor.aside()
        self.bus = EventBus(self._telling)
        self.now = clock.now
        """This moment, by both clocks."""
        self._time = clock.time
        self._capture = capture
        self._on_error = on_error
        self._alarm = clock.alarm(self._ring, "taskkit scheduler")
        self._all_ended = LockGate()
        self._stopped = Event()
        self.lock = Lock()
        self.ledger = Ledger(clock, self.bus, self)
        """Guarded by `lock`, as is everything below."""
        self.started = False
        self._capturing = False
        self._offset = self.now().offset
        self._armed = -inf  # when the loop looks next; -inf while it is looking
        self._waited_for: dict[Run, None] = {}  # in the order of their beginning
        self._stopping = False
        self._abandoned: list[str] = []
        self._keeper: Keeper | None = None

    # Crossing the lock

    def command(self, transition: Callable[[Ledger, Instant], T]) -> T:
        """Do something to the ledger under the lock, and outside it what follows from that."""
        with self.lock:
            answer = transition(self.ledger, self.now())
            orders = self._orders()
        self._carry_out(orders)
        if orders[0] and self.bus.wanted:
            # Woken by the run itself, the delivery would compete with the first instructions of its task.
            self.bus.expect()
        return answer

    def command_named(self, name: str, transition: Callable[[Ledger, Entry, Instant], bool]) -> bool:
        """Do something to the registration of that name; `False` if there is none."""

        def by_name(ledger: Ledger, now: Instant) -> bool:
            entry = ledger.entries.get(name)
            return entry is not None and transition(ledger, entry, now)

        return self.command(by_name)

    def look(self, see: Callable[[Ledger, Instant], T]) -> T:
        """See something of the ledger as it is now."""
        with self.lock:
            now = self.now()
            self.ledger.settle_sleepers(now)
            seen = see(self.ledger, now)
        self.bus.flush()
        return seen

    def _orders(self) -> Orders:
        # An empty list stays the ledger's: handed out, it would be filled, and carried out, by two threads.
        ledger = self.ledger
        starts: Sequence[Run] = ()
        stops: Sequence[Run] = ()
        if ledger.starts:
            starts, ledger.starts = ledger.starts, []
        if ledger.stops:
            stops, ledger.stops = ledger.stops, []
        return starts, stops, self._must_wake()

    def _must_wake(self) -> bool:
        """Whether something is due before the loop looks next."""
        wake = self.ledger.soonest < self._armed
        if wake:
            self._armed = -inf
        self.ledger.soonest = inf
        return wake

    def _carry_out(self, orders: Orders) -> None:
        starts, stops, wake = orders
        if starts:
            perform = self._perform
            self.executor.submit([(run.name, partial(perform, run)) for run in starts])
        for run in stops:
            run.notify_stop()
        self.bus.flush()
        if wake:
            self._alarm.reset()

    # The loop

    def start(self) -> None:
        """Start what is due from now on.

        Raises:
            SchedulerStoppedError: It was stopped.
        """
        with self.lock:
            if self.ledger.closed:
                raise SchedulerStoppedError
            if self.started:
                return
            self.started = True
            now = self.now()
            self.ledger.started_at = now.wall
            self.bus.post(SchedulerStarted(now.wall))
            self._recall_all(now)
            orders = self._orders()
        self._carry_out(orders)
        self._alarm.start()

    # Going on from an earlier life

    @property
    def keeps(self) -> bool:
        """Whether somebody may know how what is registered now stood in an earlier life."""
        return self._keeper is not None

    def keep_with(self, keeper: Keeper) -> None:
        """Let what is registered go on where `keeper` has kept it, from the start on."""

        def keep(ledger: Ledger, now: Instant) -> None:
            self._keeper = keeper
            if keeper.paused:
                ledger.pause(now)
            if self.started:
                self._recall_all(now)

        self.command(keep)

    def take_up(self, entry: Entry, now: Instant, spec: TaskSpec | None, carried: KeptTask | None) -> None:
        """It was registered just now, under the lock: let it go on where it was, if anybody knows."""
        kept = self._keeper.recall(entry.name) if self._keeper is not None and self.started else None
        self.ledger.recall(entry, kept or carried, now, spec)

    def _recall_all(self, now: Instant) -> None:
        if self._keeper is not None:
            for entry in list(self.ledger.entries.values()):
                if entry.run_count == 0:
                    self.ledger.recall(entry, self._keeper.recall(entry.name), now)

    def run_pending(self) -> int:
        """Start everything that is due. Returns how many runs were started."""
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
        """The body of the loop: start what is due, and say when to look again; at once if more is.

        The runs are handed to their threads last, as these can do nothing before this thread sleeps.
        """
        error: BaseException | None = None
        with self.lock:
            self._armed = -inf
            now = self.now()
            try:
                self._take_due(now)
            except (Exception, SystemExit) as raised:  # noqa: BLE001 - a schedule of somebody's own may raise anything
                error = raised
            orders = self._orders()
            look = self.ledger.next_look(now)
            self._armed = inf if look.at is None else look.at
        self._carry_out(orders)
        if error is not None:
            # Its task is out of the running, the others go on.
            log.complain("a schedule raised where it should have said what is due next", raised=error)
        if self.executor.lacks_threads or self._telling.lacks_threads:
            return self._ask_for_threads(look, now)
        return look

    def _seek_threads(self) -> None:
        """The system gave no thread: have the loop, which is on one, ask for it again."""
        self._alarm.reset()

    def _ask_for_threads(self, look: NextLook, now: Instant) -> NextLook:
        """Ask again for the threads that are lacking. Returns when to look next."""
        lacking = [each for each in (self.executor, self._telling) if each.ask_again()]
        with self.lock:
            self.ledger.lacks_threads = self.executor in lacking
        if not lacking:
            return look
        again = now.steady + ASK_AGAIN
        return NextLook(again if look.at is None else min(look.at, again), look.watches_wall_clock)

    def _take_due(self, now: Instant) -> int:
        self._note_clock(now)
        self.ledger.take_overdue(now)
        return self.ledger.take_due(now, RUNS_AT_A_TIME)

    def _note_clock(self, now: Instant) -> None:
        jump = now.offset - self._offset
        if abs(jump) > CLOCK_JUMP:
            self.bus.post(ClockJumped(now.wall, jump))
            self.ledger.touch_all(self.ledger.all_entries())  # the epoch figures of periodic tasks moved
        self._offset = now.offset

    def stop(self, timeout: float) -> list[str]:
        """Ask all runs to stop, wait for them for `timeout` seconds, and abandon the others by name.

        The first who calls it does it. Who calls it meanwhile waits for that as long as it says, and answers
        with those that go on still; it does not wait if it is waited for itself.
        """
        own = current.get()
        with self.lock:
            is_first, self._stopping = not self._stopping, True
        if is_first:
            try:
                self._stop(own, timeout)
            finally:
                self._stopped.set()
        elif own is None and not self.bus.is_told_here and not self._stopped.wait(timeout):
            with self.lock:
                return self._abandoned or [run.name for run in self._waited_for]
        return list(self._abandoned)

    def _stop(self, own: Run | None, timeout: float) -> None:
        with self.lock:
            going, dropped = self.ledger.close(self.now())
            self._waited_for = {run: None for run in going if run is not own}
            if not self._waited_for:
                self._all_ended.open()
            orders = self._orders()
        try:
            self._alarm.close()
            self._carry_out(orders)
            self._all_ended.wait(timeout)
        finally:  # also where ctrl+c ended the waiting: what was begun is ended, and told
            self._give_up(dropped)

    def _give_up(self, dropped: int) -> None:
        """Abandon the runs that did not end in time, and tell that everything has stopped."""
        with self.lock:
            now = self.now()
            abandoned = [run for run in self._waited_for if self.ledger.abandon(run, now)]
            self._abandoned = [run.name for run in abandoned]
            self.bus.post(SchedulerStopped(now.wall, tuple(self._abandoned), dropped))
        self.bus.flush()
        for run in abandoned:
            self._report(run)
        self.bus.wait_delivered(LONGEST_DELIVERY)
        if self._capturing:
            router.uninstall()

    # The life of a run

    def _perform(self, run: Run) -> None:
        """From the arrival of its thread to its end."""
        with self.lock:
            if not self.ledger.begin(run, self.now()):
                return
            wake = self._must_wake()
        if wake:
            self._alarm.reset()
        self.bus.flush()
        if self._capture:
            self._ensure_capture()
        runner.perform(run.handle.task, run, router.finish, self._report_end)
        with self.lock:
            self.ledger.finish(run, self.now())
            self._waited_for.pop(run, None)
            if self.ledger.closed and not self._waited_for:
                self._all_ended.open()
            orders = self._orders()
        self._carry_out(orders)

    def _ensure_capture(self) -> None:
        if not self._capturing:
            with self.lock:
                first, self._capturing = not self._capturing, True
            if first:
                router.install()
        router.ensure()

    def _report_end(self, run: Run) -> None:
        if run.kind is not OutcomeKind.ABANDONED:  # which was reported when it was given up
            run.end(self.now())
            self._report(run)

    def _report(self, run: Run) -> None:
        failures.report(run, run.handle.policies.on_error or self._on_error)

    # What a run tells while it goes on: `taskkit.run.Listener`

    def output_written(self, output: RunOutput) -> None:
        """A run has lines to tell."""

        def tell() -> OutputWritten | None:
            lines, dropped = output.take()
            if not lines and not dropped:
                return None
            return OutputWritten(self._time(), output.name, output.run, lines, dropped)

        if self.bus.wanted:
            self.bus.post(tell)
            self.bus.flush()
        else:
            output.announced = False  # so that one who subscribes while it writes hears the next line

    def progressed(self, run: Run) -> None:
        """A run says how far it has come."""
        with self.lock:
            self.ledger.progressed(run)
        if self.bus.wanted and not run.progress_announced:
            run.progress_announced = True

            def tell() -> RunProgressed | None:
                run.progress_announced = False
                progress = run.progress_made
                if progress is None:
                    return None
                return RunProgressed(self._time(), run.name, run.number, progress)

            self.bus.post(tell)
            self.bus.flush()
