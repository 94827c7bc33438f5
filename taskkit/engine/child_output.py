"""The descriptors through which a subprocess writes: two pipes, or one pseudo-terminal for both streams."""

from __future__ import annotations

import os
import struct
from typing import Final

TERMINAL_COLUMNS: Final = 120
"""Width of the pseudo-terminal: programs wrap their lines and draw their progress for it."""

TERMINAL_ROWS: Final = 40


class ChildOutput:
    """The ends of the child, and those that are read here.

    Args:
        terminal: True for a pseudo-terminal, on which programs print at once, and in colours. What the child
            writes to its two streams comes as one stream there, stdout.

    Raises:
        OSError: The system has no more descriptors or pseudo-terminals.
    """

    def __init__(self, *, terminal: bool) -> None:
        self.readers: dict[int, str]
        """The stream of each descriptor to read."""
        if terminal:
            reader, self.stdout = os.openpty()
            self.stderr = self.stdout
            self.readers = {reader: "stdout"}
            _prepare(self.stdout)
            return
        first, self.stdout = os.pipe()
        try:
            second, self.stderr = os.pipe()
        except BaseException:
            os.close(first)
            os.close(self.stdout)
            raise
        self.readers = {first: "stdout", second: "stderr"}

    def close_ends_of_child(self) -> None:
        """Close them here, once the child has them: so the end of its output can be seen."""
        for descriptor in {self.stdout, self.stderr}:
            os.close(descriptor)

    def close(self) -> None:
        """Close the descriptors that are read here."""
        for descriptor in self.readers:
            os.close(descriptor)


def read_some(descriptor: int, size: int) -> bytes:
    """Read what has been written; nothing at the end. A terminal that no process has any more is an end."""
    try:
        return os.read(descriptor, size)
    except OSError:
        return b""


def _prepare(terminal: int) -> None:
    """Set the size, and switch off the echo and the carriage returns that a terminal adds to newlines."""
    import fcntl  # not on every system, as the next
    import termios

    modes = termios.tcgetattr(terminal)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", TERMINAL_ROWS, TERMINAL_COLUMNS, 0, 0))
