"""Paints a line of the log as rows of cells."""

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
from taskkit_tui.log.folding import fold, window
from taskkit_tui.log.log_columns import LogColumns
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.viewmodel.text_lines import cut

WARNING: Final = 30
ERROR: Final = 40
HINT: Final = "⏎ opens the traceback"

_NO_STYLE: Final = Style.null()

TextSpan = tuple[int, int]
"""Start and end of a part of a line's text, as indexes."""


@dataclass(frozen=True, slots=True)
class LogLooks:
    """The styles of the parts, from the theme. All but `base` are laid over another one."""

    base: Style
    dim: Style
    warning: Style
    error: Style
    match: Style
    current_match: Style
    cursor: Style
    selection: Style


class LogPainter:
    """Paints lines into columns of one width, with one set of styles.

    Args:
        looks: The styles.
        columns: The columns.
        wrap: True to fold long lines; otherwise they are cut.
        colour: Gives the style of a task, by its name.
        shown: Gives a task's name as it is shown.
    """

    def __init__(
        self,
        looks: LogLooks,
        columns: LogColumns,
        *,
        wrap: bool,
        colour: Callable[[str], Style],
        shown: Callable[[str], str] = harmless,
    ) -> None:
        self.columns = columns
        self._looks = looks
        self._wrap = wrap
        self._colour = colour
        self._shown = shown

    def paint(
        self,
        line: LogLine,
        number: int,
        *,
        cursor: bool,
        left: int,
        matches: Sequence[TextSpan],
        selected: TextSpan | None,
    ) -> list[Strip]:
        """Return the rows of a line, each as wide as the columns.

        Args:
            line: The line.
            number: Its number in the ring, for the mouse: a selection consists of numbers and indexes.
            cursor: True if the cursor is on it.
            left: Cells of the text that are scrolled out at the left; ignored while lines are wrapped.
            matches: The matches of the search in it.
            selected: The part that the mouse has selected; an end of -1 means to the end.
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

    def notice_row(self, text: str) -> Strip:
        """Return a row that is not a line of the log: a remark of the dashboard."""
        looks, width = self._looks, self.columns.width
        return Strip([Segment(fit(f" {text}", width), looks.base + looks.dim)], width)

    def prompt_row(self, typed: str, found: str) -> Strip:
        """Return the row of the prompt for the search.

        Args:
            typed: The text so far; its end is shown.
            found: The number of matches, in words.
        """
        looks, width = self._looks, self.columns.width
        if width >= 60:
            found += " · ↑ ↓ other matches · ⏎ done · esc cancels"
        typed = harmless(typed)
        room = width - cell_len(found) - 4
        while typed and cell_len(typed) > room:
            typed = typed[1:]
        segments = [
            Segment(f"/{typed}", looks.base + Style(bold=True)),
            Segment(" ", looks.base + Style(reverse=True)),
            Segment(f" {found}", looks.base + looks.dim),
        ]
        return Strip(segments).adjust_cell_length(width, looks.base)

    def _before(self, line: LogLine, number: int, base: Style, *, first: bool) -> Iterable[Segment]:
        looks, columns = self._looks, self.columns
        # A selection that begins left of the text begins with the text.
        base += Style.from_meta({"offset": (-columns.before_text, number)})
        if columns.side:
            yield Segment(" " * columns.side, base)
        if columns.time:
            written = time_of_day(line.time) if first else " " * columns.time
            yield Segment(written + " ", base + looks.dim)
        if columns.name:
            name = fit(shorten(self._shown(line.name), columns.name) if first else "", columns.name)
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


def overlaid(pieces: Sequence[Span], covered: Sequence[TextSpan], style: Style) -> list[Span]:
    """Return `pieces` with a style laid over some spans, which are in order and do not touch."""
    result: list[Span] = []
    index = position = 0
    for text, look in pieces:
        end = position + len(text)
        done = position
        while index < len(covered) and covered[index][0] < end:
            first, last = max(covered[index][0], done), min(covered[index][1], end)
            if first > done:
                result.append((text[done - position : first - position], look))
            if last > first:
                result.append((text[first - position : last - position], (look or _NO_STYLE) + style))
                done = last
            if covered[index][1] > end:
                break
            index += 1
        if done < end:
            result.append((text[done - position :], look))
        position = end
    return result


def time_of_day(instant: float) -> str:
    """Return the local time of an instant in epoch seconds, to the millisecond: `14:03:20.114`."""
    second = int(instant // 1)
    return f"{_second_of_day(second)}.{int((instant - second) * 1000):03}"


@lru_cache(maxsize=256)
def _second_of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
