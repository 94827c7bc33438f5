"""When a file was changed: looked for twice a second, since that works in every folder that there is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final

INTERVAL: Final = 0.5
"""Seconds between two looks."""

Look = tuple[int, ...]
"""What a file looks like from outside."""


class FileChange(Enum):
    """What is new about a file."""

    CHANGED = "changed"
    GONE = "gone"


def look_at(path: str | os.PathLike[str]) -> Look | None:
    """What the file looks like now; `None` if there is none, or nobody may look."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev


class Looks:
    """Tells from one look to the next whether a change is complete.

    It is when two looks in a row see the same: editors write in pieces, or put another file in the place of
    the old one, and for a moment there is none.
    """

    def __init__(self) -> None:
        self._known: Look | None = None
        self._last: Look | None = None

    def know(self, look: Look | None) -> None:
        """Somebody is about to read the file as it looks now."""
        self._known = self._last = look

    def compare(self, look: Look | None) -> FileChange | None:
        """What is new since the file was read, if it is complete. Each change is told once."""
        steady, self._last = look == self._last, look
        if not steady or look == self._known:
            return None
        self._known = look
        return FileChange.GONE if look is None else FileChange.CHANGED


class Ticker:
    """A daemon thread that calls again and again, until it is closed or told that it is enough.

    Args:
        tick: What to call; it answers whether to go on.
        name: Of the thread.
        interval: Seconds between two calls.
    """

    def __init__(self, tick: Callable[[], bool], name: str, interval: float = INTERVAL) -> None:
        self._tick = tick
        self._interval = interval
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=name, daemon=True)
        self._thread.start()

    def _go_on(self) -> None:
        while not self._closed.wait(self._interval):
            if not self._tick():
                return

    def close(self, timeout: float) -> None:
        """Call no more, and wait for a call that goes on: so many seconds at most, and not for itself."""
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
