"""Who runs, who waits and who is on demand, by name; and the way between old and modern handles."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any

from taskkit.errors import SchedulerStoppedError
from taskkit.handler import TaskHandler as ModernHandler
from taskkit.scheduler import Scheduler as ModernScheduler
from taskkit.schedules import OnDemand, Schedule
from taskkit.webware.names import text_of
from taskkit.webware.plan import Plan
from taskkit.webware.registration import Foreign, Registration, schedulers
from taskkit.webware.views import HandlerView

if TYPE_CHECKING:
    from taskkit.webware.handler import TaskHandler

_NO_NAME: Any = object()

_logger = logging.getLogger("taskkit")


class Listing:
    """The three lists of the scheduler. They are those of the modern one, seen with old eyes.

    Args:
        modern: The scheduler that does the work.
        wall_clock: Its time, in epoch seconds.
    """

    def __init__(self, modern: ModernScheduler, wall_clock: Callable[[], float]) -> None:
        self.modern = modern
        """The scheduler that does the work. Start and stop it by way of this one."""
        self.wall_clock = wall_clock
        """Its time, in epoch seconds."""
        self._scheduled = HandlerView(modern.scheduled, self.handler_of, text_of)
        self._running = HandlerView(modern.running, self.handler_of, text_of)
        self._onDemand = HandlerView(modern.on_demand, self.handler_of, text_of)
        # One at a time: of two threads that add under one name at once, the last one's is what is registered.
        self._entering = RLock()
        schedulers.add(self)

    def runningTasks(self) -> HandlerView:
        """The handles with a run that goes on, by name: live, read-only."""
        return self._running

    def running(self, name: Any = _NO_NAME, default: Any = None) -> Any:
        """The handle of that name if it runs, else `default`; without a name all of them."""
        return self._running if name is _NO_NAME else self._running.get(name, default)

    def hasRunning(self, name: Any) -> bool:
        """Whether a task of that name runs."""
        return name in self._running

    def setRunning(self, handle: TaskHandler) -> None:
        """Does nothing. In 2001 the scheduler noted here what it had started."""

    def delRunning(self, name: Any) -> TaskHandler | None:
        """Let a running task be gone after its run. Returns its handle, or `None` if it does not run."""
        return self._let_go(self.running(name))

    def scheduledTasks(self) -> HandlerView:
        """The handles that wait for their time, by name: live, read-only."""
        return self._scheduled

    def scheduled(self, name: Any = _NO_NAME, default: Any = None) -> Any:
        """The handle of that name if it waits for its time, else `default`; without a name all of them."""
        return self._scheduled if name is _NO_NAME else self._scheduled.get(name, default)

    def hasScheduled(self, name: Any) -> bool:
        """Whether a task of that name waits for its time."""
        return name in self._scheduled

    def setScheduled(self, handle: TaskHandler) -> None:
        """Schedule what the handle says."""
        self._enter(handle, handle.plan.schedule)

    def delScheduled(self, name: Any) -> TaskHandler | None:
        """Let a waiting task be gone. Returns its handle, or `None` if it does not wait."""
        return self._let_go(self.scheduled(name))

    def onDemandTasks(self) -> HandlerView:
        """The handles that wait for somebody to ask, by name: live, read-only."""
        return self._onDemand

    def onDemand(self, name: Any = _NO_NAME, default: Any = None) -> Any:
        """The handle of that name if it waits for somebody to ask, else `default`; without a name all."""
        return self._onDemand if name is _NO_NAME else self._onDemand.get(name, default)

    def hasOnDemand(self, name: Any) -> bool:
        """Whether a task of that name waits for somebody to ask."""
        return name in self._onDemand

    def setOnDemand(self, handle: TaskHandler) -> None:
        """Keep the handle's task for somebody to ask."""
        self._enter(handle, OnDemand())

    def delOnDemand(self, name: Any) -> TaskHandler | None:
        """Let a task on demand be gone. Returns its handle, or `None` if there is none."""
        return self._let_go(self.onDemand(name))

    def runTask(self, handle: TaskHandler) -> None:
        """Start a task now. Each run that is due comes by here too, on its own thread."""
        handle.runTask()

    # Between old and modern

    def handler_of(self, handle: ModernHandler) -> TaskHandler:
        """The old handle of a modern one; a new one for what was registered by way of `modern`."""
        if isinstance(handle.task, Registration):
            return handle.task.handler
        due = self.wall_clock() if handle.next_run is None else handle.next_run
        adopted = self._handler(due, handle.period or 0, Foreign(handle.task), handle.name)
        adopted.registration = Registration(adopted, self.modern, self.runTask)
        adopted.registration.handle = handle
        return adopted

    def running_handle(self, name: Any) -> ModernHandler | None:
        """The modern handle that runs under that name."""
        return self.modern.running.get(text_of(name))

    def _handler(self, start: float, period: float, task: object, name: Any) -> TaskHandler:
        raise NotImplementedError

    def _planned(self, start: float, period: float, task: object, name: Any) -> TaskHandler:
        """The handle of that name, with another plan; a new one if there is none."""
        known = self.modern.handle(text_of(name))
        handle = None if known is None else self.handler_of(known)
        if handle is None or handle.registration is None or handle.registration.is_over:
            return self._handler(start, period, task, name)
        handle.plan = Plan(start, period, task, suspended=handle.is_disabled)
        return handle

    def _enter(
        self,
        handle: TaskHandler,
        schedule: Schedule,
        at_begin: Callable[[Registration], object] | None = None,
    ) -> None:
        with self._entering:
            before = handle.registration
            suspended = handle.plan.suspended
            registration = Registration(handle, self.modern, self.runTask, at_begin)
            handle.registration = registration
            try:
                # On demand at first if it is suspended, so that what is due now does not begin.
                first = OnDemand() if suspended else schedule
                registration.handle = self.modern.add_task(first, registration, text_of(handle.name()))
            except SchedulerStoppedError:
                handle.registration = before
                _logger.warning("%s was added to a stopped scheduler, and will not run", handle.name())
                return
            if suspended:
                registration.handle.disable()
                registration.reschedule(schedule)

    def _let_go(self, handle: TaskHandler | None) -> TaskHandler | None:
        if handle is None or handle.registration is None or not handle.registration.let_go():
            return None
        return handle
