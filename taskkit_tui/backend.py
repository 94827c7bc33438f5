"""A scheduler as the app sees it, wherever that runs: a view that never waits, and commands to await."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from taskkit import Changes, OutcomeKind, RunFinished, SkipReason, TaskDetails
from taskkit.operations import Answer, Offer
from taskkit_tui.log.log_line import LogLine

if TYPE_CHECKING:
    from taskkit.store import StoredRun, StoredSkip
    from taskkit_tui.viewmodel.forms.new_task import NewTask
    from taskkit_tui.viewmodel.forms.schedule_preview import SchedulePreview
    from taskkit_tui.viewmodel.services import ServiceChoice


class Notice(NamedTuple):
    """A sentence for a person: the result of a command, or something that has happened."""

    text: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """The news since the last look, and the present state."""

    changes: Changes
    lines: tuple[LogLine, ...] = ()
    dropped: int = 0
    """Lines lost before these, because they came faster than they were read."""
    failures: tuple[RunFinished, ...] = ()
    notices: tuple[Notice, ...] = ()
    """Other news, as sentences."""
    has_more: bool = False
    """True if there is more than was read in one look, so that the app looks again at once."""
    choices: Sequence[ServiceChoice] = ()
    """Running schedulers to ask about: to attach to one, or to another one instead of a lost one."""


class SchedulerView(Protocol):
    """A scheduler to look at. Nothing here waits: the app calls it on its timer."""

    def open(self) -> None:
        """Begin to listen, and start the scheduler if it is not started."""

    def close(self, timeout: float) -> Sequence[str]:
        """Stop what was started here. Return the names of the runs that did not end in `timeout` seconds."""

    @property
    def leaving_stops_runs(self) -> bool:
        """True if `close` stops the scheduler, and so its runs."""

    @property
    def trouble(self) -> str | None:
        """The reason why nothing can be stored at present; None if it can, or without a store."""

    @property
    def file_trouble(self) -> str | None:
        """The problem with the task file at present, in a few words; None if there is none."""

    @property
    def connection(self) -> str:
        """The service and the state of the connection to it, for the header; empty in the same process."""

    @property
    def is_connected(self) -> bool:
        """False while the service does not answer: what is shown is then out of date."""

    def source(self, name: str) -> str:
        """Return who registered a task: `program` or `file`; empty for a person."""

    def collect(self) -> Frame:
        """Return what has happened since the last call, at most as much as can be read in a moment."""

    def attach_to(self, key: str | None) -> bool:
        """Attach to one of `Frame.choices`; None for none of them.

        Returns:
            False if there is nothing to show then.
        """

    def earlier(
        self,
        name: str | None,
        *,
        limit: int,
        before: int | None = None,
        search: str = "",
        kinds: Collection[OutcomeKind | SkipReason] = (),
        should_continue: Callable[[], bool] | None = None,
    ) -> Sequence[StoredRun | StoredSkip]:
        """Return what is stored of a task's past, newest first. It may wait: call it on a thread.

        Args:
            name: The task; None for all.
            limit: The most to return.
            before: Only what came before the one with this `id`.
            search: Only runs whose exception, output or result contains this.
            kinds: Only what ended, or was skipped, like this; empty for everything.
            should_continue: Asked meanwhile; once it is false the search ends, and nothing is found.
        """


class SchedulerCommands(Protocol):
    """A scheduler to command. An answer may take a while; the app does not wait for it.

    Each command answers with the names of the tasks that it was done to, and with a token where it can be
    undone. The others are gone, or it does not apply to them.
    """

    async def run(self, names: Sequence[str], parameters: Mapping[str, object]) -> Answer:
        """Run tasks now; those that run already run once more afterwards."""

    async def stop(self, names: Sequence[str]) -> Answer:
        """Ask runs to stop."""

    async def abandon(self, names: Sequence[str]) -> Answer:
        """Give up runs that were asked to stop and have not ended. Cannot be undone."""

    async def disable(self, names: Sequence[str]) -> Answer:
        """Disable tasks: nothing is due until they are enabled."""

    async def disable_until(self, names: Sequence[str], typed: str) -> Answer:
        """Disable tasks until a time, as a person types it; then they are enabled automatically.

        Raises:
            ValueError: It is not a time, or has passed; the message says why, in words.
        """

    async def enable(self, names: Sequence[str]) -> Answer:
        """Enable tasks."""

    async def set_periods(self, periods: Mapping[str, float]) -> Answer:
        """Change periods, in seconds by the names of tasks."""

    async def reschedule(self, names: Sequence[str], typed: str) -> Answer:
        """Give tasks another schedule, which counts from now.

        Raises:
            ValueError: It is not a schedule, or never due.
        """

    async def drop_override(self, names: Sequence[str]) -> Answer:
        """Put tasks back on the schedules that the program or a file registered."""

    async def unregister(self, names: Sequence[str]) -> Answer:
        """Unregister tasks. Cannot be undone."""

    async def register(self, new: NewTask) -> Answer:
        """Register a new task; it replaces one of the same name, and then it cannot be undone.

        Raises:
            Exception: The constructor of the task, or the scheduler, refuses it.
        """

    async def pause(self) -> Answer:
        """Pause the whole scheduler.

        Raises:
            SchedulerStoppedError: It has stopped.
        """

    async def resume(self) -> Answer:
        """Resume the whole scheduler.

        Raises:
            SchedulerStoppedError: It has stopped.
        """

    async def undo(self, token: str) -> Answer:
        """Undo a change.

        Raises:
            UndoError: It cannot be undone any more; the message says why.
        """

    async def describe(self, name: str) -> TaskDetails | None:
        """Return everything about one task; None if it is gone."""

    async def due_times_with(self, name: str, seconds: float, count: int) -> Sequence[float] | None:
        """Return up to `count` due times that a task would have with another period, in epoch seconds.

        None where it has no period; empty while it is disabled.
        """

    async def preview(
        self, typed: str, count: int, *, at_once: bool, name: str | None = None
    ) -> SchedulePreview:
        """Return how a typed schedule is read, with up to `count` due times.

        Args:
            typed: What a person typed.
            count: The most due times to return.
            at_once: True for a new task: a periodic one is due at once. False for another schedule of a
                task, which counts from now.
            name: The task that gets it, whose window and other limits count; None for a new one.

        Raises:
            ValueError: It is not a schedule; the message says why, in words.
        """

    async def preview_time(self, typed: str) -> float:
        """Return how a typed future time is read, in epoch seconds.

        Raises:
            ValueError: It is not a time, or has passed; the message says why, in words.
        """

    async def offers(self) -> Sequence[Offer]:
        """Return the task classes from which a person can make tasks."""


class Backend(SchedulerView, SchedulerCommands, Protocol):
    """A scheduler as the app sees it, wherever it runs: plain data out, names and numbers in."""
