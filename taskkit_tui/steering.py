"""What each request does to the scheduler, what a person is told of it, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from taskkit import Every, Schedule
from taskkit_tui.backend import Backend, Told
from taskkit_tui.formatting import LONGEST_PERIOD, SHORTEST_PERIOD, harmless, shorten, shorten_end
from taskkit_tui.viewmodel.applicability import READ_ONLY, applicable
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.new_task import NewTask
from taskkit_tui.viewmodel.row import TaskRow

NO_KEYS: Final[Mapping[str, str]] = MappingProxyType({})

STOPPED: Final = "The program has stopped the scheduler: nothing runs any more"

_MOST_CHANGES: Final = 100
_OF_SCHEDULES: Final = frozenset({"period", "slower", "as_registered"})
"""What changes when tasks fall due."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was done, and how to take it back."""

    words: str
    take_back: tuple[Callable[[], bool], ...]
    undone: str
    """What is told once it is taken back."""


class Steering:
    """Carries requests out, by name, and remembers how to take them back.

    Args:
        backend: The scheduler.
        model: How things stood when the request was made.
        read_only: Whether everything is refused.
        keys: What a person presses, by the ids of bindings; ours where there is nothing.
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
        """Whether everything is refused."""
        self._changes: list[Change] = []

    def rows(self, action: str, names: Sequence[str]) -> tuple[TaskRow, ...]:
        """Those of the named tasks that are still there, and to which an action applies."""
        rows = [row for name in names if (row := self._model.named(name)) is not None]
        return applicable(action, rows)

    def too_late(self, names: Sequence[str]) -> Told:
        """What is told where an action applies to none of the named tasks any more."""
        return Told(f"{_named(names)}: it does not apply any more", is_trouble=True)

    def run(self, names: Sequence[str], parameters: Mapping[str, object]) -> Told:
        """Run tasks now; those that run already once more."""
        again = [row.name for row in self.rows("run_now", names) if row.task.run is not None]
        told = self._each("run_now", names, "Started", lambda row: self._backend.run(row.name, parameters))
        if len(names) == 1 and again and not told.is_trouble:
            return Told(f"{_named(names)} runs once more after this run")
        return told

    def stop(self, names: Sequence[str]) -> Told:
        """Ask runs to stop."""
        return self._each("stop", names, "Asked to stop", lambda row: self._backend.stop(row.name))

    def disable(self, names: Sequence[str]) -> Told:
        """Let nothing fall due."""
        return self._each(
            "disable",
            names,
            "Disabled",
            lambda row: self._backend.disable(row.name),
            lambda row: lambda: self._backend.enable(row.name),
        )

    def enable(self, names: Sequence[str]) -> Told:
        """Let tasks fall due again."""
        return self._each(
            "enable",
            names,
            "Enabled",
            lambda row: self._backend.enable(row.name),
            lambda row: lambda: self._backend.disable(row.name),
        )

    def set_period(self, names: Sequence[str], seconds: float) -> Told:
        """Give tasks another period."""
        return self._set_periods(names, lambda _period: seconds, _every(seconds))

    def set_schedule(self, names: Sequence[str], schedule: Schedule) -> Told:
        """Give tasks another schedule, which counts from now."""
        try:
            return self._each(
                "period",
                names,
                f"{_capitalised(schedule)}:",
                lambda row: self._backend.reschedule(row.name, schedule),
                self._schedule_back,
            )
        except ValueError as error:
            return Told(f"{_named(names)} goes on as before: {harmless(str(error))}", is_trouble=True)

    def _schedule_back(self, row: TaskRow) -> Callable[[], bool]:
        """What puts a task back on the schedule that it has now."""
        name, before = row.name, self._backend.schedule(row.name)
        if row.task.overrides is None:
            return lambda: self._backend.drop_override(name)
        return lambda: before is not None and self._backend.reschedule(name, before)

    def scale_period(self, names: Sequence[str], factor: float) -> Told:
        """Make periods longer or shorter, within what a period can be."""

        def scaled(period: float) -> float:
            # One that the program made longer, or shorter, than a person could is left where it is.
            least, most = min(period, SHORTEST_PERIOD), max(period, LONGEST_PERIOD)
            return min(most, max(least, period * factor))

        if len(names) == 1 and (row := self._model.named(names[0])) and row.task.period is not None:
            return self._set_periods(names, scaled, _every(scaled(row.task.period)))
        return self._set_periods(names, scaled, "Slower" if factor > 1 else "Faster")

    def as_registered(self, names: Sequence[str]) -> Told:
        """Put tasks back on the schedules that the program or a file registered."""

        def take_back(row: TaskRow) -> Callable[[], bool]:
            period, before = row.task.period, self._backend.schedule(row.name)
            if period is not None:
                return lambda: self._backend.set_period(row.name, period)
            return lambda: before is not None and self._backend.reschedule(row.name, before)

        return self._each(
            "as_registered",
            names,
            "Put back",
            lambda row: self._backend.drop_override(row.name),
            take_back,
        )

    def _set_periods(self, names: Sequence[str], new: Callable[[float], float], verb: str) -> Told:
        def change(row: TaskRow) -> bool:
            assert row.task.period is not None
            return self._backend.set_period(row.name, new(row.task.period))

        def take_back(row: TaskRow) -> Callable[[], bool]:
            period = row.task.period
            assert period is not None
            return lambda: self._backend.set_period(row.name, period)

        return self._each("slower", names, verb, change, take_back)

    def unregister(self, names: Sequence[str]) -> Told:
        """Forget tasks. Cannot be taken back."""
        return self._each("unregister", names, "Unregistered", lambda row: self._backend.unregister(row.name))

    def register(self, new: NewTask) -> Told:
        """Register a new task."""
        if self.read_only:
            return Told(READ_ONLY, is_trouble=True)
        replaces = self._model.named(new.name) is not None
        try:
            self._backend.register(new)
        except Exception as error:  # noqa: BLE001  whatever a constructor of somebody else's raises
            reason = shorten_end(harmless(f"{type(error).__name__}: {error}"), 200)
            return Told(f"{_named([new.name])} was not registered: {reason}", is_trouble=True)
        done = "Replaced" if replaces else "Registered"
        return Told(f"{done} {_named([new.name])}, {harmless(str(new.schedule))}")

    def set_paused(self, paused: bool) -> Told:
        """Pause the whole scheduler, or resume it."""
        if self.read_only:
            return Told(READ_ONLY, is_trouble=True)
        if self._model.is_stopped:
            return Told(STOPPED, is_trouble=True)
        if not paused:
            return Told("Resumed" if self._backend.resume() else "It is not paused any more")
        self._backend.pause()
        return Told(f"Paused: nothing falls due until you press {self._keys.get('app.pause', 'P')} again")

    @property
    def can_undo(self) -> bool:
        """Whether there is a change that can be taken back."""
        return bool(self._changes) and not self.read_only

    def undo(self) -> Told:
        """Take back the last change that can be taken back."""
        if self.read_only:
            return Told(READ_ONLY, is_trouble=True)
        if not self._changes:
            return Told("There is nothing to undo", is_trouble=True)
        change = self._changes.pop()
        undone = [_succeeds(take_back) for take_back in change.take_back]
        if not any(undone):
            return Told(f"Cannot undo any more: {change.words}", is_trouble=True)
        return Told(change.undone)

    def _each(
        self,
        action: str,
        names: Sequence[str],
        verb: str,
        command: Callable[[TaskRow], bool],
        take_back: Callable[[TaskRow], Callable[[], bool]] | None = None,
    ) -> Told:
        if self.read_only:
            return Told(READ_ONLY, is_trouble=True)
        # How to take it back is asked before it is done.
        rows = [(row, take_back(row) if take_back else None) for row in self.rows(action, names)]
        done = [(row, back) for row, back in rows if command(row)]
        if not done:
            return self.too_late(names)
        words = f"{verb} {_named([row.name for row, _ in done])}"
        if take_back is not None:
            undone = _again([row for row, _ in done]) if action in _OF_SCHEDULES else f"Undone: {words}"
            self._changes.append(Change(words, tuple(back for _, back in done if back), undone))
            del self._changes[:-_MOST_CHANGES]
        left_out = len(names) - len(done)
        return Told(words + (f"; {left_out} left out, it does not apply" if left_out else ""))


def _succeeds(take_back: Callable[[], bool]) -> bool:
    try:
        return take_back()
    except ValueError:  # the former schedule is never due any more
        return False


def _again(rows: Sequence[TaskRow]) -> str:
    """That tasks have the schedules again that they had when they were in these rows."""
    if len(rows) == 1:
        return f"{_named([rows[0].name])}: {harmless(rows[0].task.schedule)} again"
    return f"{len(rows)} tasks have their former schedules again"


def _every(seconds: float) -> str:
    """In the words that the schedule has as well."""
    return f"{_capitalised(Every(seconds))}:"


def _capitalised(schedule: Schedule) -> str:
    words = harmless(str(schedule))
    return words[:1].upper() + words[1:]


def _named(names: Sequence[str]) -> str:
    return shorten(harmless(names[0]), 40) if len(names) == 1 else f"{len(names)} tasks"
