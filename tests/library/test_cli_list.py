"""What `taskkit list` tells of each task: what runs, how the last run ended, and what comes next."""

from __future__ import annotations

import io
from collections.abc import Iterator
from time import tzset

import pytest

from taskkit import Daily, Every, Once, OnDemand, OutcomeKind, Policies, Schedule, Scheduler
from taskkit.cli.console import Console
from taskkit.cli.outlook import Prospect
from taskkit.cli.standing import LastRun, Standing, standings
from taskkit.cli.table import print_table
from taskkit.cli.task_cells import COLUMNS, Room, TaskCells, differ_in_zone, room_of
from taskkit.plain_text import columns
from taskkit.store import KeptState
from taskkit.testing import InlineExecutor, ManualClock

NOW = 1_800_000_000.0
"""Friday, 2027-01-15 08:00 UTC."""
HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture(autouse=True)
def at_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC")
        tzset()
        yield
    tzset()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def prospect(
    schedule: Schedule | None = None,
    due: float | None = NOW + HOUR,
    *,
    enabled: bool = True,
    name: str = "task",
) -> Prospect:
    return Prospect(name, schedule or Every(HOUR), Policies(description="Sends\nall"), enabled, None, due, 0)


def cells(
    task: Prospect, how: Standing | None = None, room: Room = Room.USUAL, *, paused: bool = False
) -> dict[str, str]:
    offsets = differ_in_zone([task])
    told = TaskCells(NOW, paused, room, offsets).of(task, how or Standing())
    names = ("task", "state", "last", "next", "until", "schedule", "description")
    return dict(zip(names, told, strict=True))


FAILED = LastRun(OutcomeKind.FAILED, NOW - HOUR, "ConnectionError: no\x1bluck")
SUCCEEDED = LastRun(OutcomeKind.SUCCEEDED, NOW - 60, None)


@pytest.mark.parametrize(
    ("task", "how", "paused", "state"),
    [
        (prospect(), Standing(), False, ""),
        (prospect(), Standing(last=SUCCEEDED), False, ""),
        (prospect(), Standing(last=FAILED), False, "failing"),
        (prospect(), Standing(NOW - 133, FAILED), False, "running 2:13"),
        (prospect(enabled=False), Standing(NOW - HOUR - 62.9), True, "running 1:01:02"),
        (prospect(enabled=False), Standing(last=FAILED), True, "disabled"),
        (prospect(), Standing(last=FAILED), True, "paused"),
        (prospect(OnDemand(), None), Standing(), True, ""),
    ],
)
def test_the_state_is_what_one_must_know(task: Prospect, how: Standing, paused: bool, state: str) -> None:
    assert cells(task, how, paused=paused)["state"] == state


@pytest.mark.parametrize(
    ("last", "told", "in_short"),
    [
        (SUCCEEDED, "✓ 07:59", "✓ 07:59"),
        (FAILED, "✗ 07:00 ConnectionError: no␛luck", "✗ 07:00"),
        (LastRun(OutcomeKind.TIMED_OUT, NOW - 3 * DAY, "TaskTimeout"), "✗ Tue 08:00 timed out", "✗ Tue"),
        (LastRun(OutcomeKind.INTERRUPTED, NOW - 30 * DAY, None), "✗ 16 Dec 08:00 interrupted", "✗ 16 Dec"),
        (LastRun(OutcomeKind.STOPPED, NOW - 300 * DAY, None), "■ 2026-03-21 stopped", "■ Mar 2026"),
    ],
)
def test_the_last_run_is_told_by_its_end_and_how_that_was(last: LastRun, told: str, in_short: str) -> None:
    assert cells(prospect(), Standing(last=last))["last"] == told
    assert cells(prospect(), Standing(last=last), Room.NARROW)["last"] == in_short


