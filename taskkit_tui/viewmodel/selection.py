"""Which entry of a task's history is selected, while runs come, grow old and are searched."""

from __future__ import annotations

from typing import NamedTuple

from taskkit import Outcome, RunSnapshot, TaskDetails
from taskkit_tui.viewmodel.duration_chart import charted
from taskkit_tui.viewmodel.history_rows import Entry, Key, Restart, entries, key_of
from taskkit_tui.viewmodel.run_text import last_failure
from taskkit_tui.viewmodel.searching import matching
from taskkit_tui.viewmodel.stored_history import Earlier, StoredEntry, joined


class Selection:
    """The entries that pass a search, newest first, and one of them.

    At first that is the newest run, whichever it is then. Whoever chooses another one stays on it; who goes
    back to the newest run goes on with the newest again.

    Args:
        earlier: What is stored of the task's past, as far as it was asked for.
    """

    def __init__(self, earlier: Earlier | None = None) -> None:
        self._earlier = Earlier() if earlier is None else earlier
        self._looked: _Looked | None = None
        self._keys: dict[Key, int] = {}
        self.entries: tuple[Entry, ...] = ()
        self.total = 0
        """How many runs and skips there are, hidden ones counted."""
        self.shown = 0
        """How many of them pass the search."""
        self.index = 0
        """Of the selected entry; 0 where there is none."""
        self.runs: tuple[Outcome, ...] = ()
        """The runs that took time, oldest first, hidden ones counted."""
        self.failure: Outcome | None = None
        """The newest run that left a traceback, hidden ones counted."""
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
        looked = _Looked(details, search, self._earlier.rows, self._earlier.found)
        if not looked.is_as(self._looked):
            self._looked = looked
            told = joined(entries(details), looked.rows)
            self.total = _count(told)
            self.entries = self._passing(told, looked, now)
            self.shown = _count(self.entries)
            self._keys = {key_of(entry): index for index, entry in enumerate(self.entries)}
            self.runs = charted(told)
            self.failure = last_failure(told)
        self._find()

    @staticmethod
    def _passing(told: tuple[Entry, ...], looked: _Looked, now: float) -> tuple[Entry, ...]:
        passing = matching(told, looked.search, now)
        if not looked.found:
            return passing
        there = {key_of(entry) for entry in told}
        beyond = tuple(row.entry for row in looked.found if key_of(row.entry) not in there)
        return passing + beyond

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

    def choose_run(self, number: int) -> bool:
        """Select the newest run of that number, if there is one; before a restart there may be others."""
        for entry in self.entries:
            if number == _number_of(entry):
                self.choose(key_of(entry))
                return True
        return False

    def walk(self, step: int) -> None:
        """Select the next run that took time (1), or the one before (-1)."""
        runs = [key_of(run) for run in self.runs]
        if not runs:
            return
        at = runs.index(self.key) if self.key in runs else len(runs)
        wanted = runs[max(0, min(at + step, len(runs) - 1))]
        if wanted in self._keys:
            self.choose(wanted)

    def _find(self) -> None:
        if self._chosen is None:
            self.index = self._newest_run
        elif self._chosen in self._keys:
            self.index = self._keys[self._chosen]
        else:
            self.index = max(0, min(self.index, len(self.entries) - 1))

    @property
    def _newest_run(self) -> int:
        runs = (i for i, entry in enumerate(self.entries) if isinstance(entry, Outcome | RunSnapshot))
        return next(runs, 0)


class _Looked(NamedTuple):
    """What the entries were made of; each thing is another object if it is different."""

    details: TaskDetails
    search: str
    rows: tuple[StoredEntry, ...]
    found: tuple[StoredEntry, ...]

    def is_as(self, other: _Looked | None) -> bool:
        """Whether nothing of it is different."""
        return (
            other is not None
            and self.details is other.details
            and self.search == other.search
            and self.rows is other.rows
            and self.found is other.found
        )


def _number_of(entry: Entry) -> int | None:
    match entry:
        case RunSnapshot():
            return entry.number
        case Outcome():
            return entry.run
    return None


def _count(told: tuple[Entry, ...]) -> int:
    return sum(not isinstance(entry, Restart) for entry in told)
