"""How instants, spans and outcomes are written for a person."""

from __future__ import annotations

from datetime import timedelta, tzinfo
from math import ceil
from typing import Final

from taskkit.durations import in_words
from taskkit.local_times import local_time
from taskkit.outcome import Trigger
from taskkit.words import full_time as full_time
from taskkit.words import kind_words as kind_words
from taskkit.words import offset_text

_HALF_A_YEAR: Final = 183 * 86_400

_TRIGGER_WORDS: Final = {
    Trigger.SCHEDULE: "",
    Trigger.DEMAND: "on demand",
    Trigger.RUN_NOW: "by hand",
    Trigger.RETRY: "",
}


def trigger_words(trigger: Trigger, attempt: int) -> str:
    """What made a run start, unless that was its schedule: `by hand`, `try 2`."""
    return f"try {attempt}" if attempt > 1 else _TRIGGER_WORDS[trigger]


def until(instant: float, now: float) -> str:
    """How long it is until then: `in 3 min 5 s`, `at once`."""
    return "at once" if instant <= now else f"in {in_words(ceil(instant - now))}"


def compact_time(instant: float, now: float, tz: tzinfo | None = None) -> str:
    """When that is, for narrow terminals: `03:30:00` if it is the same day as `now`, else `25 Nov 03:30`."""
    when, today = local_time(instant, tz), local_time(now, tz)
    if when is None or today is None or abs(instant - now) > _HALF_A_YEAR:
        return full_time(instant, tz)
    return f"{when:%H:%M:%S}" if when.date() == today.date() else f"{when.day} {when:%b %H:%M}"


def near_time(instant: float, now: float, tz: tzinfo | None = None, *, brief: bool = False) -> str:
    """When that is, without what goes without saying: `16:53`, `Mon 16:53` within a week, `24 Dec 16:53`.

    Args:
        instant: Epoch seconds.
        now: Epoch seconds.
        tz: `None` for the zone of the machine.
        brief: Whether the time of day is told today only.
    """
    when, today = local_time(instant, tz), local_time(now, tz)
    if when is None or today is None:
        return full_time(instant, tz)
    if when.date() == today.date():
        return f"{when:%H:%M}"
    if abs(when.date() - today.date()) < timedelta(days=7):
        day = f"{when:%a}"
    elif abs(instant - now) < _HALF_A_YEAR:
        day = f"{when.day} {when:%b}"
    else:
        return f"{when:%b %Y}" if brief else f"{when:%Y-%m-%d}"
    return day if brief else f"{day} {when:%H:%M}"


def on_a_clock(seconds: float) -> str:
    """How long something goes on, as a clock would count it: `2:13`, `1:02:13`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def short_time(instant: float, now: float) -> str:
    """When that is, without the day if it is the same day as `now`: `03:30:00`."""
    when, today = local_time(instant), local_time(now)
    if when is not None and today is not None and when.date() == today.date():
        return f"{when:%H:%M:%S}"
    return full_time(instant)


def offset(instant: float, tz: tzinfo | None = None) -> str:
    """How far the clocks are ahead of UTC then: `+01:00`."""
    when = local_time(instant, tz)
    return "" if when is None else offset_text(when)
