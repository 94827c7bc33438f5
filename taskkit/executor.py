"""`Executor`, the base class for running tasks elsewhere than on threads, and the classes that it exchanges.

The scheduler keeps the handle, the schedule, the policies, the events, the overlap rule and the outcome. An
executor gets the `Body` of one run at a time, begins it somewhere, and ends it with a `BodyResult`. Runs on
threads need none of this: the scheduler calls their tasks itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from taskkit.clock import Clock
from taskkit.outcome import OutcomeKind
from taskkit.output_lines import OutputLine, ShownLine, Stream
from taskkit.run import Run, RunPlace

if TYPE_CHECKING:
    from taskkit.spec import Recipe


@dataclass(frozen=True, slots=True)
class BodyResult:
    """The end of a body, as plain data."""

    kind: OutcomeKind = OutcomeKind.SUCCEEDED
    """`SUCCEEDED`, `FAILED`, or `INTERRUPTED` if its end is unknown. A run that was asked to stop counts as
    stopped or timed out in any case (O3)."""
    result: object = None
    """Its returned value: a number, or a text of 200 characters at most."""
    exception: str | None = None
    """The exception in one line, as `ValueError: no such feed`, or what ended it: `killed by SIGKILL`."""
    traceback: str | None = None
    error: BaseException | None = None
    """The exception itself, if the body ran in this process; `on_error` finds it in `sys.exc_info()`."""

    @classmethod
    def of(cls, run: Run) -> BodyResult:
        """Return the result of a run that was performed in another process, where its run is a copy."""
        failed = run.exception is not None
        kind = OutcomeKind.FAILED if failed else OutcomeKind.SUCCEEDED
        return cls(kind, run.result, run.exception, run.traceback)


class BodyListener(Protocol):
    """The scheduler's side of a body. Any thread; called without a lock."""

    @property
    def captures(self) -> bool:
        """True if the output of runs is attributed to them."""

    def begin_body(self, run: Run) -> bool:
        """Note that the body begins now; False if the run was ended while it waited."""

    def end_body(self, run: Run, result: BodyResult) -> None:
        """Note how the body ended, and decide what follows."""

    def perform(self, run: Run) -> None:
        """Execute the run on this thread, from its start to its end."""

    def add_output(self, body: Body, lines: Iterable[OutputLine], dropped: int) -> None:
        """Record lines that the body wrote elsewhere."""


class Body(RunPlace):
    """The body of one run, as its executor gets it. Thread-safe.

    Call `begin` when it begins, and `end` once; or call `perform`, which does both. No method raises or
    waits, except `perform`.
    """

    __slots__ = ("_ends", "_listener", "executor", "recipe", "run", "shown")

    def __init__(
        self, run: Run, executor: Executor, listener: BodyListener, recipe: Recipe | None = None
    ) -> None:
        super().__init__()
        self.run = run
        self.executor = executor
        self.recipe = recipe
        """The recipe that the task was made from, if there is one: it can be made again elsewhere."""
        self.shown: dict[Stream, ShownLine] = {}
        """Its lines without an end yet. Only `add_output` uses it, one thread at a time."""
        self._listener = listener
        self._ends = [True]  # the call that takes it ends the body

    def __repr__(self) -> str:
        return f"<Body of {self.run!r}>"

    @property
    def waits_for(self) -> str:
        """The thing that the run waits for until it begins."""
        return self.executor.waits_for

    @property
    def captures(self) -> bool:
        """True if what the body prints is to be recorded; False for `Scheduler(capture=False)`."""
        return self._listener.captures

    def begin(self, where: str | None = None) -> bool:
        """Note that the body begins now: from here its timeout counts.

        Args:
            where: The place in words, as `process 4711`, for a person who looks at the run.

        Returns:
            False if it must not begin: the run was stopped, unregistered or dropped while it waited. Then
            there is nothing more to do.
        """
        self.where = where
        return self._listener.begin_body(self.run)

    def end(self, result: BodyResult) -> None:
        """Note how the body ended. Only the first call counts.

        A body that never began counts as begun now. If it failed, `on_error` is called on a thread of the
        scheduler, and the run ends after that.
        """
        try:
            self._ends.pop()
        except IndexError:
            return
        if self.run.started is not None or self.begin(self.where):
            self._listener.end_body(self.run, result)

    def perform(self) -> None:
        """Execute the body on this thread as a run on a thread is: context, output, outcome. Never raises."""
        self._listener.perform(self.run)

    def add_output(self, lines: Iterable[OutputLine], dropped: int = 0) -> None:
        r"""Record lines that the body wrote elsewhere.

        They are also written to this process's stream, unless a dashboard takes it.

        Args:
            lines: In order. A text that ends in `\r` is replaced by the next one of its stream.
            dropped: The number of lines before them that were lost.
        """
        self._listener.add_output(self, lines, dropped)


class Executor:
    """Runs the bodies of tasks somewhere: on an event loop, in processes, on other machines.

    Subclass it, override `start`, and pass an instance to `Scheduler(executors={"name": …})`; then
    `executor="name"` chooses it for a task. docs/executors.md has an example. It belongs to one scheduler,
    unless its documentation says otherwise. No method is called while the scheduler holds its lock.
    """

    waits_for: str = "its executor"
    """The thing that a run waits for until it begins, as `explain()` says it: `a process`."""

    trouble: str | None = None
    """A clause about `waits_for` for `explain()`, such as `which does not answer`; `None` without trouble."""

    def attach(self, clock: Clock) -> None:
        """Called once for each scheduler that will use this executor.

        Args:
            clock: The clock of that scheduler.

        Raises:
            ValueError: The executor cannot serve it.
        """

    def check(self, task: object) -> None:
        """Refuse a task that cannot run here. Called when it is registered.

        Raises:
            TypeError: It cannot run here; the message names the task, the reason and the remedy.
            ValueError: As before.
        """

    def check_recipe(self, recipe: Recipe, task: object) -> None:  # noqa: ARG002 - for those who override it
        """Refuse a task that was made from a recipe, as in a task file. By default as `check`.

        Raises:
            TypeError: It cannot run here.
            ValueError: As before.
        """
        self.check(task)

    def check_parameters(self, parameters: Mapping[str, object]) -> None:
        """Refuse parameters that cannot be passed to a run here. Called on the thread that commands the run.

        Raises:
            TypeError: One of them cannot be passed; the message names it.
        """

    def start(self, body: Body) -> None:
        """Begin `body` soon, and return at once. Any thread.

        If this raises, the run has failed with that exception.
        """
        raise NotImplementedError(f"{type(self).__name__} must override start()")

    def watch(self) -> float | None:
        """Look after the bodies, on the scheduler's own thread; it must not wait.

        Called soon after a `start`, if it is overridden, and then when it asks to be. A clock that a test
        moves by hand never calls it.

        Returns:
            Seconds until the next call; `None` if that is not needed before the next `start`.
        """
        return None

    def close(self) -> None:
        """End what is left, within a second. Called once for each scheduler, at the end of its `stop()`.

        All runs were asked to stop, and had time for it. End at once each body that can be ended, by `end`,
        before this returns; the others are abandoned. Nothing is started any more.
        """
