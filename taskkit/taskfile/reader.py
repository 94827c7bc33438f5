"""Read a task file: return its tasks, or everything that is wrong with it. Nothing is imported or run."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from time import time
from typing import Any, Final
from unicodedata import category

from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.jitter import Jitter, read_jitter
from taskkit.policies import Overlap, Policies
from taskkit.schedules import After
from taskkit.schedules.after import find_cycle
from taskkit.schedules.queries import WHY_AT_MOST, shortest_distance
from taskkit.spec import TaskSpec
from taskkit.taskfile.body import COMMAND_KEYS, read_recipe, read_shell
from taskkit.taskfile.defaults import Defaults
from taskkit.taskfile.executor_keys import (
    BUILT_IN,
    EXECUTOR,
    EXECUTORS,
    ExecutorSpec,
    read_executor,
    read_executors,
)
from taskkit.taskfile.hook_keys import HOOK_KEYS, NO_HOOKS, Hooks, read_hooks
from taskkit.taskfile.limit_keys import LIMIT_KEYS, read_limits
from taskkit.taskfile.line_numbers import key_lines
from taskkit.taskfile.problems import (
    LONGEST_MESSAGE,
    Problem,
    TaskFileError,
    TaskFileText,
    UnreadableTaskFileError,
    nearest,
)
from taskkit.taskfile.schedule_keys import read_schedule, read_zone
from taskkit.taskfile.toml_table import TomlTable
from taskkit.words.durations import in_words
from taskkit.words.plain_text import cut_end

MAX_BYTES: Final = 1024 * 1024
"""The largest file that is read."""

FILE_KEYS: Final = ("tasks", "timezone", "shell", "defaults")
POLICY_KEYS: Final = (
    *("timeout", "retries", "retry_delay", "jitter", "max_runs", "catch_up", "overlap"),
    *LIMIT_KEYS,
    *HOOK_KEYS,
)
TASK_KEYS: Final = (
    *("run", "args", "command", *COMMAND_KEYS),
    *("every", "daily", "cron", "at", "after", "on_demand", "timezone", "fixed_delay", "on"),
    *POLICY_KEYS,
    *("enabled", "description"),
)

_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")
_TWICE: Final = re.compile(r"Cannot (?:declare|mutate|overwrite|redefine)")


@dataclass(frozen=True, slots=True)
class TaskFile:
    """The tasks in a file."""

    path: Path
    """The absolute path of the file."""
    specs: tuple[TaskSpec, ...]
    """The tasks, in the order of the file."""
    source: TaskFileText = field(repr=False, compare=False)
    """The line numbers of the file, for problems that are found later."""
    executors: Mapping[str, ExecutorSpec] = field(default_factory=FrozenDict)
    """The executors of `[executors.NAME]`, by name."""
    hooks: Mapping[str, Hooks] = field(default_factory=FrozenDict)
    """The hooks of the tasks that have some, by the names of the tasks."""

    @property
    def folder(self) -> Path:
        """The folder of the file: commands run there, and modules there can be imported."""
        return self.path.parent


def read_task_file(
    path: str | os.PathLike[str], *, name: str | None = None, executors: Iterable[str] = ()
) -> TaskFile:
    """Read a task file, and check everything that can be checked without importing anything.

    Args:
        path: A TOML file; `docs/tasks-file.md` lists its keys.
        name: The name of the file in messages; `None` for the path as it is given.
        executors: Names of executors that the program has, besides those that are built in or in the file.

    Raises:
        TaskFileError: The file cannot be read (`UnreadableTaskFileError`), or something in it is wrong. The
            error lists all problems.
        TypeError: `path` is not a path.
    """
    given = os.fspath(path)
    if not isinstance(given, str):
        raise TypeError(f"path must be a text or a path, not {path!r}")
    name = given if name is None else name
    text = _text(given, name)
    document = _document(name, text)
    source = TaskFileText(name, key_lines(text))
    absolute = Path(os.path.abspath(given))  # noqa: PTH100 - `..` of a link is where a person sees it
    problems: list[Problem] = []
    table = TomlTable(source, (), document, problems)
    own = read_executors(table, absolute.parent)
    specs, hooks = _tasks(table, absolute.parent, {*BUILT_IN, *own, *executors})
    if problems:
        # What is wrong with a default is found with each task that has it.
        raise TaskFileError(sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))
    return TaskFile(absolute, specs, source, own, FrozenDict(hooks))


def example_text() -> str:
    """Return a commented file of tasks to start from. It runs unchanged on any POSIX machine."""
    return files("taskkit.taskfile").joinpath("example.toml").read_text(encoding="utf-8")


def _text(path: str, name: str) -> str:
    """Return the text of the file, with lines ended by newlines only."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISREG(mode):
            with Path(path).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(name, "there is no such file", _neighbour(name)) from None
    except (OSError, ValueError) as error:  # not allowed; a NUL in the name
        raise _unreadable(name, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(mode):
        raise _unreadable(name, "is a folder, not a file" if stat.S_ISDIR(mode) else "is not a regular file")
    if len(data) > MAX_BYTES:
        raise _failure(name, f"is larger than {MAX_BYTES // 1024} kB, the limit for a task file")
    if b"\0" in data:
        raise _failure(name, "is not text in UTF-8: it has NUL bytes, as one in UTF-16 has")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _failure(name, f"is not UTF-8: it has the byte 0x{data[error.start]:02x}", line) from None


def _document(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _failure(name, "is nested too deeply") from None
    except ValueError as error:  # `tomllib`'s own, or a number of thousands of digits
        words, line = str(error), None
        if place := _PLACE.search(words):
            words = words[: place.start()]
            line = int(place[1]) if place[1] else text.count("\n", 0, len(text.rstrip())) + 1
        if _TWICE.match(words):
            words = f"something is defined twice: {words[0].lower()}{words[1:]}"
        raise _failure(name, f"is not valid TOML: {words}", line) from None


def _failure(name: str, message: str, line: int | None = None) -> TaskFileError:
    return TaskFileError([Problem(name, line, "", None, cut_end(message, LONGEST_MESSAGE))])


def _unreadable(name: str, message: str, suggestion: str | None = None) -> TaskFileError:
    return UnreadableTaskFileError([Problem(name, None, "", None, message, suggestion)])


def _neighbour(name: str) -> str | None:
    folder, base = os.path.split(name)
    try:
        there = [each for each in os.listdir(folder or ".") if each.endswith(".toml") and each != base]  # noqa: PTH208
    except (OSError, ValueError):
        return None
    meant = nearest(base, there)
    return None if meant is None else os.path.join(folder, meant)  # noqa: PTH118 - as it was given


def _tasks(
    document: TomlTable, folder: Path, executors: Collection[str]
) -> tuple[tuple[TaskSpec, ...], dict[str, Hooks]]:
    """Return the tasks, and the hooks of those that have some."""
    document.refuse_unknown((*FILE_KEYS, EXECUTORS), "a file of tasks")
    zone, shell = read_zone(document), read_shell(document)
    defaults = Defaults(document, POLICY_KEYS)
    _policies(defaults.table)  # so that what is wrong there is reported even if no task has it
    read_executor(defaults.table, executors)
    read_recipe(defaults.of_a_command(), folder, shell)
    reader = _TaskReader(folder, defaults.zone or zone, shell, defaults, executors, {})
    tasks = document.table("tasks")
    if tasks is None:
        if "tasks" not in document and "tasks" not in document.suggested:
            document.wrong(None, "has no tasks: write [tasks.NAME], and below it what it does and when")
        return (), {}
    specs = [reader.read(tasks, name) for name in tasks.data]
    found = tuple(spec for spec in specs if spec is not None)
    _refuse_cycles(tasks, found)
    return found, reader.hooks


def _refuse_cycles(tasks: TomlTable, specs: tuple[TaskSpec, ...]) -> None:
    """Add a problem for each task that would wait for itself."""
    followed = {spec.name: spec.schedule.names for spec in specs if isinstance(spec.schedule, After)}
    reported: set[str] = set()
    for name, names in followed.items():
        cycle = None if name in reported else find_cycle(name, names, followed)
        if cycle is not None:
            reported.update(cycle)
            table = tasks.table(name)
            assert table is not None
            table.wrong("after", f"makes the task wait for itself: {' → '.join(reversed(cycle))}")


@dataclass(frozen=True, slots=True)
class _TaskReader:
    """Reads the tables of tasks, with what holds for the whole file."""

    folder: Path
    zone: str | None
    shell: str | None
    defaults: Defaults
    executors: Collection[str]
    """The names of the executors that there are."""
    hooks: dict[str, Hooks]
    """Filled as the tasks are read."""

    def read(self, tasks: TomlTable, name: str) -> TaskSpec | None:
        """Return a task; `None` if something is wrong with it."""
        if not name:
            tasks.wrong(name, "the name of a task must not be empty")
        elif any(category(character) == "Cc" for character in name):
            tasks.wrong(name, "the name of a task must not have control characters")
        table = tasks.table(name)
        if table is None:
            return None
        table.refuse_unknown((*TASK_KEYS, EXECUTOR), "a task")
        table = self.defaults.below(table)
        schedule = read_schedule(table, self.zone)
        recipe = read_recipe(table, self.folder, self.shell)
        policies = _policies(table)
        enabled = table.flag("enabled")
        executor = read_executor(table, self.executors)
        if schedule is None or recipe is None:
            return None
        hooks = read_hooks(table, self.folder, recipe)
        if hooks is not NO_HOOKS:
            self.hooks[name] = hooks
        limits = read_limits(table, schedule, self.zone)
        if limits is None:
            return None
        policies = {**policies, **limits}
        jitter = policies.get("jitter", 0.0)
        jitter = jitter.seconds if isinstance(jitter, Jitter) else jitter
        if jitter and jitter > (most := shortest_distance(schedule, time())):
            if table.is_inherited("jitter"):
                del policies["jitter"]
            else:
                words = f"must be at most {in_words(most)}, {WHY_AT_MOST}"
                table.wrong("jitter", words, table.data["jitter"])
                return None
        return TaskSpec(name, schedule, recipe, Policies(**policies), enabled is not False, executor)


def _jitter(table: TomlTable) -> float | Jitter | None:
    value = table.data.get("jitter")
    if not isinstance(value, str) or not value.strip().startswith("fixed"):
        return table.seconds("jitter")
    try:
        return read_jitter(value)
    except ValueError as error:
        table.wrong("jitter", f'must be a span such as "20m" or "fixed:20m": {error}', value)
        return None


def _policies(table: TomlTable) -> Mapping[str, Any]:
    given: dict[str, object] = {
        "timeout": table.seconds("timeout", positive=True),
        "retries": table.whole("retries", least=0),
        "retry_delay": table.seconds("retry_delay"),
        "jitter": _jitter(table),
        "max_runs": table.whole("max_runs", least=1),
        "catch_up": table.flag_or_seconds("catch_up"),
        "overlap": table.choice("overlap", [each.value for each in Overlap]),
        "description": table.text("description", "a text"),
    }
    return {key: value for key, value in given.items() if value is not None}
