"""A scheduler that does what a file says, also after the file was edited."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

from taskkit.errors import SchedulerStoppedError
from taskkit.scheduler import Scheduler
from taskkit.schedules import Every, Once, Schedule
from taskkit.spec import Recipe, TaskSpec
from taskkit.task import TaskLike, check_task
from taskkit.taskfile.body import COMMAND
from taskkit.taskfile.check import make_importable, told
from taskkit.taskfile.problems import Problem, TaskFileError
from taskkit.taskfile.read import TaskFile, read_task_file
from taskkit.taskfile.reload import Difference, Reload
from taskkit.taskfile.watch import FileChange, Looks, Ticker, look_at

CLOSE_TIMEOUT: Final = 3.0
"""Seconds that `close()` waits for a reload that goes on."""

_logger = logging.getLogger("taskkit")


class TaskFileFollower:
    """Registers the tasks of a file, and does what changes when the file does. Thread-safe.

    A task whose lines are as they were is not touched: its run goes on, its due times stay, and so does what
    a person has changed about it meanwhile. A file that is broken changes nothing.

    Args:
        scheduler: Whom to give the tasks to.
        path: Of the file; see `read_task_file`.
        on_reload: Called with what came of each reload, on the thread that did it. What it raises is logged.
        remembers: The scheduler remembers from an earlier life which tasks are done. Otherwise `load` leaves
            out those whose one time has passed, as after each restart they would run once more.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        path: str | os.PathLike[str],
        on_reload: Callable[[Reload], object] | None = None,
        *,
        remembers: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._name = os.fspath(path)
        self._path = Path(path).absolute()  # a task may change the current folder
        self._on_reload = on_reload
        self._remembers = remembers
        self._lock = threading.Lock()  # one reload at a time; it guards what follows
        self._loaded: dict[str, TaskSpec] = {}
        self._looks = Looks()
        self._ticker: Ticker | None = None

    def load(self) -> Reload:
        """Read the file and register its tasks, before or after the scheduler is started.

        Raises:
            SchedulerStoppedError: The scheduler was stopped.
            TaskFileError: The file is broken, or one of its tasks cannot be made. Nothing is registered.
        """
        with self._lock:
            return self._follow(leave_out_passed=not self._remembers)

    def reload(self) -> Reload:
        """Read the file again, and do what is different. A file that is broken changes nothing.

        Raises:
            SchedulerStoppedError: The scheduler was stopped.
        """
        try:
            with self._lock:
                reload = self._follow(leave_out_passed=True)
        except TaskFileError as error:
            reload = self._refusal(error.problems)
        self._tell(reload)
        return reload

    def watch(self) -> None:
        """Reload the file whenever it was changed, on a thread of its own, until `close` is called.

        A change is noticed within a second or so. A file that is deleted changes nothing.
        """
        with self._lock:
            if self._ticker is None:
                self._ticker = Ticker(self._look, f"follows {self._name}")

    def close(self) -> None:
        """Watch no more. The tasks stay as they are."""
        with self._lock:
            ticker, self._ticker = self._ticker, None
        if ticker is not None:
            ticker.close(CLOSE_TIMEOUT)

    def _look(self) -> bool:
        """One look at the file. Answers whether to look again."""
        with self._lock:
            change = self._looks.compare(look_at(self._path))
        try:
            if change is FileChange.CHANGED:
                self.reload()
            elif change is FileChange.GONE:
                message = "the file is gone; its tasks go on as they were"
                self._tell(self._refusal([Problem(self._name, None, "", None, message)]))
        except SchedulerStoppedError:
            return False
        except Exception:
            _logger.exception("%s could not be followed, and will be with its next change", self._name)
        return True

    def _refusal(self, problems: Sequence[Problem]) -> Reload:
        return Reload(unchanged=tuple(self._loaded), problems=tuple(problems))

    def _tell(self, reload: Reload) -> None:
        name = self._name
        if reload.problems:
            lines = "".join(f"\n  {problem}" for problem in reload.problems)
            _logger.warning("%s: nothing is changed:%s", name, lines)
        elif reload.changes_anything:
            _logger.info("%s: %s", name, reload)
        if self._on_reload is None:
            return
        try:
            self._on_reload(reload)
        except Exception:
            _logger.exception("what is called after a reload of %s raised", name)

    def _follow(self, *, leave_out_passed: bool) -> Reload:
        """Read, compare, make, and only then register. Under the lock of this follower."""
        self._looks.know(look_at(self._path))
        file = read_task_file(self._path, name=self._name)
        after = {spec.name: spec for spec in file.specs}
        difference = Difference.between(self._loaded, after)
        touched = {spec.name for spec in (*difference.added, *difference.changed)}
        to_register = [spec for spec in file.specs if spec.name in touched]
        passed = self._passed(to_register) if leave_out_passed else frozenset()
        made = _make_all(file, [spec for spec in to_register if spec.name not in passed])
        gone = {*difference.removed, *(spec.name for spec in difference.changed if spec.name in passed)}
        for name in self._loaded:
            if name in gone:
                self._scheduler.unregister_task(name)
        for spec in made:
            self._scheduler.add_spec(replace(spec, schedule=self._in_step(spec)))
        for spec in difference.switched:
            self._scheduler.declare_enabled(spec.name, spec.enabled)
        self._loaded = after
        different = {spec.name for spec in (*difference.changed, *difference.switched)}
        return Reload(
            added=tuple(spec.name for spec in difference.added),
            changed=tuple(name for name in after if name in different),
            removed=difference.removed,
            unchanged=difference.unchanged,
            passed=tuple(name for name in after if name in passed),
        )

    def _passed(self, specs: Iterable[TaskSpec]) -> frozenset[str]:
        """The names of those that were for one time, which is over."""
        at = {spec.name: spec.schedule.at for spec in specs if isinstance(spec.schedule, Once)}
        if not at:
            return frozenset()
        now = self._scheduler.snapshot().figures.time
        return frozenset(name for name, time in at.items() if time is not None and time <= now)

    def _in_step(self, spec: TaskSpec) -> Schedule:
        """Its schedule; if it takes the place of another period, counted from where that one stands.

        So a task that runs every six hours does not run at once because somebody has changed its timeout.
        """
        schedule = spec.schedule
        if spec.name not in self._loaded or not isinstance(schedule, Every):
            return schedule
        due = self._scheduler.due_times_with(spec.name, schedule.period, 1)
        return Every(schedule.period, due[0]) if due else schedule


@dataclass(frozen=True, slots=True)
class _Made(Recipe):
    """A recipe that was followed already, so that its task is made once, and before anything is changed."""

    body: TaskLike | None = None

    def make(self) -> TaskLike:
        return cast(TaskLike, self.body)


def _make_all(file: TaskFile, specs: Iterable[TaskSpec]) -> list[TaskSpec]:
    """The same specs, with their tasks made.

    Raises:
        TaskFileError: Some cannot be made.
    """
    specs = list(specs)
    if any(spec.recipe.path != COMMAND for spec in specs):
        make_importable(file.folder)
    made: list[TaskSpec] = []
    problems: list[Problem] = []
    for spec in specs:
        recipe = spec.recipe
        try:
            body = recipe.make()
            check_task(body)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - foreign code may raise anything, `SystemExit` included
            key = ("tasks", spec.name, "command" if recipe.path == COMMAND else "run")
            problems.append(file.source.problem(key, told(error), recipe.path))
        else:
            made.append(replace(spec, recipe=_Made(recipe.path, recipe.arguments, body)))
    if problems:
        raise TaskFileError(problems)
    return made
