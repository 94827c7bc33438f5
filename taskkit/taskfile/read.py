"""From a file to the tasks in it, or to everything that is wrong with it. Nothing is imported or run."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unicodedata import category

from taskkit.plain_text import cut_end
from taskkit.policies import Policies
from taskkit.spec import TaskSpec
from taskkit.taskfile.body import read_recipe
from taskkit.taskfile.line_numbers import key_lines
from taskkit.taskfile.problems import (
    LONGEST_MESSAGE,
    Problem,
    Source,
    TaskFileError,
    UnreadableTaskFileError,
    nearest,
)
from taskkit.taskfile.table import Table
from taskkit.taskfile.when import read_schedule, read_zone

MOST_BYTES: Final = 1024 * 1024
"""The largest file that is read."""

FILE_KEYS: Final = ("tasks", "timezone")
TASK_KEYS: Final = (
    *("run", "args", "command", "cwd", "env"),
    *("every", "daily", "cron", "at", "on_demand", "timezone"),
    *("timeout", "retries", "retry_delay", "jitter", "max_runs", "catch_up"),
    *("enabled", "description"),
)

_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")
_TWICE: Final = re.compile(r"Cannot (?:declare|mutate|overwrite|redefine)")


@dataclass(frozen=True, slots=True)
class TaskFile:
    """The tasks that a file holds."""

    path: Path
    """Absolute."""
    specs: tuple[TaskSpec, ...]
    """In the order of the file."""
    source: Source = field(repr=False, compare=False)
    """Where each of them stands."""

    @property
    def folder(self) -> Path:
        """That of the file: commands run there, and modules there can be imported."""
        return self.path.parent


def read_task_file(path: str | os.PathLike[str], *, name: str | None = None) -> TaskFile:
    """Read a file of tasks, and check all that can be checked without importing anything.

    Args:
        path: Of a TOML file; see `docs/tasks-file.md` for what it may hold.
        name: What to call it where something is wrong; `None` for the path as it is given.

    Raises:
        TaskFileError: It cannot be read (`UnreadableTaskFileError`), or something in it is wrong; it names
            everything that is.
        TypeError: `path` is not a path.
    """
    given = os.fspath(path)
    if not isinstance(given, str):
        raise TypeError(f"path must be a text or a path, not {path!r}")
    name = given if name is None else name
    text = _text(given, name)
    document = _document(name, text)
    source = Source(name, key_lines(text))
    absolute = Path(os.path.abspath(given))  # noqa: PTH100 - `..` of a link is where a person sees it
    problems: list[Problem] = []
    specs = _specs(Table(source, (), document, problems), absolute.parent)
    if problems:
        raise TaskFileError(sorted(problems, key=lambda problem: problem.line or 0))
    return TaskFile(absolute, specs, source)


def _text(path: str, name: str) -> str:
    """What the file holds, its lines ended by newlines only."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISREG(mode):
            with Path(path).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(name, "there is no such file", _neighbour(name)) from None
    except (OSError, ValueError) as error:  # not allowed; a NUL in the name
        raise _unreadable(name, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(mode):
        raise _unreadable(name, "is a folder, not a file" if stat.S_ISDIR(mode) else "is not a regular file")
    if len(data) > MOST_BYTES:
        raise _failure(name, f"is larger than {MOST_BYTES // 1024} kB, which no file of tasks is")
    if b"\0" in data:
        raise _failure(name, "is no text in UTF-8: it has NUL bytes, as one in UTF-16 has")
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
        raise _failure(name, f"is no TOML: {words}", line) from None


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


def _specs(document: Table, folder: Path) -> tuple[TaskSpec, ...]:
    document.refuse_unknown(FILE_KEYS, "a file of tasks")
    zone = read_zone(document)
    tasks = document.table("tasks")
    if tasks is None:
        if "tasks" not in document and "tasks" not in document.perhaps:
            document.wrong(None, "has no tasks: write [tasks.NAME], and below it what it does and when")
        return ()
    specs = [_spec(tasks, name, folder, zone) for name in tasks.data]
    return tuple(spec for spec in specs if spec is not None)


def _spec(tasks: Table, name: str, folder: Path, zone: str | None) -> TaskSpec | None:
    if not name:
        tasks.wrong(name, "the name of a task must not be empty")
    elif any(category(character) == "Cc" for character in name):
        tasks.wrong(name, "the name of a task must not have control characters")
    table = tasks.table(name)
    if table is None:
        return None
    table.refuse_unknown(TASK_KEYS, "a task")
    schedule = read_schedule(table, zone)
    recipe = read_recipe(table, folder)
    policies = _policies(table)
    enabled = table.flag("enabled")
    if schedule is None or recipe is None:
        return None
    return TaskSpec(name, schedule, recipe, Policies(**policies), enabled is not False)


def _policies(table: Table) -> Mapping[str, Any]:
    given: dict[str, object] = {
        "timeout": table.seconds("timeout", positive=True),
        "retries": table.whole("retries", least=0),
        "retry_delay": table.seconds("retry_delay"),
        "jitter": table.seconds("jitter"),
        "max_runs": table.whole("max_runs", least=1),
        "catch_up": table.flag("catch_up"),
        "description": table.text("description", "a text"),
    }
    return {key: value for key, value in given.items() if value is not None}
