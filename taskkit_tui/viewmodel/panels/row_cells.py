"""Makes the cells of a row: functions of a row, a time in epoch seconds, and a width.

A colour is never the only sign: a glyph, a word or a position says the same.
"""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from taskkit import OutcomeKind, PastRun, SkipReason, TaskSnapshot
from taskkit.outcome import FAILURES
from taskkit.words.durations import ago, brief_ago, coarse, countdown, duration
from taskkit.words.outcomes import kind_words
from taskkit.words.times import clock_time, near_time, since_words
from taskkit_tui.formatting import harmless, longest_fitting, shorten, shorten_end
from taskkit_tui.tones import Tone, countdown_tone, outcome_glyph
from taskkit_tui.viewmodel.panels.schedule_cells import schedule_cells as words_cells
from taskkit_tui.viewmodel.panels.schedule_cells import schedule_words
from taskkit_tui.viewmodel.row import TaskRow, usual_duration
from taskkit_tui.viewmodel.text_lines import EMPTY, Cell, Piece, cell

_LEAST_AGO: Final = 12
"""The least cells for the longest `59 min ago`."""

_MANY_OVERLAPPED: Final = 2
"""Due times skipped during one run, from which on the row says so."""

_LONGEST_OUTCOME: Final = len("✗ timed out")
_LONGEST_SKIPPED: Final = len("· skipped 1,234")

_BARS: Final = "▁▂▃▄▅▆▇█"


def name(row: TaskRow, _now: float, width: int) -> Cell:
    """Return the name, shortened in the middle."""
    quiet = row.task.disabled or row.task.unregistered
    return cell(shorten(row.shown_name, width), Tone.DIM if quiet else Tone.PLAIN)


def name_cells(row: TaskRow) -> int:
    """Return the cells that `name` can use; at least one, because its column always stays."""
    shown = row.shown_name
    if shown.isascii() and shown.isprintable():  # nearly always true, and ten times as fast
        return max(1, len(shown))
    return max(1, cell_len(shown))


def status(row: TaskRow, _now: float, _width: int) -> Cell:
    """Return the glyph of a scheduled task."""
    if row.task.disabled:
        return cell("∥", Tone.DIM)
    if row.failing:
        return cell("●", Tone.BAD)
    if row.recovered:
        return cell("●", Tone.SOON)
    if row.last is None:
        return cell("◌", Tone.GOOD)
    return cell("●", Tone.GOOD)


def schedule(row: TaskRow, _now: float, width: int) -> Cell:
    """Return the schedule in words, with `≠` if a person changed it, or an arrow for a changed period."""
    sign = _sign(row)
    if not sign:
        return cell(schedule_words(row.task.schedule, width), Tone.DIM)
    return cell(f"{schedule_words(row.task.schedule, width - 2)} {sign}", Tone.CHANGED)


def schedule_cells(row: TaskRow) -> int:
    """Return the cells that `schedule` can use."""
    return words_cells(row.task.schedule) + (2 if _sign(row) else 0)


def _sign(row: TaskRow) -> str:
    if row.task.overrides is not None:
        return "≠"
    return "↑" if row.trend > 0 else "↓" if row.trend < 0 else ""


def due_in(row: TaskRow, now: float, width: int) -> Cell:
    """Return the countdown, or why there is none."""
    task = row.task
    if task.disabled:
        return cell("disabled", Tone.DIM)
    if task.replaces_running:
        return cell("waiting", Tone.SOON)
    due = row.next_due
    if due is None and task.follows:
        return cell("after", Tone.DIM)  # the next column says which task
    if due is None:
        return cell("never", Tone.DIM)
    text = countdown(due, now)
    if len(text) > width:
        text = f"+{coarse(now - due)}" if due <= now else f"{int(due - now) // 86_400} d"
    return cell(text, countdown_tone(due, now))


def paused(row: TaskRow) -> Cell:
    """Return the cell that replaces the countdown while the scheduler is paused."""
    return cell("disabled", Tone.DIM) if row.task.disabled else cell("paused", Tone.SOON)


def due_at(row: TaskRow, now: float, width: int) -> Cell:
    """Return the clock time at which it is due, or until which it is disabled."""
    task = row.task
    if task.disabled and task.disabled_until is not None:
        return cell(shorten_end(f"to {near_time(task.disabled_until, now, brief=True)}", width), Tone.DIM)
    due = row.next_due
    if due is None and task.follows and not task.disabled and not task.replaces_running:
        return cell(shorten(harmless((task.waits_for or task.follows)[0]), width), Tone.DIM)
    if due is None or task.disabled or task.replaces_running:
        return EMPTY
    return cell(clock_time(due, now), Tone.DIM)


