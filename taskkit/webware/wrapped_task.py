"""Old tasks as the modern scheduler runs them, and the way from its runs back to old handles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from taskkit.outcome import Trigger
from taskkit.run import NO_PARAMETERS, Run, current
from taskkit.schedules import Once, OnDemand
from taskkit.snapshot import TaskState
from taskkit.task import Task as ModernTask

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler as ModernHandler
    from taskkit.scheduler import Scheduler as ModernScheduler
    from taskkit.schedules import Schedule
    from taskkit.webware.handler import TaskHandler
    from taskkit.webware.listing import Listing

schedulers: Final[WeakSet[Listing]] = WeakSet()
"""All old schedulers, to find the one that a run of a modern task belongs to."""


class WrappedTask:
    """One registration of an old task: for the modern scheduler, a callable.

    If a name is added again, the old handle stays, and the modern one is replaced. So an old handle passes
    from one of these to the next.

    A run passes through the old methods, because subclasses may override them:

    1. The modern scheduler calls this object on the run's thread.
    2. It calls `begin`, which is `Scheduler.runTask`; that calls `TaskHandler.runTask`.
    3. Inside a run, `TaskHandler.runTask` calls `perform`, and that calls the task.

    A run that was started with `start` has passed 2 already, on the caller's thread, and continues with 3.

    Args:
        handler: The old handle.
        modern: The scheduler that it is registered with.
        begin: Begins a run of `handler` in the old way: `Scheduler.runTask`.
        at_begin: Called once, when the next run begins.
    """

    def __init__(
        self,
        handler: TaskHandler,
        modern: ModernScheduler,
        begin: Callable[[TaskHandler], object],
        at_begin: Callable[[WrappedTask], object] | None = None,
    ) -> None:
        self.handler = handler
        self.task: Any = handler.plan.task
        self.handle: ModernHandler | None = None
        """The modern handle; `None` until it is registered."""
        self.at_end: Callable[[], object] | None = None
        """Called once, at the end of the next run."""
        self.is_removed = False
        """True if it was removed, or will be after its run."""
        self._modern = modern
        self._begin = begin
        self._at_begin = at_begin
        self._uncalled_run: Run | None = None
        self._began_in_old_way = False  # the next run has passed through `begin` already
        self._result: object = None

    def __repr__(self) -> str:
        return repr(self.task)

    @property
    def run_parameters(self) -> Mapping[str, object]:
        """Always empty: an old task takes its arguments in its constructor."""
        return NO_PARAMETERS

    @property
    def schedule(self) -> Schedule | None:
        """The schedule; `None` if the task is not registered, or not registered any more."""
        handle = self.handle
        return handle.schedule if handle is not None and self._is_present(handle) else None

    def reschedule(self, schedule: Schedule) -> None:
        """Change the schedule, unless the name belongs to another registration by now."""
        if self.handle is not None:
            self.handle.reschedule(schedule)

    def remove(self) -> bool:
        """Remove it: now, or after its present run. Returns `False` if it is gone already."""
        self.is_removed = True
        return self.handle is not None and self.handle.unregister()

    def _is_present(self, handle: ModernHandler) -> bool:
        return self._modern.handle(handle.name) is handle

    def __call__(self) -> object:
        """Do one run, through the old methods."""
        run = current.get()
        assert run is not None
        self.handle = run.handle
        if run.trigger is Trigger.SCHEDULE and self.handler.registration is self:
            self.handler.plan.due = run.due
        self._uncalled_run, self._result = run, None
        at_begin, self._at_begin = self._at_begin, None
        began_in_old_way, self._began_in_old_way = self._began_in_old_way, False
        try:
            if at_begin is not None:
                at_begin(self)
            if began_in_old_way and run.trigger is Trigger.RUN_NOW:
                self.perform()
            else:
                self._begin(self.handler)
            return self._result
        finally:
            self._uncalled_run = self._result = None
            self._after_run(run.handle)

    def _after_run(self, handle: ModernHandler) -> None:
        at_end, self.at_end = self.at_end, None
        if at_end is not None:
            at_end()
        if self.handler.plan.on_demand and isinstance(self.schedule, Once) and handle.next_run is None:
            self.reschedule(OnDemand())

    def start(self) -> None:
        """Start a run now, unless the task is disabled. That run does not pass through `begin` again."""
        handle = self.handle
        if handle is not None and not handle.disabled and handle.state is not TaskState.RUNNING:
            self._began_in_old_way = True
            if not handle.run_now():
                self._began_in_old_way = False

    def perform(self) -> bool:
        """Call the task. Returns `False` outside a run, or if its run has called the task already."""
        if self._uncalled_run is None or self._uncalled_run is not current.get():
            return False
        self._uncalled_run = None
        self._result = self.task._run(self.handler)
        return True


def registration_of(run: Run | None) -> WrappedTask | None:
    """Return the registration of an old task that a run belongs to; `None` for a modern task."""
    task = None if run is None else run.task
    return task if isinstance(task, WrappedTask) else None


def handler_of(run: Run) -> TaskHandler | None:
    """Return the old handle of a run; `None` if no old scheduler has it."""
    registration = registration_of(run)
    if registration is not None:
        return registration.handler
    for scheduler in list(schedulers):
        if scheduler.modern.running.get(run.name) is run.handle:
            return scheduler.handler_of(run.handle)
    return None


class AdoptedTask:
    """A modern task as the task of an old handle: it was registered with the modern scheduler."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def _run(self, _: TaskHandler) -> object:
        task = self._task
        return task.run() if isinstance(task, ModernTask) else task()
