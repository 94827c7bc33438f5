"""A command in a real pseudo-terminal: press keys, read the screen, wait for what must become true."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import pyte

PATIENCE = 60.0
"""Seconds that a condition may take to become true, on a busy machine."""

KEYS = {"enter": "\r", "escape": "\x1b", "tab": "\t", "up": "\x1b[A", "down": "\x1b[B", "backspace": "\x7f"}


def _begin_session() -> None:
    """Have the terminal, and obey it even if whoever runs the tests in the background does not."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class PtyScreen:
    """Runs a command in a session of its own, whose controlling terminal this is the other end of.

    Args:
        command: What to run.
        columns: Of the terminal.
        rows: Of the terminal.
        environment: Variables to set besides those of the tests; `None` as a value takes one away.
        folder: Where to run it.
        errors: Where its descriptor 2 leads; the terminal by default.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 36,
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        errors: int | None = None,
    ) -> None:
        self.master, slave = pty.openpty()
        self.slave = slave
        self.screen = pyte.Screen(columns, rows)
        self.output = ""
        """All that came from the command."""
        self._text: str | None = None  # what `text` was, until the screen changes
        self._stream = pyte.Stream(self.screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._size(columns, rows)
        self.modes_before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave if errors is None else errors,
            cwd=folder,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})},
            start_new_session=True,
            preexec_fn=_begin_session,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
        for descriptor in (self.master, self.slave):
            if descriptor >= 0:
                os.close(descriptor)

    def press(self, *keys: str) -> None:
        """Type text, or keys by name (`enter`, `ctrl+c`)."""
        for key in keys:
            typed = KEYS.get(key, key)
            if key.startswith("ctrl+"):
                typed = chr(ord(key[-1].upper()) - 64)
            os.write(self.master, typed.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, and say so to the command."""
        self._size(columns, rows)
        self.screen.resize(rows, columns)
        self._text = None

    def _size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds: float = 0.0) -> bool:
        """Take what the command wrote; wait for some at most so long. Returns whether there was some."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return False
        text = self._decode(data)
        self.output += text
        self._stream.feed(known_to_pyte(text))
        self._text = None
        return bool(data)

    @property
    def text(self) -> str:
        """What the screen shows."""
        if self._text is None:
            self._text = "\n".join(row.rstrip() for row in self.screen.display)
        return self._text

    def reset(self) -> None:
        """Forget what the screen shows, as a terminal may."""
        self.screen.reset()
        self._text = None

    def wait_until(self, true: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Read until a condition is true.

        Raises:
            AssertionError: It did not become true in time; tells the screen.
        """
        deadline = time.monotonic() + patience
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not happen within {patience} s; the screen:\n{self.text}")
            self.read(0.05)

    def wait_for(self, *texts: str, patience: float = PATIENCE) -> None:
        """Read until the screen shows all of these."""
        self.wait_until(lambda: all(text in self.text for text in texts), f"showing {texts}", patience)

    def wait_for_end(self, patience: float = PATIENCE) -> int:
        """Read until the command ends. Returns its exit status, negative for a signal."""
        self.wait_until(lambda: self.process.poll() is not None, "the end", patience)
        while self.read(0.05):
            pass
        return self.process.returncode

    @property
    def modes(self) -> list[object]:
        """How the terminal is set: echo, line by line and so on."""
        return termios.tcgetattr(self.slave)

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal is what it was: its modes, the cursor, the mouse, the main screen."""
        left = self.output.rpartition("\x1b[?1049l")
        return (
            self.modes == self.modes_before
            and not self.screen.cursor.hidden
            and "\x1b[?1049h" not in left[2]
            and self.output.rfind("\x1b[?1003l") > self.output.rfind("\x1b[?1003h")
            and self.output.rfind("\x1b[?2004l") > self.output.rfind("\x1b[?2004h")
        )

    @property
    def left_behind(self) -> list[int]:
        """The processes of the command's session that are still there."""
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in pids if _session_of(pid) == self.process.pid]

    def hang_up(self) -> None:
        """Close the terminal under the command."""
        for descriptor in (self.master, self.slave):
            os.close(descriptor)
        self.master = self.slave = -1


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def known_to_pyte(text: str) -> str:
    """`text` without what pyte takes for something else, as the keyboard protocol's `CSI > 9 u`."""
    return re.sub(r"\x1b\[[<>=?][0-9;]*[upq$]+p?", "", text)


def python(*arguments: str) -> list[str]:
    """A command that runs the Python of the tests."""
    return [sys.executable, *arguments]
