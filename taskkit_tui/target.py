"""From what the command line names to a scheduler, or to one clear line that says why not."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from inspect import isabstract
from pathlib import Path
from types import ModuleType

from taskkit import Scheduler, Task
from taskkit_tui.formatting import harmless, shorten_end

_LONGEST_REASON = 300


class TargetError(Exception):
    """The target gives no scheduler. The message is one harmless line for a person."""


def load_target(target: str) -> Scheduler:
    """The scheduler that `package.module:attribute` names.

    The attribute is a `Scheduler`, or a function without arguments that makes one. The current folder is
    importable.

    Raises:
        TargetError: There is none, or importing or calling it raised something, `SystemExit` included.
    """
    module_name, colon, attribute = target.partition(":")
    if not colon or not module_name or not attribute:
        raise TargetError(
            f"{_said(target)} is no target: write package.module:attribute, where the attribute is a "
            "Scheduler or a function that makes one"
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    module = _guarded(lambda: importlib.import_module(module_name), f"cannot import {_said(module_name)}")
    found = module
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise TargetError(f"{_said(module_name)} has no attribute {_said(attribute)}") from None
    return scheduler_from(found, target)


def offered_classes(module: ModuleType | None) -> tuple[type[Task], ...]:
    """The task classes that new tasks can be made of.

    Those that the module lists as `task_classes`; else those whose names are in its `__all__`; else all that
    stand in it under a public name. Abstract ones are left out.
    """
    listed = getattr(module, "task_classes", None)
    found = listed if isinstance(listed, list | tuple) else _public(module)
    own = [each for each in found if isinstance(each, type) and issubclass(each, Task) and each is not Task]
    return tuple(dict.fromkeys(each for each in own if not isabstract(each)))


def _public(module: ModuleType | None) -> list[object]:
    if module is None:
        return []
    listed = getattr(module, "__all__", None)
    if isinstance(listed, list | tuple):
        return [vars(module).get(name) for name in listed]
    return [value for name, value in vars(module).items() if not name.startswith("_")]


def scheduler_from(found: object, target: str) -> Scheduler:
    """`found` itself if it is a scheduler, else what it makes.

    Raises:
        TargetError: It is, or makes, something else; or calling it raised.
    """
    if isinstance(found, Scheduler):
        return found
    if not callable(found) or isinstance(found, type):
        raise TargetError(f"{_said(target)} is a {type(found).__name__}, not a Scheduler or a function")
    made = _guarded(found, f"calling {_said(target)} failed")
    if not isinstance(made, Scheduler):
        raise TargetError(f"{_said(target)} made a {type(made).__name__}, not a Scheduler")
    return made


def _guarded(call: Callable[[], object], what: str) -> object:
    try:
        return call()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise TargetError(f"{what}: {_said(words, quoted=False)}") from error


def _said(text: str, *, quoted: bool = True) -> str:
    shown = shorten_end(harmless(" ".join(text.split("\n"))), _LONGEST_REASON)
    return f"“{shown}”" if quoted else shown
