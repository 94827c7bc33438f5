"""What a row says of its schedule, in as many cells as there are."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

from taskkit_tui.formatting import harmless, longest_fitting

_ZONE: Final = re.compile(r"(?<= )[A-Z]\w+(?:/[A-Z][\w+-]*)*/([A-Z][\w+-]*)$")
"""The name of a zone at the end, as in `daily 03:30 Europe/Berlin`."""


def schedule_words(schedule: str, width: int) -> str:
    """`schedule` in at most `width` cells; of a zone the city only.

    `daily 03:30 Berlin`, else `03:30 Berlin`, else `daily`: the time alone would be taken for local time.
    """
    return longest_fitting(width, *_forms(schedule))


def schedule_cells(schedule: str) -> int:
    """The cells that `schedule_words` can use."""
    return cell_len(_forms(schedule)[0])


@lru_cache(maxsize=4096)
def _forms(schedule: str) -> tuple[str, ...]:
    words = harmless(schedule)
    in_zone = _ZONE.search(words)
    if in_zone is not None:
        words = words[: in_zone.start()] + in_zone[1].replace("_", " ")
    kind, _, rest = words.partition(" ")
    match kind:
        case "every":
            return (words, rest, rest.replace(" min", "m").replace(" ", ""))
        case "daily":
            # What follows the time of day is a zone.
            return (words, rest, kind) if " " in rest else (words, rest)
        case "cron":
            return (words, rest)
    return (words,)
