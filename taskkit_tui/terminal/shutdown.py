"""Ends the dashboard in bounded time after a key, a signal, a crash, or the loss of the terminal.

The orderly way has three steps, and each of them can hang:

1. The app gives the screen back. It hangs on a terminal that is not read.
2. The runs are asked to stop. A run may ignore its stop flag.
3. The abandoned runs are named on stderr, and the process ends.

So a watchdog thread ends the process after `TOTAL_SECONDS`, whatever hangs. It is started in advance: at
the end the system may refuse a thread.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from threading import Event
from types import FrameType
from typing import Any, Final, NoReturn

from textual.app import App

from taskkit.process.forks import put_handlers_back_in_child
from taskkit.process.process_exit import (
    ReadyThread,
    abandoned_lines,
    end_process,
    prepare_to_leave,
    unhandled_signals,
)
from taskkit_tui.terminal.private_terminal import PrivateTerminal
from taskkit_tui.terminal.terminal_screen import write_soon

SCREEN_SECONDS: Final = 1.2
"""Time for the app to give the screen back, before the runs are stopped without it."""

RUNS_SECONDS: Final = 3.0
"""Time for the runs to end."""

TOTAL_SECONDS: Final = 4.7
"""Time until the watchdog ends the process, whatever still hangs."""

EXIT_HANDLERS_SECONDS: Final = 0.2
"""Time for the `atexit` handlers after that."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_DRIVERS_SIGNALS: Final = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)

Stop = Callable[[float], Sequence[str]]
"""Stops the scheduler within the given seconds, and returns the names of the runs that did not end."""


class Shutdown:
    """The end of one app. All methods are called on the main thread, except by its own watchdog thread.

    Args:
        app: The app.
        terminal: The terminal that is given back.
        stop: Stops the scheduler.
    """

    def __init__(self, app: App[Any], terminal: PrivateTerminal, stop: Stop) -> None:
        self._app = app
        self._terminal = terminal
        self._stop = stop
        self._old: dict[int, Any] = {}
        self._watchdog = ReadyThread("taskkit-tui shutdown")
        self._is_watched = False
        self._watchdog_status = 0
        self._screen_is_back = Event()
        self._ended = Event()
        self.status: int | None = None
        """The exit status that a signal asks for; `None` without one."""
        terminal.when_gone(lambda: os.kill(os.getpid(), signal.SIGHUP))

    def watch_signals(self) -> None:
        """Install the signal handlers that end the app."""
        prepare_to_leave()
        ending = {*_SIGNALS, *unhandled_signals()}
        for number in (*ending, *_DRIVERS_SIGNALS):
            self._old[number] = signal.getsignal(number)
        for number in ending:
            signal.signal(number, self._on_signal)
        put_handlers_back_in_child(lambda: tuple(self._old), self._restore_in_child)

    def restore_handlers(self) -> None:
        """Restore the signal handlers that `watch_signals` has replaced."""
        while self._old:
            number, handler = self._old.popitem()
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def _restore_in_child(self) -> None:
        # A forked child ends on a signal as any process does, and must not touch the terminal.
        if self._old:
            signal.set_wakeup_fd(-1)
            self.restore_handlers()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        if self._is_watched:
            # A closing terminal sends several SIGHUPs: from the kernel, the shell, and our own `when_gone`.
            if number != signal.SIGHUP:
                self.force_exit(self._watchdog_status)
            return
        self.status = 128 + number
        self._start_watchdog(self.status)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise SystemExit(self.status) from None  # the app has not started
        loop.call_soon_threadsafe(self._app.exit, None, self.status)

    def stop_runs(self, status: int) -> Sequence[str]:
        """Stop the runs. Call it once the app has given the screen back.

        Args:
            status: The exit status, should the watchdog end the process.

        Returns:
            The names of the runs that did not end in time.
        """
        self._screen_is_back.set()
        if not self._is_watched:
            self._start_watchdog(status)
        return self._stop(RUNS_SECONDS)

    def cancel_watchdog(self) -> None:
        """End the watchdog thread: all steps ended in time."""
        self._ended.set()
        if not self._is_watched:
            self._watchdog.do(lambda: None)

    def _start_watchdog(self, status: int) -> None:
        def watch() -> None:
            abandoned: Sequence[str] = ()
            if not self._screen_is_back.wait(SCREEN_SECONDS):
                # The app hangs on a terminal that is not read.
                abandoned = self._stop(RUNS_SECONDS)
                if not self._screen_is_back.wait(0.3):
                    self.force_exit(status, abandoned)
            if not self._ended.wait(TOTAL_SECONDS - SCREEN_SECONDS):
                self.force_exit(status, abandoned)

        self._watchdog_status = status
        self._is_watched = True
        if self._watchdog.is_there:  # without a thread the end may take longer
            self._watchdog.do(watch)

    def force_exit(self, status: int, abandoned: Sequence[str] = ()) -> NoReturn:
        """Restore the terminal as far as it responds, and end the process now."""
        try:
            self._terminal.restore_screen()
            if abandoned:
                write_soon(self._terminal.errors, abandoned_words(abandoned))
        finally:
            end_process(status, for_handlers=EXIT_HANDLERS_SECONDS)


def abandoned_words(names: Sequence[str]) -> str:
    """Return the message about runs that did not end in time."""
    listed = "\n".join(abandoned_lines(names))
    return f"taskkit-tui: {listed}\n"
