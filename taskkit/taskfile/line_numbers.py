"""The line number of each table and key in a TOML text, which `tomllib` does not report.

`tomllib` has already accepted the text, so nothing is checked here. The scan reads only as much as it needs
to tell keys from values. If it meets something unexpected, it ends with the lines it has found.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Final

_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED_KEY: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_TEXT: Final = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"{1,2}(?!"))[^"\\]*)*"{3,5}'
    r"|'''[^']*(?:'{1,2}(?!')[^']*)*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN_VALUE: Final = re.compile(r"[^,\[\]{}\n#]+")


def key_lines(text: str) -> Mapping[tuple[str, ...], int]:
    r"""Return the line of each table header and key, counted from 1, by the names that lead to it.

    A table that is only implied, by `[a.b]` or `a.b = 1`, has the line of that key. In an array of tables,
    the first table counts. Keys of tables inside a plain array are left out.

    Args:
        text: Valid TOML, with lines ended by `\n` only.
    """
    scan = _Scan(text)
    try:
        scan.document()
    except (_LostError, RecursionError):
        pass
    return scan.lines


class _LostError(Exception):
    """The scan has met something unexpected."""


class _Scan:
    def __init__(self, text: str) -> None:
        self.lines: dict[tuple[str, ...], int] = {}
        self._text = text
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._implied: set[tuple[str, ...]] = set()

    def document(self) -> None:
        table: tuple[str, ...] | None = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._take("["):
                self._take("[")
                table = self._key(())
                self._expect("]")
                self._take("]")
            else:
                self._statement(table)
            self._skip(_BLANK)

    def _statement(self, table: tuple[str, ...] | None) -> None:
        key = self._key(table)
        self._expect("=")
        self._value(key)

    def _key(self, table: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Read a dotted key and note its line, unless its table has no path."""
        start = self._at
        parts = [self._part()]
        while self._take("."):
            parts.append(self._part())
        if table is None:
            return None
        line = bisect_right(self._ends, start) + 1
        for count in range(1, len(parts)):
            self._note(table + tuple(parts[:count]), line, implied=True)
        self._note(table + tuple(parts), line, implied=False)
        return table + tuple(parts)

    def _note(self, path: tuple[str, ...], line: int, *, implied: bool) -> None:
        if path not in self.lines or (path in self._implied and not implied):
            self.lines[path] = line
            (self._implied.add if implied else self._implied.discard)(path)

    def _part(self) -> str:
        self._skip(_SPACE)
        bare = self._match(_BARE_KEY)
        if bare:
            return bare
        quoted = self._match(_QUOTED_KEY)
        if not quoted:
            raise _LostError
        try:
            name = tomllib.loads(f"name = {quoted}")["name"]
        except ValueError:
            raise _LostError from None
        return str(name)

    def _value(self, path: tuple[str, ...] | None) -> None:
        self._skip(_SPACE)
        if self._take("{"):
            self._members("}", lambda: self._statement(path))
        elif self._take("["):
            self._members("]", lambda: self._value(None))
        elif not (self._match(_TEXT) or self._match(_PLAIN_VALUE)):
            raise _LostError

    def _members(self, end: str, member: Callable[[], None]) -> None:
        self._skip(_BLANK)
        while not self._take(end):
            member()
            self._skip(_BLANK)
            if not self._take(","):
                self._expect(end)
                return
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._match(pattern)

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _take(self, character: str) -> bool:
        self._skip(_SPACE)
        taken = self._text.startswith(character, self._at)
        self._at += taken
        return taken

    def _expect(self, character: str) -> None:
        if not self._take(character):
            raise _LostError
