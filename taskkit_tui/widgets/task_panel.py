"""Shows a panel of tasks: “Scheduled”, “Running” and “On demand” are each one of these.

It asks for the visible rows only, whatever the number of rows. Each `show` computes the visible cells again,
compares them with the painted ones, and repaints the parts that differ: a countdown costs only its own cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from taskkit_tui.keys.bindings import bindings_of, command_of
from taskkit_tui.keys.command import Command, Place
from taskkit_tui.viewmodel.panel_order import Sorting
from taskkit_tui.viewmodel.panels.columns import PanelColumn, PanelPlan
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.framed_scroll import FramedScroll
from taskkit_tui.widgets.panel_actions import PanelActions, Rows
from taskkit_tui.widgets.panel_paint import BLANK, PanelLine, PanelPainter
from taskkit_tui.widgets.toned_widget import LineState, TonedWidget

HEADER_LINES: Final = 1
_NO_MATCH: Final = ("No task matches the filter.", "esc shows all tasks.")


class TaskPanel(FramedScroll, TonedWidget, PanelActions, can_focus=True, inherit_bindings=False):
    """The rows of one panel, one line each, below a line of column titles."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Place.PANEL)

    @dataclass
    class Highlighted(Message):
        """Says that another row is selected."""

        panel: TaskPanel

    def __init__(self, plan: PanelPlan, rows: Rows, *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self.plan = plan
        self.rows = rows
        self.read_only = False
        self._now = 0.0
        self._number: int | None = None
        self._task_name = ""
        self._index = 0
        self._contents = rows.contents
        self._painter = PanelPainter(self, plan, 0)
        self._painted: dict[int, tuple[PanelLine, Strip]] = {}

    # The selected row.

    @property
    def number(self) -> int | None:
        """The number of the row under the cursor; the row may have left the panel meanwhile."""
        return self._number

    @property
    def task_name(self) -> str:
        """The name of the task under the cursor; empty before there was one."""
        return self._task_name

    @property
    def selected(self) -> TaskRow | None:
        """The selected row, which keys act on."""
        if self._number is None or (position := self.rows.position(self._number)) is None:
            return None
        return self.rows.window(position, position + 1)[0]

    def select(self, number: int) -> None:
        """Move the cursor to a row. Do nothing if the row is not in this panel."""
        position = self.rows.position(number)
        if position is None:
            return
        changed = number != self._number
        self._number, self._index = number, position
        self._task_name = self.rows.window(position, position + 1)[0].name
        self.bring_into_view(self._index, self._page)
        self._repaint_what_differs()
        if changed:
            self.post_message(self.Highlighted(self))

    def select_index(self, index: int) -> None:
        """Move the cursor to the row at `index`, or to the nearest one."""
        index = max(0, min(index, len(self.rows) - 1))
        for row in self.rows.window(index, index + 1):
            self.select(row.number)

    def targets(self) -> tuple[TaskRow, ...]:
        """Return the rows that a command acts on: all marked ones, else the selected one."""
        if marked := tuple(self.rows.marked()):
            return marked
        return (row,) if (row := self.selected) is not None else ()

    def sortable(self) -> tuple[PanelColumn, ...]:
        """Return the visible columns that can be sorted by; before the first layout, all such columns."""
        return self._painter.sortable() or self.plan.sortable()

    # Showing changes.

    def show(self, now: float) -> None:
        """Show the rows as they are at `now`, in epoch seconds; repaint only what differs."""
        self._now = now
        self.set_content_size(Size(0, len(self.rows) + HEADER_LINES))
        if self.rows.contents != self._contents:
            self._lay_out()
        self._follow()
        self._name_border()
        self._repaint_what_differs()

    def _follow(self) -> None:
        """Stay on the selected task wherever it moved; on the next one if it left."""
        position = None if self._number is None else self.rows.position(self._number)
        if position is None and self._number is not None:
            position = self._find_again()
        if position is None:
            before = self._number
            index = min(self._index, len(self.rows) - 1)
            self._number = None
            for row in self.rows.window(index, index + 1):
                self._number, self._task_name = row.number, row.name
            self._index = max(0, index)
            if self._number != before:
                self.post_message(self.Highlighted(self))
        elif position != self._index:
            seen = self._is_in_view(self._index)
            self._index = position
            if seen:
                self.bring_into_view(self._index, self._page)

    def _find_again(self) -> int | None:
        """Return the index of the selected task, if it was registered again and has a new number."""
        number = self.rows.number_of(self._task_name)
        position = None if number is None else self.rows.position(number)
        if position is not None and number != self._number:
            self._number = number
            self.post_message(self.Highlighted(self))
        return position

    def _name_border(self) -> None:
        shown, total = len(self.rows), self.rows.total
        title = f"{self.plan.title} {shown:,}" + ("" if shown == total else f" of {total:,}")
        sorting = self.rows.sorting
        subtitle = f"by {sorting.column.key} {'▴' if sorting.reverse else '▾'}"
        if title != self.border_title:
            self.border_title = title
        if subtitle != self.border_subtitle:
            self.border_subtitle = subtitle

    # Painting.

    @property
    def _room(self) -> Size:
        """The size in cells, including the column titles."""
        return self.scrollable_content_region.size

    def _place_columns(self) -> None:
        self._contents = self.rows.contents
        self._painter = PanelPainter(self, self.plan, self._room.width, self._contents)
        self._painted.clear()

    def on_resize(self) -> None:
        """Lay out the columns for the new width."""
        self._lay_out()

    def watch_show_vertical_scrollbar(self) -> None:
        """Lay out the columns again, because the scrollbar has come or gone."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        self._place_columns()
        self.bring_into_view(self._index, self._page)
        self.refresh()

    def notify_style_update(self) -> None:
        """Paint everything again, because the theme may have changed. Textual calls this."""
        super().notify_style_update()
        self._painted.clear()

    def _repaint_what_differs(self) -> None:
        for y, (painted, _) in list(self._painted.items()):
            line = self._line(y)
            if line != painted:
                start, end = self._painter.difference(painted, line) or (0, self.size.width)
                del self._painted[y]
                self.refresh(Region(start, y, end - start, 1))

    def _line(self, y: int) -> PanelLine:
        """Return the content of line `y` of the widget."""
        index = y - HEADER_LINES + self.scroll_offset.y
        if not self.rows:
            return self._empty_state(y)
        rows = self.rows.window(index, index + 1) if y >= HEADER_LINES else ()
        if not rows:
            return BLANK
        row = rows[0]
        marked = self.rows.is_marked(row.number)
        state = LineState.MARKED if marked else LineState.PLAIN
        if row.number == self._number:
            state = LineState.CURSOR if self.has_focus else LineState.RESTING
        return self._painter.row(row, self._now, state, mark=marked, paused=self.rows.paused)

    def _empty_state(self, y: int) -> PanelLine:
        """Return a line of the text that an empty panel shows instead of rows."""
        words = _NO_MATCH if self.rows.total else self.plan.empty
        index = y - HEADER_LINES
        return self._painter.words(words[index]) if 0 <= index < len(words) else BLANK

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of the widget; Textual asks for those of a new size before it posts `Resize`."""
        if self._painter.width != self._room.width:
            self._place_columns()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return one line of the widget, as Textual asks for it."""
        if y == 0 and self.rows:
            return self._painter.titles(self.rows.sorting.column.key)
        line = self._line(y)
        painted = self._painted.get(y)
        if painted is None or painted[0] != line:
            painted = self._painted[y] = (line, self._painter.strip(line))
        return painted[1]

    # Scrolling.

    @property
    def _page(self) -> int:
        return max(1, self._room.height - HEADER_LINES)

    def _is_in_view(self, index: int) -> bool:
        return 0 <= index - self.scroll_offset.y < self._page

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Forget the painted lines: each one shows another row now."""
        self._painted.clear()
        super().watch_scroll_y(old_value, new_value)

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return True if a key applies to the rows it would act on. None keeps it out of the footer."""
        command = command_of(action, parameters)
        return None if command is not None and self.why_not(command) else True

    def why_not(self, command: Command) -> str | None:
        """Return why a command does not apply now, in words for a person; None if it does."""
        if marks := self.rows.marks:
            return command.why_not(self.rows.marked_examples(), read_only=self.read_only, of=marks)
        return command.why_not(self.targets(), read_only=self.read_only)

    def action_cursor_up(self) -> None:
        """Select the row above."""
        self.select_index(self._index - 1)

    def action_cursor_down(self) -> None:
        """Select the row below."""
        self.select_index(self._index + 1)

    def action_page_up(self) -> None:
        """Go up by a page."""
        self.select_index(self._index - self._page)

    def action_page_down(self) -> None:
        """Go down by a page."""
        self.select_index(self._index + self._page)

    def action_first(self) -> None:
        """Select the first row."""
        self.select_index(0)

    def action_last(self) -> None:
        """Select the last row."""
        self.select_index(len(self.rows) - 1)

    # Focus and mouse.

    def on_focus(self) -> None:
        """Repaint the cursor as active."""
        self._repaint_what_differs()

    def on_blur(self) -> None:
        """Repaint the cursor as inactive."""
        self._repaint_what_differs()

    def on_click(self, event: events.Click) -> None:
        """Select a row, open it on a double click, or sort by the clicked title."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < HEADER_LINES:
            self._sort_by_title(offset.x)
            return
        index = offset.y - HEADER_LINES + self.scroll_offset.y
        if index < len(self.rows):
            self.select_index(index)
            if event.chain == 2:
                self.action_command("task.details")

    def _sort_by_title(self, x: int) -> None:
        column = self._painter.column_at(x)
        if column is not None:
            sorting = self.rows.sorting
            reverse = column is sorting.column and not sorting.reverse
            self.post_message(self.SortAsked(self, Sorting(column, reverse)))
