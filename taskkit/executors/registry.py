"""The executors of one scheduler by name, and the choice of one for each task.

A task's own `executor=` is asked first, then that of the scheduler. Without either, an async task runs on the
loop that the scheduler was entered on by `async with`, and everything else on a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Final

from taskkit.engine.registration import ON_THREADS, THREAD, Placement
from taskkit.engine.summaries import body_in_words
from taskkit.errors import NoLoopError, UnknownExecutorError
from taskkit.executor import Body, Executor
from taskkit.task import Task

if TYPE_CHECKING:
    from taskkit.engine.bodies import Bodies
    from taskkit.engine.core import Core
    from taskkit.engine.registration import Registration
    from taskkit.spec import Recipe

LOOP: Final = "loop"


def _process() -> Executor:
    from taskkit.executors.process import ProcessExecutor  # most programs have none, and start faster

    return ProcessExecutor()


_BUILT_IN: Final[Mapping[str, Callable[[], Executor]]] = {"process": _process}
"""The executors that are made when they are first named."""


class PendingLoop(Executor):
    """Placeholder for the event loop of a scheduler that has none yet, because it was not entered."""

    waits_for = "the event loop"

    def check(self, task: object) -> None:
        """Refuse what is not async.

        Raises:
            TypeError: It is not.
        """
        check_async(task)

    def start(self, body: Body) -> None:
        """Refuse to start.

        Raises:
            NoLoopError: Always.
        """
        raise NoLoopError(body.run.name)


class AbsentExecutor(Executor):
    """Placeholder for an executor of a stored task that the program does not have: its runs wait.

    Args:
        name: The name of the executor.
    """

    trouble = "which this program does not have"

    def __init__(self, name: str) -> None:
        self.waits_for = f"the executor {name!r}"

    def start(self, body: Body) -> None:
        """Do nothing: the run waits until it is stopped."""


class ExecutorRegistry:
    """The executors of one scheduler by name. Thread-safe, as far as the scheduler calls it.

    Args:
        bodies: Takes each executor into use.
        default: The scheduler's `executor=`.
        given: The scheduler's `executors=`.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: A name is unknown, empty, or built in; or an executor refuses the scheduler.
    """

    def __init__(
        self, bodies: Bodies, default: str | Executor | None, given: Mapping[str, Executor] | None
    ) -> None:
        self._bodies = bodies
        self._named: dict[str, Executor] = {}
        self._pending = PendingLoop()
        self._loop: Executor | None = None  # of `async with`
        for name, executor in _checked(given).items():
            self._add(name, executor)
        self._default = default
        if default is not None:
            self.find(default)

    @property
    def names(self) -> list[str]:
        """The names that `executor=` can have."""
        return sorted({THREAD, LOOP, *_BUILT_IN, *self._named})

    def use_loop(self, loop: Executor, core: Core) -> None:
        """Run async tasks on `loop` from now on, unless they or the scheduler have another executor."""
        self._bodies.attach(loop)
        self._loop = loop
        self._named.setdefault(LOOP, loop)
        self._choose_anew(core)

    def set(self, name: str, executor: Executor, core: Core) -> None:
        """Add an executor, or replace the one of that name.

        Raises:
            TypeError: An argument is of the wrong type, or a task cannot run there.
            ValueError: The name is empty or `thread`; the executor refuses the scheduler, or one of its
                tasks.
        """
        before = self._named.get(name)
        self._add(name, _checked({name: executor})[name])
        try:
            self._choose_anew(core)
        except BaseException:
            del self._named[name]
            if before is not None:
                self._named[name] = before
            raise

    def _choose_anew(self, core: Core) -> None:
        """Choose the executor of each task again, for its next runs."""
        with core.lock:
            entries = list(core.ledger.entries.values())
        chosen = [(entry, self._place_again(entry)) for entry in entries]
        with core.lock:
            for entry, placement in chosen:
                entry.placement = placement

    def _place_again(self, entry: Registration) -> Placement:
        placement = entry.placement
        return self.place(placement.given, entry.task, placement.recipe, restored=_is_absent(entry))

    def check(self, given: str | Executor | None, task: object, recipe: Recipe | None) -> Executor | None:
        """Return the executor that `choose` would return, and raise what it would raise."""
        if isinstance(given, Executor):
            _check(given, task, recipe)
            return given
        return self.choose(given, task, recipe)[1]

    def check_loop(self, tasks: Iterable[tuple[str, Executor | None]]) -> None:
        """Refuse tasks that need a loop while there is none.

        Args:
            tasks: Names of tasks, and their executors.

        Raises:
            NoLoopError: There is such a task.
        """
        for name, executor in tasks:
            if executor is self._pending:
                raise NoLoopError(name)

    def place(
        self,
        given: str | Executor | None,
        task: object,
        recipe: Recipe | None = None,
        *,
        restored: bool = False,
    ) -> Placement:
        """Return where a task runs; see `choose`."""
        name, executor = self.choose(given, task, recipe, restored=restored)
        if executor is None and given is None and recipe is None:
            return ON_THREADS
        return Placement(name, executor, given, recipe)

    def choose(
        self,
        given: str | Executor | None,
        task: object,
        recipe: Recipe | None = None,
        *,
        restored: bool = False,
    ) -> tuple[str, Executor | None]:
        """Return the executor for a task, and its name; `None` stands for the scheduler's own threads.

        Args:
            given: The task's `executor=`.
            task: The task.
            recipe: The recipe that it was made from, if there is one.
            restored: True for a stored task: if the program does not have its executor, its runs wait.

        Raises:
            TypeError: `given` is neither a name nor an `Executor`; or the task cannot run there.
            ValueError: The name is unknown, or the task cannot run there.
        """
        chosen = self._default if given is None else given
        if chosen is None:
            return (LOOP, self._loop) if self._loop is not None and is_async(task) else (THREAD, None)
        try:
            name, executor = self.find(chosen)
        except UnknownExecutorError as error:
            if not restored:
                raise
            return error.name, AbsentExecutor(error.name)
        if restored and executor is self._pending:
            return LOOP, AbsentExecutor(LOOP)
        if executor is not None:
            _check(executor, task, recipe)
        return name, executor

    def find(self, given: str | Executor) -> tuple[str, Executor | None]:
        """Return an executor by its name, or by itself, and its name.

        Raises:
            TypeError: `given` is neither a name nor an `Executor`.
            UnknownExecutorError: There is none of that name.
        """
        if isinstance(given, Executor):
            return self._name_of(given), given
        if not isinstance(given, str):
            raise TypeError(f"executor must be a name or a taskkit.Executor, not {given!r}{_perhaps(given)}")
        if given == THREAD:
            return THREAD, None
        if (known := self._named.get(given)) is not None:
            return given, known
        if given == LOOP:
            return LOOP, self._pending
        if given not in _BUILT_IN:
            raise UnknownExecutorError(given, self.names, get_close_matches(given, self.names, 1))
        return given, self._add(given, _BUILT_IN[given]())

    def _add(self, name: str, executor: Executor) -> Executor:
        self._bodies.attach(executor)
        self._named[name] = executor
        return executor

    def _name_of(self, given: Executor) -> str:
        for name, executor in self._named.items():
            if executor is given:
                return name
        name = type(given).__name__
        number = 2
        while name in self._named:
            name = f"{type(given).__name__} {number}"
            number += 1
        self._add(name, given)
        return name


def _check(executor: Executor, task: object, recipe: Recipe | None) -> None:
    if recipe is None:
        executor.check(task)
    else:
        executor.check_recipe(recipe, task)


def _is_absent(entry: Registration) -> bool:
    return isinstance(entry.executor, AbsentExecutor)


def is_async(task: object) -> bool:
    """True if a call of the task returns a coroutine, as far as `inspect` sees it.

    Coroutine functions, their partials and methods, objects with `async __call__`, and tasks with
    `async run`.
    """
    try:
        function = task.run if isinstance(task, Task) else task
        while isinstance(function, partial):
            function = function.func
        return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)
    except Exception:  # noqa: BLE001 - an attribute of a task may be a property that raises
        return False


def check_async(task: object) -> None:
    """Refuse a task that is not async.

    Raises:
        TypeError: It is not.
    """
    if not is_async(task):
        raise TypeError(
            f"executor 'loop' runs async tasks only, and {body_in_words(task)} is none: make it `async`, or"
            " give it executor='thread'"
        )


def _checked(given: Mapping[str, Executor] | None) -> Mapping[str, Executor]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"executors must be a mapping of names to executors, not {given!r}")
    for name, executor in given.items():
        if not isinstance(name, str):
            raise TypeError(f"executors must have strings as names, not {name!r}")
        if not name or not name.isprintable():
            raise ValueError(f"executors must have names of printable characters, not {name!r}")
        if name == THREAD:
            raise ValueError(
                "executors must not have the name 'thread', which means a thread of the scheduler: choose"
                " another name, or pass threads="
            )
        if not isinstance(executor, Executor):
            raise TypeError(
                f"executors[{name!r}] must be a taskkit.Executor, not {executor!r}{_perhaps(executor)}"
            )
    return given


def _perhaps(given: object) -> str:
    if isinstance(given, type):
        return "; did you forget the parentheses?" if issubclass(given, Executor) else ""
    return "; threads of your own are passed as threads=" if hasattr(given, "submit") else ""
