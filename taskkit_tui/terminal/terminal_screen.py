"""Writes to the terminal without ever blocking in the kernel.

A blocked write could not be interrupted. So the terminal is opened once more, with non-blocking writes: all
processes of the shell share the first opening, and with it this flag.
"""

from __future__ import annotations

import os
import select
import termios
from _thread import start_new_thread
from threading import Lock
from typing import Final

_RETRY_SECONDS: Final = 0.2
"""Interval at which a write to a stalled terminal checks if it was stopped."""

_ROOM_SECONDS: Final = 0.3
"""Time that `write_last` waits for room; then it discards the output that the terminal has not shown."""

_CANCEL: Final = "\x18"
"""Ends an escape sequence that was cut off."""


class TerminalScreen:
    """The terminal, opened for non-blocking writes. Safe for threads.

    Args:
        descriptor: A descriptor of the terminal; it is neither changed nor closed.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = _reopened(descriptor)
        self._lock = Lock()
        self._stopped = False

    def write(self, text: str) -> None:
        """Write all of `text`, or as much as possible until `stop` or `write_last` is called.

        Raises:
            OSError: The terminal is gone.
        """
        data = memoryview(text.encode("utf-8", "replace"))
        while data:
            with self._lock:
                if self._stopped:
                    return
                try:
                    data = data[os.write(self.descriptor, data) :]
                    continue
                except BlockingIOError:
                    pass
            self._has_room(_RETRY_SECONDS)

    def stop(self) -> None:
        """Write nothing from now on."""
        self._stopped = True

    def write_last(self, text: str) -> None:
        """Write `text` as the last output, in at most a second."""
        self.stop()
        # Where the terminal could not be opened again, a write may block, and hold the lock forever.
        held = self._lock.acquire(timeout=_ROOM_SECONDS)
        try:
            if not self._has_room(_ROOM_SECONDS):
                termios.tcflush(self.descriptor, termios.TCOFLUSH)
        except termios.error:
            pass  # it is gone, or no terminal
        finally:
            if held:
                self._lock.release()
        write_soon(self.descriptor, _CANCEL + text)

    def close(self) -> None:
        """Close the descriptor."""
        self.stop()
        os.close(self.descriptor)

    def _has_room(self, seconds: float) -> bool:
        return can_write(self.descriptor, seconds)


def can_write(descriptor: int, seconds: float) -> bool:
    """Wait until the descriptor can be written to. Return False if that took too long."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    try:
        return bool(poll.poll(seconds * 1000))
    except OSError:  # poll(2) refuses where no descriptor may be open
        return bool(select.select([], [descriptor], [], seconds)[1])


def can_read(descriptor: int, seconds: float) -> bool:
    """Wait until the descriptor can be read. Return False if that took too long."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    try:
        return bool(poll.poll(seconds * 1000))
    except OSError:  # as above
        return bool(select.select([descriptor], [], [], seconds)[0])


def write_soon(descriptor: int, text: str, seconds: float = 0.3) -> None:
    """Write to a descriptor that may be stalled or gone; give up after some seconds."""
    ended = Lock()
    ended.acquire()

    def write() -> None:
        try:
            os.write(descriptor, text.encode("utf-8", "replace"))
        except OSError:
            pass  # there is no reader left
        finally:
            ended.release()

    try:
        # `Thread.start` would wait forever for a thread that lacks the memory to begin.
        start_new_thread(write, ())
    except (RuntimeError, MemoryError):  # the system refuses a thread
        if can_write(descriptor, seconds):
            write()
    else:
        ended.acquire(timeout=seconds)


def _reopened(descriptor: int) -> int:
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return os.dup(descriptor)  # it has no name here, or may not be opened
