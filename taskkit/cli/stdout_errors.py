"""Records write errors of standard output, after which `taskkit trigger` must not succeed.

A run does not fail when its output cannot be written: the library drops the error. But where the output of
one run is all that a command writes, the command must then exit with an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast


class StdoutErrors:
    """The write errors of standard output."""

    def __init__(self) -> None:
        self.first_error: OSError | None = None

    def record(self, error: OSError) -> None:
        """Keep the error if it is the first. Thread-safe."""
        if self.first_error is None:
            self.first_error = error


class _RecordingStream:
    """Wraps a text or binary stream; records its write errors, and raises them too."""

    def __init__(self, stream: Any, record: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._record = record

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # not set yet, as in `copy.copy`
            raise AttributeError(name)
        return getattr(self._stream, name)

    @property
    def buffer(self) -> Any:
        return _RecordingStream(self._stream.buffer, self._record)

    def write(self, data: Any) -> int:
        try:
            written: int = self._stream.write(data)
        except OSError as error:
            self._record(error)
            raise
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._record(error)
            raise


@contextmanager
def recorded_stdout_errors() -> Iterator[StdoutErrors]:
    """Record the write errors of `sys.stdout` in the `with` block, and flush it at the end."""
    errors, before = StdoutErrors(), sys.stdout
    sys.stdout = cast(TextIO, _RecordingStream(before, errors.record))
    try:
        yield errors
    finally:
        sys.stdout = before
        try:
            before.flush()
        except OSError as error:
            errors.record(error)
        except ValueError:
            pass  # the task has closed it
