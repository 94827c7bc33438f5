"""The name of the machine's time zone, and a warning if it is not the configured one.

Local times are those of the C library. It reads TZ, or else the file /etc/localtime, and falls back to UTC
silently if there is no such zone. This module reports the zone that it uses.
"""

from __future__ import annotations

import os
import re
import time
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from taskkit.schedules.local_times import offset_at

UTC_NAMES: Final = frozenset(
    {"UTC", "UCT", "GMT", "GMT0", "GMT+0", "GMT-0", "Zulu", "Universal", "Greenwich"}
)
"""The names of UTC in the database, also below `Etc/`."""

_LOCALTIME: Final = Path("/etc/localtime")
_TIMEZONE: Final = Path("/etc/timezone")
_FOLDERS: Final = ("/usr/share/zoneinfo", "/share/zoneinfo", "/etc/zoneinfo", "/var/db/timezone/zoneinfo")
"""The folders in which C libraries look for zones, unless TZDIR names another."""

_NAME: Final = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_HOURS: Final = r"[+-]?[0-9]{1,3}(?::[0-9]{1,2}){0,2}"
_DATE: Final = rf",(?:M[0-9]{{1,2}}\.[1-5]\.[0-6]|J?[0-9]{{1,3}})(?:/{_HOURS})?"
_POSIX: Final = re.compile(rf"{_NAME}{_HOURS}(?:{_NAME}(?:{_HOURS})?(?:{_DATE}{_DATE})?)?")
"""A value of TZ that describes a zone instead of naming it: `CET-1CEST,M3.5.0,M10.5.0/3`."""

_SAMPLE_INSTANTS: Final = range(1_577_836_800, 1_735_689_600, 14 * 86_400)
"""The instants at which two zones are compared, from 2020 to 2024."""


class MachineZone(NamedTuple):
    """The zone of local times."""

    name: str
    """A name such as `Europe/Berlin`, or the description in TZ; `local` if it is unknown."""
    warning: str | None
    """The reason why it is not the configured one, without a full stop; `None` if it is."""


def machine_zone() -> MachineZone:
    """Return the zone of local times. Reads the disk only after TZ has changed."""
    return _found(os.environ.get("TZ"), os.environ.get("TZDIR"), time.tzname, time.timezone)


def take_zone_warning() -> str | None:
    """Return why local times are not in the configured zone; `None` if they are, or after the first call."""
    warning = machine_zone().warning
    if warning is None or warning in _reported:
        return None
    _reported.add(warning)
    return warning


_reported: Final[set[str]] = set()


@lru_cache(maxsize=8)
def _found(
    variable: str | None,
    folder: str | None,
    names: tuple[str, str],  # noqa: ARG001 - a key of the cache, which changes with `tzset`
    offset: int,  # noqa: ARG001
) -> MachineZone:
    folders = [Path(each) for each in ([folder] if folder else _FOLDERS)]
    if variable is None:
        return _of_file(folders)
    wanted = variable.removeprefix(":")
    if not wanted:
        return MachineZone("UTC", None)
    if wanted.startswith("/"):
        path = Path(wanted)
        if path.is_file():
            return MachineZone(_name_of(path) or "local", None)
        return MachineZone(_present(), _in_words(f"TZ is {variable!r}, and there is no such file"))
    if any((each / wanted).is_file() for each in folders):
        return MachineZone(wanted if _is_present(wanted) else _present(), None)
    if wanted.removeprefix("Etc/") in UTC_NAMES or _POSIX.fullmatch(wanted):
        return MachineZone(wanted, None)
    if not any(each.is_dir() for each in folders):
        reason = f"TZ is {variable!r}, but the system has no time zone database"
        return MachineZone(_present(), _in_words(reason) + "; install its package tzdata")
    reason = _in_words(f"TZ is {variable!r}, which is not a known time zone")
    return MachineZone(_present(), reason + _perhaps(wanted))


def _of_file(folders: list[Path]) -> MachineZone:
    """Return the zone of /etc/localtime, which is a link into the database, or a copy of one of its files."""
    if _LOCALTIME.is_file():
        return MachineZone(_name_of(_LOCALTIME) or _name_of_copy(folders) or "local", None)
    if not _LOCALTIME.is_symlink():
        return MachineZone(_present(), None)
    wanted = _name_of(_LOCALTIME) or str(_LOCALTIME.resolve())
    reason = _in_words(f"{_LOCALTIME} is a link to {wanted}, which is not there")
    return MachineZone(_present(), reason + "; install the system's package tzdata")


def _name_of(path: Path) -> str | None:
    """Return the zone whose file a path leads to, if that is in the database."""
    return str(path.resolve()).partition("/zoneinfo/")[2] or None


def _name_of_copy(folders: list[Path]) -> str | None:
    """Return the zone named in Debian's /etc/timezone, if /etc/localtime is a copy of its file."""
    try:
        name = _TIMEZONE.read_text(encoding="utf-8", errors="replace").strip()
        copies = [each / name for each in folders if name and (each / name).is_file()]
        is_one = any(_LOCALTIME.read_bytes() == each.read_bytes() for each in copies)
        return name if is_one else None
    except (OSError, ValueError):
        return None


def _is_present(name: str) -> bool:
    """True if local times are in that zone as far as is known: TZ may have been set without `tzset`."""
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return True  # Python has no such zone, or no database
    return all(offset_at(zone, each) == offset_at(None, each) for each in _SAMPLE_INSTANTS)


def _present() -> str:
    """Return a name for the zone of local times if nothing but its offsets is known."""
    return "UTC" if not any(offset_at(None, each) for each in _SAMPLE_INSTANTS) else "local"


def _in_words(reason: str) -> str:
    return f"{reason}: local times are in UTC" if _present() == "UTC" else reason


def _perhaps(wanted: str) -> str:
    from difflib import get_close_matches  # imported late: only a misspelling needs it

    zones = {each.casefold(): each for each in available_timezones()}
    meant = get_close_matches(wanted.casefold().replace(" ", "_"), zones, 1, 0.8)
    return f"; did you mean {zones[meant[0]]}?" if meant else ""
