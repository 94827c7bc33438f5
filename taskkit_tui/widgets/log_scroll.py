"""Shows the newest lines of the log, and scrolls without losing the reader's place.

The lines are in a ring as they were written; only the visible ones are parsed and painted. So a line that
is never looked at costs well under a microsecond, and the number of lines does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import inf
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from textual.content import Content
from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip

from taskkit.words.name_forms import ShownNames
from taskkit_tui.formatting import harmless, plural, shorten
from taskkit_tui.log import search
from taskkit_tui.log.ansi import shown
from taskkit_tui.log.finder import Finder
from taskkit_tui.log.line_ring import MOST_LINES, LineRing
from taskkit_tui.log.log_columns import LONGEST_NAME, log_columns
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.log.log_view import LineFilter, LogView
from taskkit_tui.log.search import LogSearch
from taskkit_tui.log.titles import figure_words, found_words, nothing_words, title_words
from taskkit_tui.tones import Tone, task_colour
from taskkit_tui.widgets.framed_scroll import FramedScroll
from taskkit_tui.widgets.log_paint import LogLooks, LogPainter
from taskkit_tui.widgets.log_prompt import FindPrompt
from taskkit_tui.widgets.toned_widget import LineState, TonedWidget

_MOST_PAINTED: Final = 1_000
"""Lines whose painted rows are remembered."""


class LogScroll(FramedScroll, TonedWidget):
    """The lines of all tasks, or of one, and the part of them that is in sight. It has no keys.

    Args:
        most_lines: The number of lines to keep.
        id: The widget's id.
    """

    DEFAULT_CSS = """
    LogScroll {
        overflow-y: scroll;
    }
    """

    ALLOW_SELECT = True

    def __init__(self, *, most_lines: int = MOST_LINES, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.shown_names = ShownNames()
        """The names in the log, spelled differently where they would look the same."""
        self._ring = LineRing(most_lines)
        self._view = LogView(self._ring)
        self._following = True
        self._wrapping = False
        self._stamping = True
        self._cursor = 0  # the number of a line
        self._left = 0
        self._new = 0
        self._lost = 0
        self._names: set[str] = set()
        self._name_cells = 0
        self._search: LogSearch | None = None
        self._will_search = False
        self._prompt: FindPrompt | None = None
        self._placing = False
        self._border_words = "", ""
        self._painter: LogPainter | None = None
        self._painted: dict[tuple[int, bool], tuple[LogLine, list[Strip]]] = {}

    @property
    def following(self) -> bool:
        """True while the newest line stays in sight."""
        return self._following

    @property
    def shows(self) -> LineFilter:
        """The filter: which lines are shown."""
        return self._view.filter

    @property
    def line_count(self) -> int:
        """The number of lines that pass the filter, in sight or not."""
        return len(self._view)

    @property
    def dropped(self) -> int:
        """The number of lines that were written and are no longer here."""
        return self._lost + self._ring.first

    @property
    def current_line(self) -> LogLine | None:
        """The line under the cursor."""
        if not len(self._view):
            return None
        return self._ring[self._view.number_at(self._view.position_of(self._cursor))]

    def append(self, lines: Iterable[LogLine], lost: int = 0) -> None:
        """Add lines, newest last. Call it a few times a second with all new lines, not once a line.

        Args:
            lines: The lines.
            lost: The number of further lines that were dropped before they came here.
        """
        batch = lines if isinstance(lines, list | tuple) else list(lines)
        if not batch and not lost:
            return
        self._make_room_for({line.name for line in batch} - self._names)
        head = self._head_rows
        self._lost += lost
        changed = self._ring.extend(batch)
        added, rows_lost = self._view.sync(changed)
        if self._search is not None:
            self._search.sync(changed)
        if not self.is_attached:
            return
        if self._following:
            self._resize_rows()
            self._stick_to_end()
        else:
            self._new += added
            self._resize_rows(self.scroll_offset.y + self._head_rows - head - rows_lost)
        self.refresh()
        self._name_border()

    def show_only(self, name: str | None, run: int | None = None) -> None:
        """Show only the lines of one task, or of one of its runs; `None` shows all."""
        self._show(replace(self._view.filter, name=name, run=run))

    def show_level(self, level: int) -> None:
        """Show only the lines from a level up, as in `logging`; 0 shows all."""
        self._show(replace(self._view.filter, level=level))

    def show_matching(self, text: str) -> None:
        """Show only the lines that contain a text; an empty text shows all."""
        if text == self._view.filter.text:
            return
        finder = self._finder
        if finder is None or finder.wanted != text or finder.is_incomplete or self._view.filter.text:
            self._show(replace(self._view.filter, text=text))
            return
        self._view.show_these(replace(self._view.filter, text=text), finder.numbers)
        self._new = 0
        self._relayout()

    def clear(self) -> None:
        """Forget all lines."""
        self._ring.clear()
        self._lost -= self._ring.first  # a person cleared them: they do not count as dropped
        self._view.show(self._view.filter)
        self._find(self._finder.wanted if self._finder else "")
        self._new = 0
        self._relayout()

    def _show(self, wanted: LineFilter) -> None:
        self._view.show(wanted)
        if self._finder is not None:
            self._find(self._finder.wanted)
        self._new = 0
        self._relayout()

    def _find(self, text: str) -> None:
        """Search for a text in the lines that are shown, or end the search with an empty one."""
        self._search = None
        if text:
            self._search = LogSearch(self._ring, self._view, text)
            self._search_earlier()
        self._painted.clear()
        self.refresh()
        self._name_border()

    def _search_earlier(self) -> None:
        """Search for a moment; then keys are handled before the search continues."""
        assert self._search is not None
        self._search.search_earlier(search.SEARCH_SECONDS if self.is_attached else inf)
        if self._search.finder.is_incomplete and not self._will_search:
            self._will_search = True
            self.call_later(self._continue_search)

    def _continue_search(self) -> None:
        self._will_search = False
        finder = self._finder
        if finder is not None and finder.is_incomplete:
            found = len(finder)
            self._search_earlier()
            if len(finder) != found:
                self._on_earlier_matches()
            self._name_border()

    def _on_earlier_matches(self) -> None:
        """React to matches that were not known when the search began."""

    # Layout.

    @property
    def _finder(self) -> Finder | None:
        return None if self._search is None else self._search.finder

    @property
    def _head_rows(self) -> int:
        return 1 if self.dropped > 0 else 0

    @property
    def _height(self) -> int:
        return max(0, self.scrollable_content_region.height)

    def _make_room_for(self, names: set[str]) -> None:
        """Widen the column of names, where new names need it."""
        if names:
            self._names |= names
            alike = [other for name in names for other in self.shown_names.add(name)]
            shown = map(self.shown_names.of, (*names, *alike))
            cells = max(min(LONGEST_NAME, cell_len(each)) for each in shown)
            if alike:
                self._painted.clear()
            if cells > self._name_cells:
                self._name_cells = cells
                if self.is_attached:
                    self._relayout()

    def _relayout(self) -> None:
        """Lay the columns out again, and keep the line under the cursor where it is on the screen."""
        self._forget_painter()
        if not self.is_attached:
            return
        above = self._row_of_cursor() - self.scroll_offset.y
        self._view.wrap(self._painter_now().columns.text if self._wrapping else None)
        if self._following:
            self._resize_rows()
            self._stick_to_end()
        else:
            above = min(max(0, above), max(0, self._height - 1))
            self._resize_rows(self._row_of_cursor() - above)
        self.refresh()
        self._name_border()

    def _row_of_cursor(self) -> int:
        if not len(self._view):
            return 0
        return self._head_rows + self._view.row_of(self._view.position_of(self._cursor))

    def _resize_rows(self, scroll: int | None = None) -> None:
        """Set the number of rows for Textual, and scroll. This does not count as scrolling by a person."""
        self._placing = True
        try:
            self.set_content_size(Size(1, self._head_rows + self._view.rows))
            if scroll is not None and scroll != self.scroll_offset.y:
                self.scroll_to(y=max(0, scroll), animate=False, force=True, immediate=True)
        finally:
            self._placing = False

    def _stick_to_end(self) -> None:
        self._new = 0
        if len(self._view):
            self._cursor = self._view.number_at(len(self._view) - 1)
        self._resize_rows(self.max_scroll_y)

    def _go_to(self, position: int, *, jump: bool = False) -> None:
        """Put the cursor on the line at a position, and scroll as little as shows it.

        Args:
            position: The position; the nearest one if there is none.
            jump: If the line was out of sight, put it a third down, so that the lines before it are seen.
        """
        count = len(self._view)
        if not count:
            return
        position = max(0, min(position, count - 1))
        self._cursor = self._view.number_at(position)
        self._following = position == count - 1
        if self._following:
            self._stick_to_end()
        else:
            top = self._head_rows + self._view.row_of(position) if position else 0
            bottom = self._head_rows + self._view.row_of(position + 1)
            scroll, height = self.scroll_offset.y, self._height - (self._prompt is not None)
            if jump and not scroll <= top < bottom <= scroll + height:
                self._resize_rows(max(0, top - self._height // 3))
            else:
                self._resize_rows(min(top, max(scroll, bottom - height)))
        self.refresh()
        self._name_border()

    def _go_to_number(self, number: int | None) -> None:
        if number is not None:
            self._go_to(self._view.position_of(number), jump=True)

    def on_mount(self) -> None:
        """Show the lines that came before the widget was mounted."""
        self._relayout()

    def on_resize(self) -> None:
        """Lay the columns out for the new width."""
        self._relayout()

    def notify_style_update(self) -> None:
        """Paint everything again, because the theme or the focus has changed. Textual calls this."""
        super().notify_style_update()
        self._forget_painter()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when a person scrolls up; follow again at the end."""
        super().watch_scroll_y(old_value, new_value)
        if self._placing or round(old_value) == round(new_value):
            return
        self._following = round(new_value) >= self.max_scroll_y
        if self._following:
            self._stick_to_end()
        elif len(self._view):
            top = max(0, round(new_value) - self._head_rows)
            first, part = self._view.at_row(min(top, self._view.rows - 1))
            last, _ = self._view.at_row(min(top + max(0, self._height - 1), self._view.rows - 1))
            position = self._view.position_of(self._cursor)
            seen = min(max(position, first + (part > 0)), max(first, last))
            self._cursor = self._view.number_at(min(seen, len(self._view) - 1))
        self._name_border()

    # Painting.

    def render_line(self, y: int) -> Strip:
        """Return one row of the panel, as Textual asks for it."""
        region = self.scrollable_content_region
        if self._prompt is not None and y == region.height - 1:
            return self._painter_now().prompt_row(self._prompt.text, found_words(self._finder, self._cursor))
        row = self.scroll_offset.y + y - self._head_rows
        if row < 0:
            return self._painter_now().notice_row(f"{plural(self.dropped, 'line')} dropped")
        if row >= self._view.rows:
            if y == 0 and not self.dropped:
                return self._painter_now().notice_row(nothing_words(self._view.filter))
            return Strip.blank(max(0, region.width), self.rich_style)
        position, part = self._view.at_row(row)
        rows = self._rows_of(self._view.number_at(position))
        return rows[min(part, len(rows) - 1)]

    def _painter_now(self) -> LogPainter:
        if self._painter is None:
            names = 0 if self._view.filter.name is not None else self._name_cells
            width = max(0, self.scrollable_content_region.width)
            self._painter = LogPainter(
                self._looks(),
                log_columns(width, time=self._stamping, name=names),
                wrap=self._wrapping,
                colour=self._colour_of,
                shown=self.shown_names.of,
            )
        return self._painter

    def _forget_painter(self) -> None:
        self._painter = None
        self._painted.clear()

    def _looks(self) -> LogLooks:
        def text(variable: str) -> Style:
            return Style(color=self.theme_colour(variable))

        def on(variable: str, *, bold: bool | None = None) -> Style:
            return Style(
                color=self.theme_colour("background"), bgcolor=self.theme_colour(variable), bold=bold
            )

        return LogLooks(
            base=self.rich_style,
            dim=text(Tone.DIM),
            warning=text(Tone.SOON),
            error=text(Tone.BAD),
            match=on(Tone.SOON),
            current_match=on(Tone.NEXT, bold=True),
            # Of the terminal's sixteen colours none is sure to be readable on another one.
            cursor=Style(reverse=True)
            if self.app.native_ansi_color
            else Style(bgcolor=self.theme_colour(LineState.CURSOR)),
            selection=self.screen.get_component_rich_style("screen--selection"),
        )

    def _colour_of(self, name: str) -> Style:
        return Style(color=self.theme_colour(task_colour(name))) if name else Style.null()

    def _rows_of(self, number: int) -> list[Strip]:
        line = self._ring[number]
        cursor = number == self._cursor and self.has_focus
        selection = self.text_selection
        if selection is None:
            painted = self._painted.get((number, cursor))
            if painted is not None and painted[0] == line:
                return painted[1]
        rows = self._painter_now().paint(
            line,
            number,
            cursor=cursor,
            left=self._left,
            matches=self._finder.places(shown(line.text)) if self._finder is not None else (),
            selected=selection.get_span(number) if selection is not None else None,
        )
        if selection is None:
            if len(self._painted) >= _MOST_PAINTED:
                self._painted.clear()
            self._painted[number, cursor] = line, rows
        return rows

    def _name_border(self) -> None:
        """Write the title and the counts into the border."""
        found = ""
        if self._finder is not None and self._prompt is None:
            found = f"/{shorten(harmless(self._finder.wanted), 20)} {found_words(self._finder, self._cursor)}"
        wanted = self._view.filter
        words = (
            title_words(wanted, self.dropped),
            figure_words(wanted, len(self._view), found=found, following=self._following, new=self._new),
        )
        if words != self._border_words:
            self._border_words = words
            self.border_title, self.border_subtitle = map(Content, words)

    # Selecting with the mouse. Textual gets numbers of lines and indexes of characters, not rows and cells,
    # so that a selection stays on its text while lines come, fold and fall out.

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, and the line end that follows it. Textual calls this."""
        first = selection.start.y if selection.start is not None else self._ring.first
        last = selection.end.y if selection.end is not None else self._ring.end
        texts = []
        for number, line in self._view.since(first):
            if number > last:
                break
            if (span := selection.get_span(number)) is not None:
                start, end = span
                texts.append(shown(line.text)[max(0, start) : None if end == -1 else max(0, end)])
        return "\n".join(texts), "\n"
