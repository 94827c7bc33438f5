"""What each cell says: functions of a row, an instant and a width.

Whatever a colour tells here a glyph, a word or a position tells as well.
"""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from taskkit import OutcomeKind, PastRun, SkipReason, TaskSnapshot
from taskkit.outcome import FAILURES
from taskkit_tui.formatting import (
    ago,
    brief_ago,
    clock_time,
    coarse,
    countdown,
    duration,
    harmless,
    longest_fitting,
    shorten,
    shorten_end,
)
from taskkit_tui.viewmodel.moments import since_words
from taskkit_tui.viewmodel.pieces import EMPTY, Cell, Piece, Tone, cell
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.schedule_words import schedule_cells as words_cells
from taskkit_tui.viewmodel.schedule_words import schedule_words
from taskkit_tui.viewmodel.usual import usual_duration

IMMINENT: Final = 3.0
"""Seconds before its due time from which a task counts as imminent."""

_LEAST_AGO: Final = 12
"""Cells from which there is room for the longest that is some time ago."""

_MANY_OVERLAPPED: Final = 2
"""Due times that one run covered beside its own, from which most of them are skipped."""

_LONGEST_OUTCOME: Final = len("✗ timed out")
_LONGEST_SKIPPED: Final = len("· skipped 1,234")

_BARS: Final = "▁▂▃▄▅▆▇█"


def name(row: TaskRow, _now: float, width: int) -> Cell:
    """The name, shortened in the middle."""
    quiet = row.task.disabled or row.task.unregistered
    return cell(shorten(harmless(row.name), width), Tone.DIM if quiet else Tone.PLAIN)


def name_cells(row: TaskRow) -> int:
    """The cells that `name` can use; one also where it is empty, as its column stays."""
    shown = row.name
    if shown.isascii() and shown.isprintable():  # nearly always, and ten times as quick
        return max(1, len(shown))
    return max(1, cell_len(harmless(shown)))


def status(row: TaskRow, _now: float, _width: int) -> Cell:
    """One glyph for a scheduled task."""
    if row.task.disabled:
        return cell("∥", Tone.DIM)
    if row.failing:
        return cell("●", Tone.BAD)
    if row.last is None:
        return cell("◌", Tone.GOOD)
    return cell("●", Tone.GOOD)


def schedule(row: TaskRow, _now: float, width: int) -> Cell:
    """The schedule in words, with a sign if a person changed it, or an arrow if its period grew or shrank."""
    sign = _sign(row)
    if not sign:
        return cell(schedule_words(row.task.schedule, width), Tone.DIM)
    return cell(f"{schedule_words(row.task.schedule, width - 2)} {sign}", Tone.CHANGED)


def schedule_cells(row: TaskRow) -> int:
    """The cells that `schedule` can use."""
    return words_cells(row.task.schedule) + (2 if _sign(row) else 0)


def _sign(row: TaskRow) -> str:
    if row.task.overrides is not None:
        return "≠"
    return "↑" if row.trend > 0 else "↓" if row.trend < 0 else ""


def due_in(row: TaskRow, now: float, width: int) -> Cell:
    """The countdown, or why there is none."""
    task = row.task
    if task.disabled:
        return cell("disabled", Tone.DIM)
    if task.replaces_running:
        return cell("waiting", Tone.SOON)
    due = row.next_due
    if due is None:
        return cell("never", Tone.DIM)
    text = countdown(due, now)
    if len(text) > width:
        text = f"+{coarse(now - due)}" if due <= now else f"{int(due - now) // 86_400} d"
    return cell(text, Tone.SOON if due - now <= IMMINENT else Tone.NEXT)


def paused(row: TaskRow) -> Cell:
    """What stands instead of a countdown while nothing falls due."""
    return cell("disabled", Tone.DIM) if row.task.disabled else cell("paused", Tone.SOON)


def due_at(row: TaskRow, now: float, _width: int) -> Cell:
    """The clock time at which it is due."""
    task = row.task
    due = row.next_due
    if due is None or task.disabled or task.replaces_running:
        return EMPTY
    return cell(clock_time(due, now), Tone.DIM)


