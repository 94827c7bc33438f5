"""Follow a task file: register its tasks, and do what changes when it is edited."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

from taskkit.errors import SchedulerStoppedError
from taskkit.executor import Executor
from taskkit.process.forks import reset_in_child
from taskkit.scheduler import Scheduler
from taskkit.schedules import After, Every, Once, Schedule
from taskkit.spec import Recipe, TaskSpec
from taskkit.task import TaskLike, check_task
from taskkit.taskfile.body import COMMAND
from taskkit.taskfile.executor_keys import EXECUTOR, EXECUTORS, ExecutorSpec
from taskkit.taskfile.file_watch import ChangeDetector, FileChange, Ticker, stamp_of
from taskkit.taskfile.hook_keys import Hooks
from taskkit.taskfile.hooks import HookRunner
from taskkit.taskfile.import_checks import error_line, make_importable
from taskkit.taskfile.problems import Problem, TaskFileError
from taskkit.taskfile.reader import TaskFile, read_task_file
from taskkit.taskfile.reload import Difference, Reload

CLOSE_SECONDS: Final = 3.0
"""The longest time for which `close()` waits for a reload in progress."""

_logger = logging.getLogger("taskkit")


class TaskFileFollower:
    """Registers the tasks of a file, and keeps the scheduler in step with the file. Thread-safe.

    A task whose lines are unchanged is not touched: its run continues, and its due times stay, as does
    whatever a person has changed about it meanwhile. A broken file changes nothing.

    Args:
        scheduler: The scheduler to register the tasks with.
        path: The file; see `read_task_file`.
        on_reload: Called with the result of each reload, on the thread that did it. Its exceptions are
            logged.
        remembers: True if the scheduler knows from its saved state which tasks are done. Otherwise `load`
            leaves out tasks whose one time has passed, as they would run once more after each restart.
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
        self._executors: dict[str, ExecutorSpec] = {}
        self._changes = ChangeDetector()
        self._ticker: Ticker | None = None
        self._file_hooks: Mapping[str, Hooks] = {}
        self._hooks = HookRunner(scheduler)
        reset_in_child(self, TaskFileFollower._renew)

    def _renew(self) -> None:
        """Start over in a forked child: the thread that watches, and the hooks that run, are the parent's."""
        self._lock = threading.Lock()
        self._ticker = None
        self._hooks = HookRunner(self._scheduler)

    def load(self) -> Reload:
        """Read the file and register its tasks, before or after the scheduler is started.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            SchedulerStoppedError: The scheduler was stopped.
            TaskFileError: The file is broken, or one of its tasks cannot be made. Then nothing is registered.
        """
        self._scheduler.refuse_if_forked()
        with self._lock:
            return self._follow(leave_out_passed=not self._remembers)

    def reload(self) -> Reload:
        """Read the file again, and apply the differences. A broken file changes nothing.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
            SchedulerStoppedError: The scheduler was stopped.
        """
        self._scheduler.refuse_if_forked()
        try:
            with self._lock:
                reload = self._follow(leave_out_passed=True)
        except TaskFileError as error:
            reload = self._refusal(error.problems)
        self._tell(reload)
        return reload

    def watch(self) -> None:
        """Reload the file after each change, on a thread of its own, until `close` is called. Run its hooks.

        A change is noticed within a second or so. Deleting the file changes nothing.

        Raises:
            ForkedSchedulerError: This is a forked child, and the scheduler runs in its parent.
        """
        self._scheduler.refuse_if_forked()
        with self._lock:
            if self._ticker is None:
                self._hooks.use(self._file_hooks)
                self._ticker = Ticker(self._poll, f"follows {self._name}")

    def close(self) -> None:
        """Stop watching. The tasks stay as they are."""
        with self._lock:
            ticker, self._ticker = self._ticker, None
        if ticker is not None:
            ticker.close(CLOSE_SECONDS)

    def finish_hooks(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for hooks that run, and kill those that still run then.

        Call it after the scheduler was stopped, as its last runs may have hooks too.
        """
        self._hooks.wait(timeout)

    def _poll(self) -> bool:
        """Check the file once. Returns whether to continue."""
        with self._lock:
            change = self._changes.compare(stamp_of(self._path))
        try:
            if change is FileChange.CHANGED:
                self.reload()
            elif change is FileChange.GONE:
                message = "the file is gone; its tasks stay as they were"
                self._tell(self._refusal([Problem(self._name, None, "", None, message)]))
        except SchedulerStoppedError:
            return False
        except Exception:
            _logger.exception("%s could not be reloaded; its next change will be", self._name)
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
            _logger.exception("on_reload of %s raised", name)

    def _follow(self, *, leave_out_passed: bool) -> Reload:
        """Read the file, compare, make the tasks, and only then register them. Call it with `_lock` held."""
        self._changes.remember(stamp_of(self._path))
        known = set(self._scheduler.executor_names) - self._executors.keys()
        file = read_task_file(self._path, name=self._name, executors=known)
        after = {spec.name: spec for spec in file.specs}
        difference = Difference.between(self._loaded, after)
        touched = {spec.name for spec in (*difference.added, *difference.changed)}
        to_register = [spec for spec in _in_order(file.specs) if spec.name in touched]
        passed = self._passed(to_register) if leave_out_passed else frozenset()
        executors = self._make_executors(file)
        made = _make_all(
            file, [spec for spec in to_register if spec.name not in passed], self._scheduler, executors
        )
        for name in executors:
            self._scheduler.set_executor(name, executors[name])
        self._executors = dict(file.executors)
        gone = {*difference.removed, *(spec.name for spec in difference.changed if spec.name in passed)}
        for name in self._loaded:
            if name in gone:
                self._scheduler.unregister_task(name)
        for spec in made:
            self._scheduler.add_spec(replace(spec, schedule=self._in_step(spec)))
        for spec in difference.switched:
            self._scheduler.declare_enabled(spec.name, spec.enabled)
        self._loaded = after
        self._file_hooks = file.hooks
        if self._ticker is not None:
            self._hooks.use(file.hooks)
        different = {spec.name for spec in (*difference.changed, *difference.switched)}
        return Reload(
            added=tuple(spec.name for spec in difference.added),
            changed=tuple(name for name in after if name in different),
            removed=difference.removed,
            unchanged=difference.unchanged,
            passed=tuple(name for name in after if name in passed),
        )

    def _make_executors(self, file: TaskFile) -> dict[str, Executor]:
        """Make the executors of the file that are new or changed.

        Raises:
            TaskFileError: The package that one needs is not installed.
        """
        made = {}
        problems = []
        for name, spec in file.executors.items():
            if self._executors.get(name) == spec:
                continue
            try:
                made[name] = spec.make()
            except Exception as error:  # noqa: BLE001 - an import may raise anything
                problems.append(file.source.problem((EXECUTORS, name), error_line(error)))
        if problems:
            raise TaskFileError(problems)
        return made

    def _passed(self, specs: Iterable[TaskSpec]) -> frozenset[str]:
        """Return the names of the tasks whose one time has passed."""
        at = {spec.name: spec.schedule.at for spec in specs if isinstance(spec.schedule, Once)}
        if not at:
            return frozenset()
        now = self._scheduler.snapshot().figures.time
        return frozenset(name for name, time in at.items() if time is not None and time <= now)

    def _in_step(self, spec: TaskSpec) -> Schedule:
        """Return the schedule to register; a period continues from the last due time of the old one.

        So a task that runs every six hours does not run at once because its timeout was changed.
        """
        schedule = spec.schedule
        if spec.name not in self._loaded or not isinstance(schedule, Every):
            return schedule
        due = self._scheduler.due_times_with(spec.name, schedule.period, 1)
        if not due and schedule.fixed_delay and spec.name in self._scheduler.running:
            due = [self._scheduler.now + schedule.period]
        return Every(schedule.period, due[0], fixed_delay=schedule.fixed_delay) if due else schedule


def _in_order(specs: Sequence[TaskSpec]) -> list[TaskSpec]:
    """Return the specs, each after those that it follows, and else in their order.

    Where chains have changed, none of them closes a cycle with one that is still to be replaced.
    """
    by_name = {spec.name: spec for spec in specs}
    ordered: dict[str, TaskSpec] = {}

    def add(spec: TaskSpec) -> None:
        waiting = [spec]
        while waiting:
            last = waiting[-1]
            names = last.schedule.names if isinstance(last.schedule, After) else ()
            first = next((by_name[name] for name in names if name in by_name and name not in ordered), None)
            if first is None:
                ordered[last.name] = waiting.pop()
            else:
                waiting.append(first)

    for spec in specs:
        if spec.name not in ordered:
            add(spec)
    return list(ordered.values())


@dataclass(frozen=True, slots=True)
class _MadeRecipe(Recipe):
    """A recipe whose task is made already: once, and before the scheduler is changed."""

    body: TaskLike | None = None

    def make(self) -> TaskLike:
        return cast(TaskLike, self.body)


def _make_all(
    file: TaskFile, specs: Iterable[TaskSpec], scheduler: Scheduler, executors: Mapping[str, Executor]
) -> list[TaskSpec]:
    """Return the specs with their tasks made.

    Args:
        file: The file that they are from.
        specs: The tasks to make.
        scheduler: The scheduler that they will be registered with.
        executors: The executors that it will be given.

    Raises:
        TaskFileError: Some tasks cannot be made, or cannot run on their executor.
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
        except BaseException as error:  # noqa: BLE001 - a constructor may raise anything, even `SystemExit`
            key = ("tasks", spec.name, "command" if recipe.path == COMMAND else "run")
            problems.append(file.source.problem(key, error_line(error), recipe.path))
        else:
            made.append(replace(spec, recipe=_MadeRecipe(recipe.path, recipe.arguments, body)))
            try:
                scheduler.check_executor(executors.get(spec.executor or "", spec.executor), body, recipe)
            except (TypeError, ValueError) as error:
                problems.append(file.source.problem(("tasks", spec.name, EXECUTOR), str(error)))
    if problems:
        raise TaskFileError(problems)
    return made
