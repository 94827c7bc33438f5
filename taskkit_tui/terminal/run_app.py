"""Runs an app in the terminal, and leaves the terminal as it was."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from rich.console import Console
from textual.app import App
from textual.driver import Driver

from taskkit.process.process_exit import end_process
from taskkit_tui.terminal.collector_pauses import CollectorPauses
from taskkit_tui.terminal.driver import driver_for
from taskkit_tui.terminal.private_terminal import OnLine, PrivateTerminal
from taskkit_tui.terminal.shutdown import EXIT_HANDLERS_SECONDS, Shutdown, Stop, abandoned_words
from taskkit_tui.terminal.terminal_screen import write_soon
from taskkit_tui.terminal.tty_guard import TerminalAsked, guard_terminal

SWITCH_INTERVAL_SECONDS: Final = 0.0005
"""Time that a computing thread keeps the GIL while the app waits; Python's default is ten times that."""


def run_in_terminal(
    app: App[Any], *, on_line: OnLine, stop: Stop, is_quiet: Callable[[], bool] = lambda: True
) -> int:
    """Run `app` until it ends, then stop the runs; leave the terminal as it was, whatever happens.

    Call it on the main thread, with descriptors 0 and 1 on a terminal.

    Args:
        app: The app, which has not run yet.
        on_line: Called with each line that is written to descriptors 1 and 2 meanwhile, and its stream, on
            a thread of its own. It must be quick, and never raise.
        stop: Stops the scheduler within the given seconds, and returns the names of the runs that did not
            end. It may be called on any thread, and twice.
        is_quiet: True while nobody types: the time for the longest pauses of the garbage collector. Any
            thread; it must be quick.

    Returns:
        The exit status: 0, 1 after a crash, 128 + n after signal n. If runs were abandoned, or the
        terminal went away, it does not return: it names the runs on stderr and ends the process.
    """
    terminal = PrivateTerminal(on_line)
    shutdown = Shutdown(app, terminal, stop)
    shutdown.watch_signals()
    try:
        with terminal, _short_pauses(is_quiet), _console_on(terminal.errors) as app.error_console:
            app.driver_class = cast(type[Driver], driver_for(terminal))
            try:
                with guard_terminal(
                    terminal.keys,
                    lambda: terminal.on_screen,
                    lambda name: app.post_message(TerminalAsked(name)),
                ):
                    app.run()
            finally:
                abandoned = shutdown.stop_runs(app.return_code or 0)
        # The interpreter's own exit could wait for output that is never read.
        status = shutdown.status if shutdown.status is not None else app.return_code or 0
        if abandoned:
            write_soon(2, abandoned_words(abandoned))
        if abandoned or terminal.gone or terminal.is_stuck:
            end_process(status, for_handlers=EXIT_HANDLERS_SECONDS)
    finally:
        shutdown.cancel_watchdog()
        shutdown.restore_handlers()
    return status


@contextmanager
def _console_on(descriptor: int) -> Iterator[Console]:
    """Yield a console that prints a crash to the terminal: descriptor 2 is a pipe at that time."""
    try:
        width: int | None = os.get_terminal_size(descriptor).columns or None
    except OSError:
        width = None
    with os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace") as file:
        yield Console(file=file, markup=False, highlight=False, width=width)


@contextmanager
def _short_pauses(is_quiet: Callable[[], bool]) -> Iterator[None]:
    """Keep computing threads and the garbage collector from holding up the app.

    While a task makes many objects, the collector would visit every object of every module again and again,
    and stop all threads meanwhile. So the objects that exist now are frozen.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.freeze()
    try:
        with CollectorPauses(is_quiet):
            yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)
