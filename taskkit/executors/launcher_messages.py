"""Messages between a program and the process that starts its workers, and the command of that process."""

from __future__ import annotations

import struct
import subprocess
import sys
from typing import Final

REQUEST: Final = struct.Struct("=ci")
"""A request to that process: its kind, and the number of a worker."""

START: Final = b"s"
"""Start a worker with the three descriptors that come with this."""
KILL: Final = b"k"
"""Kill a worker and its group."""
LEAVE: Final = b"l"
"""End, after the workers or soon."""

REPLY: Final = struct.Struct("=cii")
"""A message of that process: its kind, and two numbers."""

READY: Final = b"r"
"""It is ready for requests."""
STARTED: Final = b"s"
"""A worker was started: its number."""
REFUSED: Final = b"x"
"""The system refused to start a worker: the error number."""
ENDED: Final = b"e"
"""A worker ended: its number, and its exit status, negative for a signal."""


def interpreter() -> list[str]:
    """Return the command of this interpreter, with its options, and not the current folder in its path."""
    # As `multiprocessing` does.
    options: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [sys.executable, "-P", *options]
