"""The terminal on descriptors of its own, and pipes where tasks think that it is.

Subprocesses, C code and old `logging` handlers write to descriptors 1 and 2, and read keys from 0. While
the dashboard is on the screen those lead elsewhere: 1 and 2 into pipes, whose lines go to the log, and 0
to `/dev/null`.
"""

from __future__ import annotations

import os
import select
import sys
import termios
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Final, Self

from taskkit import LineAssembler, Stream
from taskkit_tui.terminal.screen import TerminalScreen

OnLine = Callable[[Stream, str], None]
"""Gets each line that is written to descriptor 1 or 2, on a thread of its own."""

_CHUNK: Final = 65_536
_UPDATE_EVERY: Final = 0.1
"""Seconds between two updates of a line without an end."""

LEAVE_SCREEN: Final = (
    "\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[?2048l\x1b[?1004l\x1b[<u\x1b[0m\x1b[?1049l\x1b[?25h"
)
"""Takes back all that the driver asked of the terminal."""


class PrivateTerminal:
    """Takes descriptors 0, 1 and 2 for itself between `take` and `give_back`; a context manager does both.

    Args:
        on_line: Gets the lines that are written to descriptors 1 and 2 meanwhile. It is called on the
            reader's thread, must not block, and must not write to these descriptors.
    """

    def __init__(self, on_line: OnLine) -> None:
        self._on_line = on_line
        self._when_gone: list[Callable[[], None]] = []
        self._saved: tuple[int, int, int] | None = None
        self._screen: TerminalScreen | None = None
        self._attributes: list[int | list[bytes | int]] | None = None
        self._reader: Thread | None = None
        self._wake = -1
        self._ended = Event()
        self.gone = False
        """Whether the terminal went away."""
        self.on_screen = False
        """Whether the driver has taken the screen over and not given it back."""

    @property
    def keys(self) -> int:
        """The descriptor that keys are read from."""
        assert self._saved is not None
        return self._saved[0]

    @property
    def screen(self) -> TerminalScreen:
        """What the screen is written to."""
        assert self._screen is not None
        return self._screen

    @property
    def errors(self) -> int:
        """Where descriptor 2 led."""
        assert self._saved is not None
        return self._saved[2]

    def when_gone(self, call: Callable[[], None]) -> None:
        """Call this if the terminal goes away: on any thread, and maybe more than once."""
        self._when_gone.append(call)

    def hang_up(self) -> None:
        """Somebody noticed that the terminal went away. Any thread."""
        if not self.gone:
            self.gone = True
            self.screen.stop()
            for call in self._when_gone:
                call()

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.give_back()

    def take(self) -> None:
        """Move the terminal to descriptors that no child inherits, and lead 0, 1 and 2 elsewhere.

        Raises:
            OSError: A descriptor is closed, or there are too many.
        """
        _flush()
        self._saved = os.dup(0), os.dup(1), os.dup(2)
        self._screen = TerminalScreen(self._saved[1])
        try:
            self._attributes = termios.tcgetattr(self.keys)
        except termios.error:
            self._attributes = None
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        sources = {}
        for descriptor, stream in ((1, Stream.STDOUT), (2, Stream.STDERR)):
            out, into = os.pipe()
            os.dup2(into, descriptor)
            os.close(into)
            os.set_blocking(out, False)
            sources[out] = stream
        asleep, self._wake = os.pipe()
        self._ended.clear()
        self._reader = Thread(
            target=self._read, args=(sources, asleep), name="taskkit-tui output", daemon=True
        )
        self._reader.start()

    def give_back(self) -> None:
        """Put descriptors 0, 1 and 2 back, and the terminal's modes. Doing it twice does no harm."""
        saved = self._saved
        if saved is None:
            return
        _flush()
        for descriptor, old in enumerate(saved):
            os.dup2(old, descriptor)
        self.restore_screen()
        self._saved = None
        self.screen.close()
        os.close(self._wake)
        self._ended.wait(0.5)
        for old in saved:
            os.close(old)

    def restore_screen(self) -> None:
        """Make the terminal what it was, as far as the driver has not; a stalled one is not waited for."""
        if self._saved is None:
            return
        if self.on_screen and not self.gone:
            self.on_screen = False
            self.screen.last_words(LEAVE_SCREEN)
        if self._attributes is not None:
            try:
                termios.tcsetattr(self.keys, termios.TCSANOW, self._attributes)
            except (termios.error, OSError):
                pass  # it is gone, and so are its modes

    def _read(self, sources: dict[int, Stream], asleep: int) -> None:
        """Read until woken for good. Children may hold the pipes for longer; they are not waited for."""
        poll = select.poll()
        lines = {source: LineAssembler() for source in sources}
        for source in (*sources, asleep):
            poll.register(source, select.POLLIN)
        terminal = self.keys
        poll.register(terminal, 0)  # tells of nothing but a hang-up
        told = monotonic()
        going = True
        try:
            while going:
                ready = dict(poll.poll(_UPDATE_EVERY * 1000))
                going = asleep not in ready
                if terminal in ready:
                    poll.unregister(terminal)
                    self.hang_up()
                for source, stream in sources.items():
                    if source in ready and not self._read_on(source, stream, lines[source]):
                        poll.unregister(source)
                if (now := monotonic()) - told >= _UPDATE_EVERY:
                    told = now
                    for source, stream in sources.items():
                        if (update := lines[source].update()) is not None:
                            self._on_line(stream, update)
            for source, stream in sources.items():
                self._read_on(source, stream, lines[source])
                if (last := lines[source].finish()) is not None:
                    self._on_line(stream, last)
        finally:
            self._ended.set()
            for source in (*sources, asleep):
                os.close(source)

    def _read_on(self, source: int, stream: Stream, lines: LineAssembler) -> bool:
        """Read what there is, but not for ever: the other pipe wants its turn.

        Returns:
            Whether more may come.
        """
        for _ in range(16):
            try:
                data = os.read(source, _CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            for line in lines.feed(data):
                self._on_line(stream, line)
        return True


def _flush() -> None:
    """What was printed before belongs to where it was printed."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                pass  # closed, or its terminal is gone
