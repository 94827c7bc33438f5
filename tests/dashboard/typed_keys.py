"""Keys typed at once, as by a fast typist or a slow line, and waiting for what they do."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.app import App
from textual.events import Key
from textual.pilot import Pilot

from taskkit_tui.keys.key_order import KEYS_WAIT

PATIENCE = 60.0
"""Seconds that a condition may take to become true, on a busy machine."""


async def waited(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    end = monotonic() + PATIENCE
    while not true():
        assert monotonic() < end, "it did not become true"
        await pilot.pause(0.01)


def type_at_once(app: App[None], *keys: str) -> None:
    """Press keys without waiting for what one does before the next."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


def keys_wait(app: App[None]) -> bool:
    """Whether keys wait for something that is not done."""
    return any(each.group == KEYS_WAIT and not each.is_finished for each in app.workers)
