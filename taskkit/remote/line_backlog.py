"""The lines that wait for clients: in chunks that are encoded once, bounded in lines and in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from operator import attrgetter
from sys import getsizeof
from typing import TYPE_CHECKING, Final

from taskkit.remote.protocol import json_text

if TYPE_CHECKING:
    from taskkit.events import OutputWritten
    from taskkit.output_lines import OutputLine

MOST_LINES: Final = 20_000
"""The most lines that wait for clients."""
MOST_LINE_BYTES: Final = 2 * 1024 * 1024
"""The most bytes of memory for all waiting lines; the newest are always kept."""
MOST_QUEUED_BYTES: Final = 1024 * 1024
"""The most bytes of memory for lines that the server has not taken in yet; the newest are always kept."""
LINES_A_CHUNK: Final = 64
BYTES_A_CHUNK: Final = 24 * 1024
"""The most lines in a chunk of the log, and bytes of memory for them. A longer line is a chunk by itself."""
_BYTES_A_LINE: Final = 112
"""Approximate size of one line without its text."""

_text_of = attrgetter("text")


class Chunk:
    """Some lines of one run, and how many lines of it were lost before them."""

    __slots__ = ("_dropped", "_encoded", "_lines", "_name", "_run", "count", "size")

    def __init__(self, event: OutputWritten, lines: Sequence[OutputLine], dropped: int, size: int) -> None:
        self._name = event.name
        self._run = event.run
        self._lines = lines
        self._dropped = dropped
        self._encoded: str | None = None
        self.count = len(lines)
        """The number of these lines."""
        self.size = size
        """The bytes of memory that they take, roughly."""

    @property
    def span(self) -> int:
        """The number of lines that a client without this chunk lacks."""
        return self.count + self._dropped

    def add_lost(self, count: int) -> None:
        """Report further lines that were lost before these. Call it before any client takes them."""
        self._dropped += count

    def encoded(self) -> str:
        """Return the chunk as JSON; made once, for the first client that takes it."""
        if self._encoded is None:
            lines = [(line.time, line.stream, line.level, line.text) for line in self._lines]
            self._encoded = json_text(
                {"name": self._name, "run": self._run, "dropped": self._dropped, "lines": lines}
            )
            self._lines = ()  # they take twice the memory of the text
        return self._encoded


class ChunkQueue:
    """Lines on their way from the thread that delivers events to the server's thread, bounded in bytes.

    The server may be slow to take them, as on a busy machine. Then the oldest are dropped and counted.
    """

    def __init__(self, most_bytes: int = MOST_QUEUED_BYTES) -> None:
        self._most_bytes = most_bytes
        self._chunks: deque[Chunk] = deque()
        # Each count is written by one thread only.
        self._put = 0
        self._taken = 0
        self._dropped = 0
        self._lost = 0  # lines that were dropped here, or that a run lost without a line after them
        self._reported = 0  # of those, the ones that a chunk reports

    def put(self, event: OutputWritten) -> None:
        """Queue the lines of an event."""
        if not event.lines:
            self._lost += event.dropped
        for chunk in _chunks_of(event):
            self._chunks.append(chunk)
            self._put += chunk.size
        while self._put - self._taken - self._dropped > self._most_bytes and len(self._chunks) > 1:
            try:
                oldest = self._chunks.popleft()
            except IndexError:  # the server has just taken them
                return
            self._dropped += oldest.size
            self._lost += oldest.span

    def take(self) -> Iterator[Chunk]:
        """Yield the chunks that wait, oldest first."""
        for _ in range(len(self._chunks)):
            try:
                chunk = self._chunks.popleft()
            except IndexError:  # `put` has dropped some
                return
            self._taken += chunk.size
            lost = self._lost - self._reported
            self._reported += lost
            chunk.add_lost(lost)
            yield chunk


class LineBacklog:
    """The newest lines, in chunks, bounded in lines and in bytes of memory."""

    def __init__(self, most_lines: int = MOST_LINES, most_bytes: int = MOST_LINE_BYTES) -> None:
        self._most_lines = most_lines
        self._most_bytes = most_bytes
        self._chunks: deque[Chunk] = deque()
        self._lines = 0
        self._size = 0
        self._first = 0  # the place of the first line that is kept
        self.end = 0
        """The place after the newest line, in lines since the beginning, those that a run lost included."""

    def add(self, chunk: Chunk) -> None:
        """Keep some lines; the oldest ones fall out if there are too many."""
        self._chunks.append(chunk)
        self._lines += chunk.count
        self._size += chunk.size
        self.end += chunk.span
        while self._lines > self._most_lines or (self._size > self._most_bytes and len(self._chunks) > 1):
            oldest = self._chunks.popleft()
            self._lines -= oldest.count
            self._size -= oldest.size
            self._first += oldest.span

    def take(self, place: int, most_bytes: int) -> tuple[list[str], int, int]:
        """Return the next lines for a client at `place`.

        Returns:
            Encoded chunks of about `most_bytes` in total; how many lines before them are lost; and the place
            of the client after them.
        """
        dropped = max(0, self._first - place)
        place = max(place, self._first)
        taken: list[str] = []
        for chunk in self._after(place):
            text = chunk.encoded()
            if taken and len(text) > most_bytes:
                break
            most_bytes -= len(text)
            taken.append(text)
            place += chunk.span
        return taken, dropped, place

    def _after(self, place: int) -> Iterator[Chunk]:
        at = self.end
        newest_first: list[Chunk] = []
        for chunk in reversed(self._chunks):
            if at <= place:
                break
            newest_first.append(chunk)
            at -= chunk.span
        return reversed(newest_first)


def _chunks_of(event: OutputWritten) -> Iterator[Chunk]:
    dropped = event.dropped
    for start in range(0, len(event.lines), LINES_A_CHUNK):
        lines = event.lines[start : start + LINES_A_CHUNK]
        size = _size_of(lines)
        if size <= BYTES_A_CHUNK:
            yield Chunk(event, lines, dropped, size)
        else:
            for each in lines:
                yield Chunk(event, (each,), dropped, _size_of((each,)))
                dropped = 0
        dropped = 0


def _size_of(lines: Sequence[OutputLine]) -> int:
    return len(lines) * _BYTES_A_LINE + sum(map(getsizeof, map(_text_of, lines)))
