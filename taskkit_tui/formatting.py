"""How quantities and foreign text are written on the screen: pure functions, no widget, no clock.

Widths are in terminal cells, not in characters: a wide character takes two. Foreign text (names,
schedules, errors) passes through `harmless` before it is painted anywhere.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from math import ceil
from typing import Final
from zlib import crc32

from rich.cells import cell_len, set_cell_size

from taskkit import parse_period as parse_period
from taskkit import period_text as period_text
from taskkit.durations import LONGEST_PERIOD as LONGEST_PERIOD
from taskkit.durations import duration as duration
from taskkit.plain_text import cut_end, cut_middle
from taskkit.plain_text import harmless as harmless
from taskkit.plain_text import plural as plural

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
SHORTEST_PERIOD: Final = 0.001
"""Seconds; the least that a person can type, and where halving stops."""

TASK_COLOURS: Final = tuple(f"task-{number}" for number in range(1, 9))
"""The theme variables that hold the colours of the tasks; every theme has them while the app runs."""


@lru_cache(maxsize=16_384)
def task_colour(name: str) -> str:
    """The theme variable, without its `$`, that holds the colour of the task called `name`.

    The same name gets the same colour in every panel, in every session.
    """
    return TASK_COLOURS[crc32(name.encode(errors="surrogatepass")) % len(TASK_COLOURS)]


def fit(text: str, width: int) -> str:
    """`text` cut or padded on the right to exactly `width` cells."""
    return set_cell_size(text, max(0, width))


def fit_right(text: str, width: int) -> str:
    """`text` in exactly `width` cells, at their right edge; cut with an ellipsis where it is too long."""
    length = cell_len(text)
    if length <= width:
        return " " * (width - length) + text
    return shorten_end(text, width)


def shorten_end(text: str, width: int) -> str:
    """`text` in at most `width` cells, its end replaced by an ellipsis where it is too long."""
    return cut_end(text, width, cell_len)


def longest_fitting(width: int, *texts: str) -> str:
    """The first of `texts` that has room in `width` cells; if none has, the last one cut."""
    return next((text for text in texts if cell_len(text) <= width), None) or shorten_end(texts[-1], width)


@lru_cache(maxsize=4096)
def shorten(text: str, width: int) -> str:
    """`text` in at most `width` cells, shortened in the middle, so that alike names stay different."""
    return cut_middle(text, width, cell_len)


def countdown(due: float, now: float) -> str:
    """How long until `due`, both in epoch seconds: rounded up, never negative.

    `0:09`, `13:26:38`, `3 d 4 h`; `due now` for the first second after it, then `late 3 s`.
    """
    if due <= now:
        late = int(now - due)
        return "due now" if late < 1 else f"late {coarse(late)}"
    return clock_span(ceil(due - now))


def clock_span(seconds: float) -> str:
    """A span as `M:SS`, `H:MM:SS` from an hour, `3 d 4 h` (rounded up) from a day."""
    whole = max(0, int(seconds))
    if whole >= DAY:
        days, hours = divmod(ceil(whole / HOUR), 24)
        return f"{days} d {hours} h"
    minutes, rest = divmod(whole, MINUTE)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def coarse(seconds: float) -> str:
    """A span in its largest unit only: `12 s`, `4 min`, `3 h`, `2 d`."""
    whole = max(0, int(seconds))
    for unit, size in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def ago(instant: float, now: float) -> str:
    """How long ago `instant` was, both in epoch seconds: `just now`, `12 s ago`, `4 min ago`."""
    seconds = now - instant
    return "just now" if seconds < 1 else f"{coarse(seconds)} ago"


def brief_ago(instant: float, now: float) -> str:
    """The same where room is scarce: `now`, `12s ago`, `4m ago`."""
    seconds = now - instant
    return "now" if seconds < 1 else f"{coarse(seconds).replace('min', 'm').replace(' ', '')} ago"


def clock_time(instant: float, now: float) -> str:
    """When `instant` is, in local time, in at most nine cells.

    `14:03:23` today, `Wed 03:30` within six days, `24 Dec` within the year, else `Dec 2031`; `far off` for
    what the calendar does not reach.
    """
    try:
        when, today = datetime.fromtimestamp(instant), datetime.fromtimestamp(now)
    except (OverflowError, ValueError, OSError):
        return "far off"
    if when.date() == today.date():
        return when.strftime("%H:%M:%S")
    if 0 < (when.date() - today.date()).days < 7:
        return when.strftime("%a %H:%M")
    if abs(instant - now) < 360 * DAY:
        return f"{when.day} {when:%b}"
    return when.strftime("%b %Y")


def typed_period(text: str) -> float:
    """The seconds of a period that a person typed.

    Raises:
        ValueError: As `parse_period`, or it is less than a millisecond.
    """
    seconds = parse_period(text)
    if seconds < SHORTEST_PERIOD:
        raise ValueError(f"a period must be {SHORTEST_PERIOD} seconds at least")
    return seconds
