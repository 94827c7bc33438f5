"""The runs and skips of a task as rows, newest first: what each says."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from rich.cells import cell_len

from taskkit import Outcome, OutcomeKind, RunSnapshot, Skip, SkipReason, TaskDetails, Trigger
from taskkit.local_times import local_time
from taskkit.words import kind_words
from taskkit_tui.formatting import clock_span, duration, fit, fit_right, harmless, shorten_end
from taskkit_tui.viewmodel.moments import exact_moment, moment
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.text_lines import Line


@dataclass(frozen=True, slots=True)
class Restart:
    """Between two runs the process ended, and another one went on."""

    session: int
    """The life that began, a number that grows."""
    times: int
    """How many lives began meanwhile."""
    before: float
    """When the last thing was that is known of the life before, in epoch seconds."""
    after: float
    """When the first thing was that is known of the new life, in epoch seconds."""


Entry: TypeAlias = RunSnapshot | Outcome | Skip | Restart
"""One row: a run that goes on, a run that ended, due times that passed, or a restart."""

Key: TypeAlias = tuple[str, float]
"""What identifies an entry from one look to the next."""

SKIP_WORDS: Final = {
    SkipReason.OVERLAP: "overlap: the run before was still going on",
    SkipReason.DISABLED: "it was disabled",
    SkipReason.MISSED: "missed: nobody was there to start it",
    SkipReason.PAUSED: "the scheduler was paused",
    SkipReason.REPLACED: "replaced: a run of its former registration was still going on",
}
"""Why due times passed without a run."""

LATE: Final = 1.0
"""Seconds from which a lateness is worth an eye."""

_MARKS: Final = {
    OutcomeKind.SUCCEEDED: ("✓", Tone.GOOD),
    OutcomeKind.STOPPED: ("■", Tone.SOON),
    OutcomeKind.INTERRUPTED: ("⊘", Tone.BAD),
}
_LEAST_OUTCOME: Final = 24
"""Cells for the outcome below which another column gives way."""
_LEAST_FOR_WEEKDAY: Final = 60
"""Cells of a row below which the weekday would cost a column, or half of the outcome."""


def entries(details: TaskDetails) -> tuple[Entry, ...]:
    """All there is of a task's past, newest first; a run that goes on comes before all."""
    past = tuple(reversed(details.history))
    return past if details.task.run is None else (details.task.run, *past)


def key_of(entry: Entry) -> Key:
    """What identifies an entry: a run keeps its key when it ends, a skip while it grows."""
    match entry:
        case RunSnapshot():
            return f"run {entry.number}/{entry.attempt}", entry.due
        case Outcome():
            return f"run {entry.run}/{entry.attempt}", entry.due  # after a restart numbers begin anew
        case Skip():
            return entry.reason, entry.first_due
        case Restart():
            return "restart", entry.session


def trigger_words(trigger: Trigger, attempt: int) -> str:
    """What made a run start, for a person."""
    if trigger is Trigger.RETRY or attempt > 1:
        return f"try {attempt}"
    return {Trigger.SCHEDULE: "schedule", Trigger.DEMAND: "demand", Trigger.RUN_NOW: "by hand"}[trigger]


def mark_of(entry: Entry) -> tuple[str, Tone]:
    """A glyph for how an entry went."""
    match entry:
        case RunSnapshot():
            return ("◌", Tone.SOON) if entry.started is None else ("▶", Tone.BUSY)
        case Outcome():
            return _MARKS.get(entry.kind, ("✗", Tone.BAD))
        case Skip() | Restart():
            return "·", Tone.DIM


def when_of(entry: Entry) -> float:
    """The instant that stands in an entry's row, in epoch seconds."""
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
    """What an outcome says beside its kind."""
    if entry.kind is OutcomeKind.INTERRUPTED:
        return f"last seen {moment(entry.finished, now)}", Tone.DIM
    if entry.exception:
        return harmless(entry.exception), Tone.PLAIN
    if entry.result is not None:
        return f"→ {harmless(str(entry.result))}", Tone.DIM
    return "", Tone.DIM


def skip_words(skip: Skip) -> str:
    """How many due times passed, and why."""
    return f"{skip.count:,} skipped · {SKIP_WORDS[skip.reason]}"


def restart_words(restart: Restart, now: float) -> str:
    """That there was a restart, and by when."""
    often = "" if restart.times == 1 else f" {restart.times:,} times"
    return f"restarted{often} before {moment(restart.after, now).strip()}"


