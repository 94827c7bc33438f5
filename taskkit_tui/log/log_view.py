"""Maps the lines of the ring to the rows of the screen: filters them, and wraps them.

There are three ways to refer to a line: its *number* in the ring, which never changes; its *position* among
the lines that are shown; and the first *row* that it takes in the scrolled area. Without a filter, a position
is the number minus the first one; without wrapping, a row is a position. Only real differences are stored.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from taskkit_tui.log.ansi import shown
from taskkit_tui.log.finder import Finder
from taskkit_tui.log.folding import fold
from taskkit_tui.log.line_ring import LineRing
from taskkit_tui.log.log_line import LogLine


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A filter for lines."""

    name: str | None = None
    """Only this task's; `None` for all, empty for code outside any task."""
    run: int | None = None
    """Only this run's; `None` for all of them."""
    level: int = 0
    """Only from this level up, as in `logging`."""
    text: str = ""
    """Only lines that contain this; see `Finder`."""

    def __bool__(self) -> bool:
        """True if it hides any line."""
        return self.name is not None or self.run is not None or self.level > 0 or self.text != ""

    def passes(self, line: LogLine) -> bool:
        """True if `line` is shown."""
        return (
            line.level >= self.level
            and (self.name is None or line.name == self.name)
            and (self.run is None or line.run == self.run)
            and (not self.text or _finder(self.text).holds(line))
        )


@lru_cache(maxsize=4)
def _finder(wanted: str) -> Finder:
    return Finder(wanted)


class LogView:
    """The lines of `ring` that are shown, in order. Call `sync` after each change of the ring."""

    def __init__(self, ring: LineRing) -> None:
        self._ring = ring
        self._filter = LineFilter()
        self._width: int | None = None
        self._numbers: deque[int] | None = None  # with a filter: the numbers of the shown lines
        self._ends: deque[int] = deque()  # with wrapping: the total of rows up to the end of each shown line
        self._gone = 0  # with wrapping: the rows of dropped lines
        self._first = ring.first
        self._end = ring.end

    @property
    def filter(self) -> LineFilter:
        """The present filter."""
        return self._filter

    def __len__(self) -> int:
        """Return the number of shown lines."""
        return self._end - self._first if self._numbers is None else len(self._numbers)

    @property
    def rows(self) -> int:
        """The number of rows that they take."""
        if self._width is None:
            return len(self)
        return self._ends[-1] - self._gone if self._ends else 0

    def show(self, wanted: LineFilter) -> None:
        """Apply a filter. This checks every line once."""
        self._filter = wanted
        self._restart()

    def show_these(self, wanted: LineFilter, numbers: Iterable[int]) -> None:
        """Apply a filter whose lines are known, without checking the others.

        Args:
            wanted: The filter.
            numbers: The numbers of all lines that pass it.
        """
        self._filter = wanted
        self._ends.clear()
        self._gone = 0
        self._first, self._end = self._ring.first, self._ring.end
        self._numbers = deque(numbers)
        if self._width is not None:
            for number in self._numbers:
                self._measure(self._ring[number])

    def wrap(self, width: int | None) -> None:
        """Fold lines at `width` cells; `None` for one row per line. This measures every shown line once."""
        if width != self._width:
            self._width = width
            self._restart()

    def _restart(self) -> None:
        self._numbers = deque() if self._filter else None
        self._ends.clear()
        self._gone = 0
        self._first = self._end = self._ring.first
        self._add(self._ring.since(self._first))

    def sync(self, changed: int) -> tuple[int, int]:
        """Catch up with the ring.

        Args:
            changed: The lowest number that is new or replaced, as `LineRing.extend` returns it.

        Returns:
            The number of lines added at the end, and of rows dropped at the start.
        """
        rows_lost = self._forget(self._ring.first)
        before = len(self)
        if changed < self._end:
            if self._filter.text:
                self._forget_from(changed)  # a replaced line may contain another text
            elif self._width is not None:
                self._measure_from(self._position_at_or_after(changed))
        self._add(self._ring.since(self._end))
        return max(0, len(self) - before), rows_lost

    def _forget(self, first: int) -> int:
        lost = first - self._first
        if self._numbers is not None:
            lost = 0
            while self._numbers and self._numbers[0] < first:
                self._numbers.popleft()
                lost += 1
        self._first = first
        if self._end < first:  # more lines came at once than the ring keeps
            lost -= 0 if self._numbers is not None else first - self._end
            self._end = first
        if self._width is None:
            return lost
        gone = self._gone
        for _ in range(lost):
            self._gone = self._ends.popleft()
        return self._gone - gone

    def _forget_from(self, number: int) -> None:
        """Forget the lines from that number on, so that they are checked again."""
        assert self._numbers is not None
        while self._numbers and self._numbers[-1] >= number:
            self._numbers.pop()
        while self._width is not None and len(self._ends) > len(self._numbers):
            self._ends.pop()
        self._end = max(number, self._first)

    def _measure_from(self, position: int) -> None:
        while len(self._ends) > position:
            self._ends.pop()
        for line in [self._ring[self.number_at(at)] for at in range(position, len(self))]:
            self._measure(line)

    def _measure(self, line: LogLine) -> None:
        assert self._width is not None
        text = shown(line.text)
        rows = -(-len(text) // self._width) or 1 if text.isascii() else len(fold(text, self._width))
        self._ends.append((self._ends[-1] if self._ends else self._gone) + rows)

    def _add(self, lines: Iterator[LogLine]) -> None:
        number = self._end
        self._end = self._ring.end
        if self._numbers is None:
            if self._width is not None:
                for line in lines:
                    self._measure(line)
            return
        passes = self._filter.passes
        for number, line in enumerate(lines, number):  # noqa: B020 - it continues from its last value
            if passes(line):
                self._numbers.append(number)
                if self._width is not None:
                    self._measure(line)

    def number_at(self, position: int) -> int:
        """Return the number of the line at a position from 0 to `len(self) - 1`."""
        return self._first + position if self._numbers is None else self._numbers[position]

    def position_of(self, number: int) -> int:
        """Return the position of that line, or of the nearest shown one; 0 if there are none."""
        position = self._position_at_or_after(number)
        return max(0, min(position, len(self) - 1))

    def _position_at_or_after(self, number: int) -> int:
        if self._numbers is None:
            return max(0, number - self._first)
        return bisect_left(self._numbers, number)

    def row_of(self, position: int) -> int:
        """Return the first row of the line at a position."""
        if self._width is None or position == 0:
            return position
        return self._ends[position - 1] - self._gone

    def at_row(self, row: int) -> tuple[int, int]:
        """Return the position of the line on that row, and the number of the row within the line."""
        if self._width is None:
            return row, 0
        position = bisect_right(self._ends, self._gone + row)
        return position, row - self.row_of(position)

    def since(self, number: int) -> Iterator[tuple[int, LogLine]]:
        """Return the shown lines from that number on, with their numbers."""
        start = max(number, self._first)
        lines = enumerate(self._ring.since(start), start)
        if self._numbers is None:
            return lines
        passes = self._filter.passes
        return (numbered for numbered in lines if passes(numbered[1]))
