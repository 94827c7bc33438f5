"""How long something takes, in words for a person."""

from __future__ import annotations

from typing import Final

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


def _split(whole: int) -> list[tuple[int, str]]:
    parts = []
    for unit, size in _UNITS:
        number, whole = divmod(whole, size)
        if number:
            parts.append((number, unit))
    return parts
