"""The commands of a person on a scheduler, from a dashboard or a prompt, and their undo.

Commands take lists of names, so that ten thousand marked tasks are one call, and answer with plain data. They
count as a person's decisions: after a restart they win over what the program registers. The
dashboard calls this in its own process, and a served scheduler calls it for its clients.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.errors import SchedulerStoppedError
from taskkit.parameters import constructor_parameters, make_task, parse_parameter
from taskkit.schedules import Every, Schedule
from taskkit.schedules.arguments import check_period, end_of_disabling
from taskkit.schedules.queries import are_equal
from taskkit.spec import Recipe, TaskSpec

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler
    from taskkit.outcome import OutcomeKind, SkipReason
    from taskkit.scheduler import Scheduler
    from taskkit.schedules.due_limits import DueLimits
    from taskkit.snapshot import Parameter, TaskDetails
    from taskkit.store import Store, StoredRun, StoredSkip
    from taskkit.task import Task

MOST_CHANGES: Final = 100
"""Changes that can be undone; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a command."""

    names: tuple[str, ...]
    """The tasks that it changed; the others are gone, or it does not apply to them."""
    token: str | None = None
    """The argument for `Operations.undo`; None if it cannot be undone."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A task class from which new tasks can be made. Plain data: the class stays where the scheduler is."""

    key: str
    """Its identity among the offers: `package.module:Class`."""
    title: str
    summary: str
    """The first line of its docstring."""
    parameters: tuple[Parameter, ...]
    """The parameters of its constructor."""
    prefilled: Mapping[str, str] = field(default_factory=FrozenDict)
    """Values that a form proposes, by the names of parameters; other parameters have their defaults."""


class UndoError(Exception):
    """A change cannot be undone. The message is a sentence for a person."""


class _TaskState(NamedTuple):
    """The part of a task's state that commands change."""

    disabled: bool
    disabled_until: float | None
    schedule: Schedule
    overridden: bool

    def is_like(self, other: _TaskState) -> bool:
        same_flags = self.is_disabled_like(other) and self.overridden is other.overridden
        return same_flags and are_equal(self.schedule, other.schedule)

    def is_disabled_like(self, other: _TaskState) -> bool:
        return (self.disabled, self.disabled_until) == (other.disabled, other.disabled_until)


class _TaskChange(NamedTuple):
    """One change of one task."""

    name: str
    before: _TaskState | None
    """None where the change registered it."""
    after: _TaskState
    handle: TaskHandler
    """The registration that was changed."""


class _Change(NamedTuple):
    """The changes of one command, which are undone together."""

    owner: object
    tasks: tuple[_TaskChange, ...]
    paused: bool | None = None
    """True if it paused the whole scheduler, False if it resumed it; None for changes of tasks."""


