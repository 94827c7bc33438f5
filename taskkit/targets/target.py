"""Load the target of a command line: a scheduler in a module or a task file, and the path of its state."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import isabstract, isfunction, signature
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from taskkit._helpers.user_frames import error_words, raised_at
from taskkit.command import CommandTask
from taskkit.errors import TaskkitError
from taskkit.scheduler import Scheduler
from taskkit.targets.suggestions import target_meant
from taskkit.targets.webware_imports import webware_imports
from taskkit.task import Task
from taskkit.words.plain_text import cut_end, harmless

if TYPE_CHECKING:
    from taskkit.taskfile import Reload, TaskFileFollower

TASK_FILE_ENDING: Final = ".toml"

_LONGEST_REASON: Final = 300
_SQLITE: Final = b"SQLite format 3\0"


class TargetError(TaskkitError):
    """A target gives no scheduler. The message is one harmless line; for a task file it may be several."""

    def __init__(self, *lines: str) -> None:
        self.lines: Final = lines
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Target:
    """A loaded target. Its scheduler is not started."""

    text: str
    """The target as it was typed."""
    scheduler: Scheduler
    classes: tuple[type[Task], ...] = ()
    """The task classes from which a person can make new tasks."""
    follower: TaskFileFollower | None = None
    """The follower of the task file; `None` for a target in a module."""


def load_target(
    text: str, *, on_reload: Callable[[Reload], object] | None = None, remembers: bool = False
) -> Target:
    """Load the scheduler that `package.module:attribute` names, or one with the tasks of a `.toml` file.

    The attribute is a `Scheduler`, or a function without arguments that makes one. Modules in the current
    folder can be imported.

    Args:
        text: The target as it was typed.
        on_reload: See `TaskFileFollower`; for a task file only.
        remembers: True if a store will be attached to the scheduler; see `TaskFileFollower`.

    Raises:
        TargetError: There is no such scheduler; or importing, calling or reading it raised an exception,
            `SystemExit` included.
    """
    check_target(text)
    if is_task_file(text):
        return _load_file(text, on_reload, remembers)
    module_name, _, attribute = text.partition(":")
    importable_here()
    with webware_imports():
        return _load_attribute(text, _imported(text, module_name), attribute)


def _imported(text: str, module_name: str) -> object:
    what = f"cannot import {_shown(module_name)}"
    try:
        return _guarded(lambda: importlib.import_module(module_name), what)
    except TargetError as error:
        missing = error.__cause__
        if not isinstance(missing, ModuleNotFoundError) or raised_at(missing) is not None:
            raise
        perhaps = _perhaps(text)
        raise TargetError(f"{error}{perhaps}") from missing


def _load_attribute(text: str, module: object, attribute: str) -> Target:
    module_name = text.partition(":")[0]
    found = module
    parts = attribute.split(".")
    for left, part in zip(range(len(parts), 0, -1), parts, strict=True):
        try:
            found = getattr(found, part)
        except AttributeError:
            names = _scheduler_names(found) if left == 1 else _offered_names(found)
            perhaps = get_close_matches(part, names, 1)
            remedy = f"; did you mean {_shown(perhaps[0])}?" if perhaps else ""
            raise TargetError(f"{_shown(module_name)} has no attribute {_shown(attribute)}{remedy}") from None
    return Target(text, scheduler_from(found, text), offered_classes(module))


def importable_here() -> None:
    """Make modules in the current folder importable, before others of the same name."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def check_target(text: str) -> None:
    """Raise unless `text` has the form of a target. It need not exist.

    Raises:
        TargetError: The message says what to write, or suggests the target that was meant.
    """
    if is_target(text):
        return
    for path in (f"{text}{TASK_FILE_ENDING}", os.path.join(text, f"tasks{TASK_FILE_ENDING}")):  # noqa: PTH118
        if text and os.path.isfile(path):  # noqa: PTH113 - which raises nothing
            raise TargetError(f"{_shown(text)} is not a target; did you mean {_shown(path)}?")
    near = _near_file(text)
    if near is not None:
        raise TargetError(f"{_shown(text)} is not a target; did you mean {_shown(near)}?")
    if _is_state(text):
        raise TargetError(f"{_shown(text)} is a state file, not a target; write --state before it")
    if perhaps := _perhaps(text):
        raise TargetError(f"{_shown(text)} is not a target{perhaps}")
    raise TargetError(
        f"{_shown(text)} is not a target: write package.module:attribute, where the attribute is a "
        f"Scheduler or a function that makes one, or the path of a {TASK_FILE_ENDING} file"
    )


def _near_file(text: str) -> str | None:
    """Return a task file of a similar name, if the ending is misspelt too."""
    folder, name = os.path.split(text)
    if "." not in name or name.endswith(".py"):
        return None
    try:
        there = [each for each in os.listdir(folder or ".") if each.endswith(TASK_FILE_ENDING)]  # noqa: PTH208
    except (OSError, ValueError):
        return None
    return next((os.path.join(folder, each) for each in get_close_matches(name, there, 1, 0.75)), None)  # noqa: PTH118


