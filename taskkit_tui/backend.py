"""What the app needs of a scheduler, wherever that is: plain data out, names and numbers in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from taskkit import Changes, OutcomeKind, RunFinished, Schedule, SkipReason, TaskDetails
from taskkit_tui.log.line import LogLine
from taskkit_tui.viewmodel.new_task import NewTask, Offer

if TYPE_CHECKING:
    from taskkit.store import StoredRun, StoredSkip


class Told(NamedTuple):
    """What a person is told of a command, or of something that came to pass."""

    text: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What happened since the last look, and how things stand."""

    changes: Changes
    lines: tuple[LogLine, ...] = ()
    dropped: int = 0
    """Lines lost before these, because they came faster than they were read."""
    failures: tuple[RunFinished, ...] = ()
    told: tuple[Told, ...] = ()
    """What else came to pass."""


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

    @property
    def trouble(self) -> str | None:
        """Why what happens cannot be stored at present, in a sentence; `None` if it can, or is not to be."""

    @property
    def file_trouble(self) -> str | None:
        """What is wrong with the file of the tasks as it is now, in few words; `None` if nothing is."""

    def source(self, name: str) -> str:
        """Who says what the schedule of a task is: `program` or `file`; empty for a person."""

    def collect(self) -> Frame:
        """What happened since the last call."""

    def describe(self, name: str) -> TaskDetails | None:
        """Everything about one task."""

    def earlier(
        self,
        name: str,
        *,
        limit: int,
        before: int | None = None,
        search: str = "",
        kinds: Collection[OutcomeKind | SkipReason] = (),
        go_on: Callable[[], bool] | None = None,
    ) -> Sequence[StoredRun | StoredSkip]:
        """What is stored of a task's past, newest first; nothing where nothing is kept. Any thread.

        Args:
            name: Of the task.
            limit: The most to return.
            before: Only what came before the one with this `id`.
            search: Only runs whose exception, output or result contains this.
            kinds: Only what ended, or was skipped, like this; empty for everything.
            go_on: Whether anybody still wants to know; otherwise it is given up, and nothing is found.
        """

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

    def schedule(self, name: str) -> Schedule | None:
        """When a task falls due; `None` if it is gone."""

    def reschedule(self, name: str, schedule: Schedule) -> bool:
        """Give a task another schedule, which counts from now.

        Raises:
            ValueError: It never falls due.
        """

    def due_times_with(self, name: str, seconds: float, count: int) -> Sequence[float] | None:
        """The due times that a task would have with another period, in epoch seconds; `count` at most.

        None while it is disabled; `None` where there is no period to change.
        """

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
