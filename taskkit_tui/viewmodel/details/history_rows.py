"""Builds the rows of a task's history: runs, skips and restarts, newest first."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from rich.cells import cell_len

from taskkit import Outcome, OutcomeKind, RunSnapshot, Skip, TaskDetails
from taskkit.words.durations import clock_span, duration
from taskkit.words.outcomes import kind_words, late_words, skip_words, trigger_words
from taskkit.words.times import exact_time, is_within_a_year, local_time, row_time
from taskkit_tui.formatting import fit, fit_right, harmless, shorten_end
from taskkit_tui.tones import Tone, lateness_tone, outcome_glyph, run_glyph
from taskkit_tui.viewmodel.text_lines import Line, Piece


@dataclass(frozen=True, slots=True)
class Restart:
    """The end of one process and the start of the next, between two runs."""

    session: int
    """The number of the new session; it grows."""
    times: int
    """The number of sessions that began since the older entry."""
    before: float
    """The last known time of the session before, in epoch seconds."""
    after: float
    """The first known time of the new session, in epoch seconds."""


HistoryEntry: TypeAlias = RunSnapshot | Outcome | Skip | Restart
"""One row: a run in progress, a run that ended, skipped due times, or a restart."""

EntryKey: TypeAlias = tuple[str, float]
"""The identity of an entry from one update to the next."""

_LEAST_OUTCOME: Final = 24
"""The least cells for the outcome; below that, another column is dropped."""
_LEAST_FOR_WEEKDAY: Final = 60
"""The least cells of a row for showing the weekday; below that it would cost a column."""


def entries(details: TaskDetails) -> tuple[HistoryEntry, ...]:
    """Return all remembered entries, newest first, beginning with a run in progress."""
    past = tuple(reversed(details.history))
    return past if details.task.run is None else (details.task.run, *past)


def key_of(entry: HistoryEntry) -> EntryKey:
    """Return the identity of an entry: a run keeps it when it ends, a skip while it grows."""
    match entry:
        case RunSnapshot():
            return f"run {entry.number}/{entry.attempt}", entry.due
        case Outcome():
            return f"run {entry.run}/{entry.attempt}", entry.due  # after a restart numbers start again
        case Skip():
            return entry.reason, entry.first_due
        case Restart():
            return "restart", entry.session


def glyph_of(entry: HistoryEntry) -> tuple[str, Tone]:
    """Return the glyph of an entry, with its tone."""
    match entry:
        case RunSnapshot():
            return run_glyph(entry)
        case Outcome():
            return outcome_glyph(entry.kind)
        case Skip() | Restart():
            return "·", Tone.DIM


def when_of(entry: HistoryEntry) -> float:
    """Return the time in an entry's row, in epoch seconds."""
    match entry:
        case RunSnapshot():
            return entry.due if entry.started is None else entry.started
        case Outcome():
            return entry.finished if entry.started is None else entry.started
        case Skip():
            return entry.last_due
        case Restart():
            return entry.after


def _result_words(entry: Outcome, now: float) -> tuple[str, Tone]:
    """Return the words of an outcome beside its kind: error, result, or last sign of life."""
    if entry.kind is OutcomeKind.INTERRUPTED:
        return f"last seen {row_time(entry.finished, now)}", Tone.DIM
    if entry.exception:
        return harmless(entry.exception), Tone.PLAIN
    if entry.result is not None:
        return f"→ {harmless(str(entry.result))}", Tone.DIM
    return "", Tone.DIM


def skipped_words(skip: Skip) -> str:
    """Return how many due times were skipped, and why."""
    return f"{skip.count:,} skipped · {skip_words(skip.reason)}{late_words(skip.late_by, skip.count)}"


def restart_words(restart: Restart, now: float) -> str:
    """Return the words of a restart: `restarted before 14:03`."""
    often = "" if restart.times == 1 else f" {restart.times:,} times"
    return f"restarted{often} before {row_time(restart.after, now).strip()}"


def entry_words(entry: HistoryEntry, now: float) -> str:
    """Return everything about an entry on one line, for copying."""
    when = exact_time(when_of(entry))
    match entry:
        case RunSnapshot():
            begin = "waiting" if entry.started is None else f"running {clock_span(now - entry.started)}"
            return f"{when}  {trigger_words(entry.trigger, entry.attempt)}  {begin}"
        case Outcome():
            words, _ = _result_words(entry, now)
            return (
                f"{when}  {trigger_words(entry.trigger, entry.attempt)}  late {duration(entry.lateness)}  "
                f"took {_took(entry)}  {kind_words(entry.kind)}  {words}".rstrip()
            )
        case Skip():
            return f"{when}  {skipped_words(entry)}"
        case Restart():
            return f"{when}  {restart_words(entry, now)}"


@dataclass(frozen=True, slots=True)
class HistoryColumns:
    """The widths of the columns in cells; 0 for a dropped one."""

    when: int
    trigger: int
    late: int
    took: int
    outcome: int
    weekday: bool
    """True if times include the weekday."""


