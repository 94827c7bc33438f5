"""One line of the log."""

from __future__ import annotations

from typing import NamedTuple


class LogLine(NamedTuple):
    r"""One line that a task, or code outside any task, wrote.

    A tuple, because a hundred thousand of them may be made in a second.

    A text that ends in `\r` is an update of a progress line: the next line of the same source takes
    its place.
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
    """As in `logging`: stdout counts as INFO (20), stderr as WARNING (30), a failure as ERROR (40)."""
    text: str
    """As it was written, with escape sequences and all; without its line end."""
    traceback: str | None = None
    """For a failure: what there is to open."""

    @property
    def source(self) -> tuple[str, int | None, str, int]:
        """Who wrote it where: lines that share this may overwrite each other."""
        return self.name, self.run, self.stream, self.level