def entry_words(entry: Entry, now: float) -> str:
    """All that an entry says, on one line, as one would copy it."""
    when = exact_moment(when_of(entry))
    match entry:
        case RunSnapshot():
            begin = "waits" if entry.started is None else f"running {clock_span(now - entry.started)}"
            return f"{when}  {trigger_words(entry.trigger, entry.attempt)}  {begin}"
        case Outcome():
            words, _ = _result_words(entry, now)
            return (
                f"{when}  {trigger_words(entry.trigger, entry.attempt)}  late {duration(entry.lateness)}  "
                f"took {_took(entry)}  {kind_words(entry.kind)}  {words}".rstrip()
            )
        case Skip():
            return f"{when}  {skip_words(entry)}"
        case Restart():
            return f"{when}  {restart_words(entry, now)}"


@dataclass(frozen=True, slots=True)
class HistoryColumns:
    """How wide the columns are; 0 for one that is left out."""

    when: int
    trigger: int
    late: int
    took: int
    outcome: int
    weekday: bool
    """Whether moments tell it."""


def columns_for(told: tuple[Entry, ...], now: float, width: int) -> HistoryColumns:
    """The columns of some entries in `width` cells: LATE goes first, then TRIGGER, then TOOK."""
    weekday = width >= _LEAST_FOR_WEEKDAY
    when = _widest_moment(told, now, weekday=weekday)
    trigger, late, took = 8, 8, 9
    for gone in (None, "late", "trigger", "took"):
        late = 0 if gone == "late" else late
        trigger = 0 if gone == "trigger" else trigger
        took = 0 if gone == "took" else took
        used = 2 + when + sum(2 + each for each in (trigger, late, took) if each)
        outcome = width - used - 2
        if outcome >= _LEAST_OUTCOME or (gone == "trigger" and outcome >= 10):
            break
    return HistoryColumns(when, trigger, late, took, max(0, outcome), weekday)


def _widest_moment(told: tuple[Entry, ...], now: float, *, weekday: bool) -> int:
    """The cells that the moments of some entries need: those of one day, or of one year, are all as wide."""
    today = local_time(now)
    if today is None:
        return max((len(moment(when_of(entry), now, weekday=weekday)) for entry in told), default=8)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    new_year = midnight.replace(month=1, day=1)
    limits = [each.timestamp() for each in (new_year, midnight, midnight + timedelta(days=1))]
    samples = {bisect(limits, when := when_of(entry)): when for entry in told}
    return max((len(moment(when, now, weekday=weekday)) for when in samples.values()), default=8)


def title_line(columns: HistoryColumns) -> Line:
    """What stands above the columns."""
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


def entry_line(entry: Entry, now: float, columns: HistoryColumns) -> Line:
    """One row of the table."""
    if isinstance(entry, Restart):
        return _restart_line(entry, now, columns)
    glyph, tone = mark_of(entry)
    begin = (
        Piece(f"{glyph} ", tone),
        Piece(
            fit(moment(when_of(entry), now, weekday=columns.weekday), columns.when),
            Tone.DIM if isinstance(entry, Skip) else Tone.PLAIN,
        ),
    )
    if isinstance(entry, Skip):
        room = sum(2 + each for each in (columns.trigger, columns.late, columns.took) if each)
        return (*begin, Piece("  " + shorten_end(skip_words(entry), room + columns.outcome), Tone.DIM))
    cells = [*begin]
    if columns.trigger:
        cells.append(
            Piece("  " + fit(trigger_words(entry.trigger, entry.attempt), columns.trigger), Tone.DIM)
        )
    if isinstance(entry, RunSnapshot):
        return (*cells, *_running_cells(entry, now, columns))
    if columns.late:
        late = Tone.SOON if entry.lateness >= LATE else Tone.DIM
        cells.append(Piece("  " + fit_right(duration(entry.lateness), columns.late), late))
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
        words = "waits for a thread"
    elif entry.asked_to_stop is not None:
        words = "stopping"
    else:
        words = "running"
    tone = Tone.BUSY if words == "running" else Tone.SOON
    return (*cells, Piece("  " + shorten_end(words, columns.outcome), tone))


def _outcome_cells(entry: Outcome, now: float, width: int) -> Line:
    _, tone = mark_of(entry)
    kind = shorten_end(kind_words(entry.kind), width)
    words, words_tone = _result_words(entry, now)
    left = width - cell_len(kind) - 2
    if tone is Tone.GOOD and words and cell_len(words) > left:
        return (Piece("  " + shorten_end(words, width), words_tone),)  # that it succeeded, its mark says
    cells = [Piece(f"  {kind}", Tone.DIM if tone is Tone.GOOD else tone)]
    if words and left >= 4:
        cells.append(Piece("  " + shorten_end(words, left), words_tone))
    return tuple(cells)
