"""Leaving in bounded time, whatever asks for it: a key, a signal, a crash, a terminal that went away.

The orderly way is: the app gives the screen back, the runs are asked to stop, the abandoned ones are
named. Each of these steps can get stuck (a terminal that nobody reads blocks the app; a run need not
look at its stop flag), so a thread sees to it that the process ends all the same.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from threading import Event, Thread
from types import FrameType
from typing import Any, Final, NoReturn

from textual.app import App

from taskkit.leaving import abandoned_lines, end_process
from taskkit_tui.terminal.private import PrivateTerminal
from taskkit_tui.terminal.screen import write_soon

FOR_THE_SCREEN: Final = 1.2
"""Seconds that the app has to give the screen back, before the runs are stopped without it."""

FOR_THE_RUNS: Final = 3.0
"""Seconds that the runs have to end."""

IN_ALL: Final = 4.7
"""Seconds until the process is ended, however things stand."""

FOR_EXIT_HANDLERS: Final = 0.2
"""Seconds that what is registered with `atexit` has then."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_DRIVERS_SIGNALS: Final = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)

Stop = Callable[[float], Sequence[str]]
"""Stops the scheduler within that many seconds; returns the names of the runs that did not end."""


class Departure:
    """One leaving of one app. `watch_signals` and everything else but its own thread: the main thread."""

    def __init__(self, app: App[Any], terminal: PrivateTerminal, stop: Stop) -> None:
        self._app = app
        self._terminal = terminal
        self._stop = stop
        self._old: dict[signal.Signals, Any] = {}
        self._escort: Thread | None = None
        self._escorted_status = 0
        self._left_screen = Event()
        self._ended = Event()
        self.status: int | None = None
        """The exit status that a signal asks for."""
        terminal.when_gone(lambda: os.kill(os.getpid(), signal.SIGHUP))

    def watch_signals(self) -> None:
        """Leave when a signal asks for it."""
        for number in (*_SIGNALS, *_DRIVERS_SIGNALS):
            self._old[number] = signal.getsignal(number)
        for number in _SIGNALS:
            signal.signal(number, self._asked)

    def put_handlers_back(self) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self._old.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def _asked(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        if self._escort is not None:
            # A terminal that closes says so more than once: the kernel, the shell, and our own look at it.
            if number != signal.SIGHUP:
                self.at_once(self._escorted_status)
            return
        self.status = 128 + number
        self._see_off(self.status)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise SystemExit(self.status) from None  # the app has not begun
        loop.call_soon_threadsafe(self._app.exit, None, self.status)

    def screen_is_back(self, status: int) -> Sequence[str]:
        """The app has ended: stop the runs.

        Returns:
            The names of the runs that did not end in time.
        """
        self._left_screen.set()
        if self._escort is None:
            self._see_off(status)
        return self._stop(FOR_THE_RUNS)

    def finished(self) -> None:
        """All is done in time."""
        self._ended.set()

    def _see_off(self, status: int) -> None:
        def escort() -> None:
            abandoned: Sequence[str] = ()
            if not self._left_screen.wait(FOR_THE_SCREEN):
                # The app hangs on a terminal that nobody reads.
                abandoned = self._stop(FOR_THE_RUNS)
                if not self._left_screen.wait(0.3):
                    self.at_once(status, abandoned)
            if not self._ended.wait(IN_ALL - FOR_THE_SCREEN):
                self.at_once(status, abandoned)

        self._escorted_status = status
        self._escort = Thread(target=escort, name="taskkit-tui leaving", daemon=True)
        self._escort.start()

    def at_once(self, status: int, abandoned: Sequence[str] = ()) -> NoReturn:
        """End the process now, the terminal as it was as far as it lets one."""
        try:
            self._terminal.restore_screen()
            if abandoned:
                write_soon(self._terminal.errors, abandoned_words(abandoned))
        finally:
            end_process(status, for_handlers=FOR_EXIT_HANDLERS)


def abandoned_words(names: Sequence[str]) -> str:
    """What is said of runs that did not end in time."""
    listed = "\n".join(abandoned_lines(names))
    return f"taskkit-tui: {listed}\n"
