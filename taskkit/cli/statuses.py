"""The exit statuses of the command: what a service manager and a script can count on."""

from __future__ import annotations

import signal
from typing import Final

OK: Final = 0
FAILED: Final = 1
"""What was asked for was done, and failed."""
USAGE: Final = 2
"""The command line, the target or the state cannot be used."""
ABANDONED: Final = 3
"""Runs did not end in time, and were left behind."""
TIMED_OUT: Final = 124
"""As `timeout` has it."""


def by_signal(number: int) -> int:
    """As the shells tell of a command that a signal has ended."""
    return 128 + number


INTERRUPTED: Final = by_signal(signal.SIGINT)
BROKEN_PIPE: Final = by_signal(signal.SIGPIPE)
