"""Reads future times as people type them: `2h`, `in 2 days`, `18:00`, `fri`, `tomorrow 09:00`, a date."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Final

from taskkit.words.durations import LONGEST_PERIOD_SECONDS, parse_span, shortened
from taskkit.words.plain_text import harmless

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN_IN_WORDS: Final = re.compile(
    r"([0-9]+(?:\.[0-9]+)?) *(?:(s)(?:ec(?:ond)?s?)?|(m)(?:in(?:ute)?s?)?|(h)(?:ours?)?|(d)(?:ays?)?"
    r"|(w)(?:eeks?)?)"
)
_TIME_OF_DAY: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_NUMBER: Final = re.compile(r"[0-9.]+")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MIN_WEEKDAY_LETTERS: Final = 3
"""A weekday may be shortened to this many letters."""

FUTURE_TIME_FORMS: Final = (
    "a span from now, as 2h, 1h30m or “2 days”; a time of day, as 18:00; tomorrow or a weekday, as fri or "
    "“fri 18:00”; or a date, as 2026-12-24 or “2026-12-24 18:00”"
)
"""The accepted forms, for help and error messages."""


def future_time(text: str, now: float) -> float:
    """Return the epoch seconds that `text` means, in the time zone of the machine.

    A day means its beginning; a weekday means the next such day, which is today only with a time of day that
    is still ahead. A time of day means the next time that the clock shows it.

    Args:
        text: A future time, as typed.
        now: Epoch seconds.

    Raises:
        ValueError: The text has none of the accepted forms, or has passed; the message is one harmless line.
    """
    words = " ".join(text.casefold().split())
    shown = f"“{harmless(shortened(' '.join(text.split())))}”"
    if _NUMBER.fullmatch(words):
        raise ValueError(f"{shown} may be seconds or an hour: write {words}s or {words}:00")
    try:
        span = span_in_words(words.removeprefix("in "))
        at = _on_the_calendar(words, now) if span is None else now + span
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{shown} is not a time: write {FUTURE_TIME_FORMS}") from None
    if at <= now:
        raise ValueError(f"{shown} has passed: write a future time, such as 2h, 18:00 or tomorrow")
    return at


def span_in_words(words: str) -> float | None:
    """Return the seconds of a span such as `2 days` or `1h30m`; `None` if it is not a span.

    Raises:
        ValueError: It is longer than ten years.
    """
    if match := _SPAN_IN_WORDS.fullmatch(words):
        number, *units = match.groups()
        span = float(number) * next(_UNITS[unit] for unit in units if unit)
        if span > LONGEST_PERIOD_SECONDS:
            raise ValueError("too long")
        return span
    try:
        return parse_span(words)
    except ValueError:
        return None


def time_of_day(words: str) -> time | None:
    """Return a time of day such as `18:00` or `18:00:30`; `None` if it is none.

    Raises:
        ValueError: The clock never shows it.
    """
    match = _TIME_OF_DAY.fullmatch(words)
    if match is None:
        return None
    hour, minute, second = match.groups(default="0")
    return time(int(hour), int(minute), int(second))


def weekday(word: str) -> int | None:
    """Return the number of a weekday, Monday being 0, of three letters or more; `None` if it is none."""
    if len(word) < _MIN_WEEKDAY_LETTERS:
        return None
    found = [number for number, name in enumerate(_WEEKDAYS) if name.startswith(word)]
    return found[0] if found else None


def _on_the_calendar(words: str, now: float) -> float:
    today = datetime.fromtimestamp(now).date()
    first, _, rest = words.partition(" ")
    clock = time_of_day(words)
    if clock is not None:
        shown = datetime.combine(today, clock)
        return (shown if shown.timestamp() > now else shown + timedelta(days=1)).timestamp()
    days = _days_ahead(first, today.weekday())
    if days is None:
        return datetime.fromisoformat(words.upper()).timestamp()
    clock = time_of_day(rest)
    if rest and clock is None:
        raise ValueError("no time of day")
    at = datetime.combine(today + timedelta(days=days), clock or time())
    if at.timestamp() <= now and weekday(first) is not None:
        at += timedelta(days=7)
    return at.timestamp()


def _days_ahead(word: str, today: int) -> int | None:
    if word in ("today", "tomorrow"):
        return int(word == "tomorrow")
    number = weekday(word)
    return None if number is None else (number - today) % 7
