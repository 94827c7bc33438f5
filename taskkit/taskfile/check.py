"""Whether what the tasks of a file name is there: more than reading tells, and yet nothing of it is run."""

from __future__ import annotations

import inspect
import os
import shutil
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from taskkit.spec import TaskSpec
from taskkit.task import Task
from taskkit.taskfile.body import COMMAND
from taskkit.taskfile.problems import Problem, nearest
from taskkit.taskfile.read import TaskFile


def check_recipes(file: TaskFile, *, imports: bool = False) -> tuple[Problem, ...]:
    """Look for the folders and programs of commands, and for the modules of classes and functions.

    Args:
        file: As `read_task_file` has read it.
        imports: Import the modules too, which runs what stands in them, and see whether each has what is
            named and would take its arguments. It is called in no case. The folder of the file is put on
            `sys.path` then. Without it, the modules are looked for, and not imported.

    Returns:
        What is wrong, in the order of the file.
    """
    if imports:
        make_importable(file.folder)
    problems: list[Problem] = []
    for spec in file.specs:
        if spec.recipe.path == COMMAND and "command" in spec.recipe.arguments:
            problems += _command_problems(file, spec)
        elif imports:
            problems += _import_problems(file, spec)
        else:
            problems += _module_problems(file, spec)
    return tuple(problems)


def make_importable(folder: Path) -> None:
    """Let modules in `folder` be imported, before others of the same name. Once is enough."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _command_problems(file: TaskFile, spec: TaskSpec) -> Iterator[Problem]:
    command, cwd = spec.recipe.arguments["command"], str(spec.recipe.arguments.get("cwd", file.folder))
    key = ("tasks", spec.name)
    if not os.path.isdir(cwd):  # noqa: PTH112 - a text
        yield file.source.problem((*key, "cwd"), "there is no such folder", cwd)
    elif isinstance(command, list):
        program = str(command[0])
        env = spec.recipe.arguments.get("env")
        search = env.get("PATH") if isinstance(env, dict) else None
        path = os.path.join(cwd, program) if os.path.dirname(program) else program  # noqa: PTH118, PTH120
        if shutil.which(path, path=search) is None:
            yield file.source.problem((*key, "command"), "there is no such program", program)


def _module_problems(file: TaskFile, spec: TaskSpec) -> Iterator[Problem]:
    module = spec.recipe.path.partition(":")[0]
    missing = _missing_module(module, str(file.folder))
    if missing is not None:
        key = ("tasks", spec.name, "run")
        meant = _module_meant(spec.recipe.path, file.folder)
        yield file.source.problem(key, f"there is no module {missing}", spec.recipe.path, meant)


def _missing_module(name: str, folder: str) -> str | None:
    """The first part of a dotted name that cannot be found; `None` if there is none, or nobody can tell.

    What is in a package can be looked for without importing it only where the package is an ordinary one.
    """
    if name in sys.modules:
        return None
    top, *rest = name.split(".")
    spec = _top_spec(top, folder)
    if spec is None:
        return top
    for part in rest:
        if spec.loader is None or not spec.submodule_search_locations:
            return None
        try:
            found = PathFinder.find_spec(f"{spec.name}.{part}", list(spec.submodule_search_locations))
        except KeyError:  # a folder without an `__init__` in a package that is not imported
            return None
        if found is None:
            return f"{spec.name}.{part}"
        spec = found
    return None


def _top_spec(name: str, folder: str) -> ModuleSpec | None:
    spec = PathFinder.find_spec(name, [folder])
    for finder in () if spec is not None else sys.meta_path:
        spec = spec or finder.find_spec(name, None)
    return spec


def _import_problems(file: TaskFile, spec: TaskSpec) -> Iterator[Problem]:
    path = spec.recipe.path
    key = ("tasks", spec.name, "run")
    try:
        found = spec.recipe.find()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a module may raise anything, `SystemExit` included
        meant = _attribute_meant(path, error) or _module_meant(path, file.folder)
        yield file.source.problem(key, told(error), path, meant)
        return
    why_not = _why_no_task(found)
    if why_not is not None:
        yield file.source.problem(key, why_not, path)
    elif not isinstance(found, Task) and callable(found):
        yield from _argument_problems(file, spec, found)
    elif spec.recipe.arguments:
        key = ("tasks", spec.name, "args")
        yield file.source.problem(key, f"{path} is a task already, and takes no arguments")


def _module_meant(path: str, folder: Path) -> str | None:
    """What was perhaps meant, if it is a module in the folder that is misspelt."""
    module, _, attribute = path.partition(":")
    there = [each.stem for each in folder.glob("*.py")]
    meant = None if module in there else nearest(module, there)
    return None if meant is None else f'"{meant}:{attribute}"'


def _attribute_meant(path: str, error: BaseException) -> str | None:
    """What was perhaps meant by an attribute that a module does not have."""
    module_name, _, attribute = path.partition(":")
    module = sys.modules.get(module_name)
    if module is None or not isinstance(error, ImportError) or "." in attribute:
        return None
    meant = nearest(attribute, (name for name in vars(module) if not name.startswith("_")))
    return None if meant is None else f'"{module_name}:{meant}"'


def _why_no_task(found: object) -> str | None:
    if isinstance(found, type):
        if not issubclass(found, Task):
            return "is a class, but no taskkit.Task"
        if inspect.isabstract(found):
            return "is an abstract class"
        return "is a Task without a run() of its own" if found.run is Task.run else None
    if not callable(found) and not isinstance(found, Task):
        return f"is a {type(found).__name__}, not a Task or something to call"
    return None


def _argument_problems(file: TaskFile, spec: TaskSpec, found: object) -> Iterator[Problem]:
    """What the signature has against the arguments."""
    try:
        parameters = inspect.signature(found).parameters  # type: ignore[arg-type]
    except (TypeError, ValueError):  # it has none to be read, as some that are written in C
        return
    key = ("tasks", spec.name, "args")
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    given = spec.recipe.arguments
    for name in given:
        if name not in named and not takes_any:
            meant = nearest(name, named)
            message = f"{spec.recipe.path} takes no such argument"
            yield file.source.problem((*key, name), message, suggestion=meant)
    for name, parameter in named.items():
        if name not in given and parameter.default is parameter.empty:
            where = key if given else ("tasks", spec.name, "run")
            yield file.source.problem(where, f"{spec.recipe.path} needs the argument {name}")


def told(error: BaseException) -> str:
    """An exception in a line."""
    try:
        words = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - an exception of somebody's own, which fails to tell itself
        words = ""
    if isinstance(error, ImportError) and words:
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
