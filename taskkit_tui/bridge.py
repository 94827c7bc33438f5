"""The backend around a scheduler of this process: the one place where its threads and the app meet.

The scheduler appends to an inbox on threads of its own; the app empties it on its timer and asks what has
changed. Nothing here waits for the app, and the app waits for nothing but one short lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Final

from taskkit import (
    Changes,
    OutcomeKind,
    Schedule,
    Scheduler,
    SchedulerStoppedError,
    SkipReason,
    Task,
    TaskDetails,
    Watch,
)
from taskkit.operations import Answer, Offer, Operations
from taskkit.schedules.queries import schedule_words
from taskkit.words.typed_times import future_time
from taskkit_tui.backend import Frame
from taskkit_tui.inbox import Inbox
from taskkit_tui.many_tasks import carry_out

if TYPE_CHECKING:
    from taskkit.store import Store, StoredRun, StoredSkip
    from taskkit.taskfile import TaskFileFollower
    from taskkit_tui.viewmodel.forms.new_task import NewTask
    from taskkit_tui.viewmodel.forms.schedule_preview import SchedulePreview

_STORE_CLOSE_SECONDS: Final = 0.5
"""Time limit for closing the store, however long the runs took."""

READ_SECONDS: Final = 0.01
"""Time for reading changed tasks in one look of the app: a key that comes meanwhile waits no longer."""

_PART: Final = 250
"""Tasks that are read at once. The scheduler's lock is held for some milliseconds meanwhile."""

_logger = logging.getLogger("taskkit")


