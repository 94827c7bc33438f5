"""Shortens the words of a schedule to fit a column."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

from taskkit_tui.formatting import harmless, longest_fitting

_ZONE: Final = re.compile(r"(?<= )[A-Z]\w+(?:/[A-Z][\w+-]*)*/([A-Z][\w+-]*)$")
"""The name of a zone at the end, as in `daily 03:30 Europe/Berlin`."""


def schedule_words(schedule: str, width: int) -> str:
    """Return `schedule` in at most `width` cells, with only the city of a zone.

    `daily 03:30 Berlin`, else `03:30 Berlin`, else `daily`: the time alone would look like local time.
    """
    return longest_fitting(width, *_forms(schedule))


def schedule_cells(schedule: str) -> int:
    """Return the cells that `schedule_words` can use."""
    return cell_len(_forms(schedule)[0])


_FIXED_DELAY: Final = " after each run"


@lru_cache(maxsize=4096)
def _forms(schedule: str) -> tuple[str, ...]:
    words = harmless(schedule)
    in_zone = _ZONE.search(words)
    if in_zone is not None:
        words = words[: in_zone.start()] + in_zone[1].replace("_", " ")
    if words.startswith("after "):
        return (words, words.removeprefix("after "), "after")
    if len(parts := words.split(" or ")) > 1:
        rests = [part.partition(" ")[2] for part in parts]
        return (words, " or ".join(rests), f"{rests[0]} +{len(rests) - 1}", f"{len(rests)} times")
    if words.endswith(_FIXED_DELAY):
        period = words.removesuffix(_FIXED_DELAY)
        return (words, f"{period} after", period.replace(" min", "m").replace(" ", "") + " after")
    kind, _, rest = words.partition(" ")
    match kind:
        case "every":
            return (words, rest, rest.replace(" min", "m").replace(" ", ""))
        case "daily":
            first, *further = rest.split(", ")
            if further and " " not in further[-1]:
                return (words, rest, f"{first} +{len(further)}", f"{len(further) + 1} a day")
            # A zone follows the times of day.
            return (words, rest, kind) if " " in rest else (words, rest)
        case "cron":
            return (words, rest)
    return (words,)
