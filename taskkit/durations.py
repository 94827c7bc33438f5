"""How long something takes: in words for a person, and out of what a person writes."""

from __future__ import annotations

import re
from typing import Final

LONGEST_PERIOD: Final = 10 * 365 * 86_400
"""Seconds in ten years: the longest span that can be written."""

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def in_words(seconds: float) -> str:
    """A duration in its two largest units, as in `30 s`, `0.5 s`, `1 h 30 min`."""
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
    """How long something took, as far as one wants to know: `0.4 ms`, `3 ms`, `1.2 s`, `2 min 5 s`."""
    if seconds < 0.000_95:
        return f"{max(0.0, seconds) * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else in_words(round(seconds))


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
    """The seconds that `text` says: `90`, `0.5`, or `1d2h3m4s` in that order.

    Raises:
        ValueError: It says nothing of the kind, or nothing between zero (excluded) and ten years; the
            message is one harmless line that tells a person why.
    """
    seconds = parse_span(text, "period")
    if seconds <= 0:
        raise ValueError("a period must be more than 0 seconds")
    return seconds


def parse_span(text: str, noun: str = "span") -> float:
    """The same, where nothing at all (`0s`) is a span too.

    Args:
        text: What a person wrote.
        noun: What the message calls it.

    Raises:
        ValueError: As `parse_period`.
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
    if seconds > LONGEST_PERIOD:
        raise ValueError(f"a {noun} can be ten years at most")
    return seconds


def period_text(seconds: float) -> str:
    """`seconds` as one would type it for `parse_period`: `90` becomes `1m30s`, `0.5` stays `0.5`.

    It is exact to the microsecond. What `parse_period` refuses, nothing at all or more than ten years, is
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
    shown = repr(_shortened(text))[1:-1]
    if re.fullmatch(r"(?:[0-9]+(?:min|[dhms]))*[0-9]+", text):
        return f"the last number of {shown} has no unit: d, h, m or s"
    return f"{shown} is no {noun}: type seconds, as in 90, or a span as in 1h30m"


def _shortened(text: str) -> str:
    """Shortened in the middle, so that both ends can be recognised."""
    if len(text) <= _LONGEST_SHOWN:
        return text
    return f"{text[: _LONGEST_SHOWN // 2]}…{text[1 - _LONGEST_SHOWN // 2 :]}"
