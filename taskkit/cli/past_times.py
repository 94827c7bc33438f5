"""Reads past times as people write them: `2d`, `2 days`, `16:04`, `sat`, `yesterday 16:04`."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from taskkit.cli.command_line_errors import quoted
from taskkit.words.typed_times import span_in_words, time_of_day, weekday

PAST_TIME_FORMS: Final = (
    "a span before now, as 2d, 1h30m or “2 days”; a time of day, as 16:04; today, yesterday or a weekday, "
    "as sat or “sat 16:04”; or a date, as 2026-11-24 or “2026-11-24 14:30”"
)
"""The accepted forms, for help and error messages."""


def past_time(text: str, now: float) -> float:
    """Return the epoch seconds that `text` means.

    A day means its beginning; a weekday means the last such day, which may be today. A time of day means the
    last time that the clock showed it.

    Args:
        text: A past time, as typed.
        now: Epoch seconds.

    Raises:
        ValueError: The text has none of the accepted forms; the message is one harmless line.
    """
    words = " ".join(text.casefold().split())
    try:
        found = span_in_words(words.removesuffix(" ago"))
        return now - found if found is not None else _on_the_calendar(words, now)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{quoted(text)} is not a time: write {PAST_TIME_FORMS}") from None


def _on_the_calendar(words: str, now: float) -> float:
    today = datetime.fromtimestamp(now).date()
    first, _, rest = words.partition(" ")
    clock = time_of_day(words)
    if clock is not None:
        shown = datetime.combine(today, clock)
        return (shown if shown.timestamp() <= now else shown - timedelta(days=1)).timestamp()
    back = _days_back(first, today.weekday())
    if back is None:
        return datetime.fromisoformat(words.upper()).timestamp()
    clock = time_of_day(rest)
    if rest and clock is None:
        raise ValueError("no time of day")
    return datetime.combine(today - timedelta(days=back), clock or time()).timestamp()


def _days_back(word: str, today: int) -> int | None:
    if word in ("today", "yesterday"):
        return int(word == "yesterday")
    number = weekday(word)
    return None if number is None else (today - number) % 7
