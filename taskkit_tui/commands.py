"""Carries out the commands of the table on the backend: says in words what was done, and undoes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from taskkit import Every, SchedulerStoppedError
from taskkit.operations import Answer, UndoError
from taskkit.schedules.queries import schedule_words
from taskkit.words.durations import LONGEST_PERIOD_SECONDS, SHORTEST_PERIOD_SECONDS
from taskkit.words.times import near_time
from taskkit_tui.backend import Backend, Notice
from taskkit_tui.formatting import harmless, shorten, shorten_end
from taskkit_tui.keys.bindings import TO_THE_SCHEDULER
from taskkit_tui.keys.command import READ_ONLY, AppliesTo, Command
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.row import TaskRow

if TYPE_CHECKING:
    from taskkit_tui.viewmodel.forms.new_task import NewTask
    from taskkit_tui.viewmodel.forms.schedule_preview import TypedSchedule
    from taskkit_tui.viewmodel.forms.typed_time import TypedTime

NO_KEYS: Final[Mapping[str, str]] = MappingProxyType({})

STOPPED: Final = "The program has stopped the scheduler: nothing runs any more"

NO_PARAMETERS: Final[Mapping[str, object]] = MappingProxyType({})
_MOST_CHANGES: Final = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and the token to undo it."""

    words: str
    token: str | None = None
    """The argument for `Backend.undo`; None if it cannot be undone."""
    verb: str = ""
    """The verb for the tasks, as in `Disabled`; empty for a change of the whole scheduler."""
    names: tuple[str, ...] = ()
    """The changed tasks."""
    former_schedule: str = ""
    """The schedule that the first task had before; empty if no schedule was changed."""


