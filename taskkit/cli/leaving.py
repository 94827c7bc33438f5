"""The last steps of a command that has run tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

from taskkit.cli.console import complain, say
from taskkit.leaving import abandoned_lines, end_process

FOR_EXIT_HANDLERS: Final = 2.0
"""Seconds that what is registered with `atexit` has."""


def tell_abandoned(names: Sequence[str]) -> None:
    """Name the runs that did not end in time."""
    first, *others = abandoned_lines(names)
    say(first)
    for line in others:
        complain(line)


def leave(status: int) -> NoReturn:
    """End the process with this status now."""
    end_process(status, for_handlers=FOR_EXIT_HANDLERS)
