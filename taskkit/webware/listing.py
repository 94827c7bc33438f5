"""The three lists of the old scheduler: running, scheduled, on demand; and old handles for modern ones."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any
from unicodedata import category

from taskkit.errors import SchedulerStoppedError
from taskkit.handler import TaskHandler as ModernHandler
from taskkit.process.forks import reset_in_child
from taskkit.scheduler import Scheduler as ModernScheduler
from taskkit.schedules import OnDemand, Schedule
from taskkit.webware.handler_view import HandlerView
from taskkit.webware.plan import Plan
from taskkit.webware.wrapped_task import AdoptedTask, WrappedTask, schedulers

if TYPE_CHECKING:
    from taskkit.webware.handler import TaskHandler

_NO_NAME: Any = object()

_logger = logging.getLogger("taskkit")


class Listing:
    """The three lists of the old scheduler: views of the lists of the modern one.

    Args:
        modern: The scheduler that does the work.
        wall_clock: Returns its time, in epoch seconds.
    """

    def __init__(self, modern: ModernScheduler, wall_clock: Callable[[], float]) -> None:
        self.modern = modern
        """The scheduler that does the work. Start and stop it through this one."""
        self.wall_clock = wall_clock
        """Returns its time, in epoch seconds."""
        self._scheduled = HandlerView(modern.scheduled, self.handler_of, text_of)
        self._running = HandlerView(modern.running, self.handler_of, text_of)
        self._onDemand = HandlerView(modern.on_demand, self.handler_of, text_of)
        # Tasks are added one at a time: if two threads use one name, handle and registration must match.
        self._adding = RLock()
        schedulers.add(self)
        reset_in_child(self, Listing._renew)

    def _renew(self) -> None:
        """Renew the lock in a forked child: another thread may have held it at the fork."""
        self._adding = RLock()

    def runningTasks(self) -> HandlerView:
        """Return the handles of running tasks by name, live and read-only."""
        return self._running

    def running(self, name: Any = _NO_NAME, default: Any = None) -> Any:
        """Return the handle of a running task, else `default`; without a name, all."""
        return self._running if name is _NO_NAME else self._running.get(name, default)

    def hasRunning(self, name: Any) -> bool:
        """True if a task of that name runs."""
        return name in self._running

    def setRunning(self, handle: TaskHandler) -> None:
        """Do nothing. In 2001 the scheduler noted here what it had started."""

    def delRunning(self, name: Any) -> TaskHandler | None:
        """Remove a running task after its run. Returns its handle, or `None` if it does not run."""
        return self._remove(self.running(name))

    def scheduledTasks(self) -> HandlerView:
        """Return the handles that wait for their time, by name, live and read-only."""
        return self._scheduled

    def scheduled(self, name: Any = _NO_NAME, default: Any = None) -> Any:
        """Return the handle of a task that waits for its time, else `default`; without a name, all."""
        return self._scheduled if name is _NO_NAME else self._scheduled.get(name, default)

    def hasScheduled(self, name: Any) -> bool:
        """True if a task of that name waits for its time."""
        return name in self._scheduled

    def setScheduled(self, handle: TaskHandler) -> None:
        """Schedule the handle's task at its times."""
        self._register(handle, handle.plan.schedule)

    def delScheduled(self, name: Any) -> TaskHandler | None:
        """Remove a waiting task. Returns its handle, or `None` if it does not wait."""
        return self._remove(self.scheduled(name))

    def onDemandTasks(self) -> HandlerView:
        """Return the handles that wait for a demand, by name, live and read-only."""
        return self._onDemand

    def onDemand(self, name: Any = _NO_NAME, default: Any = None) -> Any:
        """Return the handle of a task that waits for a demand, else `default`; without a name, all."""
        return self._onDemand if name is _NO_NAME else self._onDemand.get(name, default)

    def hasOnDemand(self, name: Any) -> bool:
        """True if a task of that name waits for a demand."""
        return name in self._onDemand

    def setOnDemand(self, handle: TaskHandler) -> None:
        """Register the handle's task on demand."""
        self._register(handle, OnDemand())

    def delOnDemand(self, name: Any) -> TaskHandler | None:
        """Remove a task on demand. Returns its handle, or `None` if there is none."""
        return self._remove(self.onDemand(name))

    def runTask(self, handle: TaskHandler) -> None:
        """Start a task now. Each due run passes through here too, on its own thread."""
        handle.runTask()

    # Between old and modern

    def handler_of(self, handle: ModernHandler) -> TaskHandler:
        """Return the old handle of a modern one. It is made here if the task was registered with `modern`."""
        if isinstance(handle.task, WrappedTask):
            return handle.task.handler
        due = self.wall_clock() if handle.next_run is None else handle.next_run
        adopted = self._handler(due, handle.period or 0, AdoptedTask(handle.task), handle.name)
        adopted.registration = WrappedTask(adopted, self.modern, self.runTask)
        adopted.registration.handle = handle
        return adopted

    def running_handle(self, name: Any) -> ModernHandler | None:
        """Return the modern handle of the active run of that name."""
        return self.modern.running.get(text_of(name))

    def _handler(self, start: float, period: float, task: object, name: Any) -> TaskHandler:
        raise NotImplementedError

    def _planned(self, start: float, period: float, task: object, name: Any) -> TaskHandler:
        """Return the handle of that name with a new plan; a new handle if there is none."""
        known = self.modern.handle(text_of(name))
        handle = None if known is None else self.handler_of(known)
        if handle is None or handle.registration is None or handle.registration.is_removed:
            return self._handler(start, period, task, name)
        handle.plan = Plan(start, period, task, suspended=handle.is_disabled)
        return handle

    def _register(
        self,
        handle: TaskHandler,
        schedule: Schedule,
        at_begin: Callable[[WrappedTask], object] | None = None,
    ) -> None:
        self.modern.refuse_if_forked()
        with self._adding:
            before = handle.registration
            suspended = handle.plan.suspended
            registration = WrappedTask(handle, self.modern, self.runTask, at_begin)
            handle.registration = registration
            try:
                # A suspended task is on demand at first, so that it does not start if it is due now.
                first = OnDemand() if suspended else schedule
                registration.handle = self.modern.add_task(first, registration, text_of(handle.name()))
            except SchedulerStoppedError:
                handle.registration = before
                _logger.warning("%s was added to a stopped scheduler, and will not run", handle.name())
                return
            if suspended:
                registration.handle.disable()
                registration.reschedule(schedule)

    def _remove(self, handle: TaskHandler | None) -> TaskHandler | None:
        self.modern.refuse_if_forked()
        if handle is None or handle.registration is None or not handle.registration.remove():
            return None
        return handle


def text_of(name: object) -> str:
    """Return the name under which the modern scheduler registers a task.

    That is the name itself if it is a printable text, else its `repr` and its type: here any hashable value
    can be a name.

    Raises:
        TypeError: The name is not hashable.
    """
    if isinstance(name, str) and name and _is_printable(name):
        return name
    try:
        hash(name)
    except TypeError:
        raise TypeError(f"name must be hashable, and {name!r} is not") from None
    text = f"{name!r} ({type(name).__name__})"
    return text if _is_printable(text) else text.encode("unicode_escape").decode("ascii")


def _is_printable(text: str) -> bool:
    return all(category(character) != "Cc" for character in text)
