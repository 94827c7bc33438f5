"""Delivers keys one after the other: the next one when everything that the last one does is done.

A key goes to the widget with the focus and up from there. Its effect (a dialog opens, the focus moves) comes
some messages later. Keys that arrive in one piece, from a fast typist, a paste or a slow line, would all go
to the widget that had the focus before the first of them.
"""

from __future__ import annotations

from asyncio import Event, Task, create_task, sleep, wait_for
from collections import deque
from typing import Any, Final

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.worker import Worker

KEY_SECONDS: Final = 1.0
"""The longest time that the next key waits for this one; longer if the process gets no processor."""
KEYS_WAIT: Final = "keys-wait"
"""The group of the workers of an app that the keys typed after them wait for."""

_CHECK_SECONDS: Final = 0.02
"""Time between two checks whether a widget that has not answered is still there."""


class KeyOrder:
    """Holds back the keys of an app while one is handled. For the app's thread only."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: deque[events.Key] = deque()
        self._delivered: events.Key | None = None
        self._reached: DOMNode = app
        self._delivery: Task[None] | None = None
        # Counted, and not read from a clock: on a busy machine a second may pass without a turn of the loop.
        self._checks_left = 0
        self._begun_before: set[Worker[Any]] = set()  # the workers that went on when the key came

    def holds_back(self, key: events.Key) -> bool:
        """Return True if this key must wait; it is posted to the app again when its turn has come."""
        if self._delivery is None:
            self._delivery = create_task(self._deliver_waiting())
        elif key is not self._delivered:
            self._waiting.append(key)
            return True
        self._reached = self._receiver
        self._begun_before = self._workers()
        return False

    @property
    def _receiver(self) -> DOMNode:
        return (self._app.focused or self._app.screen) if self._app.screen_stack else self._app

    async def _deliver_waiting(self) -> None:
        try:
            await self._wait_until_handled()
            while self._waiting:
                held = self._waiting.popleft()
                self._delivered = events.Key(held.key, held.character)
                self._delivered.time = held.time
                self._app.post_message(self._delivered)
                await self._wait_until_handled()
        finally:
            self._delivered = self._delivery = None

    async def _wait_until_handled(self) -> None:
        """Wait until the key has had its effect, and the newly focused widget is ready."""
        self._checks_left = round(KEY_SECONDS / _CHECK_SECONDS)
        await self._flush_messages()
        if self._workers() - self._begun_before:
            while self._workers() - self._begun_before and self._checks_left > 0:
                await sleep(_CHECK_SECONDS)
                self._checks_left -= 1
            await self._flush_messages()

    async def _flush_messages(self) -> None:
        """Wait until the key and its requests have gone up, and those who have the focus are ready."""
        await self._flush(self._app)
        way_up = self._reached.ancestors_with_self
        for node in (*way_up, *way_up):
            await self._flush(node)
        receiver = None
        while receiver is not self._receiver and self._checks_left > 0:
            receiver = self._receiver
            for node in receiver.ancestors_with_self:
                await self._flush(node)

    def _workers(self) -> set[Worker[Any]]:
        """Return the active workers that keys wait for."""
        return {each for each in self._app.workers if each.group == KEYS_WAIT and not each.is_finished}

    async def _flush(self, node: DOMNode) -> None:
        """Wait until a node has handled the messages that it has now. A new node is mounted first."""
        handled = Event()
        if not node.call_later(handled.set):
            return
        while not handled.is_set() and self._checks_left > 0:
            try:
                await wait_for(handled.wait(), _CHECK_SECONDS)
            except TimeoutError:
                self._checks_left -= 1
                if node is not self._app and not node.is_attached:
                    return  # its messages are gone with it
