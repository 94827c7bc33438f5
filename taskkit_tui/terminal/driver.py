"""Textual's Linux driver on the private descriptors, ready for a terminal that goes away."""

from __future__ import annotations

import io
import os
import signal
import termios
from asyncio import TimerHandle
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, Final, cast

from textual import constants, events
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from taskkit_tui.terminal.kitty_keys import FLAGS
from taskkit_tui.terminal.private_terminal import PrivateTerminal
from taskkit_tui.terminal.terminal_screen import can_read
from taskkit_tui.terminal.tty_guard import TerminalDisturbed
from taskkit_tui.terminal.typed_input import TypedInput

SETTLED_SECONDS: Final = 0.3
"""Time without a change after which the size of the terminal counts as settled."""

_CHUNK: Final = 4096
_POLL_SECONDS: Final = 0.1
"""Interval at which the input thread checks if it should end."""

_MOUSE_SECONDS: Final = 1.0
"""Least time between two requests for mouse reports: the terminal may ignore them."""

_NOTICE_SECONDS: Final = 5.0
"""Least time between two messages about programs that change the terminal."""

_INPUT_FLAGS: Final = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR
_LOCAL_FLAGS: Final = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
"""The modes that the base class sets, and that a program changes to ask something at the terminal."""

_SUSPEND_SECONDS: Final = 0.2
"""Time for the kernel to stop the process. If it still runs then, it was not stopped, or was continued."""


