"""Reads a task's stored past for the screen that shows it: on a thread, so that no key waits for the disk."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable
from typing import Any, Final

from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker

from taskkit_tui.viewmodel.stored_history import Earlier, LookBack, Question, answer

TYPING: Final = 0.2
"""Seconds without another letter after which a search begins."""


class PastReader:
    """Asks one question at a time, for as long as the screen is there.

    Args:
        screen: What ends the asking when it is left.
        earlier: Says what to ask, and takes the answers.
        look_back: Whom to ask; `None` for nobody.
        further: Whether one has come near the end of what is shown.
        answered: Called when there is an answer.
    """

    def __init__(
        self,
        screen: Screen[Any],
        earlier: Earlier,
        look_back: LookBack | None,
        further: Callable[[], bool],
        answered: Callable[[], object],
    ) -> None:
        self._screen = screen
        self._earlier = earlier
        self._look_back = look_back
        self._further = further
        self._answered = answered
        self._asked: tuple[Question, Worker[None]] | None = None
        self._typing: Timer | None = None

    def look(self) -> None:
        """Ask what is to be asked, unless an answer is awaited or one types."""
        if self._look_back is None or self._asked is not None or self._typing is not None:
            return
        question = self._earlier.question(further=self._further())
        if question is not None and self._screen.is_attached:
            asking = self._ask(question, self._look_back)
            self._asked = question, self._screen.run_worker(asking, "past")

    def look_for(self, typed: str) -> None:
        """Look for something else, once one has stopped typing; nobody waits for the former answer."""
        if self._look_back is None:
            return
        self._earlier.look_for(typed)
        if self._typing is not None:
            self._typing.stop()
        self._typing = self._screen.set_timer(TYPING, self._typed)

    def _typed(self) -> None:
        self._typing = None
        if self._asked is not None:
            question, worker = self._asked
            if question.search == self._earlier.searching:
                return
            worker.cancel()
            self._asked = None
        self.look()

    async def _ask(self, question: Question, look_back: LookBack) -> None:
        wanted = True
        try:
            page = await to_thread(answer, question, look_back, lambda: wanted)
        finally:
            wanted = False
        app = self._screen.app
        if not app.is_running or self._screen not in app.screen_stack:
            return  # it is being taken down, and has no parts to show the answer in
        self._asked = None
        self._earlier.take(question, page)
        self._answered()
        self.look()
