"""Builds the header line, in groups of words that are dropped one by one when space is short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len

from taskkit import Figures, SchedulerState
from taskkit.words.durations import duration
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.text_lines import Piece


class Group(NamedTuple):
    """A few words that are shown or dropped together."""

    pieces: tuple[Piece, ...]
    drop_order: int
    """Groups are dropped in the order of this number."""

    @property
    def width(self) -> int:
        """The width in cells."""
        return sum(cell_len(text) for text, _ in self.pieces)


def notes_on(
    filtered: RowFilter,
    marked: int,
    *,
    warnings: Sequence[str],
    read_only: bool,
    connection: str = "",
    is_connected: bool = True,
) -> tuple[str, ...]:
    """Return the notes of the header: the connection, warnings, read-only, the filter, marked rows.

    Args:
        filtered: The filter.
        marked: The number of marked rows.
        warnings: Present troubles.
        read_only: True if commands are refused.
        connection: The service that is attached to, and the state of the connection; empty without one.
        is_connected: False while the service does not answer.
    """
    notes = [f"{'⇄' if is_connected else '⚠'} {connection}"] if connection else []
    notes += [f"⚠ {each}" for each in warnings]
    if read_only:
        notes.append("⚿ read-only")
    if filtered.text:
        notes.append(f"/{shorten(harmless(filtered.text), 20)}")
    if filtered.only_failing:
        notes.append("only failing")
    if marked:
        notes.append(f"{marked:,} marked")
    return tuple(notes)


def headline(figures: Figures, notes: Sequence[str] = ()) -> tuple[Group, ...]:
    """Return the left part: name, state, “N tasks · N running · N disabled · N failing”, and notes."""
    if figures.state in (SchedulerState.DRAINING, SchedulerState.STANDBY):
        state = (Piece(" ◌ ", Tone.SOON), Piece(str(figures.state), Tone.SOON))
    elif figures.time and not figures.is_running:
        state = (Piece(" ○ ", Tone.BAD), Piece("stopped", Tone.BAD))
    elif figures.paused:
        state = (Piece(" ∥ ", Tone.SOON), Piece("paused", Tone.SOON))
    elif figures.is_running:
        state = (Piece(" ● ", Tone.GOOD), Piece("running", Tone.PLAIN))
    else:
        state = (Piece(" ○ ", Tone.DIM), Piece("not started", Tone.DIM))
    groups = [Group((Piece(" taskkit", Tone.TITLE),), 2), Group(state, 8)]
    groups += [
        _count(figures.tasks, "task" if figures.tasks == 1 else "tasks", Tone.STRONG, 5),
        _count(figures.running, "running", Tone.BUSY, 4),
        _count(figures.disabled, "disabled", Tone.STRONG, 3),
        _count(figures.failing, "failing", Tone.BAD if figures.failing else Tone.STRONG, 7),
    ]
    groups += [Group((Piece(f"  {note}", Tone.SOON),), 6) for note in notes]
    return tuple(groups)


def _count(count: int, word: str, tone: Tone, drop_order: int) -> Group:
    return Group((Piece(f"  {count:,}", tone), Piece(f" {word}", Tone.DIM)), drop_order)


def side_notes(figures: Figures) -> tuple[Group, ...]:
    """Return the right part: threads, lateness, the clock."""
    notes = f"  {figures.threads:,} thread{'' if figures.threads == 1 else 's'}"
    if figures.lateness_p99 is not None:
        notes += f" · late p99 {duration(figures.lateness_p99)}"
    clock = datetime.fromtimestamp(figures.time).strftime("%H:%M:%S")
    return (Group((Piece(notes, Tone.DIM),), 0), Group((Piece(f"   {clock} ", Tone.PLAIN),), 1))


def fitting(left: tuple[Group, ...], right: tuple[Group, ...], width: int) -> tuple[Piece, ...]:
    """Return the pieces of a line of `width` cells, with as many groups as fit."""
    for group in sorted((*left, *right), key=lambda group: group.drop_order):
        if sum(each.width for each in (*left, *right)) <= width:
            break
        left = tuple(each for each in left if each is not group)
        right = tuple(each for each in right if each is not group)
    gap = width - sum(each.width for each in (*left, *right))
    space = Piece(" " * max(0, gap), Tone.PLAIN)
    return (
        *(piece for group in left for piece in group.pieces),
        space,
        *(piece for group in right for piece in group.pieces),
    )
