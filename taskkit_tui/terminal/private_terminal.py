"""Moves the terminal to private descriptors, so that tasks cannot write on it or take keys.

Subprocesses, C code and old `logging` handlers write to descriptors 1 and 2, and read from 0. While the
dashboard is on the screen, 1 and 2 are pipes, whose lines go to the log, and 0 is `/dev/null`.
"""

from __future__ import annotations

import os
import select
import sys
import termios
from collections.abc import Callable, Iterable
from functools import partial
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Final, Self

from taskkit import LineAssembler, Stream
from taskkit.bounded_start import BoundedStartThread
from taskkit_tui.terminal.terminal_screen import TerminalScreen

OnLine = Callable[[Stream, str], None]
"""Called with each line that is written to descriptor 1 or 2, on a thread of its own."""

_CHUNK: Final = 65_536
_UPDATE_SECONDS: Final = 0.1
"""Interval at which an unfinished line is reported."""

LEAVE_SCREEN: Final = (
    "\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[?2048l\x1b[?1004l\x1b[<u\x1b[0m\x1b[?1049l\x1b[?25h"
)
"""Turns off every mode that the driver has turned on."""


class PrivateTerminal:
    """Owns descriptors 0, 1 and 2 between `take` and `give_back`; as a context manager it does both.

    Args:
        on_line: Called with the lines that are written to descriptors 1 and 2 meanwhile, on the reader's
            thread. It must not block, and must not write to these descriptors.
    """

    def __init__(self, on_line: OnLine) -> None:
        self._on_line = on_line
        self._when_gone: list[Callable[[], None]] = []
        self._saved: tuple[int, int, int] | None = None
        self._screen: TerminalScreen | None = None
        self._attributes: list[int | list[bytes | int]] | None = None
        self._reader: BoundedStartThread | None = None
        self._wake = -1
        self._ended = Event()
        self.gone = False
        """True once the terminal is gone."""
        self.is_stuck = False
        """True if the system refused to restore descriptors 0, 1 and 2."""
        self.on_screen = False
        """True while the driver has the screen."""

    @property
    def keys(self) -> int:
        """The descriptor that keys are read from."""
        assert self._saved is not None
        return self._saved[0]

    @property
    def screen(self) -> TerminalScreen:
        """The terminal to write the screen to."""
        assert self._screen is not None
        return self._screen

    @property
    def errors(self) -> int:
        """The descriptor that was 2 before."""
        assert self._saved is not None
        return self._saved[2]

    def when_gone(self, call: Callable[[], None]) -> None:
        """Call `call` when the terminal goes away: on any thread, perhaps more than once."""
        self._when_gone.append(call)

    def hang_up(self) -> None:
        """Note that the terminal is gone, and call the callbacks. Any thread."""
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
        """Move the terminal to descriptors that no child inherits, and replace 0, 1 and 2.

        Raises:
            OSError: A descriptor is closed, or too many are open.
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
        self._reader = BoundedStartThread(partial(self._read, sources, asleep), name="taskkit-tui output")
        self._reader.start()

    def give_back(self) -> None:
        """Restore descriptors 0, 1 and 2, and the modes of the terminal. A second call does nothing."""
        saved = self._saved
        if saved is None:
            return
        _flush()
        for descriptor, old in enumerate(saved):
            try:
                os.dup2(old, descriptor)
            except OSError:  # RLIMIT_NOFILE is 0: dup2(2) refuses the numbers beyond the limit
                self.is_stuck = True
        self.restore_screen()
        self._saved = None
        self.screen.close()
        os.close(self._wake)
        self._ended.wait(0.5)
        for old in saved:
            os.close(old)

    def restore_screen(self) -> None:
        """Restore the terminal if the driver has not. This does not wait for a stalled one."""
        if self._saved is None:
            return
        if self.on_screen and not self.gone:
            self.on_screen = False
            self.screen.write_last(LEAVE_SCREEN)
        if self._attributes is not None:
            try:
                termios.tcsetattr(self.keys, termios.TCSANOW, self._attributes)
            except (termios.error, OSError):
                pass  # it is gone, and so are its modes

    def _read(self, sources: dict[int, Stream], asleep: int) -> None:
        """Read until `give_back` closes the wake-up pipe. Children may keep the pipes open for longer."""
        poll = select.poll()
        lines = {source: LineAssembler() for source in sources}
        for source in (*sources, asleep):
            poll.register(source, select.POLLIN)
        terminal = self.keys
        poll.register(terminal, 0)  # reports a hang-up only
        updated = monotonic()
        is_open = is_reported = True
        try:
            while is_open:
                ready = _ready(poll, (*sources, asleep), None if is_reported else _UPDATE_SECONDS)
                is_open = asleep not in ready
                if terminal in ready:
                    poll.unregister(terminal)
                    self.hang_up()
                for source, stream in sources.items():
                    if source in ready:
                        is_reported = False
                        if not self._read_on(source, stream, lines[source]):
                            poll.unregister(source)
                if not is_reported and (now := monotonic()) - updated >= _UPDATE_SECONDS:
                    updated, is_reported = now, True
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
        """Read the data that is there, but at most 16 chunks: the other pipe has its turn.

        Returns:
            False at the end of the pipe.
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


def _ready(poll: select.poll, descriptors: Iterable[int], seconds: float | None) -> dict[int, int]:
    """Wait for data on one of them, or for some seconds. Return the ready descriptors and their events."""
    try:
        return dict(poll.poll(None if seconds is None else seconds * 1000))
    except OSError:  # poll(2) refuses more descriptors than RLIMIT_NOFILE
        return dict.fromkeys(select.select(list(descriptors), [], [], seconds)[0], select.POLLIN)


def _flush() -> None:
    """Write out what was printed before, so that it goes where it was printed."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                pass  # closed, or its terminal is gone
