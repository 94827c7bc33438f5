"""From what a command line names to a scheduler, or to clear lines that say why not, and to its state."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import isabstract, isfunction, signature
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from taskkit.command import CommandTask
from taskkit.errors import TaskkitError
from taskkit.plain_text import cut_end, harmless
from taskkit.scheduler import Scheduler
from taskkit.task import Task

if TYPE_CHECKING:
    from taskkit.taskfile import Reload, TaskFileFollower

TASK_FILE_ENDING: Final = ".toml"

_LONGEST_REASON: Final = 300
_LONGEST_NAME: Final = 60
_NO_FILE_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")


class TargetError(TaskkitError):
    """The target gives no scheduler. The message is one harmless line; only a task file gives several."""

    def __init__(self, *lines: str) -> None:
        self.lines: Final = lines
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Target:
    """What a command line names, loaded. Nothing is started."""

    text: str
    """As it was given."""
    scheduler: Scheduler
    classes: tuple[type[Task], ...] = ()
    """The task classes that new tasks can be made of."""
    follower: TaskFileFollower | None = None
    """What keeps the scheduler as its task file says; `None` for a target in a module."""


def load_target(
    text: str, *, on_reload: Callable[[Reload], object] | None = None, remembers: bool = False
) -> Target:
    """The scheduler that `package.module:attribute` names, or one with the tasks of a `.toml` file.

    The attribute is a `Scheduler`, or a function without arguments that makes one. The current folder is
    importable.

    Args:
        text: The target.
        on_reload: See `TaskFileFollower`; only for a file.
        remembers: See `TaskFileFollower`: whether a store will be attached to the scheduler.

    Raises:
        TargetError: There is none; or importing, calling or reading it raised something, `SystemExit`
            included.
    """
    check_target(text)
    if is_task_file(text):
        return _load_file(text, on_reload, remembers)
    module_name, _, attribute = text.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    module = _guarded(lambda: importlib.import_module(module_name), f"cannot import {_said(module_name)}")
    found = module
    parts = attribute.split(".")
    for left, part in zip(range(len(parts), 0, -1), parts, strict=True):
        try:
            found = getattr(found, part)
        except AttributeError:
            names = _scheduler_names(found) if left == 1 else _offered_names(found)
            perhaps = get_close_matches(part, names, 1)
            remedy = f"; did you mean {_said(perhaps[0])}?" if perhaps else ""
            raise TargetError(f"{_said(module_name)} has no attribute {_said(attribute)}{remedy}") from None
    return Target(text, scheduler_from(found, text), offered_classes(module))


def check_target(text: str) -> None:
    """See that `text` has the form of a target, whether or not there is such a one.

    Raises:
        TargetError: It has not; the message says what to write, or which task file was perhaps meant.
    """
    if is_target(text):
        return
    for path in (f"{text}{TASK_FILE_ENDING}", os.path.join(text, f"tasks{TASK_FILE_ENDING}")):  # noqa: PTH118
        if text and os.path.isfile(path):  # noqa: PTH113 - which raises nothing
            raise TargetError(f"{_said(text)} is no target; did you mean {_said(path)}?")
    raise TargetError(
        f"{_said(text)} is no target: write package.module:attribute, where the attribute is a "
        f"Scheduler or a function that makes one, or the path of a {TASK_FILE_ENDING} file"
    )


def is_target(text: str) -> bool:
    """Whether `text` has the form of a target."""
    module_name, colon, attribute = text.partition(":")
    return is_task_file(text) or bool(colon and module_name and attribute)


def is_task_file(text: str) -> bool:
    """Whether a target is the path of a task file."""
    return text.endswith(TASK_FILE_ENDING)


def state_path(text: str) -> Path:
    """Where the state of a target is kept unless somebody says otherwise; the folder need not exist.

    In the platform's folder for state: `$XDG_STATE_HOME` or `~/.local/state`, on macOS `~/Library/Application
    Support`. The name is readable, and is another for each task file, or target and current folder.

    Raises:
        TargetError: There is no home folder.
    """
    import hashlib  # it loads a library that nothing else needs

    if is_task_file(text):
        meant = os.path.realpath(text)
        name = f"{Path(meant).parent.name}-{Path(meant).stem}"
    else:
        meant = f"{Path.cwd()}\n{text}"
        name = text
    readable = _NO_FILE_NAME.sub("-", name).strip("-.")[:_LONGEST_NAME] or "tasks"
    digest = hashlib.sha256(meant.encode(errors="surrogateescape")).hexdigest()[:12]
    return _state_folder() / "taskkit" / f"{readable}-{digest}.sqlite"


def usable_state_path(text: str) -> Path:
    """The same place, its folder made.

    Raises:
        TargetError: It cannot be used; the message says why.
    """
    path = state_path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"cannot make {harmless(str(path.parent))}: {error.strerror}") from error
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise TargetError(f"cannot write in {harmless(str(path.parent))}")
    return path


def _state_folder() -> Path:
    given = os.environ.get("XDG_STATE_HOME", "")
    if given and Path(given).is_absolute():  # the standard says to ignore any other
        return Path(given)
    try:
        home = Path.home()
    except RuntimeError:
        raise TargetError("there is no home folder to keep the state in") from None
    return home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".local" / "state"


def offered_classes(module: object) -> tuple[type[Task], ...]:
    """The task classes that new tasks can be made of.

    Those that the module lists as `task_classes`; else those whose names are in its `__all__`; else all that
    stand in it under a public name. Abstract ones, without a `run` of their own, are left out.
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
    """`found` itself if it is a scheduler, else what it makes; of one of `taskkit.webware` what it wraps.

    Raises:
        TargetError: It is, or makes, something else; or calling it raised.
    """
    if (scheduler := _scheduler(found)) is not None:
        return scheduler
    if not callable(found) or isinstance(found, type):
        raise TargetError(f"{_said(target)} is {_a_kind_of(found)}, not a Scheduler or a function")
    made = _guarded(found, f"calling {_said(target)} failed")
    if (scheduler := _scheduler(made)) is None:
        raise TargetError(f"{_said(target)} made {_a_kind_of(made)}, not a Scheduler")
    return scheduler


def _scheduler(found: object) -> Scheduler | None:
    webware = sys.modules.get("taskkit.webware.scheduler")  # there, if anything of it is
    if webware is not None and isinstance(found, webware.Scheduler):
        found = found.modern
    return found if isinstance(found, Scheduler) else None


def _load_file(text: str, on_reload: Callable[[Reload], object] | None, remembers: bool) -> Target:
    from taskkit.taskfile import TaskFileError, TaskFileFollower

    scheduler = Scheduler()
    follower = TaskFileFollower(scheduler, text, on_reload, remembers=remembers)
    try:
        _guarded(follower.load, f"cannot load {_said(text)}")
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
        words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise TargetError(f"{what}: {_said(words, quoted=False)}") from error


def _offered_names(found: object) -> list[str]:
    return [name for name in getattr(found, "__dict__", {}) if not name.startswith("_")]


def _scheduler_names(found: object) -> list[str]:
    return [name for name in _offered_names(found) if _may_give_a_scheduler(getattr(found, name, None))]


def _may_give_a_scheduler(found: object) -> bool:
    """Whether it is one, or a function that by its signature can make one."""
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


def _said(text: str, *, quoted: bool = True) -> str:
    shown = cut_end(harmless(" ".join(text.split("\n"))), _LONGEST_REASON)
    return f"“{shown}”" if quoted else shown
