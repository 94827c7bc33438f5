"""A schedule that a person types: what it means, and when a task would be due by it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from taskkit import Cron, CronMissingError, Daily, Every, Once, OnDemand, Schedule, TaskSnapshot, due_times
from taskkit_tui.formatting import clock_time, countdown, harmless, parse_period, shorten, typed_period

WHEN_HINT: Final = "90 · 1h30m · 03:30 · in 10m · */15 * * * * · on demand"
"""What one can type for a schedule."""

_DAILY: Final = re.compile(
    r"(?:daily\s+)?(?:at\s+)?(\d{1,2}):(\d{2})(?:\s+([A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*))?", re.IGNORECASE
)
_DATE: Final = re.compile(r"(?:once\s+)?(\d{4}-\d{1,2}-\d{1,2}[ T]\d{1,2}:\d{2}(?::\d{2})?)", re.IGNORECASE)
_CRON_IN_ZONE: Final = re.compile(r"(@[a-z]+|(?:\S+ ){4,5}\S+) ([A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)+|UTC)")
_CRON: Final = re.compile(r"cron(?:\s+|$)", re.IGNORECASE)
_BEGINS_AS_SPAN: Final = re.compile(r"every(?:\s|$)|[-.0-9]")


def read_schedule(text: str, now: float) -> Schedule:
    """The schedule that a person means.

    Args:
        text: A period, a time of day with or without a zone, `in` and a span, a date with a time, a cron
            expression, or `on demand`. The words that the dashboard itself puts before these may be there.
        now: Epoch seconds; `in 10m` counts from here.

    Raises:
        ValueError: It is none of these; the message says why, in words.
    """
    typed = " ".join(text.split())
    lowered = typed.casefold()
    if not typed:
        raise ValueError("say when it runs")
    if lowered in {"on demand", "on-demand", "demand"}:
        return OnDemand()
    if lowered.startswith("in "):
        return Once(now + parse_period(lowered.removeprefix("in ")))
    if match := _DAILY.fullmatch(typed):
        hour, minute, zone = match.groups()
        return Daily(int(hour), int(minute), zone)
    if match := _DATE.fullmatch(typed):
        return _once(match[1], now)
    expression = _CRON.sub("", typed)
    if expression != typed or typed.startswith("@") or len(typed.split()) >= 5:
        return _cron(expression)
    if _BEGINS_AS_SPAN.match(lowered):
        return Every(typed_period(lowered.removeprefix("every ")))
    raise ValueError(
        f"{shorten(harmless(typed), 30)} is no schedule: type a period, a time of day, a date with a time, "
        "a cron expression, or on demand"
    )


def _cron(typed: str) -> Cron:
    expression, zone = typed, None
    if match := _CRON_IN_ZONE.fullmatch(typed):
        expression, zone = match.groups()
    try:
        return Cron(expression, zone)
    except CronMissingError as error:
        raise ValueError(str(error)) from error


def _once(typed: str, now: float) -> Once:
    date, clock = typed.replace("T", " ").split(" ")
    year, month, day = map(int, date.split("-"))
    hour, minute, second = map(int, f"{clock}:0".split(":")[:3])
    try:
        at = datetime(year, month, day, hour, minute, second).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"there is no such time: {harmless(str(error))}") from error
    if at <= now:
        raise ValueError("that time has passed")
    return Once(at)


def preview(schedule: Schedule, now: float, count: int, *, at_once: bool = True) -> tuple[float, ...]:
    """The due times of a task that gets its schedule now, in epoch seconds.

    Args:
        schedule: Its schedule.
        now: Epoch seconds.
        count: How many to tell at most.
        at_once: Whether it is registered now; one that is periodic is then due at once.
    """
    if isinstance(schedule, Every):
        first = 0 if at_once else 1
        return tuple(now + number * schedule.period for number in range(first, first + count))
    return tuple(due_times(schedule, now, count))


def preview_lines(schedule: Schedule, now: float, count: int, *, at_once: bool = True) -> list[str]:
    """A schedule in words, and beneath it its due times, one a line; see `preview`."""
    return [
        harmless(str(schedule)),
        *(
            f"{clock_time(due, now):>10}   {'at once' if due <= now else 'in ' + countdown(due, now)}"
            for due in preview(schedule, now, count, at_once=at_once)
        ),
    ]


def as_typed(task: TaskSnapshot) -> str:
    """The schedule of a task as one could have typed it; one of somebody's own may have no such words."""
    if task.schedule != "once" or task.next_run is None:
        return harmless(task.schedule)
    at = datetime.fromtimestamp(task.next_run)
    return f"{at:%Y-%m-%d %H:%M:%S}" if at.second else f"{at:%Y-%m-%d %H:%M}"
