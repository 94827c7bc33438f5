"""The keys that say what a task of the file does: `run`, a class or function to import, or `command`."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import Any, Final

from taskkit.command import CommandTask
from taskkit.process.variables import has_reference
from taskkit.spec import Recipe
from taskkit.taskfile.problems import KeyPath
from taskkit.taskfile.toml_table import MAX_WHOLE, TomlTable

BODY_KEYS: Final = ("run", "command")
COMMAND_KEYS: Final = ("cwd", "env", "env_file", "shell", "tty", "nice", "umask", "user")
"""The keys that belong to a command."""
COMMAND: Final = "taskkit:CommandTask"
"""The import path of the class of all tasks that are commands."""

_IMPORT_PATH: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_WITHOUT_COLON: Final = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)\.([^\W\d]\w*)")
_MAX_NESTED: Final = 20
_SHELLS: Final = ("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish")
_TAKES_A_LINE: Final = re.compile(r"-\w*c")


def read_recipe(table: TomlTable, folder: Path, shell: str | None = None) -> Recipe | None:
    """Return the recipe of a task's body; `None` if something is wrong with it.

    Args:
        table: The task's table, after `refuse_unknown()`.
        folder: The folder of the file, where commands run.
        shell: Runs the lines for the shell of a task that names no shell.
    """
    if "run" in table and "command" in table:
        table.wrong("command", "cannot be used with run: a task does one thing")
        return None
    if "run" in table:
        for key in COMMAND_KEYS:
            if key in table:
                table.wrong(key, "has no meaning with run; it belongs to a command")
        return _imported(table)
    if "command" in table:
        if "args" in table:
            table.wrong("args", "has no meaning with command; write the arguments into the command")
        return _command(table, folder, shell)
    if not table.suggested.intersection(BODY_KEYS):
        table.wrong(None, "needs run or command, which say what it does")
    return None


def _imported(table: TomlTable) -> Recipe | None:
    path = table.text("run", 'what to import, such as "package.module:Class"')
    arguments = table.table("args")
    if arguments is not None:
        for key, value in arguments.data.items():
            _refuse_odd(arguments, key, value, ())
    if path is None:
        return None
    if not _IMPORT_PATH.fullmatch(path):
        meant = _WITHOUT_COLON.fullmatch(path)
        table.wrong(
            "run", "must be package.module:Class", path, None if meant is None else f'"{meant[1]}:{meant[2]}"'
        )
        return None
    return Recipe(path, {} if arguments is None else arguments.data)


def _refuse_odd(table: TomlTable, key: str, value: object, inside: KeyPath) -> None:
    """Refuse a value that a store could not save, and so not make again after a restart."""
    if isinstance(value, date | time):
        table.wrong(key, "must not hold dates or times: write them as texts, in quotes", value)
    elif isinstance(value, int) and not -MAX_WHOLE <= value <= MAX_WHOLE:
        table.wrong(key, "must not hold whole numbers of more than 64 bits", value)
    elif isinstance(value, list | dict):
        if len(inside) >= _MAX_NESTED:
            table.wrong(key, f"must not be nested more than {_MAX_NESTED} deep", value)
            return
        for each in value.values() if isinstance(value, dict) else value:
            _refuse_odd(table, key, each, (*inside, key))


def read_shell(table: TomlTable) -> str | None:
    """Return what runs a line for the shell; `None` if there is none, or something is wrong with it."""
    shell = table.text("shell", 'a program and its arguments, such as "bash -o pipefail -c"')
    if shell is None:
        return None
    try:
        words = CommandTask("true", shell=shell).shell or ()
    except ValueError as error:
        table.wrong("shell", str(error).partition(" ")[2], shell)
        return None
    if Path(words[0]).name in _SHELLS and not _TAKES_A_LINE.fullmatch(words[-1]):
        table.wrong("shell", "must end with -c, which the line follows", shell, f'"{shell} -c"')
        return None
    return shell


def runs_in_a_shell_without_pipefail(recipe: Recipe) -> bool:
    """True if the recipe is a line for a shell in which only the last part of a pipeline counts."""
    command = recipe.arguments.get("command")
    if recipe.path != COMMAND or not isinstance(command, str):
        return False
    shell = str(recipe.arguments.get("shell", "sh -c"))
    name = Path(shell.split()[0]).name
    return name in _SHELLS and "pipefail" not in shell + command


def _command(table: TomlTable, folder: Path, shell: str | None) -> Recipe:
    command = table.data["command"]
    _check(table, "command", command, command)
    arguments: dict[str, Any] = {"command": command, "cwd": str(folder)}
    arguments |= _places(table, folder)
    env = table.table("env")
    if env is not None:
        for name, value in env.data.items():
            if isinstance(value, str):
                _check(env, name, "true", value, env={name: value})
            else:
                env.wrong(name, "must be a text, in quotes", value)
        arguments["env"] = dict(env.data)
    if table.flag("tty"):
        arguments["terminal"] = True
    for key in ("nice", "umask", "user"):
        if key in table:
            value = table.data[key]
            _check(table, key, "true", value, **{key: value})
            arguments[key] = value
    words = command if isinstance(command, list) else None  # the shell expands a line itself
    if any(map(_has_references, (words, arguments["cwd"], arguments.get("env"), arguments.get("env_file")))):
        arguments["expand_variables"] = True
    own = read_shell(table)
    if not isinstance(command, list):
        if own or shell:
            arguments["shell"] = own or shell
    elif own is not None:
        table.wrong("shell", "has no meaning with a command that is a list, which no shell sees", own)
    return Recipe(COMMAND, arguments)


def _places(table: TomlTable, folder: Path) -> dict[str, Any]:
    """Return where the command runs and where its variables are, as arguments of `CommandTask`."""
    found: dict[str, Any] = {}
    for key, noun in (("cwd", "a folder"), ("env_file", "a file of variables")):
        path = table.text(key, noun)
        if path is None:
            continue
        if path == "":
            table.wrong(key, "must not be empty; leave it out", path)
            continue
        _check(table, key, "true", path, **{key: path})
        if path.startswith("${"):  # it may stand for an absolute path
            found |= {key: path, "folder": str(folder)}
        else:
            found[key] = str(folder / _at_home(path))
    return found


def _has_references(value: object) -> bool:
    """True if variables of the environment are to be replaced in it."""
    match value:
        case str():
            return has_reference(value)
        case list():
            return any(_has_references(each) for each in value)
        case dict():
            return any(_has_references(each) for each in value.values())
        case _:
            return False


def _check(table: TomlTable, key: str, command: Any, value: object, **others: Any) -> None:
    """Let `CommandTask` itself check a value."""
    try:
        CommandTask(command, **others)
    except (TypeError, ValueError) as error:
        table.wrong(key, str(error).partition(" ")[2].removesuffix(f", not {value!r}"), value)


def _at_home(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # there is no user of that name
        return Path(path)