class Operations:
    """Commands of people on one scheduler. Thread-safe.

    Args:
        scheduler: The scheduler to command.
        task_classes: The classes from which a person can make new tasks.
        prefilled: Values that a form proposes for constructor parameters of these names.
        store: The store of the scheduler's history, if there is one.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        task_classes: Iterable[type[Task]] = (),
        prefilled: Mapping[str, str] | None = None,
        store: Store | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.store = store
        self._classes = {f"{each.__module__}:{each.__qualname__}": each for each in task_classes}
        self._prefilled = FrozenDict(prefilled or {})
        self._lock = Lock()
        self._changes: OrderedDict[str, _Change] = OrderedDict()  # guarded by _lock
        self._next_token = count(1).__next__
        self.registered_by_hand: set[str] = set()
        """The names of the tasks that a person registered while the program ran."""

    # Runs

    def run(self, names: Sequence[str], parameters: Mapping[str, object] | None = None) -> Answer:
        """Run tasks now; those that run already run once more afterwards."""
        return self._each(names, lambda name: self.scheduler.demand_task(name, parameters or None))

    def stop(self, names: Sequence[str]) -> Answer:
        """Ask runs to stop."""
        return self._each(names, self.scheduler.stop_task)

    def abandon(self, names: Sequence[str]) -> Answer:
        """Give up runs that were asked to stop and have not ended."""
        return self._each(names, self.scheduler.abandon_task)

    # Changes that can be undone

    def disable(self, names: Sequence[str], owner: object = None, *, until: float | None = None) -> Answer:
        """Disable tasks: nothing is due until they are enabled.

        Args:
            names: The tasks.
            owner: The client that may undo it.
            until: When they are enabled again automatically, in epoch seconds; `None` for never.

        Raises:
            ValueError: `until` has passed. Nothing is changed then.
        """
        at = None if until is None else end_of_disabling(until, self.scheduler.now)
        return self._change(names, lambda name: self.scheduler.disable_task(name, at), owner)

    def enable(self, names: Sequence[str], owner: object = None) -> Answer:
        """Enable tasks."""
        return self._change(names, self.scheduler.enable_task, owner)

    def set_periods(self, periods: Mapping[str, float], owner: object = None) -> Answer:
        """Change periods.

        Args:
            periods: Seconds by the names of the tasks.
            owner: The client that may undo it.

        Raises:
            ValueError: A period is not more than 0, infinite, or not a number. Nothing is changed then.
        """
        checked = {name: check_period(seconds) for name, seconds in periods.items()}
        return self._change(
            list(checked), lambda name: self.scheduler.set_period(name, checked[name], override=True), owner
        )

    def reschedule(self, names: Sequence[str], schedule: Schedule, owner: object = None) -> Answer:
        """Give tasks another schedule, which counts from now.

        Raises:
            ValueError: It is never due.
        """
        return self._change(
            names, lambda name: self.scheduler.reschedule_task(name, schedule, override=True), owner
        )

    def drop_override(self, names: Sequence[str], owner: object = None) -> Answer:
        """Put tasks back on the schedules that the program or a file registered."""
        return self._change(names, self.scheduler.drop_override, owner)

    def register(
        self, offer: str, texts: Mapping[str, str], name: str, schedule: Schedule, owner: object = None
    ) -> Answer:
        """Register a new task; it replaces one of the same name, and then it cannot be undone.

        Args:
            offer: The key of an offer.
            texts: What a person typed for the parameters of its constructor, by their names.
            name: The name of the new task.
            schedule: When it is due.
            owner: The client that may undo it.

        Raises:
            KeyError: There is no such offer.
            Exception: The constructor of the task, or the scheduler, refuses it.
        """
        made = self._classes[offer]
        declared = {each.name: each for each in constructor_parameters(made) or ()}
        values = {each: parse_parameter(declared[each], typed) for each, typed in texts.items()}
        replaces = self.scheduler.handle(name) is not None
        recipe = Recipe.of(made, values)
        if _can_be_imported(recipe, made):
            handle = self.scheduler.add_spec(TaskSpec(name, schedule, recipe), persist=True)
        else:
            handle = self.scheduler.add_task(schedule, make_task(made, values), name)
        self.registered_by_hand.add(name)
        if replaces:
            return Answer((name,))
        change = _TaskChange(name, None, _state_of(handle), handle)
        return Answer((name,), self._remember(_Change(owner, (change,))))

    def pause(self, owner: object = None) -> Answer:
        """Pause the whole scheduler."""
        return self._set_paused(True, owner)

    def resume(self, owner: object = None) -> Answer:
        """Resume the whole scheduler."""
        return self._set_paused(False, owner)

    def unregister(self, names: Sequence[str]) -> Answer:
        """Unregister tasks. Cannot be undone."""
        return self._each(names, self.scheduler.unregister_task)

    def undo(self, token: str, owner: object = None) -> Answer:
        """Undo a change.

        Args:
            token: From the answer of the command.
            owner: The client that asks; only the one that made a change may undo it.

        Raises:
            UndoError: It was undone already, is too old, was made by another client, or all its tasks were
                changed since.
        """
        with self._lock:
            change = self._changes.get(token)
            if change is not None and change.owner == owner:
                del self._changes[token]
        if change is None:
            raise UndoError("it was undone already, or is too long ago")
        if change.owner != owner:
            raise UndoError("it was changed from another dashboard")
        if change.paused is not None:
            if self.scheduler.paused is not change.paused:
                raise UndoError(f"the scheduler was {'resumed' if change.paused else 'paused'} since")
            return self.resume(owner) if change.paused else self.pause(owner)
        undone = tuple(each.name for each in change.tasks if self._undo_one(each))
        if not undone:
            what = "the task was" if len(change.tasks) == 1 else "the tasks were"
            raise UndoError(f"{what} changed since")
        return Answer(undone)

    def tasks_of(self, token: str) -> int:
        """Return how many tasks an undo would change; 0 for an unknown token."""
        with self._lock:
            change = self._changes.get(token)
        return 0 if change is None else len(change.tasks)

    # Reading

    def describe(self, name: str, due_times: int = 10) -> TaskDetails | None:
        """Return everything about one task; None if there is none of that name."""
        return self.scheduler.describe(name, due_times)

    def limits(self, name: str | None, schedule: Schedule) -> DueLimits | None:
        """Return the limits that the policies of a task set to the due times of a schedule; None if none."""
        handle = None if name is None else self.scheduler.handle(name)
        return None if handle is None else handle.policies.limits(schedule)

    def due_times_with(self, name: str, seconds: float, most: int) -> Sequence[float] | None:
        """Return the due times with another period, in epoch seconds; None for a task without a period."""
        return self.scheduler.due_times_with(name, seconds, most)

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
        """Return the stored history of a task, newest first; empty without a store. See `Store.history`.

        Raises:
            StoreError: The store cannot be read.
        """
        if self.store is None:
            return ()
        return self.store.history(
            name, limit=limit, before=before, search=search, kinds=kinds, should_continue=should_continue
        )

    def offers(self) -> tuple[Offer, ...]:
        """Return the task classes whose arguments a form can ask for."""
        return tuple(
            Offer(key, each.__name__, _first_line(each.__doc__), parameters, self._prefilled)
            for key, each in self._classes.items()
            if (parameters := constructor_parameters(each)) is not None
        )

    # Helpers

    def _each(self, names: Sequence[str], command: Callable[[str], bool]) -> Answer:
        return Answer(tuple(name for name in names if command(name)))

    def _change(self, names: Sequence[str], command: Callable[[str], bool], owner: object) -> Answer:
        changes: list[_TaskChange] = []
        done: list[str] = []
        for name in names:
            handle = self.scheduler.handle(name)
            if handle is None:
                continue
            before = _state_of(handle)
            if command(name):
                done.append(name)
                if not (after := _state_of(handle)).is_like(before):
                    changes.append(_TaskChange(name, before, after, handle))
        token = self._remember(_Change(owner, tuple(changes))) if changes else None
        return Answer(tuple(done), token)

    def _set_paused(self, paused: bool, owner: object) -> Answer:
        was_paused = self.scheduler.paused
        if not (self.scheduler.pause() if paused else self.scheduler.resume()):
            raise SchedulerStoppedError
        return Answer((), None if was_paused is paused else self._remember(_Change(owner, (), paused)))

    def _remember(self, change: _Change) -> str:
        with self._lock:
            token = str(self._next_token())
            self._changes[token] = change
            while len(self._changes) > MOST_CHANGES:
                self._changes.popitem(last=False)
        return token

    def _undo_one(self, change: _TaskChange) -> bool:
        """Put one task back. False if it was changed since."""
        scheduler, name = self.scheduler, change.name
        handle = scheduler.handle(name)
        if handle is None or not _state_of(handle).is_like(change.after):
            return False
        before = change.before
        if before is None:
            return handle is change.handle and scheduler.unregister_task(name)
        done = True
        if not are_equal(before.schedule, change.after.schedule):
            done = self._put_back(handle, before, is_anew=handle is not change.handle)
        if not before.is_disabled_like(change.after):
            done = self._disable_as(before, name) and done
        return done

    def _disable_as(self, before: _TaskState, name: str) -> bool:
        """Disable a task as it was, or enable it if it was enabled, or would be by now."""
        scheduler, until = self.scheduler, before.disabled_until
        if not before.disabled or (until is not None and until <= scheduler.now):
            return scheduler.enable_task(name)
        return scheduler.disable_task(name, until)

    def _put_back(self, handle: TaskHandler, before: _TaskState, *, is_anew: bool) -> bool:
        """Give a task the schedule that it had."""
        scheduler, name = self.scheduler, handle.name
        schedule, present = before.schedule, handle.schedule
        differ_in_period = isinstance(schedule, Every) and schedule.is_like(present)
        if not before.overridden and (is_anew or not differ_in_period):
            return scheduler.drop_override(name)  # a file that was read again may have another one by now
        try:
            if isinstance(schedule, Every) and differ_in_period:
                return scheduler.set_period(name, schedule.period, override=True)
            return scheduler.reschedule_task(name, before.schedule, override=True)
        except ValueError:  # the former schedule is never due any more
            return False


def _state_of(handle: TaskHandler) -> _TaskState:
    return _TaskState(handle.disabled, handle.disabled_until, handle.schedule, handle.overridden)


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]


def _can_be_imported(recipe: Recipe, made: type[Task]) -> bool:
    """True if a later process finds the class: one made inside a function it does not."""
    try:
        return recipe.find() is made
    except ImportError:
        return False
