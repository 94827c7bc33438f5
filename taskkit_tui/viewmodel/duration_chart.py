"""How long the last runs took, as a chart of block characters: one column a run, the newest at the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from taskkit import Outcome
from taskkit_tui.formatting import duration
from taskkit_tui.viewmodel.history_rows import Entry, Key, key_of, mark_of
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.text_lines import Line
from taskkit_tui.viewmodel.usual import usual_duration

_LEVELS: Final = " ▁▂▃▄▅▆▇█"
_WIDEST_STEP: Final = 4
"""Cells from one bar to the next, where there is room."""
_LEAST_FOR_AXIS: Final = 24
"""Cells below which the axis is left out."""


def charted(told: Iterable[Entry]) -> tuple[Outcome, ...]:
    """The runs that took time, oldest first; what is told comes newest first."""
    runs = [entry for entry in told if isinstance(entry, Outcome) and entry.started is not None]
    return tuple(reversed(runs))


def chart_words(runs: Sequence[Outcome]) -> str:
    """The chart in a few words, for its border."""
    usual = usual_duration(runs)
    bad = sum(mark_of(run)[1] is Tone.BAD for run in runs)
    words = [] if usual is None else [f"median {duration(usual)}"]
    if bad:
        words.append(f"× {bad} failed")
    return " · ".join(words)


def chart_lines(runs: Sequence[Outcome], width: int, height: int, selected: Key | None = None) -> list[Line]:
    """`height` lines of at most `width` cells.

    Args:
        runs: Oldest first. Where they find no room the oldest are left out, unless one of these is selected.
        width: Cells.
        height: Lines; at least one is made.
        selected: The run whose bar is to stand out.
    """
    height = max(1, height)
    near = _near(runs, max(1, width), selected)
    axis = 0
    if width >= _LEAST_FOR_AXIS and height > 1:
        axis = max((len(duration(run.duration)) for run in near), default=1) + 2
    room = max(1, width - axis)
    step = max(1, min(_WIDEST_STEP, room // max(1, len(near))))
    shown = _near(near, room // step, selected)
    longest = max((run.duration for run in shown), default=0.0)
    top, bottom = (duration(longest), "0") if axis else ("", "")
    lines: list[Line] = []
    for row in range(height):
        label = top if row == 0 else bottom if row == height - 1 else ""
        pieces: list[Piece] = []
        if axis:
            tone = Tone.DIM if label else Tone.FAINT
            pieces.append(Piece(f"{label:>{axis - 2}} {'┤' if label else '│'}", tone))
        for run in shown:
            level = max(1, round(run.duration / longest * height * 8)) if longest > 0 else 1
            pieces += _bar(run, level - (height - 1 - row) * 8, step, chosen=key_of(run) == selected)
        lines.append(tuple(pieces))
    return lines


def _near(runs: Sequence[Outcome], count: int, selected: Key | None) -> Sequence[Outcome]:
    """The last so many runs; or as many around the selected one, where that came before these."""
    end = len(runs)
    if selected is not None:
        at = next((at for at in range(end - 1, -1, -1) if key_of(runs[at]) == selected), end)
        if at < end - count:
            end = max(at + 1 + count // 2, count)
    return runs[max(0, end - count) : end]


def _bar(run: Outcome, level: int, step: int, *, chosen: bool) -> list[Piece]:
    """One row of one bar; `level` says how many eighths of it and what is above are filled."""
    width = max(1, step - 1)
    tone = mark_of(run)[1]
    text = _LEVELS[max(0, min(8, level))] * width
    if tone is Tone.BAD and 0 < level <= 8:
        text = "×".center(width)
    look = tone if tone in (Tone.BAD, Tone.SOON) else Tone.STRONG if chosen else Tone.CHART
    return [Piece(text, look), Piece(" " * (step - width), Tone.PLAIN)]
