"""Schedules as a person types them in a form or at a prompt: `1h30m`, `daily 03:30`, `in 10m`, `@hourly`."""

from __future__ import annotations

import re
from datetime import datetime
from math import inf, nextafter
from typing import Final

from taskkit.errors import CronMissingError
from taskkit.schedules.after import read_after
from taskkit.schedules.any_of import AnyOf
from taskkit.schedules.crontab_lines import EVERY_ALIAS, ZONE_SETTING
from taskkit.schedules.due_limits import DueLimits
from taskkit.schedules.grid import grid_next
from taskkit.schedules.kinds import Cron, Daily, Every, Once, OnDemand, Schedule
from taskkit.schedules.queries import due_times
from taskkit.words.durations import parse_period, shortened, typed_period

_ZONE: Final = r"[A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*"
_TIME_OF_DAY: Final = r"\d{1,2}:\d{2}"
_TIME: Final = re.compile(_TIME_OF_DAY)
_DAILY: Final = re.compile(
    rf"(?:daily )?(?:at )?({_TIME_OF_DAY}(?:(?: ?, ?| and | ){_TIME_OF_DAY})*)(?: ({_ZONE}))?", re.IGNORECASE
)
_AFTER_EACH_RUN: Final = re.compile(r"(?:every )?(.+) after each run")
_OR: Final = re.compile(r" or ", re.IGNORECASE)
_DATE: Final = re.compile(r"(?:once\s+)?(\d{4}-\d{1,2}-\d{1,2}[ T]\d{1,2}:\d{2}(?::\d{2})?)", re.IGNORECASE)
_CRON_IN_ZONE: Final = re.compile(r"(@[a-z]+|(?:\S+ ){4,5}\S+) ([A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)+|UTC)")
_CRON: Final = re.compile(r"cron(?:\s+|$)", re.IGNORECASE)
_BEGINS_AS_SPAN: Final = re.compile(r"every(?:\s|$)|[-.0-9]")


def read_schedule(text: str, now: float) -> Schedule:
    """Return the schedule that a typed text means.

    Args:
        text: A period, times of day with or without a zone, `in` and a span, a date with a time, a cron
            expression, or several of them with `or` between them; or `after` and names of tasks, or `on
            demand`. Each may begin with `every`, `daily`, `once` or `cron`, as schedules are shown.
        now: Epoch seconds; `in 10m` counts from here.

    Raises:
        ValueError: It is none of these; the message says why.
    """
    typed = " ".join(text.split())
    lowered = typed.casefold()
    if not typed:
        raise ValueError("say when it runs")
    if lowered in {"on demand", "on-demand", "demand"}:
        return OnDemand()
    if (after := read_after(typed)) is not None:
        return after
    if len(parts := _OR.split(typed)) > 1:
        return AnyOf(*(read_schedule(part, now) for part in parts))
    if lowered.startswith("in "):
        return Once(now + parse_period(lowered.removeprefix("in ")))
    if match := _DAILY.fullmatch(typed):
        return Daily(_TIME.findall(match[1]), tz=match[2])
    if match := _AFTER_EACH_RUN.fullmatch(lowered):
        return Every(typed_period(match[1]), fixed_delay=True)
    if match := EVERY_ALIAS.fullmatch(typed):
        return Every(typed_period(match[1]))
    if match := _DATE.fullmatch(typed):
        return _once(match[1], now)
    expression = _CRON.sub("", typed)
    if expression != typed or typed.startswith("@") or ZONE_SETTING.match(typed) or len(typed.split()) >= 5:
        return _cron(expression)
    if _BEGINS_AS_SPAN.match(lowered):
        return Every(typed_period(lowered.removeprefix("every ")))
    shown = repr(shortened(typed))[1:-1]
    raise ValueError(
        f"{shown} is not a schedule: type a period, a time of day, a date with a time, "
        "a cron expression, or on demand"
    )


def _cron(typed: str) -> Cron:
    expression, zone = typed, None
    if match := ZONE_SETTING.fullmatch(typed):
        zone, expression = match.groups()
    elif match := _CRON_IN_ZONE.fullmatch(typed):
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
        raise ValueError(f"there is no such time: {error}") from error
    if at <= now:
        raise ValueError("that time has passed")
    return Once(at)


def preview(
    schedule: Schedule, now: float, count: int, *, at_once: bool = True, limits: DueLimits | None = None
) -> tuple[float, ...]:
    """Return the due times of a task that gets its schedule now, in epoch seconds.

    Args:
        schedule: The new schedule.
        now: Epoch seconds.
        count: The most due times to return.
        at_once: True if the task is registered now: a periodic one is due at once. False if it is
            rescheduled: a periodic one is due after one period.
        limits: The limits of the task's due times, if there are any.

    Raises:
        ValueError: The limits leave no due time.
    """
    if isinstance(schedule, Every) and schedule.fixed_delay:
        count = min(count, 1)  # what follows depends on how long the runs take
    if limits is not None and schedule.has_due_times and count:
        return _within(limits, schedule, now, count, at_once=at_once)
    if isinstance(schedule, Every):
        first = 0 if at_once else 1
        return tuple(now + number * schedule.period for number in range(first, first + count))
    return tuple(due_times(schedule, now, count))


def _within(
    limits: DueLimits, schedule: Schedule, now: float, count: int, *, at_once: bool
) -> tuple[float, ...]:
    anchor = max(now, limits.not_before)

    def next_after(instant: float) -> float | None:
        if isinstance(schedule, Every) and schedule.start is None:
            return grid_next(anchor, schedule.period, instant)
        return schedule.next_after(instant)

    found: list[float] = []
    due = limits.first_after(next_after, nextafter(now, -inf) if at_once else now)
    while due is not None and len(found) < count:
        found.append(due)
        due = limits.first_after(next_after, due)
    if not found:
        raise ValueError("no due time would lie in the window of the task, or between not_before and until")
    return tuple(found)
