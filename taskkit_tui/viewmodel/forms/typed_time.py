"""A future time as a person types it, and its preview."""

from __future__ import annotations

from typing import Final, NamedTuple

from taskkit.words.durations import until
from taskkit.words.times import near_time

UNTIL_HINT: Final = "2h · 18:00 · tomorrow 09:00 · fri · 2026-12-24 18:00"
"""Examples of what can be typed for a future time."""


class TypedTime(NamedTuple):
    """A future time as a person typed it. The scheduler reads it, in its own time zone."""

    text: str
    at: float
    """The scheduler's reading, in epoch seconds."""


def until_preview(at: float, now: float) -> str:
    """Return what the time `at` means, in epoch seconds: `Enabled again Fri 00:00, in 3 d 2 h`."""
    return f"Enabled again {near_time(at, now)}, {until(at, now)}"
