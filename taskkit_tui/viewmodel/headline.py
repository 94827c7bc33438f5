"""The words of the header."""

from __future__ import annotations

from datetime import datetime

from taskkit import Figures
from taskkit_tui.formatting import duration
from taskkit_tui.viewmodel.cell import Piece, Tone


def headline(figures: Figures, *, read_only: bool = False, marked: int = 0) -> tuple[Piece, ...]:
    """The left part: name, state, and “N tasks · N running · N disabled · N failing”."""
    if figures.paused:
        state = (Piece("∥ ", Tone.SOON), Piece("paused", Tone.SOON))
    elif figures.is_running:
        state = (Piece("● ", Tone.GOOD), Piece("running", Tone.PLAIN))
    else:
        state = (Piece("○ ", Tone.DIM), Piece("not started", Tone.DIM))
    pieces = [Piece("taskkit", Tone.NEXT), Piece(" ", Tone.PLAIN), *state]
    if read_only:
        pieces += [Piece("  ⚿ read-only", Tone.SOON)]
    for count, word, tone in (
        (figures.tasks, "tasks" if figures.tasks != 1 else "task", Tone.STRONG),
        (figures.running, "running", Tone.BUSY),
        (figures.disabled, "disabled", Tone.STRONG),
        (figures.failing, "failing", Tone.BAD if figures.failing else Tone.STRONG),
    ):
        pieces += [Piece(f"  {count:,}", tone), Piece(f" {word}", Tone.DIM)]
    if marked:
        pieces += [Piece(f"  {marked:,} marked", Tone.SOON)]
    return tuple(pieces)


def side_notes(figures: Figures) -> tuple[Piece, ...]:
    """The right part, the most important last: threads, lateness, the clock."""
    notes = f"{figures.threads:,} thread{'' if figures.threads == 1 else 's'}"
    if figures.lateness_p99 is not None:
        notes += f" · late p99 {duration(figures.lateness_p99)}"
    clock = datetime.fromtimestamp(figures.time).strftime("%H:%M:%S")
    return (Piece(f"{notes}   ", Tone.DIM), Piece(clock, Tone.PLAIN))