class ScreenFile(io.TextIOBase):
    """A file that writes to the terminal, and discards everything once the terminal is gone.

    Otherwise Textual's writer thread would die of the error, its queue would fill up, and the app would wait
    for it forever.
    """

    def __init__(self, terminal: PrivateTerminal) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Write all of `text`, or nothing if the terminal is gone."""
        try:
            self._terminal.screen.write(text)
        except OSError:
            self._terminal.hang_up()
        except MemoryError:
            pass  # Textual's thread would die of it; the next paint may succeed
        return len(text)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._terminal.screen.descriptor

    def isatty(self) -> bool:
        """Return True."""
        return True


class PrivateDriver(LinuxDriver):
    """The Linux driver on private descriptors. It survives a lost terminal, and programs that change modes.

    Args:
        app: The app.
        debug: As for the base class.
        mouse: As for the base class.
        size: As for the base class.
        terminal: The private descriptors.
    """

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
        self._mouse_requested = 0.0
        self._modes: list[Any] | None = None  # as set here, while the screen is taken
        self._noticed = 0.0
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
        """Take over the screen."""
        before = self._writer_thread
        self._terminal.on_screen = True
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is before:
            # The job is in the background, after `bg`: it was stopped again, and `fg` continues it.
            self._terminal.on_screen = False
            return
        try:
            self._modes = termios.tcgetattr(self.fileno)
        except termios.error:
            self._modes = None  # it is gone
        if not constants.DISABLE_KITTY_KEY:
            self.write(f"\x1b[<u\x1b[>{FLAGS}u")  # instead of the flags that the base has asked for
        # The base class reads the size in its signal handler. While a person drags the window, a handler is
        # interrupted by the next one, and would report its own, older size last.
        signal.signal(signal.SIGWINCH, lambda *_: self._loop.call_soon_threadsafe(self._on_size_change))

    def stop_application_mode(self) -> None:
        """Give the screen back."""
        self._modes = None
        super().stop_application_mode()

    def _take_back(self) -> None:
        """Restore the terminal modes and the screen, if a program has changed the modes to ask something.

        Runs on the input thread.
        """
        wanted = self._modes
        if wanted is None:
            return
        try:
            found = termios.tcgetattr(self.fileno)
            if _relevant(found) == _relevant(wanted) or self._modes is None:
                return
            termios.tcsetattr(self.fileno, termios.TCSANOW, wanted)
        except termios.error:
            return  # it is gone, which the next read reports
        self._loop.call_soon_threadsafe(self._repaint_all)

    def _repaint_all(self) -> None:
        now = monotonic()
        if now - self._noticed >= _NOTICE_SECONDS:
            self._noticed = now
            self._app.post_message(TerminalDisturbed())
        self._app.refresh(layout=True)
        # The program may write its question only now.
        self._loop.call_later(SETTLED_SECONDS, lambda: self._app.refresh(layout=True))

    def _on_old_mouse(self) -> None:
        self._loop.call_soon_threadsafe(self._request_mouse)

    def _request_mouse(self) -> None:
        """Request mouse reports, bracketed paste and key codes again, in the form that is read here.

        The terminal has lost these modes, or is another one after a reattach.
        """
        now = monotonic()
        if self._terminal.on_screen and now - self._mouse_requested >= _MOUSE_SECONDS:
            self._mouse_requested = now
            self._enable_mouse_support()
            if self._mouse_pixels:
                self._enable_mouse_pixels()
            self._enable_bracketed_paste()
            if not constants.DISABLE_KITTY_KEY:
                self.write(f"\x1b[={FLAGS};1u")  # replaces the flags; a push would add a level

    def _on_size_change(self) -> None:
        # While its size changes, a terminal loses or moves its contents, even if it has its old size again by
        # now. So everything is painted now, and once more when the size has settled.
        if self._repaint is not None:
            self._repaint.cancel()
        self._repaint = self._loop.call_later(SETTLED_SECONDS, self._post_size)
        self._post_size()

    def _post_size(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))
            self._app.refresh(layout=True)

    def close(self) -> None:
        """Let the writer thread finish. The screen is given back then."""
        writer = self._writer_thread
        has_died = writer is not None and not writer.is_alive()  # then it did not give the screen back
        super().close()
        self._terminal.on_screen = has_died

    def resume_application_mode(self) -> None:
        """Take over the screen again, and paint it."""
        if not self._terminal.on_screen:  # else it was stopped by SIGSTOP, not by a key
            super().resume_application_mode()
        self._loop.call_soon_threadsafe(lambda: self._app.refresh(layout=True))

    def _sigtstp_application(self, *_: object) -> None:
        # The signal may have interrupted the event loop while it held a lock that suspending needs.
        self._loop.call_soon_threadsafe(self._suspend)

    def _suspend(self) -> None:
        """Stop the whole job, as the terminal itself would; continue at once if no shell could continue it.

        The base class stops its own process only: a `make` above it would wait, and so would the shell; and
        in a window without a shell it would be stopped forever. The kernel ignores the signal there.
        """
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        self._loop.call_later(_SUSPEND_SECONDS, self._continue)

    def _continue(self) -> None:
        signal.signal(signal.SIGTSTP, self._sigtstp_application)
        if self._auto_restart:
            self.resume_application_mode()

    def _sigcont_application(self, *arguments: object) -> None:
        self._loop.call_soon_threadsafe(partial(super()._sigcont_application, *arguments))

    def run_input_thread(self) -> None:
        """Read keys while there is a terminal. A closed one gives endless empty reads, or an error."""
        try:
            self._read_keys()
        except OSError:
            self._terminal.hang_up()
        except Exception as error:  # noqa: BLE001 - the app crashes with it
            self._app.call_later(_raise, error)

    def _read_keys(self) -> None:
        typed = TypedInput(self._on_old_mouse)
        ending = False
        while not ending:
            ending = self.exit_event.is_set()  # read once more: replies may be on their way
            data = os.read(self.fileno, _CHUNK) if can_read(self.fileno, _POLL_SECONDS) else b""
            if not ending:
                self._take_back()
            for message in typed.feed(data):
                self.process_message(message)


def _relevant(modes: list[Any]) -> tuple[int, int]:
    return modes[0] & _INPUT_FLAGS, modes[3] & _LOCAL_FLAGS


def _raise(error: Exception) -> None:
    raise error


def driver_for(terminal: PrivateTerminal) -> Callable[..., Driver]:
    """Return a factory for `App.driver_class`."""

    def build(app: App[Any], **arguments: Any) -> PrivateDriver:
        return PrivateDriver(app, terminal=terminal, **arguments)

    return build
