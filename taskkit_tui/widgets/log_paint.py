"""How one line of the log becomes rows of cells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from taskkit_tui.formatting import fit, harmless, shorten
from taskkit_tui.log.ansi import Span, spans
from taskkit_tui.log.columns import LogColumns
from taskkit_tui.log.folding import fold, window
from taskkit_tui.log.line import LogLine
from taskkit_tui.viewmodel.text_lines import cut

WARNING: Final = 30
ERROR: Final = 40
HINT: Final = "⏎ opens the traceback"

_NO_STYLE: Final = Style.null()

Place = tuple[int, int]
"""Start and end of a stretch of a line's text, as indexes."""


@dataclass(frozen=True, slots=True)
class LogLooks:
    """The styles of the parts, from the stylesheet."""

    base: Style
    dim: Style
    warning: Style
    error: Style
    match: Style
    current_match: Style
    cursor: Style
    selection: Style


class LogPainter:
    """Paints lines into `columns`, wrapped or not, with one set of looks."""

    def __init__(
        self, looks: LogLooks, columns: LogColumns, *, wrap: bool, colour: Callable[[str], Style]
    ) -> None:
        self.columns = columns
        self._looks = looks
        self._wrap = wrap
        self._colour = colour

    def paint(
        self,
        line: LogLine,
        number: int,
        *,
        cursor: bool,
        left: int,
        matches: Sequence[Place],
        selected: Place | None,
    ) -> list[Strip]:
        """The rows of a line, each as wide as the columns say.

        Args:
            line: The line.
            number: Its number in the ring, for the mouse: a selection holds numbers and indexes.
            cursor: Whether the cursor is on it.
            left: How many cells of the text are scrolled out at the left; unless wrapped.
            matches: What is found in it.
            selected: What the mouse has selected of it; an end of -1 means to the end.
        """
        looks, columns = self._looks, self.columns
        base = looks.base + looks.cursor if cursor else looks.base
        plain_look = looks.error if line.level >= ERROR else _NO_STYLE
        pieces: list[Span] = [(text, look or plain_look) for text, look in spans(line.text)]
        text = "".join(piece for piece, _ in pieces)
        if matches:
            pieces = overlaid(pieces, matches, looks.current_match if cursor else looks.match)
        if selected is not None:
            start, end = selected
            pieces = overlaid(pieces, [(max(0, start), len(text) if end < 0 else end)], looks.selection)
        starts = fold(text, columns.text) if self._wrap else [0]
        rows = []
        for row, start in enumerate(starts):
            if self._wrap:
                end, blank = starts[row + 1] if row + 1 < len(starts) else len(text), 0
            else:
                start, end, blank = window(text, left, columns.text)
            segments = [*self._before(line, number, base, first=row == 0)]
            used = blank
            if blank:
                segments.append(Segment(" " * blank, base))
            for piece, look in cut(pieces, start, end):
                at = Style.from_meta({"offset": (start, number)})
                segments.append(Segment(piece, base + (look or _NO_STYLE) + at))
                start += len(piece)
                used += cell_len(piece)
            segments += self._after(line, base, columns.text - used, first=row == 0)
            rows.append(
                Strip(segments, columns.before_text + columns.text).adjust_cell_length(columns.width, base)
            )
        return rows

    def _before(self, line: LogLine, number: int, base: Style, *, first: bool) -> Iterable[Segment]:
        looks, columns = self._looks, self.columns
        # Whoever begins to select left of the text means the text's beginning.
        base += Style.from_meta({"offset": (-columns.before_text, number)})
        if columns.side:
            yield Segment(" " * columns.side, base)
        if columns.time:
            written = time_of_day(line.time) if first else " " * columns.time
            yield Segment(written + " ", base + looks.dim)
        if columns.name:
            name = (
                fit(shorten(harmless(line.name), columns.name), columns.name) if first else " " * columns.name
            )
            yield Segment(name + " ", base + self._colour(line.name))
        if columns.bar:
            if line.level >= ERROR:
                yield Segment("┃ ", base + looks.error)
            elif line.level >= WARNING:
                yield Segment("╎ ", base + looks.warning)
            else:
                yield Segment("│ ", base + looks.dim)

    def _after(self, line: LogLine, base: Style, free: int, *, first: bool) -> Iterable[Segment]:
        if line.traceback and first and free > len(HINT) + 2:
            yield Segment(" " * (free - len(HINT) - 1), base)
            yield Segment(HINT + " ", base + self._looks.dim)
        elif free > 0:
            yield Segment(" " * free, base)


def overlaid(pieces: Sequence[Span], places: Sequence[Place], style: Style) -> list[Span]:
    """`pieces` with a style laid over some places, which are in order and do not touch."""
    result: list[Span] = []
    index = position = 0
    for text, look in pieces:
        end = position + len(text)
        done = position
        while index < len(places) and places[index][0] < end:
            first, last = max(places[index][0], done), min(places[index][1], end)
            if first > done:
                result.append((text[done - position : first - position], look))
            if last > first:
                result.append((text[first - position : last - position], (look or _NO_STYLE) + style))
                done = last
            if places[index][1] > end:
                break
            index += 1
        if done < end:
            result.append((text[done - position :], look))
        position = end
    return result


def time_of_day(instant: float) -> str:
    """Local time to the millisecond, `14:03:20.114`, of an instant in epoch seconds."""
    second = int(instant // 1)
    return f"{_second_of_day(second)}.{int((instant - second) * 1000):03}"


@lru_cache(maxsize=256)
def _second_of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
