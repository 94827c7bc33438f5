"""The problems of a task file: one line each for a person, with the place and the remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import Enum
from typing import Final

from taskkit.errors import TaskkitError
from taskkit.words.plain_text import cut_end, cut_middle, harmless

KeyPath = tuple[str, ...]
"""The names of the tables around a key, and of the key itself."""

LONGEST_VALUE: Final = 60
"""The characters of a value that a message repeats."""
LONGEST_MESSAGE: Final = 300
LONGEST_KEY: Final = 60

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file. As text it is one line without control characters."""

    file: str
    """The file, as it was given."""
    line: int | None
    """The line, counted from 1; `None` if there is no such place, or it is not known."""
    key: str
    """The key as one would write it, as in `tasks.backup.every`; empty for the file as a whole."""
    value: str | None
    """The value, shortened; `None` if the value is not to blame."""
    message: str
    """The problem in words."""
    suggestion: str | None = None
    """The key or value that was perhaps meant."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        key = self.key if self.value is None else f"{self.key} = {self.value}"
        perhaps = "" if self.suggestion is None else f"; did you mean {self.suggestion}?"
        return harmless(": ".join(filter(None, (place, key, self.message))) + perhaps)


class TaskFileError(TaskkitError):
    """A task file cannot be used as it is. The message has a line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        """The problems, in the order of the file."""
        super().__init__("\n".join(map(str, self.problems)))


class UnreadableTaskFileError(TaskFileError):
    """There is no such file, or it cannot be read, so its content is not known."""


class _Absent(Enum):
    ABSENT = 0


ABSENT: Final = _Absent.ABSENT
"""Passed instead of a value that is not to blame."""


@dataclass(frozen=True, slots=True)
class TaskFileText:
    """The name and the line numbers of a file that was read: it makes problems with their place."""

    file: str
    lines: Mapping[KeyPath, int]
    """The line of each table and key, as far as it is known."""

    def problem(
        self, path: KeyPath, message: str, value: object = ABSENT, suggestion: str | None = None
    ) -> Problem:
        """Return a problem at a key, or at the table that lacks it.

        A key of a task that the file has in `[defaults]` only is reported there.
        """
        default = ("defaults", *path[2:])
        if path[:1] == ("tasks",) and path not in self.lines and default in self.lines:
            path = default
        return Problem(
            self.file,
            self.lines.get(path),
            dotted(path),
            None if value is ABSENT else shown(value),
            cut_end(message, LONGEST_MESSAGE),
            suggestion,
        )


def dotted(path: KeyPath) -> str:
    """Return a key as one would write it."""
    parts = (cut_end(part, LONGEST_KEY) for part in path)
    return ".".join(part if _BARE.fullmatch(part) else _quoted(part) for part in parts)


def shown(value: object) -> str:
    """Return a value as it is written in the file, or nearly so, in a few characters."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(cut_middle(value, LONGEST_VALUE))
        case int():
            return str(value) if value.bit_length() <= 200 else "a very long number"
        case datetime():
            return value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case list():
            return "[…]" if value else "[]"
        case dict():
            return "{…}" if value else "{}"
        case _:
            return cut_end(str(value), LONGEST_VALUE)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of `words` that is most like `word`, regardless of case; `None` if none is like it."""
    by_folded = {each.casefold(): each for each in words}
    found = get_close_matches(word[:LONGEST_KEY].casefold(), by_folded, 1)
    return by_folded[found[0]] if found else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
