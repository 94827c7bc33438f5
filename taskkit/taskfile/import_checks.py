"""Check that the modules, programs and folders that a task file names exist, without running them."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any, Final

from taskkit._helpers.user_frames import error_words, raised_at
from taskkit.process.child_identity import ChildIdentity
from taskkit.process.variables import has_reference
from taskkit.schedules import After
from taskkit.spec import TaskSpec
from taskkit.task import Task
from taskkit.taskfile.body import COMMAND, runs_in_a_shell_without_pipefail
from taskkit.taskfile.hook_keys import NO_HOOKS
from taskkit.taskfile.problems import LONGEST_MESSAGE, KeyPath, Problem, nearest
from taskkit.taskfile.reader import TaskFile
from taskkit.words.name_forms import ShownNames
from taskkit.words.plain_text import cut_end, harmless

_NO_PIPE: Final = re.compile(
    r"""'[^']*(?:'|$) | "(?:[^"\\]|\\.)*(?:"|$) | \\. | (?:^|(?<=[\s;&|()]))\#[^\n]* | \|\| | >\|""",
    re.VERBOSE | re.DOTALL,
)
"""Parts of a command in which `|` is not a pipe: quoted, escaped, a comment, `||`, and `>|`."""


_BARE_VARIABLE: Final = re.compile(r"(?<!\$)\$([A-Za-z_]\w*)")


def check_recipes(file: TaskFile, *, imports: bool = False) -> tuple[Problem, ...]:
    """Look for the folders and programs of commands, and for the modules of classes and functions.

    Args:
        file: The file, as `read_task_file` has read it.
        imports: Import the modules too, which runs their top level, and check that each has the named class
            or function, and that it takes the arguments. It is never called. This puts the folder of the file
            on `sys.path`. Without it, modules are searched for, but not imported.

    Returns:
        The problems, in the order of the file.
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
        problems += _hook_problems(file, spec)
    return tuple(dict.fromkeys(problems))  # what is wrong with a default is so for each task


def find_hints(file: TaskFile) -> tuple[Problem, ...]:
    """Return what is allowed but may be a mistake, in the order of the file.

    These are pipelines of which only the last part counts, names that look the same, variables in `env` that
    nothing replaces, and tasks that are followed and are not in the file.
    """
    names = ShownNames(spec.name for spec in file.specs)
    known = [spec.name for spec in file.specs]
    hints = (
        hint
        for spec in file.specs
        for hint in (*_hints(file, spec, names), *_followed_hints(file, spec, known))
    )
    return tuple(dict.fromkeys(hints))


def _followed_hints(file: TaskFile, spec: TaskSpec, known: list[str]) -> Iterator[Problem]:
    """Yield a hint for each task that it follows and that the file does not have."""
    schedule = spec.schedule
    for name in schedule.names if isinstance(schedule, After) else ():
        if name not in known:
            message = f"no task of this file is called {name!r}, so it waits until there is one"
            yield file.source.problem(("tasks", spec.name, "after"), message, suggestion=nearest(name, known))


def _hints(file: TaskFile, spec: TaskSpec, names: ShownNames) -> Iterator[Problem]:
    key = ("tasks", spec.name)
    if names.of(spec.name) != harmless(spec.name):
        yield file.source.problem(key, f"another name looks the same; this one is {names.of(spec.name)}")
    command = str(spec.recipe.arguments.get("command"))
    if runs_in_a_shell_without_pipefail(spec.recipe) and _has_a_pipeline(command):
        message = 'a pipeline fails only if its last part does; with shell = "bash -o pipefail -c"'
        yield file.source.problem((*key, "command"), f"{message} it fails if any does")

    env = spec.recipe.arguments.get("env")
    for name, value in env.items() if isinstance(env, dict) else ():
        found = _BARE_VARIABLE.search(value)
        if found is not None:
            message = f"${found[1]} stays as it is; ${{{found[1]}}} is replaced by the value of the variable"
            yield file.source.problem((*key, "env", name), message)


def _has_a_pipeline(command: str) -> bool:
    return "|" in _NO_PIPE.sub(" ", command)


def make_importable(folder: Path) -> None:
    """Put `folder` first on `sys.path`, unless it is there already."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _command_problems(file: TaskFile, spec: TaskSpec) -> Iterator[Problem]:
    """Check what a command needs, as far as no variable has to be replaced before."""
    given: Mapping[str, Any] = spec.recipe.arguments
    command, key = given["command"], ("tasks", spec.name)
    cwd = str(given.get("cwd", file.folder))
    if has_reference(cwd):
        return
    if not os.path.isdir(cwd):  # noqa: PTH112 - a text
        yield file.source.problem((*key, "cwd"), "there is no such folder", cwd)
        return
    env_file = str(given.get("env_file", ""))
    if env_file and not has_reference(env_file) and not os.path.isfile(env_file):  # noqa: PTH113 - a text
        yield file.source.problem((*key, "env_file"), "there is no such file", env_file)
    identity = ChildIdentity(given.get("user"), given.get("umask"), given.get("nice"))
    for name, check in (("user", identity.account), ("nice", identity.check_nice)):
        try:
            check()
        except (ValueError, PermissionError) as error:
            message = str(error).removeprefix(f"{name} ").removesuffix(f", not {given[name]!r}")
            yield file.source.problem((*key, name), message, given[name])
    if isinstance(command, list):
        yield from _program_problems(file, (*key, "command"), str(command[0]), cwd, given)
    elif shell := str(given.get("shell", "")):
        yield from _program_problems(file, (*key, "shell"), shlex.split(shell)[0], cwd, given)


