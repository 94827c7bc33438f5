"""The keys that say when a task of the file runs: exactly one of six, and the time zone."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import date, datetime, time
from functools import lru_cache
from typing import Final, cast
from zoneinfo import available_timezones

from taskkit.errors import CronMissingError
from taskkit.schedules import After, AnyOf, Cron, Daily, Every, Once, OnDemand, Schedule
from taskkit.schedules.after import END_KINDS, EndKind
from taskkit.schedules.crontab_lines import CrontabPartError
from taskkit.schedules.due_limits import moment
from taskkit.schedules.local_times import when_reached
from taskkit.schedules.zones import REMEDY, has_database, zone_named
from taskkit.taskfile.problems import nearest
from taskkit.taskfile.toml_table import TomlTable

SCHEDULE_KEYS: Final = ("every", "daily", "cron", "at", "after", "on_demand")

_TIME_OF_DAY: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9998


def read_schedule(table: TomlTable, zone: str | None) -> Schedule | None:
    """Return the schedule of a task; `None` if something is wrong with it.

    Args:
        table: The task's table, after `refuse_unknown()`.
        zone: The zone of the file, for a task that names none.
    """
    keys = [key for key in SCHEDULE_KEYS if key in table]
    own_zone = read_zone(table)
    if not keys:
        if not table.suggested.intersection(SCHEDULE_KEYS):
            table.wrong(
                None, "needs one of every, daily, cron, at, after or on_demand, which say when it runs"
            )
        return None
    for key in keys[1:]:
        table.wrong(key, f"cannot be used with {keys[0]}: a task has one schedule")
    zone = own_zone or zone
    match keys[0]:
        case "every":
            period = table.seconds("every", positive=True)
            fixed_delay = table.flag("fixed_delay") or False
            schedule: Schedule | None = None if period is None else Every(period, fixed_delay=fixed_delay)
        case "daily":
            schedule = _daily(table, zone)
        case "cron":
            schedule = _cron(table, zone)
        case "at":
            schedule = _at(table, zone)
        case "after":
            schedule = _after(table)
        case _:
            schedule = _on_demand(table)
    if "on" in table and keys[0] != "after":
        table.wrong("on", f"has no meaning with {keys[0]}; it belongs to after")
    if "fixed_delay" in table and keys[0] != "every":
        table.wrong("fixed_delay", f"has no meaning with {keys[0]}; it belongs to every")
    if "timezone" in table and keys[0] in ("every", "after", "on_demand") and not _limits_in_zone(table):
        table.wrong("timezone", f"has no meaning with {keys[0]}")
    return schedule


def _limits_in_zone(table: TomlTable) -> bool:
    """True if the table has keys beside its schedule that a time zone is for."""
    return any(key in table for key in ("window", "not_on", "not_before", "until")) and (
        "every" in table or "after" in table
    )


def read_zone(table: TomlTable) -> str | None:
    """Return the name of a table's time zone; `None` if it names none, or one that is not known."""
    name = table.text("timezone", 'the name of a time zone such as "Europe/Berlin"')
    if name is None:
        return None
    try:
        zone_named(name)
    except ValueError:
        pass
    else:
        return name
    if not has_database():
        table.wrong("timezone", f"cannot be looked up without a time zone database: {REMEDY}", name)
        return None
    meant = _zone_meant(name)
    suggestion = None if meant is None else f'"{meant}"'
    table.wrong("timezone", "is not a time zone that is known here", name, suggestion)
    return None


@lru_cache(maxsize=64)
def _zone_meant(name: str) -> str | None:
    """Return the zone that was perhaps meant. Cached, as a file may repeat the mistake in every task."""
    zones = sorted(available_timezones())
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in zones}
    return by_city.get(name.casefold().replace(" ", "_")) or nearest(name, zones)


def _daily(table: TomlTable, zone: str | None) -> Schedule | None:
    value = table.data["daily"]
    given = value if isinstance(value, list) and value else [value]
    times = []
    for each in given:
        text = each.isoformat() if isinstance(each, time) else each
        if not isinstance(text, str):
            table.wrong("daily", 'must be a time of day such as "03:30", in quotes, or a list of them', value)
            return None
        match = _TIME_OF_DAY.fullmatch(text)
        if match is None or int(match[1]) > 23 or int(match[2]) > 59:
            table.wrong("daily", "must be a time of day from 00:00 to 23:59, to the minute", each)
            return None
        times.append(f"{match[1]}:{match[2]}")
    return Daily(times, tz=zone)


def _cron(table: TomlTable, zone: str | None) -> Schedule | None:
    value = table.data["cron"]
    given = value if isinstance(value, list) and value else [value]
    found = [_expression(table, each, zone) for each in given]
    crons = [each for each in found if each is not None]
    if len(crons) < len(found):
        return None
    return crons[0] if len(crons) == 1 else AnyOf(*crons)


def _expression(table: TomlTable, expression: object, zone: str | None) -> Cron | None:
    if not isinstance(expression, str):
        wanted = 'must be a cron expression such as "*/15 * * * *", in quotes, or a list of them'
        table.wrong("cron", wanted, table.data["cron"])
        return None
    try:
        return Cron(expression, zone)
    except CronMissingError as error:
        table.wrong("cron", str(error))
    except ValueError as error:
        if isinstance(part := error.__cause__, CrontabPartError):
            reason = part.in_file
        else:
            reason = str(error).rpartition(": ")[2] if ": " in str(error) else "it never matches"
        table.wrong("cron", f"must be a cron expression: {reason}", expression)
    return None


def _at(table: TomlTable, zone: str | None) -> Schedule | None:
    value = table.data["at"]
    at = _moment(value)
    if at is None:
        lacks_time = isinstance(value, date) and not isinstance(value, datetime)
        table.wrong(
            "at",
            "needs a time of day after the date, as in 2030-12-24 18:00"
            if lacks_time
            else 'must be a date with a time of day, such as "2030-12-24 18:00"',
            value,
        )
    elif not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        table.wrong("at", f"must be in a year from {_FIRST_YEAR} to {_LAST_YEAR}", value)
    elif at.tzinfo is None:
        local = timegm(at.timetuple())
        reached = when_reached(None if zone is None else zone_named(zone), local)
        return Once(reached + at.microsecond / 1e6)
    elif "timezone" in table:
        table.wrong("timezone", "has no meaning with an at that says its own offset from UTC")
    else:
        return Once(at.timestamp())
    return None


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return moment(value) if isinstance(value, str) else None


def _after(table: TomlTable) -> Schedule | None:
    value, on = table.data["after"], table.text("on", '"success", "failure" or "end"')
    if on is not None and on not in END_KINDS:
        table.wrong("on", 'must be "success", "failure" or "end"', on, nearest(on, END_KINDS))
        return None
    if "on" in table and on is None:
        return None
    names = value if isinstance(value, list) else [value]
    try:
        return After(*names, on=cast(EndKind, on or "success"))
    except (TypeError, ValueError):
        table.wrong("after", "must be the name of a task, in quotes, or a list of such names", value)
        return None


def _on_demand(table: TomlTable) -> Schedule | None:
    flag = table.flag("on_demand")
    if flag is False:
        table.wrong("on_demand", "must be true, or left out", flag)
    return OnDemand() if flag else None
