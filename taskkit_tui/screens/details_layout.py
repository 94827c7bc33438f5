"""Heights of the parts of the details screen: pure, so that every size can be tested."""

from __future__ import annotations

from typing import Final, NamedTuple

from taskkit_tui.screens.main_layout import Shape

TALL: Final = 32
"""Rows from which there is room for more than two lines of a chart."""

_LEFT_WIDTHS: Final = {Shape.WIDE: 48, Shape.COMPACT: 34}
_FRAME: Final = 2
_BARS: Final = 2
"""Header and footer."""


class Heights(NamedTuple):
    """Heights in rows, with frames. Due times and the run get the rest of their columns."""

    why: int
    facts: int
    history: int
    durations: int


def heights(height: int, *, why: int, facts: int, due: int, history: int) -> Heights:
    """Distribute the rows of the screen.

    Args:
        height: Rows of the screen.
        why: Lines of the explanation.
        facts: Lines of facts about the task.
        due: Number of due times.
        history: Number of runs and skips.
    """
    tall = height >= TALL
    why_rows = max(1, min(why, 3 if tall else 2))
    room = height - _BARS - why_rows
    durations = 7 if tall else 4
    due_needs = max(1, due) + _FRAME
    history_needs = max(1, history) + 1 + _FRAME
    return Heights(
        why_rows,
        max(5, min(facts + _FRAME, max(room - due_needs, room // 2))),
        max(6, min(history_needs, (room - durations) // 2)),
        durations,
    )


def left_width(shape: Shape) -> int | None:
    """Return the columns of the left side, with the frame; None for all there are."""
    return _LEFT_WIDTHS.get(shape)
