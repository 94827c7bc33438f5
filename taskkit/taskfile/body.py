"""What a task of the file does: a class or function to import, or a command."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import Any, Final

from taskkit.command import CommandTask
from taskkit.spec import Recipe
from taskkit.taskfile.problems import KeyPath
from taskkit.taskfile.table import MOST, Table

BODY_KEYS: Final = ("run", "command")
COMMAND: Final = "taskkit:CommandTask"
"""What makes the tasks that are commands."""

_IMPORT_PATH: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_WITHOUT_COLON: Final = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)\.([^\W\d]\w*)")
_MOST_NESTED: Final = 20


def read_recipe(table: Table, folder: Path) -> Recipe | None:
    """How the body of a task is made; `None` where something is wrong with it.

    Args:
        table: Of the task; its unknown keys are known.
        folder: That of the file, where commands run.
    """
    if "run" in table and "command" in table:
        table.wrong("command", "stands beside run, and a task does one thing")
        return None
    if "run" in table:
        for key in ("cwd", "env"):
            if key in table:
                table.wrong(key, "has no meaning beside run; it belongs to a command")
        return _imported(table)
    if "command" in table:
        if "args" in table:
            table.wrong("args", "has no meaning beside command; write the arguments into the command")
        return _command(table, folder)
    if not table.perhaps.intersection(BODY_KEYS):
        table.wrong(None, "needs run or command, which say what it does")
    return None


def _imported(table: Table) -> Recipe | None:
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


def _refuse_odd(table: Table, key: str, value: object, inside: KeyPath) -> None:
    """Refuse what cannot be kept as plain data, and so be made again after a restart."""
    if isinstance(value, date | time):
        table.wrong(key, "must not hold dates or times: write them as texts, in quotes", value)
    elif isinstance(value, int) and not -MOST <= value <= MOST:
        table.wrong(key, "must not hold whole numbers of more than 64 bits", value)
    elif isinstance(value, list | dict):
        if len(inside) >= _MOST_NESTED:
            table.wrong(key, f"must not be nested more than {_MOST_NESTED} deep", value)
            return
        for each in value.values() if isinstance(value, dict) else value:
            _refuse_odd(table, key, each, (*inside, key))


def _command(table: Table, folder: Path) -> Recipe:
    command = table.data["command"]
    _check(table, "command", command, command)
    arguments: dict[str, Any] = {"command": command, "cwd": str(folder)}
    cwd = table.text("cwd", "a folder")
    if cwd == "":
        table.wrong("cwd", "must not be empty; without it, the folder of this file is meant", cwd)
    elif cwd is not None:
        _check(table, "cwd", "true", cwd, cwd=cwd)
        arguments["cwd"] = str(folder / _at_home(cwd))
    env = table.table("env")
    if env is not None:
        for name, value in env.data.items():
            if isinstance(value, str):
                _check(env, name, "true", value, env={name: value})
            else:
                env.wrong(name, "must be a text, in quotes", value)
        arguments["env"] = dict(env.data)
    return Recipe(COMMAND, arguments)


def _check(table: Table, key: str, command: Any, value: object, **others: Any) -> None:
    """Let `CommandTask` itself say what it has against a value."""
    try:
        CommandTask(command, **others)
    except (TypeError, ValueError) as error:
        table.wrong(key, str(error).partition(" ")[2], value)


def _at_home(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # nobody of that name is known here
        return Path(path)