def test_the_next_run_is_told_as_there_is_room() -> None:
    def told(due: float | None, room: Room) -> tuple[str, str]:
        row = cells(prospect(due=due), room=room)
        return row["next"], row["until"]

    assert told(NOW + HOUR, Room.ENDLESS) == ("Fri 2027-01-15 09:00:00", "in 1 h")
    assert told(NOW + DAY, Room.WIDE) == ("Sat 08:00", "in 1 d")
    assert told(NOW + DAY, Room.USUAL) == ("Sat 08:00", "")
    assert told(NOW + 43, Room.USUAL) == ("in 43 s", "")
    assert told(NOW - 43, Room.USUAL) == ("at once", "")
    assert told(NOW + 43, Room.NARROW) == ("in 43 s", "")
    assert told(None, Room.USUAL) == ("-", "")


def test_where_zones_differ_the_next_run_has_its_offset_from_utc() -> None:
    nightly = prospect(Daily(3, 30, "Europe/Berlin"), NOW + 18.5 * HOUR)

    assert cells(nightly)["next"] == "Sat 03:30 +01:00"
    assert cells(nightly, room=Room.ENDLESS)["next"] == "Sat 2027-01-16 03:30:00 +01:00"
    assert cells(nightly, room=Room.NARROW)["next"] == "Sat 02:30"  # of the machine
    assert differ_in_zone([prospect(), nightly])
    assert not differ_in_zone([prospect(), prospect(Daily(3, 30, "Europe/Berlin"), None)])


def test_a_schedule_for_one_time_says_which() -> None:
    assert cells(prospect(Once(NOW + DAY)))["schedule"] == "once 2027-01-16 08:00"
    assert cells(prospect(Once(NOW + 5)))["schedule"] == "once 2027-01-15 08:00:05"
    assert cells(prospect(Once(), NOW))["schedule"] == "once"


def table(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Terminal()
    console = Console(stream, "never")
    found = [
        (prospect(due=NOW - 5, name="bank statement"), Standing(NOW - 133, SUCCEEDED)),
        (prospect(due=NOW + 5, name="invoices"), Standing(last=FAILED)),
        (prospect(Daily(3, 30, "Europe/Berlin"), NOW + 18.5 * HOUR, name="backup"), Standing(last=SUCCEEDED)),
        (prospect(enabled=False, name="prices"), Standing()),
    ]
    make = TaskCells(NOW, False, room_of(console), differ_in_zone([each for each, _ in found]))
    print_table(console, COLUMNS, [make.of(*each) for each in found], [0] * len(found))
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", range(40, 130))
def test_the_list_is_as_wide_as_the_terminal_at_most(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(columns(line) for line in table(width, monkeypatch)) <= width


def test_on_a_narrow_terminal_what_matters_less_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert table(120, monkeypatch)[1:3] == [
        "bank statement  running 2:13  ✓ 07:59                07:59 +00:00      at once         every 1 h"
        "             Sends all",
        "invoices        failing       ✗ 07:00 ConnectionEr…  08:00 +00:00      in 5 s          every 1 h"
        "             Sends all",
    ]
    assert table(80, monkeypatch) == [
        "TASK            STATE         LAST                NEXT              SCHEDULE",
        "bank statement  running 2:13  ✓ 07:59             at once           every 1 h",
        "invoices        failing       ✗ 07:00 Connectio…  in 5 s            every 1 h",
        "backup                        ✓ 07:59             Sat 03:30 +01:00  daily 03:30…",
        "prices          disabled                          -                 every 1 h",
    ]
    assert table(40, monkeypatch) == [
        "TASK        STATE     LAST     NEXT",
        "bank…ement  ▶ 2:13    ✓ 07:59  at once",
        "invoices    failing   ✗ 07:00  in 5 s",
        "backup                ✓ 07:59  Sat 02:30",
        "prices      disabled           -",
    ]


def test_what_runs_here_counts_more_than_what_a_state_knows() -> None:
    clock = ManualClock(NOW)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor())
    seen: list[Standing] = []
    state = KeptState({}, False)
    scheduler.add_task(Once(NOW), lambda: seen.append(standings(scheduler, state)["task"]), "task")
    with scheduler:
        scheduler.run_pending()

    assert seen == [Standing(NOW, None)]
