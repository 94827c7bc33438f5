"""The scheduler: the one lock, the loop, and the public commands.

Every rule of what happens when is in `taskkit.engine.ledger`. This class owns the lock, touches the
ledger only while it holds it, and calls tasks, subscribers, the executor and the clock's alarm only
when it does not.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from math import inf
from threading import Lock
from types import TracebackType
from typing import Final, Self, TypeVar, cast
from unicodedata import category

from taskkit.clock import Clock, Instant, LockGate, NextLook, SystemClock
from taskkit.engine import picture, router, runner
from taskkit.engine.bus import EventBus
from taskkit.engine.entry import Entry
from taskkit.engine.executor import Executor, ThreadExecutor
from taskkit.engine.explain import explain
from taskkit.engine.ledger import Ledger
from taskkit.engine.views import HandleView
from taskkit.engine.watch import Watch
from taskkit.errors import SchedulerStoppedError
from taskkit.events import (
    ClockJumped,
    Event,
    OutputWritten,
    RunProgressed,
    SchedulerStarted,
    SchedulerStopped,
)
from taskkit.handler import TaskHandler
from taskkit.output import RunOutput
from taskkit.policies import DEFAULT_POLICIES, Policies
from taskkit.run import Outcome, Run, check_parameters, current
from taskkit.schedules import Cron, Daily, Every, Once, OnDemand, Schedule, check_period
from taskkit.snapshot import Snapshot, TaskDetails, TaskState
from taskkit.task import Task, TaskLike, check_task

STOP_TIMEOUT: Final = 3.0
"""Seconds that `stop()` waits for runs."""

RUNS_AT_A_TIME: Final = 128
"""How many runs are started between two releases of the lock."""

CLOCK_JUMP: Final = 0.5
"""Seconds by which the wall clock must be off to count as set; slewing moves it much less in a minute."""

T = TypeVar("T")

_logger = logging.getLogger("taskkit")


class Scheduler:
    """Runs tasks at their times, each on a thread, while the program goes on. Thread-safe.

    Use it as a context manager, or call `start()` and `stop()`. Tasks may be added, changed and removed
    before, meanwhile, and from inside tasks and subscribers.

    The commands that take a name answer `True` if the state is now as asked, even if it was so before,
    and `False` if there is no such task or the command does not apply to it.

    Args:
        clock: Where time comes from; `taskkit.testing.ManualClock` for tests.
        executor: Where runs go; a thread each by default.
        max_threads: The most runs that go on at once; further ones wait, visibly. `None` for no limit.
        capture: Whether what runs print is attributed to them; `False` leaves `sys.stdout` alone.
        on_error: Called with the outcome of every try that failed, timed out or was abandoned, of the
            tasks that have no `on_error` of their own.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: `max_threads` is less than 1, or given beside an executor.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        executor: Executor | None = None,
        max_threads: int | None = None,
        capture: bool = True,
        on_error: Callable[[Outcome], object] | None = None,
    ) -> None:
        _check_max_threads(max_threads, executor)
        if on_error is not None and not callable(on_error):
            raise TypeError(f"on_error must be callable, not {on_error!r}")
        self._clock: Clock = SystemClock() if clock is None else clock
        self._time = self._clock.time
        self._monotonic = self._clock.monotonic
        self._executor: Executor = ThreadExecutor(max_threads) if executor is None else executor
        self._capture = capture
        self._on_error = on_error
        self._bus = EventBus(self._executor.aside())
        self._lock = Lock()
        self._ledger = Ledger(self._clock, self._bus, self)  # guarded by _lock, as is the rest
        self._offset = self._now().offset
        self._armed = -inf  # when the loop looks next; -inf while it is looking
        self._started = False
        self._capturing = False
        self._waited_for: set[Run] = set()
        self._all_ended = LockGate()
        self._alarm = self._clock.alarm(self._ring, "taskkit scheduler")
        self.scheduled: Mapping[str, TaskHandler] = HandleView(
            self._handles_of, self._handles, TaskState.SCHEDULED
        )
        """The handles that wait for their time, by name: a live view."""
        self.running: Mapping[str, TaskHandler] = HandleView(
            self._handles_of, self._handles, TaskState.RUNNING
        )
        """The handles with a run that goes on or waits for a thread, by name: a live view."""
        self.on_demand: Mapping[str, TaskHandler] = HandleView(
            self._handles_of, self._handles, TaskState.ON_DEMAND
        )
        """The handles that run when somebody asks, by name: a live view."""

    # Adding

    def add_periodic_task(
        self,
        start: float | datetime | None,
        period: float | timedelta,
        task: TaskLike,
        name: str,
        **policies: object,
    ) -> TaskHandler:
        """Run `task` at `start` and then once a period; see `add_task`.

        Args:
            start: Epoch seconds or a `datetime` (a naive one is local time); `None` for now.
            period: Seconds, more than 0, or a `timedelta`.
            task: What to do.
            name: What to call it.
            policies: See `taskkit.Policies`.
        """
        return self.add_task(Every(period, start), task, name, **policies)

    def add_timed_task(
        self, when: float | datetime | None, task: TaskLike, name: str, **policies: object
    ) -> TaskHandler:
        """Run `task` once, at `when`: epoch seconds, a `datetime`, or `None` for now; see `add_task`."""
        return self.add_task(Once(when), task, name, **policies)

    def add_daily_task(
        self,
        hour: int,
        minute: int,
        task: TaskLike,
        name: str,
        tz: str | tzinfo | None = None,
        **policies: object,
    ) -> TaskHandler:
        """Run `task` every day at a local time, of the machine's zone or of `tz`; see `add_task`."""
        return self.add_task(Daily(hour, minute, tz), task, name, **policies)

    def add_cron_task(
        self,
        expression: str,
        task: TaskLike,
        name: str,
        tz: str | tzinfo | None = None,
        **policies: object,
    ) -> TaskHandler:
        """Run `task` whenever a cron expression matches the local time; see `Cron` and `add_task`."""
        return self.add_task(Cron(expression, tz), task, name, **policies)

    def add_on_demand_task(
        self, task: TaskLike, name: str, keep: bool = True, **policies: object
    ) -> TaskHandler:
        """Run `task` whenever somebody asks; `keep=False`: it is gone after its run. See `add_task`."""
        return self.add_task(OnDemand(), task, name, keep=keep, **policies)

    def add_task(self, schedule: Schedule, task: TaskLike, name: str, **policies: object) -> TaskHandler:
        """Register `task` under `name`; what was registered under it before is replaced.

        If that is running, the new registration waits for its run to end.

        Args:
            schedule: When it falls due.
            task: A `Task`, or anything that can be called without arguments, plain or `async`.
            name: Any text without control characters.
            policies: The fields of `taskkit.Policies` as keywords: `timeout`, `retries`, `retry_delay`,
                `jitter`, `catch_up`, `max_runs`, `on_error`, `description`.

        Raises:
            SchedulerStoppedError: The scheduler was stopped.
            TypeError: An argument is of the wrong type.
            ValueError: An argument is out of its range; nothing is registered then.
        """
        if not isinstance(schedule, Schedule):
            raise TypeError(f"schedule must be a Schedule such as Every(60), not {schedule!r}")
        check_task(task)
        _check_name(name)
        kept = Policies(**policies) if policies else DEFAULT_POLICIES  # type: ignore[arg-type]

        def register(ledger: Ledger, now: Instant) -> TaskHandler:
            if ledger.closed:
                raise SchedulerStoppedError
            entry = ledger.register(name, task, schedule, kept, now)
            entry.handle = handle = TaskHandler(self, entry)
            return handle

        return self._command(register)

    # Commanding

    def run_task_now(self, name: str, parameters: Mapping[str, object] | None = None) -> bool:
        """Start a run now, unless one goes on. Its due times stay where they are."""
        given = check_parameters(parameters)
        return self._command_by_name(name, lambda ledger, entry, now: ledger.run_now(entry, given, now))

    def demand_task(self, name: str, parameters: Mapping[str, object] | None = None) -> bool:
        """Start a run now, or one more after the one that goes on, however often it is demanded."""
        given = check_parameters(parameters)
        return self._command_by_name(name, lambda ledger, entry, now: ledger.demand(entry, given, now))

    def stop_task(self, name: str) -> bool:
        """Ask the run under that name to stop. `False` if there is none."""

        def stop(ledger: Ledger, now: Instant) -> bool:
            entry = ledger.running.get(name)
            return entry is not None and ledger.stop(entry, now)

        return self._command(stop)

    def stop_all_tasks(self) -> int:
        """Ask all runs to stop. Returns how many there were."""

        def stop(ledger: Ledger, now: Instant) -> int:
            return sum(ledger.stop(entry, now) for entry in list(ledger.running.values()))

        return self._command(stop)

    def disable_task(self, name: str) -> bool:
        """Let nothing fall due until it is enabled. A run that goes on is left alone."""
        return self._command_by_name(name, Ledger.disable)

    def enable_task(self, name: str) -> bool:
        """Let it fall due again, on its original grid; what was due meanwhile is counted as skipped."""
        return self._command_by_name(name, Ledger.enable)

    def set_period(self, name: str, period: float | timedelta) -> bool:
        """Change the distance of its due times, from the last one on. `False` if it has no period.

        Raises:
            TypeError: The period is neither a number nor a `timedelta`.
            ValueError: It is not more than 0, infinite, or not a number.
        """
        seconds = check_period(period)
        return self._command_by_name(name, lambda ledger, entry, now: ledger.set_period(entry, seconds, now))

    def reschedule_task(self, name: str, schedule: Schedule) -> bool:
        """Give it another schedule, which counts from now: `Every(60)` first falls due in a minute.

        Raises:
            TypeError: It is not a schedule.
            ValueError: It never falls due.
        """
        if not isinstance(schedule, Schedule):
            raise TypeError(f"schedule must be a Schedule such as Every(60), not {schedule!r}")
        return self._command_by_name(name, lambda ledger, entry, now: ledger.reschedule(entry, schedule, now))

    def unregister_task(self, name: str) -> bool:
        """Let it be gone, now or when its run ends."""
        return self._command_by_name(name, Ledger.unregister)

    def pause(self) -> bool:
        """Let nothing fall due until `resume()`. Runs that go on are left alone, those by hand start."""
        return self._command(Ledger.pause)

    def resume(self) -> bool:
        """Let tasks fall due again; what was due meanwhile is counted as skipped."""
        return self._command(Ledger.resume)

    # Looking

    def handle(self, name: str) -> TaskHandler | None:
        """The handle of that name; of a running one that is registered no more only if no other is."""
        with self._lock:
            entry = self._ledger.entries.get(name) or self._ledger.running.get(name)
            return None if entry is None else entry.handle

    @property
    def next_time(self) -> float | None:
        """When the next run is due, in epoch seconds; `None` if nothing is, or while paused."""
        with self._lock:
            return self._ledger.next_time(self._now())

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._started and not self._ledger.closed

    @property
    def paused(self) -> bool:
        """Whether nothing falls due until `resume()`."""
        return self._ledger.paused

    def snapshot(self) -> Snapshot:
        """One consistent picture of everything. O(n): who looks often takes a `watch()`."""
        with self._lock:
            now = self._now()
            self._ledger.settle_sleepers(now)
            snapshot = picture.snapshot_of(self._ledger, self.is_running, self._executor.threads, now)
        self._bus.flush()
        return snapshot

    def watch(self) -> Watch:
        """Something that tells, each time it is asked, what has changed since: O(changes), not O(n)."""
        return Watch(
            self._lock,
            self._ledger,
            self._now,
            lambda: (self.is_running, self._executor.threads),
            self._bus.flush,
        )

    def describe(self, name: str, due_times: int = 10) -> TaskDetails | None:
        """Everything there is to tell of one task, with its next `due_times`; `None` for an unknown name."""
        with self._lock:
            entry = self._ledger.entries.get(name) or self._ledger.running.get(name)
            if entry is None:
                return None
            now = self._now()
            self._ledger.settle_sleepers(now)
            details = picture.details_of(entry, self._ledger, due_times, now)
        self._bus.flush()
        return details

    def subscribe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Call `callback` with every event from now on, one at a time and in the order of truth.

        It is called on a thread of the scheduler's own, outside every lock, and may call the scheduler
        back. What it raises is logged. While it takes its time other subscribers wait, but no run does.

        Returns:
            A function that ends the subscription.

        Raises:
            TypeError: `callback` cannot be called.
        """
        if not callable(callback):
            raise TypeError(f"callback must be callable, not {callback!r}")
        return self._bus.subscribe(callback)

    # Living

    def start(self) -> None:
        """Start what is due from now on. Does nothing if it is started already.

        Raises:
            SchedulerStoppedError: It was stopped.
        """
        with self._lock:
            if self._ledger.closed:
                raise SchedulerStoppedError
            if self._started:
                return
            self._started = True
            self._bus.post(SchedulerStarted(self._now().wall))
        self._bus.flush()
        self._alarm.start()

    def stop(self, timeout: float = STOP_TIMEOUT) -> list[str]:
        """Start nothing any more, ask all runs to stop, and wait for them, but not for ever.

        Runs that wait for a thread are dropped. A run that does not end in time is abandoned: it gets that
        outcome, and is left on a daemon thread, which does not keep the interpreter from exiting. A task
        may call this: its own run is asked to stop, but neither waited for nor abandoned.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            The names of the runs that did not end in time.
        """
        own = current.get()
        with self._lock:
            if self._ledger.closed:
                return []
            going, dropped = self._ledger.close(self._now())
            self._waited_for = {run for run in going if run is not own}
            if not self._waited_for:
                self._all_ended.open()
            orders = self._orders()
        self._alarm.close()
        self._carry_out(orders)
        self._all_ended.wait(max(0.0, timeout))
        with self._lock:
            now = self._now()
            abandoned = [run for run in self._waited_for if self._ledger.abandon(run, now)]
            names = [run.name for run in abandoned]
            self._bus.post(SchedulerStopped(now.wall, tuple(names), dropped))
        self._bus.flush()
        for run in abandoned:
            self._report(run)
        self._bus.wait_delivered(1.0)
        if self._capturing:
            router.uninstall()
        return names

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # The loop

    def run_pending(self) -> int:
        """Start everything that is due. Returns how many runs were started.

        This is the whole body of the loop; call it yourself only where nothing else does.
        """
        started = 0
        while True:
            with self._lock:
                now = self._now()
                self._note_clock(now)
                self._ledger.take_overdue(now)
                taken = self._ledger.take_due(now, RUNS_AT_A_TIME)
                orders = self._orders()
            self._carry_out(orders)
            started += taken
            if taken < RUNS_AT_A_TIME:
                return started

    def _ring(self) -> NextLook:
        self._armed = -inf
        self.run_pending()
        with self._lock:
            look = self._ledger.next_look(self._now())
            self._armed = inf if look.at is None else look.at
        return look

    def _note_clock(self, now: Instant) -> None:
        jump = now.offset - self._offset
        if abs(jump) > CLOCK_JUMP:
            self._bus.post(ClockJumped(now.wall, jump))
        self._offset = now.offset

    def _perform(self, run: Run, entry: Entry) -> None:
        """The life of one run, on its thread."""
        with self._lock:
            if not self._ledger.begin(run, self._now()):
                return
            wake = self._must_wake()
        if wake:
            self._alarm.reset()
        self._bus.flush()
        if self._capture:
            self._ensure_capture()
        task = entry.task
        body = task.run if isinstance(task, Task) else cast("Callable[[], object]", task)
        runner.perform(body, run, router.finish, self._report)
        with self._lock:
            self._ledger.finish(run, self._now())
            self._waited_for.discard(run)
            if self._ledger.closed and not self._waited_for:
                self._all_ended.open()
            orders = self._orders()
        self._carry_out(orders)

    def _ensure_capture(self) -> None:
        if not self._capturing:
            with self._lock:
                first, self._capturing = not self._capturing, True
            if first:
                router.install()
        router.ensure()

    def _report(self, run: Run) -> None:
        """Say that a run went wrong: once in the log, and once to whoever asked for it."""
        run.end(self._now())
        told = {"failed": "failed", "timed_out": "timed out", "abandoned": "did not stop and was abandoned"}
        detail = f": {run.exception}" if run.exception else ""
        _logger.error("%s %s%s", run.name, told[run.kind or "failed"], detail, exc_info=_exception_of_task())
        on_error = run.handle.policies.on_error or self._on_error
        if on_error is not None:
            try:
                on_error(run.outcome())
            except BaseException:
                _logger.exception("on_error of %s raised", run.name)

    # What a run tells while it goes on

    def output_written(self, output: RunOutput) -> None:
        """A run has lines to tell. For `Run`."""

        def tell() -> OutputWritten | None:
            lines, dropped = output.take()
            if not lines and not dropped:
                return None
            return OutputWritten(self._clock.time(), output.name, output.run, lines, dropped)

        if self._bus.wanted:
            self._bus.post(tell)
            self._bus.flush()

    def progressed(self, run: Run) -> None:
        """A run says how far it has come. For `Run`."""
        with self._lock:
            self._ledger.progressed(run)
        if self._bus.wanted and not run.progress_announced:
            run.progress_announced = True

            def tell() -> RunProgressed | None:
                run.progress_announced = False
                progress = run.progress_made
                if progress is None:
                    return None
                return RunProgressed(self._clock.time(), run.name, run.number, progress)

            self._bus.post(tell)
            self._bus.flush()

    # Crossing the lock

    def _command(self, transition: Callable[[Ledger, Instant], T]) -> T:
        """Do something to the ledger under the lock, and outside it what follows from that."""
        with self._lock:
            answer = transition(self._ledger, self._now())
            orders = self._orders()
        self._carry_out(orders)
        return answer

    def _command_by_name(self, name: str, transition: Callable[[Ledger, Entry, Instant], bool]) -> bool:
        def by_name(ledger: Ledger, now: Instant) -> bool:
            entry = ledger.entries.get(name)
            return entry is not None and transition(ledger, entry, now)

        return self._command(by_name)

    def _set_period(self, entry: Entry, period: float) -> bool:
        seconds = check_period(period)
        return self._command(lambda ledger, now: ledger.set_period(entry, seconds, now))

    def _look(self, look: Callable[[Instant], T]) -> T:
        """See something of the ledger as it is now."""
        with self._lock:
            now = self._now()
            self._ledger.settle_sleepers(now)
            seen = look(now)
        self._bus.flush()
        return seen

    def _explain(self, entry: Entry) -> str:
        return self._look(lambda now: explain(entry, self._ledger, now))

    def _handles_of(self, name: str) -> tuple[TaskHandler | None, ...]:
        with self._lock:
            entries = (self._ledger.entries.get(name), self._ledger.running.get(name))
            return tuple(entry.handle for entry in entries if entry is not None)

    def _handles(self) -> list[TaskHandler]:
        with self._lock:
            return [entry.handle for entry in self._ledger.all_entries() if entry.handle is not None]

    def _now(self) -> Instant:
        return Instant(self._time(), self._monotonic())

    def _orders(self) -> _Orders:
        """What is to be done as soon as the lock is released."""
        ledger = self._ledger
        starts, stops = ledger.starts, ledger.stops
        if starts:
            ledger.starts = []
        if stops:
            ledger.stops = []
        return starts, stops, self._must_wake()

    def _must_wake(self) -> bool:
        """Whether something is due before the loop looks next."""
        wake = self._ledger.soonest < self._armed
        if wake:
            self._armed = -inf
        self._ledger.soonest = inf
        return wake

    def _carry_out(self, orders: _Orders) -> None:
        starts, stops, wake = orders
        if starts:
            perform = self._perform
            self._executor.submit([(run.name, partial(perform, run, run.handle._entry)) for run in starts])
        for run in stops:
            run.notify_stop()
        self._bus.flush()
        if wake:
            self._alarm.reset()


_Orders = tuple[list[Run], list[Run], bool]
"""Runs to start, runs to tell that they shall stop, and whether the loop has to look sooner."""


def _exception_of_task() -> tuple[type[BaseException], BaseException, TracebackType | None] | None:
    """The exception that is being handled, without the frame of the runner; `None` if there is none."""
    kind, error, frames = sys.exc_info()
    if kind is None or error is None:
        return None
    return kind, error, None if frames is None else frames.tb_next


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, not {name!r}")
    if not name:
        raise ValueError("name must not be empty")
    if any(category(character) == "Cc" for character in name):
        raise ValueError(f"name must not have control characters, as {name!r} has")


def _check_max_threads(max_threads: object, executor: object) -> None:
    if max_threads is None:
        return
    if isinstance(max_threads, bool) or not isinstance(max_threads, int):
        raise TypeError(f"max_threads must be a whole number or None, not {max_threads!r}")
    if max_threads < 1:
        raise ValueError(f"max_threads must be 1 or more, not {max_threads}")
    if executor is not None:
        raise ValueError(f"max_threads={max_threads} has no effect on an executor of your own")
