"""Handles keys, mouse and search of the log; `LogScroll` shows its lines."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.actions import SkipAction
from textual.binding import BindingType
from textual.message import Message
from textual.worker import Worker

from taskkit_tui.formatting import harmless
from taskkit_tui.keys.bindings import bindings_of
from taskkit_tui.keys.command import Place
from taskkit_tui.keys.key_order import KEYS_WAIT
from taskkit_tui.log.ansi import shown
from taskkit_tui.log.finder import Finder
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.log.log_view import LineFilter
from taskkit_tui.log.save import save
from taskkit_tui.log.titles import LEVELS, saved_words
from taskkit_tui.widgets.clipboard import copy
from taskkit_tui.widgets.log_prompt import FindPrompt, Typed
from taskkit_tui.widgets.log_scroll import LogScroll

SIDEWAYS: Final = 8
"""Cells that `left` and `right` scroll by."""

_CHECK_SECONDS: Final = 0.005
"""Time between two checks whether all lines are searched."""


class LogPane(LogScroll, can_focus=True, inherit_bindings=False):
    """The log of what tasks print, as they print it. It knows lines, not schedulers.

    Args:
        most_lines: The number of lines to keep.
        id: The widget's id.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Place.LOG)

    _origin = 0
    """The number of the line under the cursor when the prompt was opened."""

    _entered: Finder | None = None
    """The search that enter was pressed for, until it is done or another key comes."""

    class TracebackOpened(Message):
        """Asks to open the traceback of a failure."""

        def __init__(self, line: LogLine) -> None:
            super().__init__()
            self.line = line
            """Its `traceback` is not empty."""

    class RunOpened(Message):
        """Asks to open the run that wrote a line."""

        def __init__(self, name: str, run: int) -> None:
            super().__init__()
            self.name = name
            """The task's name."""
            self.run = run
            """Its number."""

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Put the cursor on the line, and stop following, so that the line stays in place."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = self.scroll_offset.y + offset.y - self._head_rows
        self._entered = None
        if 0 <= row < self._view.rows:
            position, _ = self._view.at_row(row)
            self._following = False
            self._cursor = self._view.number_at(position)
            self.refresh()
            self._name_border()

    def on_click(self, event: events.Click) -> None:
        """Open the line on a double click."""
        if event.chain == 2 and (line := self.current_line) is not None and line.run is not None:
            self.action_open()

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Scroll left."""
        event.stop()
        self.action_left()

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Scroll right."""
        event.stop()
        self.action_right()

    # Searching.

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002 - Textual's shape
        """True while letters are typed into the prompt. Textual asks before it looks for bindings."""
        return self._prompt is not None and character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Give the key to the prompt while it is open."""
        self._entered = None
        if self._prompt is None:
            return
        match self._prompt.press(event):
            case Typed.NOTHING:
                return
            case Typed.TEXT:
                self._find(self._prompt.text)
                self._go_to_nearest_match()
            case Typed.DONE:
                self._close_prompt()
                self._stay_with_nearest_match()
            case Typed.CANCELLED:
                self._find("")
                self._close_prompt()
                self._go_to(self._view.position_of(self._origin))
            case Typed.NEXT:
                self.action_find_next()
            case Typed.PREVIOUS:
                self.action_find_previous()
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Search for the pasted text."""
        if self._prompt is not None:
            event.stop()
            self._prompt.paste(event.text)
            self._find(self._prompt.text)
            self._go_to_nearest_match()

    def on_blur(self) -> None:
        """Close the prompt when the focus leaves; the search stays."""
        self._close_prompt()

    def _close_prompt(self) -> None:
        if self._prompt is not None:
            self._prompt = None
            self.refresh()
            self._name_border()

    def _go_to_nearest_match(self) -> None:
        """Go to the nearest match, first upwards from where the search began: the past is above."""
        finder = self._finder
        if finder is None or not len(finder):
            return
        found: int | None = self._origin
        if not finder.rank(self._origin):
            found = finder.before(self._origin)
            if found is not None and found > self._origin:  # it wrapped around: there is none above
                found = finder.after(self._origin)
        self._go_to_number(found)

    def _on_earlier_matches(self) -> None:
        """Go to the nearest match again, while the prompt is open or has just been closed by enter."""
        if self._prompt is not None or (self._entered is not None and self._entered is self._finder):
            self._go_to_nearest_match()

    def _stay_with_nearest_match(self) -> None:
        """Continue to the nearest match until all lines are searched. Keys wait for it, and end it."""
        if self._finder is not None and self._finder.is_incomplete:
            self._entered = self._finder
            _worker: Worker[None] = self.run_worker(self._searched, group=KEYS_WAIT)

    async def _searched(self) -> None:
        entered = self._entered
        while entered is not None and entered is self._finder and entered.is_incomplete:
            await asyncio.sleep(_CHECK_SECONDS)
        if self._entered is entered:
            self._entered = None

    def action_find(self) -> None:
        """Open the prompt for a search in all lines."""
        self.show_matching("")
        self._prompt = FindPrompt()
        self._origin = self._cursor
        self.refresh()
        self._name_border()

    def action_only_matching(self) -> None:
        """Show only the matching lines, or all again."""
        if self.shows.text:
            self.show_matching("")
        elif self._finder is None:
            self._report_no_search()
        else:
            self.show_matching(self._finder.wanted)

    def _report_no_search(self) -> None:
        self.notify("No search yet: press / to find text", severity="warning")

    def action_find_next(self) -> None:
        """Go to the next match."""
        if self._finder is None:
            self._report_no_search()
            return
        self._go_to_number(self._finder.after(self._cursor))

    def action_find_previous(self) -> None:
        """Go to the previous match."""
        if self._finder is None:
            self._report_no_search()
            return
        self._go_to_number(self._finder.before(self._cursor))

    def action_cancel(self) -> None:
        """End the search. Without one, the key goes to the next binding."""
        if self._finder is None:
            raise SkipAction
        self._find("")
        self.show_matching("")

    # Keys.

    def action_follow(self) -> None:
        """Follow the newest line, or stop following."""
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
        """Raise the lowest level that is shown; after error, show everything."""
        levels = list(LEVELS)
        current = self._view.filter.level
        self.show_level(next((level for level in levels if level > current), levels[0]))

    def action_only_this(self) -> None:
        """Show only the task of the current line."""
        if (line := self.current_line) is not None:
            self.show_only(line.name)

    def action_all_tasks(self) -> None:
        """Show the lines of all tasks."""
        self.show_only(None)

    def action_open(self) -> None:
        """Open the traceback of the current line; without one, the run that wrote it."""
        line = self.current_line
        if line is not None and line.traceback:
            self.post_message(self.TracebackOpened(line))
        elif line is not None and line.run is not None:
            self.post_message(self.RunOpened(line.name, line.run))
        else:
            self.notify("This line does not belong to a run", severity="warning")

    def action_copy(self) -> None:
        """Copy the selected text, else the current line, to the clipboard."""
        selected = self.screen.get_selected_text()
        line = self.current_line
        if not selected and line is None:
            return
        text = selected or shown(line.text if line else "")
        copy(self, text, "the selection" if selected else "the line")

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
        """Go to the previous run of the current line's task."""
        self._go_to_run(forward=False)

    def action_next_run(self) -> None:
        """Go to the next run of the current line's task."""
        self._go_to_run(forward=True)

    def _go_to_run(self, *, forward: bool) -> None:
        line = self.current_line
        if line is None or line.run is None:
            self.notify("This line does not belong to a run", severity="warning")
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
        """Go to the line below; on the last one, follow again."""
        self._step(1)

    def action_page_up(self) -> None:
        """Go up by a page."""
        self._turn_page(-1)

    def action_page_down(self) -> None:
        """Go down by a page."""
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
        """Scroll left."""
        self._shift(-SIDEWAYS)

    def action_right(self) -> None:
        """Scroll right."""
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
        self._painted.clear()
        self.refresh()
