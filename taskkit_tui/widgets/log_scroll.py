"""The lines of the log on the screen: what is seen, where, and how it stays there while lines come.

The lines stand in a ring as they were written; only those that are seen are parsed and painted. So a
line that is never looked at costs well under a microsecond, and the number of lines does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip

from taskkit_tui.formatting import harmless, plural, shorten
from taskkit_tui.log.ansi import shown
from taskkit_tui.log.border_words import figure_words, found_words, nothing_words, title_words
from taskkit_tui.log.columns import LONGEST_NAME
from taskkit_tui.log.find import Finder
from taskkit_tui.log.line import LogLine
from taskkit_tui.log.ring import MOST_LINES, LineRing
from taskkit_tui.log.view import LineFilter, LogView
from taskkit_tui.widgets.log_canvas import LogCanvas
from taskkit_tui.widgets.log_paint import LogPainter
from taskkit_tui.widgets.log_prompt import FindPrompt


class LogScroll(LogCanvas):
    """The newest lines, of all tasks or of one: which are seen, and where. It has no keys.

    Args:
        most_lines: How many lines are kept.
        id: As for every widget.
    """

    ALLOW_SELECT = True

    def __init__(self, *, most_lines: int = MOST_LINES, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
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
        self._finder: Finder | None = None
        self._prompt: FindPrompt | None = None
        self._origin = 0  # where the cursor was when the prompt opened
        self._placing = False
        self._border_words = "", ""

    # What is shown: for the app, and for tests.

    @property
    def following(self) -> bool:
        """Whether the newest line stays in sight."""
        return self._following

    @property
    def shows(self) -> LineFilter:
        """Which lines are shown."""
        return self._view.filter

    @property
    def line_count(self) -> int:
        """How many lines are shown, those out of sight counted."""
        return len(self._view)

    @property
    def dropped(self) -> int:
        """How many lines were written and are not kept."""
        return self._lost + self._ring.first

    @property
    def current_line(self) -> LogLine | None:
        """The line under the cursor."""
        if not len(self._view):
            return None
        return self._ring[self._view.number_at(self._view.position_of(self._cursor))]

    def append(self, lines: Iterable[LogLine], lost: int = 0) -> None:
        """Add lines, newest last. Call it a few times a second with all there is, not once a line.

        Args:
            lines: The lines.
            lost: How many more were written, and dropped before they came here.
        """
        batch = lines if isinstance(lines, list | tuple) else list(lines)
        if not batch and not lost:
            return
        self._meet({line.name for line in batch} - self._names)
        head = self._head_rows
        self._lost += lost
        changed = self._ring.extend(batch)
        added, rows_lost = self._view.sync(changed)
        if self._finder is not None:
            self._finder.forget(self._ring.first, changed)
            self._finder.look(self._view.since(changed))
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
        """Show the lines of one task, or of one run of it; of all with `None`."""
        self._show(replace(self._view.filter, name=name, run=run))

    def show_level(self, level: int) -> None:
        """Show the lines from a level up, as in `logging`; all with 0."""
        self._show(replace(self._view.filter, level=level))

    def show_matching(self, wanted: str) -> None:
        """Show the lines that hold a text, of those that are shown otherwise; all with an empty one."""
        if wanted != self._view.filter.text:
            self._show(replace(self._view.filter, text=wanted))

    def clear(self) -> None:
        """Forget all lines."""
        self._ring.clear()
        self._lost -= self._ring.first  # forgotten on purpose, not dropped
        self._view.show(self._view.filter)
        self._search(self._finder.wanted if self._finder else "")
        self._new = 0
        self._relayout()

    def _show(self, wanted: LineFilter) -> None:
        self._view.show(wanted)
        if self._finder is not None:
            self._search(self._finder.wanted)
        self._new = 0
        self._relayout()

    def _search(self, wanted: str) -> None:
        self._finder = None
        if wanted:
            self._finder = Finder(wanted)
            self._finder.look(self._view.since(self._ring.first))
        self.forget_rows()
        self.refresh()
        self._name_border()

    # Layout: which rows there are, and where they stand.

    @property
    def _head_rows(self) -> int:
        return 1 if self.dropped > 0 else 0

    @property
    def _height(self) -> int:
        return max(0, self.scrollable_content_region.height)

    def _meet(self, names: set[str]) -> None:
        """Make room for names that were not seen before."""
        if names:
            self._names |= names
            cells = max(min(LONGEST_NAME, cell_len(harmless(name))) for name in names)
            if cells > self._name_cells:
                self._name_cells = cells
                if self.is_attached:
                    self._relayout()

    def _relayout(self) -> None:
        """Share out the columns anew, and keep the line under the cursor where it is on the screen."""
        self.forget_columns()
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
        """Tell Textual how many rows there are, and scroll without that counting as a person's doing."""
        self._placing = True
        try:
            self.virtual_size = Size(1, self._head_rows + self._view.rows)
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
            position: Of the line; the nearest one if there is none.
            jump: Whether it stands a third down if it was out of sight, so that one sees what was before it.
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
        """Show what came before there was a screen."""
        self._relayout()

    def on_resize(self) -> None:
        """Share out the columns anew."""
        self._relayout()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up lets go of the end, scrolling down to the end holds on to it again."""
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
        """One row of the panel."""
        region = self.scrollable_content_region
        if self._prompt is not None and y == region.height - 1:
            return self.prompt_row(self._prompt.text, found_words(self._finder, self._cursor))
        row = self.scroll_offset.y + y - self._head_rows
        if row < 0:
            return self.notice_row(f"{plural(self.dropped, 'line')} dropped")
        if row >= self._view.rows:
            if y == 0 and not self.dropped:
                return self.notice_row(nothing_words(self._view.filter))
            return Strip.blank(max(0, region.width), self.rich_style)
        position, part = self._view.at_row(row)
        rows = self._rows_of(self._view.number_at(position))
        return rows[min(part, len(rows) - 1)]

    def _painter_now(self) -> LogPainter:
        names = 0 if self._view.filter.name is not None else self._name_cells
        return self.painter(time=self._stamping, name=names, wrap=self._wrapping)

    def _rows_of(self, number: int) -> list[Strip]:
        line = self._ring[number]
        cursor = number == self._cursor and self.has_focus
        selection = self.text_selection
        if selection is None and (kept := self.kept_rows(number, line, cursor=cursor)) is not None:
            return kept
        rows = self._painter_now().paint(
            line,
            number,
            cursor=cursor,
            left=self._left,
            matches=self._finder.places(shown(line.text)) if self._finder is not None else (),
            selected=selection.get_span(number) if selection is not None else None,
        )
        if selection is None:
            self.keep_rows(number, line, rows, cursor=cursor)
        return rows

    def _name_border(self) -> None:
        """Write the title and the figures into the border."""
        found = ""
        if self._finder is not None and self._prompt is None:
            found = f"/{shorten(harmless(self._finder.wanted), 20)} {found_words(self._finder, self._cursor)}"
        wanted = self._view.filter
        told = (
            title_words(wanted, self.dropped),
            figure_words(wanted, len(self._view), found=found, following=self._following, new=self._new),
        )
        if told != self._border_words:
            self._border_words = told
            self.border_title, self.border_subtitle = map(Content, told)

    # Selecting with the mouse. Textual is told numbers of lines and indexes of characters, not rows and
    # cells, so a selection stays on its text while lines come, fold and fall out.

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, and what follows it."""
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
