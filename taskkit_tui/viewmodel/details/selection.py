"""Keeps the selected entry of a task's history while runs come, age and are searched."""

from __future__ import annotations

from typing import NamedTuple

from taskkit import Outcome, RunSnapshot, TaskDetails
from taskkit_tui.viewmodel.details.chart_lines import charted
from taskkit_tui.viewmodel.details.history_rows import EntryKey, HistoryEntry, Restart, entries, key_of
from taskkit_tui.viewmodel.details.history_search import matching
from taskkit_tui.viewmodel.details.run_text import last_failure
from taskkit_tui.viewmodel.details.stored_history import HistoryPages, StoredEntry, joined


class HistorySelection:
    """The entries that match a search, newest first, and the selected one of them.

    At first the newest run is selected, and the selection follows newer ones. After `choose` it stays on that
    entry; choosing the newest run makes it follow again.

    Args:
        earlier: The stored history, as far as it was fetched.
    """

    def __init__(self, earlier: HistoryPages | None = None) -> None:
        self._earlier = HistoryPages() if earlier is None else earlier
        self._inputs: _Inputs | None = None
        self._keys: dict[EntryKey, int] = {}
        self.entries: tuple[HistoryEntry, ...] = ()
        self.total = 0
        """The number of runs and skips, including hidden ones."""
        self.shown = 0
        """The number of those that match the search."""
        self.index = 0
        """The index of the selected entry; 0 without one."""
        self.runs: tuple[Outcome, ...] = ()
        """The runs that took time, oldest first, including hidden ones."""
        self.failure: Outcome | None = None
        """The newest run with a traceback, including hidden ones."""
        self._chosen: EntryKey | None = None

    @property
    def entry(self) -> HistoryEntry | None:
        """The selected entry."""
        return self.entries[self.index] if self.entries else None

    @property
    def key(self) -> EntryKey | None:
        """The identity of the selected entry."""
        return None if (entry := self.entry) is None else key_of(entry)

    def update(self, details: TaskDetails, search: str, now: float) -> None:
        """Update the entries; `now` is in epoch seconds."""
        inputs = _Inputs(details, search, self._earlier.rows, self._earlier.found)
        if not inputs.same_as(self._inputs):
            self._inputs = inputs
            merged = joined(entries(details), inputs.rows)
            self.total = _count(merged)
            self.entries = self._passing(merged, inputs, now)
            self.shown = _count(self.entries)
            self._keys = {key_of(entry): index for index, entry in enumerate(self.entries)}
            self.runs = charted(merged)
            self.failure = last_failure(merged)
        self._find()

    @staticmethod
    def _passing(merged: tuple[HistoryEntry, ...], inputs: _Inputs, now: float) -> tuple[HistoryEntry, ...]:
        passing = matching(merged, inputs.search, now)
        if not inputs.found:
            return passing
        there = {key_of(entry) for entry in merged}
        beyond = tuple(row.entry for row in inputs.found if key_of(row.entry) not in there)
        return passing + beyond

    def choose(self, key: EntryKey) -> None:
        """Select an entry. If it is not there yet, it is selected as soon as it is."""
        newest = self._newest_run
        is_newest = newest < len(self.entries) and key_of(self.entries[newest]) == key
        self._chosen = None if is_newest else key
        self._find()

    def choose_index(self, index: int) -> None:
        """Select the entry at `index`, if there is one."""
        if 0 <= index < len(self.entries):
            self.choose(key_of(self.entries[index]))

    def choose_run(self, number: int) -> bool:
        """Select the newest run of that number, if there is one. Numbers repeat after a restart."""
        for entry in self.entries:
            if number == _number_of(entry):
                self.choose(key_of(entry))
                return True
        return False

    def walk(self, step: int) -> None:
        """Select the next run that took time (1), or the previous one (-1)."""
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


class _Inputs(NamedTuple):
    """The data that the entries were computed from; a field is a new object if it has changed."""

    details: TaskDetails
    search: str
    rows: tuple[StoredEntry, ...]
    found: tuple[StoredEntry, ...]

    def same_as(self, other: _Inputs | None) -> bool:
        """True if nothing has changed."""
        return (
            other is not None
            and self.details is other.details
            and self.search == other.search
            and self.rows is other.rows
            and self.found is other.found
        )


def _number_of(entry: HistoryEntry) -> int | None:
    match entry:
        case RunSnapshot():
            return entry.number
        case Outcome():
            return entry.run
    return None


def _count(merged: tuple[HistoryEntry, ...]) -> int:
    return sum(not isinstance(entry, Restart) for entry in merged)
