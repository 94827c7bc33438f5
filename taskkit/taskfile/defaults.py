"""The table `[defaults]` of a task file: keys for all tasks that do not have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from taskkit.taskfile.body import COMMAND_KEYS
from taskkit.taskfile.executor_keys import EXECUTOR
from taskkit.taskfile.limit_keys import LIMIT_KEYS
from taskkit.taskfile.schedule_keys import read_zone
from taskkit.taskfile.toml_table import TomlTable

_FLAGS: Final = ("catch_up", "tty")
"""Keys for which `false` is a value of its own."""


class Defaults:
    """The keys of `[defaults]`.

    Args:
        document: The file.
        policies: The keys of policies.
    """

    def __init__(self, document: TomlTable, policies: Sequence[str]) -> None:
        self._keys = (*COMMAND_KEYS, *policies, EXECUTOR)
        self.table = document.table("defaults") or document.with_data({})
        """The table; an empty one where there is none."""
        self.table.refuse_unknown((*self._keys, "timezone"), "a table of defaults")
        for key in ("timezone", "shell"):
            if key in document and key in self.table:
                self.table.wrong(key, "is given for the whole file already, above the first table")
        self.zone = read_zone(self.table)
        """The zone of tasks that name none."""

    def of_a_command(self) -> TomlTable:
        """Return the table of a command that has all defaults."""
        return self.below(self.table.with_data({"command": "true"}))

    def below(self, table: TomlTable) -> TomlTable:
        """Return the table of a task with the defaults that mean something for it.

        A key that is `false` there has no default, and counts as left out.
        """
        off = {
            key
            for key, value in table.data.items()
            if value is False and key in self.table and key not in _FLAGS
        }
        keys = [key for key in self._keys if key not in off and _has_meaning(key, table)]
        return table.without(off).over(self.table, keys)


def _has_meaning(key: str, table: TomlTable) -> bool:
    if key == "shell":
        return isinstance(table.data.get("command"), str)
    if key in COMMAND_KEYS:
        return "command" in table
    if key == EXECUTOR:
        return "run" in table
    return not (key in LIMIT_KEYS and "on_demand" in table)
