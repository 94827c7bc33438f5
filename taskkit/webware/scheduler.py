"""The old `Scheduler`: a thread around the modern one, which does the work."""

from __future__ import annotations

import logging
import time as _time
from collections.abc import Callable
from threading import Event, Thread, current_thread
from typing import Any

from taskkit.clock import Clock
from taskkit.executor import Executor
from taskkit.scheduler import Scheduler as ModernScheduler
from taskkit.schedules import Daily, Every
from taskkit.webware.handler import TaskHandler
from taskkit.webware.listing import Listing, text_of
from taskkit.webware.plan import DAY_SECONDS, checked_time, checked_time_of_day

_JOIN_SECONDS = 3.0
"""The longest time for which `stop()` waits for runs, and then for the thread."""

_logger = logging.getLogger("taskkit")


class CloseEvent(Event):
    """The event of TaskKit 0.5 that is set when the scheduler stops.

    `isSet()` is the spelling of 2001.
    """

    def isSet(self) -> bool:
        """True if the scheduler was stopped."""
        return self.is_set()


class Scheduler(Thread, Listing):
    """Runs tasks at their times, each on a thread of its own. Thread-safe.

    It is a thread, as in 2001: with `daemon` false it keeps the program alive until `stop()`, and `join()`
    waits for that. The thread itself does nothing: `modern` does the work.

    Args:
        daemon: True if the program may end while the scheduler runs.
        exceptionHandler: Called once without arguments after a task has raised, inside the `except` block, so
            that it finds the exception in `sys.exc_info()`. The exception is logged as well.
        clock: As in `taskkit.Scheduler`.
        executor: As in `taskkit.Scheduler`.
        capture: As in `taskkit.Scheduler`.
    """

    def __init__(
        self,
        daemon: object = True,
        exceptionHandler: Callable[[], object] | None = None,
        *,
        clock: Clock | None = None,
        executor: str | Executor | None = None,
        capture: bool = True,
    ) -> None:
        Thread.__init__(self, name="TaskKit scheduler")
        Listing.__init__(
            self,
            ModernScheduler(clock=clock, executor=executor, capture=capture),
            _time.time if clock is None else clock.time,
        )
        if daemon:
            self.daemon = True
        self._exceptionHandler = exceptionHandler
        self._notifyEvent = Event()
        self._closeEvent = CloseEvent()

    # Events

    def wait(self, seconds: float | None = None) -> None:
        """Wait until `notify()` is called, for `seconds` at most."""
        self._notifyEvent.wait(seconds)
        self._notifyEvent.clear()

    def notify(self) -> None:
        """Wake `wait()`. The scheduler itself does not need it."""
        self._notifyEvent.set()

    def closeEvent(self) -> CloseEvent:
        """Return the event of TaskKit 0.5 that is set when the scheduler stops."""
        return self._closeEvent

    # State

    def nextTime(self) -> float | None:
        """Return the next due time of all tasks, in epoch seconds; `None` if there is none."""
        return self.modern.next_time

    def setNextTime(self, nextTime: float | None) -> None:
        """Do nothing. In 2001 the scheduler noted here when to wake up."""

    def isRunning(self) -> bool:
        """True if the scheduler was started and not stopped."""
        return self.modern.is_running

    @property
    def _isRunning(self) -> bool:
        return self.modern.is_running

    # Adding

    def addTimedAction(self, actionTime: float, task: object, name: Any) -> None:
        """Run `task` once, at `actionTime` in epoch seconds.

        Like all `add…` methods, this replaces the task that has that name, after its present run.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: The time is infinite or not a number. Then nothing is changed.
        """
        self.scheduleTask(self._planned(checked_time(actionTime, "actionTime"), 0, task, name))

    def addActionOnDemand(self, task: object, name: Any) -> None:
        """Run `task` only on demand: `runTaskNow`, `demandTask`.

        Raises:
            TypeError: An argument is of the wrong type.
        """
        handle = self._planned(self.wall_clock(), 0, task, name)
        handle.plan.on_demand = True
        self.setOnDemand(handle)

    def addDailyAction(self, hour: int, minute: int, task: object, name: Any) -> None:
        """Run `task` every day at that local time, and at once if it is that minute now.

        Args:
            hour: 0 to 23; 24 is midnight.
            minute: 0 to 59; 60 carries into the hour.
            task: The task.
            name: Any hashable value.

        Raises:
            TypeError: An argument is of the wrong type.
        """
        daily = Daily(*checked_time_of_day(hour, minute))
        now = self.wall_clock()
        local = _time.localtime(now)
        if (local.tm_hour, local.tm_min) == (daily.hour, daily.minute):
            handle = self._planned(now, DAY_SECONDS, task, name)
            self._register(handle, Every(DAY_SECONDS, now), at_begin=lambda it: it.reschedule(daily))
        else:
            self._register(self._planned(daily.next_after(now) or now, DAY_SECONDS, task, name), daily)
        self.notify()

    def addPeriodicAction(self, start: float, period: float, task: object, name: Any) -> None:
        """Run `task` at `start` and then once a period.

        Args:
            start: Epoch seconds; a start in the past means now.
            period: Seconds; a negative period means its absolute value, 0 means once.
            task: The task.
            name: Any hashable value.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: A number is infinite or not a number. Then nothing is changed.
        """
        self.scheduleTask(self._planned(start, period, task, name))

    def addPeriodicTask(self, start: float, period: float, task: object, name: Any) -> None:
        """Do the same as `addPeriodicAction`: this name was announced in 2001."""
        self.addPeriodicAction(start, period, task, name)

    # Commands

    def unregisterTask(self, name: Any) -> TaskHandler | None:
        """Remove a task: now, or after its run. Returns its handle, or `None` if there is none."""
        self.modern.refuse_if_forked()
        found = self.modern.handle(text_of(name))
        return None if found is None else self._remove(self.handler_of(found))

    def unregister(self, name: Any) -> TaskHandler | None:
        """Do the same as `unregisterTask`: the article of 2001 has this name."""
        return self.unregisterTask(name)

    def runTaskNow(self, name: Any) -> bool:
        """Start a task now, unless it runs already or is disabled. Returns `False` if there is none."""
        self.modern.refuse_if_forked()
        if self.hasRunning(name):
            return True
        handle = self.scheduled(name) or self.onDemand(name)
        if handle is None:
            return False
        self.runTask(handle)
        return True

    def demandTask(self, name: Any) -> bool:
        """Start a task on demand now, or a running task once more after its run, unless it is disabled.

        Returns:
            `False` if there is no such task, or if it waits for its time.
        """
        self.modern.refuse_if_forked()
        handle = self.running(name)
        if handle is not None:
            handle.runOnCompletion()
            return True
        handle = self.onDemand(name)
        if handle is None:
            return False
        self.runTask(handle)
        return True

    def stopTask(self, name: Any) -> bool:
        """Ask a run to stop. Returns `False` if the task does not run."""
        self.modern.refuse_if_forked()
        handle = self.running(name)
        if handle is None:
            return False
        handle.stop()
        return True

    def stopAllTasks(self) -> None:
        """Ask all runs to stop."""
        self.modern.refuse_if_forked()
        for name in self._running:
            self.stopTask(name)

    def disableTask(self, name: Any) -> bool:
        """Start no run of a task until it is enabled. Returns `False` if there is no such task."""
        self.modern.refuse_if_forked()
        handle = self.running(name) or self.scheduled(name) or self.onDemand(name)
        if handle is None:
            return False
        handle.disable()
        return True

    def enableTask(self, name: Any) -> bool:
        """Let a task run again, on its original grid. Returns `False` if there is no such task.

        Due times that have passed meanwhile are skipped.
        """
        self.modern.refuse_if_forked()
        handle = self.running(name) or self.scheduled(name) or self.onDemand(name)
        if handle is None:
            return False
        handle.enable()
        return True

    def scheduleTask(self, handle: TaskHandler) -> None:
        """Schedule the handle's task. Timed and periodic tasks pass through here, daily ones do not."""
        self.setScheduled(handle)
        self.notify()

    # Notifications from runs

    def notifyCompletion(self, handle: TaskHandler) -> None:
        """Do nothing. Called at the end of each run, on its thread, for subclasses to override."""

    def notifyFailure(self, handle: TaskHandler) -> None:
        """Call `exceptionHandler`. Called at the end of each run that raised, inside the `except` block."""
        self.notifyCompletion(handle)
        if self._exceptionHandler is not None:
            try:
                self._exceptionHandler()
            except BaseException:
                _logger.exception("exceptionHandler raised for %s", handle.name())

    # Starting and stopping

    def start(self) -> None:
        """Start the scheduler: from now on tasks run when they are due.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            RuntimeError: The scheduler was started before.
        """
        self.modern.refuse_if_forked()
        super().start()
        self.modern.start()

    def run(self) -> None:
        """Wait for `stop()`, on the scheduler's own thread."""
        self._closeEvent.wait()

    def stop(self) -> None:
        """Start no more runs, ask all runs to stop, and wait for them for three seconds."""
        if self.modern.forked_from is not None:
            return  # the scheduler runs in the parent of this process
        self._closeEvent.set()
        self.modern.stop(_JOIN_SECONDS)
        self.notify()
        if super().is_alive() and current_thread() is not self:
            self.join(_JOIN_SECONDS)

    def is_alive(self) -> bool:
        """True if the scheduler was started and not stopped."""
        return super().is_alive() or self.modern.is_running

    def _handler(self, start: float, period: float, task: object, name: Any) -> TaskHandler:
        return TaskHandler(self, start, period, task, name)
