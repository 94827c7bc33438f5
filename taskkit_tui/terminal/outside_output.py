"""Queues the output of code outside any run: prints, and the lines of descriptors 1 and 2."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from time import time
from typing import Final

from taskkit import Stream, take_output
from taskkit_tui.log.log_line import LogLine

MOST_WAITING: Final = 20_000
"""The most lines that wait. While the app is stalled, the oldest are dropped and counted."""

MOST_CHARACTERS: Final = 8_000_000
"""The most characters of these lines; for a moment there may be a few more."""

_LEVELS: Final = {Stream.STDOUT: 20, Stream.STDERR: 30, Stream.LOG: 30}


class OutsideLines:
    """A queue of lines without a task. Call `put` on any thread or in a signal handler, the rest in the app.

    Args:
        most: The most lines that wait.
        now: Returns the time in epoch seconds.
        most_characters: The most characters that these lines have together. The newest line is always kept.
    """

    def __init__(
        self,
        most: int = MOST_WAITING,
        now: Callable[[], float] = time,
        most_characters: int = MOST_CHARACTERS,
    ) -> None:
        self._now = now
        self._most_characters = most_characters
        self._unweighed = 0  # characters that came since the last check
        self._waiting: deque[tuple[int, LogLine]] = deque(maxlen=most)
        self._numbers = count()  # takes no lock that a signal handler could wait for
        self._seen = 0
        self._taken = 0
        self._lost = 0
        self._release: Callable[[], None] | None = None

    def put(self, stream: Stream, text: str) -> None:
        """Add one line; never block."""
        line = LogLine(self._now(), "", None, stream, _LEVELS[stream], text)
        self._waiting.append((next(self._numbers), line))
        self._unweighed += len(text)
        if self._unweighed > self._most_characters // 4:
            self._drop_surplus()

    def _drop_surplus(self) -> None:
        self._unweighed = 0
        waiting = self._waiting.copy()
        room = self._most_characters
        for newer, (_, line) in enumerate(reversed(waiting)):
            room -= len(line.text)
            if room < 0 and newer:
                for _ in range(len(waiting) - newer):
                    try:
                        self._waiting.popleft()
                    except IndexError:  # the app has just taken them
                        break
                return

    def listen(self) -> None:
        """Capture prints from now on. Call it on mount, because Textual replaces `sys.stdout` before."""
        if self._release is None:
            self._release = take_output(self.put)

    def stop_listening(self) -> None:
        """Stop capturing prints. Call it when the app is unmounted; a second call does nothing."""
        release, self._release = self._release, None
        if release is not None:
            release()

    def take(self) -> tuple[list[LogLine], int]:
        """Return the lines that came since the last call, and the number of dropped ones."""
        lines = []
        for _ in range(len(self._waiting)):
            try:
                number, line = self._waiting.popleft()
            except IndexError:  # a writer has dropped some
                break
            self._seen = max(self._seen, number + 1)
            lines.append(line)
        self._taken += len(lines)
        lost = self._seen - self._taken
        newly, self._lost = max(0, lost - self._lost), max(lost, self._lost)
        return lines, newly
