"""The one place where the scheduler's threads and the app meet.

The scheduler appends to an inbox on threads of its own; the app empties it on its timer and asks what
changed. Nothing here waits for the app, and the app waits for nothing but one short lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Final

from taskkit import (
    OutcomeKind,
    Recipe,
    Schedule,
    Scheduler,
    SchedulerStoppedError,
    SkipReason,
    Task,
    TaskDetails,
    TaskSpec,
    Watch,
    constructor_parameters,
    make_task,
)
from taskkit_tui.backend import Frame
from taskkit_tui.inbox import Inbox
from taskkit_tui.viewmodel.new_task import NewTask, Offer

if TYPE_CHECKING:
    from taskkit.store import Store, StoredRun, StoredSkip
    from taskkit.taskfile import TaskFileFollower

_FOR_THE_STORE: Final = 0.5
"""Seconds that the store has to be closed, however long the runs took."""

_logger = logging.getLogger("taskkit")


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
        inbox: Where things are put that the app is to tell, if others than the scheduler have some.
        follower: Keeps the scheduler as a file says, from `open()` to `close()`.
        store: Remembers how things stand. It is attached by `open()`, unless it is already, and closed by
            `close()` then.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        task_classes: Sequence[type[Task]] = (),
        prefilled: Mapping[str, str] | None = None,
        *,
        inbox: Inbox | None = None,
        follower: TaskFileFollower | None = None,
        store: Store | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._classes = {f"{each.__module__}:{each.__qualname__}": each for each in task_classes}
        self._prefilled = dict(prefilled or {})
        self._inbox = Inbox() if inbox is None else inbox
        self._follower = follower
        self._store = store
        self._watch: Watch | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._started_here = False
        self._attached_here = False
        self._registered_by_hand: set[str] = set()
        self._complaint = ""

    def open(self) -> None:
        """Begin to listen, go on where things stood, and start the scheduler if it is not started."""
        self._watch = self._scheduler.watch()
        self._unsubscribe = self._scheduler.subscribe(self._inbox.put)
        if self._store is not None:
            if not self._store.is_attached:
                self._store.attach(self._scheduler)
                self._attached_here = True
            self._registered_by_hand.update(self._store.restore())
        if not self._scheduler.is_running:
            self._scheduler.start()
            self._started_here = True
        if self._follower is not None:
            self._follower.watch()

    def close(self, timeout: float) -> Sequence[str]:
        """Stop what was started here, within so many seconds. Any thread; may be called twice."""
        deadline = monotonic() + timeout
        if self._follower is not None:
            self._follower.close()
        abandoned = self._scheduler.stop(timeout) if self._started_here else []
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        if self._store is not None and self._attached_here:
            self._store.close(max(_FOR_THE_STORE, deadline - monotonic()))
        return abandoned

    @property
    def leaving_stops_runs(self) -> bool:
        """Whether the scheduler was started here."""
        return self._started_here

    @property
    def trouble(self) -> str | None:
        """Why what happens cannot be stored at present; `None` if it can, or is not to be."""
        return None if self._store is None else self._store.trouble

    @property
    def file_trouble(self) -> str | None:
        """What is wrong with the file of the tasks as it is now; `None` if nothing is, or there is none."""
        return self._inbox.file_trouble

    def source(self, name: str) -> str:
        """Who says what the schedule of a task is: `program` or `file`; empty for a person."""
        if name in self._registered_by_hand:
            return ""
        return "program" if self._follower is None else "file"

    def collect(self) -> Frame:
        """What happened since the last call."""
        if self._watch is None:
            raise SchedulerStoppedError
        lines, dropped, failures, told = self._inbox.take()
        return Frame(self._watch.collect(), lines, dropped, failures, told)

    def describe(self, name: str) -> TaskDetails | None:
        """Everything about one task."""
        return self._scheduler.describe(name)

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
        """What is stored of a task's past, newest first; nothing where nothing is kept. Any thread."""
        if self._store is None:
            return ()
        from taskkit.store import StoreError

        try:
            return self._store.history(
                name, limit=limit, before=before, search=search, kinds=kinds, go_on=go_on
            )
        except StoreError as error:
            complaint = str(error)
            if complaint != self._complaint:  # it is asked again and again
                self._complaint = complaint
                _logger.warning("%s", complaint)
            return ()

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

    def schedule(self, name: str) -> Schedule | None:
        """When a task falls due; `None` if it is gone."""
        handle = self._scheduler.handle(name)
        return None if handle is None else handle.schedule

    def reschedule(self, name: str, schedule: Schedule) -> bool:
        """Give a task another schedule, which counts from now.

        Raises:
            ValueError: It never falls due.
        """
        return self._scheduler.reschedule_task(name, schedule, override=True)

    def due_times_with(self, name: str, seconds: float, count: int) -> Sequence[float] | None:
        """The due times that a task would have with another period."""
        return self._scheduler.due_times_with(name, seconds, count)

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
        self._registered_by_hand.add(new.name)

    def pause(self) -> bool:
        """Let nothing at all fall due."""
        return self._scheduler.pause()

    def resume(self) -> bool:
        """Let everything fall due again."""
        return self._scheduler.resume()
