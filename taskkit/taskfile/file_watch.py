"""Notice changes of a file by polling it twice a second, which works on every file system."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final

from taskkit.bounded_start import BoundedStartThread

POLL_SECONDS: Final = 0.5
"""The time between two polls."""

FileStamp = tuple[int, ...]
"""The result of `stat` that identifies a content: another stamp means that the file was changed."""


class FileChange(Enum):
    """A complete change of a file."""

    CHANGED = "changed"
    GONE = "gone"


def stamp_of(path: str | os.PathLike[str]) -> FileStamp | None:
    """Return the stamp of a file; `None` if there is no file, or it cannot be examined."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev


class ChangeDetector:
    """Detects from one poll to the next that a file was changed, and that the change is complete.

    A change is complete when two polls in a row see the same stamp: editors write in pieces, or replace the
    file, and for a moment there is none.
    """

    def __init__(self) -> None:
        self._known: FileStamp | None = None
        self._last: FileStamp | None = None

    def remember(self, stamp: FileStamp | None) -> None:
        """Note the stamp of the file right before it is read."""
        self._known = self._last = stamp

    def compare(self, stamp: FileStamp | None) -> FileChange | None:
        """Return the change since the file was read, once, as soon as it is complete."""
        steady, self._last = stamp == self._last, stamp
        if not steady or stamp == self._known:
            return None
        self._known = stamp
        return FileChange.GONE if stamp is None else FileChange.CHANGED


class Ticker:
    """A daemon thread that calls a function again and again.

    Args:
        tick: The function to call. The thread ends when it returns false.
        name: The name of the thread.
        interval: Seconds between two calls.
    """

    def __init__(self, tick: Callable[[], bool], name: str, interval: float = POLL_SECONDS) -> None:
        self._tick = tick
        self._interval = interval
        self._closed = threading.Event()
        self._thread = BoundedStartThread(self._go_on, name=name)
        self._thread.start()

    def _go_on(self) -> None:
        while not self._closed.wait(self._interval):
            if not self._tick():
                return

    def close(self, timeout: float) -> None:
        """Stop calling, and wait up to `timeout` seconds for a call in progress, unless this is that call."""
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
