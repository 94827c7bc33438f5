"""What each part of the details screen says: from how a task stands, and what is selected, to lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, overload

from taskkit import RunSnapshot, TaskDetails
from taskkit_tui.formatting import harmless, shorten_end
from taskkit_tui.viewmodel.details_due import due_copy, due_lines, due_title
from taskkit_tui.viewmodel.details_facts import fact_lines, facts
from taskkit_tui.viewmodel.details_head import explanation_lines, headline
from taskkit_tui.viewmodel.duration_chart import chart_lines, chart_words
from taskkit_tui.viewmodel.history_rows import (
    Entry,
    HistoryColumns,
    columns_for,
    entries,
    entry_line,
    title_line,
    when_of,
)
from taskkit_tui.viewmodel.moments import due_times, is_elsewhere
from taskkit_tui.viewmodel.pieces import Tone
from taskkit_tui.viewmodel.run_text import run_copy, run_lines, run_title
from taskkit_tui.viewmodel.selection import Selection
from taskkit_tui.viewmodel.stored_history import Earlier
from taskkit_tui.viewmodel.text_lines import BLANK, Line, line, line_text

_COPIED_WIDTH: Final = 100


class Border(NamedTuple):
    """What stands in the frame of a part, above and below."""

    title: str
    subtitle: str = ""


class DetailsParts:
    """A task as it was last looked at. Lines are made for a width in cells.

    Args:
        details: How the task stands.
        now: The present instant, in epoch seconds.
        source: Who registered it; see `facts`.
        stored: Whether somebody is asked what is stored of its past.
    """

    def __init__(self, details: TaskDetails, now: float, source: str = "", *, stored: bool = False) -> None:
        self.details = details
        self.now = now
        """When the task was last there."""
        self.gone = False
        """Whether it is no more; all is told as it last was."""
        self.search = ""
        """What the history is searched for."""
        self.earlier = Earlier(asked=stored)
        """What is stored of the task's past, as far as it was asked for."""
        self.selection = Selection(self.earlier)
        """The history, and what is selected of it."""
        self._clock = now
        self._source = source
        self._columns: tuple[tuple[Entry, ...], float, int, HistoryColumns] | None = None

    def look(self, details: TaskDetails | None, now: float) -> None:
        """Take in how the task stands; `None` for one that is gone."""
        self._clock = now
        self.gone = details is None
        if details is not None:
            self.details, self.now = details, now
            self.earlier.notice(entries(details))
        self.select()

    def select(self) -> None:
        """Look through the history again, because the search has changed."""
        self.selection.look(self.details, self.search, self.now)

    @property
    def run_goes_on(self) -> bool:
        """Whether the selected run has not ended."""
        return isinstance(self.selection.entry, RunSnapshot)

    def head(self, width: int) -> list[Line]:
        """The line above all."""
        return [headline(self.details, self._clock, width, gone=self.gone)]

    def why(self, width: int) -> list[Line]:
        """Why it does not run now."""
        return explanation_lines(self.details, width, gone=self.gone)

    def facts(self, width: int) -> list[Line]:
        """What is told about the task itself."""
        return fact_lines(facts(self.details, self._source), width)

    def due(self, width: int) -> list[Line]:
        """When it will run."""
        return due_lines(self.details, self.now, width)

    def history_titles(self, width: int) -> Line:
        """What stands above the columns of the history."""
        return title_line(self._columns_in(width)) if self.selection.entries else BLANK

    def history(self, width: int) -> Sequence[Line]:
        """The runs and skips that pass the search, newest first."""
        told = self.selection.entries
        if not told:
            return [line(self._nothing_words, Tone.DIM)]
        return _EntryLines(told, self.now, self._columns_in(width))

    @property
    def _nothing_words(self) -> str:
        if not self.search:
            return "It has never run."
        return "Nothing matches." if self.earlier.found_all else "Looking through all that is stored…"

    def _columns_in(self, width: int) -> HistoryColumns:
        told, now = self.selection.entries, self.now
        last = self._columns
        if last is None or last[0] is not told or last[1:3] != (now, width):
            last = self._columns = (told, now, width, columns_for(told, now, width))
        return last[3]

    def chart(self, width: int, height: int) -> list[Line]:
        """How long the runs took."""
        if not self.selection.runs:
            return [line("No run has ended yet.", Tone.DIM)]
        return chart_lines(self.selection.runs, width, height, self.selection.key)

    def run(self, width: int) -> list[Line]:
        """All there is to read of the selected run."""
        entry, failure = self.selection.entry, self.selection.failure
        complete = not self.earlier.may_hold_more(entry)
        return run_lines(entry, self.details, self.now, width, failure, complete=complete)

    def borders(self) -> dict[str, Border]:
        """What stands in the frames, by the names of the parts."""
        total, shown = self.selection.total, self.selection.shown
        count = f"{total:,}{'' if self.earlier.complete else '+'}"
        if self.search:
            count = f"{shown:,}{'' if self.earlier.found_all else '+'} of {count}"
        told = self.selection.entries
        if told and is_elsewhere(self.details.zone, self.now, when_of(told[0]), when_of(told[-1])):
            count += " · local time"  # due times are told in the zone of the schedule
        searched = f"/{shorten_end(harmless(self.search), 20)} · esc shows all" if self.search else ""
        return {
            "facts": Border("About"),
            "due": Border(due_title(self.details)),
            "history": Border(f"History {count}", searched),
            "durations": Border("Durations", chart_words(self.selection.runs)),
            "run": Border(run_title(self.selection.entry)),
        }

    def copy(self, part: str, index: int) -> str:
        """What copying gives: a due time, a run with all it left, or what is told about the task.

        Args:
            part: The part that has the focus.
            index: Of the due time that is selected.
        """
        if part == "due" and self.details.due_times:
            due = due_times(self.details.due_times, self.details.zone, self.now)
            return due_copy(due[min(index, len(due) - 1)])
        entry = self.selection.entry
        if part in ("history", "durations", "run") and entry is not None:
            return run_copy(entry, self.details, self.now)
        told = [line_text(each) for each in self.facts(_COPIED_WIDTH)]
        return "\n".join([self.details.task.name, self.details.explanation, *told])


class _EntryLines(Sequence[Line]):
    """The rows of a history, each made when it is seen: there may be thousands."""

    def __init__(self, told: tuple[Entry, ...], now: float, columns: HistoryColumns) -> None:
        self._told = told
        self._now = now
        self._columns = columns
        self._made: dict[int, Line] = {}

    def __len__(self) -> int:
        return len(self._told)

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...

    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if index not in self._made:
            self._made[index] = entry_line(self._told[index], self._now, self._columns)
        return self._made[index]
