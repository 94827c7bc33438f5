"""The age of rows in a store does not depend on steps of the wall clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from restarted_program import Program

from taskkit import Scheduler
from taskkit.clock import Instant
from taskkit.store import Retention
from taskkit.store.schema import MIGRATIONS
from taskkit.store.store_time import DAY_SECONDS as DAY
from taskkit.store.store_time import StoreTime
from taskkit.testing import ManualClock

HOUR = 3600.0
YEARS = 730 * DAY
RETENTION = Retention(runs_per_task=None, days=90)


@pytest.fixture
def program(tmp_path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(tmp_path / "tasks.db", clock)
    yield program
    program.stop()


def hourly(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, HOUR, lambda: None, "hourly")


def minutely(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 60, lambda: None, "minutely")


def rows(path: Path, what: str = "history") -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])


@pytest.mark.parametrize("wrong_for", [3, 600, 5 * HOUR])
def test_a_clock_that_is_years_ahead_for_a_while_deletes_nothing(
    program: Program, clock: ManualClock, wrong_for: float
) -> None:
    program.start(hourly, retention=RETENTION)
    clock.advance(60 * DAY)
    program.flush()
    before = rows(program.path)
    clock.step_wall(YEARS)
    for _ in range(5):
        clock.advance(wrong_for / 5)
        program.scheduler.run_task_now("hourly")  # type: ignore[union-attr]
        program.flush()
    clock.step_wall(-YEARS)
    for _ in range(48):
        clock.advance(HOUR)
        program.flush()

    assert rows(program.path) >= before + 48


@pytest.mark.parametrize("step", [YEARS, -YEARS, -14 * DAY])
def test_a_step_while_the_store_is_open_makes_nothing_old_however_long_it_lasts(
    program: Program, clock: ManualClock, step: float
) -> None:
    program.start(hourly, retention=RETENTION)
    for _ in range(60):
        clock.advance(DAY)
        program.flush()
    clock.step_wall(step)
    for _ in range(10):
        clock.advance(DAY)
        program.flush()

    assert rows(program.path) == 70 * 24 + 1
    for _ in range(30):
        clock.advance(DAY)
        program.flush()
    assert 90 * 24 <= rows(program.path) <= 91 * 24


def test_a_life_that_begins_years_ahead_deletes_nothing(program: Program, clock: ManualClock) -> None:
    program.start(hourly, retention=RETENTION)
    clock.advance(60 * DAY)
    program.stop()
    before = rows(program.path)
    clock.step_wall(YEARS)
    program.start(minutely, retention=RETENTION)
    clock.advance(600)
    program.flush()
    clock.step_wall(-YEARS)
    clock.advance(3 * DAY)
    program.flush()

    assert rows(program.path) >= before


@pytest.mark.parametrize("life", [HOUR, 6 * DAY])
def test_a_whole_life_years_ahead_deletes_nothing(program: Program, clock: ManualClock, life: float) -> None:
    program.start(hourly, retention=RETENTION)
    clock.advance(60 * DAY)
    program.stop()
    before = rows(program.path)
    clock.step_wall(YEARS)
    program.start(hourly, retention=RETENTION)
    clock.advance(life)
    program.kill()
    clock.step_wall(-YEARS)
    program.start(hourly, retention=RETENTION)
    for _ in range(5):
        clock.advance(DAY)
        program.flush()

    assert rows(program.path) >= before


def test_a_whole_life_two_years_back_deletes_nothing(program: Program, clock: ManualClock) -> None:
    """It is corrected while the program is down, which looks like a rest of two years."""
    program.start(hourly, retention=RETENTION)
    clock.advance(60 * DAY)
    program.stop()
    clock.step_wall(-YEARS)
    program.start(retention=RETENTION).add_periodic_task(None, HOUR, lambda: None, "second life")
    clock.advance(3 * DAY)
    program.stop()
    before = rows(program.path)
    clock.step_wall(YEARS)
    program.start(retention=RETENTION).add_periodic_task(None, HOUR, lambda: None, "third life")
    for _ in range(20):
        clock.advance(DAY)
        program.flush()

    assert rows(program.path) >= before + 20 * 24


@pytest.mark.parametrize("first", [0.0, 1_800_000_000.0 - 14 * DAY, 1_800_000_000.0 + YEARS])
def test_what_a_first_life_with_a_wrong_clock_has_left_is_as_old_as_it_is(
    tmp_path: Path, first: float
) -> None:
    clock = ManualClock(first)
    program = Program(tmp_path / "tasks.db", clock)
    program.start(minutely, retention=RETENTION)
    clock.advance(30 * 60)
    program.flush()
    clock.step_wall(1_800_000_000.0 - first)
    clock.advance(30 * 60)
    program.stop()
    program.start(hourly, retention=RETENTION)
    for _ in range(80):
        clock.advance(DAY)
        program.flush()
    kept = rows(program.path)
    assert kept == 61 + 80 * 24 + 1
    for _ in range(12):
        clock.advance(DAY)
        program.flush()
    program.stop()
    assert 90 * 24 <= rows(program.path) <= 91 * 24


def test_a_machine_without_a_battery_counts_what_it_ran(tmp_path: Path) -> None:
    """Each life begins in 1970; a time server corrects that after half a minute."""
    clock = ManualClock(0)
    program = Program(tmp_path / "tasks.db", clock)
    for life in range(5):
        now = 1_800_000_000.0 + life * 5 * DAY
        scheduler = program.start(retention=RETENTION)
        scheduler.add_periodic_task(None, HOUR, lambda: None, f"life {life}")
        clock.advance(30)
        clock.step_wall(now - clock.time())
        for _ in range(3):
            clock.advance(DAY)
            program.flush()
        program.stop()
        clock.step_wall(-clock.time())

    assert rows(program.path) >= 5 * 3 * 24


def test_a_long_rest_counts_once_the_clock_has_stood_by_it_for_a_week(
    program: Program, clock: ManualClock
) -> None:
    program.start(hourly, retention=RETENTION)
    clock.advance(10 * DAY)
    program.stop()
    before = rows(program.path)
    clock.advance(200 * DAY)
    program.start(minutely, retention=RETENTION)
    clock.advance(6 * DAY)
    program.flush()
    assert rows(program.path) == before + 6 * 1440 + 1
    for _ in range(26):
        clock.advance(HOUR)
        program.flush()

    assert rows(program.path) == 6 * 1440 + 26 * 60 + 1


def test_a_program_that_never_runs_for_a_day_forgets_too(program: Program, clock: ManualClock) -> None:
    """An hour a day: what the clock said at one start it stands by at the next."""
    retention = Retention(runs_per_task=None, days=9)
    program.start(minutely, retention=retention)
    for _ in range(20):
        clock.advance(HOUR)
        program.stop()
        clock.advance(23 * HOUR)
        program.start(minutely, retention=retention)
        program.flush()
    program.stop()

    assert 9 * 60 <= rows(program.path) <= 13 * 61


def test_registrations_are_not_forgotten_for_a_wrong_clock(program: Program, clock: ManualClock) -> None:
    """A task that a person disabled stays disabled, though the program does not register it this time."""
    program.start(hourly, retention=RETENTION).disable_task("hourly")
    program.stop()
    program.start(minutely, retention=RETENTION)
    clock.advance(120)
    program.flush()
    clock.step_wall(YEARS)
    for _ in range(5):
        clock.advance(61)
        program.scheduler.disable_task("minutely")  # type: ignore[union-attr]
        program.scheduler.enable_task("minutely")  # type: ignore[union-attr]
        program.flush()
    clock.step_wall(-YEARS)
    program.stop()

    assert program.start(hourly, retention=RETENTION).scheduled["hourly"].disabled


def test_a_store_of_an_earlier_version_continues_from_when_it_was_seen(
    program: Program, clock: ManualClock, start: float
) -> None:
    with closing(sqlite3.connect(program.path)) as old:
        for statement in (*MIGRATIONS[0], *MIGRATIONS[1]):
            old.execute(statement)
        old.execute("INSERT INTO names VALUES (1, 'hourly')")
        old.execute("INSERT INTO facts VALUES ('seen', ?)", (start,))
        old.executemany(
            "INSERT INTO history (task, kind, at, session, run, trigger, due, started, duration, attempt)"
            " VALUES (1, 'succeeded', ?, 1, ?, 'schedule', 6, 6, 1, 1)",
            [(start - k * HOUR, 1000 - k) for k in range(720, 0, -1)],
        )
        old.execute(f"PRAGMA application_id = {0x7461736B}")
        old.execute("PRAGMA user_version = 2")
        old.commit()
    clock.step_wall(YEARS)
    program.start(hourly, retention=RETENTION)
    program.flush()
    clock.advance(60)
    clock.step_wall(-YEARS)
    clock.advance(HOUR)
    program.flush()
    assert rows(program.path) == 722
    for _ in range(91):
        clock.advance(DAY)
        program.flush()
    assert 90 * 24 <= rows(program.path) <= 91 * 24


@pytest.mark.parametrize(
    "saved", ["", "no JSON", "[1, 2]", '[1, 2, 3, 4, 5, "x"]', "[1e999, 1, 1, 1, 1, 1]", "{}", "7", 5, b"x"]
)
def test_a_time_that_cannot_be_read_starts_afresh(saved: object) -> None:
    time = StoreTime(Instant(1e9, 5.0), saved, saved)

    assert time.at(Instant(1e9, 5.0)) == pytest.approx(1e9, abs=0.01)
    assert time.oldest(100) == pytest.approx(1e9 - 100, abs=0.01)


# Whatever is done to the clock


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["run", "step", "rest"]), st.sampled_from([1.0, 60.0, HOUR, DAY, 40 * DAY, YEARS])
    ),
    max_size=20,
)


@settings(deadline=None)
@given(ACTIONS, st.booleans(), st.sampled_from([HOUR, DAY, 30 * DAY, 90 * DAY]))
def test_nothing_is_older_than_the_time_that_has_really_passed(
    actions: list[tuple[str, float]], ahead: bool, age: float
) -> None:
    """Whatever steps there are in one direction: a rest counts by no more than it took."""
    clock = ManualClock(1_800_000_000.0)
    time = StoreTime(clock.now())
    stamps = [(clock.monotonic(), time.at(clock.now()))]
    for what, seconds in actions:
        if what == "run":
            clock.advance(seconds)
        elif what == "step":
            clock.step_wall(seconds if ahead else -seconds)
        else:
            mark, gaps = time.mark, time.gaps
            clock.advance(seconds)
            time = StoreTime(clock.now(), mark, gaps)
        stamps.append((clock.monotonic(), time.at(clock.now())))
        assert stamps[-1][1] >= stamps[-2][1]
        oldest = time.oldest(age)
        for written, stamp in stamps:
            if stamp < oldest:
                assert clock.monotonic() - written > age - 0.1


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([HOUR, DAY, 5 * DAY]), st.sampled_from([60.0, HOUR, 3 * DAY, 200 * DAY]))
    ),
    st.sampled_from([DAY, 30 * DAY, 90 * DAY]),
)
def test_with_a_good_clock_everything_is_forgotten_in_time(
    program: list[tuple[float, float]], age: float
) -> None:
    """Nine days late at most: until a gap is accepted, and for gaps that are remembered as one."""
    clock = ManualClock(1_800_000_000.0)
    time = StoreTime(clock.now())
    stamps = []
    for ran, rested in program:
        stamps.append((clock.monotonic(), time.at(clock.now())))
        clock.advance(ran)
        time.at(clock.now())
        mark, gaps = time.mark, time.gaps
        clock.advance(rested)
        time = StoreTime(clock.now(), mark, gaps)
    clock.advance(8 * DAY)
    time.at(clock.now())
    oldest = time.oldest(age)
    for written, stamp in stamps:
        if clock.monotonic() - written > age + 9 * DAY:
            assert stamp < oldest
