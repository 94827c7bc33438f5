"""The screen of the palette: a key acts on the commands that match the typed text, and on no others."""

from __future__ import annotations

from asyncio import Lock, sleep
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Final, cast

from textual import on
from textual.command import CommandInput, CommandPalette
from textual.errors import NoWidget
from textual.events import Click
from textual.widgets import Input
from textual.worker import Worker

from taskkit_tui.keys.key_order import KEYS_WAIT
from taskkit_tui.widgets.background import end_work

SEARCH_SECONDS: Final = 5.0
"""The longest time that a key waits for the search; after that it does nothing."""

_CHECK_SECONDS: Final = 0.01
"""Time between two checks whether the search is done."""


class PaletteScreen(CommandPalette):
    """Textual's palette, in which the enter key and the cursor keys wait for the search.

    Textual leaves the matches of an older text in its list while it searches, and the enter key would carry
    out the first of them. Whenever it adds matches it also moves the cursor back to the first.
    """

    _search: Worker[None] | None = None
    _searched = ""  # the text that `_search` is for
    _is_acting = False

    def on_compose(self) -> None:
        """Show the field at once: Textual hides it until the first commands are found."""
        self.add_class("-ready")

    def on_mount(self) -> None:
        """Let keys that wait act in the order in which they were pressed."""
        self._waiting = Lock()

    def _on_prune(self) -> None:
        end_work(self)

    def on_click(self, event: Click) -> None:
        """Ignore a click outside the screen, which has shrunk: Textual would raise."""
        try:
            self.get_widget_at(event.screen_x, event.screen_y)
        except NoWidget:
            event.prevent_default()

    def _gather_commands(self, search_value: str) -> Worker[None]:
        self._searched = search_value
        self._search = search = cast("Worker[None]", super()._gather_commands(search_value))
        return search

    @property
    def _typed(self) -> str:
        return self.query_one(CommandInput).value.strip()

    @property
    def _is_found(self) -> bool:
        """True if the list has all matches of the typed text, and of no other."""
        return self._searched == self._typed and self._search is not None and self._search.is_finished

    @on(Input.Submitted)
    def _enter_when_found(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()
        self._when_found(super()._select_or_command)

    def _action_cursor_down(self) -> None:
        self._when_found(super()._action_cursor_down)

    def _action_command_list(self, action: str) -> None:
        self._when_found(partial(super()._action_command_list, action))

    def _when_found(self, act: Callable[[], object]) -> None:
        """Call `act` as soon as the list has the matches of the text as it is now.

        It is not called if the text is edited or the palette is closed before, nor after `SEARCH_SECONDS`.
        """
        if self._is_acting or (self._is_found and not self._waiting.locked()):
            act()
        else:
            wait = partial(self._wait_and_act, self._typed, act)
            _worker: Worker[None] = self.run_worker(wait, group=KEYS_WAIT)

    async def _wait_and_act(self, text: str, act: Callable[[], object]) -> None:
        end = monotonic() + SEARCH_SECONDS
        async with self._waiting:
            while not self._is_found and self._typed == text and monotonic() < end:
                await sleep(_CHECK_SECONDS)
            if not (self._is_found and self._typed == text and self.is_active):
                self.app.bell()
                return
            self._is_acting = True  # an action that calls another does not wait for itself
            try:
                act()
            finally:
                self._is_acting = False
