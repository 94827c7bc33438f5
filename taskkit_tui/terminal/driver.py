"""Textual's driver for Linux, on the private descriptors instead of the standard ones."""

from __future__ import annotations

import io
import os
import select
import signal
from asyncio import TimerHandle
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from taskkit_tui.terminal.private import PrivateTerminal
from taskkit_tui.terminal.typed_input import TypedInput

AT_REST: Final = 0.3
"""Seconds without a change after which a terminal's size counts as settled."""

_CHUNK: Final = 4096
_LOOK_AGAIN: Final = 0.1
"""Seconds between two looks whether keys are wanted still."""

_UNTIL_STOPPED: Final = 0.2
"""Seconds after which a process that was asked to stop, and runs, was not stopped or is continued."""


class ScreenFile(io.TextIOBase):
    """Writes to the terminal, and swallows everything once that is gone.

    Textual's writer thread would die of the error, its queue fill up, and the app wait for it for ever.
    """

    def __init__(self, terminal: PrivateTerminal) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Write all of `text`, or nothing if the terminal is gone."""
        try:
            self._terminal.screen.write(text)
        except OSError:
            self._terminal.hang_up()
        return len(text)

    def fileno(self) -> int:
        """The descriptor."""
        return self._terminal.screen.descriptor

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


class PrivateDriver(LinuxDriver):
    """Differs from its base in the descriptors, and in what it does when the terminal is gone."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
        terminal: PrivateTerminal,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._terminal = terminal
        self._repaint: TimerHandle | None = None
        self._file = cast(Any, ScreenFile(terminal))
        self.fileno = terminal.keys
        self.input_tty = True
        terminal.when_gone(self.exit_event.set)
        if self._size is None:
            # The app would ask the standard descriptors, which are pipes by now.
            self._size = self._get_terminal_size()

    def _get_terminal_size(self) -> tuple[int, int]:
        try:
            width, height = os.get_terminal_size(self._terminal.screen.descriptor)
        except OSError:
            width = height = 0
        return width or 80, height or 24

    def start_application_mode(self) -> None:
        """Take the screen over."""
        before = self._writer_thread
        self._terminal.on_screen = True
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is before:
            # The job is in the background, after `bg`; it was stopped again, and `fg` goes on.
            self._terminal.on_screen = False
            return
        # The base reads the size in its handler. While a person drags, a handler is interrupted by the next
        # one, and tells its own, older size last.
        signal.signal(signal.SIGWINCH, lambda *_: self._loop.call_soon_threadsafe(self._tell_size))

    def _tell_size(self) -> None:
        # While its size changes, a terminal loses or moves what was painted, also if it has its old size
        # again by now. So everything is painted, and once more when it has come to rest.
        if self._repaint is not None:
            self._repaint.cancel()
        self._repaint = self._loop.call_later(AT_REST, self._post_size)
        self._post_size()

    def _post_size(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))
            self._app.refresh(layout=True)

    def close(self) -> None:
        """Let the writer thread finish; from then on the screen is given back."""
        super().close()
        self._terminal.on_screen = False

    def resume_application_mode(self) -> None:
        """Take the screen over again, and paint it."""
        if not self._terminal.on_screen:  # else somebody stopped and continued the process without asking
            super().resume_application_mode()
        self._loop.call_soon_threadsafe(lambda: self._app.refresh(layout=True))

    def _sigtstp_application(self, *_: object) -> None:
        # The signal may have interrupted the event loop while it held a lock that suspending needs.
        self._loop.call_soon_threadsafe(self._suspend)

    def _suspend(self) -> None:
        """Stop the whole job, as the terminal itself would; go on at once where no shell could continue it.

        The base stops its own process only: a `make` above it would wait, and so would the shell; and in a
        window without a shell it would be stopped for ever. The kernel knows, and there ignores the signal.
        """
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        self._loop.call_later(_UNTIL_STOPPED, self._go_on)

    def _go_on(self) -> None:
        signal.signal(signal.SIGTSTP, self._sigtstp_application)
        if self._auto_restart:
            self.resume_application_mode()

    def _sigcont_application(self, *arguments: object) -> None:
        self._loop.call_soon_threadsafe(partial(super()._sigcont_application, *arguments))

    def run_input_thread(self) -> None:
        """Read keys while there is a terminal. A closed one reads as endless nothing, or as an error."""
        try:
            self._read_keys()
        except OSError:
            self._terminal.hang_up()
        except Exception as error:  # noqa: BLE001 - whatever it is, the app is to crash of it
            self._app.call_later(_raise, error)

    def _read_keys(self) -> None:
        typed = TypedInput()
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        leaving = False
        while not leaving:
            leaving = self.exit_event.is_set()  # once more then: answers may be on their way
            data = os.read(self.fileno, _CHUNK) if poll.poll(_LOOK_AGAIN * 1000) else b""
            for message in typed.feed(data):
                self.process_message(message)


def _raise(error: Exception) -> None:
    raise error


def driver_for(terminal: PrivateTerminal) -> Callable[..., Driver]:
    """What `App.driver_class` can be set to."""

    def build(app: App[Any], **arguments: Any) -> PrivateDriver:
        return PrivateDriver(app, terminal=terminal, **arguments)

    return build
