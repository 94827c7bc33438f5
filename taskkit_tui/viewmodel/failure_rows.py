"""Lists the last failures of all tasks, newest first: those of this session, and the stored ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from taskkit import Outcome, OutcomeKind, RunFinished
from taskkit.words.outcomes import kind_words
from taskkit.words.times import exact_time, row_time
from taskkit_tui.formatting import fit, harmless, shorten, shorten_end
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.text_lines import Line, Piece

if TYPE_CHECKING:
    from taskkit.store import StoredRun, StoredSkip

MOST_REMEMBERED: Final = 200
_MOST_TEXT: Final = 8_000
"""The most characters of a run's traceback or output that are remembered; the last ones."""
_LEAST_ERROR: Final = 16
"""The least cells for the error; the name gets less space first."""
_MOST_NAME: Final = 32


@dataclass(frozen=True, slots=True)
class PastFailure:
    """One run that failed."""

    name: str
    """The task's name."""
    run: int
    """The number of the run, unique within one session of the scheduler."""
    attempt: int
    at: float
    """When it ended, in epoch seconds."""
    words: str
    """The error, on one line."""
    text: str
    """Its traceback; without one, its last lines of output."""
    has_traceback: bool
    stored: int | None = None
    """Its id in the store; `None` for one of this session."""

    @property
    def key(self) -> tuple[str, int, int, float]:
        """Its identity, stored or not."""
        return self.name, self.run, self.attempt, self.at

    @classmethod
    def of(cls, name: str, outcome: Outcome, stored: int | None = None) -> PastFailure:
        """Make a failure from an outcome."""
        words = outcome.exception or kind_words(outcome.kind)
        if outcome.exception and outcome.kind is not OutcomeKind.FAILED:
            words = f"{kind_words(outcome.kind)}: {words}"
        text = outcome.traceback or "\n".join((words, *outcome.output))
        return cls(
            name,
            outcome.run,
            outcome.attempt,
            outcome.finished,
            shorten_end(harmless(words), 300),
            text[-_MOST_TEXT:],
            outcome.traceback is not None,
            stored,
        )


class Failures:
    """The last failures of this session, which can be merged with stored ones. For the app's thread only."""

    def __init__(self) -> None:
        self._recent: deque[PastFailure] = deque(maxlen=MOST_REMEMBERED)
        self.count = 0
        """The number of failures in this session."""

    def add(self, failures: Iterable[RunFinished]) -> None:
        """Add new failures."""
        for event in failures:
            self._recent.append(PastFailure.of(event.name, event.outcome))
            self.count += 1

    def with_stored(self, stored: Sequence[PastFailure]) -> list[PastFailure]:
        """Return all failures, newest first, each once."""
        every = {each.key: each for each in (*stored, *self._recent)}
        return sorted(every.values(), key=lambda each: each.at, reverse=True)


def stored_failures(rows: Iterable[StoredRun | StoredSkip]) -> list[PastFailure]:
    """Return the failures among the rows of a store."""
    from taskkit.store import StoredRun  # a caller with such rows has loaded it

    return [PastFailure.of(row.name, row.outcome, row.id) for row in rows if isinstance(row, StoredRun)]


@dataclass(frozen=True, slots=True)
class FailureColumns:
    """The widths of the columns in cells."""

    when: int
    name: int
    words: int


def failure_columns(failures: Sequence[PastFailure], now: float, width: int) -> FailureColumns:
    """Lay out the columns of some failures in `width` cells."""
    when = max((len(row_time(each.at, now)) for each in failures), default=8)
    longest = max((cell_len(harmless(each.name)) for each in failures), default=4)
    name = max(4, min(longest, _MOST_NAME, width - when - 6 - _LEAST_ERROR))
    return FailureColumns(when, name, max(0, width - when - name - 6))


def failure_titles(columns: FailureColumns) -> Line:
    """Return the line of column titles."""
    return (Piece(f"  {'WHEN':<{columns.when}}  {'TASK':<{columns.name}}  ERROR", Tone.DIM),)


def failure_line(failure: PastFailure, model: TaskModel, now: float, columns: FailureColumns) -> Line:
    """Return one row: a glyph for the task's present state, the time, its name, and the error."""
    row = model.named(failure.name)
    if row is None:
        glyph, tone = "–", Tone.DIM
    else:
        glyph, tone = ("✗", Tone.BAD) if row.failing else ("✓", Tone.GOOD)
    return (
        Piece(f"{glyph} ", tone),
        Piece(fit(row_time(failure.at, now), columns.when), Tone.DIM),
        Piece("  " + fit(shorten(harmless(failure.name), columns.name), columns.name), Tone.PLAIN),
        Piece("  " + shorten_end(failure.words, columns.words), Tone.PLAIN),
    )


def failure_copy(failure: PastFailure) -> str:
    """Return the text that is copied for a failure."""
    return f"{exact_time(failure.at)}  {failure.name}  {failure.words}\n{failure.text}"


FailureQuery = Callable[[int | None, Callable[[], bool]], Sequence[PastFailure]]
"""Returns a page of the stored failures before the one with that id, newest first. Call it on any thread. It
may take long, and gives up once the second argument returns False."""
