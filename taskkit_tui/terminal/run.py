"""Running an app in the terminal, from taking that over to giving it back."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from rich.console import Console
from textual.app import App
from textual.driver import Driver

from taskkit.leaving import end_process
from taskkit_tui.terminal.driver import driver_for
from taskkit_tui.terminal.leaving import FOR_EXIT_HANDLERS, Departure, Stop, abandoned_words
from taskkit_tui.terminal.private import OnLine, PrivateTerminal
from taskkit_tui.terminal.screen import write_soon

SWITCH_INTERVAL: Final = 0.0005
"""Seconds after which a thread that computes lets the app have a turn; Python's own is ten times as long."""


def run_in_terminal(app: App[Any], *, on_line: OnLine, stop: Stop) -> int:
    """Run `app` until it ends, then stop the runs; leave the terminal as it was, whatever happens.

    Call it on the main thread, with descriptors 0 and 1 on a terminal.

    Args:
        app: The app, which has not run yet.
        on_line: Gets each line that is written to descriptors 1 and 2 meanwhile, with its stream, on a
            thread of its own. It must be quick, and never raise.
        stop: Stops the scheduler within the seconds that it is given, and returns the names of the runs
            that did not end. It may be called on any thread, and twice.

    Returns:
        The exit status: 0, 1 after a crash, 128 + n after signal n. If runs were abandoned, or the
        terminal went away, it does not return: it names the runs on stderr and ends the process.
    """
    terminal = PrivateTerminal(on_line)
    departure = Departure(app, terminal, stop)
    departure.watch_signals()
    try:
        with terminal, _quick_turns(), _console_on(terminal.errors) as app.error_console:
            app.driver_class = cast(type[Driver], driver_for(terminal))
            try:
                app.run()
            finally:
                abandoned = departure.screen_is_back(app.return_code or 0)
        status = departure.status if departure.status is not None else app.return_code or 0
        if abandoned:
            write_soon(2, abandoned_words(abandoned))
        if abandoned or terminal.gone:
            end_process(status, for_handlers=FOR_EXIT_HANDLERS)
    finally:
        departure.finished()
        departure.put_handlers_back()
    return status


@contextmanager
def _console_on(descriptor: int) -> Iterator[Console]:
    """Where a crash is told: descriptor 2 is a pipe at that time."""
    try:
        width: int | None = os.get_terminal_size(descriptor).columns or None
    except OSError:
        width = None
    with os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace") as file:
        yield Console(file=file, markup=False, highlight=False, width=width)


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let nothing hold the app up for long: neither a thread that computes, nor the garbage collector.

    The collector would look at every object of every module, again and again while a task makes many new
    ones, and hold all threads meanwhile.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)
