"""The one place where the scheduler's threads and the app meet.

The scheduler appends to an inbox on threads of its own; the app empties it on its timer and asks what
changed. Nothing here waits for the app, and the app waits for nothing but one short lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from taskkit import (
    Changes,
    Event,
    OutcomeKind,
    OutputWritten,
    Recipe,
    RunFinished,
    Scheduler,
    SchedulerStoppedError,
    Task,
    TaskDetails,
    TaskSpec,
    Watch,
    constructor_parameters,
    make_task,
)
from taskkit_tui.log.line import LogLine
from taskkit_tui.viewmodel.new_task import NewTask, Offer

MOST_WAITING: Final = 200_000
"""Lines that wait for the app at most; while it is stalled the oldest are dropped, and counted."""

ERROR_LEVEL: Final = 40
_FAILURES: Final = frozenset({OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.ABANDONED})


@dataclass(frozen=True, slots=True)
class Frame:
    """What happened since the last look, and how things stand."""

    changes: Changes
    lines: tuple[LogLine, ...] = ()
    dropped: int = 0
    """Lines lost before these, because they came faster than they were read."""
    failures: tuple[RunFinished, ...] = ()


class Backend(Protocol):
    """What the app needs of a scheduler: plain data out, names and numbers in.

    The commands answer as the scheduler's do: whether the state is now as asked.
    """

    def open(self) -> None:
        """Begin to listen, and start the scheduler if it is not started."""

    def close(self, timeout: float) -> Sequence[str]:
        """Stop what was started here. Returns the names of the runs that did not end in so many seconds."""

    @property
    def leaving_stops_runs(self) -> bool:
        """Whether `close` stops the scheduler, and so what runs."""

    def collect(self) -> Frame:
        """What happened since the last call."""

    def describe(self, name: str) -> TaskDetails | None:
        """Everything about one task."""

    def run(self, name: str, parameters: Mapping[str, object]) -> bool:
        """Run a task now, or once more after its run."""

    def stop(self, name: str) -> bool:
        """Ask a run to stop."""

    def disable(self, name: str) -> bool:
        """Let nothing fall due."""

    def enable(self, name: str) -> bool:
        """Let the task fall due again."""

    def set_period(self, name: str, seconds: float) -> bool:
        """Change a period."""

    def drop_override(self, name: str) -> bool:
        """Put a task back on the schedule that the program or a file registered."""

    def unregister(self, name: str) -> bool:
        """Forget a task."""

    def offers(self) -> tuple[Offer, ...]:
        """The task classes that a person can make tasks of."""

    def register(self, new: NewTask) -> None:
        """Register a new task; one of the same name is replaced.

        Raises:
            Exception: Whatever the constructor of the task, or the scheduler, has against it.
        """

    def pause(self) -> bool:
        """Let nothing at all fall due."""

    def resume(self) -> bool:
        """Let everything fall due again."""


class Inbox:
    """The lines and failures that wait for the app. `put` on any one thread at a time, `take` on another."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._batches: deque[tuple[list[LogLine], int, RunFinished | None]] = deque()
        self._put = 0
        self._taken = 0
        self._discarded = 0
        self._lost = 0
        self._lost_told = 0

    def put(self, event: Event) -> None:
        """Keep what an event has to tell the log; other events are seen in the changes."""
        if isinstance(event, OutputWritten):
            lines = [
                LogLine(line.time, event.name, event.run, line.stream, line.level, line.text)
                for line in event.lines
            ]
            self._append(lines, event.dropped, None)
        elif isinstance(event, RunFinished) and event.outcome.kind in _FAILURES:
            self._append([_failure_line(event)], 0, event)

    def _append(self, lines: list[LogLine], dropped: int, failure: RunFinished | None) -> None:
        self._batches.append((lines, dropped, failure))
        self._put += len(lines)
        while self._put - self._taken - self._discarded > self._most and len(self._batches) > 1:
            try:
                old, old_dropped, _ = self._batches.popleft()
            except IndexError:  # the app took everything just now
                return
            self._discarded += len(old)
            self._lost += len(old) + old_dropped

    def take(self) -> tuple[tuple[LogLine, ...], int, tuple[RunFinished, ...]]:
        """What waits: the lines, how many were lost before them, and the failures."""
        lines: list[LogLine] = []
        failures: list[RunFinished] = []
        dropped = 0
        for _ in range(len(self._batches)):
            try:
                batch, lost, failure = self._batches.popleft()
            except IndexError:  # the other side dropped some
                break
            lines += batch
            dropped += lost
            if failure is not None:
                failures.append(failure)
        self._taken += len(lines)
        lost_in_all = self._lost
        dropped += lost_in_all - self._lost_told
        self._lost_told = lost_in_all
        return tuple(lines), dropped, tuple(failures)


