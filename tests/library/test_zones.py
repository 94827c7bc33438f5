"""Time zones, whatever object stands for them: known again after a restart, and by their names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from restarted_program import Program

from taskkit import Cron, Daily, Schedule, Scheduler
from taskkit.schedules.local_times import offset_at
from taskkit.schedules.zones import TableZone, same_zone, zone_from_json, zone_named, zone_to_json
from taskkit.spec import Recipe, TaskSpec, schedule_from_json, schedule_to_json
from taskkit.testing import ManualClock

HOUR = 3600.0
NOON = datetime(2027, 1, 15, 12, tzinfo=UTC).timestamp()


class LikeAnother(tzinfo):
    """What another package may have: the rules of a zone, and nothing that names it."""

    def __init__(self, name: str) -> None:
        self._rules = ZoneInfo(name)

    def utcoffset(self, local: datetime | None, /) -> timedelta | None:
        return None if local is None else self._rules.utcoffset(local)

    def dst(self, local: datetime | None, /) -> timedelta | None:
        return self._rules.dst(local)

    def tzname(self, local: datetime | None, /) -> str | None:
        return self._rules.tzname(local)

    def fromutc(self, instant: datetime, /) -> datetime:
        return self._rules.fromutc(instant.replace(tzinfo=self._rules)).replace(tzinfo=self)


class Named(LikeAnother):
    """The same, and it tells its name as `pytz` does."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.zone = name


