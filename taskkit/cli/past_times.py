"""A time that has passed, as a person writes it: `2d`, `2 days`, `16:04`, `sat`, `yesterday 16:04`."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Final

from taskkit.cli.errors import quoted
from taskkit.durations import LONGEST_PERIOD, parse_span

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_IN_WORDS: Final = re.compile(
    r"([0-9]+(?:\.[0-9]+)?) *(?:(s)(?:ec(?:ond)?s?)?|(m)(?:in(?:ute)?s?)?|(h)(?:ours?)?|(d)(?:ays?)?"
    r"|(w)(?:eeks?)?)(?: +ago)?"
)
_TIME_OF_DAY: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST: Final = 3
"""Letters from which on a word may mean a weekday."""

FORMS: Final = (
    "a span back from now as 2d, 1h30m or “2 days”; a time as 16:04; today, yesterday or a weekday as sat, "
    "with a time or without; or a date as 2026-11-24 or “2026-11-24 14:30”"
)
"""What can be written."""


def past_time(text: str, now: float) -> float:
    """When that was, in epoch seconds.

    A day means its beginning, and a weekday the last one, which may be today. A time of day means the last
    time that the clock has shown it.

    Args:
        text: What a person wrote.
        now: Epoch seconds.

    Raises:
        ValueError: It is nothing of the kind, or not told; the message is one harmless line.
    """
    words = " ".join(text.casefold().split())
    try:
        found = _span(words)
        return now - found if found is not None else _on_the_calendar(words, now)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{quoted(text)} is no time: write {FORMS}") from None


def _span(words: str) -> float | None:
    if match := _IN_WORDS.fullmatch(words):
        number, *units = match.groups()
        span = float(number) * next(_UNITS[unit] for unit in units if unit)
        if span > LONGEST_PERIOD:
            raise ValueError("too long")
        return span
    try:
        return parse_span(words)
    except ValueError:
        return None


def _on_the_calendar(words: str, now: float) -> float:
    today = datetime.fromtimestamp(now).date()
    first, _, rest = words.partition(" ")
    if match := _TIME_OF_DAY.fullmatch(words):
        shown = datetime.combine(today, _time_of_day(match))
        return (shown if shown.timestamp() <= now else shown - timedelta(days=1)).timestamp()
    back = _days_back(first, today.weekday())
    if back is None:
        return datetime.fromisoformat(words.upper()).timestamp()
    at = _TIME_OF_DAY.fullmatch(rest)
    if rest and at is None:
        raise ValueError("no time of day")
    return datetime.combine(today - timedelta(days=back), _time_of_day(at) if at else time()).timestamp()


def _time_of_day(match: re.Match[str]) -> time:
    hour, minute, second = match.groups(default="0")
    return time(int(hour), int(minute), int(second))


def _days_back(word: str, today: int) -> int | None:
    if word in ("today", "yesterday"):
        return int(word == "yesterday")
    if len(word) < _SHORTEST:
        return None
    found = [number for number, name in enumerate(_WEEKDAYS) if name.startswith(word)]
    return (today - found[0]) % 7 if found else None
