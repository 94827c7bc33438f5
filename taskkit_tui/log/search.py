"""Searches the log a few milliseconds at a time, so that keys are handled meanwhile.

A hundred thousand lines take longer than a person wants to wait for a key, and one line may have 65,536
characters. So the newest lines come first, and the rest follows in slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Final

from taskkit_tui.log.finder import Finder
from taskkit_tui.log.line_ring import LineRing
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.log.log_view import LogView

SEARCH_SECONDS: Final = 0.02
"""The time limit of one call."""

_SLICE_SECONDS: Final = 0.002
_SLICES: Final = 16, 4_096
"""The fewest and the most lines between two looks at the clock."""


class LogSearch:
    """One search for a text in the lines that a view shows.

    Args:
        ring: All lines.
        view: The lines that are shown. The search is over when the view shows other lines.
        text: The text to find; see `Finder`.
    """

    def __init__(self, ring: LineRing, view: LogView, text: str) -> None:
        self.finder = Finder(text)
        """The matches so far."""
        self._ring = ring
        self._view = view
        self._searched_from = ring.end  # the number of the earliest line that was searched

    def search_earlier(self, seconds: float) -> None:
        """Search earlier lines for about that long; `finder.is_incomplete` says if some are left."""
        first, least = self._ring.first, _SLICES[0]
        count = least
        now = perf_counter()
        end = now + seconds
        while self._searched_from > first:
            until, before = self._searched_from, now
            start = max(first, until - count)
            self.finder.search_earlier_lines(_before(until, self._view.since(start)))
            self._searched_from = start
            now = perf_counter()
            count = min(2 * count, _SLICES[1]) if now - before < _SLICE_SECONDS else max(count // 2, least)
            if now >= end:
                break
        self.finder.is_incomplete = self._searched_from > first

    def sync(self, changed: int) -> None:
        """Catch up with the ring and the view.

        Args:
            changed: The lowest number that is new or overwritten, as `LineRing.extend` returns it.
        """
        self.finder.forget(self._ring.first, changed)
        self.finder.search_lines(self._view.since(changed))
        self._searched_from = min(self._searched_from, changed)


def _before(number: int, lines: Iterator[tuple[int, LogLine]]) -> Iterator[tuple[int, LogLine]]:
    """Yield the numbered lines that come before a number."""
    for line in lines:
        if line[0] >= number:
            return
        yield line
