"""Bounds of the screen of a browser tab: what a page asks for is cut to them."""

from __future__ import annotations

from typing import Final

LARGEST_WIDTH: Final = 500
"""The most columns of a screen."""
LARGEST_HEIGHT: Final = 200
"""The most rows of a screen."""


def screen_size(width: object, height: object) -> tuple[int, int]:
    """Return the columns and rows of a screen, within bounds; 80 × 24 for what is not a number."""
    return _bounded(width, 80, LARGEST_WIDTH), _bounded(height, 24, LARGEST_HEIGHT)


def _bounded(value: object, default: int, largest: int) -> int:
    try:
        number = int(value) if isinstance(value, int | str) else default
    except ValueError:
        number = default
    return min(max(1, number), largest)
