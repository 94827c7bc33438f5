"""Keeps the newest lines of the log, limited in number and in size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from sys import getsizeof
from typing import Final

from taskkit_tui.log.log_line import LogLine

MOST_LINES: Final = 100_000
MOST_CHARACTERS: Final = 32_000_000

# Lines are plain tuples of plain values, because Python's garbage collector does not track those. With a
# hundred thousand other objects each full collection would stop all threads for 60 ms.
_Raw = tuple[float, str, int | None, str, int, str, str | None]
_STREAMS: Final = {
    "stdout": "stdout",
    "stderr": "stderr",
    "log": "log",
}  # not enum members


class LineRing:
    r"""The newest lines, as they were written.

    Each line keeps its number: `first` is the number of the oldest line here, `end` the one that the
    next line will get. A line whose text ends in `\r` is an update that the next line of the same source
    replaces. Not safe for threads: the app owns it.

    Args:
        most_lines: The most lines to keep; at least 1.
        most_characters: The most characters that they have together, including tracebacks; for text that is
            not ASCII, bytes. The newest line is always kept.
    """

    def __init__(self, most_lines: int = MOST_LINES, most_characters: int = MOST_CHARACTERS) -> None:
        if most_lines < 1:
            raise ValueError(f"most_lines must be at least 1, not {most_lines}")
        self.first = 0
        """The number of the oldest line here, which is also the number of dropped lines."""
        self._lines: deque[_Raw] = deque()
        self._characters = 0
        self._most_lines = most_lines
        self._most_characters = most_characters
        self._updates: dict[tuple[str, int | None, str, int], int] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: int) -> LogLine:
        """Return the line of that number.

        Raises:
            IndexError: It was dropped, or not written yet.
        """
        if number < self.first:
            raise IndexError(f"line {number} is no longer kept")
        return LogLine._make(self._lines[number - self.first])

    @property
    def end(self) -> int:
        """The number that the next line will get."""
        return self.first + len(self._lines)

    def since(self, number: int) -> Iterator[LogLine]:
        """Return the lines from that number on, or from the oldest one here."""
        skipped = max(0, number - self.first)
        if skipped * 2 > len(self._lines):  # iterate over the deque from its nearer end
            raw: Iterable[_Raw] = reversed(list(islice(reversed(self._lines), len(self._lines) - skipped)))
        else:
            raw = islice(self._lines, skipped, None)
        return map(LogLine._make, raw)

    def extend(self, lines: Iterable[LogLine]) -> int:
        """Add lines, newest last; drop the oldest if there are too many.

        Returns:
            The lowest number whose line is new or was overwritten.
        """
        changed = self.end
        kept, updates = self._lines, self._updates
        characters = self._characters
        for line in lines:
            time, name, run, stream, level, text, traceback = line
            raw = (time, name, run, _STREAMS.get(stream, stream), level, text, traceback)
            characters += _weight(text, traceback)
            if updates or text.endswith("\r"):
                source = line.source
                number = updates.pop(source, -1)
                if text.endswith("\r"):
                    updates[source] = number if number >= self.first else self.first + len(kept)
                if number >= self.first:
                    characters -= _weight_of(kept[number - self.first])
                    kept[number - self.first] = raw
                    changed = min(changed, number)
                    continue
            kept.append(raw)
            if len(kept) > self._most_lines or characters > self._most_characters:
                characters = self._drop(characters)
        self._characters = characters
        return changed

    def _drop(self, characters: int) -> int:
        kept = self._lines
        while len(kept) > self._most_lines or (characters > self._most_characters and len(kept) > 1):
            characters -= _weight_of(kept.popleft())
            self.first += 1
        return characters

    def clear(self) -> None:
        """Remove all lines; the numbers continue."""
        self.first = self.end
        self._lines.clear()
        self._updates.clear()
        self._characters = 0


def _weight_of(raw: _Raw) -> int:
    return _weight(raw[5], raw[6])


def _weight(text: str, traceback: str | None) -> int:
    weight = len(text) if text.isascii() else getsizeof(text)
    return weight if traceback is None else weight + getsizeof(traceback)