def _is_state(text: str) -> bool:
    """True if `text` is the path of an SQLite file, such as that of a store."""
    try:
        with Path(text).open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except (OSError, ValueError):
        return False


def is_target(text: str) -> bool:
    """True if `text` has the form of a target."""
    module_name, colon, attribute = text.partition(":")
    return is_task_file(text) or bool(colon and module_name and attribute)


def is_task_file(text: str) -> bool:
    """True if a target is the path of a task file."""
    return text.endswith(TASK_FILE_ENDING)


def offered_classes(module: object) -> tuple[type[Task], ...]:
    """Return the task classes of a module from which a person can make new tasks.

    These are the classes in its `task_classes`; or else those named in its `__all__`; or else all with a
    public name. Abstract ones, without a `run` of their own, are left out.
    """
    listed = getattr(module, "task_classes", None)
    return _made_of(listed if isinstance(listed, list | tuple) else _public(module))


def _made_of(found: list[object] | tuple[object, ...]) -> tuple[type[Task], ...]:
    own = [each for each in found if isinstance(each, type) and issubclass(each, Task)]
    return tuple(dict.fromkeys(each for each in own if each.run is not Task.run and not isabstract(each)))


def _public(module: object) -> list[object]:
    if not isinstance(module, ModuleType):
        return []
    listed = getattr(module, "__all__", None)
    if isinstance(listed, list | tuple):
        return [vars(module).get(name) for name in listed]
    return [value for name, value in vars(module).items() if not name.startswith("_")]


def scheduler_from(found: object, target: str) -> Scheduler:
    """Return `found` if it is a scheduler, or else what it makes; for one of `taskkit.webware` what it wraps.

    Raises:
        TargetError: It is, or makes, something else; or calling it raised an exception.
    """
    if (scheduler := _scheduler(found)) is not None:
        return scheduler
    if not callable(found) or isinstance(found, type):
        raise TargetError(f"{_shown(target)} is {_a_kind_of(found)}, not a Scheduler or a function")
    made = _guarded(found, f"calling {_shown(target)} failed")
    if (scheduler := _scheduler(made)) is None:
        raise TargetError(f"{_shown(target)} made {_a_kind_of(made)}, not a Scheduler")
    return scheduler


def _scheduler(found: object) -> Scheduler | None:
    webware = sys.modules.get("taskkit.webware.scheduler")  # loaded, if any such object exists
    if webware is not None and isinstance(found, webware.Scheduler):
        found = found.modern
    return found if isinstance(found, Scheduler) else None


def _load_file(text: str, on_reload: Callable[[Reload], object] | None, remembers: bool) -> Target:
    from taskkit.taskfile import TaskFileError, TaskFileFollower

    scheduler = Scheduler()
    follower = TaskFileFollower(scheduler, text, on_reload, remembers=remembers)
    try:
        _guarded(follower.load, f"cannot load {_shown(text)}")
    except TargetError as error:
        if isinstance(error.__cause__, TaskFileError):
            raise TargetError(*map(str, error.__cause__.problems)) from error.__cause__
        raise
    tasks = [view[name].task for view in (scheduler.scheduled, scheduler.on_demand) for name in view]
    return Target(text, scheduler, _made_of([CommandTask, *map(type, tasks)]), follower)


def _guarded(call: Callable[[], object], what: str) -> object:
    try:
        return call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        words, place = error_words(error), raised_at(error)
        where = "" if place is None else f" ({_shown(place, quoted=False)})"
        raise TargetError(f"{what}: {_shown(words, quoted=False)}{where}") from error


def _perhaps(text: str) -> str:
    """Return the end of a message: the target that was perhaps meant; empty if there is none."""
    meant = target_meant(text)
    if meant is None or f"{meant.module}:{meant.attribute}" == text:
        return ""
    where = "" if meant.folder is None else f", in the folder {_shown(meant.folder, quoted=False)}"
    if meant.attribute is None:
        name = _shown(meant.module, quoted=False)
        return f": write {name}:NAME{where}, where NAME is a Scheduler in it or a function that makes one"
    return f"; did you mean {_shown(f'{meant.module}:{meant.attribute}')}{where}?"


def _offered_names(found: object) -> list[str]:
    return [name for name in getattr(found, "__dict__", {}) if not name.startswith("_")]


def _scheduler_names(found: object) -> list[str]:
    return [name for name in _offered_names(found) if _may_give_a_scheduler(getattr(found, name, None))]


def _may_give_a_scheduler(found: object) -> bool:
    """True if it is a scheduler, or a function that can make one by its signature."""
    if not isfunction(found):
        return _scheduler(found) is not None
    try:
        made = signature(found)
        made.bind()
    except Exception:  # noqa: BLE001 - it needs arguments; or its hints, evaluated late, raise anything
        return False
    hint = made.return_annotation
    if hint is made.empty or (isinstance(hint, type) and issubclass(hint, Scheduler)):
        return True
    return "Scheduler" in (hint if isinstance(hint, str) else getattr(hint, "__name__", ""))


def _a_kind_of(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def _shown(text: str, *, quoted: bool = True) -> str:
    shown = cut_end(harmless(" ".join(text.split("\n"))), _LONGEST_REASON)
    return f"“{shown}”" if quoted else shown
