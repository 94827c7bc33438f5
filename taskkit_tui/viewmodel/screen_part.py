"""Names the parts of a screen, for its tabs and for the keys that lead to them."""

from __future__ import annotations

from typing import Final, NamedTuple


class ScreenPart(NamedTuple):
    """A part of a screen, with a tab and a key."""

    identity: str
    """The id of its widget."""
    title: str
    short: str
    """The title of its tab when space is short."""


DETAILS_PARTS: Final = (
    ScreenPart("facts", "About", "About"),
    ScreenPart("due", "Next", "Next"),
    ScreenPart("history", "History", "Past"),
    ScreenPart("durations", "Durations", "Time"),
    ScreenPart("run", "Run", "Run"),
)
"""The parts of the details, in the order of `tab`."""