def last_outcome(row: TaskRow, now: float, width: int) -> Cell:
    """Return the outcome of the last run, or how many due times were skipped, and why."""
    task = row.task
    if task.retry is not None:
        which = f"{task.retry.number}/{task.retry.of}"
        return cell(longest_fitting(width, f"✗ retry {which}", f"✗ {which}"), Tone.BAD)
    if row.failing:
        return _failing_long(task, now, width) or _outcome(row.last, width)
    if row.recovered:
        return _recovered(width)
    skipped = {reason: count for reason, count in task.skipped.items() if reason is not SkipReason.OVERLAP}
    if skipped:
        word = "missed" if set(skipped) == {SkipReason.MISSED} else "skipped"
        count = f"{sum(skipped.values()):,}"
        return cell(longest_fitting(width, f"· {word} {count}", f"{word} {count}", f"· {count}"), Tone.DIM)
    overlapped = task.skipped.get(SkipReason.OVERLAP, 0)
    if overlapped >= _MANY_OVERLAPPED and _overlaps_mostly(task):
        which = f"{overlapped}/{overlapped + 1}"
        words = (f"{overlapped} of {overlapped + 1} skipped", f"{which} skipped", which)
        return cell(longest_fitting(width, *words), Tone.SOON)
    return _outcome(row.last, width)


def _recovered(width: int) -> Cell:
    """Return the cell of a task that failed lately and has recovered."""
    return (Piece("✓ ", Tone.GOOD), Piece(longest_fitting(width - 2, "recovered", "again"), Tone.SOON))


def _failing_long(task: TaskSnapshot, now: float, width: int) -> Cell:
    """Return since which day it fails, if that was before today."""
    words = () if task.failing_since is None else since_words(task.failing_since, now)
    return cell(longest_fitting(width, *(f"✗ {each}" for each in words)), Tone.BAD) if words else EMPTY


def _overlaps_mostly(task: TaskSnapshot) -> bool:
    """True if its runs usually take longer than its period; a single slow run does not count."""
    usual = usual_duration(task.past)
    return usual is not None and task.period is not None and usual > task.period


def last_cells(row: TaskRow) -> int:
    """Return the cells that `last_outcome` can use."""
    if row.task.skipped:
        return _LONGEST_SKIPPED
    is_cut_off = row.last is not None and row.last.kind is OutcomeKind.INTERRUPTED
    return len("⊘ interrupted") if is_cut_off else _LONGEST_OUTCOME


def _outcome(last: PastRun | None, width: int) -> Cell:
    if last is None:
        return cell("  never", Tone.DIM)
    glyph, tone = outcome_glyph(last.kind)
    if tone is Tone.BAD:
        is_cut_off = last.kind is OutcomeKind.INTERRUPTED and width < len("⊘ interrupted")
        return cell(f"{glyph} {'cut off' if is_cut_off else kind_words(last.kind)}", tone)
    words = duration(last.duration) if last.kind is OutcomeKind.SUCCEEDED else kind_words(last.kind)
    return (Piece(f"{glyph} ", tone), Piece(words, Tone.DIM))


def runs(row: TaskRow, _now: float, width: int) -> Cell:
    """Return the durations of the last runs as bars, with a cross for each failure."""
    past = row.task.past[-width:]
    longest = max((run.duration for run in past), default=0.0)
    pieces: list[Piece] = []
    for run in past:
        if run.kind in FAILURES:
            pieces.append(Piece("×", Tone.BAD))
        else:
            # Short runs differ by noise only: the scale starts at a tenth of a second.
            share = run.duration / max(longest, 0.1)
            pieces.append(Piece(_BARS[min(7, int(share * 8))], Tone.CHART))
    if row.task.disabled:
        pieces = [Piece(piece.text, Tone.FAINT) for piece in pieces]
    return (Piece(" " * (width - len(past)), Tone.PLAIN), *pieces)


def demand_status(row: TaskRow, _now: float, _width: int) -> Cell:
    """Return the glyph of an on-demand task."""
    if row.task.disabled:
        return cell("∥", Tone.DIM)
    if row.recovered:
        return cell("○", Tone.SOON)
    return cell("●", Tone.BAD) if row.failing else cell("○", Tone.NEXT)


def demand_state(row: TaskRow, now: float, width: int) -> Cell:
    """Return the state of an on-demand task, such as `ready`."""
    if row.task.replaces_running:
        return cell("waiting" if width >= 7 else "waits", Tone.SOON)
    if row.task.retry is not None:
        words = f"retry {countdown(row.task.retry.at, now)}"
        return cell(
            words if len(words) <= width else shorten_end(words.removeprefix("retry "), width), Tone.SOON
        )
    if row.task.again:
        return cell("queued again" if width >= 12 else "queued" if width >= 6 else "again", Tone.SOON)
    if row.task.disabled:
        until = row.task.disabled_until
        longest = "disabled" if until is None else f"off to {near_time(until, now, brief=True)}"
        return cell(longest_fitting(width, longest, "disabled", "off"), Tone.DIM)
    return cell("ready", Tone.DIM)


def last_ago(row: TaskRow, now: float, width: int) -> Cell:
    """Return the outcome of the last run, and how long ago it ended."""
    last = row.last
    if last is None:
        return cell("never run" if width >= 9 else "never", Tone.DIM)
    if row.recovered:
        return _recovered(width)
    glyph, tone = outcome_glyph(last.kind)
    # All rows use the same form, whatever width one of them needs.
    words = ago(last.finished, now) if width >= _LEAST_AGO else brief_ago(last.finished, now)
    return (Piece(f"{glyph} ", tone), Piece(shorten_end(words, width - 2), Tone.DIM))
