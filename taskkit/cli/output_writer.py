"""Writes output on a thread of its own, so that a slow reader delays no task.

The backlog is bounded. While it is full, new items are counted instead of queued, and the count is written in
their place.
"""

from __future__ import annotations

import errno
import logging
import os
import select
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import RLock
from typing import Final, Generic, TypeVar

from taskkit.bounded_start import BoundedStartThread
from taskkit.events import Event, OutputWritten

MAX_WAITING_BYTES: Final = 16 * 1024 * 1024
"""The limit of the backlog, approximately."""

_BATCH_SIZE: Final = 1_000
_MIN_WEIGHT: Final = 200
"""Bytes that an item without text counts for."""
_TEMPORARY_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""After these the writer continues with the next item; after others, the output counts as closed."""

T = TypeVar("T")

_logger = logging.getLogger("taskkit")


class OutputWriter(BoundedStartThread, Generic[T]):
    """Renders items and writes them to a descriptor. `put` is thread-safe.

    Args:
        descriptor: The file descriptor to write to.
        encoding: The encoding of the text; characters that it lacks are written as escapes.
        render: Returns the lines of an item, without line ends. Called on the writer's thread.
        lost: Returns the line that says how many items were lost.
        on_closed: Called once, when the reader of the output has gone away.
        on_error: Called with another write error, such as that of a full disk.
        max_bytes: The limit of the backlog, approximately.
    """

    def __init__(
        self,
        descriptor: int,
        encoding: str,
        render: Callable[[T], Iterable[str]],
        lost: Callable[[int], str],
        on_closed: Callable[[], object],
        on_error: Callable[[OSError], object],
        max_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        super().__init__(self._write_items, name="taskkit output")
        self._descriptor = descriptor
        self._is_terminal = os.isatty(descriptor)  # asked now: after a hangup it is not a terminal any more
        self._encoding = encoding
        self._render = render
        self._render_lost = lost
        self._on_closed = on_closed
        self._on_error = on_error
        self._max_bytes = max_bytes
        self._queue: SimpleQueue[tuple[T | None, int, int]] = SimpleQueue()
        self._lock = RLock()  # reentrant: a signal handler may print while its thread holds it
        self._waiting = 0
        self._lost_count = 0
        self._closed = False
        self._failing = False

    def put(self, item: T) -> None:
        """Queue an item. It is written soon."""
        weight = _weight(item)
        with self._lock:
            if self._closed:
                return
            if self._waiting + weight > self._max_bytes and self._waiting:
                self._lost_count += 1
                return
            lost, self._lost_count = self._lost_count, 0
            self._waiting += weight
            self._queue.put((item, weight, lost))

    def close(self, timeout: float) -> bool:
        """Write the backlog, for at most `timeout` seconds. Returns False if that was not enough."""
        with self._lock:
            lost, self._lost_count = self._lost_count, 0
            self._queue.put((None, 0, lost))
        self.join(timeout)
        return not self.is_alive()

    def _write_items(self) -> None:
        """Write items until `close`."""
        closing = False
        while not closing:
            batch = [self._queue.get()]
            try:
                while len(batch) < _BATCH_SIZE:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            lines: list[str] = []
            for item, _, lost in batch:
                if lost:
                    lines.append(self._render_lost(lost))
                if item is None:
                    closing = True
                    break
                lines += self._rendered(item)
            if lines:
                self._write("".join(f"{line}\n" for line in lines).encode(self._encoding, "backslashreplace"))
            with self._lock:
                self._waiting -= sum(weight for _, weight, _ in batch)

    def _rendered(self, item: T) -> list[str]:
        try:
            return list(self._render(item))
        except Exception:
            _logger.exception("%s could not be written", type(item).__name__)
            return []

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._closed:
            try:
                view = view[os.write(self._descriptor, view) :]
                self._failing = False
            except BlockingIOError:
                waiting = select.poll()
                waiting.register(self._descriptor, select.POLLOUT)
                waiting.poll()
            except (BrokenPipeError, ConnectionError):
                self._close()
            except OSError as error:
                if self._is_terminal or error.errno not in _TEMPORARY_ERRORS:
                    self._close()
                    return
                if not self._failing:
                    self._failing = True
                    self._on_error(error)
                return

    def _close(self) -> None:
        self._closed = True
        self._on_closed()


def _weight(item: object) -> int:
    if isinstance(item, OutputWritten):
        return sum(_MIN_WEIGHT + len(line.text) for line in item.lines) or _MIN_WEIGHT
    return _MIN_WEIGHT if isinstance(item, Event) else 2 * _MIN_WEIGHT