def _failure_line(event: RunFinished) -> LogLine:
    outcome = event.outcome
    words = {OutcomeKind.TIMED_OUT: "timed out", OutcomeKind.ABANDONED: "abandoned: it did not stop in time"}
    text = words.get(outcome.kind, "failed")
    if outcome.exception:
        text = outcome.exception if outcome.kind is OutcomeKind.FAILED else f"{text}: {outcome.exception}"
    return LogLine(event.at, event.name, event.run, "log", ERROR_LEVEL, text, outcome.traceback)


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]


def _finds(recipe: Recipe, made: type[Task]) -> bool:
    """Whether the class can be imported again: one that was made inside a function cannot."""
    try:
        return recipe.find() is made
    except ImportError:
        return False


class Bridge:
    """A backend around a scheduler of this process.

    Args:
        scheduler: Is started by `open()` unless it is started already, and then stopped by `close()`.
        task_classes: What a person can make new tasks of.
        prefilled: What a form proposes for constructor parameters of these names, whatever their classes
            have as defaults.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        task_classes: Sequence[type[Task]] = (),
        prefilled: Mapping[str, str] | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._classes = {f"{each.__module__}:{each.__qualname__}": each for each in task_classes}
        self._prefilled = dict(prefilled or {})
        self._inbox = Inbox()
        self._watch: Watch | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._started_here = False

    def open(self) -> None:
        """Begin to listen, and start the scheduler if it is not started."""
        self._watch = self._scheduler.watch()
        self._unsubscribe = self._scheduler.subscribe(self._inbox.put)
        if not self._scheduler.is_running:
            self._scheduler.start()
            self._started_here = True

    def close(self, timeout: float) -> Sequence[str]:
        """Stop what was started here, within so many seconds. Any thread; may be called twice."""
        abandoned = self._scheduler.stop(timeout) if self._started_here else []
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        return abandoned

    @property
    def leaving_stops_runs(self) -> bool:
        """Whether the scheduler was started here."""
        return self._started_here

    def collect(self) -> Frame:
        """What happened since the last call."""
        if self._watch is None:
            raise SchedulerStoppedError
        lines, dropped, failures = self._inbox.take()
        return Frame(self._watch.collect(), lines, dropped, failures)

    def describe(self, name: str) -> TaskDetails | None:
        """Everything about one task."""
        return self._scheduler.describe(name)

    def run(self, name: str, parameters: Mapping[str, object]) -> bool:
        """Run a task now, or once more after its run."""
        return self._scheduler.demand_task(name, dict(parameters) or None)

    def stop(self, name: str) -> bool:
        """Ask a run to stop."""
        return self._scheduler.stop_task(name)

    def disable(self, name: str) -> bool:
        """Let nothing fall due."""
        return self._scheduler.disable_task(name)

    def enable(self, name: str) -> bool:
        """Let the task fall due again."""
        return self._scheduler.enable_task(name)

    def set_period(self, name: str, seconds: float) -> bool:
        """Change a period."""
        return self._scheduler.set_period(name, seconds, override=True)

    def drop_override(self, name: str) -> bool:
        """Put a task back on the schedule that the program or a file registered."""
        return self._scheduler.drop_override(name)

    def unregister(self, name: str) -> bool:
        """Forget a task."""
        return self._scheduler.unregister_task(name)

    def offers(self) -> tuple[Offer, ...]:
        """The task classes that a person can make tasks of: those whose constructors can be typed."""
        return tuple(
            Offer(key, each.__name__, _first_line(each.__doc__), parameters, self._prefilled)
            for key, each in self._classes.items()
            if (parameters := constructor_parameters(each)) is not None
        )

    def register(self, new: NewTask) -> None:
        """Register a new task; one of the same name is replaced.

        Raises:
            Exception: Whatever the constructor of the task, or the scheduler, has against it.
        """
        made = self._classes[new.offer]
        recipe = Recipe.of(made, new.values)
        if _finds(recipe, made):
            self._scheduler.add_spec(TaskSpec(new.name, new.schedule, recipe), keep=True)
        else:
            self._scheduler.add_task(new.schedule, make_task(made, new.values), new.name)

    def pause(self) -> bool:
        """Let nothing at all fall due."""
        return self._scheduler.pause()

    def resume(self) -> bool:
        """Let everything fall due again."""
        return self._scheduler.resume()
