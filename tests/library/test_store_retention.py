"""Retention: old history is deleted, and the file does not grow without end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from restarted_program import Program

from taskkit import Scheduler
from taskkit.store import Retention
from taskkit.testing import ManualClock

DAY = 86_400


@pytest.fixture
def program(tmp_path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(tmp_path / "tasks.db", clock)
    yield program
    program.stop()


def counted(path: Path, what: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])


def test_of_each_task_the_newest_runs_are_kept(program: Program, clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 1, lambda: None, "often")
        scheduler.add_periodic_task(None, 50, lambda: None, "seldom")

    program.start(register, retention=Retention(runs_per_task=20))
    for _ in range(50):
        clock.advance(10)
        program.flush()
    often = [run.outcome.due for run in program.runs("often")]
    assert 20 <= len(often) <= 32  # a batch of ten comes before the next look
    assert often == sorted(often, reverse=True)
    assert often[0] == clock.time()
    assert len(program.runs("seldom")) == 11


def test_what_an_earlier_life_left_is_cut_back_too(program: Program, clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 1, lambda: None, "it")

    program.start(register)
    clock.advance(900)
    assert len(program.runs()) == 100
    program.stop()
    assert counted(program.path, "history") == 901
    program.start(register, retention=Retention(runs_per_task=5))
    for _ in range(4):
        clock.advance(1)
        program.flush()
    assert counted(program.path, "history") <= 6


def test_what_is_too_old_is_forgotten_with_its_name(program: Program, clock: ManualClock) -> None:
    scheduler = program.start(lambda s: s.add_periodic_task(None, DAY, lambda: None, "daily"))
    scheduler.add_on_demand_task(lambda: None, "gone", keep=False)
    scheduler.demand_task("gone")
    for _ in range(100):
        clock.advance(DAY)
        program.flush()
    days = [(clock.time() - run.outcome.finished) / DAY for run in program.runs()]
    assert days == [*range(91)]
    assert counted(program.path, "names") == 1


def test_what_the_program_no_longer_registers_is_forgotten_after_that_time(
    program: Program, clock: ManualClock
) -> None:
    def register(*names: str) -> Any:
        return lambda scheduler: [scheduler.add_on_demand_task(lambda: None, name) for name in names]

    def wake(name: str) -> set[str]:
        assert program.scheduler is not None
        program.scheduler.add_on_demand_task(lambda: None, name)
        program.flush()
        with closing(sqlite3.connect(program.path)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM registrations")}

    program.start(register("old", "new")).disable_task("new")
    program.restart(register("new"), after=50 * DAY)
    clock.advance(39 * DAY)
    assert wake("first") == {"old", "new", "first"}
    clock.advance(2 * DAY)
    assert wake("second") == {"new", "first", "second"}
    clock.advance(100 * DAY)
    assert wake("third") == {"new", "first", "second", "third"}  # registered, though nothing becomes of it
    assert program.restart(register("new")).on_demand["new"].disabled


def test_what_is_done_is_forgotten_after_that_time_though_the_program_lives_on(
    program: Program, clock: ManualClock
) -> None:
    scheduler = program.start()
    for day in range(100):
        scheduler.add_timed_task(clock.time(), lambda: None, f"day {day}")
        clock.advance(DAY)
        program.flush()
    assert counted(program.path, "registrations") == 91  # written 0 to 90 days ago


def test_the_file_and_its_log_do_not_grow_without_end(program: Program, clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 1, lambda: "x" * 200, "it")

    program.start(register, retention=Retention(runs_per_task=100))
    for _ in range(40):
        clock.advance(500)
        program.flush()
    assert program.path.stat().st_size < 500_000  # all 20,001 runs together take ten times as much
    assert Path(f"{program.path}-wal").stat().st_size < 10_000_000


def test_everything_can_be_kept(program: Program, clock: ManualClock) -> None:
    retention = Retention(runs_per_task=None, days=None)
    program.start(lambda s: s.add_periodic_task(None, DAY, lambda: None, "it"), retention=retention)
    clock.advance(2000 * DAY)
    program.flush()
    assert counted(program.path, "history") == 2001


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"runs_per_task": 0}, ValueError, "runs_per_task must be 1 or more, not 0"),
        ({"runs_per_task": 1.5}, TypeError, "runs_per_task must be a whole number or None, not 1.5"),
        ({"runs_per_task": True}, TypeError, "runs_per_task must be a whole number"),
        ({"days": 0}, ValueError, "days must be more than 0, and finite, not 0"),
        ({"days": float("nan")}, ValueError, "days must be more than 0, and finite, not nan"),
        ({"days": "90"}, TypeError, "days must be a number or None, not '90'"),
    ],
)
def test_a_retention_that_is_none_is_refused(
    keywords: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Retention(**keywords)
