"""The scheduler in the old spelling, around the modern one."""

from __future__ import annotations

import logging
import time as _time
from collections.abc import Callable
from threading import Event, Thread, current_thread
from typing import Any

from taskkit.clock import Clock
from taskkit.engine.executor import Executor
from taskkit.scheduler import Scheduler as ModernScheduler
from taskkit.schedules import Daily, Every
from taskkit.webware.closing import CloseEvent
from taskkit.webware.handler import TaskHandler
from taskkit.webware.listing import Listing
from taskkit.webware.names import text_of
from taskkit.webware.plan import DAY, checked_time, checked_time_of_day

_JOIN_TIMEOUT = 3.0
"""Seconds."""

_logger = logging.getLogger("taskkit")


class Scheduler(Thread, Listing):
    """Runs tasks at their times, each on a thread, while the program goes on. Thread-safe.

    A thread, as it was in 2001: with `daemon` false it keeps the program alive until `stop()`, and `join()`
    waits for that. Else it does nothing: all is done by `modern`.

    Args:
        daemon: Whether the program may end while this runs.
        exceptionHandler: Called without arguments when a task raised, once, inside the `except` block, so
            that it finds the exception in `sys.exc_info()`. It is logged besides.
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
        executor: Executor | None = None,
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
        """Wait until `notify()`, or for so many seconds."""
        self._notifyEvent.wait(seconds)
        self._notifyEvent.clear()

    def notify(self) -> None:
        """Let `wait()` return. The scheduler itself needs no waking."""
        self._notifyEvent.set()

    def closeEvent(self) -> CloseEvent:
        """The event of TaskKit 0.5 that is set when the scheduler stops."""
        return self._closeEvent

    # Looking

    def nextTime(self) -> float | None:
        """When the next run is due, in epoch seconds; `None` if nothing is."""
        return self.modern.next_time

    def setNextTime(self, nextTime: float | None) -> None:
        """Does nothing. In 2001 the scheduler noted here when to wake up."""

    def isRunning(self) -> bool:
        """Whether it was started and not stopped."""
        return self.modern.is_running

    @property
    def _isRunning(self) -> bool:
        return self.modern.is_running

    # Adding

    def addTimedAction(self, actionTime: float, task: object, name: Any) -> None:
        """Run `task` once, at `actionTime` in epoch seconds.

        What was added under that name before is replaced; its run, if it has one, is waited for. So it is
        with all that is added.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: The time is infinite or not a number. Nothing is changed then.
        """
        self.scheduleTask(self._planned(checked_time(actionTime, "actionTime"), 0, task, name))

    def addActionOnDemand(self, task: object, name: Any) -> None:
        """Run `task` whenever somebody asks: `runTaskNow`, `demandTask`.

        Raises:
            TypeError: An argument is of the wrong type.
        """
        handle = self._planned(self.wall_clock(), 0, task, name)
        handle.plan.on_demand = True
        self.setOnDemand(handle)

    def addDailyAction(self, hour: int, minute: int, task: object, name: Any) -> None:
        """Run `task` every day at that local time; and now, if this is the minute.

        Args:
            hour: 0 to 23; 24 is midnight.
            minute: 0 to 59; 60 is carried into the hour.
            task: A task.
            name: Anything hashable.

        Raises:
            TypeError: An argument is of the wrong type.
        """
        daily = Daily(*checked_time_of_day(hour, minute))
        now = self.wall_clock()
        local = _time.localtime(now)
        if (local.tm_hour, local.tm_min) == (daily.hour, daily.minute):
            handle = self._planned(now, DAY, task, name)
            self._enter(handle, Every(DAY, now), at_begin=lambda it: it.reschedule(daily))
        else:
            self._enter(self._planned(daily.next_after(now) or now, DAY, task, name), daily)
        self.notify()

    def addPeriodicAction(self, start: float, period: float, task: object, name: Any) -> None:
        """Run `task` at `start` and then once a period.

        Args:
            start: Epoch seconds; what is past is due now.
            period: Seconds; of a negative one the absolute value counts, 0 means once.
            task: A task.
            name: Anything hashable.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: A number is infinite or not a number. Nothing is changed then.
        """
        self.scheduleTask(self._planned(start, period, task, name))

    def addPeriodicTask(self, start: float, period: float, task: object, name: Any) -> None:
        """`addPeriodicAction` by the name that was announced in 2001."""
        self.addPeriodicAction(start, period, task, name)

    # Commanding

    def unregisterTask(self, name: Any) -> TaskHandler | None:
        """Let a task be gone: now, or after its run. Returns its handle, or `None` if there is none."""
        found = self.modern.handle(text_of(name))
        return None if found is None else self._let_go(self.handler_of(found))

    def unregister(self, name: Any) -> TaskHandler | None:
        """`unregisterTask` by the name that the article of 2001 gives it."""
        return self.unregisterTask(name)

    def runTaskNow(self, name: Any) -> bool:
        """Start a task now, unless it runs already or is disabled. `False` if there is none."""
        if self.hasRunning(name):
            return True
        handle = self.scheduled(name) or self.onDemand(name)
        if handle is None:
            return False
        self.runTask(handle)
        return True

    def demandTask(self, name: Any) -> bool:
        """Start a task on demand now, or any task once more after its present run, unless it is disabled.

        Returns:
            `False` if there is none, or if it waits for its time.
        """
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
        """Ask a run to stop. `False` if there is none."""
        handle = self.running(name)
        if handle is None:
            return False
        handle.stop()
        return True

    def stopAllTasks(self) -> None:
        """Ask all runs to stop."""
        for name in self._running:
            self.stopTask(name)

    def disableTask(self, name: Any) -> bool:
        """Let no run of a task begin until it is enabled. `False` if there is none."""
        handle = self.running(name) or self.scheduled(name) or self.onDemand(name)
        if handle is None:
            return False
        handle.disable()
        return True

    def enableTask(self, name: Any) -> bool:
        """Let a task run again, on its original grid; what was due meanwhile is skipped. `False` if none."""
        handle = self.running(name) or self.scheduled(name) or self.onDemand(name)
        if handle is None:
            return False
        handle.enable()
        return True

    def scheduleTask(self, handle: TaskHandler) -> None:
        """Schedule what the handle says. All that is added with a time comes by here, but daily tasks."""
        self.setScheduled(handle)
        self.notify()

    # What runs tell

    def notifyCompletion(self, handle: TaskHandler) -> None:
        """Called at the end of each run, on its thread. Does nothing; it is there to be overridden."""

    def notifyFailure(self, handle: TaskHandler) -> None:
        """Called at the end of each run that raised, inside the `except` block. Calls `exceptionHandler`."""
        self.notifyCompletion(handle)
        if self._exceptionHandler is not None:
            try:
                self._exceptionHandler()
            except BaseException:
                _logger.exception("exceptionHandler raised for %s", handle.name())

    # Living

    def start(self) -> None:
        """Start what is due from now on.

        Raises:
            RuntimeError: It was started before.
        """
        super().start()
        self.modern.start()

    def run(self) -> None:
        """What the thread of the scheduler does: wait for `stop()`."""
        self._closeEvent.wait()

    def stop(self) -> None:
        """Start nothing any more, ask all runs to stop, and wait for them for three seconds."""
        self._closeEvent.set()
        self.modern.stop(_JOIN_TIMEOUT)
        self.notify()
        if super().is_alive() and current_thread() is not self:
            self.join(_JOIN_TIMEOUT)

    def is_alive(self) -> bool:
        """Whether it was started and not stopped."""
        return super().is_alive() or self.modern.is_running

    def _handler(self, start: float, period: float, task: object, name: Any) -> TaskHandler:
        return TaskHandler(self, start, period, task, name)