class Bridge:
    """A backend around a scheduler of this process. Commands answer at once, unless they are to many tasks.

    Args:
        scheduler: Started by `open()` unless it is started already, and then stopped by `close()`.
        task_classes: The classes from which a person can make new tasks.
        prefilled: What a form proposes for constructor parameters of these names, whatever their defaults.
        inbox: Where lines, failures and notices wait, if others than the scheduler put some there.
        follower: Keeps the scheduler as a task file says, from `open()` to `close()`.
        store: Saves the state. `open()` attaches it unless it is attached already; then `close()` closes it.
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
        self._operations = Operations(scheduler, task_classes=task_classes, prefilled=prefilled, store=store)
        self._inbox = Inbox() if inbox is None else inbox
        self._follower = follower
        self._store = store
        self._watch: Watch | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._started_here = False
        self._attached_here = False
        self._has_looked = False
        self._complaint = ""

    def open(self) -> None:
        """Begin to listen, restore the saved state, and start the scheduler if it is not started."""
        self._watch = self._scheduler.watch()
        self._unsubscribe = self._scheduler.subscribe(self._inbox.put)
        if self._store is not None:
            if not self._store.is_attached:
                self._store.attach(self._scheduler)
                self._attached_here = True
            self._operations.registered_by_hand.update(self._store.restore())
        if not self._scheduler.is_running:
            self._scheduler.start()
            self._started_here = True
        if self._follower is not None:
            self._follower.watch()

    def close(self, timeout: float) -> Sequence[str]:
        """Stop what was started here, within `timeout` seconds. Any thread; may be called twice."""
        deadline = monotonic() + timeout
        if self._follower is not None:
            self._follower.close()
        abandoned = self._scheduler.stop(timeout) if self._started_here else []
        if self._follower is not None:
            self._follower.finish_hooks(max(0.0, deadline - monotonic()))
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        if self._store is not None and self._attached_here:
            self._store.close(max(_STORE_CLOSE_SECONDS, deadline - monotonic()))
        return abandoned

    @property
    def leaving_stops_runs(self) -> bool:
        """True if the scheduler was started here."""
        return self._started_here

    @property
    def trouble(self) -> str | None:
        """The reason why nothing can be stored at present; None if it can, or without a store."""
        return None if self._store is None else self._store.trouble

    @property
    def file_trouble(self) -> str | None:
        """The problem with the task file at present; None if there is none."""
        return self._inbox.file_trouble

    @property
    def connection(self) -> str:
        """Empty: the scheduler is in this process."""
        return ""

    @property
    def is_connected(self) -> bool:
        """True: the scheduler is in this process."""
        return True

    def source(self, name: str) -> str:
        """Return who registered a task: `program` or `file`; empty for a person."""
        if name in self._operations.registered_by_hand:
            return ""
        return "program" if self._follower is None else "file"

    def attach_to(self, key: str | None) -> bool:  # noqa: ARG002 - nothing is ever asked
        """Do nothing: the scheduler is in this process."""
        return True

    def collect(self) -> Frame:
        """Return what has happened since the last call, at most as much as can be read in a moment.

        The first call returns little more than the rows of a screen, so that these are soon seen.
        """
        if self._watch is None:
            raise SchedulerStoppedError
        lines, dropped, failures, notices = self._inbox.take()
        changes = self._changes(self._watch) if self._has_looked else self._watch.collect(_PART)
        self._has_looked = True
        return Frame(changes, lines, dropped, failures, notices, has_more=changes.rest > 0)

    def _changes(self, watch: Watch) -> Changes:
        enough = monotonic() + READ_SECONDS
        part = watch.collect(_PART)
        if not part.rest:
            return part
        changed = {task.number: task for task in part.changed}
        gone = {*part.gone}
        while part.rest and monotonic() < enough:
            part = watch.collect(_PART)
            changed.update((task.number, task) for task in part.changed)
            gone.update(part.gone)
        for number in gone:
            changed.pop(number, None)
        return Changes(part.figures, tuple(changed.values()), tuple(gone), part.rest)

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
        """Return what is stored of a task's past, newest first; empty without a store. Any thread."""
        if self._store is None:
            return ()
        from taskkit.store import StoreError

        try:
            return self._store.history(
                name, limit=limit, before=before, search=search, kinds=kinds, should_continue=should_continue
            )
        except StoreError as error:
            complaint = str(error)
            if complaint != self._complaint:  # the same question comes again and again
                self._complaint = complaint
                _logger.warning("%s", complaint)
            return ()

    # Commands: they answer at once, unless they are to many tasks.

    async def run(self, names: Sequence[str], parameters: Mapping[str, object]) -> Answer:
        """Run tasks now; those that run already run once more afterwards."""
        return await carry_out(lambda: self._operations.run(names, parameters), len(names))

    async def stop(self, names: Sequence[str]) -> Answer:
        """Ask runs to stop."""
        return await carry_out(lambda: self._operations.stop(names), len(names))

    async def abandon(self, names: Sequence[str]) -> Answer:
        """Give up runs that were asked to stop and have not ended. Cannot be undone."""
        return self._operations.abandon(names)

    async def disable(self, names: Sequence[str]) -> Answer:
        """Disable tasks: nothing is due until they are enabled."""
        return await carry_out(lambda: self._operations.disable(names), len(names))

    async def disable_until(self, names: Sequence[str], typed: str) -> Answer:
        """Disable tasks until a time, as a person types it; then they are enabled automatically.

        Raises:
            ValueError: It is not a time, or has passed; the message says why, in words.
        """
        until = future_time(typed, self._scheduler.now)
        return await carry_out(lambda: self._operations.disable(names, until=until), len(names))

    async def enable(self, names: Sequence[str]) -> Answer:
        """Enable tasks."""
        return await carry_out(lambda: self._operations.enable(names), len(names))

    async def set_periods(self, periods: Mapping[str, float]) -> Answer:
        """Change periods, in seconds by the names of tasks."""
        return await carry_out(lambda: self._operations.set_periods(periods), len(periods))

    async def reschedule(self, names: Sequence[str], typed: str) -> Answer:
        """Give tasks another schedule, which counts from now.

        Raises:
            ValueError: It is not a schedule, or never due.
        """
        schedule = self._read(typed)
        return await carry_out(lambda: self._operations.reschedule(names, schedule), len(names))

    async def drop_override(self, names: Sequence[str]) -> Answer:
        """Put tasks back on the schedules that the program or a file registered."""
        return await carry_out(lambda: self._operations.drop_override(names), len(names))

    async def unregister(self, names: Sequence[str]) -> Answer:
        """Unregister tasks. Cannot be undone."""
        answer = await carry_out(lambda: self._operations.unregister(names), len(names))
        self._operations.registered_by_hand.difference_update(answer.names)
        return answer

    async def register(self, new: NewTask) -> Answer:
        """Register a new task; it replaces one of the same name, and then it cannot be undone.

        Raises:
            Exception: The constructor of the task, or the scheduler, refuses it.
        """
        return self._operations.register(new.offer, new.texts, new.name, self._read(new.schedule.text))

    async def pause(self) -> Answer:
        """Pause the whole scheduler.

        Raises:
            SchedulerStoppedError: It has stopped.
        """
        return self._operations.pause()

    async def resume(self) -> Answer:
        """Resume the whole scheduler.

        Raises:
            SchedulerStoppedError: It has stopped.
        """
        return self._operations.resume()

    async def undo(self, token: str) -> Answer:
        """Undo a change.

        Raises:
            UndoError: It cannot be undone any more; the message says why.
        """
        return await carry_out(lambda: self._operations.undo(token), self._operations.tasks_of(token))

    async def describe(self, name: str) -> TaskDetails | None:
        """Return everything about one task; None if it is gone."""
        return self._operations.describe(name)

    async def due_times_with(self, name: str, seconds: float, count: int) -> Sequence[float] | None:
        """Return up to `count` due times that a task would have with another period, in epoch seconds."""
        return self._operations.due_times_with(name, seconds, count)

    async def preview(
        self, typed: str, count: int, *, at_once: bool, name: str | None = None
    ) -> SchedulePreview:
        """Return how a typed schedule is read, with up to `count` due times.

        Raises:
            ValueError: It is not a schedule; the message says why, in words.
        """
        from taskkit.schedules.typed_schedule import preview
        from taskkit_tui.viewmodel.forms.schedule_preview import SchedulePreview

        schedule = self._read(typed)
        limits = self._operations.limits(name, schedule)
        due_times = preview(schedule, self._scheduler.now, count, at_once=at_once, limits=limits)
        return SchedulePreview(schedule_words(schedule), due_times)

    def _read(self, typed: str) -> Schedule:
        # A person types a schedule long after the first paint.
        from taskkit.schedules.typed_schedule import read_schedule

        try:
            return read_schedule(typed, self._scheduler.now)
        except TypeError as error:
            raise ValueError(str(error)) from error

    async def preview_time(self, typed: str) -> float:
        """Return how a typed future time is read, in epoch seconds.

        Raises:
            ValueError: It is not a time, or has passed; the message says why, in words.
        """
        return future_time(typed, self._scheduler.now)

    async def offers(self) -> Sequence[Offer]:
        """Return the task classes from which a person can make tasks."""
        return self._operations.offers()
