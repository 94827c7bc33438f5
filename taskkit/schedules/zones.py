"""Time zones by name, and any `tzinfo` as plain data, so that a store can save and restore it.

A zone of the database is written as its name. Any other object is written as its offset if it has one for all
times, else as the table of its changes from 2015 to 2037. Two objects are the same zone if they are written
in the same way, from whatever package they come.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from taskkit.schedules.local_times import DAY, offset_at, stretches
from taskkit.schedules.machine_zone import UTC_NAMES, machine_zone

REMEDY: Final = "install the package tzdata, with pip or as one of the system"
"""The remedy where there is no time zone database."""

_OFFSET: Final = re.compile(r"UTC([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")

_FIRST: Final = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())
_LAST: Final = int(datetime(2037, 12, 31, tzinfo=UTC).timestamp())
"""The span in which the changes of a zone are looked up: the years that every package knows."""
_STEP_SECONDS: Final = 7 * DAY
_MOST_KNOWN: Final = 256


def zone_named(name: str) -> tzinfo:
    """Return the zone of that name. UTC and fixed offsets such as `UTC+02:00` need no database.

    Raises:
        ValueError: There is no such zone, or no database. The message is the name, with the remedy if any.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, or the name of a folder of zones
        pass
    if name.removeprefix("Etc/") in UTC_NAMES:
        return UTC
    if (match := _OFFSET.fullmatch(name)) and int(match[2]) < 24 and int(match[3]) < 60:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
        return timezone(-offset if match[1] == "-" else offset)
    if has_database():
        raise ValueError(repr(name))
    raise ValueError(f"{name!r}: there is no time zone database here; {REMEDY}")


def has_database() -> bool:
    """True if Python finds a time zone database."""
    try:
        ZoneInfo("Etc/UTC")
    except (KeyError, ValueError, OSError):
        return False
    return True


def zone_name(tz: tzinfo | None) -> str:
    """Return the name of a zone; for `None` that of the machine, or `local` if it is unknown."""
    if tz is None:
        return machine_zone().name
    if isinstance(tz, ZoneInfo) and tz.key:
        return tz.key
    try:
        offset = tz.utcoffset(None)
    except Exception:  # noqa: BLE001 - foreign code may raise anything
        offset = None
    if offset is None:
        name = getattr(tz, "zone", None) or getattr(tz, "_filename", None)  # in `pytz` and `dateutil`
        return name.rpartition("/zoneinfo/")[2] if isinstance(name, str) else str(tz)
    return str(timezone(offset))  # not its name: CET in the database has daylight saving


# As plain data


def zone_to_json(zone: tzinfo | None) -> Any:
    """Return a zone as a value for `json`: `None` for that of the machine, a name, or its offsets.

    A foreign `tzinfo` is asked for about a thousand offsets, which takes some ten milliseconds, once for each
    object.

    Raises:
        ValueError: A foreign `tzinfo` has no offset for any year.
        Exception: A foreign `tzinfo` raises when it is asked for its name.
    """
    if zone is None:
        return None
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    known = _known.get(id(zone))
    if known is None or known[0] is not zone:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[id(zone)] = known = (zone, _described(zone))
    return known[1]


_known: Final[dict[int, tuple[tzinfo, Any]]] = {}
"""The zones that were described, by id. Holding them keeps their ids from being reused."""


def zone_from_json(data: Any) -> tzinfo | None:
    """Return a zone that `zone_to_json` writes in the same way.

    Raises:
        KeyError: A value is missing.
        TypeError: A value is of another type.
        ValueError: There is no such zone here, or a value is out of range.
    """
    if data is None:
        return None
    if isinstance(data, str):
        try:
            return zone_named(data)
        except ValueError as error:
            raise ValueError(f"tz must name a known time zone, not {error}") from None
    if "offset" in data:
        return timezone(timedelta(seconds=data["offset"]))
    return TableZone(data["name"], [(int(since), int(offset)) for since, offset in data["changes"]])


def same_zone(one: tzinfo | None, other: tzinfo | None) -> bool:
    """True if two objects are the same zone.

    Raises:
        Exception: One of them is a foreign `tzinfo`, and raises.
    """
    return one is other or _without_name(zone_to_json(one)) == _without_name(zone_to_json(other))


def _without_name(data: Any) -> Any:
    """Return a description without its name, which may hold an address in memory."""
    return data["changes"] if isinstance(data, dict) and "changes" in data else data


