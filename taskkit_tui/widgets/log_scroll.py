"""The lines of the log on the screen: what is seen, where, and how it stays there while lines come.

The lines stand in a ring as they were written; only those that are seen are parsed and painted. So a
line that is never looked at costs well under a microsecond, and the number of lines does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from taskkit_tui.formatting import fit, harmless, plural, shorten, task_colour
from taskkit_tui.log.ansi import shown
from taskkit_tui.log.columns import LONGEST_NAME, share_out
from taskkit_tui.log.find import Finder
from taskkit_tui.log.line import LogLine
from taskkit_tui.log.ring import MOST_LINES, LineRing
from taskkit_tui.log.view import LineFilter, LogView
from taskkit_tui.widgets.log_paint import LogLooks, LogPainter
from taskkit_tui.widgets.log_prompt import FindPrompt

LEVELS: Final = {0: "everything", 20: "info", 30: "warning", 40: "error"}
"""The least levels that one can choose, and their names."""

_STRIPS_KEPT: Final = 1_000


class LogScroll(ScrollView):
    """The newest lines, of all tasks or of one: which are seen, and where. It has no keys.

    Args:
        most_lines: How many lines are kept.
        id: As for every widget.
    """

    DEFAULT_CSS = """
    LogScroll {
        border: round $rule;
        border-title-color: $dim;
        border-title-style: bold;
        border-subtitle-color: $dim;
        background: $background;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        &:focus {
            border: round $border;
            border-title-color: $next;
        }
        & > .log--dim { color: $dim; }
        & > .log--warning { color: $soon; }
        & > .log--error { color: $bad; }
        & > .log--match { background: $soon; color: $background; }
        & > .log--current-match { background: $next; color: $background; text-style: bold; }
        & > .log--cursor { background: $row-cursor; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--dim",
        "log--warning",
        "log--error",
        "log--match",
        "log--current-match",
        "log--cursor",
    }

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
        self._painter: LogPainter | None = None
        self._painted: dict[tuple[int, bool], tuple[LogLine, list[Strip]]] = {}

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
        self._tell()

    def show_only(self, name: str | None, run: int | None = None) -> None:
        """Show the lines of one task, or of one run of it; of all with `None`."""
        self._show(LineFilter(name, run, self._view.filter.level))

    def show_level(self, level: int) -> None:
        """Show the lines from a level up, as in `logging`; all with 0."""
        current = self._view.filter
        self._show(LineFilter(current.name, current.run, level))

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
        self._painted.clear()
        self.refresh()
        self._tell()

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
        self._painter = None
        self._painted.clear()
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
        self._tell()

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

    def _go_to(self, position: int) -> None:
        """Put the cursor on the line at a position, and scroll as little as shows it."""
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
            scroll = self.scroll_offset.y
            self._resize_rows(min(top, max(scroll, bottom - self._height)))
        self.refresh()
        self._tell()

    def _go_to_number(self, number: int | None) -> None:
        if number is not None:
            self._go_to(self._view.position_of(number))

    def on_mount(self) -> None:
        """Show what came before there was a screen."""
        self._relayout()

    def on_resize(self) -> None:
        """Share out the columns anew."""
        self._relayout()

    def notify_style_update(self) -> None:
        """The theme, or the focus, changed the styles: paint anew."""
        super().notify_style_update()
        self._painter = None
        self._painted.clear()

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
        self._tell()

    # Painting.

    def _painter_now(self) -> LogPainter:
        if self._painter is None:
            names = 0 if self._view.filter.name is not None else self._name_cells
            width = self.scrollable_content_region.width
            columns = share_out(width, time=self._stamping, name=names)
            self._painter = LogPainter(self._looks(), columns, wrap=self._wrapping, colour=self._colour_of)
        return self._painter

    def _looks(self) -> LogLooks:
        def part(name: str) -> Style:
            return self.get_component_rich_style(name, partial=True)

        return LogLooks(
            base=self.rich_style,
            dim=part("log--dim"),
            warning=part("log--warning"),
            error=part("log--error"),
            match=part("log--match"),
            current_match=part("log--current-match"),
            # Of sixteen colours none is sure to be read on another.
            cursor=Style(reverse=True) if self.app.native_ansi_color else part("log--cursor"),
            selection=self.screen.get_component_rich_style("screen--selection"),
        )

    def _colour_of(self, name: str) -> Style:
        if not name:
            return Style.null()
        try:
            colour = Color.parse(self.app.theme_variables[task_colour(name)])
        except (KeyError, ColorParseError):
            return Style.null()
        return Style(color=colour.rich_color)

    def render_line(self, y: int) -> Strip:
        """One row of the panel."""
        base = self.rich_style
        region = self.scrollable_content_region
        width = max(0, region.width)
        if self._prompt is not None and y == region.height - 1:
            return self._prompt_row(self._prompt, width, base)
        row = self.scroll_offset.y + y - self._head_rows
        if row < 0:
            return self._notice(f" {plural(self.dropped, 'line')} dropped", width, base)
        if row >= self._view.rows:
            if y == 0 and not self.dropped:
                return self._notice(self._nothing_there(), width, base)
            return Strip.blank(width, base)
        position, part = self._view.at_row(row)
        rows = self._rows_of(self._view.number_at(position))
        return rows[min(part, len(rows) - 1)]

    def _rows_of(self, number: int) -> list[Strip]:
        line = self._ring[number]
        cursor = number == self._cursor and self.has_focus
        selection = self.text_selection
        key = (number, cursor)
        if selection is None and (known := self._painted.get(key)) is not None and known[0] == line:
            return known[1]
        rows = self._painter_now().paint(
            line,
            number,
            cursor=cursor,
            left=self._left,
            matches=self._finder.places(shown(line.text)) if self._finder is not None else (),
            selected=selection.get_span(number) if selection is not None else None,
        )
        if selection is None:
            if len(self._painted) >= _STRIPS_KEPT:
                self._painted.clear()
            self._painted[key] = (line, rows)
        return rows

    def _notice(self, text: str, width: int, base: Style) -> Strip:
        dim = self.get_component_rich_style("log--dim", partial=True)
        return Strip([Segment(fit(text, width), base + dim)], width)

    def _nothing_there(self) -> str:
        if not self._view.filter:
            return " Nothing was printed yet. What tasks print shows here, as they print it."
        return " No line to show here. L shows all tasks, v changes the least level."

    def _prompt_row(self, prompt: FindPrompt, width: int, base: Style) -> Strip:
        told = self._find_status()
        if width >= 60:
            told += " · ↑ ↓ other matches · ⏎ keeps · esc ends"
        typed = harmless(prompt.text)
        room = width - cell_len(told) - 4
        while typed and cell_len(typed) > room:
            typed = typed[1:]
        text = f"/{typed}"
        dim = self.get_component_rich_style("log--dim", partial=True)
        segments = [
            Segment(text, base + Style(bold=True)),
            Segment(" ", base + Style(reverse=True)),
            Segment(f" {told}", base + dim),
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _find_status(self) -> str:
        if self._finder is None or not self._finder.wanted:
            return ""
        if not len(self._finder):
            return "not found"
        rank = self._finder.rank(self._cursor)
        return (
            f"{rank:,} of {plural(len(self._finder), 'line')}" if rank else plural(len(self._finder), "line")
        )

    def _tell(self) -> None:
        """Write the title and the figures into the border."""
        wanted = self._view.filter
        title = "Log · all tasks"
        if wanted.name is not None:
            title = f"Log · {shorten(harmless(wanted.name), 40) or 'outside tasks'}"
        if wanted.run is not None:
            title += f" · run {wanted.run}"
        if self.dropped:
            title += f" · {plural(self.dropped, 'line')} dropped"
        figures = []
        if self._finder is not None and self._prompt is None:
            figures.append(f"/{shorten(harmless(self._finder.wanted), 20)} {self._find_status()}")
        if wanted.level:
            figures.append(f"from {LEVELS.get(wanted.level, str(wanted.level))} up")
        if self._following:
            figures.append("following")
        elif self._new:
            figures.append(f"{self._new:,} new ↓")
        figures.append(plural(len(self._view), "line"))
        subtitle = " · ".join(figures)
        if self._told != (title, subtitle):
            self._told = (title, subtitle)
            self.border_title = Content(title)
            self.border_subtitle = Content(subtitle)

    _told: tuple[str, str] = ("", "")

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
