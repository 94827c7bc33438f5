"""The zone of the machine: what is shown is what is used, and what is wrong with it is said once."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import surroundings

from taskkit import Daily, Scheduler
from taskkit.schedules import Cron, machine_zone, zones
from taskkit.schedules.machine_zone import MachineZone, take_zone_warning
from taskkit.schedules.zones import zone_named
from taskkit.taskfile import TaskFileError, read_task_file
from taskkit.testing import InlineExecutor, ManualClock

PATIENCE = 60.0
NOWHERE = "TZ is 'Europe/Nowhere', which is not a known time zone: local times are in UTC"


class Place:
    """A process with another TZ."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def zone(self, variable: str | None, **others: str) -> MachineZone:
        """The zone of the machine when TZ is that."""
        if variable is None:
            self._patch.delenv("TZ", raising=False)
        else:
            self._patch.setenv("TZ", variable)
        for name, value in others.items():
            self._patch.setenv(name, value)
        time.tzset()
        machine_zone._found.cache_clear()
        return machine_zone.machine_zone()


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(machine_zone, "_reported", set())
    with monkeypatch.context() as patch:
        yield Place(patch)
    time.tzset()
    machine_zone._found.cache_clear()


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        (":/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ("UTC", "UTC"),
        ("", "UTC"),
        (":", "UTC"),
        ("EST5EDT", "EST5EDT"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("<+0530>-5:30", "<+0530>-5:30"),
        ("JST-9", "JST-9"),
        ("AAA3BBB,J60/0,J300/1:30", "AAA3BBB,J60/0,J300/1:30"),
    ],
)
def test_a_zone_that_is_there_is_called_by_its_name(place: Place, variable: str, name: str) -> None:
    if name in ("Europe/Berlin", "Asia/Tokyo") and not Path("/usr/share/zoneinfo", name).is_file():
        pytest.skip("there are no files of zones here")
    assert place.zone(variable) == MachineZone(name, None)


@pytest.mark.parametrize(
    ("variable", "trouble"),
    [
        ("Europe/Nowhere", NOWHERE),
        (
            ":Europe/Nowhere",
            "TZ is ':Europe/Nowhere', which is not a known time zone: local times are in UTC",
        ),
        ("Europe", "TZ is 'Europe', which is not a known time zone: local times are in UTC"),
        ("/no/such/file", "TZ is '/no/such/file', and there is no such file: local times are in UTC"),
        ("Foo", "TZ is 'Foo', which is not a known time zone: local times are in UTC"),
    ],
)
def test_one_that_is_not_there_is_named_and_what_is_used_is_shown(
    place: Place, variable: str, trouble: str
) -> None:
    zone = place.zone(variable)

    assert (zone.name, zone.warning and zone.warning.partition(";")[0]) == ("UTC", trouble)
    assert time.localtime(1_750_000_000).tm_gmtoff == 0
    assert Daily(16, 0).zone == "UTC"


def test_a_misspelt_zone_is_reported_with_a_suggestion(place: Place) -> None:
    trouble = place.zone("europe/berln").warning

    assert trouble is not None
    assert trouble.endswith("; did you mean Europe/Berlin?")


def test_without_a_database_the_remedy_is_named(place: Place, tmp_path: Path) -> None:
    """The C library looks where TZDIR says."""
    zone = place.zone("Europe/Berlin", TZDIR=str(tmp_path / "nowhere"))

    assert zone == MachineZone(
        "UTC",
        "TZ is 'Europe/Berlin', but the system has no time zone database: local times are in UTC;"
        " install its package tzdata",
    )
    assert place.zone("UTC") == MachineZone("UTC", None)
    assert place.zone("CET-1").warning is None


