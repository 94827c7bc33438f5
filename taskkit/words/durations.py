"""Spans of time in words, as in `1 h 30 min` or `4 min ago`, and the seconds that a typed span means.

Each form has its use: `in_words` for periods and for how long it is until something, `duration` for how long
a run took, `clock_span` for what counts up or down on a screen, `coarse` where only the size matters.
All arguments are seconds; no function reads a clock.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import ceil
from typing import Final

from taskkit.words.urgency import LATE_SECONDS

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
"""All in seconds."""

LONGEST_PERIOD_SECONDS: Final = 10 * 365 * DAY
"""Seconds in ten years: the longest span that can be typed."""

SHORTEST_PERIOD_SECONDS: Final = 0.001
"""Seconds; the shortest period that a person can type, and where halving stops."""

_UNITS: Final = (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", 1))


@lru_cache(maxsize=256)  # the same periods are asked for again and again
def in_words(seconds: float) -> str:
    """Return a span in its two largest units: `30 s`, `0.5 s`, `1 h 30 min`."""
    if seconds < 1 or seconds >= 1e12:
        return f"{seconds:.3g} s"
    if seconds < 60 and (short := round(seconds, 3)) < 60:
        return f"{short:g} s"
    whole = round(seconds)
    parts = _split(whole)
    if len(parts) > 2:
        smallest = dict(_UNITS)[parts[1][1]]
        parts = _split(round(whole / smallest) * smallest)
    return " ".join(f"{number} {unit}" for number, unit in parts)


def duration(seconds: float) -> str:
    """Return how long something took, to two or three digits: `0.4 ms`, `3 ms`, `1.2 s`, `2 min 5 s`."""
    if seconds < 0.000_95:
        return f"{max(0.0, seconds) * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else in_words(round(seconds))


def clock_span(seconds: float) -> str:
    """Return a span as a clock counts it: `2:13`, from an hour `1:02:13`, from a day `3 d 4 h` rounded up."""
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
    """Return a span in its largest unit only, rounded down: `12 s`, `4 min`, `3 h`, `2 d`."""
    whole = max(0, int(seconds))
    for unit, size in _UNITS[:-1]:
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def until(instant: float, now: float) -> str:
    """Return how long it is until `instant`, both in epoch seconds: `in 3 min 5 s`, `at once`."""
    return "at once" if instant <= now else f"in {in_words(ceil(instant - now))}"


def countdown(due: float, now: float) -> str:
    """Return how long it is until `due`, both in epoch seconds, rounded up: `0:09`, `13:26:38`, `3 d 4 h`.

    It is `due now` for the first second after `due`, then `late 3 s`.
    """
    if due <= now:
        late = int(now - due)
        return "due now" if late < LATE_SECONDS else f"late {coarse(late)}"
    return clock_span(ceil(due - now))


def ago(instant: float, now: float) -> str:
    """Return how long ago `instant` was, both in epoch seconds: `just now`, `12 s ago`, `4 min ago`."""
    seconds = now - instant
    return "just now" if seconds < 1 else f"{coarse(seconds)} ago"


def brief_ago(instant: float, now: float) -> str:
    """Return how long ago `instant` was in few columns: `now`, `12s ago`, `4m ago`."""
    seconds = now - instant
    return "now" if seconds < 1 else f"{coarse(seconds).replace('min', 'm').replace(' ', '')} ago"


def _split(whole: int) -> list[tuple[int, str]]:
    parts = []
    for unit, size in _UNITS:
        number, whole = divmod(whole, size)
        if number:
            parts.append((number, unit))
    return parts


_SPAN: Final = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m(?:in)?)?(?:([0-9]+(?:\.[0-9]+)?)s)?")
_SECONDS: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_LONGEST_SHOWN: Final = 20


def parse_period(text: str) -> float:
    """Return the seconds that `text` means: `90`, `0.5`, or `1d2h3m4s`, with the units in that order.

    Raises:
        ValueError: `text` is not such a span, or not between zero (excluded) and ten years. The message is
            one harmless line that says why.
    """
    seconds = parse_span(text, "period")
    if seconds <= 0:
        raise ValueError("a period must be more than 0 seconds")
    return seconds


def typed_period(text: str) -> float:
    """Return the seconds of a period that a person typed; at least a millisecond.

    Raises:
        ValueError: As for `parse_period`, or it is less than `SHORTEST_PERIOD_SECONDS`.
    """
    seconds = parse_period(text)
    if seconds < SHORTEST_PERIOD_SECONDS:
        raise ValueError(f"a period must be at least {SHORTEST_PERIOD_SECONDS} seconds")
    return seconds


def parse_span(text: str, noun: str = "span") -> float:
    """Return the seconds that `text` means, as `parse_period` does; `0s` is allowed too.

    Args:
        text: The span as a person typed it.
        noun: The word for it in error messages.

    Raises:
        ValueError: As for `parse_period`.
    """
    compact = "".join(text.split())
    if not compact:
        raise ValueError("type seconds, as in 90 or 0.5, or a span as in 1h30m")
    if _SECONDS.fullmatch(compact):
        seconds = float(compact)
    elif match := _SPAN.fullmatch(compact):
        seconds = sum(float(part or 0) * size for part, (_, size) in zip(match.groups(), _UNITS, strict=True))
    else:
        raise ValueError(_why_no_span(compact, noun))
    if seconds > LONGEST_PERIOD_SECONDS:
        raise ValueError(f"a {noun} can be at most ten years")
    return seconds


def period_text(seconds: float) -> str:
    """Return `seconds` as one would type it for `parse_period`: `90` becomes `1m30s`, `0.5` stays `0.5`.

    The text is exact to the microsecond. Spans that `parse_period` refuses, zero or more than ten years, are
    written in the same way.
    """
    if seconds < 60 or seconds != int(seconds):
        return f"{seconds:.6f}".rstrip("0").rstrip(".")
    return "".join(f"{number}{unit[0]}" for number, unit in _split(int(seconds)))


def _why_no_span(text: str, noun: str) -> str:
    if text.startswith(("-", "−")):
        return f"a {noun} cannot be negative"
    if "," in text:
        return "write the decimal point as a dot, as in 0.5"
    if re.fullmatch(r"(?:[0-9.]+(?:min|[dhms]))+", text):
        if "." in text:
            return "only seconds can have decimals: write 1h30m, not 1.5h"
        return "write the units in the order d h m s, each once, as in 1d2h3m4s"
    shown = repr(shortened(text))[1:-1]
    if re.fullmatch(r"(?:[0-9]+(?:min|[dhms]))*[0-9]+", text):
        return f"the last number of {shown} has no unit: d, h, m or s"
    return f"{shown} is not a {noun}: type seconds, as in 90, or a span as in 1h30m"


def shortened(text: str) -> str:
    """Shorten `text` in the middle, so that both ends can be recognised."""
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[: _LONGEST_SHOWN // 2]}…{text[1 - _LONGEST_SHOWN // 2 :]}"