def last_outcome(row: TaskRow, now: float, width: int) -> Cell:
    """How the last run went; where due times passed without one, how many and why."""
    task = row.task
    if task.retry is not None:
        which = f"{task.retry.number}/{task.retry.of}"
        return cell(longest_fitting(width, f"✗ retry {which}", f"✗ {which}"), Tone.BAD)
    if row.failing:
        return _failing_long(task, now, width) or _outcome(row.last, width)
    passed = {reason: count for reason, count in task.skipped.items() if reason is not SkipReason.OVERLAP}
    if passed:
        word = "missed" if set(passed) == {SkipReason.MISSED} else "skipped"
        count = f"{sum(passed.values()):,}"
        return cell(longest_fitting(width, f"· {word} {count}", f"{word} {count}", f"· {count}"), Tone.DIM)
    overlapped = task.skipped.get(SkipReason.OVERLAP, 0)
    if overlapped >= _MANY_OVERLAPPED and _overlaps_mostly(task):
        which = f"{overlapped}/{overlapped + 1}"
        words = (f"{overlapped} of {overlapped + 1} skipped", f"{which} skipped", which)
        return cell(longest_fitting(width, *words), Tone.SOON)
    return _outcome(row.last, width)


def _failing_long(task: TaskSnapshot, now: float, width: int) -> Cell:
    """Since which day it fails, if that was before today."""
    words = () if task.failing_since is None else since_words(task.failing_since, now)
    return cell(longest_fitting(width, *(f"✗ {each}" for each in words)), Tone.BAD) if words else EMPTY


def _overlaps_mostly(task: TaskSnapshot) -> bool:
    """Whether its runs usually take longer than its period; one slow run is no such task."""
    usual = usual_duration(task.past)
    return usual is not None and task.period is not None and usual > task.period


def last_cells(row: TaskRow) -> int:
    """The cells that `last_outcome` can use."""
    if row.task.skipped:
        return _LONGEST_SKIPPED
    is_cut_off = row.last is not None and row.last.kind is OutcomeKind.INTERRUPTED
    return len("⊘ interrupted") if is_cut_off else _LONGEST_OUTCOME


def _outcome(last: PastRun | None, width: int) -> Cell:
    if last is None:
        return cell("  never", Tone.DIM)
    match last.kind:
        case OutcomeKind.SUCCEEDED:
            return (Piece("✓ ", Tone.GOOD), Piece(duration(last.duration), Tone.DIM))
        case OutcomeKind.FAILED:
            return cell("✗ failed", Tone.BAD)
        case OutcomeKind.TIMED_OUT:
            return cell("✗ timed out", Tone.BAD)
        case OutcomeKind.STOPPED:
            return (Piece("■ ", Tone.SOON), Piece("stopped", Tone.DIM))
        case OutcomeKind.ABANDONED:
            return cell("✗ abandoned", Tone.BAD)
        case OutcomeKind.INTERRUPTED:
            return cell("⊘ interrupted" if width >= 13 else "⊘ cut off", Tone.BAD)


def runs(row: TaskRow, _now: float, width: int) -> Cell:
    """The durations of the last runs as bars; a cross for each that failed."""
    past = row.task.past[-width:]
    longest = max((run.duration for run in past), default=0.0)
    pieces: list[Piece] = []
    for run in past:
        if run.kind in FAILURES:
            pieces.append(Piece("×", Tone.BAD))
        else:
            # Short runs differ by noise only: the scale begins at a tenth of a second.
            share = run.duration / max(longest, 0.1)
            pieces.append(Piece(_BARS[min(7, int(share * 8))], Tone.CHART))
    if row.task.disabled:
        pieces = [Piece(piece.text, Tone.FAINT) for piece in pieces]
    return (Piece(" " * (width - len(past)), Tone.PLAIN), *pieces)


def demand_status(row: TaskRow, _now: float, _width: int) -> Cell:
    """One glyph for a task that runs when asked."""
    if row.task.disabled:
        return cell("∥", Tone.DIM)
    return cell("●", Tone.BAD) if row.failing else cell("○", Tone.NEXT)


def demand_state(row: TaskRow, now: float, width: int) -> Cell:
    """Whether it can be asked."""
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
        return cell("disabled" if width >= 8 else "off", Tone.DIM)
    return cell("ready", Tone.DIM)


_GLYPHS: Final = {
    OutcomeKind.SUCCEEDED: Piece("✓ ", Tone.GOOD),
    OutcomeKind.STOPPED: Piece("■ ", Tone.SOON),
    OutcomeKind.INTERRUPTED: Piece("⊘ ", Tone.BAD),
}


def last_ago(row: TaskRow, now: float, width: int) -> Cell:
    """How the last run went, and when it ended."""
    last = row.last
    if last is None:
        return cell("never run" if width >= 9 else "never", Tone.DIM)
    glyph = _GLYPHS.get(last.kind, Piece("✗ ", Tone.BAD))
    # The same words for all rows, whatever room one of them needs.
    words = ago(last.finished, now) if width >= _LEAST_AGO else brief_ago(last.finished, now)
    return (glyph, Piece(shorten_end(words, width - 2), Tone.DIM))
