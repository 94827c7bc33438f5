"""One key after the other: the next is delivered when all that the one before it does is done.

A key goes to what has the focus and up from there, and what comes of it (a dialog opens, the focus moves)
comes some messages later. Keys that arrive in one piece, from a fast typist, a paste or a slow line, would
all go to what had the focus before the first of them.
"""

from __future__ import annotations

from asyncio import Event, Task, create_task, wait_for
from collections import deque
from time import monotonic
from typing import Any, Final

from textual import events
from textual.app import App
from textual.dom import DOMNode

PATIENCE: Final = 1.0
"""Seconds that a key may take; then the next one no longer waits for it."""

_LOOK_AGAIN: Final = 0.02
"""Seconds between two looks whether a widget that has not answered is still there."""


class KeyOrder:
    """Holds the keys of an app back while one is being obeyed. For the app's thread only."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Key] = deque()
        self._let_through: events.Key | None = None
        self._reached: DOMNode = app
        self._turns: Task[None] | None = None
        self._deadline = 0.0

    def holds_back(self, key: events.Key) -> bool:
        """Whether this key must wait; it comes to the app again when it is its turn."""
        if self._turns is None:
            self._turns = create_task(self._take_turns())
        elif key is not self._let_through:
            self._waiting.append(key)
            return True
        self._reached = self._addressee
        return False

    @property
    def _addressee(self) -> DOMNode:
        return (self._app.focused or self._app.screen) if self._app.screen_stack else self._app

    async def _take_turns(self) -> None:
        try:
            await self._obeyed()
            while self._waiting:
                held = self._waiting.popleft()
                self._let_through = events.Key(held.key, held.character)
                self._app.post_message(self._let_through)
                await self._obeyed()
        finally:
            self._let_through = self._turns = None

    async def _obeyed(self) -> None:
        """Wait until the key has gone up, what it asked for too, and what then has the focus is ready."""
        self._deadline = monotonic() + PATIENCE
        await self._handled(self._app)
        way_up = self._reached.ancestors_with_self
        for node in (*way_up, *way_up):
            await self._handled(node)
        addressee = None
        while addressee is not self._addressee and monotonic() < self._deadline:
            addressee = self._addressee
            for node in addressee.ancestors_with_self:
                await self._handled(node)

    async def _handled(self, node: DOMNode) -> None:
        """Wait until a node has handled all messages that it has by now. A new one is mounted first."""
        handled = Event()
        if not node.call_later(handled.set):
            return
        while not handled.is_set() and monotonic() < self._deadline:
            try:
                await wait_for(handled.wait(), _LOOK_AGAIN)
            except TimeoutError:
                if node is not self._app and not node.is_attached:
                    return  # its messages went with it
