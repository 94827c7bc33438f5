"""The last steps of a program whose runs may not have ended: bounded, whatever those have left behind."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterable
from threading import Thread
from typing import NoReturn

from taskkit.plain_text import harmless


def abandoned_lines(names: Iterable[str]) -> list[str]:
    """What is said of runs that did not end in time, in lines for a terminal."""
    return [
        "these runs did not end in time and were abandoned:",
        *(f"  {harmless(name)}" for name in names),
    ]


def end_process(status: int, *, for_handlers: float) -> NoReturn:
    """End the process with this status now. Any thread.

    Python's own way out waits for threads that are no daemons, for as long as they like; it can abort while
    the thread of an abandoned run prints; and it changes the status when what was printed finds no terminal
    any more.

    Args:
        status: The exit status.
        for_handlers: Seconds that what is registered with `atexit` has: commands that still go on are killed
            there.
    """
    handlers = Thread(target=atexit._run_exitfuncs, name="taskkit leaving", daemon=True)
    handlers.start()
    handlers.join(for_handlers)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody is there to read it
    os._exit(status)