class Commands:
    """Carries out commands by the names of tasks, and keeps a stack of the changes to undo.

    Each command of the table has a method of its name. Await one before you call the next: the order
    of the changes on the stack is the order of their answers.

    Args:
        backend: The scheduler.
        model: The state when the command was given.
        read_only: Refuse everything.
        keys: What a person presses, by the ids of commands; ours where there is nothing.
    """

    def __init__(
        self,
        backend: Backend,
        model: TaskModel,
        *,
        read_only: bool = False,
        keys: Mapping[str, str] = NO_KEYS,
    ) -> None:
        self._keys = keys
        self._backend = backend
        self._model = model
        self.read_only = read_only
        """True if everything is refused."""
        self._changes: list[Change] = []

    async def perform(self, command: Command, names: Sequence[str], answers: Sequence[object] = ()) -> Notice:
        """Carry out a command of the table: the method of its name.

        Args:
            command: One that goes to the scheduler.
            names: The tasks that it goes to.
            answers: What its dialog was answered.
        """
        arguments = answers if command.applies_to is AppliesTo.NOTHING else (names, *answers)
        notice: Notice = await getattr(self, command.method)(*arguments)
        return notice

    def rows(self, command: str, names: Sequence[str]) -> tuple[TaskRow, ...]:
        """Return those of the named tasks that are still there, and to which a command applies."""
        rows = [row for name in names if (row := self._model.named(name)) is not None]
        return TO_THE_SCHEDULER[command].applicable(rows)

    def too_late(self, names: Sequence[str]) -> Notice:
        """Return the notice that a command no longer applies to any of the named tasks."""
        return Notice(f"{_named(names)}: it no longer applies", is_trouble=True)

    # Runs

    async def run(self, names: Sequence[str], parameters: Mapping[str, object] = NO_PARAMETERS) -> Notice:
        """Run tasks now; those that run already once more."""
        again = [row.name for row in self.rows("task.run", names) if row.task.run is not None]
        notice = await self._do(
            "task.run", names, "Started", lambda names: self._backend.run(names, parameters)
        )
        if len(names) == 1 and again and not notice.is_trouble:
            return Notice(f"{_named(names)} runs once more after this run")
        return notice

    async def run_with(self, names: Sequence[str], parameters: Mapping[str, object]) -> Notice:
        """Run tasks now with parameters."""
        return await self.run(names, parameters)

    async def stop(self, names: Sequence[str]) -> Notice:
        """Ask runs to stop."""
        return await self._do("task.stop", names, "Asked to stop", self._backend.stop)

    async def abandon(self, names: Sequence[str]) -> Notice:
        """Give up runs that were asked to stop and have not ended."""
        return await self._do("task.abandon", names, "Abandoned the run of", self._backend.abandon)

    # Changes of tasks

    async def disable(self, names: Sequence[str]) -> Notice:
        """Disable tasks: nothing is due until they are enabled."""
        return await self._do("task.disable", names, "Disabled", self._backend.disable)

    async def disable_until(self, names: Sequence[str], until: TypedTime) -> Notice:
        """Disable tasks until a time; then they are enabled automatically."""
        when = near_time(until.at, self._model.figures.time)
        try:
            return await self._do(
                "task.disable-until",
                names,
                f"Disabled until {when}:",
                lambda names: self._backend.disable_until(names, until.text),
            )
        except ValueError as error:
            return Notice(f"{_named(names)} stays as it was: {harmless(str(error))}", is_trouble=True)

    async def enable(self, names: Sequence[str]) -> Notice:
        """Enable tasks."""
        return await self._do("task.enable", names, "Enabled", self._backend.enable)

    async def period(self, names: Sequence[str], new: float | TypedSchedule) -> Notice:
        """Give tasks another period in seconds, or another schedule, which counts from now."""
        if isinstance(new, int | float):
            return await self._set_periods(names, lambda _period: new, _every(new))
        typed = new.text
        try:
            return await self._do(
                "task.period",
                names,
                f"{_capitalised(new.words)}:",
                lambda names: self._backend.reschedule(names, typed),
                of_schedules=True,
            )
        except ValueError as error:
            return Notice(f"{_named(names)} stays as it was: {harmless(str(error))}", is_trouble=True)

    async def slower(self, names: Sequence[str]) -> Notice:
        """Double periods, within what a period can be."""
        return await self._scale_periods(names, 2.0)

    async def faster(self, names: Sequence[str]) -> Notice:
        """Halve periods, within what a period can be."""
        return await self._scale_periods(names, 0.5)

    async def as_registered(self, names: Sequence[str]) -> Notice:
        """Put tasks back on the schedules that the program or a file registered."""
        return await self._do(
            "task.as-registered", names, "Put back", self._backend.drop_override, of_schedules=True
        )

    async def unregister(self, names: Sequence[str]) -> Notice:
        """Unregister tasks. Cannot be undone."""
        return await self._do("task.unregister", names, "Unregistered", self._backend.unregister)

    async def register(self, new: NewTask) -> Notice:
        """Register a new task. It can be undone unless it has replaced another."""
        if self.read_only:
            return Notice(READ_ONLY, is_trouble=True)
        replaces = self._model.named(new.name) is not None
        try:
            answer = await self._backend.register(new)
        except Exception as error:  # noqa: BLE001  a constructor of the user's may raise anything
            reason = shorten_end(harmless(f"{type(error).__name__}: {error}"), 200)
            return Notice(f"{_named([new.name])} was not registered: {reason}", is_trouble=True)
        words = f"{'Replaced' if replaces else 'Registered'} {_named([new.name])}"
        self._note(Change(words, answer.token))
        return Notice(f"{words}, {harmless(new.schedule.words)}")

    # The whole scheduler

    async def pause(self, paused: bool) -> Notice:
        """Pause the whole scheduler, or resume it."""
        if self.read_only:
            return Notice(READ_ONLY, is_trouble=True)
        if self._model.is_stopped:
            return Notice(STOPPED, is_trouble=True)
        try:
            answer = await (self._backend.pause() if paused else self._backend.resume())
        except SchedulerStoppedError:
            return Notice(STOPPED, is_trouble=True)
        if answer.token is not None:
            self._note(Change("Paused" if paused else "Resumed", answer.token))
        elif not paused:
            return Notice("It is no longer paused")
        if not paused:
            return Notice("Resumed")
        return Notice(f"Paused: nothing falls due until you press {self._keys.get('app.pause', 'P')} again")

    # Undo

    @property
    def can_undo(self) -> bool:
        """True if the last change can be undone."""
        return bool(self._changes) and self._changes[-1].token is not None and not self.read_only

    async def undo(self) -> Notice:
        """Undo the last change; say so if it cannot be undone, and leave those before it alone."""
        if self.read_only:
            return Notice(READ_ONLY, is_trouble=True)
        if not self._changes:
            return Notice("There is nothing to undo", is_trouble=True)
        change = self._changes.pop()
        if change.token is None:
            return self._cannot_undo(change)
        try:
            answer = await self._backend.undo(change.token)
        except UndoError as error:
            return Notice(f"Can no longer undo: {change.words} ({harmless(str(error))})", is_trouble=True)
        left = len(change.names) - len(answer.names) if change.verb else 0
        words = await self._undone(change, answer.names)
        return Notice(words + (f"; {left} could not be undone" if left else ""))

    def _cannot_undo(self, change: Change) -> Notice:
        """Return what to say of a change without a token. Others without one, before it, leave the stack."""
        while self._changes and self._changes[-1].token is None:
            self._changes.pop()
        words = f"{change.words} cannot be undone"
        if self._changes:
            key = self._keys.get("task.undo", "u")
            words += f"; {key} again undoes: {self._changes[-1].words}"
        return Notice(words, is_trouble=True)

    async def _undone(self, change: Change, names: Sequence[str]) -> str:
        """Return what to say of a change that is undone for these tasks."""
        if not change.verb:
            return f"Undone: {change.words}"
        if not change.former_schedule:
            return f"Undone: {change.verb} {_named(names)}"
        if len(names) > 1:
            return f"{_named(names)} have their former schedules again"
        # A file that was read again meanwhile may have another schedule than the one before the change.
        details = await self._backend.describe(names[0])
        schedule = change.former_schedule if details is None else details.task.schedule
        return f"{_named(names)}: {harmless(schedule)} again"

    def _note(self, change: Change) -> None:
        """Put a change on the stack."""
        self._changes.append(change)
        del self._changes[:-_MOST_CHANGES]

    # Helpers

    async def _do(
        self,
        command: str,
        names: Sequence[str],
        verb: str,
        call: Callable[[Sequence[str]], Awaitable[Answer]],
        *,
        of_schedules: bool = False,
    ) -> Notice:
        """Do something to those of the named tasks to which a command applies, and say to which."""
        if self.read_only:
            return Notice(READ_ONLY, is_trouble=True)
        rows = self.rows(command, names)
        answer = await call([row.name for row in rows]) if rows else Answer(())
        if not answer.names:
            return self.too_late(names)
        words = f"{verb} {_named(answer.names)}"
        before = {row.name: row.task.schedule for row in rows} if of_schedules else {}
        former_schedule = before.get(answer.names[0], "")
        self._note(Change(words, answer.token, verb, answer.names, former_schedule))
        left_out = len(names) - len(answer.names)
        return Notice(words + (f"; {left_out} left out (does not apply)" if left_out else ""))

    async def _set_periods(self, names: Sequence[str], new: Callable[[float], float], verb: str) -> Notice:
        rows = self.rows("task.slower", names)
        periods = {row.name: new(row.task.period) for row in rows if row.task.period is not None}
        return await self._do(
            "task.slower", names, verb, lambda _names: self._backend.set_periods(periods), of_schedules=True
        )

    async def _scale_periods(self, names: Sequence[str], factor: float) -> Notice:
        def scaled(period: float) -> float:
            # One that the program made longer, or shorter, than a person could is left where it is.
            least, most = min(period, SHORTEST_PERIOD_SECONDS), max(period, LONGEST_PERIOD_SECONDS)
            return min(most, max(least, period * factor))

        if len(names) == 1 and (row := self._model.named(names[0])) and row.task.period is not None:
            return await self._set_periods(names, scaled, _every(scaled(row.task.period)))
        return await self._set_periods(names, scaled, "Slower" if factor > 1 else "Faster")


def _every(seconds: float) -> str:
    """Return a period in the words of the schedule column."""
    return f"{_capitalised(schedule_words(Every(seconds)))}:"


def _capitalised(words: str) -> str:
    shown = harmless(words)
    return shown[:1].upper() + shown[1:]


def _named(names: Sequence[str]) -> str:
    return shorten(harmless(names[0]), 40) if len(names) == 1 else f"{len(names)} tasks"