def test_a_tz_that_was_set_without_telling_the_c_library_is_not_shown(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.zone("UTC")
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    assert machine_zone.machine_zone().name == "UTC"


# /etc/localtime


@pytest.fixture
def files(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database of its own, and without a /etc/localtime."""
    berlin = tmp_path / "zoneinfo" / "Europe" / "Berlin"
    berlin.parent.mkdir(parents=True)
    berlin.write_bytes(b"TZif of Berlin")
    (berlin.parent / "Paris").write_bytes(b"TZif of Paris")
    monkeypatch.setattr(machine_zone, "_LOCALTIME", tmp_path / "localtime")
    monkeypatch.setattr(machine_zone, "_TIMEZONE", tmp_path / "timezone")
    monkeypatch.setattr(machine_zone, "_FOLDERS", (str(tmp_path / "zoneinfo"),))
    return tmp_path


def test_a_link_to_a_zone_has_its_name(place: Place, files: Path) -> None:
    (files / "localtime").symlink_to(files / "zoneinfo" / "Europe" / "Berlin")

    assert place.zone(None) == MachineZone("Europe/Berlin", None)


def test_a_copy_has_the_name_that_is_written_beside_it_if_it_is_a_copy_of_that(
    place: Place, files: Path
) -> None:
    (files / "localtime").write_bytes(b"TZif of Berlin")
    assert place.zone(None).name == "local"
    (files / "timezone").write_text("Europe/Paris\n")
    assert place.zone(None).name == "local"
    (files / "timezone").write_text("Europe/Berlin\n")
    assert place.zone(None) == MachineZone("Europe/Berlin", None)


def test_a_link_to_a_missing_zone_is_reported(place: Place, files: Path) -> None:
    (files / "localtime").symlink_to(files / "zoneinfo" / "Asia" / "Tokyo")
    zone = place.zone(None)

    assert zone.name in ("UTC", "local")  # as the clocks of this machine show
    assert zone.warning is not None
    assert "is a link to Asia/Tokyo, which is not there" in zone.warning
    assert zone.warning.endswith("; install the system's package tzdata")


def test_a_machine_without_the_file_has_no_trouble(place: Place, files: Path) -> None:
    assert place.zone(None).warning is None


# Said once


def test_the_warning_is_given_once_in_a_process(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.zone("Europe/Nowhere")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            scheduler = Scheduler(clock=ManualClock(), executor=InlineExecutor(), capture=False)
            scheduler.add_daily_task(3, 30, print, "it")
            scheduler.start()
            scheduler.stop()

    assert [record.getMessage() for record in caplog.records] == [NOWHERE]
    assert take_zone_warning() is None


@pytest.mark.parametrize("command", [["next", "tasks.toml"], ["list", "tasks.toml"], ["check", "tasks.toml"]])
def test_the_command_says_it_once(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "tasks.toml").write_text('[tasks.it]\ncommand = "true"\ndaily = "03:30"\n')
    told = subprocess.run(
        [sys.executable, "-m", "taskkit", *command],
        cwd=tmp_path,
        env=surroundings(tmp_path) | {"TZ": "Europe/Nowhere"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert told.stderr.splitlines().count(f"taskkit: {NOWHERE}") == 1
    assert told.stderr.count("Nowhere") == 1
    assert told.returncode == 0
    assert "Nowhere" not in told.stdout


# Without a database for Python


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise KeyError(f"No time zone found with key {name}")

    monkeypatch.setattr(zones, "ZoneInfo", type("NoZone", (), {"__new__": lambda _, name: unknown(name)}))


REMEDY = "there is no time zone database here; install the package tzdata, with pip or as one of the system"


@pytest.mark.usefixtures("no_database")
@pytest.mark.parametrize("name", ["UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "UTC+00:00"])
def test_utc_needs_no_database(name: str) -> None:
    schedule = Daily(3, 30, name)

    assert schedule.next_after(0) == 3.5 * 3600
    assert schedule.zone == "UTC"
    assert Cron("30 3 * * *", name).next_after(0) == 3.5 * 3600


@pytest.mark.usefixtures("no_database")
def test_another_zone_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^tz must name a known time zone, not 'Europe/Berlin': {REMEDY}$"):
        Daily(3, 30, "Europe/Berlin")
    path = tmp_path / "tasks.toml"
    path.write_text('[tasks.it]\ncommand = "true"\ndaily = "03:30"\ntimezone = "Europe/Berlin"\n')
    with pytest.raises(TaskFileError) as caught:
        read_task_file(path)
    (problem,) = caught.value.problems
    assert problem.line == 4
    assert "without a time zone database: install the package tzdata" in str(problem)


@pytest.mark.usefixtures("no_database")
def test_a_file_may_name_utc_without_a_database(tmp_path: Path) -> None:
    path = tmp_path / "tasks.toml"
    path.write_text('timezone = "UTC"\n[tasks.it]\ncommand = "true"\nat = "2030-01-01 12:00"\n')

    assert read_task_file(path).specs[0].schedule.next_after(0) == 1_893_499_200


def test_with_a_database_an_unknown_zone_is_refused_without_it() -> None:
    with pytest.raises(ValueError, match=r"^tz must name a known time zone, not 'Mars/Phobos'$"):
        Daily(3, 30, "Mars/Phobos")
    with pytest.raises(ValueError, match=r"^'UTC\+25:00'$"):
        zone_named("UTC+25:00")


def test_a_process_without_a_database_runs_on_utc(tmp_path: Path) -> None:
    """As it is in a small container: no files, and no package `tzdata` either."""
    program = (
        "import sys\n"
        "sys.modules['tzdata'] = None\n"
        "from taskkit import Daily\n"
        "print(Daily(3, 30, 'UTC'), Daily(3, 30, 'UTC').next_after(0), Daily(3, 30).zone)\n"
        "try:\n    Daily(3, 30, 'Europe/Berlin')\n"
        "except ValueError as error:\n    print(error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=surroundings(tmp_path) | {"PYTHONTZPATH": "", "TZDIR": str(tmp_path), "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert told.stderr == ""
    assert told.stdout.splitlines() == [
        "daily 03:30 UTC 12600.0 UTC",
        f"tz must name a known time zone, not 'Europe/Berlin': {REMEDY}",
    ]