def _described(zone: tzinfo) -> Any:
    if type(zone) is timezone:
        offset = zone.utcoffset(None)
        return {"offset": offset.total_seconds()} if offset else "UTC"
    if type(zone).__name__ == "tzlocal":  # of `dateutil`: the zone of whatever machine it is
        return None
    if isinstance(zone, TableZone):
        return {"name": zone.name, "changes": [list(change) for change in zone.changes]}
    if (name := _name_in_database(zone)) is not None:
        return name
    changes = _changes(zone)
    if len(changes) == 1:
        offset = datetime.fromtimestamp(changes[0][0], zone).utcoffset() or timedelta()
        return {"offset": offset.total_seconds()} if offset else "UTC"
    return {"name": _called(zone), "changes": [list(change) for change in changes]}


def _called(zone: tzinfo) -> str:
    name = zone_name(zone)
    return type(zone).__name__ if hex(id(zone))[2:] in name.lower() else name


def _name_in_database(zone: tzinfo) -> str | None:
    """Return the database name of a zone of `pytz` or `dateutil`, if there is such a zone here."""
    for attribute in ("zone", "key", "_filename"):
        name = getattr(zone, attribute, None)
        if not isinstance(name, str):
            continue
        name = name.rpartition("/zoneinfo/")[2]
        try:
            there = ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            continue
        # `pytz` brings a database of its own, which may be older or newer.
        if type(zone).__module__.startswith("pytz") or _changes(zone) == _changes(there):
            return name
    return None


def _changes(zone: tzinfo) -> list[tuple[int, int]]:
    """Return the instants at which the offset changes, each with the new offset, sampled weekly.

    Weeks for which the zone raises are left out.

    Raises:
        ValueError: It raises for all of them.
    """
    changes: list[tuple[int, int]] = []
    for begin in range(_FIRST, _LAST, _STEP_SECONDS):
        try:
            offset = offset_at(zone, begin)
            if not changes:
                changes.append((begin, offset))
            elif offset != changes[-1][1]:
                for stretch in stretches(zone, begin - _STEP_SECONDS, begin + 1):
                    if stretch.offset != changes[-1][1]:
                        changes.append((stretch.begin, stretch.offset))
        except Exception:  # noqa: BLE001 - foreign code, which may not know all years
            continue
    if not changes:
        raise ValueError(f"tz must have an offset from UTC, and {type(zone).__name__} raises for all years")
    return changes


class TableZone(tzinfo):
    """A zone that is known by a table of offsets only. The first and the last one have no end.

    Args:
        name: The name of the zone.
        changes: Pairs of an instant and the offset in seconds from then on, in order.

    Raises:
        ValueError: There are no offsets.
    """

    def __init__(self, name: str, changes: list[tuple[int, int]]) -> None:
        if not changes:
            raise ValueError("changes must have an offset")
        self.name = name
        self.changes = changes
        self._times = [since for since, _ in changes]

    def _offset(self, instant: float) -> int:
        return self.changes[max(0, bisect_right(self._times, instant) - 1)][1]

    def _instants(self, local: datetime) -> list[float]:
        """Return the instants at which the clocks show `local`, the earliest first; none if skipped."""
        shown = local.replace(tzinfo=UTC).timestamp()
        found = {shown - offset for _, offset in self.changes if self._offset(shown - offset) == offset}
        return sorted(found)

    def utcoffset(self, local: datetime | None, /) -> timedelta | None:
        """Return how far the clocks are ahead of UTC when they show `local`."""
        if local is None:
            return None
        shown = local.replace(tzinfo=UTC).timestamp()
        instants = self._instants(local) or [shown - self._offset(shown)]
        return timedelta(seconds=shown - instants[-1 if local.fold else 0])

    def dst(self, local: datetime | None, /) -> timedelta | None:  # noqa: ARG002 - as `tzinfo` has it
        """Return `None`: it is not known."""
        return None

    def tzname(self, local: datetime | None, /) -> str:  # noqa: ARG002 - as `tzinfo` has it
        """Return the name of the zone."""
        return self.name

    def fromutc(self, instant: datetime, /) -> datetime:
        """Return what the clocks show at an instant in UTC."""
        at = instant.replace(tzinfo=UTC).timestamp()
        local = instant + timedelta(seconds=self._offset(at))
        instants = self._instants(local)
        return local.replace(fold=1) if instants and at > instants[0] + 0.5 else local

    def __str__(self) -> str:
        return self.name
