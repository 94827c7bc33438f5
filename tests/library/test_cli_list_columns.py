"""The columns of `taskkit list`: state, last run, next run and schedule of each task."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from time import tzset

import pytest

from taskkit import After, Daily, Every, Once, OnDemand, OutcomeKind, Policies, Schedule, Scheduler
from taskkit.cli.console import Console
from taskkit.cli.list_columns import COLUMNS, ListWidth, TaskCells, list_width, zones_differ
from taskkit.cli.table import print_table
from taskkit.cli.task_status import LastRun, TaskStatus, task_statuses
from taskkit.cli.upcoming import UpcomingTask
from taskkit.store import SavedState
from taskkit.testing import InlineExecutor, ManualClock
from taskkit.words.plain_text import columns

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


def upcoming(
    schedule: Schedule | None = None,
    due: float | None = NOW + HOUR,
    *,
    enabled: bool = True,
    name: str = "task",
) -> UpcomingTask:
    return UpcomingTask(
        name, schedule or Every(HOUR), Policies(description="Sends\nall"), enabled, None, due, 0
    )


def cells(
    task: UpcomingTask,
    how: TaskStatus | None = None,
    room: ListWidth = ListWidth.USUAL,
    *,
    paused: bool = False,
) -> dict[str, str]:
    offsets = zones_differ([task])
    shown = TaskCells(NOW, paused, room, offsets).of(task, how or TaskStatus())
    names = ("task", "state", "last", "next", "until", "schedule", "executor", "description")
    return dict(zip(names, shown, strict=True))


FAILED = LastRun(OutcomeKind.FAILED, NOW - HOUR, "ConnectionError: no\x1bluck")
SUCCEEDED = LastRun(OutcomeKind.SUCCEEDED, NOW - 60, None)


@pytest.mark.parametrize(
    ("task", "how", "paused", "state"),
    [
        (upcoming(), TaskStatus(), False, ""),
        (upcoming(), TaskStatus(last=SUCCEEDED), False, ""),
        (upcoming(), TaskStatus(last=FAILED), False, "failing"),
        (upcoming(), TaskStatus(NOW - 133, FAILED), False, "running 2:13"),
        (upcoming(enabled=False), TaskStatus(NOW - HOUR - 62.9), True, "running 1:01:02"),
        (upcoming(enabled=False), TaskStatus(last=FAILED), True, "disabled"),
        (upcoming(), TaskStatus(last=FAILED), True, "paused"),
        (upcoming(OnDemand(), None), TaskStatus(), True, ""),
    ],
)
def test_the_state_column_shows_what_needs_attention(
    task: UpcomingTask, how: TaskStatus, paused: bool, state: str
) -> None:
    assert cells(task, how, paused=paused)["state"] == state


@pytest.mark.parametrize(
    ("last", "shown", "in_short"),
    [
        (SUCCEEDED, "✓ 07:59", "✓ 07:59"),
        (FAILED, "✗ 07:00 ConnectionError: no␛luck", "✗ 07:00"),
        (LastRun(OutcomeKind.TIMED_OUT, NOW - 3 * DAY, "TaskTimeout"), "✗ Tue 08:00 timed out", "✗ Tue"),
        (LastRun(OutcomeKind.INTERRUPTED, NOW - 30 * DAY, None), "⊘ 16 Dec 08:00 interrupted", "⊘ 16 Dec"),
        (LastRun(OutcomeKind.STOPPED, NOW - 400 * DAY, None), "■ 2025-12-11 stopped", "■ Dec 2025"),
    ],
)
def test_the_last_column_shows_when_and_how_the_last_run_ended(
    last: LastRun, shown: str, in_short: str
) -> None:
    assert cells(upcoming(), TaskStatus(last=last))["last"] == shown
    assert cells(upcoming(), TaskStatus(last=last), ListWidth.NARROW)["last"] == in_short


def test_the_next_column_is_as_long_as_the_width_allows() -> None:
    def shown(due: float | None, room: ListWidth) -> tuple[str, str]:
        row = cells(upcoming(due=due), room=room)
        return row["next"], row["until"]

    assert shown(NOW + HOUR, ListWidth.UNLIMITED) == ("Fri 2027-01-15 09:00:00", "in 1 h")
    assert shown(NOW + DAY, ListWidth.WIDE) == ("Sat 08:00", "in 1 d")
    assert shown(NOW + DAY, ListWidth.USUAL) == ("Sat 08:00", "")
    assert shown(NOW + 43, ListWidth.USUAL) == ("in 43 s", "")
    assert shown(NOW - 43, ListWidth.USUAL) == ("at once", "")
    assert shown(NOW + 43, ListWidth.NARROW) == ("in 43 s", "")
    assert shown(None, ListWidth.USUAL) == ("-", "")


def test_the_next_run_has_a_utc_offset_if_time_zones_differ() -> None:
    nightly = upcoming(Daily(3, 30, "Europe/Berlin"), NOW + 18.5 * HOUR)

    assert cells(nightly)["next"] == "Sat 03:30 +01:00"
    assert cells(nightly, room=ListWidth.UNLIMITED)["next"] == "Sat 2027-01-16 03:30:00 +01:00"
    assert cells(nightly, room=ListWidth.NARROW)["next"] == "Sat 02:30"  # of the machine
    assert zones_differ([upcoming(), nightly])
    assert not zones_differ([upcoming(), upcoming(Daily(3, 30, "Europe/Berlin"), None)])


def test_a_schedule_for_one_time_shows_that_time() -> None:
    assert cells(upcoming(Once(NOW + DAY)))["schedule"] == "once 2027-01-16 08:00"
    assert cells(upcoming(Once(NOW + 5)))["schedule"] == "once 2027-01-15 08:00:05"
    assert cells(upcoming(Once(), NOW))["schedule"] == "once"


def table(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Terminal()
    console = Console(stream, "never")
    found = [
        (upcoming(due=NOW - 5, name="bank statement"), TaskStatus(NOW - 133, SUCCEEDED)),
        (upcoming(due=NOW + 5, name="invoices"), TaskStatus(last=FAILED)),
        (
            upcoming(Daily(3, 30, "Europe/Berlin"), NOW + 18.5 * HOUR, name="backup"),
            TaskStatus(last=SUCCEEDED),
        ),
        (upcoming(enabled=False, name="prices"), TaskStatus()),
    ]
    make = TaskCells(NOW, False, list_width(console), zones_differ([each for each, _ in found]))
    print_table(console, COLUMNS, [make.of(*each) for each in found], [0] * len(found))
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", range(40, 130))
def test_the_list_fits_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(columns(line) for line in table(width, monkeypatch)) <= width


def test_a_narrow_terminal_shows_fewer_columns(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_run_in_this_process_overrides_the_state() -> None:
    clock = ManualClock(NOW)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor())
    seen: list[TaskStatus] = []
    state = SavedState({}, False)
    scheduler.add_task(Once(NOW), lambda: seen.append(task_statuses(scheduler, state)["task"]), "task")
    with scheduler:
        scheduler.run_pending()

    assert seen == [TaskStatus(NOW, None)]


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (ListWidth.NARROW, "disabled"),
        (ListWidth.USUAL, "disabled until Sat 08:00"),
        (ListWidth.UNLIMITED, "disabled until Sat 2027-01-16 08:00:00"),
    ],
)
def test_the_state_says_until_when_a_task_is_disabled(width: ListWidth, words: str) -> None:
    task = replace(upcoming(enabled=False), disabled_until=NOW + DAY)
    assert TaskCells(NOW, False, width, False).of(task, TaskStatus())[1] == words


@pytest.mark.parametrize(
    ("executor", "where", "words"),
    [
        ("thread", None, ""),
        (None, None, ""),
        ("loop", None, "loop"),
        ("process", "process 4711", "process 4711"),
        ("clu\x1bster", None, "clu\u241bster"),
    ],
)
def test_the_executor_is_listed_unless_it_is_a_thread(
    executor: str | None, where: str | None, words: str
) -> None:
    task = replace(upcoming(), executor=executor)

    assert cells(task, TaskStatus(NOW - 5, where=where))["executor"] == words


def test_a_window_and_a_followed_task_stand_beside_the_schedule() -> None:
    windowed = replace(upcoming(Every(HOUR)), policies=Policies(window="mon-fri 9-17"))
    follower = upcoming(After("extract", "fetch"), None)

    assert cells(windowed)["schedule"] == "every 1 h, only mon-fri 09:00-17:00"
    assert cells(follower)["next"] == "after extract, fetch"
    assert cells(replace(follower, enabled=False))["next"] == "-"
    done = cells(replace(upcoming(due=None), done=True))
    assert (done["state"], done["next"]) == ("done", "-")
