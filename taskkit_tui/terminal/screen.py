"""The terminal as something that is written to, and that takes last words though nobody reads it.

Writes do not wait in the kernel, where nothing could call them back: the terminal is opened once more for
that, because everybody who has it from the shell shares one opening, and with it whether writes wait.
"""

from __future__ import annotations

import os
import select
import termios
from threading import Lock, Thread
from typing import Final

_LOOK_AGAIN: Final = 0.2
"""Seconds between two looks whether a terminal that nobody reads is still wanted."""

_FOR_LAST_WORDS: Final = 0.3
"""Seconds that a terminal has to make room for them; then what it has not shown is thrown away."""

_CANCEL: Final = "\x18"
"""Ends an escape sequence that was cut off."""


class TerminalScreen:
    """Safe for threads.

    Args:
        descriptor: Leads to the terminal; it is neither changed nor closed.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = _opened_anew(descriptor)
        self._lock = Lock()
        self._stopped = False

    def write(self, text: str) -> None:
        """Write all of `text`, or what there is time for until `stop` or `last_words`.

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
            self._has_room(_LOOK_AGAIN)

    def stop(self) -> None:
        """Write nothing any more."""
        self._stopped = True

    def last_words(self, text: str) -> None:
        """Write this, and nothing after it; in at most a second."""
        self.stop()
        # A terminal that could not be opened anew may hold a write, and with it the lock, for ever.
        held = self._lock.acquire(timeout=_FOR_LAST_WORDS)
        try:
            if not self._has_room(_FOR_LAST_WORDS):
                termios.tcflush(self.descriptor, termios.TCOFLUSH)
        except termios.error:
            pass  # it is gone, or no terminal
        finally:
            if held:
                self._lock.release()
        write_soon(self.descriptor, _CANCEL + text)

    def close(self) -> None:
        """Give the opening back."""
        self.stop()
        os.close(self.descriptor)

    def _has_room(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))


def write_soon(descriptor: int, text: str, seconds: float = 0.3) -> None:
    """Write to a descriptor that may be stalled or gone; after some seconds, go on without."""

    def write() -> None:
        try:
            os.write(descriptor, text.encode("utf-8", "replace"))
        except OSError:
            pass  # there is nobody left to tell

    writer = Thread(target=write, daemon=True)
    writer.start()
    writer.join(seconds)


def _opened_anew(descriptor: int) -> int:
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return os.dup(descriptor)  # no name for it here, or no right to open it
