"""What a screen that has parts calls them."""

from __future__ import annotations

from typing import Final, NamedTuple


class Part(NamedTuple):
    """A part of a screen, to which a key and a tab lead."""

    identity: str
    """The id of its widget."""
    title: str
    short: str
    """What its tab says where there is little room."""


DETAILS_PARTS: Final = (
    Part("facts", "About", "About"),
    Part("due", "Next", "Next"),
    Part("history", "History", "Past"),
    Part("durations", "Durations", "Time"),
    Part("run", "Run", "Run"),
)
"""The parts of the details, in the order of `tab`."""
