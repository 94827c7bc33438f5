"""How far a start may be put off: no further than to the next due time, which would pass unseen then."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from doing import Doing
from hypothesis import given, settings
from hypothesis import strategies as st
from recorder import Events
from restarted_program import Program

from taskkit import (
    ChangeKind,
    Cron,
    Daily,
    Every,
    Once,
    OnDemand,
    Policies,
    Schedule,
    Scheduler,
    SkipReason,
    TaskChanged,
)
from taskkit.cli.event_lines import Detail
from taskkit.schedules import due_times
from taskkit.schedules.queries import shortest_distance
from taskkit.spec import Recipe, TaskSpec
from taskkit.taskfile import TaskFileError, read_task_file
from taskkit.testing import ManualClock

HOUR = 3600.0
DAY = 86_400.0
JANUARY = datetime(2027, 1, 15, 8, tzinfo=UTC).timestamp()


class EveryTenSeconds(Schedule):
    """One of somebody's own."""

    follows_wall_clock = False
    repeats = True

    def next_after(self, instant: float) -> float | None:
        return (instant // 10 + 1) * 10

    def __str__(self) -> str:
        return "of one's own"


DISTANCES: tuple[tuple[Schedule, float], ...] = (
    (Every(5), 5),
    (Every(timedelta(days=2)), 2 * DAY),
    (Daily(3, 30), DAY),
    (Daily(2, 30, "Europe/Berlin"), DAY),
    (Cron("*/15 * * * *"), 900),
    (Cron("* * * * *"), 60),
    (Cron("0,10,25 * * * *"), 600),
    (Cron("58,1 * * * *"), 180),
    (Cron("0 9 * * *"), DAY),
    (Cron("0 9,17 * * *"), 8 * HOUR),
    (Cron("0 1,23 * * *"), 2 * HOUR),
    (Cron("0 9 * * 1-5"), DAY),
    (Cron("0 9 * * 1"), 7 * DAY),
    (Cron("0 0 1 * *"), 28 * DAY),
    (Cron("30 23 31 * *", "UTC"), 31 * DAY),
    (Cron("*/10 * * * * *"), 10),
    (Cron("5,59 * * * * *"), 6),
    (EveryTenSeconds(), 10),
)


@pytest.mark.parametrize(("schedule", "seconds"), DISTANCES, ids=lambda each: str(each))
def test_what_is_longer_than_the_shortest_distance_of_due_times_is_refused_in_words(
    scheduler: Scheduler, schedule: Schedule, seconds: float
) -> None:
    message = f"^jitter must be at most {seconds:.15g} seconds, the shortest time between two due times, not "
    with pytest.raises(ValueError, match=message):
        scheduler.add_task(schedule, Doing(), "it", jitter=seconds + 0.5)
    assert scheduler.handle("it") is None

    assert scheduler.add_task(schedule, Doing(), "it", jitter=seconds).policies.jitter == seconds


@pytest.mark.parametrize("schedule", [Once(), Once(2e9), OnDemand(), Cron("0 0 29 2 *")], ids=str)
def test_what_falls_due_once_in_a_year_may_be_put_off_for_as_long_as_one_likes(
    scheduler: Scheduler, schedule: Schedule
) -> None:
    scheduler.add_task(schedule, Doing(), "it", jitter=400 * DAY)


def test_add_spec_refuses_it_too(scheduler: Scheduler) -> None:
    spec = TaskSpec("it", Every(5), Recipe("builtins:print"), Policies(jitter=10))
    for persist in (False, True):
        with pytest.raises(ValueError, match="jitter must be at most 5 seconds"):
            scheduler.add_spec(spec, persist=persist)


def test_a_file_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "tasks.toml"
    path.write_text('[tasks.it]\ncommand = "true"\nevery = "5s"\njitter = "10s"\n')
    with pytest.raises(TaskFileError) as caught:
        read_task_file(path, name="tasks.toml")

    (problem,) = caught.value.problems
    assert problem.line == 4
    assert "must be at most 5 s, the shortest time between two due times" in str(problem)


def test_a_jitter_of_the_whole_period_misses_nothing(
    scheduler: Scheduler, clock: ManualClock, events: Events
) -> None:
    handle = scheduler.add_periodic_task(None, 5, Doing(), "it", jitter=5)
    clock.advance(5000)

    assert handle.run_count >= 1000
    assert events.skips("it") == {}


def test_a_shorter_period_limits_it_and_says_so(
    scheduler: Scheduler, clock: ManualClock, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    handle = scheduler.add_periodic_task(None, 60, Doing(), "it", jitter=30)
    with caplog.at_level(logging.WARNING):
        assert scheduler.set_period("it", 10, override=True)
    clock.advance(5000)

    assert SkipReason.MISSED not in events.skips("it")
    assert handle.run_count >= 490
    assert [(each.what, each.before, each.after) for each in events.of(TaskChanged)] == [
        ("period", 60, 10),
        ("jitter", 30, 10),
    ]
    assert "the jitter of it is limited to 10 s, the shortest time between two due times" in caplog.text
    details = scheduler.describe("it")
    assert details is not None
    assert details.policies["jitter"] == "10.0"


@pytest.mark.parametrize("change", ["set_period", "reschedule", "drop_override", "of the handle"])
def test_a_longer_period_gives_it_back(scheduler: Scheduler, events: Events, change: str) -> None:
    handle = scheduler.add_periodic_task(None, 60, Doing(), "it", jitter=30)
    scheduler.set_period("it", 10, override=True)
    match change:
        case "set_period":
            scheduler.set_period("it", 20)
        case "reschedule":
            scheduler.reschedule_task("it", Cron("*/5 * * * * *"))
        case "drop_override":
            scheduler.drop_override("it")
        case _:
            handle.set_period(40)
    limits = [(each.before, each.after) for each in events.of(TaskChanged) if each.what == "jitter"]

    last = {"set_period": 20, "reschedule": 5, "drop_override": 30, "of the handle": 30}[change]
    assert limits == [(30, 10), (10, last)]
    assert handle.policies.jitter == 30


def test_what_keeps_the_jitter_as_it_is_says_nothing(scheduler: Scheduler, events: Events) -> None:
    scheduler.add_periodic_task(None, 60, Doing(), "it", jitter=30)
    scheduler.set_period("it", 30)
    scheduler.reschedule_task("it", Daily(3, 30))
    scheduler.add_periodic_task(None, 60, Doing(), "without")
    scheduler.set_period("without", 1)

    assert "jitter" not in [each.what for each in events.of(TaskChanged)]


def test_it_is_explained_with_the_limit(scheduler: Scheduler, clock: ManualClock) -> None:
    handle = scheduler.add_periodic_task(clock.time() + 100, 600, Doing(), "it", jitter=300)
    scheduler.set_period("it", 100)
    clock.stall(100)
    if handle.run_count == 0:
        assert "within the next 1 min 40 s (jitter)" in handle.explain()


# After a restart


@pytest.fixture
def program(tmp_path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(tmp_path / "tasks.db", clock)
    yield program
    program.stop()


def test_what_a_person_made_shorter_is_limited_after_a_restart_too(
    program: Program, clock: ManualClock
) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, Doing(), "it", jitter=30)

    program.start(register).set_period("it", 10, override=True)
    scheduler = program.restart(register)
    clock.advance(1000)

    assert scheduler.scheduled["it"].period == 10
    assert program.events is not None
    assert SkipReason.MISSED not in program.events.skips("it")


def test_a_state_of_an_earlier_version_with_a_longer_one_is_taken_up(
    program: Program, clock: ManualClock
) -> None:
    scheduler = program.start()
    scheduler.add_spec(TaskSpec("it", Every(5), Recipe("builtins:print"), Policies(jitter=4)), persist=True)
    program.stop()
    with closing(sqlite3.connect(program.path)) as connection:
        (text,) = connection.execute("SELECT spec FROM registrations").fetchone()
        spec: dict[str, Any] = json.loads(text)
        spec["policies"]["jitter"] = 10
        connection.execute("UPDATE registrations SET spec = ?", (json.dumps(spec),))
        connection.commit()

    scheduler = program.start()
    assert scheduler.scheduled["it"].policies.jitter == 5
    assert program.scheduler is not None
    assert "the jitter of 'it' is limited to 5 s" in program.scheduler.store.notices[0]
    clock.advance(1000)
    assert program.events is not None
    assert program.events.skips("it") == {}


# Against a second opinion


FIELDS = st.one_of(
    st.just("*"),
    st.sampled_from(["*/7", "*/15", "*/20"]),
    st.lists(st.integers(0, 59), min_size=1, max_size=4).map(lambda each: ",".join(map(str, each))),
)
HOURS = st.one_of(
    st.just("*"),
    st.sampled_from(["*/5", "9-17", "22,3"]),
    st.lists(st.integers(0, 23), min_size=1, max_size=3).map(lambda each: ",".join(map(str, each))),
)
DATES = st.sampled_from(
    ["* * *", "1 * *", "* * 1-5", "* * 6", "31 * *", "L * *", "1,15 * *", "* 2,7 *", "29 2 *"]
)


@settings(deadline=None, max_examples=30)
@given(FIELDS, HOURS, DATES, st.integers(0, 364))
def test_the_distance_of_a_cron_expression_is_that_of_its_due_times(
    minutes: str, hours: str, dates: str, day: int
) -> None:
    """Walked through for a year, at most 100 due times of it, by a clock that nobody changes."""
    schedule = Cron(f"{minutes} {hours} {dates}", "UTC")
    begin = datetime(2027, 1, 1, tzinfo=UTC).timestamp() + day * DAY - 1
    walked = due_times(schedule, begin, 100)
    times = [due for due in walked if due <= begin + 366 * DAY]
    shortest = min((later - earlier for earlier, later in pairwise(times)), default=float("inf"))

    told = shortest_distance(schedule, begin + 1)
    assert told <= shortest
    if len(walked) < 100:
        assert told == shortest


def test_the_command_tells_it_in_words() -> None:
    from taskkit.cli import event_lines

    words = event_lines._about_task(TaskChanged(0.0, "it", ChangeKind.JITTER, 30.0, 10.0), Detail.VERBOSE)

    assert words == "~ jitter: 10 s, was 30 s"
