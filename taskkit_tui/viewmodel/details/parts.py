"""Composes the lines of each part of the details screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, overload

from taskkit import RunSnapshot, TaskDetails
from taskkit_tui.formatting import harmless, shorten_end
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.details.chart_lines import chart_lines, chart_words
from taskkit_tui.viewmodel.details.due_list import due_copy, due_lines, due_title
from taskkit_tui.viewmodel.details.facts import fact_lines, facts
from taskkit_tui.viewmodel.details.headline import explanation_lines, headline
from taskkit_tui.viewmodel.details.history_rows import (
    HistoryColumns,
    HistoryEntry,
    columns_for,
    entries,
    entry_line,
    title_line,
    when_of,
)
from taskkit_tui.viewmodel.details.run_text import run_copy, run_lines, run_title
from taskkit_tui.viewmodel.details.selection import HistorySelection
from taskkit_tui.viewmodel.details.stored_history import HistoryPages
from taskkit_tui.viewmodel.text_lines import BLANK, Line, line, line_text
from taskkit_tui.viewmodel.zoned_due_times import due_times, is_elsewhere

_COPIED_WIDTH: Final = 100


class Border(NamedTuple):
    """The title and subtitle in the frame of a part."""

    title: str
    subtitle: str = ""


class DetailsParts:
    """The parts of the details of one task, as of the last update. Lines are made for a width in cells.

    Args:
        details: The task's details.
        now: The present time, in epoch seconds.
        source: The origin of its registration; see `facts`.
        stored: True if there is a store with its history.
    """

    def __init__(self, details: TaskDetails, now: float, source: str = "", *, stored: bool = False) -> None:
        self.details = details
        self.now = now
        """The last time at which the task was registered."""
        self.gone = False
        """True once the task is unregistered; its last state is shown."""
        self.search = ""
        """The search in the history."""
        self.earlier = HistoryPages(has_store=stored)
        """The stored history, as far as it was fetched."""
        self.selection = HistorySelection(self.earlier)
        """The history, and the selected entry."""
        self._clock = now
        self._source = source
        self._columns: tuple[tuple[HistoryEntry, ...], float, int, HistoryColumns] | None = None

    def update(self, details: TaskDetails | None, now: float) -> None:
        """Update the details; `None` means that the task is unregistered."""
        self._clock = now
        self.gone = details is None
        if details is not None:
            self.details, self.now = details, now
            self.earlier.notice(entries(details))
        self.select()

    def select(self) -> None:
        """Search the history again, because the search has changed."""
        self.selection.update(self.details, self.search, self.now)

    @property
    def is_running(self) -> bool:
        """True if the selected run is in progress."""
        return isinstance(self.selection.entry, RunSnapshot)

    def head(self, width: int) -> list[Line]:
        """Return the headline."""
        return [headline(self.details, self._clock, width, gone=self.gone)]

    def why(self, width: int) -> list[Line]:
        """Return the explanation why it does not run now."""
        return explanation_lines(self.details, width, gone=self.gone)

    def facts(self, width: int) -> list[Line]:
        """Return the facts about the task."""
        return fact_lines(facts(self.details, self._source), width)

    def due(self, width: int) -> list[Line]:
        """Return the due times."""
        return due_lines(self.details, self.now, width)

    def history_titles(self, width: int) -> Line:
        """Return the column titles of the history."""
        return title_line(self._columns_in(width)) if self.selection.entries else BLANK

    def history(self, width: int) -> Sequence[Line]:
        """Return the runs and skips that match the search, newest first."""
        shown = self.selection.entries
        if not shown:
            return [line(self._nothing_words, Tone.DIM)]
        return _EntryLines(shown, self.now, self._columns_in(width))

    @property
    def _nothing_words(self) -> str:
        if not self.search:
            return "No runs yet."
        return "Nothing matches." if self.earlier.found_all else "Searching the stored history…"

    def _columns_in(self, width: int) -> HistoryColumns:
        shown, now = self.selection.entries, self.now
        last = self._columns
        if last is None or last[0] is not shown or last[1:3] != (now, width):
            last = self._columns = (shown, now, width, columns_for(shown, now, width))
        return last[3]

    def chart(self, width: int, height: int) -> list[Line]:
        """Return the chart of durations."""
        if not self.selection.runs:
            return [line("No run has ended yet.", Tone.DIM)]
        return chart_lines(self.selection.runs, width, height, self.selection.key)

    def run(self, width: int) -> list[Line]:
        """Return everything about the selected run."""
        entry, failure = self.selection.entry, self.selection.failure
        complete = not self.earlier.may_hold_more(entry)
        return run_lines(entry, self.details, self.now, width, failure, complete=complete)

    def borders(self) -> dict[str, Border]:
        """Return the titles of the frames, by the ids of the parts."""
        total, matching = self.selection.total, self.selection.shown
        count = f"{total:,}{'' if self.earlier.complete else '+'}"
        if self.search:
            count = f"{matching:,}{'' if self.earlier.found_all else '+'} of {count}"
        shown = self.selection.entries
        if shown and is_elsewhere(self.details.zone, self.now, when_of(shown[0]), when_of(shown[-1])):
            count += " · local time"  # due times are in the zone of the schedule
        searched = f"/{shorten_end(harmless(self.search), 20)} · esc shows all" if self.search else ""
        return {
            "facts": Border("About"),
            "due": Border(due_title(self.details)),
            "history": Border(f"History {count}", searched),
            "durations": Border("Durations", chart_words(self.selection.runs)),
            "run": Border(run_title(self.selection.entry)),
        }

    def copy(self, part: str, index: int) -> str:
        """Return the text to copy: a due time, a run with its output, or the facts about the task.

        Args:
            part: The focused part.
            index: The index of the selected due time.
        """
        if part == "due" and self.details.due_times:
            due = due_times(self.details.due_times, self.details.zone, self.now)
            return due_copy(due[min(index, len(due) - 1)])
        entry = self.selection.entry
        if part in ("history", "durations", "run") and entry is not None:
            return run_copy(entry, self.details, self.now)
        fact_texts = [line_text(each) for each in self.facts(_COPIED_WIDTH)]
        return "\n".join([self.details.task.name, self.details.explanation, *fact_texts])


class _EntryLines(Sequence[Line]):
    """The rows of a history, each made when it is first shown: there may be thousands."""

    def __init__(self, shown: tuple[HistoryEntry, ...], now: float, columns: HistoryColumns) -> None:
        self._entries = shown
        self._now = now
        self._columns = columns
        self._made: dict[int, Line] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...

    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if index not in self._made:
            self._made[index] = entry_line(self._entries[index], self._now, self._columns)
        return self._made[index]
