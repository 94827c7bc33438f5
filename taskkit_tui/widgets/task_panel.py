"""One panel of tasks: the widget behind “Scheduled”, “Running” and “On demand”.

It looks into its rows through a window and paints the lines that are seen, whatever the number of rows.
On every `show` it works out the visible cells anew, compares them with what is painted, and has only those
stretches repainted that differ: a countdown that falls costs the cells of that countdown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from taskkit_tui.viewmodel.applicability import why_not
from taskkit_tui.viewmodel.columns import PanelPlan
from taskkit_tui.viewmodel.model import Sorting
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.framed_scroll import FramedScroll
from taskkit_tui.widgets.panel_actions import PanelActions, Rows
from taskkit_tui.widgets.panel_bindings import PANEL_BINDINGS
from taskkit_tui.widgets.panel_paint import BLANK, PanelLine, PanelPainter
from taskkit_tui.widgets.tones import LineState, TonedWidget

HEADER_LINES: Final = 1
_NONE_PASSES: Final = ("Filtered out · esc shows all",)


class TaskPanel(FramedScroll, TonedWidget, PanelActions, can_focus=True, inherit_bindings=False):
    """The rows of one place, one line each, beneath a line of column titles."""

    BINDINGS: ClassVar[list[BindingType]] = PANEL_BINDINGS

    @dataclass
    class Highlighted(Message):
        """Another row is selected."""

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
        """The number of the row that the cursor was put on, which may have left meanwhile."""
        return self._number

    @property
    def task_name(self) -> str:
        """The name of the task that the cursor was put on; empty before there was one."""
        return self._task_name

    @property
    def selected(self) -> TaskRow | None:
        """The row that keys act on."""
        if self._number is None or (position := self.rows.position(self._number)) is None:
            return None
        return self.rows.window(position, position + 1)[0]

    def select(self, number: int) -> None:
        """Put the cursor on a row. Does nothing if the row is not here."""
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
        """Put the cursor on the row at `index`, or on the nearest there is."""
        index = max(0, min(index, len(self.rows) - 1))
        for row in self.rows.window(index, index + 1):
            self.select(row.number)

    def targets(self) -> tuple[TaskRow, ...]:
        """The rows that a command goes to: all the marked, else the selected one."""
        if marked := tuple(self.rows.marked()):
            return marked
        return (row,) if (row := self.selected) is not None else ()

    # Looking again.

    def show(self, now: float) -> None:
        """Show how things stand at `now`, in epoch seconds. Repaints what differs, and nothing else."""
        self._now = now
        size = Size(0, len(self.rows) + HEADER_LINES)
        if size.height != self.virtual_size.height:
            self.virtual_size = size
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
        """The index of the selected task, if it was added again under its name, with another number."""
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
        """The cells for lines, column titles counted."""
        return self.scrollable_content_region.size

    def on_resize(self) -> None:
        """Lay the columns out for the new width."""
        self._lay_out()

    def watch_show_vertical_scrollbar(self) -> None:
        """Lay the columns out beside it, or without it."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        self._contents = self.rows.contents
        self._painter = PanelPainter(self, self.plan, self._room.width, self._contents)
        self._painted.clear()
        self.bring_into_view(self._index, self._page)
        self.refresh()

    def notify_style_update(self) -> None:
        """Paint everything anew, because the theme may have changed. Textual calls this."""
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
        """What the line `y` of the widget holds now."""
        index = y - HEADER_LINES + self.scroll_offset.y
        if not self.rows:
            return self._lesson(y)
        rows = self.rows.window(index, index + 1) if y >= HEADER_LINES else ()
        if not rows:
            return BLANK
        row = rows[0]
        marked = self.rows.is_marked(row.number)
        state = LineState.MARKED if marked else LineState.PLAIN
        if row.number == self._number:
            state = LineState.CURSOR if self.has_focus else LineState.RESTING
        return self._painter.row(row, self._now, state, mark=marked, paused=self.rows.paused)

    def _lesson(self, y: int) -> PanelLine:
        """What an empty panel says instead of rows."""
        words = _NONE_PASSES if self.rows.total else self.plan.empty
        index = y - HEADER_LINES
        return self._painter.words(words[index]) if 0 <= index < len(words) else BLANK

    def render_line(self, y: int) -> Strip:
        """One line of the widget, as Textual asks for it."""
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
        """Every line shows another row now."""
        self._painted.clear()
        super().watch_scroll_y(old_value, new_value)

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key applies to the rows it would act on. `None` keeps it out of the footer."""
        return None if self.why_not(action) else True

    def why_not(self, action: str) -> str | None:
        """Why an action does not apply now, in words for a person; `None` if it does."""
        return why_not(action, self.targets(), read_only=self.read_only)

    def action_cursor_up(self) -> None:
        """Select the row above."""
        self.select_index(self._index - 1)

    def action_cursor_down(self) -> None:
        """Select the row below."""
        self.select_index(self._index + 1)

    def action_page_up(self) -> None:
        """Go up by a panelful."""
        self.select_index(self._index - self._page)

    def action_page_down(self) -> None:
        """Go down by a panelful."""
        self.select_index(self._index + self._page)

    def action_first(self) -> None:
        """Select the first row."""
        self.select_index(0)

    def action_last(self) -> None:
        """Select the last row."""
        self.select_index(len(self.rows) - 1)

    # Focus and mouse.

    def on_focus(self) -> None:
        """Show the cursor as active."""
        self._repaint_what_differs()

    def on_blur(self) -> None:
        """Show the cursor as resting."""
        self._repaint_what_differs()

    def on_click(self, event: events.Click) -> None:
        """Select a row, open it on the second click; sort by the title that was hit."""
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
                self.action_details()

    def _sort_by_title(self, x: int) -> None:
        column = self._painter.column_at(x)
        if column is not None:
            sorting = self.rows.sorting
            reverse = column is sorting.column and not sorting.reverse
            self.post_message(self.SortAsked(self, Sorting(column, reverse)))
