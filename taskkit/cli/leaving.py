"""The last steps of a command that has run tasks: bounded, whatever those have left behind."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from threading import Thread
from typing import Final, NoReturn

from taskkit.cli.console import complain, say
from taskkit.plain_text import harmless

FOR_EXIT_HANDLERS: Final = 2.0
"""Seconds that what is registered with `atexit` has: commands that still go on are killed there."""


def tell_abandoned(names: Sequence[str]) -> None:
    """Name the runs that did not end in time."""
    say("these runs did not end in time and were abandoned:")
    for name in names:
        complain(f"  {harmless(name)}")


def leave(status: int) -> NoReturn:
    """End the process with this status now.

    Python's own way out waits for threads that are no daemons, for as long as they like, and can abort while
    the thread of an abandoned run prints.
    """
    handlers = Thread(target=atexit._run_exitfuncs, name="taskkit leaving", daemon=True)
    handlers.start()
    handlers.join(FOR_EXIT_HANDLERS)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody is there to read it
    os._exit(status)