def _hook_problems(file: TaskFile, spec: TaskSpec) -> Iterator[Problem]:
    """Look for the programs of hooks that are lists."""
    hooks = file.hooks.get(spec.name, NO_HOOKS)
    for name, given in (("on_failure", hooks.on_failure), ("on_recovery", hooks.on_recovery)):
        if given is not None and isinstance(command := given["command"], list):
            cwd = str(given.get("cwd", file.folder))
            yield from _program_problems(file, ("tasks", spec.name, name), str(command[0]), cwd, given)


def _program_problems(
    file: TaskFile, key: KeyPath, program: str, cwd: str, given: Mapping[str, Any]
) -> Iterator[Problem]:
    if not has_reference(cwd) and not has_reference(program):
        env = given.get("env")
        search = env.get("PATH") if isinstance(env, dict) else None
        path = os.path.join(cwd, program) if os.path.dirname(program) else program  # noqa: PTH118, PTH120
        if not has_reference(search or "") and shutil.which(path, path=search) is None:
            yield file.source.problem(key, "there is no such program", program)


def _module_problems(file: TaskFile, spec: TaskSpec) -> Iterator[Problem]:
    module = spec.recipe.path.partition(":")[0]
    missing = _missing_module(module, str(file.folder))
    if missing is not None:
        key = ("tasks", spec.name, "run")
        meant = _module_meant(spec.recipe.path, file.folder)
        yield file.source.problem(key, f"there is no module {missing}", spec.recipe.path, meant)


def _missing_module(name: str, folder: str) -> str | None:
    """Return the first part of a dotted name that cannot be found; `None` if all exist, or may exist.

    Without importing a package, its modules can be searched for only if it is an ordinary package.
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
        yield file.source.problem(key, error_line(error), path, meant)
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
    """Return the suggestion for a misspelt module in the folder."""
    module, _, attribute = path.partition(":")
    there = [each.stem for each in folder.glob("*.py")]
    meant = None if module in there else nearest(module, there)
    return None if meant is None else f'"{meant}:{attribute}"'


def _attribute_meant(path: str, error: BaseException) -> str | None:
    """Return the suggestion for an attribute that a module does not have."""
    module_name, _, attribute = path.partition(":")
    module = sys.modules.get(module_name)
    if module is None or not isinstance(error, ImportError) or "." in attribute:
        return None
    meant = nearest(attribute, (name for name in vars(module) if not name.startswith("_")))
    return None if meant is None else f'"{module_name}:{meant}"'


def _why_no_task(found: object) -> str | None:
    if isinstance(found, type):
        if not issubclass(found, Task):
            return "is a class, but not a taskkit.Task"
        if inspect.isabstract(found):
            return "is an abstract class"
        return "is a Task without a run() of its own" if found.run is Task.run else None
    if not callable(found) and not isinstance(found, Task):
        return f"is a {type(found).__name__}, not a Task or something to call"
    return None


def _argument_problems(file: TaskFile, spec: TaskSpec, found: object) -> Iterator[Problem]:
    """Check the arguments against the signature."""
    try:
        parameters = inspect.signature(found).parameters  # type: ignore[arg-type]
    except (TypeError, ValueError):  # some callables written in C have no signature
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


def error_line(error: BaseException) -> str:
    """Return an exception as one line, with the place in the user's code that raised it."""
    place, words = raised_at(error), error_words(error)
    if isinstance(error, ImportError):
        words = words.partition(": ")[2] or words
    return words if place is None else f"{cut_end(words, LONGEST_MESSAGE - len(place) - 3)} ({place})"
