"""When a task of the file runs: exactly one of five keys, and the zone that they are told in."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import date, datetime, time
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from taskkit.errors import CronMissingError
from taskkit.local_times import when_reached
from taskkit.schedules import Cron, Daily, Every, Once, OnDemand, Schedule
from taskkit.taskfile.problems import nearest
from taskkit.taskfile.table import Table

SCHEDULE_KEYS: Final = ("every", "daily", "cron", "at", "on_demand")

_TIME_OF_DAY: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")
_DATE_AND_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})? ?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9998


def read_schedule(table: Table, zone: str | None) -> Schedule | None:
    """The schedule of a task; `None` where something is wrong with it.

    Args:
        table: Of the task; its unknown keys are known.
        zone: That of the file, for a task that names none.
    """
    keys = [key for key in SCHEDULE_KEYS if key in table]
    own_zone = read_zone(table)
    if not keys:
        if not table.perhaps.intersection(SCHEDULE_KEYS):
            table.wrong(None, "needs one of every, daily, cron, at or on_demand, which say when it runs")
        return None
    for key in keys[1:]:
        table.wrong(key, f"stands beside {keys[0]}, and a task has one schedule")
    zone = own_zone or zone
    match keys[0]:
        case "every":
            period = table.seconds("every", positive=True)
            schedule: Schedule | None = None if period is None else Every(period)
        case "daily":
            schedule = _daily(table, zone)
        case "cron":
            schedule = _cron(table, zone)
        case "at":
            schedule = _at(table, zone)
        case _:
            schedule = _on_demand(table)
    if "timezone" in table and keys[0] in ("every", "on_demand"):
        table.wrong("timezone", f"has no meaning beside {keys[0]}")
    return schedule


def read_zone(table: Table) -> str | None:
    """The name of the time zone that a table names; `None` where it names none, or none that is known."""
    name = table.text("timezone", 'the name of a time zone such as "Europe/Berlin"')
    if name is None or _is_zone(name):
        return name
    meant = _zone_meant(name)
    suggestion = None if meant is None else f'"{meant}"'
    table.wrong("timezone", "is no time zone that is known here", name, suggestion)
    return None


@lru_cache(maxsize=64)
def _zone_meant(name: str) -> str | None:
    """The zone that was perhaps meant; kept, as a file may have the same mistake in every task."""
    zones = sorted(available_timezones())
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in zones}
    return by_city.get(name.casefold().replace(" ", "_")) or nearest(name, zones)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, or the name of a folder of zones
        return False
    return True


def _daily(table: Table, zone: str | None) -> Schedule | None:
    value = table.data["daily"]
    if isinstance(value, time):
        value = value.isoformat()
    elif table.text("daily", 'a time of day such as "03:30"') is None:
        return None
    match = _TIME_OF_DAY.fullmatch(value)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        table.wrong("daily", "must be a time of day from 00:00 to 23:59, to the minute", table.data["daily"])
        return None
    return Daily(int(match[1]), int(match[2]), zone)


def _cron(table: Table, zone: str | None) -> Schedule | None:
    expression = table.text("cron", 'a cron expression such as "*/15 * * * *"')
    if expression is None:
        return None
    try:
        return Cron(expression, zone)
    except CronMissingError as error:
        table.wrong("cron", str(error))
    except ValueError as error:
        reason = str(error).rpartition(": ")[2] if ": " in str(error) else "it never matches"
        table.wrong("cron", f"must be a cron expression: {reason}", expression)
    return None


def _at(table: Table, zone: str | None) -> Schedule | None:
    value = table.data["at"]
    moment = _moment(value)
    if moment is None:
        lacks_time = isinstance(value, date) and not isinstance(value, datetime)
        table.wrong(
            "at",
            "needs a time of day after the date, as in 2030-12-24 18:00"
            if lacks_time
            else 'must be a date with a time of day, such as "2030-12-24 18:00"',
            value,
        )
    elif not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        table.wrong("at", f"must be in a year from {_FIRST_YEAR} to {_LAST_YEAR}", value)
    elif moment.tzinfo is None:
        local = timegm(moment.timetuple())
        reached = when_reached(None if zone is None else ZoneInfo(zone), local)
        return Once(reached + moment.microsecond / 1e6)
    elif "timezone" in table:
        table.wrong("timezone", "has no meaning beside an at that says its own offset from UTC")
    else:
        return Once(moment.timestamp())
    return None


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DATE_AND_TIME.fullmatch(value.strip()):
        return None
    try:
        return datetime.fromisoformat(value.strip().replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    except ValueError:  # the 31st of February
        return None


def _on_demand(table: Table) -> Schedule | None:
    flag = table.flag("on_demand")
    if flag is False:
        table.wrong("on_demand", "must be true, or left out", flag)
    return OnDemand() if flag else None
