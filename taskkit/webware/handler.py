"""The old `TaskHandler`: one task's state and commands, as methods where `taskkit` has attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from taskkit.run import current
from taskkit.schedules import Daily, Every, Once, OnDemand, Schedule
from taskkit.webware.plan import DAY_SECONDS, Plan, checked_period, checked_time
from taskkit.webware.wrapped_task import WrappedTask, registration_of

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler as ModernHandler
    from taskkit.webware.scheduler import CloseEvent, Scheduler

_SAME_TIME_SECONDS: Final = 0.001
"""The rounding error of a due time after its conversion to the steady clock and back."""


class TaskHandler:
    """The handle of one task: everything but the work itself. Thread-safe.

    The scheduler makes one for each name. If another task is added under that name, the handle stays, and is
    that of the new task.

    Args:
        scheduler: The scheduler that it belongs to.
        start: When the task is first due, in epoch seconds.
        period: Seconds between due times; 0 for once. A negative period means its absolute value.
        task: The task.
        name: Any hashable value.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: A number is infinite or not a number.
    """

    def __init__(self, scheduler: Scheduler, start: float, period: float, task: object, name: Any) -> None:
        self._scheduler = scheduler
        self._name = name
        self.plan = Plan(start, period, task)
        """The start, the period and the task that were asked for."""
        self.registration: WrappedTask | None = None
        """The task as the modern scheduler runs it; `None` until it is scheduled."""

    def __repr__(self) -> str:
        return f"<TaskKit handle of {self._name!r}>"

    # Scheduling

    def reset(self, start: float, period: float, task: object, reRegister: object) -> None:
        """Set another start, period and task. With `reRegister` false the task is gone after its next run."""
        self._scheduler.modern.refuse_if_forked()
        self.plan = Plan(start, period, task, suspended=self.plan.suspended)
        if self._schedule is not None:
            self._scheduler.scheduleTask(self)
        if not reRegister and self.registration is not None:
            self.registration.at_end = self.unregister

    def runTask(self) -> None:
        """Start the task now on a thread of its own, unless it is disabled. Inside its run, call the task."""
        begun = registration_of(current.get())
        if begun is not None and begun.handler is self and begun.perform():
            return
        self._scheduler.modern.refuse_if_forked()
        if self.registration is not None:
            self.registration.start()

    def reschedule(self) -> bool:
        """True if the task is due again after its run. It changes nothing: the scheduler counts due times."""
        schedule = self._schedule
        return schedule is not None and schedule.repeats

    def notifyCompletion(self) -> None:
        """Called at the end of each run that raised nothing."""
        self._scheduler.notifyCompletion(self)

    def notifyFailure(self) -> None:
        """Called at the end of each run that raised, inside the `except` block."""
        self._scheduler.notifyFailure(self)

    # State

    @property
    def modern(self) -> ModernHandler | None:
        """The handle of the modern scheduler; `None` until it is scheduled."""
        return None if self.registration is None else self.registration.handle

    def name(self) -> Any:
        """Return the name as it was given when the task was added."""
        return self._name

    def isRunning(self) -> bool:
        """True if the task runs and was not asked to stop."""
        return self._isRunning

    @property
    def _isRunning(self) -> bool:
        run = self._running_handle()
        return run is not None and not run.stopping

    @property
    def is_disabled(self) -> bool:
        """True if the task is disabled, by this handle or in any other way."""
        modern = self.modern
        return self.plan.suspended if modern is None or self._schedule is None else modern.disabled

    # Old programs read these two attributes: there was no method.

    @property
    def _task(self) -> object:
        return self.plan.task

    @property
    def _suspend(self) -> bool:
        return self.is_disabled

    def runAgain(self) -> bool:
        """True if the task runs once more after its present run."""
        modern = self.modern
        return modern is not None and modern.run_again

    def isOnDemand(self) -> bool:
        """True if the task waits for a demand, and is never due."""
        schedule = self._schedule
        if schedule is None:
            return self.plan.on_demand
        return isinstance(schedule, OnDemand) or (self.plan.on_demand and not schedule.repeats)

    def period(self) -> float:
        """Return the seconds between due times: 0 for once or on demand, 86,400 for a daily task."""
        return self._period_of(self._schedule)

    def closeEvent(self) -> CloseEvent:
        """Return the event of TaskKit 0.5 that is set when the scheduler stops."""
        return self._scheduler.closeEvent()

    # Commands

    def setOnDemand(self, onDemand: object = True) -> None:
        """Keep the task on demand once it has no more due times; with `onDemand` false, remove it then."""
        self._scheduler.modern.refuse_if_forked()
        self.plan.on_demand = bool(onDemand)
        if self.registration is not None and isinstance(self._schedule, OnDemand):
            self.registration.at_end = None if onDemand else self.unregister

    def runOnCompletion(self) -> None:
        """Run the task once more after its present run. Does nothing without one, or while it is disabled."""
        self._scheduler.modern.refuse_if_forked()
        modern = self.modern
        if modern is not None and not modern.disabled and self._running_handle() is not None:
            modern.demand()

    def unregister(self) -> None:
        """Remove the task: now, or after its present run."""
        self._scheduler.modern.refuse_if_forked()
        if self.registration is not None:
            self.registration.remove()

    def disable(self) -> None:
        """Start no run until the task is enabled. A run in progress continues."""
        self._scheduler.modern.refuse_if_forked()
        self.plan.suspended = True
        if self.modern is not None:
            self.modern.disable()

    def enable(self) -> None:
        """Let the task run again, on its original grid. Due times that have passed meanwhile are skipped."""
        self._scheduler.modern.refuse_if_forked()
        self.plan.suspended = False
        if self.modern is not None:
            self.modern.enable()

    def stop(self) -> None:
        """Ask the run to stop: its `proceed()` is false from now on."""
        self._scheduler.modern.refuse_if_forked()
        run = self._running_handle()
        if run is not None:
            run.stop()

    def setPeriod(self, period: float) -> None:
        """Change the seconds between due times, counted from the last one.

        A negative period means its absolute value. 0 makes the next run, or the present one, the last. A task
        on demand becomes periodic at the end of its next run.

        Raises:
            TypeError: The period is not a number.
            ValueError: The period is infinite or not a number.
        """
        self._scheduler.modern.refuse_if_forked()
        self.plan.period = checked_period(period)
        registration, schedule = self.registration, self._schedule
        if registration is None or schedule is None:
            return
        seconds = float(self.plan.period)
        registration.at_end = None
        if isinstance(schedule, OnDemand):
            if seconds:
                registration.at_end = lambda: registration.reschedule(Every(seconds))
        elif seconds and isinstance(schedule, Every):
            if registration.handle is not None:
                registration.handle.set_period(seconds)
        elif seconds:
            registration.reschedule(Every(seconds, float(self.startTime())))
        elif self._running_handle() is not None:
            registration.at_end = self.unregister
        else:
            registration.reschedule(Once(float(self.startTime())))

    def startTime(self, newTime: float | None = None) -> float:
        """Return the next due time, or while the task runs, that of its run; in epoch seconds.

        Args:
            newTime: The next due time to set. A periodic task continues from there.

        Raises:
            TypeError: The time is not a number.
            ValueError: The time is infinite or not a number.
        """
        if newTime:
            self._scheduler.modern.refuse_if_forked()
            self.plan.due = checked_time(newTime, "newTime")
            self._move(float(newTime))
        elif self._running_handle() is None and self._schedule is not None and self.modern is not None:
            upcoming = self.modern.next_run
            if upcoming is not None and abs(upcoming - self.plan.due) > _SAME_TIME_SECONDS:
                return upcoming
        return self.plan.due

    def _move(self, start: float) -> None:
        registration, schedule = self.registration, self._schedule
        if registration is None or schedule is None:
            return
        period = self._period_of(schedule)
        is_idle = self._running_handle() is None
        is_ahead = start > self._scheduler.wall_clock()
        if isinstance(schedule, OnDemand):
            if not is_idle and is_ahead:
                registration.reschedule(Once(start))
        elif schedule.repeats and not period:
            pass  # daily and cron tasks have their times from the calendar
        elif is_idle and not is_ahead:
            self.plan.period = period
            self._scheduler.scheduleTask(self)  # only a task that is registered again is due at once
        elif schedule.repeats:
            registration.reschedule(Every(float(period), start))
        elif is_ahead:
            registration.reschedule(Once(start))

    # Internals

    @property
    def _schedule(self) -> Schedule | None:
        return None if self.registration is None else self.registration.schedule

    def _period_of(self, schedule: Schedule | None) -> float:
        if isinstance(schedule, Every) and schedule.period != self.plan.period:
            return schedule.period
        if isinstance(schedule, Daily):
            return DAY_SECONDS
        is_calendar = schedule is not None and schedule.repeats and not isinstance(schedule, Every)
        return 0 if is_calendar else self.plan.period

    def _running_handle(self) -> ModernHandler | None:
        """Return the modern handle of the active run, which may be that of an earlier registration."""
        run = self._scheduler.running_handle(self._name)
        if run is None:
            return None
        if isinstance(run.task, WrappedTask):
            return run if run.task.handler is self else None
        return run if run is self.modern else None
