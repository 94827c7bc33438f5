"""Standard output that remembers what went wrong with it.

A run does not feel it when what it writes cannot be passed on; a command whose whole output is that of one
run must not say that all is well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast


class Output:
    """What became of standard output."""

    def __init__(self) -> None:
        self.trouble: OSError | None = None
        """The first thing that went wrong with it."""

    def note(self, error: OSError) -> None:
        """Something went wrong with it. Any thread."""
        if self.trouble is None:
            self.trouble = error


class _NoticedStream:
    """A stream of texts or bytes in all but name, whose failures are noted as well as raised."""

    def __init__(self, beneath: Any, note: Callable[[OSError], None]) -> None:
        self._beneath = beneath
        self._note = note

    def __getattr__(self, name: str) -> Any:
        if name == "_beneath":  # not made yet, as in `copy.copy`
            raise AttributeError(name)
        return getattr(self._beneath, name)

    @property
    def buffer(self) -> Any:
        return _NoticedStream(self._beneath.buffer, self._note)

    def write(self, data: Any) -> int:
        try:
            written: int = self._beneath.write(data)
        except OSError as error:
            self._note(error)
            raise
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._beneath.flush()
        except OSError as error:
            self._note(error)
            raise


@contextmanager
def noticed_output() -> Iterator[Output]:
    """While it is entered, what goes wrong with `sys.stdout` is noted; it is flushed at the end."""
    output, before = Output(), sys.stdout
    sys.stdout = cast(TextIO, _NoticedStream(before, output.note))
    try:
        yield output
    finally:
        sys.stdout = before
        try:
            before.flush()
        except OSError as error:
            output.note(error)
