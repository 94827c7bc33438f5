"""What the modern scheduler runs for an old task, and the way back from its runs to old handles."""

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
"""All there are, to find the one that a run belongs to which the modern scheduler began by itself."""


class Registration:
    """One registration of an old task: as the modern scheduler sees it, something to call.

    An old handle lives on when its name is added again, a modern one does not; so an old one goes from one
    of these to the next.

    Args:
        handler: The old handle.
        modern: Where it is registered.
        begin: What begins a run of `handler` in the old manner: `Scheduler.runTask`.
        at_begin: What to do first when its next run begins.
    """

    def __init__(
        self,
        handler: TaskHandler,
        modern: ModernScheduler,
        begin: Callable[[TaskHandler], object],
        at_begin: Callable[[Registration], object] | None = None,
    ) -> None:
        self.handler = handler
        self.task: Any = handler.plan.task
        self.handle: ModernHandler | None = None
        """The modern handle; `None` until it is registered."""
        self.at_end: Callable[[], object] | None = None
        """Done once, at the end of its next run."""
        self.is_over = False
        """Whether somebody let it be gone."""
        self._modern = modern
        self._begin = begin
        self._at_begin = at_begin
        self._begun: Run | None = None
        self._is_passed = False  # whether the run to come has been by `begin` already
        self._result: object = None

    def __repr__(self) -> str:
        return repr(self.task)

    @property
    def run_parameters(self) -> Mapping[str, object]:
        """Nothing: an old task is given what it needs when it is made."""
        return NO_PARAMETERS

    @property
    def schedule(self) -> Schedule | None:
        """When it falls due; `None` if it is registered no more, or not yet."""
        handle = self.handle
        return handle.schedule if handle is not None and self._is_present(handle) else None

    def reschedule(self, schedule: Schedule) -> None:
        """Give it another schedule, unless its name has a successor by now."""
        if self.handle is not None:
            self.handle.reschedule(schedule)

    def let_go(self) -> bool:
        """Let it be gone: now, or after its present run. `False` if it is already."""
        self.is_over = True
        return self.handle is not None and self.handle.unregister()

    def _is_present(self, handle: ModernHandler) -> bool:
        return self._modern.handle(handle.name) is handle

    def __call__(self) -> object:
        """One run. It goes by way of the old methods, of which subclasses may have made something more."""
        run = current.get()
        assert run is not None
        self.handle = run.handle
        if run.trigger is Trigger.SCHEDULE and self.handler.registration is self:
            self.handler.plan.due = run.due
        self._begun, self._result = run, None
        at_begin, self._at_begin = self._at_begin, None
        is_passed, self._is_passed = self._is_passed, False
        try:
            if at_begin is not None:
                at_begin(self)
            if is_passed and run.trigger is Trigger.RUN_NOW:
                self.perform()
            else:
                self._begin(self.handler)
            return self._result
        finally:
            self._begun = self._result = None
            self._settle(run.handle)

    def _settle(self, handle: ModernHandler) -> None:
        at_end, self.at_end = self.at_end, None
        if at_end is not None:
            at_end()
        if self.handler.plan.on_demand and isinstance(self.schedule, Once) and handle.next_run is None:
            self.reschedule(OnDemand())

    def start(self) -> None:
        """Start a run now, unless it is disabled. Its run comes by `begin` no more."""
        handle = self.handle
        if handle is not None and not handle.disabled and handle.state is not TaskState.RUNNING:
            self._is_passed = True
            if not handle.run_now():
                self._is_passed = False

    def perform(self) -> bool:
        """Call the task if this is called in a run that has begun and not called it yet; else `False`."""
        if self._begun is None or self._begun is not current.get():
            return False
        self._begun = None
        self._result = self.task._run(self.handler)
        return True


def registration_of(run: Run | None) -> Registration | None:
    """The registration that a run belongs to, if that is one of an old task."""
    task = None if run is None else run.handle.task
    return task if isinstance(task, Registration) else None


def handler_of(run: Run) -> TaskHandler | None:
    """The old handle of a run; `None` if no old scheduler knows of it."""
    registration = registration_of(run)
    if registration is not None:
        return registration.handler
    for scheduler in list(schedulers):
        if scheduler.modern.running.get(run.name) is run.handle:
            return scheduler.handler_of(run.handle)
    return None


class Foreign:
    """A task that was registered by way of the modern scheduler, for an old handle to hold."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def _run(self, _: TaskHandler) -> object:
        task = self._task
        return task.run() if isinstance(task, ModernTask) else task()
