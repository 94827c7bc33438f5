"""What a new task is made of: a class that the target offers, values for it, a name, and when it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from taskkit import Cron, CronMissingError, Daily, Every, Once, OnDemand, Parameter, Schedule, due_times
from taskkit_tui.formatting import harmless, parse_period, shorten, typed_period

WHEN_HINT: Final = "90 · 1h30m · 03:30 · in 10m · */15 * * * * · on demand"
"""What one can type for a schedule."""

_DAILY: Final = re.compile(
    r"(?:daily\s+)?(?:at\s+)?(\d{1,2}):(\d{2})(?:\s+([A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*))?", re.IGNORECASE
)
_DATE: Final = re.compile(r"(?:once\s+)?(\d{4}-\d{1,2}-\d{1,2}[ T]\d{1,2}:\d{2}(?::\d{2})?)", re.IGNORECASE)
_CRON: Final = re.compile(r"cron(?:\s+|$)", re.IGNORECASE)
_BEGINS_AS_SPAN: Final = re.compile(r"every(?:\s|$)|[-.0-9]")


@dataclass(frozen=True, slots=True)
class Offer:
    """A task class that a person can make tasks of. Plain data: the class stays where the scheduler is."""

    key: str
    """What identifies it among the offers."""
    title: str
    summary: str
    """The first line of its docstring."""
    parameters: tuple[Parameter, ...]
    """What its constructor takes."""
    prefilled: Mapping[str, str] = field(default_factory=dict)
    """What the form proposes, by the names of parameters; the defaults where there is nothing."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that is to be registered."""

    offer: str
    """The key of its offer."""
    values: Mapping[str, object]
    """For the constructor, as `parse_parameter` gives them."""
    name: str
    schedule: Schedule


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


def _cron(expression: str) -> Cron:
    try:
        return Cron(expression)
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


def preview(schedule: Schedule, now: float, count: int) -> tuple[float, ...]:
    """The due times of a task that is registered now, in epoch seconds."""
    if isinstance(schedule, Every):
        return tuple(now + number * schedule.period for number in range(count))
    return tuple(due_times(schedule, now, count))


def proposed_name(offer: Offer, values: Mapping[str, object]) -> str:
    """A name that tells tasks of one class apart, as in `PageGenerator for static1.html`."""
    texts = [
        value
        for parameter in offer.parameters
        if parameter.required and isinstance(value := values.get(parameter.name), str) and value.strip()
    ]
    return harmless(f"{offer.title} for {texts[0].strip()}" if texts else offer.title)
