"""One colour for each task, the same in every command, panel and session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

Colour = TypeVar("Colour")


def colour_of_task(name: str, colours: Sequence[Colour]) -> Colour:
    """Return the colour of the task called `name`.

    Args:
        name: Any text, lone surrogates included.
        colours: A palette in the caller's terms: numbers of a terminal, variables of a theme.
    """
    return colours[crc32(name.encode(errors="surrogatepass")) % len(colours)]
