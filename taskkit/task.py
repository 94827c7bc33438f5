"""`Task`, the class to subclass, and the check of what can be registered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import sleep as _sleep
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

from taskkit.run import NO_PARAMETERS, Run, current, current_run

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler


T = TypeVar("T")


class OfTheRun(Generic[T]):
    """A property of the current run that a subclass may replace with an attribute of its own."""

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read = read
        self.__doc__ = read.__doc__

    @overload
    def __get__(self, task: None, owner: type) -> Self: ...

    @overload
    def __get__(self, task: object, owner: type) -> T: ...

    def __get__(self, task: object, owner: type) -> T | Self:
        return self if task is None else self._read(task)

    if TYPE_CHECKING:
        # Does not exist at run time: it lets a subclass set an attribute of that name.
        def __set__(self, task: object, value: T) -> None: ...


class Task:
    """Work to do, one time or many. Override `run()`, plain or `async`.

    A task knows nothing of time: the schedule does. One instance may be registered under several names,
    because `name`, `parameters`, `proceed()` and the rest belong to the current run, not to the instance. A
    subclass may have attributes of these names; the run's are then on `current_run()`.

    Outside any run, in a test for example, `proceed()` is always true and `sleep()` really sleeps.

    With `async with Scheduler()`, an `async` task runs on that loop, where connection pools of
    that loop work. Otherwise it has a thread and a loop of its own.
    """

    run_parameters: ClassVar[Mapping[str, object] | None] = None
    """The parameters of a run: name → type or default; `None` for those of the constructor. Forms ask for
    them. A run that is not given a parameter, as when its schedule starts it, finds the default."""

    def run(self) -> object:
        """Do the work. The outcome has the returned value, shortened."""
        raise NotImplementedError(f"{type(self).__name__} must override run()")

    @OfTheRun
    def handle(self) -> TaskHandler:
        """The handle of the present run.

        Raises:
            NoCurrentRunError: The call belongs to no run.
        """
        return current_run().handle

    @OfTheRun
    def name(self) -> str:
        """The name that the task is registered under; outside any run, the name of the class."""
        run = current.get()
        return type(self).__name__ if run is None else run.name

    @OfTheRun
    def parameters(self) -> Mapping[str, object]:
        """The parameters of the present run, with the defaults of its `run_parameters`."""
        run = current.get()
        return NO_PARAMETERS if run is None else run.parameters

    def proceed(self) -> bool:
        """True if the run may continue. Long tasks ask often, and return when it is false."""
        run = current.get()
        return run is None or run.proceed()

    def sleep(self, seconds: float) -> bool:
        """Wait for `seconds`, or until asked to stop. Return True if the run may continue.

        An `async` task awaits `asyncio.sleep` instead, which does not block its loop; a stop cancels it.
        `asyncio.sleep` does not follow the scheduler's clock: under a manual clock it really sleeps.

        Raises:
            RuntimeError: It is called on the event loop of the program, which this would block.
        """
        run = current.get()
        if run is None:
            _sleep(max(0.0, seconds))
            return True
        return run.sleep(seconds)

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Report how far the run has come, in any unit."""
        run: Run | None = current.get()
        if run is not None:
            run.progress(done, total, message)


TaskLike = Task | Callable[[], object] | Callable[[], Awaitable[object]]
"""A `Task`, or anything that can be called without arguments."""


def check_task(task: object) -> None:
    """Raise unless `task` can be run.

    Raises:
        TypeError: It cannot be called, or it is a class instead of an instance.
    """
    if isinstance(task, type):
        raise TypeError(f"task must be an instance, not the class {task.__name__}; write {task.__name__}(…)")
    if not isinstance(task, Task) and not callable(task):
        called = "; register the function itself, without calling it" if isinstance(task, Awaitable) else ""
        raise TypeError(f"task must be a Task or a callable, not {task!r}{called}")
