"""Finding text in the log: where it is in a line, and which lines hold it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable

from taskkit_tui.log.ansi import shown
from taskkit_tui.log.line import LogLine


class Finder:
    """The lines that hold a text. Capital letters count only if the text has some.

    It looks at what is shown, not at what was written: colours do not hide a match.
    """

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self._exact = wanted != wanted.lower()
        self._numbers: deque[int] = deque()

    def __len__(self) -> int:
        """How many lines hold it."""
        return len(self._numbers)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each match in `text`, which is as shown."""
        if not self.wanted:
            return []
        text = self._folded(text)
        places = []
        start = text.find(self.wanted)
        while start >= 0:
            end = start + len(self.wanted)
            places.append((start, end))
            start = text.find(self.wanted, end)
        return places

    def _folded(self, text: str) -> str:
        if self._exact:
            return text
        lower = text.lower()
        # A few capitals become two characters; the places must stay where they are.
        return (
            lower
            if len(lower) == len(text)
            else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
        )

    def holds(self, line: LogLine) -> bool:
        """Whether a line holds it."""
        return self.wanted in self._folded(shown(line.text))

    def look(self, lines: Iterable[tuple[int, LogLine]]) -> None:
        """Look at more lines, in order, given with their numbers."""
        if not self.wanted:
            return
        wanted, add = self.wanted, self._numbers.append
        if self._exact:
            for number, line in lines:
                if wanted in shown(line.text):
                    add(number)
        else:
            for number, line in lines:
                if wanted in self._folded(shown(line.text)):
                    add(number)

    def forget(self, before: int, since: int) -> None:
        """Forget the lines before one number, and those from another number on."""
        while self._numbers and self._numbers[0] < before:
            self._numbers.popleft()
        while self._numbers and self._numbers[-1] >= since:
            self._numbers.pop()

    def rank(self, number: int) -> int:
        """Which match the line of that number is, counted from 1; 0 if it holds none."""
        index = bisect_left(self._numbers, number)
        return index + 1 if index < len(self._numbers) and self._numbers[index] == number else 0

    def after(self, number: int) -> int | None:
        """The next line that holds it, going round at the end."""
        if not self._numbers:
            return None
        return self._numbers[bisect_right(self._numbers, number) % len(self._numbers)]

    def before(self, number: int) -> int | None:
        """The line before that holds it, going round at the start."""
        return self._numbers[bisect_left(self._numbers, number) - 1] if self._numbers else None
