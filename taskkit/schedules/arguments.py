"""Checks of the arguments that schedules take: the errors name the argument, the value and the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from taskkit._helpers.checks import check_whole, finite
from taskkit.schedules.zones import zone_named
from taskkit.words.durations import parse_period
from taskkit.words.typed_times import future_time

TIME_OF_DAY: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})")
"""A time of day as people write it: `9:00`, `17:30`."""


def check_period(period: float | timedelta) -> float:
    """Return a period in seconds.

    Raises:
        TypeError: `period` is neither a number nor a `timedelta`.
        ValueError: `period` is not more than 0, infinite, or NaN.
    """
    if isinstance(period, timedelta):
        seconds = period.total_seconds()
    else:
        _refuse_text(period)
        seconds = finite("period", period, "a number of seconds or a timedelta")
    if seconds <= 0:
        raise ValueError(f"period must be more than 0 seconds, not {period!r}")
    return seconds


def _refuse_text(period: object) -> None:
    """Refuse a period given as text, such as "5m".

    Raises:
        TypeError: It is a text. The message says how to write that span in Python.
    """
    if not isinstance(period, str):
        return
    try:
        seconds = parse_period(period)
    except ValueError:
        seconds = 300.0
    units = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
    unit, size = next((each for each in units if not seconds % each[1]), units[-1])
    written = f"{seconds:.15g} or timedelta({unit}={seconds / size:.15g})"
    raise TypeError(f"period must be a number of seconds or a timedelta, not {period!r}; write {written}")


def instant_of(value: float | datetime | None, argument: str) -> float | None:
    """Return `value` in epoch seconds; `None` stays `None`. A naive `datetime` is local time.

    Args:
        value: Epoch seconds or a `datetime`.
        argument: The name of the argument, for messages.

    Raises:
        TypeError: `value` is neither a number nor a `datetime`.
        ValueError: `value` is infinite, NaN, or a `datetime` that has no epoch seconds.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        try:
            return value.timestamp()
        except (OverflowError, ValueError, OSError):
            raise ValueError(f"{argument} must be within the years of the calendar, not {value!r}") from None
    return finite(argument, value, "epoch seconds, a datetime or None")


def end_of_disabling(until: float | datetime | str, now: float) -> float:
    """Return `until` in epoch seconds.

    Args:
        until: Epoch seconds, a `datetime` (a naive one is local time), or a text as a person types it.
        now: Epoch seconds.

    Raises:
        TypeError: `until` is none of these.
        ValueError: `until` is not in the future, is infinite or NaN, or cannot be read.
    """
    if isinstance(until, str):
        try:
            return future_time(until, now)
        except ValueError as error:
            raise ValueError(f"until: {error}") from None
    if not isinstance(until, datetime):
        finite("until", until, "epoch seconds, a datetime, a text such as “18:00”, or None")
    at = instant_of(until, "until")
    assert at is not None
    if at <= now:
        raise ValueError(f"until must be in the future, not {until!r}; enable_task() enables a task now")
    return at


def whole_up_to(highest: int, argument: str, value: object) -> int:
    """Return `value` if it is a whole number from 0 to `highest`.

    Raises:
        TypeError: It is not a whole number.
        ValueError: It is out of range.
    """
    check_whole(argument, value, f"a whole number from 0 to {highest}")
    assert isinstance(value, int)
    if not 0 <= value <= highest:
        raise ValueError(f"{argument} must be from 0 to {highest}, not {value}")
    return value


def times_of_day(hour: object, minute: object) -> tuple[str, ...]:
    """Return times of day as `hh:mm`, ascending, each once: one in numbers, or any in texts.

    Raises:
        TypeError: They are neither numbers nor texts, or `minute` is given along with texts.
        ValueError: There is no such time of day, or none is given.
    """
    if minute is not None and isinstance(hour, Iterable) and not isinstance(hour, str):
        perhaps = f"; write tz={minute!r}" if isinstance(minute, str | tzinfo) else ""
        raise TypeError(f"minute must not be given together with times of day, as {minute!r} is{perhaps}")
    if minute is None and isinstance(hour, Iterable):
        texts = [hour] if isinstance(hour, str) else list(hour)
        if not texts:
            raise ValueError("hour must have at least one time of day such as '09:00', not an empty list")
        return tuple(sorted({_time_of_day(each) for each in texts}))
    whole_hour, whole_minute = whole_up_to(23, "hour", hour), whole_up_to(59, "minute", minute)
    return (f"{whole_hour:02}:{whole_minute:02}",)


def _time_of_day(text: object) -> str:
    if isinstance(text, time) and text == time(text.hour, text.minute):
        return f"{text:%H:%M}"
    if not isinstance(text, str):
        raise TypeError(f"hour must be a number, or times of day such as ['09:00', '17:00'], not {text!r}")
    match = TIME_OF_DAY.fullmatch(text.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f"hour must be a time of day from '00:00' to '23:59', not {text!r}")
    return f"{int(match[1]):02}:{match[2]}"


def checked_zone(tz: str | tzinfo | None, argument: str = "tz") -> tzinfo | None:
    """Return a time zone given by name or as it is; `None` stays `None`.

    Raises:
        TypeError: `tz` is something else.
        ValueError: There is no zone of that name, or no time zone database.
    """
    if tz is None or isinstance(tz, tzinfo):
        return tz
    if not isinstance(tz, str):
        raise TypeError(f"{argument} must be the name of a time zone, a tzinfo or None, not {tz!r}")
    try:
        return zone_named(tz)
    except ValueError as error:
        raise ValueError(f"{argument} must name a known time zone, not {error}") from None
