"""Finds text in the log: its places in a line, and the lines that contain it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable

from taskkit_tui.log.ansi import shown
from taskkit_tui.log.log_line import LogLine


class Finder:
    """The lines that contain a text. Upper and lower case differ only if the text has a capital letter.

    It searches the text as it is shown, not as it was written: colours do not hide a match.
    """

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self._exact = wanted != wanted.lower()
        self._numbers: deque[int] = deque()
        self.is_incomplete = False
        """True while there are earlier lines that were not searched yet."""

    def __len__(self) -> int:
        """Return the number of lines that contain it."""
        return len(self._numbers)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of each match in `text`, a line as it is shown."""
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
        # A few capitals become two characters in lower case; the places must stay the same.
        return (
            lower
            if len(lower) == len(text)
            else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
        )

    def holds(self, line: LogLine) -> bool:
        """True if the line contains the text."""
        return self.wanted in self._folded(shown(line.text))

    def search_lines(self, lines: Iterable[tuple[int, LogLine]]) -> None:
        """Search later lines, given in order with their numbers."""
        self._search(lines, self._numbers)

    def search_earlier_lines(self, lines: Iterable[tuple[int, LogLine]]) -> None:
        """Search lines before all that were searched, given in order with their numbers."""
        found: deque[int] = deque()
        self._search(lines, found)
        self._numbers.extendleft(reversed(found))

    @property
    def numbers(self) -> Iterable[int]:
        """The numbers of the lines that contain it, in order."""
        return self._numbers

    def _search(self, lines: Iterable[tuple[int, LogLine]], found: deque[int]) -> None:
        if not self.wanted:
            return
        wanted, add = self.wanted, found.append
        if self._exact:
            for number, line in lines:
                if wanted in shown(line.text):
                    add(number)
        else:
            for number, line in lines:
                if wanted in self._folded(shown(line.text)):
                    add(number)

    def forget(self, before: int, since: int) -> None:
        """Forget the lines below number `before`, and those from number `since` on."""
        while self._numbers and self._numbers[0] < before:
            self._numbers.popleft()
        while self._numbers and self._numbers[-1] >= since:
            self._numbers.pop()

    def rank(self, number: int) -> int:
        """Return which match the line of that number is, from 1; 0 if it does not match."""
        index = bisect_left(self._numbers, number)
        return index + 1 if index < len(self._numbers) and self._numbers[index] == number else 0

    def after(self, number: int) -> int | None:
        """Return the next matching line; after the last one, the first."""
        if not self._numbers:
            return None
        return self._numbers[bisect_right(self._numbers, number) % len(self._numbers)]

    def before(self, number: int) -> int | None:
        """Return the previous matching line; before the first one, the last."""
        return self._numbers[bisect_left(self._numbers, number) - 1] if self._numbers else None
