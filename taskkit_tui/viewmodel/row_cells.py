"""What each cell says: functions of a row, an instant and a width.

Whatever a colour tells here a glyph, a word or a position tells as well.
"""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from taskkit import OutcomeKind, PastRun, Progress, SkipReason
from taskkit.outcome import FAILURES
from taskkit_tui.formatting import (
    ago,
    brief_ago,
    clock_span,
    clock_time,
    coarse,
    countdown,
    duration,
    harmless,
    longest_fitting,
    shorten,
    shorten_end,
)
from taskkit_tui.viewmodel.pieces import EMPTY, Cell, Piece, Tone, cell
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.usual import usual_duration

IMMINENT: Final = 3.0
"""Seconds before its due time from which a task counts as imminent."""

_LEAST_AGO: Final = 12
"""Cells from which there is room for the longest that is some time ago."""

_BARS: Final = "▁▂▃▄▅▆▇█"
_LEAST_BAR: Final = 10
"""Cells below which a progress bar says less than the figures alone."""


def name(row: TaskRow, _now: float, width: int) -> Cell:
    """The name, shortened in the middle."""
    quiet = row.task.disabled or row.task.unregistered
    return cell(shorten(harmless(row.name), width), Tone.DIM if quiet else Tone.PLAIN)


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
    words = harmless(row.task.schedule)
    sign = "≠" if row.task.overrides is not None else "↑" if row.trend > 0 else "↓" if row.trend < 0 else ""
    if not sign:
        return cell(shorten_end(words, width), Tone.DIM)
    if cell_len(words) > width - 2:
        words = words.removeprefix("every ")
    return cell(f"{shorten_end(words, width - 2)} {sign}", Tone.CHANGED)


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


def last_outcome(row: TaskRow, _now: float, width: int) -> Cell:
    """How the last run went; where due times passed without one, how many and why."""
    task = row.task
    if task.retry is not None:
        return cell(f"✗ retry {task.retry.number}/{task.retry.of}", Tone.BAD)
    if row.failing:
        return _outcome(row.last, width)
    passed = {reason: count for reason, count in task.skipped.items() if reason is not SkipReason.OVERLAP}
    if passed:
        word = "missed" if set(passed) == {SkipReason.MISSED} else "skipped"
        count = f"{sum(passed.values()):,}"
        return cell(longest_fitting(width, f"· {word} {count}", f"{word} {count}", f"· {count}"), Tone.DIM)
    return _outcome(row.last, width)


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


def running_status(row: TaskRow, _now: float, _width: int) -> Cell:
    """One glyph for a run that goes on."""
    run = row.task.run
    if run is None or run.started is None:
        return cell("◌", Tone.SOON)
    return cell("▶", Tone.SOON if run.asked_to_stop is not None else Tone.BUSY)


def elapsed(row: TaskRow, now: float, width: int) -> Cell:
    """How long it has run, and how long it usually takes."""
    run = row.task.run
    if run is None:
        return EMPTY
    if run.started is None:
        return cell("waiting", Tone.SOON)
    usual = usual_duration(row.task.past)
    spent = now - run.started
    slow = usual is not None and spent > 2 * usual and spent > 1
    text = clock_span(spent)
    first = Piece(text, Tone.SOON if slow or run.asked_to_stop is not None else Tone.NEXT)
    if usual is None or width < 13:
        return (first,)
    return (
        first,
        Piece(shorten_end(f" of ~{clock_span(max(1, round(usual)))}", width - len(text)), Tone.DIM),
    )


def progress(row: TaskRow, now: float, width: int) -> Cell:
    """How far a run has come, or what it waits for."""
    run = row.task.run
    if run is None:
        return EMPTY
    if run.started is None:
        return cell("for a thread" if width >= 12 else "for thread", Tone.SOON)
    suffix = " · again" if row.task.again else " · then gone" if row.task.unregistered else ""
    if run.asked_to_stop is not None:
        words = f"stopping {coarse(now - run.asked_to_stop)}"
        if len(words) > width:
            words = words.replace("stopping", "stop")
        return cell(shorten_end(words + suffix, width), Tone.SOON)
    if run.progress is None:
        if suffix:
            return cell(shorten_end(suffix.removeprefix(" · "), width), Tone.SOON)
        if run.attempt > 1:
            return cell(f"try {run.attempt}", Tone.SOON)
        return EMPTY
    body = _how_far(run.progress, width - len(suffix))
    return (*body, Piece(suffix, Tone.SOON)) if suffix else body


def _how_far(made: Progress, width: int) -> Cell:
    message = harmless(made.message)
    if not made.total or made.total < 0:
        words = message or f"{made.done:g} done"
        return cell(shorten_end(words, width), Tone.DIM)
    share = min(1.0, max(0.0, made.done / made.total))
    percent = f"{share * 100:3.0f} %"
    room = min(16, width - len(percent) - 1)
    if width < _LEAST_BAR:
        return cell(percent.strip(), Tone.PLAIN)
    halves = round(share * room * 2)
    full, half = divmod(halves, 2)
    done = "━" * full + ("╸" if half else "")
    bar = (
        Piece(done, Tone.BUSY),
        Piece("━" * (room - len(done)), Tone.FAINT),
        Piece(f" {percent}", Tone.PLAIN),
    )
    left = width - room - len(percent) - 2
    if message and left >= 6:
        return (*bar, Piece(f" {shorten_end(message, left)}", Tone.DIM))
    return bar


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
