"""Represents one line of the log."""

from __future__ import annotations

from typing import NamedTuple


class LogLine(NamedTuple):
    r"""One line that a task, or code outside any task, wrote.

    It is a tuple for speed: a hundred thousand may be made in a second.

    A text that ends in `\r` is an update of a progress line: the next line of the same source replaces
    it.
    """

    time: float
    """When it was written, in epoch seconds."""
    name: str
    """The task's name; empty for code outside any task."""
    run: int | None
    """The number of the run; `None` for code outside any task."""
    stream: str
    """`stdout`, `stderr` or `log`, as in `taskkit.Stream`."""
    level: int
    """The level, as in `logging`: stdout is INFO (20), stderr WARNING (30), a failure ERROR (40)."""
    text: str
    """The text as it was written, including escape sequences, without its line end."""
    traceback: str | None = None
    """The traceback of a failure."""

    @property
    def source(self) -> tuple[str, int | None, str, int]:
        """The task, run and stream that wrote it; lines of the same source may replace each other."""
        return self.name, self.run, self.stream, self.level