class FromFile(LikeAnother):
    """The same, and it tells its file as `dateutil` does."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._filename = f"/usr/share/zoneinfo/{name}"


class Fixed(tzinfo):
    """One offset."""

    def __init__(self, hours: float) -> None:
        self._offset = timedelta(hours=hours)

    def utcoffset(self, _: datetime | None, /) -> timedelta:
        return self._offset

    def dst(self, _: datetime | None, /) -> timedelta:
        return timedelta()

    def tzname(self, _: datetime | None, /) -> str:
        return "fixed"


class ThisCenturyOnly(LikeAnother):
    """It knows some years only."""

    def fromutc(self, instant: datetime, /) -> datetime:
        if not 2020 <= instant.year < 2030:
            raise OverflowError("no such year is known")
        return super().fromutc(instant)


class Mute(tzinfo):
    """It cannot tell its offset, though it exists."""

    def utcoffset(self, _: datetime | None, /) -> timedelta:
        raise LookupError("lost")


ZONES: tuple[tuple[str, Any], ...] = (
    ("timezone.utc", lambda: UTC),
    ("another timezone.utc", lambda: timezone(timedelta(0), "Z")),
    ("timezone(+2)", lambda: timezone(timedelta(hours=2))),
    ("timezone(-5, 'CET')", lambda: timezone(timedelta(hours=-5), "CET")),
    ("timezone(+1 h 7 µs)", lambda: timezone(timedelta(hours=1, microseconds=7))),
    ("ZoneInfo", lambda: ZoneInfo("Etc/UTC")),
    ("another ZoneInfo", lambda: ZoneInfo.no_cache("Europe/Berlin")),
    ("a ZoneInfo from a file", lambda: _from_file("Europe/Berlin")),
    ("like pytz", lambda: Named("America/New_York")),
    ("like dateutil", lambda: FromFile("Europe/Berlin")),
    ("a fixed one of one's own", lambda: Fixed(5.75)),
    ("one of one's own", lambda: LikeAnother("Australia/Lord_Howe")),
    ("one that knows some years", lambda: ThisCenturyOnly("Europe/Berlin")),
)
every_zone = pytest.mark.parametrize("make", [make for _, make in ZONES], ids=[name for name, _ in ZONES])


def _from_file(name: str) -> tzinfo:
    for folder in ("/usr/share/zoneinfo", "/var/db/timezone/zoneinfo"):
        if (path := Path(folder, name)).is_file():
            with path.open("rb") as file:
                return ZoneInfo.from_file(file)
    pytest.skip("there are no files of zones here")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def program(tmp_path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(tmp_path / "tasks.db", clock)
    yield program
    program.stop()


@every_zone
@pytest.mark.parametrize("kind", ["daily", "cron"])
@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_what_fell_due_while_the_program_was_down_runs_once_late_in_any_zone(
    program: Program, clock: ManualClock, make: Any, kind: str, killed: bool
) -> None:
    """Each life makes its own object, as a program does."""
    ran: list[float] = []

    def register(scheduler: Scheduler) -> None:
        zone = make()
        local = datetime.fromtimestamp(NOON + 4 * HOUR, zone)
        schedule: Schedule = Daily(local.hour, local.minute, zone)
        if kind == "cron":
            schedule = Cron(f"{local.minute} {local.hour} * * *", zone)
        scheduler.add_task(schedule, lambda: ran.append(clock.time()), "it")

    program.start(register)
    program.restart(register, after=5 * HOUR, killed=killed)

    assert ran == [NOON + 5 * HOUR]
    assert program.runs("it")[0].outcome.lateness == pytest.approx(HOUR, abs=60)


@every_zone
def test_what_a_person_registered_or_changed_goes_on_in_its_zone(
    program: Program, clock: ManualClock, make: Any
) -> None:
    schedule = Daily(16, 0, make())
    program.start(lambda s: s.add_on_demand_task(print, "changed"))
    assert program.scheduler is not None
    program.scheduler.add_spec(TaskSpec("new", schedule, Recipe("builtins:print")), persist=True)
    assert program.scheduler.reschedule_task("changed", schedule, override=True)
    scheduler = program.restart(lambda s: s.add_on_demand_task(print, "changed"))

    due = schedule.next_after(NOON)
    for name in ("new", "changed"):
        handle = scheduler.handle(name)
        assert handle is not None
        assert handle.next_run == due
        assert handle.schedule.next_after(NOON + 100 * 86_400) == schedule.next_after(NOON + 100 * 86_400)
    assert program.scheduler is not None
    assert program.scheduler.store.notices == ()


def test_the_same_zone_from_another_package_is_the_same_schedule(program: Program) -> None:
    ran: list[int] = []
    program.start(lambda s: s.add_daily_task(16, 0, lambda: ran.append(1), "it", tz="UTC"))
    program.restart(lambda s: s.add_daily_task(16, 0, lambda: ran.append(2), "it", tz=UTC), after=5 * HOUR)

    assert ran == [2]


def test_another_zone_is_another_schedule(program: Program) -> None:
    """Two offsets that are the same in winter are two zones."""
    ran: list[int] = []
    program.start(lambda s: s.add_daily_task(16, 0, lambda: ran.append(1), "it", tz="Europe/Berlin"))
    program.restart(
        lambda s: s.add_daily_task(16, 0, lambda: ran.append(2), "it", tz=Fixed(1)), after=5 * HOUR
    )

    assert ran == []


def test_a_zone_without_an_offset_is_refused_with_the_reason(program: Program) -> None:
    scheduler = program.start()
    with pytest.raises(ValueError, match=r"^tz must be a zone that can be stored, not Mute: tz must have"):
        scheduler.add_daily_task(16, 0, print, "it", tz=Mute())
    assert scheduler.handle("it") is None


@every_zone
def test_it_is_written_as_json_and_read_back(make: Any) -> None:
    zone = make()
    schedule = Daily(16, 0, zone)
    written = json.loads(json.dumps(schedule_to_json(schedule)))
    back = cast(Daily, schedule_from_json(written))

    assert same_zone(back.tz, zone)
    assert schedule_to_json(back) == written
    assert back.next_after(NOON) == schedule.next_after(NOON)


@pytest.mark.parametrize(
    "name",
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"],
)
@settings(deadline=None)
@given(instant=st.integers(1_421_000_000, 2_145_000_000), near=st.booleans(), by=st.integers(-7300, 7300))
def test_a_zone_that_is_only_a_table_has_the_offsets_of_the_zone_that_it_was_made_of(
    name: str, instant: int, near: bool, by: int
) -> None:
    """Near a change the local time may exist twice, or not at all."""
    zone = _OF.setdefault(name, LikeAnother(name))
    table = zone_from_json(zone_to_json(zone))
    assert isinstance(table, TableZone)
    if near:
        instant = min((since for since, _ in table.changes[1:]), key=lambda since: abs(since - instant)) + by

    assert offset_at(table, instant) == offset_at(ZoneInfo(name), instant)


_OF: dict[str, tzinfo] = {}


@pytest.mark.parametrize(
    "data",
    [
        {"offset": "x"},
        {"offset": 1e6},
        {"name": "x"},
        {"name": "x", "changes": []},
        {"name": "x", "changes": [[1]]},
        5,
        "Mars/Phobos",
    ],
)
def test_what_is_no_zone_is_refused(data: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        zone_from_json(data)


def test_a_zone_is_called_by_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever reads the name finds the zone: CET is one that has summers."""
    told = {str(Daily(16, 0, zone).zone) for zone in (timezone(timedelta(hours=-5), "CET"), Fixed(-5))}

    assert told == {"UTC-05:00"}
    assert zone_named("UTC-05:00") == timezone(timedelta(hours=-5))
    assert Daily(16, 0, Named("Asia/Tokyo")).zone == "Asia/Tokyo"
    assert Daily(16, 0, FromFile("Asia/Tokyo")).zone == "Asia/Tokyo"
