"""Replaces references such as `${HOME}` and `${PORT:-8000}` in texts of a task file by their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_REFERENCE: Final = re.compile(r"\$(?P<literal>\$\{)|\$\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}")


def has_reference(text: str) -> bool:
    """True if `expand` would change the text."""
    return _REFERENCE.search(text) is not None


def expand(argument: str, text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with the values of the variables it refers to.

    `${NAME}` is the value of a variable, and `${NAME:-default}` has a default for one that is unset or empty.
    `$${` is a literal `${`. Everything else stays as it is, `$NAME` too. Values are not expanded again.

    Args:
        argument: The name of the text, for an error.
        text: The text.
        variables: The values.

    Raises:
        ValueError: A variable is unset, and has no default. No value is in the message.
    """

    def value_of(found: re.Match[str]) -> str:
        if found["literal"]:
            return "${"
        name, default = found["name"], found["default"]
        value = variables.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise ValueError(
                f"{argument} needs the variable {name}, which is not set; ${{{name}:-…}} gives it a default"
            )
        return value

    return _REFERENCE.sub(value_of, text)