def columns_for(shown: tuple[HistoryEntry, ...], now: float, width: int) -> HistoryColumns:
    """Lay out the columns in `width` cells: LATE is dropped first, then TRIGGER, then TOOK."""
    weekday = width >= _LEAST_FOR_WEEKDAY
    when = _widest_moment(shown, now, weekday=weekday)
    trigger, late, took = 9, 8, 9
    for gone in (None, "late", "trigger", "took"):
        late = 0 if gone == "late" else late
        trigger = 0 if gone == "trigger" else trigger
        took = 0 if gone == "took" else took
        used = 2 + when + sum(2 + each for each in (trigger, late, took) if each)
        outcome = width - used - 2
        if outcome >= _LEAST_OUTCOME or (gone == "trigger" and outcome >= 10):
            break
    return HistoryColumns(when, trigger, late, took, max(0, outcome), weekday)


def _widest_moment(shown: tuple[HistoryEntry, ...], now: float, *, weekday: bool) -> int:
    """Return the cells that the times of some entries need. Times of the same day are equally wide."""
    today = local_time(now)
    if today is None:
        return max((len(row_time(when_of(entry), now, weekday=weekday)) for entry in shown), default=8)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    limits = [each.timestamp() for each in (midnight, midnight + timedelta(days=1))]
    samples = {(bisect(limits, when := when_of(entry)), is_within_a_year(when, now)): when for entry in shown}
    return max((len(row_time(when, now, weekday=weekday)) for when in samples.values()), default=8)


def title_line(columns: HistoryColumns) -> Line:
    """Return the line of column titles."""
    words = f"  {'WHEN':<{columns.when}}"
    if columns.trigger:
        words += f"  {'TRIGGER':<{columns.trigger}}"
    if columns.late:
        words += f"  {'LATE':>{columns.late}}"
    if columns.took:
        words += f"  {'TOOK':>{columns.took}}"
    if columns.outcome >= 7:
        words += "  OUTCOME"
    return (Piece(words, Tone.DIM),)


def entry_line(entry: HistoryEntry, now: float, columns: HistoryColumns) -> Line:
    """Return one row of the table."""
    if isinstance(entry, Restart):
        return _restart_line(entry, now, columns)
    glyph, tone = glyph_of(entry)
    begin = (
        Piece(f"{glyph} ", tone),
        Piece(
            fit(row_time(when_of(entry), now, weekday=columns.weekday), columns.when),
            Tone.DIM if isinstance(entry, Skip) else Tone.PLAIN,
        ),
    )
    if isinstance(entry, Skip):
        room = sum(2 + each for each in (columns.trigger, columns.late, columns.took) if each)
        return (*begin, Piece("  " + shorten_end(skipped_words(entry), room + columns.outcome), Tone.DIM))
    cells = [*begin]
    if columns.trigger:
        cells.append(
            Piece("  " + fit(trigger_words(entry.trigger, entry.attempt), columns.trigger), Tone.DIM)
        )
    if isinstance(entry, RunSnapshot):
        return (*cells, *_running_cells(entry, now, columns))
    if columns.late:
        late = fit_right(duration(entry.lateness), columns.late)
        cells.append(Piece(f"  {late}", lateness_tone(entry.lateness)))
    if columns.took:
        cells.append(Piece("  " + fit_right(_took(entry), columns.took), Tone.PLAIN))
    return (*cells, *_outcome_cells(entry, now, columns.outcome))


def _restart_line(restart: Restart, now: float, columns: HistoryColumns) -> Line:
    width = 2 + columns.when + 2 + columns.outcome
    width += sum(2 + each for each in (columns.trigger, columns.late, columns.took) if each)
    words = shorten_end(restart_words(restart, now), max(0, width - 6))
    left = (width - 2 - cell_len(words)) // 2
    rules = "─" * max(0, left), "─" * max(0, width - 2 - cell_len(words) - left)
    return Piece(rules[0], Tone.FAINT), Piece(f" {words} ", Tone.DIM), Piece(rules[1], Tone.FAINT)


def _took(entry: Outcome) -> str:
    unknown = entry.started is None or entry.kind is OutcomeKind.INTERRUPTED
    return "–" if unknown else duration(entry.duration)


def _running_cells(entry: RunSnapshot, now: float, columns: HistoryColumns) -> Line:
    cells = []
    if columns.late:
        late = "–" if entry.started is None else duration(max(0.0, entry.started - entry.due))
        cells.append(Piece("  " + fit_right(late, columns.late), Tone.DIM))
    if columns.took:
        spent = "–" if entry.started is None else clock_span(now - entry.started)
        cells.append(Piece("  " + fit_right(spent, columns.took), Tone.BUSY))
    if entry.started is None:
        words = "waits to begin"
    elif entry.asked_to_stop is not None:
        words = "stopping"
    else:
        words = "running"
    tone = Tone.BUSY if words == "running" else Tone.SOON
    return (*cells, Piece("  " + shorten_end(words, columns.outcome), tone))


def _outcome_cells(entry: Outcome, now: float, width: int) -> Line:
    _, tone = glyph_of(entry)
    kind = shorten_end(kind_words(entry.kind), width)
    words, words_tone = _result_words(entry, now)
    left = width - cell_len(kind) - 2
    if tone is Tone.GOOD and words and cell_len(words) > left:
        return (Piece("  " + shorten_end(words, width), words_tone),)  # its glyph says that it succeeded
    cells = [Piece(f"  {kind}", Tone.DIM if tone is Tone.GOOD else tone)]
    if words and left >= 4:
        cells.append(Piece("  " + shorten_end(words, left), words_tone))
    return tuple(cells)
