"""Finds where to cut text into terminal cells; a wide character takes two, a combining one none."""

from __future__ import annotations

from rich.cells import cell_len


def fold(text: str, width: int) -> list[int]:
    """Return the index where each row of `text` begins, if a row has at most `width` cells.

    There is at least one row; a character wider than a row gets a row of its own.
    """
    if text.isascii():
        return list(range(0, max(1, len(text)), max(1, width)))
    starts = [0]
    taken = 0
    for index, character in enumerate(text):
        cells = 1 if character.isascii() else cell_len(character)
        if taken + cells > width and index > starts[-1]:
            starts.append(index)
            taken = 0
        taken += cells
    return starts


def window(text: str, left: int, width: int) -> tuple[int, int, int]:
    """Return the part of `text` that is visible in the cells from `left` to `left + width`.

    Returns:
        Start and end as indexes, and the number of blank cells at the left, which would show the second
        half of a wide character.
    """
    if text.isascii():
        return min(left, len(text)), min(left + width, len(text)), 0
    start = end = len(text)
    blank = taken = 0
    for index, character in enumerate(text):
        cells = 1 if character.isascii() else cell_len(character)
        if start == len(text) and taken >= left and (cells or not left):
            start, blank = index, taken - left
        if taken + cells > left + width:
            end = index
            break
        taken += cells
    return min(start, end), end, blank
