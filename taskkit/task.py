"""What to do: `Task` to subclass, and the wrapping of plain callables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import sleep as _sleep
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

from taskkit.run import NO_PARAMETERS, Run, current, current_run

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler


T = TypeVar("T")


class OfTheRun(Generic[T]):
    """A property of a task that a subclass may cover with an attribute of its own."""

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
        # There is none, and this is what lets an attribute of that name be set.
        def __set__(self, task: object, value: T) -> None: ...


class Task:
    """Something to do, now and again. Override `run()`, plain or `async`; it knows nothing of time.

    An `async` one runs on a loop of its own. What is bound to the loop of the application, as a pool of
    connections is, does not work in it: a plain `run()` hands a coroutine over to that loop and waits for
    it, by `asyncio.run_coroutine_threadsafe(work(), loop).result()`.

    What belongs to one run — whether it may proceed, its parameters, its progress — is found by way of
    the current run, so that one instance may be registered under several names. Called outside any run,
    in a test for example, a task may always proceed and its `sleep` really sleeps. A subclass that has a
    `name`, a `handle` or `parameters` of its own finds those, and what belongs to the run on `current_run()`.
    """

    run_parameters: ClassVar[Mapping[str, object] | None] = None
    """What a single run can be given: name → type or default; `None` for what the constructor takes. Forms
    ask for it, and of what a run is not given, as when its schedule starts it, it finds the defaults."""

    def run(self) -> object:
        """Do it. What it returns is kept, shortened, in the outcome."""
        raise NotImplementedError(f"{type(self).__name__} must override run()")

    @OfTheRun
    def handle(self) -> TaskHandler:
        """The handle that this run belongs to.

        Raises:
            NoCurrentRunError: There is no run.
        """
        return current_run().handle

    @OfTheRun
    def name(self) -> str:
        """The name this run's task is registered under; outside any run, that of the class."""
        run = current.get()
        return type(self).__name__ if run is None else run.name

    @OfTheRun
    def parameters(self) -> Mapping[str, object]:
        """What this run was given, and of the rest of its `run_parameters` the defaults."""
        run = current.get()
        return NO_PARAMETERS if run is None else run.parameters

    def proceed(self) -> bool:
        """Whether this task may go on; long tasks ask often and return when it is false."""
        run = current.get()
        return run is None or run.proceed()

    def sleep(self, seconds: float) -> bool:
        """Wait for `seconds`, or until asked to stop. Returns whether the task may go on.

        An `async` task awaits `asyncio.sleep` instead, which does not block its loop; a stop cancels it. It
        knows nothing of the scheduler's clock: under a manual one it really sleeps.
        """
        run = current.get()
        if run is None:
            _sleep(max(0.0, seconds))
            return True
        return run.sleep(seconds)

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the task has come, in whatever unit it counts."""
        run: Run | None = current.get()
        if run is not None:
            run.progress(done, total, message)


TaskLike = Task | Callable[[], object] | Callable[[], Awaitable[object]]
"""What can be registered: a `Task`, or anything that can be called without arguments."""


def check_task(task: object) -> None:
    """See that `task` can be run.

    Raises:
        TypeError: It cannot, or it is the class of a task instead of an instance.
    """
    if isinstance(task, type):
        raise TypeError(f"task must be an instance, not the class {task.__name__}; write {task.__name__}(…)")
    if not isinstance(task, Task) and not callable(task):
        called = "; register the function itself, without calling it" if isinstance(task, Awaitable) else ""
        raise TypeError(f"task must be a Task or a callable, not {task!r}{called}")
