"""The newest lines of the log, bounded in number and in size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from taskkit_tui.log.line import LogLine

MOST_LINES: Final = 100_000
MOST_CHARACTERS: Final = 32_000_000

# Lines are kept as plain tuples of plain values, because those are nothing to Python's garbage collector.
# A hundred thousand objects of any other kind would stop every thread for 60 ms whenever it looks at them.
_Raw = tuple[float, str, int | None, str, int, str, str | None]
_STREAMS: Final = {"stdout": "stdout", "stderr": "stderr", "log": "log"}  # plain, where an enum may be given


class LineRing:
    r"""The newest lines, as they were written.

    Each line has a number, which it keeps for ever: `first` is the oldest line that is kept, `end` the
    number that the next line will get. A line whose text ends in `\r` is an update that the next line of
    the same source overwrites, where it stands. Not safe for threads: the app owns it.

    Args:
        most_lines: How many lines are kept; at least 1.
        most_characters: How many characters they have together at most. The newest line is always kept.
    """

    def __init__(self, most_lines: int = MOST_LINES, most_characters: int = MOST_CHARACTERS) -> None:
        if most_lines < 1:
            raise ValueError(f"most_lines must be at least 1, not {most_lines}")
        self.first = 0
        """The number of the oldest line kept: as many lines fell out."""
        self._lines: deque[_Raw] = deque()
        self._characters = 0
        self._most_lines = most_lines
        self._most_characters = most_characters
        self._updates: dict[tuple[str, int | None, str, int], int] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: int) -> LogLine:
        """The line of that number.

        Raises:
            IndexError: It is not kept, or not written yet.
        """
        if number < self.first:
            raise IndexError(f"line {number} is no longer kept")
        return LogLine._make(self._lines[number - self.first])

    @property
    def end(self) -> int:
        """The number that the next line gets."""
        return self.first + len(self._lines)

    def since(self, number: int) -> Iterator[LogLine]:
        """The lines from that number on, or from the oldest one kept."""
        skipped = max(0, number - self.first)
        if skipped * 2 > len(self._lines):  # walking a deque from its near end
            raw: Iterable[_Raw] = reversed(list(islice(reversed(self._lines), len(self._lines) - skipped)))
        else:
            raw = islice(self._lines, skipped, None)
        return map(LogLine._make, raw)

    def extend(self, lines: Iterable[LogLine]) -> int:
        """Add lines, newest last; what no longer fits falls out.

        Returns:
            The lowest number whose line is new or was overwritten.
        """
        changed = self.end
        kept, updates = self._lines, self._updates
        characters = self._characters
        for line in lines:
            time, name, run, stream, level, text, traceback = line
            raw = (time, name, run, _STREAMS.get(stream, stream), level, text, traceback)
            characters += len(text)
            if updates or text.endswith("\r"):
                source = line.source
                number = updates.pop(source, -1)
                if text.endswith("\r"):
                    updates[source] = number if number >= self.first else self.first + len(kept)
                if number >= self.first:
                    characters -= len(_text_of(kept[number - self.first]))
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
            characters -= len(_text_of(kept.popleft()))
            self.first += 1
        return characters

    def clear(self) -> None:
        """Forget every line; the numbers go on."""
        self.first = self.end
        self._lines.clear()
        self._updates.clear()
        self._characters = 0


def _text_of(raw: _Raw) -> str:
    return raw[5]
