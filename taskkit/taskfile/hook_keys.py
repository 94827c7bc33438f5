"""The keys `on_failure` and `on_recovery` of a task file: commands that run when a task fails or recovers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from taskkit.command import CommandTask
from taskkit.process.variables import has_reference
from taskkit.spec import Recipe
from taskkit.taskfile.toml_table import TomlTable

HOOK_KEYS: Final = ("on_failure", "on_recovery")
_SHARED: Final = ("cwd", "folder", "env", "env_file", "expand_variables", "nice", "umask", "user", "shell")
"""The arguments that a hook takes over from the command of its task."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of a task, as arguments of `CommandTask`; `None` for none."""

    on_failure: Mapping[str, Any] | None = None
    on_recovery: Mapping[str, Any] | None = None


NO_HOOKS: Final = Hooks()


def read_hooks(table: TomlTable, folder: Path, recipe: Recipe) -> Hooks:
    """Return the hooks of a task.

    Args:
        table: The task's table, after `refuse_unknown()`.
        folder: The folder of the file, where the hooks of functions run.
        recipe: The recipe of the task, which is not run by this.
    """
    if not any(key in table for key in HOOK_KEYS):
        return NO_HOOKS
    shared = {key: value for key, value in recipe.arguments.items() if key in _SHARED}
    if "command" not in table:
        shared = {"cwd": str(folder)}
    return Hooks(*(_hook(table, key, shared) for key in HOOK_KEYS))


def _hook(table: TomlTable, key: str, shared: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if key not in table:
        return None
    command = table.data[key]
    arguments = {**shared, "command": command}
    try:
        CommandTask("true", **shared)
    except (TypeError, ValueError):
        return None  # what it has from its task is wrong, and reported there
    if isinstance(command, list):
        arguments.pop("shell", None)
        if any(isinstance(each, str) and has_reference(each) for each in command):
            arguments["expand_variables"] = True
    try:
        CommandTask(**arguments)
    except (TypeError, ValueError) as error:
        table.wrong(key, str(error).partition(" ")[2].removesuffix(f", not {command!r}"), command)
        return None
    return arguments
