"""The keys that limit when a task of the file is due: from, until, its window, and dates without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from time import time as now
from typing import Any, Final

from taskkit.policies import Policies
from taskkit.schedules import Schedule
from taskkit.schedules.due_limits import checked_bound, has_own_zone, is_never_open
from taskkit.schedules.open_hours import read_dates, read_window
from taskkit.taskfile.toml_table import TomlTable

LIMIT_KEYS: Final = ("not_before", "until", "window", "not_on")


def read_limits(table: TomlTable, schedule: Schedule, zone: str | None) -> Mapping[str, Any] | None:
    """Return the policies that limit the due times of a task; `None` if something is wrong with them.

    Args:
        table: The task's table, after `refuse_unknown()`.
        schedule: Its schedule.
        zone: The zone of the file, for a task that names none.
    """
    given = {key: table.data[key] for key in LIMIT_KEYS if key in table}
    if not given:
        return {}
    policies: dict[str, Any] = {}
    for key, value in given.items():
        read: Callable[[Any], object] = _READERS[key]
        try:
            policies[key] = read(value)
        except (TypeError, ValueError) as error:
            table.wrong(key, _rest(str(error), value), value)
    if len(policies) < len(given):
        return None
    name = table.data.get("timezone") or zone
    if name is not None and not has_own_zone(schedule) and _uses_zone(policies):
        policies["timezone"] = name
    try:
        checked = Policies(**policies)
        checked.check_limits(schedule)
    except ValueError as error:
        key = next(key for key in (*given, "timezone") if str(error).startswith(key))
        table.wrong(key, str(error).removeprefix(f"{key} "), table.data.get(key, ""))
        return None
    limits = checked.limits(schedule)
    if limits is not None and is_never_open(schedule, limits, now()):
        key = "window" if "window" in table else "not_on"
        table.wrong(key, f"leaves no due time of {schedule} within ten years", table.data[key])
        return None
    return policies


def _uses_zone(policies: Mapping[str, Any]) -> bool:
    bounds = (policies.get("not_before"), policies.get("until"))
    return "window" in policies or "not_on" in policies or any(isinstance(each, str) for each in bounds)


def _rest(message: str, value: object) -> str:
    """Return an error about a value without the value, which a problem shows before it."""
    return message.removesuffix(f", not {value!r}")


def _bound(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        raise ValueError("needs a time of day after the date, as in 2030-12-24 18:00")
    if isinstance(value, datetime):
        return checked_bound("it", value.isoformat(" ") if value.tzinfo is None else value)
    if not isinstance(value, str):
        raise TypeError('must be a date with a time of day, such as "2030-12-24 18:00"')
    try:
        return checked_bound("it", value)
    except ValueError:
        raise ValueError('must be a date with a time of day, such as "2030-12-24 18:00"') from None


def _window(value: object) -> object:
    if not isinstance(value, str):
        raise TypeError('must be days and hours such as "mon-fri 09:00-17:00", in quotes')
    read_window(value)
    return value


def _dates(value: object) -> object:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, datetime | time | int | float | dict | list):
            raise TypeError('must be dates such as "2026-12-25", in a list')
    return read_dates(value)


_READERS: Final = {"not_before": _bound, "until": _bound, "window": _window, "not_on": _dates}
