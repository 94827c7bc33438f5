"""Names of served schedulers: which ones can be typed, and the default names of programs and targets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

LONGEST_NAME: Final = 40
"""The most characters of a name."""
LONGEST_NAME_BYTES: Final = 60
"""The most bytes of a name in UTF-8, as a socket's path is short."""


def check_name(name: object) -> str:
    """Return `name` if it can be the name of a served scheduler.

    Raises:
        TypeError: It is not a string.
        ValueError: It cannot be a name; the message says why.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, not {name!r}")
    if not 1 <= len(name) <= LONGEST_NAME or len(name.encode(errors="replace")) > LONGEST_NAME_BYTES:
        raise ValueError(
            f"name must have 1 to {LONGEST_NAME} characters, at most {LONGEST_NAME_BYTES} bytes, not {name!r}"
        )
    if not name.isprintable() or name.strip() != name:
        raise ValueError(f"name must be printable, without spaces at its ends, not {name!r}")
    if any(character in name for character in "/:"):
        raise ValueError(f"name must not have a slash or a colon, as {name!r} has")
    if name.startswith(("-", ".")) or name.endswith(".toml") or name.isdigit():
        raise ValueError(
            f"name must not begin with - or ., end in .toml, or be a number, not {name!r}:"
            " commands take options, task files and process ids in its place"
        )
    return name


def default_name() -> str:
    """Return the name of this program, made usable."""
    program = Path(sys.argv[0] if sys.argv else "").stem
    if program in ("", "__main__", "-c", "-m"):
        program = Path(sys.argv[0]).parent.name if sys.argv and sys.argv[0] else "python"
    return usable_name(program, "python")


def name_of_target(target: str) -> str:
    """Return the name for a target: that of the task file without its ending, or of the module."""
    path = target.endswith(".toml")
    return usable_name(Path(target).stem if path else target.partition(":")[0], "tasks")


def usable_name(text: str, otherwise: str) -> str:
    """Return the part of a text that can be a name; `otherwise` if there is none."""
    cleaned = "".join(each if each.isprintable() and each not in "/:" else "-" for each in text)
    while len(cleaned) > LONGEST_NAME or len(cleaned.encode(errors="replace")) > LONGEST_NAME_BYTES:
        cleaned = cleaned[:-1]
    try:
        return check_name(cleaned.strip().lstrip("-."))
    except ValueError:
        return otherwise
