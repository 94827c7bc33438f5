"""Draws the durations of the last runs as a bar chart, the newest at the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from taskkit import Outcome
from taskkit.words.durations import duration
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.details.history_rows import EntryKey, HistoryEntry, glyph_of, key_of
from taskkit_tui.viewmodel.row import usual_duration
from taskkit_tui.viewmodel.text_lines import Line, Piece

_LEVELS: Final = " ▁▂▃▄▅▆▇█"
_WIDEST_STEP: Final = 4
"""The most cells from one bar to the next."""
_LEAST_FOR_AXIS: Final = 24
"""The least cells for showing the axis."""


def charted(shown: Iterable[HistoryEntry]) -> tuple[Outcome, ...]:
    """Return the runs that took time, oldest first; `shown` is newest first."""
    runs = [entry for entry in shown if isinstance(entry, Outcome) and entry.started is not None]
    return tuple(reversed(runs))


def chart_words(runs: Sequence[Outcome]) -> str:
    """Return a summary of the chart, for its border."""
    usual = usual_duration(runs)
    bad = sum(glyph_of(run)[1] is Tone.BAD for run in runs)
    words = [] if usual is None else [f"median {duration(usual)}"]
    if bad:
        words.append(f"× {bad} failed")
    return " · ".join(words)


def chart_lines(
    runs: Sequence[Outcome], width: int, height: int, selected: EntryKey | None = None
) -> list[Line]:
    """Return `height` lines of at most `width` cells.

    Args:
        runs: Oldest first. If there are too many, the oldest are left out, unless one of them is selected.
        width: Cells.
        height: Lines; at least one is made.
        selected: The run whose bar is highlighted.
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


def _near(runs: Sequence[Outcome], count: int, selected: EntryKey | None) -> Sequence[Outcome]:
    """Return the last `count` runs; or as many around the selected one, if that is older."""
    end = len(runs)
    if selected is not None:
        at = next((at for at in range(end - 1, -1, -1) if key_of(runs[at]) == selected), end)
        if at < end - count:
            end = max(at + 1 + count // 2, count)
    return runs[max(0, end - count) : end]


def _bar(run: Outcome, level: int, step: int, *, chosen: bool) -> list[Piece]:
    """Return one row of one bar; `level` is the number of filled eighths in this row and above."""
    width = max(1, step - 1)
    tone = glyph_of(run)[1]
    text = _LEVELS[max(0, min(8, level))] * width
    if tone is Tone.BAD and 0 < level <= 8:
        text = "×".center(width)
    look = tone if tone in (Tone.BAD, Tone.SOON) else Tone.STRONG if chosen else Tone.CHART
    return [Piece(text, look), Piece(" " * (step - width), Tone.PLAIN)]
