"""The scheduler: add tasks, command them, and look at them.

This class checks arguments, takes the lock, and calls the ledger. The rules are in `taskkit.engine.ledger`,
the ledgers beneath it and `due_times`; the start and the stop are in `taskkit.engine.core`, the one lock and
the loop in `taskkit.engine.run_loop`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from types import TracebackType
from typing import Final, Self, Unpack
from unicodedata import category

from taskkit._helpers.checks import (
    check_callable,
    check_clock,
    check_flag,
    check_methods,
    check_seconds,
    check_whole,
)
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.clock import Clock, SystemClock
from taskkit.engine import scheduler_log, snapshots
from taskkit.engine.core import Core
from taskkit.engine.late_output import printing_for
from taskkit.engine.persistence_watch import PersistenceWatch
from taskkit.engine.registration import ON_THREADS, THREAD
from taskkit.engine.summaries import body_in_words, nameless
from taskkit.engine.threads import ThreadPool, Threads, are_threads
from taskkit.engine.watch import Watch
from taskkit.errors import SchedulerStoppedError
from taskkit.events import ALL_KINDS, Event, check_kinds
from taskkit.executor import Executor
from taskkit.executors.registry import ExecutorRegistry
from taskkit.handler import HandleView, TaskHandler
from taskkit.outcome import Outcome
from taskkit.parameters import parameters_of
from taskkit.persistence import StateSource
from taskkit.policies import Policies, PolicyKeywords, policies_of
from taskkit.run import check_parameters
from taskkit.schedules import Cron, Daily, Every, Once, OnDemand, Schedule
from taskkit.schedules.arguments import check_period, end_of_disabling
from taskkit.schedules.machine_zone import take_zone_warning
from taskkit.schedules.queries import check_jitter, check_schedule, learn_zone
from taskkit.snapshot import Figures, Parameter, SchedulerState, Snapshot, TaskDetails, TaskState
from taskkit.spec import Recipe, TaskSpec
from taskkit.task import TaskLike, check_task

STOP_TIMEOUT_SECONDS: Final = 3.0
"""The default time that `stop()` waits for runs."""


class Scheduler:
    """Runs tasks at their times, by default each on a thread of its own. Thread-safe.

    Use it as a context manager, or call `start()` and `stop()`. With `async with`, async tasks run on the
    loop that it is entered on. Add, change and remove tasks at any time:
    before the start, and from inside tasks and subscribers. Do not call it from a signal handler or a
    `__del__`, which may interrupt a thread that holds the lock: set a flag there, or start a thread that
    calls.

    The commands that take a name return `True` if the state is now as asked, even if it was so before, and
    `False` if there is no such task or the command does not apply to it.

    In a forked child of the process that started it, the scheduler does not run. It shows the state at the
    fork, and adding, commanding and subscribing raise `ForkedSchedulerError`. A scheduler that was not
    started before the fork can be started in the child.

    Args:
        clock: The source of time. `taskkit.testing.ManualClock` for tests; `ScaledClock` to show an hour in a
            minute.
        executor: Where tasks run that name no executor of their own: `thread`, `loop`, one of `executors`, or
            an `Executor`. `None` for threads, and for async tasks the loop of `async with`.
        executors: Executors of your own, by the names that tasks call them by.
        threads: Threads to use instead of a pool of the scheduler's own.
        max_threads: The most runs at once on threads; further runs wait for one, and are shown as waiting.
            `None` for no limit.
        capture: False leaves `sys.stdout` and `sys.stderr` alone; True attributes what runs print to them.
        on_error: Called with the outcome of each try that failed, timed out or was abandoned, for tasks
            without an `on_error` of their own; see `Policies.on_error`.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: `max_threads` is less than 1, or given along with threads; or an executor is unknown.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        executor: str | Executor | None = None,
        executors: Mapping[str, Executor] | None = None,
        threads: Threads | None = None,
        max_threads: int | None = None,
        capture: bool = True,
        on_error: Callable[[Outcome], object] | None = None,
    ) -> None:
        if isinstance(executor, Executor) and are_threads(executor):  # an inline executor is both
            threads = executor
            executor = THREAD
        _check_max_threads(max_threads, threads)
        if clock is not None:
            check_clock(clock)
        if threads is not None:
            check_methods("threads", threads, ("submit", "for_events"), "threads")
        check_flag("capture", capture)
        if on_error is not None:
            check_callable("on_error", on_error)
        self._core = Core(
            SystemClock() if clock is None else clock,
            ThreadPool(max_threads) if threads is None else threads,
            capture,
            on_error,
        )
        self._executors = ExecutorRegistry(self._core.bodies, executor, executors)
        self.scheduled: Mapping[str, TaskHandler] = HandleView(self._core, TaskState.SCHEDULED)
        """The handles that wait for a due time, by name: a live view."""
        self.running: Mapping[str, TaskHandler] = HandleView(self._core, TaskState.RUNNING)
        """The handles with a run, also one that waits for a thread, by name: a live view."""
        self.on_demand: Mapping[str, TaskHandler] = HandleView(self._core, TaskState.ON_DEMAND)
        """The handles that run only on demand, by name: a live view."""
        self.done: Mapping[str, TaskHandler] = HandleView(self._core, TaskState.GONE)
        """The handles whose last due time before their `until` has passed, by name: a live view. They are no
        longer registered; the last thousand are remembered."""

    # Adding

    def add_periodic_task(
        self,
        start: float | datetime | None,
        period: float | timedelta,
        task: TaskLike,
        name: str,
        *,
        executor: str | Executor | None = None,
        **policies: Unpack[PolicyKeywords],
    ) -> TaskHandler:
        """Run `task` at `start` and then once a period; see `add_task`.

        Args:
            start: Epoch seconds or a `datetime` (a naive one is local time); `None` for now.
            period: Seconds, more than 0, or a `timedelta`.
            task: The task, or a function without arguments.
            name: A unique name.
            executor: Where it runs; see `add_task`.
            policies: See `taskkit.Policies`.
        """
        return self.add_task(Every(period, start), task, name, executor=executor, **policies)

    def add_timed_task(
        self,
        when: float | datetime | None,
        task: TaskLike,
        name: str,
        *,
        executor: str | Executor | None = None,
        **policies: Unpack[PolicyKeywords],
    ) -> TaskHandler:
        """Run `task` once, at `when`: epoch seconds, a `datetime`, or `None` for now; see `add_task`."""
        return self.add_task(Once(when), task, name, executor=executor, **policies)

    def add_daily_task(
        self,
        hour: int,
        minute: int,
        task: TaskLike,
        name: str,
        tz: str | tzinfo | None = None,
        *,
        executor: str | Executor | None = None,
        **policies: Unpack[PolicyKeywords],
    ) -> TaskHandler:
        """Run `task` every day at a local time, of the machine's zone or of `tz`; see `add_task`."""
        return self.add_task(Daily(hour, minute, tz), task, name, executor=executor, **policies)

    def add_cron_task(
        self,
        expression: str,
        task: TaskLike,
        name: str,
        tz: str | tzinfo | None = None,
        *,
        executor: str | Executor | None = None,
        **policies: Unpack[PolicyKeywords],
    ) -> TaskHandler:
        """Run `task` whenever a cron expression matches the local time; see `Cron` and `add_task`."""
        return self.add_task(Cron(expression, tz), task, name, executor=executor, **policies)

    def add_on_demand_task(
        self,
        task: TaskLike,
        name: str,
        keep: bool = True,
        *,
        executor: str | Executor | None = None,
        **policies: Unpack[PolicyKeywords],
    ) -> TaskHandler:
        """Run `task` only on demand. With `keep=False` it is unregistered after its run. See `add_task`."""
        given = policies_of(policies)
        kept = given if keep is True else replace(given, keep=keep)
        return self._register(OnDemand(), task, name, kept, executor)

    def add_task(
        self,
        schedule: Schedule,
        task: TaskLike,
        name: str,
        *,
        executor: str | Executor | None = None,
        **policies: Unpack[PolicyKeywords],
    ) -> TaskHandler:
        """Register `task` under `name`. A registration under the same name is replaced.

        If the old one is running, the new one waits until that run ends: a name never runs twice at once,
        which APScheduler calls `max_instances=1`.

        Args:
            schedule: When the task is due.
            task: A `Task`, or anything that can be called without arguments, plain or `async`.
            name: Any text without control characters.
            executor: Where it runs: `thread`, `loop`, one of the scheduler's `executors`, or an `Executor`.
                `None` for the scheduler's choice.
            policies: The fields of `taskkit.Policies` as keywords: `timeout`, `retries`, `retry_delay`,
                `jitter`, `catch_up`, `overlap`, `max_runs`, `on_error`, `description`, `not_before`, `until`,
                `window`, `not_on`, `timezone`.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            SchedulerStoppedError: The scheduler was stopped.
            TypeError: An argument is of the wrong type.
            ValueError: An argument is out of range; nothing is registered then.
        """
        if "keep" in policies:
            raise TypeError("keep is an argument of add_on_demand_task alone")
        return self._register(schedule, task, name, policies_of(policies), executor)

    def add_spec(self, spec: TaskSpec, *, persist: bool = False, restored: bool = False) -> TaskHandler:
        """Register a task that is given as data. A registration under the same name is replaced.

        Args:
            spec: How to make the task, and when to run it.
            persist: True if a person adds it while the program runs: a store registers it again after a
                restart. False if a file declares it: the past of that name stays, and so does what a person
                decided about it, another schedule or that it is disabled.
            restored: True if a store registers it again. If the program does not have its executor any more,
                its runs wait, and `explain()` says so; otherwise that is an error.

        Raises:
            ImportError: The import path of its recipe leads nowhere.
            SchedulerStoppedError: The scheduler was stopped.
            TypeError: An argument is of the wrong type.
            ValueError: An argument is out of range; nothing is registered then.
            Exception: Anything that making the task raises.
        """
        if not isinstance(spec, TaskSpec):
            raise TypeError(f"spec must be a TaskSpec, not {spec!r}")
        task = spec.recipe.make()
        return self._register(
            spec.schedule, task, spec.name, spec.policies, spec.executor, spec, persist, restored
        )

    def _register(
        self,
        schedule: Schedule,
        task: TaskLike,
        name: str,
        policies: Policies,
        executor: str | Executor | None,
        spec: TaskSpec | None = None,
        persist: bool = False,
        restored: bool = False,
    ) -> TaskHandler:
        check_schedule(schedule)
        check_task(task)
        name = _checked_name(name)
        recipe = None if spec is None else spec.recipe
        placement = self._executors.place(executor, task, recipe, restored=restored)
        if placement.executor is not None and self._core.started:
            self._executors.check_loop([(name, placement.executor)])
        if spec is not None and type(spec.name) is not str:
            spec = replace(spec, name=name)
        policies.check_limits(schedule)
        if policies.jitter:
            check_jitter(schedule, policies.jitter_seconds, self._core.now().wall)
        if self._core.keeps:
            learn_zone(schedule)  # outside the lock

        with self._core.transition() as (ledger, now):
            if ledger.closed:
                raise SchedulerStoppedError
            carried = ledger.carried_over(name, now) if spec is not None and not persist else None
            carries_on = carried is not None and carried.override is not None
            entry = ledger.register(name, task, schedule, policies, now, carries_on=carries_on)
            entry.handle = handle = TaskHandler(self._core, entry)
            entry.placement = placement
            if spec is not None and not spec.enabled:
                ledger.disable(entry, now, declares=True)
            if spec is not None or self._core.keeps:
                self._core.restore(entry, now, spec if persist else None, carried)
            if entry.limited is not None:
                ledger.remove_if_done(entry, now)
            return handle

    # Executors

    @property
    def executor_names(self) -> tuple[str, ...]:
        """The names that a task's `executor` can have, those of your own included."""
        return tuple(self._executors.names)

    def check_executor(
        self, executor: str | Executor | None, task: TaskLike, recipe: Recipe | None = None
    ) -> None:
        """Raise what `add_task` would raise for a task with that executor. Changes nothing.

        Args:
            executor: A name, an `Executor`, or `None` for the scheduler's choice.
            task: The task.
            recipe: The recipe that it was made from, if it is registered as data.

        Raises:
            NoLoopError: It is `"loop"`, the scheduler is started, and there is no loop.
            TypeError: `executor` is neither a name nor an `Executor`; or the task cannot run there.
            ValueError: The name is unknown; or the task cannot run there.
        """
        check_task(task)
        chosen = self._executors.check(executor, task, recipe)
        if self._core.started:
            self._executors.check_loop([("", chosen)])

    def set_executor(self, name: str, executor: Executor) -> None:
        """Add an executor, or replace the one of that name. Active runs stay where they are.

        Raises:
            TypeError: `name` is not a string, or `executor` not an `Executor`.
            ValueError: The name is empty or `thread`; or the executor refuses this scheduler.
        """
        self._executors.set(name, executor, self._core)

    # Commanding

    def run_task_now(self, name: str, parameters: Mapping[str, object] | None = None) -> bool:
        """Start a run now, unless one is active. The due times stay where they are (R1).

        Args:
            name: The name of the task.
            parameters: The parameters of the run, by name.

        Raises:
            TypeError: `parameters` is not a mapping, has a key that is not a string, or holds what cannot be
                passed to where the task runs.
        """
        given = self._checked_parameters(name, parameters)
        with self._core.transition() as (ledger, now):
            entry = ledger.entries.get(name)
            return entry is not None and ledger.run_now(entry, given, now)

    def demand_task(self, name: str, parameters: Mapping[str, object] | None = None) -> bool:
        """Start a run now; if one is active, one more after it, however often it is demanded (R2).

        Args:
            name: The name of the task.
            parameters: The parameters of the run, by name; of several demands the last one counts.

        Raises:
            TypeError: `parameters` is not a mapping, has a key that is not a string, or holds what cannot be
                passed to where the task runs.
        """
        given = self._checked_parameters(name, parameters)
        with self._core.transition() as (ledger, now):
            entry = ledger.entries.get(name)
            return entry is not None and ledger.demand(entry, given, now)

    def _checked_parameters(self, name: str, parameters: Mapping[str, object] | None) -> Mapping[str, object]:
        given = check_parameters(parameters)
        entry = self._core.ledger.entries.get(name) if given else None
        if entry is not None and entry.executor is not None:
            entry.executor.check_parameters(given)
        return given

    def stop_task(self, name: str) -> bool:
        """Ask the run of that name to stop (R3). `False` if there is none."""
        with self._core.transition() as (ledger, now):
            entry = ledger.running.get(name)
            return entry is not None and ledger.stop(entry, now)

    def abandon_task(self, name: str) -> bool:
        """Give up a run that was asked to stop and has not ended: its name is free at once.

        The outcome of the run is `abandoned`. Python cannot end a thread, so the run continues, and
        what it still prints appears under its number. The task runs again when it is due or demanded, at
        the same time as the abandoned run if that is still active. With `max_threads` the abandoned run keeps
        its thread.

        Returns:
            `False` if the task has no run, or the run was not asked to stop before.
        """
        with self._core.transition() as (ledger, now):
            entry = ledger.running.get(name)
            run = None if entry is None else ledger.abandon_asked(entry, now)
        if run is not None:
            self._core.report_abandoned(run)
        return run is not None

    def stop_all_tasks(self) -> int:
        """Ask all runs to stop, and return how many there were."""
        with self._core.transition() as (ledger, now):
            return sum(ledger.stop(entry, now) for entry in list(ledger.running.values()))

    def disable_task(self, name: str, until: float | datetime | str | None = None) -> bool:
        """Disable the task: it does not fall due until it is enabled (R4). An active run is left alone.

        Args:
            name: The name of the task.
            until: When it is enabled again automatically (R8): epoch seconds, a `datetime` (a naive one is
                local time), or a text in local time such as `"18:00"`, `"friday"`, `"2h"` or `"2026-12-24"`.
                `None` for never. It replaces what was given before.

        Raises:
            TypeError: `until` is none of these.
            ValueError: `until` is not in the future, or cannot be read; then nothing is changed.
        """
        at = None if until is None else end_of_disabling(until, self._core.now().wall)
        with self._core.transition() as (ledger, now):
            entry = ledger.entries.get(name)
            return entry is not None and ledger.disable(entry, now, at)

    def enable_task(self, name: str) -> bool:
        """Enable the task on its original grid of due times; those in between count as skipped (R5)."""
        with self._core.transition() as (ledger, now):
            entry = ledger.entries.get(name)
            return entry is not None and ledger.enable(entry, now)

    def declare_enabled(self, name: str, enabled: bool) -> bool:
        """Enable or disable the task as the program or its file now says.

        Unlike `enable_task` and `disable_task` it does not count as a person's decision, which a store
        restores after a restart.
        """
        with self._core.transition() as (ledger, now):
            entry = ledger.entries.get(name)
            return entry is not None and ledger.declare_enabled(entry, enabled, now)

    def set_period(self, name: str, period: float | timedelta, *, override: bool = False) -> bool:
        """Change the time between due times, counted from the last one (R7). `False` if there is no period.

        Args:
            name: The name of the task.
            period: Seconds, more than 0, or a `timedelta`.
            override: True for a person's decision: it is shown as one, and after a restart it wins over what
                the program registers; see `taskkit.store`.

        Raises:
            TypeError: `period` is neither a number nor a `timedelta`.
            ValueError: `period` is not more than 0, infinite, or NaN.
        """
        seconds = check_period(period)
        with self._core.transition() as (ledger, now):
            entry = ledger.entries.get(name)
            return entry is not None and ledger.set_period(entry, seconds, now, override=override)

    def reschedule_task(self, name: str, schedule: Schedule, *, override: bool = False) -> bool:
        """Give the task another schedule, counted from now: `Every(60)` is first due in a minute.

        Args:
            name: The name of the task.
            schedule: When the task is due from now on.
            override: True for a person's decision; see `set_period`.

        Raises:
            TypeError: `schedule` is not a schedule.
            ValueError: It is never due.
        """
        check_schedule(schedule)
        with self._core.transition() as (ledger, now):
            entry = ledger.entries.get(name)
            return entry is not None and ledger.reschedule(entry, schedule, now, override=override)

    def drop_override(self, name: str) -> bool:
        """Go back to the schedule that the program or a file registered, if a person replaced it."""
        with self._core.transition() as (ledger, now):
            entry = ledger.entries.get(name)
            return entry is not None and ledger.drop_override(entry, now)

    def unregister_task(self, name: str) -> bool:
        """Remove the task: at once, or when its run ends."""
        with self._core.transition() as (ledger, now):
            ledger.done.pop(name, None)
            entry = ledger.entries.get(name)
            return entry is not None and ledger.unregister(entry, now)

    def pause(self) -> bool:
        """Let no task fall due until `resume()`. Active runs are left alone; runs by hand still start."""
        with self._core.transition() as (ledger, now):
            return ledger.pause(now)

    def resume(self) -> bool:
        """Let tasks fall due again; due times meanwhile count as skipped."""
        with self._core.transition() as (ledger, now):
            return ledger.resume(now)

    # Reading

    def handle(self, name: str) -> TaskHandler | None:
        """Return the handle of that name: registered, else still running, else done."""
        with self._core.lock:
            ledger = self._core.ledger
            entry = ledger.entries.get(name) or ledger.running.get(name) or ledger.done.get(name)
            return None if entry is None else entry.handle

    @property
    def next_time(self) -> float | None:
        """The next due time of all tasks, in epoch seconds; `None` if there is none, or while paused."""
        with self._core.view() as (ledger, now):
            return ledger.next_time(now)

    @property
    def is_running(self) -> bool:
        """True from `start()` to `stop()`, while runs can be started; never in a forked child."""
        return self._core.is_running

    @property
    def state(self) -> SchedulerState:
        """The state of the whole scheduler: not started, on standby, running, draining or stopped."""
        return self._core.state

    @property
    def forked_from(self) -> int | None:
        """In a forked child, the id of the process that runs the scheduler; `None` elsewhere."""
        return self._core.ledger.forked_from

    def refuse_if_forked(self) -> None:
        """Raise in a forked child of the process that runs the scheduler.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
        """
        self._core.refuse_if_forked()

    @property
    def paused(self) -> bool:
        """True if no task falls due until `resume()`."""
        return self._core.ledger.paused

    def snapshot(self) -> Snapshot:
        """Return a consistent snapshot of everything. O(n): to call it often, use `watch()` instead."""
        threads = self._core.threads.count
        with self._core.view() as (ledger, now):
            return snapshots.snapshot_of(ledger, self.is_running, self.state, threads, now)

    def figures(self) -> Figures:
        """Return the whole scheduler in a few numbers, in constant time."""
        threads = self._core.threads.count
        with self._core.view() as (ledger, now):
            return snapshots.figures_of(ledger, self.is_running, self.state, threads, now)

    @property
    def now(self) -> float:
        """The present moment by the scheduler's clock, in epoch seconds."""
        return self._core.now().wall

    @property
    def speed(self) -> float:
        """Seconds that pass by the scheduler's clock in one second: 1, except with a `ScaledClock`."""
        return self._core.speed

    def watch(self) -> Watch:
        """Return a watch, which reports what has changed since its last call: O(changes), not O(n)."""
        return Watch(self._core)

    def watch_persistence(self) -> PersistenceWatch:
        """Return a watch that reports the changes of the saved state since its last call."""
        return PersistenceWatch(self._core)

    def restore_from(
        self, source: StateSource, on_event: Callable[[Event], object] | None = None
    ) -> Callable[[], None]:
        """Restore tasks from the saved state: at the start, or when they are registered later.

        What the program registers wins, except over what a person decided. An unchanged schedule keeps its
        due times: misfires (due times that passed meanwhile) are coalesced into one late run, or skipped, as
        `catch_up` says.

        Args:
            source: Knows the saved state of each task.
            on_event: Called with every event but output and progress, in order with what
                `watch_persistence()` reports. It is independent of the subscribers, misses nothing, and must
                be quick.

        Returns:
            A function that ends the calls of `on_event`.
        """
        return self._core.restore_from(source, on_event)

    @property
    def is_persistent(self) -> bool:
        """True if its state is saved, by a store for example."""
        return self._core.keeps

    def describe(self, name: str, due_times: int = 10) -> TaskDetails | None:
        """Return all there is to know of one task, with its next `due_times`; `None` for an unknown name.

        The words and parameters come from the code of the task and its `on_error`. They are left out if that
        takes longer than half a second (O7).

        Raises:
            TypeError: `due_times` is not a whole number.
            ValueError: `due_times` is negative.
        """
        check_whole("due_times", due_times, least=0)
        handle = self.handle(name)
        if handle is None:
            return None
        entry, task = handle._entry, handle.task
        given = handle.policies.with_jitter(entry.jitter)

        def read() -> tuple[str, tuple[Parameter, ...], Mapping[str, str]]:
            # Outside the lock: these read signatures and type hints, and call other people's `__str__`.
            return body_in_words(task), parameters_of(task), snapshots.policies_in_words(given)

        nothing: tuple[str, tuple[Parameter, ...], Mapping[str, str]] = (nameless(task), (), FrozenDict())
        body, parameters, policies = self._core.ask(handle.name, "what it says of itself", read, nothing)
        with self._core.view() as (ledger, now):
            return snapshots.details_of(entry, body, policies, parameters, ledger, due_times, now)

    def due_times_with(self, name: str, period: float | timedelta, count: int) -> list[float] | None:
        """Return the due times that a task would have after `set_period(name, period)`; change nothing.

        Args:
            name: The name of the task.
            period: Seconds, more than 0, or a `timedelta`.
            count: The most due times to return.

        Returns:
            Epoch seconds, the earliest first, without a pending retry; empty while the task is disabled.
            `None` where `set_period` would return `False`.

        Raises:
            TypeError: `period` is neither a number nor a `timedelta`, or `count` is not a whole number.
            ValueError: `period` is not more than 0, infinite, or NaN; or `count` is negative.
        """
        seconds = check_period(period)
        check_whole("count", count, least=0)
        with self._core.view() as (ledger, now):
            entry = ledger.entries.get(name)
            return None if entry is None else ledger.due_times_with(entry, seconds, count, now)

    @property
    def interrupted(self) -> tuple[Outcome, ...]:
        """The runs that ended with the process before, as the store has found them at this start.

        Those of a task are here once the task is registered and the scheduler started. Thread-safe.
        """
        with self._core.view() as (ledger, _):
            return ledger.interrupted

    def printing_for(self, handle: TaskHandler, run: int) -> AbstractContextManager[None]:
        """Return a context in which prints of this thread are output of a run that has ended.

        Args:
            handle: The handle of the task.
            run: The number of the run.
        """
        return printing_for(self._core, handle._entry, run)

    def subscribe(
        self, callback: Callable[[Event], object], kinds: Collection[type[Event]] = ALL_KINDS
    ) -> Callable[[], None]:
        """Call `callback` with every event from now on, one at a time, in the order in which they happened.

        The callback runs on a thread of the scheduler, outside every lock, and may call the scheduler. What
        it raises is logged. A slow one delays other subscribers by a second at most, and no run; it then gets
        its events later, and loses the oldest ones if too many wait.

        Args:
            callback: Called with one event.
            kinds: The classes of events to deliver, as in `(RunFinished,)`; a base class stands for all
                events below it. Events that no subscriber wants are not made.

        Returns:
            A function that ends the subscription.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            TypeError: `callback` cannot be called, or `kinds` is not a collection of event classes.
        """
        check_callable("callback", callback)
        wanted = check_kinds(kinds)
        self._core.refuse_if_forked()
        return self._core.bus.subscribe(callback, wanted)

    # Starting and stopping

    def start(self) -> None:
        """Start the scheduler: tasks that are due run from now on. Does nothing if it is running.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            SchedulerStoppedError: The scheduler was stopped.
            NoLoopError: A task has `executor="loop"`, and there is no loop.
        """
        if (trouble := take_zone_warning()) is not None:
            scheduler_log.warning("%s", trouble)
        self.check_start()
        self._core.start()

    def check_start(self) -> None:
        """Raise what `start()` would raise because of an executor. Starts nothing.

        Raises:
            NoLoopError: A task has `executor="loop"`, and there is no loop.
        """
        with self._core.lock:
            entries = self._core.ledger.entries.values()
            elsewhere = [
                (entry.name, entry.executor) for entry in entries if entry.placement is not ON_THREADS
            ]
        self._executors.check_loop(elsewhere)

    def stop(self, timeout: float = STOP_TIMEOUT_SECONDS, *, drain: float = 0.0) -> list[str]:
        """Start no more runs, ask all runs to stop, and wait for them in bounded time (O5).

        Runs that wait for a thread are dropped. A run that does not end in time is abandoned: that is its
        outcome, and it is left on a daemon thread, on which the interpreter's exit does not hang. A task may
        call this: its own run is asked to stop, but neither waited for nor abandoned. So are the runs of an
        event loop on whose thread this is called; `await asyncio.to_thread(scheduler.stop)` waits for them.
        A second call waits for the first, except in a task or a subscriber. In a forked child it returns at
        once.

        With `drain` the runs are left alone at first: nothing new starts, but `proceed()` stays true. Only
        those that are still active after this many seconds are asked to stop. A second call without `drain`
        asks them at once. Demands and retries to come are dropped and counted in `SchedulerStopped`.

        Args:
            timeout: Seconds to wait for the runs that were asked to stop. The thread of the loop and the
                subscribers of the last events may take up to a second each on top of that.
            drain: Seconds before that in which the runs may end by themselves.

        Returns:
            The names of the runs that did not end in time.

        Raises:
            TypeError: `timeout` or `drain` is not a number.
            ValueError: `timeout` or `drain` is negative or NaN.
        """
        check_seconds("timeout", timeout, endless=True)
        check_seconds("drain", drain, endless=True)
        return self._core.stop(timeout, drain)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until nothing is scheduled any more and nothing runs; also until the scheduler has stopped.

        Tasks that are disabled, or run only on demand or after other tasks, do not count as scheduled.

        Args:
            timeout: The longest wait in seconds; `None` for no limit.

        Returns:
            `False` if the timeout passed first.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            JoinInsideRunError: A task calls it.
            TypeError: `timeout` is not a number.
            ValueError: `timeout` is negative or NaN.
        """
        if timeout is not None:
            check_seconds("timeout", timeout, endless=True)
        self._core.refuse_if_forked()
        return self._core.join(timeout)

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

    async def __aenter__(self) -> Self:
        from taskkit.executors.loop import LoopExecutor  # it imports asyncio

        self._core.refuse_if_forked()
        self._executors.use_loop(LoopExecutor(), self._core)
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        from taskkit.executors.loop import on_own_thread

        await on_own_thread(self.stop, "taskkit stop")

    def run_pending(self) -> int:
        """Start all runs that are due, and return how many.

        The loop of a started scheduler does this by itself; call it only where there is no loop.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
        """
        return self._core.run_pending()


def _checked_name(name: object) -> str:
    """Return the name as a plain `str`: an enum member, which is a text too, has several spellings."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, not {name!r}")
    if not name:
        raise ValueError("name must not be empty")
    if not (name.isascii() and name.isprintable()) and any(category(each) == "Cc" for each in name):
        raise ValueError(f"name must not have control characters, as {name!r} has")
    return str.__str__(name)


def _check_max_threads(max_threads: object, threads: object) -> None:
    if max_threads is None:
        return
    check_whole("max_threads", max_threads, "a whole number or None", least=1)
    if threads is not None:
        raise ValueError(f"max_threads={max_threads} has no effect on threads of your own")
