"""The exit statuses of the command, for scripts and service managers."""

from __future__ import annotations

import signal
from typing import Final

OK: Final = 0
FAILED: Final = 1
"""The command did its work, and the result is a failure: a failed run, a faulty file."""
USAGE: Final = 2
"""The command line, the target or the state cannot be used."""
ABANDONED: Final = 3
"""Some runs did not end in time, and were abandoned."""
NO_ANSWER: Final = 4
"""A running scheduler was asked and did not answer: the effect is unknown."""
TIMED_OUT: Final = 124
"""The run timed out; the status that `timeout` uses."""


def by_signal(number: int) -> int:
    """Return the status that shells report for a command ended by a signal."""
    return 128 + number


INTERRUPTED: Final = by_signal(signal.SIGINT)
BROKEN_PIPE: Final = by_signal(signal.SIGPIPE)
