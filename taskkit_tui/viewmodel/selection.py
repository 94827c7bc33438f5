"""Which entry of a task's history is selected, while runs come, grow old and are searched."""

from __future__ import annotations

from taskkit import Outcome, RunSnapshot, TaskDetails
from taskkit_tui.viewmodel.durations import charted
from taskkit_tui.viewmodel.history import Entry, Key, entries, key_of, matching


class Selection:
    """The entries that pass a search, newest first, and one of them.

    At first that is the newest run, whichever it is then. Whoever chooses another one stays on it; who goes
    back to the newest run goes on with the newest again.
    """

    def __init__(self) -> None:
        self.entries: tuple[Entry, ...] = ()
        self.total = 0
        """How many entries there are, hidden ones counted."""
        self.index = 0
        """Of the selected entry; 0 where there is none."""
        self._chosen: Key | None = None

    @property
    def entry(self) -> Entry | None:
        """The selected entry."""
        return self.entries[self.index] if self.entries else None

    @property
    def key(self) -> Key | None:
        """What identifies the selected entry."""
        return None if (entry := self.entry) is None else key_of(entry)

    def look(self, details: TaskDetails, search: str, now: float) -> None:
        """Take in how things stand; `now` is in epoch seconds."""
        told = entries(details)
        self.total = len(told)
        self.entries = matching(told, search, now)
        self._find()

    def choose(self, key: Key) -> None:
        """Select an entry. One that is not there is selected as soon as it is."""
        newest = self._newest_run
        is_newest = newest < len(self.entries) and key_of(self.entries[newest]) == key
        self._chosen = None if is_newest else key
        self._find()

    def choose_index(self, index: int) -> None:
        """Select the entry at `index`, if there is one."""
        if 0 <= index < len(self.entries):
            self.choose(key_of(self.entries[index]))

    def walk(self, details: TaskDetails, step: int) -> None:
        """Select the next run that the chart shows (1), or the one before (-1)."""
        runs = [key_of(run) for run in charted(details)]
        if not runs:
            return
        at = runs.index(self.key) if self.key in runs else len(runs)
        wanted = runs[max(0, min(at + step, len(runs) - 1))]
        if any(key_of(entry) == wanted for entry in self.entries):
            self.choose(wanted)

    def _find(self) -> None:
        keys = [key_of(entry) for entry in self.entries]
        if self._chosen is None:
            self.index = self._newest_run
        elif self._chosen in keys:
            self.index = keys.index(self._chosen)
        else:
            self.index = max(0, min(self.index, len(keys) - 1))

    @property
    def _newest_run(self) -> int:
        runs = (i for i, entry in enumerate(self.entries) if isinstance(entry, Outcome | RunSnapshot))
        return next(runs, 0)
