"""The log pane: the log's lines, and what keys and the mouse do with them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.message import Message

from taskkit_tui.formatting import harmless
from taskkit_tui.log.ansi import shown
from taskkit_tui.log.border_words import LEVELS, saved_words
from taskkit_tui.log.line import LogLine
from taskkit_tui.log.save import save
from taskkit_tui.log.view import LineFilter
from taskkit_tui.widgets.log_bindings import LOG_BINDINGS
from taskkit_tui.widgets.log_finding import LogFinding

SIDEWAYS: Final = 8
"""Cells that `left` and `right` scroll by."""


class LogPane(LogFinding, can_focus=True, inherit_bindings=False):
    """What tasks print, as they print it. Knows lines, not schedulers.

    Args:
        most_lines: How many lines are kept.
        id: As for every widget.
    """

    BINDINGS: ClassVar[list[BindingType]] = LOG_BINDINGS

    class TracebackOpened(Message):
        """A person wants to read the traceback of a failure."""

        def __init__(self, line: LogLine) -> None:
            super().__init__()
            self.line = line
            """Its `traceback` is not empty."""

    class RunOpened(Message):
        """A person wants to know more of the run that wrote a line."""

        def __init__(self, name: str, run: int) -> None:
            super().__init__()
            self.name = name
            """The task's."""
            self.run = run
            """Its number."""

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Put the cursor on the line; what one points at stands still."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = self.scroll_offset.y + offset.y - self._head_rows
        if 0 <= row < self._view.rows:
            position, _ = self._view.at_row(row)
            self._following = False
            self._cursor = self._view.number_at(position)
            self.refresh()
            self._name_border()

    def on_click(self, event: events.Click) -> None:
        """A double click opens."""
        if event.chain == 2 and (line := self.current_line) is not None and line.run is not None:
            self.action_open()

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Show what is further left."""
        event.stop()
        self.action_left()

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Show what is further right."""
        event.stop()
        self.action_right()

    # Keys.

    def action_follow(self) -> None:
        """Stay with the newest line, or let go."""
        self._following = not self._following
        if self._following:
            self._stick_to_end()
        self.refresh()
        self._name_border()

    def action_wrap(self) -> None:
        """Fold long lines, or cut them."""
        self._wrapping = not self._wrapping
        self._left = 0
        self._relayout()

    def action_stamps(self) -> None:
        """Show or hide the time of each line."""
        self._stamping = not self._stamping
        self._relayout()

    def action_level(self) -> None:
        """Show the lines from the next level up; after error, everything."""
        levels = list(LEVELS)
        current = self._view.filter.level
        self.show_level(next((level for level in levels if level > current), levels[0]))

    def action_only_this(self) -> None:
        """Show the lines of the current line's task only."""
        if (line := self.current_line) is not None:
            self.show_only(line.name)

    def action_all_tasks(self) -> None:
        """Show the lines of all tasks."""
        self.show_only(None)

    def action_open(self) -> None:
        """Open the traceback of the current line; if it has none, the run that wrote it."""
        line = self.current_line
        if line is not None and line.traceback:
            self.post_message(self.TracebackOpened(line))
        elif line is not None and line.run is not None:
            self.post_message(self.RunOpened(line.name, line.run))
        else:
            self.notify("This line belongs to no run", severity="warning")

    def action_copy(self) -> None:
        """Copy the selected text, else the current line, to the clipboard."""
        selected = self.screen.get_selected_text()
        line = self.current_line
        if not selected and line is None:
            return
        text = selected or shown(line.text if line else "")
        self.app.copy_to_clipboard(text)
        self.notify("Copied the selection" if selected else "Copied the line")

    def action_save(self) -> None:
        """Save the lines shown as a new file in the current folder; a toast names it."""
        lines = [line for _, line in self._view.since(self._ring.first)]
        wanted = "" if self._finder is None else self._finder.wanted
        self.run_worker(self._save(lines, self.shows, wanted), group="save", exit_on_error=False)

    async def _save(self, lines: list[LogLine], shows: LineFilter, wanted: str) -> None:
        try:
            path = await asyncio.to_thread(save, lines, Path.cwd(), time.time())
        except OSError as error:
            self.notify(f"The log was not saved: {error}", severity="error", markup=False)
        else:
            self.notify(saved_words(shows, len(lines), path.name, wanted), markup=False)

    def action_previous_run(self) -> None:
        """Go to the first line of the run before, of the current line's task."""
        self._go_to_run(forward=False)

    def action_next_run(self) -> None:
        """Go to the first line of the next run of the current line's task."""
        self._go_to_run(forward=True)

    def _go_to_run(self, *, forward: bool) -> None:
        line = self.current_line
        if line is None or line.run is None:
            self.notify("This line belongs to no run", severity="warning")
            return
        lines = list(self._view.since(self._cursor if forward else self._ring.first))
        if not forward:
            lines = [numbered for numbered in reversed(lines) if numbered[0] < self._cursor]
        found: int | None = None
        run: int | None = line.run
        for number, other in lines:
            if other.name == line.name and other.run != run:
                if found is not None:
                    break
                found, run = number, other.run
                if forward:
                    break
            elif other.name == line.name and found is not None:
                found = number
        if found is None:
            self.notify(
                f"No {'later' if forward else 'earlier'} run of {harmless(line.name)} here", markup=False
            )
        self._go_to_number(found)

    def _step(self, lines: int) -> None:
        self._go_to(self._view.position_of(self._cursor) + lines)

    def action_cursor_up(self) -> None:
        """Go to the line above."""
        self._step(-1)

    def action_cursor_down(self) -> None:
        """Go to the line below; at the last one, follow again."""
        self._step(1)

    def action_page_up(self) -> None:
        """Go up by a panelful."""
        self._turn_page(-1)

    def action_page_down(self) -> None:
        """Go down by a panelful."""
        self._turn_page(1)

    def _turn_page(self, direction: int) -> None:
        if not len(self._view):
            return
        row = self._row_of_cursor() - self._head_rows + direction * max(1, self._height - 1)
        self._go_to(self._view.at_row(max(0, min(row, self._view.rows - 1)))[0])

    def action_first(self) -> None:
        """Go to the oldest line."""
        self._go_to(0)

    def action_last(self) -> None:
        """Go to the newest line, and follow."""
        self._go_to(len(self._view) - 1)

    def action_left(self) -> None:
        """Show what is further left."""
        self._shift(-SIDEWAYS)

    def action_right(self) -> None:
        """Show what is further right."""
        self._shift(SIDEWAYS)

    def _shift(self, cells: int) -> None:
        if self._wrapping:
            return
        longest = 0
        top = max(0, self.scroll_offset.y - self._head_rows)
        for row in range(top, min(top + self._height, self._view.rows)):
            line = self._ring[self._view.number_at(self._view.at_row(row)[0])]
            longest = max(longest, cell_len(shown(line.text)))
        most = max(0, longest - self._painter_now().columns.text + 1)
        self._left = max(0, min(self._left + cells, max(most, self._left if cells < 0 else 0)))
        self.forget_rows()
        self.refresh()
