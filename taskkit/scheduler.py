"""The scheduler: what users call to add tasks, to command them, and to look at them.

What happens when is decided in `taskkit.engine.ledger`, the two ledgers beneath it and `duetimes`; the one
lock and the loop are in `taskkit.engine.core`. Here arguments are checked before anything is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from types import TracebackType
from typing import Final, Self, Unpack
from unicodedata import category

from taskkit.checks import check_callable, check_clock, check_flag, check_methods, check_seconds, check_whole
from taskkit.clock import Clock, Instant, SystemClock
from taskkit.engine import picture
from taskkit.engine.core import Core
from taskkit.engine.executor import Executor, ThreadExecutor
from taskkit.engine.kept_watch import KeptWatch
from taskkit.engine.ledger import Ledger
from taskkit.engine.parameters import parameters_of
from taskkit.engine.summary import body_in_words
from taskkit.engine.views import HandleView
from taskkit.engine.watch import Watch
from taskkit.errors import SchedulerStoppedError
from taskkit.events import Event
from taskkit.handler import TaskHandler
from taskkit.keeping import Keeper
from taskkit.outcome import Outcome
from taskkit.policies import Policies, PolicyKeywords, policies_of
from taskkit.run import check_parameters
from taskkit.schedules import Cron, Daily, Every, Once, OnDemand, Schedule, check_period, check_schedule
from taskkit.snapshot import Snapshot, TaskDetails, TaskState
from taskkit.spec import TaskSpec
from taskkit.task import TaskLike, check_task

STOP_TIMEOUT: Final = 3.0
"""Seconds that `stop()` waits for runs."""


class Scheduler:
    """Runs tasks at their times, each on a thread, while the program goes on. Thread-safe.

    Use it as a context manager, or call `start()` and `stop()`. Tasks may be added, changed and removed
    before, meanwhile, and from inside tasks and subscribers; not from a signal handler or a `__del__`, which
    may interrupt a thread that holds the lock: let it set a flag, or start a thread that calls.

    The commands that take a name answer `True` if the state is now as asked, even if it was so before,
    and `False` if there is no such task or the command does not apply to it.

    Args:
        clock: Where time comes from; `taskkit.testing.ManualClock` for tests, `ScaledClock` to show an hour
            in a minute.
        executor: Where runs go; a thread each by default.
        max_threads: The most runs that go on at once; further ones wait, visibly. `None` for no limit.
        capture: Whether what runs print is attributed to them; `False` leaves `sys.stdout` alone.
        on_error: Called with the outcome of every try that failed, timed out or was abandoned, of the
            tasks that have no `on_error` of their own; see `Policies.on_error`.

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
        if clock is not None:
            check_clock(clock)
        if executor is not None:
            check_methods("executor", executor, ("submit", "aside"), "an executor")
        check_flag("capture", capture)
        if on_error is not None:
            check_callable("on_error", on_error)
        self._core = Core(
            SystemClock() if clock is None else clock,
            ThreadExecutor(max_threads) if executor is None else executor,
            capture,
            on_error,
        )
        self.scheduled: Mapping[str, TaskHandler] = HandleView(self._core, TaskState.SCHEDULED)
        """The handles that wait for their time, by name: a live view."""
        self.running: Mapping[str, TaskHandler] = HandleView(self._core, TaskState.RUNNING)
        """The handles with a run that goes on or waits for a thread, by name: a live view."""
        self.on_demand: Mapping[str, TaskHandler] = HandleView(self._core, TaskState.ON_DEMAND)
        """The handles that run when somebody asks, by name: a live view."""

    # Adding

    def add_periodic_task(
        self,
        start: float | datetime | None,
        period: float | timedelta,
        task: TaskLike,
        name: str,
        **policies: Unpack[PolicyKeywords],
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
        self, when: float | datetime | None, task: TaskLike, name: str, **policies: Unpack[PolicyKeywords]
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
        **policies: Unpack[PolicyKeywords],
    ) -> TaskHandler:
        """Run `task` every day at a local time, of the machine's zone or of `tz`; see `add_task`."""
        return self.add_task(Daily(hour, minute, tz), task, name, **policies)

    def add_cron_task(
        self,
        expression: str,
        task: TaskLike,
        name: str,
        tz: str | tzinfo | None = None,
        **policies: Unpack[PolicyKeywords],
    ) -> TaskHandler:
        """Run `task` whenever a cron expression matches the local time; see `Cron` and `add_task`."""
        return self.add_task(Cron(expression, tz), task, name, **policies)

    def add_on_demand_task(
        self, task: TaskLike, name: str, keep: bool = True, **policies: Unpack[PolicyKeywords]
    ) -> TaskHandler:
        """Run `task` whenever somebody asks; `keep=False`: it is gone after its run. See `add_task`."""
        given = policies_of(policies)
        return self._register(OnDemand(), task, name, given if keep is True else replace(given, keep=keep))

    def add_task(
        self, schedule: Schedule, task: TaskLike, name: str, **policies: Unpack[PolicyKeywords]
    ) -> TaskHandler:
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
        if "keep" in policies:
            raise TypeError("keep is an argument of add_on_demand_task alone")
        return self._register(schedule, task, name, policies_of(policies))

    def add_spec(self, spec: TaskSpec, *, keep: bool = False) -> TaskHandler:
        """Register a task that is written down; what was registered under its name is replaced.

        Args:
            spec: What to make and when to run it.
            keep: A person registers it while the program runs: a store registers it again after a restart.
                Otherwise, as from a file, its past stays, and what a person decided about that name: another
                schedule, and whether it is disabled.

        Raises:
            ImportError: What its recipe names is not there.
            SchedulerStoppedError: The scheduler was stopped.
            TypeError: An argument is of the wrong type.
            ValueError: An argument is out of its range; nothing is registered then.
            Exception: Whatever making the task raises.
        """
        if not isinstance(spec, TaskSpec):
            raise TypeError(f"spec must be a TaskSpec, not {spec!r}")
        return self._register(spec.schedule, spec.recipe.make(), spec.name, spec.policies, spec, keep)

    def _register(
        self,
        schedule: Schedule,
        task: TaskLike,
        name: str,
        policies: Policies,
        spec: TaskSpec | None = None,
        keep: bool = False,
    ) -> TaskHandler:
        check_schedule(schedule)
        check_task(task)
        _check_name(name)

        def register(ledger: Ledger, now: Instant) -> TaskHandler:
            if ledger.closed:
                raise SchedulerStoppedError
            carried = ledger.carried_over(name, now) if spec is not None and not keep else None
            carries_on = carried is not None and carried.override is not None
            entry = ledger.register(name, task, schedule, policies, now, carries_on=carries_on)
            entry.handle = handle = TaskHandler(self._core, entry)
            if spec is not None and not spec.enabled:
                ledger.disable(entry, now)
            if spec is not None or self._core.keeps:
                self._core.take_up(entry, now, spec if keep else None, carried)
            return handle

        return self._core.command(register)

    # Commanding

    def run_task_now(self, name: str, parameters: Mapping[str, object] | None = None) -> bool:
        """Start a run now, unless one goes on. Its due times stay where they are.

        Args:
            name: Of the task.
            parameters: What the run is given, by name.

        Raises:
            TypeError: `parameters` is no mapping, or has a key that is not a string.
        """
        given = check_parameters(parameters)
        return self._core.command_named(name, lambda ledger, entry, now: ledger.run_now(entry, given, now))

    def demand_task(self, name: str, parameters: Mapping[str, object] | None = None) -> bool:
        """Start a run now, or one more after the one that goes on, however often it is demanded.

        Args:
            name: Of the task.
            parameters: What the run is given, by name; of several demands the last one counts.

        Raises:
            TypeError: `parameters` is no mapping, or has a key that is not a string.
        """
        given = check_parameters(parameters)
        return self._core.command_named(name, lambda ledger, entry, now: ledger.demand(entry, given, now))

    def stop_task(self, name: str) -> bool:
        """Ask the run under that name to stop. `False` if there is none."""

        def stop(ledger: Ledger, now: Instant) -> bool:
            entry = ledger.running.get(name)
            return entry is not None and ledger.stop(entry, now)

        return self._core.command(stop)

    def stop_all_tasks(self) -> int:
        """Ask all runs to stop. Returns how many there were."""

        def stop(ledger: Ledger, now: Instant) -> int:
            return sum(ledger.stop(entry, now) for entry in list(ledger.running.values()))

        return self._core.command(stop)

    def disable_task(self, name: str) -> bool:
        """Let nothing fall due until it is enabled. A run that goes on is left alone."""
        return self._core.command_named(name, Ledger.disable)

    def enable_task(self, name: str) -> bool:
        """Let it fall due again, on its original grid; what was due meanwhile is counted as skipped."""
        return self._core.command_named(name, Ledger.enable)

    def declare_enabled(self, name: str, enabled: bool) -> bool:
        """Enable or disable it as the program or its file now says, and not as a person decided.

        A store keeps what a person decided against what is registered after a restart; this it does not.
        """
        return self._core.command_named(
            name, lambda ledger, entry, now: ledger.declare_enabled(entry, enabled, now)
        )

    def set_period(self, name: str, period: float | timedelta, *, override: bool = False) -> bool:
        """Change the distance of its due times, from the last one on. `False` if it has no period.

        Args:
            name: Of the task.
            period: Seconds, more than 0, or a `timedelta`.
            override: It is a person's decision, to be shown as one, and kept against what the program
                registers after a restart; see `taskkit.store`.

        Raises:
            TypeError: The period is neither a number nor a `timedelta`.
            ValueError: It is not more than 0, infinite, or not a number.
        """
        seconds = check_period(period)
        return self._core.command_named(
            name, lambda ledger, entry, now: ledger.set_period(entry, seconds, now, override=override)
        )

    def reschedule_task(self, name: str, schedule: Schedule, *, override: bool = False) -> bool:
        """Give it another schedule, which counts from now: `Every(60)` first falls due in a minute.

        Args:
            name: Of the task.
            schedule: When it falls due from now on.
            override: It is a person's decision; see `set_period`.

        Raises:
            TypeError: It is not a schedule.
            ValueError: It never falls due.
        """
        check_schedule(schedule)
        return self._core.command_named(
            name, lambda ledger, entry, now: ledger.reschedule(entry, schedule, now, override=override)
        )

    def drop_override(self, name: str) -> bool:
        """Go back to the schedule that the program or a file registered, if a person had overridden it."""
        return self._core.command_named(name, Ledger.drop_override)

    def unregister_task(self, name: str) -> bool:
        """Let it be gone, now or when its run ends."""
        return self._core.command_named(name, Ledger.unregister)

    def pause(self) -> bool:
        """Let nothing fall due until `resume()`. Runs that go on are left alone, those by hand start."""
        return self._core.command(Ledger.pause)

    def resume(self) -> bool:
        """Let tasks fall due again; what was due meanwhile is counted as skipped."""
        return self._core.command(Ledger.resume)

    # Looking

    def handle(self, name: str) -> TaskHandler | None:
        """The handle of that name; of a running one that is registered no more only if no other is."""
        with self._core.lock:
            ledger = self._core.ledger
            entry = ledger.entries.get(name) or ledger.running.get(name)
            return None if entry is None else entry.handle

    @property
    def next_time(self) -> float | None:
        """When the next run is due, in epoch seconds; `None` if nothing is, or while paused."""
        with self._core.lock:
            return self._core.ledger.next_time(self._core.now())

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._core.started and not self._core.ledger.closed

    @property
    def paused(self) -> bool:
        """Whether nothing falls due until `resume()`."""
        return self._core.ledger.paused

    def snapshot(self) -> Snapshot:
        """One consistent picture of everything. O(n): who looks often takes a `watch()`."""
        threads = self._core.executor.threads
        return self._core.look(lambda ledger, now: picture.snapshot_of(ledger, self.is_running, threads, now))

    def watch(self) -> Watch:
        """Something that tells, each time it is asked, what has changed since: O(changes), not O(n)."""
        return Watch(self._core)

    def watch_kept(self) -> KeptWatch:
        """Something that tells, each time it is asked, what has changed of what outlives the scheduler."""
        return KeptWatch(self._core)

    def keep_with(self, keeper: Keeper) -> None:
        """Let tasks go on where `keeper` has kept them: at the start, or when they are registered later.

        What the program registers wins, except over what a person decided. A schedule that is as it was
        keeps its due times: what fell due meanwhile is run once, late, or skipped, as `catch_up` says.
        """
        self._core.keep_with(keeper)

    @property
    def is_kept(self) -> bool:
        """Whether a keeper has been given to it, as a store is."""
        return self._core.keeps

    def describe(self, name: str, due_times: int = 10) -> TaskDetails | None:
        """Everything there is to tell of one task, with its next `due_times`; `None` for an unknown name.

        Raises:
            TypeError: `due_times` is not a whole number.
            ValueError: It is negative.
        """
        check_whole("due_times", due_times, least=0)
        handle = self.handle(name)
        if handle is None:
            return None
        # Outside the lock: these read signatures and type hints, and call other people's `__str__`.
        body, parameters = body_in_words(handle.task), parameters_of(handle.task)
        policies = picture.policies_in_words(handle.policies)
        entry = handle._entry
        return self._core.look(
            lambda ledger, now: picture.details_of(entry, body, policies, parameters, ledger, due_times, now)
        )

    def due_times_with(self, name: str, period: float | timedelta, count: int) -> list[float] | None:
        """The due times that a task would have after `set_period(name, period)`; nothing is changed.

        Args:
            name: Of the task.
            period: Seconds, more than 0, or a `timedelta`.
            count: How many to tell at most.

        Returns:
            Epoch seconds, the earliest first; none while it is disabled. A retry that is to come is none of
            them. `None` where `set_period` would answer `False`.

        Raises:
            TypeError: The period is neither a number nor a `timedelta`, or `count` is not a whole number.
            ValueError: The period is not more than 0, infinite, or not a number; or `count` is negative.
        """
        seconds = check_period(period)
        check_whole("count", count, least=0)

        def see(ledger: Ledger, now: Instant) -> list[float] | None:
            entry = ledger.entries.get(name)
            return None if entry is None else ledger.due_times_with(entry, seconds, count, now)

        return self._core.look(see)

    def subscribe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Call `callback` with every event from now on, one at a time and in the order of truth.

        It is called on a thread of the scheduler's own, outside every lock, and may call the scheduler
        back. What it raises is logged. While it takes its time other subscribers wait, but no run does.

        Returns:
            A function that ends the subscription.

        Raises:
            TypeError: `callback` cannot be called.
        """
        check_callable("callback", callback)
        return self._core.bus.subscribe(callback)

    # Living

    def start(self) -> None:
        """Start what is due from now on. Does nothing if it is started already.

        Raises:
            SchedulerStoppedError: It was stopped.
        """
        self._core.start()

    def stop(self, timeout: float = STOP_TIMEOUT) -> list[str]:
        """Start nothing any more, ask all runs to stop, and wait for them, but not for ever.

        Runs that wait for a thread are dropped. A run that does not end in time is abandoned: it gets that
        outcome, and is left on a daemon thread, which does not keep the interpreter from exiting. A task
        may call this: its own run is asked to stop, but neither waited for nor abandoned. Who calls it while
        another does waits for that one, except in a task or a subscriber.

        Args:
            timeout: Seconds to wait for the runs, at most. The loop's thread and whoever is told of the last
                events may take up to a second each on top of that.

        Returns:
            The names of the runs that did not end in time.

        Raises:
            TypeError: `timeout` is not a number.
            ValueError: It is negative or not a number.
        """
        check_seconds("timeout", timeout, endless=True)
        return self._core.stop(timeout)

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

    def run_pending(self) -> int:
        """Start everything that is due. Returns how many runs were started.

        The loop of a started scheduler does nothing else; call it yourself only where there is none.
        """
        return self._core.run_pending()


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
    check_whole("max_threads", max_threads, "a whole number or None", least=1)
    if executor is not None:
        raise ValueError(f"max_threads={max_threads} has no effect on an executor of your own")
