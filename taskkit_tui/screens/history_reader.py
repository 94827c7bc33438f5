"""Reads the stored history of a task on a thread, so that no key waits for the disk."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable
from typing import Any, Final

from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker

from taskkit_tui.viewmodel.details.stored_history import HistoryPages, HistoryQuery, PageRequest, fetch_page

TYPING_SECONDS: Final = 0.2
"""Delay after the last letter before a search begins."""


class HistoryReader:
    """Reads one page at a time, for as long as the screen is there.

    Args:
        screen: Reading ends when it is left.
        earlier: Knows the next page to read, and takes the answers.
        history_query: Reads a page of the history; None if nothing is stored.
        further: True when a person has scrolled near the end of the loaded pages.
        answered: Called after each answer.
    """

    def __init__(
        self,
        screen: Screen[Any],
        earlier: HistoryPages,
        history_query: HistoryQuery | None,
        further: Callable[[], bool],
        answered: Callable[[], object],
    ) -> None:
        self._screen = screen
        self._earlier = earlier
        self._history_query = history_query
        self._further = further
        self._answered = answered
        self._asked: tuple[PageRequest, Worker[None]] | None = None
        self._typing: Timer | None = None

    def look(self) -> None:
        """Ask the next question, unless an answer is awaited or a person types."""
        if self._history_query is None or self._asked is not None or self._typing is not None:
            return
        request = self._earlier.next_request(further=self._further())
        if request is not None and self._screen.is_attached:
            asking = self._ask(request, self._history_query)
            self._asked = request, self._screen.run_worker(asking, "past")

    def search_for(self, typed: str) -> None:
        """Search for another text once the person has stopped typing; drop the former question."""
        if self._history_query is None:
            return
        self._earlier.search_for(typed)
        if self._typing is not None:
            self._typing.stop()
        self._typing = self._screen.set_timer(TYPING_SECONDS, self._typed)

    def _typed(self) -> None:
        self._typing = None
        if self._asked is not None:
            request, worker = self._asked
            if request.search == self._earlier.searching:
                return
            worker.cancel()
            self._asked = None
        self.look()

    async def _ask(self, request: PageRequest, history_query: HistoryQuery) -> None:
        wanted = True
        try:
            page = await to_thread(fetch_page, request, history_query, lambda: wanted)
        finally:
            wanted = False
        app = self._screen.app
        if not app.is_running or self._screen not in app.screen_stack:
            return  # it is being taken down, and has no parts to show the answer in
        self._asked = None
        self._earlier.take(request, page)
        self._answered()
        self.look()
