"""What code outside any run writes, waiting for the app: prints, and the lines of descriptors 1 and 2."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from time import time
from typing import Final

from taskkit import Stream, take_output
from taskkit_tui.log.line import LogLine

MOST_WAITING: Final = 20_000
"""Lines that wait at most; while the app is stalled the oldest are dropped, and counted."""

_LEVELS: Final = {Stream.STDOUT: 20, Stream.STDERR: 30, Stream.LOG: 30}


class OutsideLines:
    """Lines without a task. `put` on any thread, also in a signal handler; the rest is for the app.

    Args:
        most: How many lines wait at most.
        now: What time it is, in epoch seconds.
    """

    def __init__(self, most: int = MOST_WAITING, now: Callable[[], float] = time) -> None:
        self._now = now
        self._waiting: deque[tuple[int, LogLine]] = deque(maxlen=most)
        self._numbers = count()  # takes no lock that a signal handler could wait for
        self._seen = 0
        self._taken = 0
        self._lost = 0
        self._release: Callable[[], None] | None = None

    def put(self, stream: Stream, text: str) -> None:
        """Keep one line; never waits."""
        line = LogLine(self._now(), "", None, stream, _LEVELS[stream], text)
        self._waiting.append((next(self._numbers), line))

    def listen(self) -> None:
        """Take what is printed from now on. Call it on mount: before, the app replaces `sys.stdout`."""
        if self._release is None:
            self._release = take_output(self.put)

    def stop_listening(self) -> None:
        """Let prints go where they went before. Call it as the app is unmounted; twice does no harm."""
        release, self._release = self._release, None
        if release is not None:
            release()

    def take(self) -> tuple[list[LogLine], int]:
        """The lines that came since the last call, and how many more were dropped."""
        lines = []
        for _ in range(len(self._waiting)):
            number, line = self._waiting.popleft()
            self._seen = max(self._seen, number + 1)
            lines.append(line)
        self._taken += len(lines)
        lost = self._seen - self._taken
        newly, self._lost = max(0, lost - self._lost), max(lost, self._lost)
        return lines, newly
