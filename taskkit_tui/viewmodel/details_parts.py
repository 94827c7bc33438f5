"""What each part of the details screen says: from how a task stands, and what is selected, to lines."""

from __future__ import annotations

from typing import Final, NamedTuple

from taskkit import RunSnapshot, TaskDetails
from taskkit_tui.formatting import harmless, shorten_end
from taskkit_tui.viewmodel.cell import Tone
from taskkit_tui.viewmodel.details import (
    due_copy,
    due_lines,
    due_title,
    explanation_lines,
    fact_lines,
    facts,
    headline,
)
from taskkit_tui.viewmodel.durations import chart_lines, chart_words, charted
from taskkit_tui.viewmodel.history import columns_for, entry_line, title_line
from taskkit_tui.viewmodel.lines import BLANK, Line, line, line_text
from taskkit_tui.viewmodel.moments import due_times
from taskkit_tui.viewmodel.run_text import run_copy, run_lines, run_title
from taskkit_tui.viewmodel.selection import Selection

PARTS: Final = ("facts", "due", "history", "durations", "run")
"""The names of the parts, in the order of `tab`."""

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
    """

    def __init__(self, details: TaskDetails, now: float) -> None:
        self.details = details
        self.now = now
        """When the task was last there."""
        self.gone = False
        """Whether it is no more; all is told as it last was."""
        self.search = ""
        """What the history is searched for."""
        self.selection = Selection()
        """The history, and what is selected of it."""
        self._clock = now

    def look(self, details: TaskDetails | None, now: float) -> None:
        """Take in how the task stands; `None` for one that is gone."""
        self._clock = now
        self.gone = details is None
        if details is not None:
            self.details, self.now = details, now
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
        return fact_lines(facts(self.details), width)

    def due(self, width: int) -> list[Line]:
        """When it will run."""
        return due_lines(self.details, self.now, width)

    def history_titles(self, width: int) -> Line:
        """What stands above the columns of the history."""
        told = self.selection.entries
        return title_line(columns_for(told, self.now, width)) if told else BLANK

    def history(self, width: int) -> list[Line]:
        """The runs and skips that pass the search, newest first."""
        told = self.selection.entries
        if not told:
            return [line("Nothing matches." if self.search else "It has never run.", Tone.DIM)]
        columns = columns_for(told, self.now, width)
        return [entry_line(entry, self.now, columns) for entry in told]

    def chart(self, width: int, height: int) -> list[Line]:
        """How long the runs took."""
        runs = charted(self.details)
        if not runs:
            return [line("No run has ended yet.", Tone.DIM)]
        return chart_lines(runs, width, height, self.selection.key)

    def run(self, width: int) -> list[Line]:
        """All there is to read of the selected run."""
        return run_lines(self.selection.entry, self.details, self.now, width)

    def borders(self) -> dict[str, Border]:
        """What stands in the frames, by the names of the parts."""
        total, shown = self.selection.total, len(self.selection.entries)
        count = f"{shown}" if shown == total else f"{shown} of {total}"
        searched = f"/{shorten_end(harmless(self.search), 20)} · esc shows all" if self.search else ""
        return {
            "facts": Border("About"),
            "due": Border(due_title(self.details)),
            "history": Border(f"History {count}", searched),
            "durations": Border("Durations", chart_words(charted(self.details))),
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
