"""A grip on one task in the old spelling: what attributes tell in `taskkit`, methods tell here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from taskkit.run import current
from taskkit.schedules import Daily, Every, Once, OnDemand, Schedule
from taskkit.webware.plan import DAY, Plan, checked_period, checked_time
from taskkit.webware.registration import Registration, registration_of

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler as ModernHandler
    from taskkit.webware.closing import CloseEvent
    from taskkit.webware.scheduler import Scheduler

_SAME_TIME: Final = 0.001
"""Seconds by which a due time may be off that comes back from the clock that only goes forward."""


class TaskHandler:
    """Everything about one task but what it does. Thread-safe.

    The scheduler makes one for each name. It lives on when something else is added under that name, and
    speaks for the new registration then.

    Args:
        scheduler: Where it belongs to.
        start: When it is first due, in epoch seconds.
        period: Seconds between due times, 0 for once; of a negative one the absolute value counts.
        task: A task.
        name: Anything hashable.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: A number is infinite or not a number.
    """

    def __init__(self, scheduler: Scheduler, start: float, period: float, task: object, name: Any) -> None:
        self._scheduler = scheduler
        self._name = name
        self.plan = Plan(start, period, task)
        """What was asked for."""
        self.registration: Registration | None = None
        """What the modern scheduler runs for it; `None` until it is scheduled."""

    def __repr__(self) -> str:
        return f"<TaskKit handle of {self._name!r}>"

    # Scheduling

    def reset(self, start: float, period: float, task: object, reRegister: object) -> None:
        """Give it another time, period and task; with `reRegister` false it is gone after its next run."""
        self.plan = Plan(start, period, task, suspended=self.plan.suspended)
        if self._schedule is not None:
            self._scheduler.scheduleTask(self)
        if not reRegister and self.registration is not None:
            self.registration.at_end = self.unregister

    def runTask(self) -> None:
        """Start it now on a thread of its own, unless it is disabled. Inside its run: call the task."""
        begun = registration_of(current.get())
        if begun is not None and begun.handler is self and begun.perform():
            return
        if self.registration is not None:
            self.registration.start()

    def reschedule(self) -> bool:
        """Whether it is due again after its run. It only tells: the scheduler counts the due times."""
        schedule = self._schedule
        return schedule is not None and schedule.repeats

    def notifyCompletion(self) -> None:
        """Called at the end of each run that raised nothing."""
        self._scheduler.notifyCompletion(self)

    def notifyFailure(self) -> None:
        """Called at the end of each run that raised, inside the `except` block."""
        self._scheduler.notifyFailure(self)

    # Looking

    @property
    def modern(self) -> ModernHandler | None:
        """The handle of the modern scheduler; `None` until it is scheduled."""
        return None if self.registration is None else self.registration.handle

    def name(self) -> Any:
        """The name that it was added under, as it was given."""
        return self._name

    def isRunning(self) -> bool:
        """Whether a run goes on that nobody asked to stop."""
        return self._isRunning

    @property
    def _isRunning(self) -> bool:
        run = self._running_handle()
        return run is not None and not run.stopping

    @property
    def is_disabled(self) -> bool:
        """Whether it is disabled, by whatever way."""
        modern = self.modern
        return self.plan.suspended if modern is None or self._schedule is None else modern.disabled

    # Old programs read these two, for want of a method.

    @property
    def _task(self) -> object:
        return self.plan.task

    @property
    def _suspend(self) -> bool:
        return self.is_disabled

    def runAgain(self) -> bool:
        """Whether it runs once more after its present run."""
        modern = self.modern
        return modern is not None and modern.run_again

    def isOnDemand(self) -> bool:
        """Whether it is kept for somebody to ask, instead of falling due again and again."""
        schedule = self._schedule
        if schedule is None:
            return self.plan.on_demand
        return isinstance(schedule, OnDemand) or (self.plan.on_demand and not schedule.repeats)

    def period(self) -> float:
        """Seconds between due times; 0 for a task that is due once or on demand, 86,400 for a daily one."""
        return self._period_of(self._schedule)

    def closeEvent(self) -> CloseEvent:
        """The event of TaskKit 0.5 that is set when the scheduler stops."""
        return self._scheduler.closeEvent()

    # Commanding

    def setOnDemand(self, onDemand: object = True) -> None:
        """Say whether it is kept for somebody to ask when it is due no more."""
        self.plan.on_demand = bool(onDemand)
        if self.registration is not None and isinstance(self._schedule, OnDemand):
            self.registration.at_end = None if onDemand else self.unregister

    def runOnCompletion(self) -> None:
        """Have it run once more after its present run. Does nothing without one, or while it is disabled."""
        modern = self.modern
        if modern is not None and not modern.disabled and self._running_handle() is not None:
            modern.demand()

    def unregister(self) -> None:
        """Let it be gone: now, or after its present run."""
        if self.registration is not None:
            self.registration.let_go()

    def disable(self) -> None:
        """Let no run begin until it is enabled. One that goes on is left alone."""
        self.plan.suspended = True
        if self.modern is not None:
            self.modern.disable()

    def enable(self) -> None:
        """Let it run again, on its original grid; what was due meanwhile is skipped."""
        self.plan.suspended = False
        if self.modern is not None:
            self.modern.enable()

    def stop(self) -> None:
        """Ask its run to stop: `proceed()` is false from now on."""
        run = self._running_handle()
        if run is not None:
            run.stop()

    def setPeriod(self, period: float) -> None:
        """Change the seconds between due times, from the last one on.

        Of a negative period the absolute value counts; 0 means that the next run, or the present one, is the
        last. A task on demand becomes periodic with the end of its next run.

        Raises:
            TypeError: The period is not a number.
            ValueError: It is infinite or not a number.
        """
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
        """When it is next due, or while it runs, when that run was; in epoch seconds.

        Args:
            newTime: When it is to be due next instead. A periodic task goes on from there.

        Raises:
            TypeError: It is not a number.
            ValueError: It is infinite or not a number.
        """
        if newTime:
            self.plan.due = checked_time(newTime, "newTime")
            self._move(float(newTime))
        elif self._running_handle() is None and self._schedule is not None and self.modern is not None:
            upcoming = self.modern.next_run
            if upcoming is not None and abs(upcoming - self.plan.due) > _SAME_TIME:
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
            pass  # a calendar says when
        elif is_idle and not is_ahead:
            self.plan.period = period
            self._scheduler.scheduleTask(self)  # only what is registered anew is due at once
        elif schedule.repeats:
            registration.reschedule(Every(float(period), start))
        elif is_ahead:
            registration.reschedule(Once(start))

    # Beneath

    @property
    def _schedule(self) -> Schedule | None:
        return None if self.registration is None else self.registration.schedule

    def _period_of(self, schedule: Schedule | None) -> float:
        if isinstance(schedule, Every) and schedule.period != self.plan.period:
            return schedule.period
        if isinstance(schedule, Daily):
            return DAY
        is_calendar = schedule is not None and schedule.repeats and not isinstance(schedule, Every)
        return 0 if is_calendar else self.plan.period

    def _running_handle(self) -> ModernHandler | None:
        """The modern handle with its run, which may be one of the registration before."""
        run = self._scheduler.running_handle(self._name)
        if run is None:
            return None
        if isinstance(run.task, Registration):
            return run if run.task.handler is self else None
        return run if run is self.modern else None
