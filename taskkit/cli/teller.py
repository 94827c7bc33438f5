"""Writes what happens, as it happens, on a thread of its own: whoever reads slowly makes no task wait.

What waits to be written is bounded. While it is full, what happens is counted instead of kept, and the count
is written in its place.
"""

from __future__ import annotations

import errno
import logging
import os
import select
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import RLock, Thread
from typing import Final, Generic, TypeVar

from taskkit.events import Event, OutputWritten

MOST_WAITING: Final = 16 * 1024 * 1024
"""About how many bytes wait to be written at most."""

_AT_A_TIME: Final = 1_000
_LIGHTEST: Final = 200
_PASSING: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}

T = TypeVar("T")

_logger = logging.getLogger("taskkit")


class Teller(Thread, Generic[T]):
    """Renders things and writes them to a descriptor. `put` is for any thread.

    Args:
        descriptor: Where the text goes.
        encoding: What it is written in; what that does not have is written as an escape.
        render: The lines of one thing, without line ends. Called on the thread of this.
        lost: The line that says how many things were not kept.
        on_closed: Called once, when nobody reads any more.
        on_trouble: Called when it cannot be written for another reason, as on a full disk, with that.
        most: About how many bytes wait at most.
    """

    def __init__(
        self,
        descriptor: int,
        encoding: str,
        render: Callable[[T], Iterable[str]],
        lost: Callable[[int], str],
        on_closed: Callable[[], object],
        on_trouble: Callable[[OSError], object],
        most: int = MOST_WAITING,
    ) -> None:
        super().__init__(name="taskkit output", daemon=True)
        self._descriptor = descriptor
        self._is_terminal = os.isatty(descriptor)  # asked now, as one that has hung up is none any more
        self._encoding = encoding
        self._render = render
        self._lost = lost
        self._on_closed = on_closed
        self._on_trouble = on_trouble
        self._most = most
        self._queue: SimpleQueue[tuple[T | None, int, int]] = SimpleQueue()
        self._lock = RLock()  # reentrant, as a signal handler may print while this thread holds it
        self._waiting = 0
        self._not_kept = 0
        self._closed = False
        self._troubled = False

    def put(self, thing: T) -> None:
        """Write it, soon."""
        weight = _weight(thing)
        with self._lock:
            if self._closed:
                return
            if self._waiting + weight > self._most and self._waiting:
                self._not_kept += 1
                return
            lost, self._not_kept = self._not_kept, 0
            self._waiting += weight
            self._queue.put((thing, weight, lost))

    def close(self, timeout: float) -> bool:
        """Write what waits, within so many seconds. Returns whether it was written."""
        with self._lock:
            lost, self._not_kept = self._not_kept, 0
            self._queue.put((None, 0, lost))
        self.join(timeout)
        return not self.is_alive()

    def run(self) -> None:
        """Write until it is closed."""
        going_on = True
        while going_on:
            batch = [self._queue.get()]
            try:
                while len(batch) < _AT_A_TIME:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            lines: list[str] = []
            for thing, _, lost in batch:
                if lost:
                    lines.append(self._lost(lost))
                if thing is None:
                    going_on = False
                    break
                lines += self._rendered(thing)
            if lines:
                self._write("".join(f"{line}\n" for line in lines).encode(self._encoding, "backslashreplace"))
            with self._lock:
                self._waiting -= sum(weight for _, weight, _ in batch)

    def _rendered(self, thing: T) -> list[str]:
        try:
            return list(self._render(thing))
        except Exception:
            _logger.exception("%s could not be written", type(thing).__name__)
            return []

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._closed:
            try:
                view = view[os.write(self._descriptor, view) :]
                self._troubled = False
            except BlockingIOError:
                waiting = select.poll()
                waiting.register(self._descriptor, select.POLLOUT)
                waiting.poll()
            except (BrokenPipeError, ConnectionError):
                self._close()
            except OSError as error:
                if self._is_terminal or error.errno not in _PASSING:
                    self._close()
                    return
                if not self._troubled:
                    self._troubled = True
                    self._on_trouble(error)
                return

    def _close(self) -> None:
        self._closed = True
        self._on_closed()


def _weight(thing: object) -> int:
    if isinstance(thing, OutputWritten):
        return sum(_LIGHTEST + len(line.text) for line in thing.lines) or _LIGHTEST
    return _LIGHTEST if isinstance(thing, Event) else 2 * _LIGHTEST
