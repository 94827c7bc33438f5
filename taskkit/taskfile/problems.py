"""What is wrong with a file, in lines for a person: all of it at once, each with its place and its remedy."""

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
from taskkit.plain_text import cut_end, cut_middle, harmless

KeyPath = tuple[str, ...]
"""The names of the tables around a key, and its own."""

LONGEST_VALUE: Final = 60
"""Characters of a value that are repeated."""
LONGEST_MESSAGE: Final = 300
LONGEST_KEY: Final = 60

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. As text it is one line that no terminal obeys."""

    file: str
    """As it was given."""
    line: int | None
    """Counted from 1; `None` where there is no such place, or nobody is sure of it."""
    key: str
    """As one would write it, as in `tasks.backup.every`; empty for the file as a whole."""
    value: str | None
    """What stands there, shortened; `None` where the value is not to blame."""
    message: str
    """What is wrong with it."""
    suggestion: str | None = None
    """What was perhaps meant."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        key = self.key if self.value is None else f"{self.key} = {self.value}"
        perhaps = "" if self.suggestion is None else f"; did you mean {self.suggestion}?"
        return harmless(": ".join(filter(None, (place, key, self.message))) + perhaps)


class TaskFileError(TaskkitError):
    """A file of tasks cannot be used as it is. Its message has a line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        """In the order of the file."""
        super().__init__("\n".join(map(str, self.problems)))


class UnreadableTaskFileError(TaskFileError):
    """There is no such file, or it cannot be read, so that nothing is known of what stands in it."""


class _Absent(Enum):
    ABSENT = 0


ABSENT: Final = _Absent.ABSENT
"""Where the value is not to blame."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: makes problems that know their place in it."""

    file: str
    lines: Mapping[KeyPath, int]
    """Of each table and key; those that nobody is sure of are left out."""

    def problem(
        self, path: KeyPath, message: str, value: object = ABSENT, suggestion: str | None = None
    ) -> Problem:
        """Something wrong at a key, or at the table it is missing from."""
        return Problem(
            self.file,
            self.lines.get(path),
            dotted(path),
            None if value is ABSENT else shown(value),
            cut_end(message, LONGEST_MESSAGE),
            suggestion,
        )


def dotted(path: KeyPath) -> str:
    """A key as one would write it."""
    parts = (cut_end(part, LONGEST_KEY) for part in path)
    return ".".join(part if _BARE.fullmatch(part) else _quoted(part) for part in parts)


def shown(value: object) -> str:
    """A value as it stands in the file, or nearly so, in a few characters."""
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
    """The one of `words` that `word` looks like, upper and lower case aside."""
    by_folded = {each.casefold(): each for each in words}
    found = get_close_matches(word[:LONGEST_KEY].casefold(), by_folded, 1)
    return by_folded[found[0]] if found else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
