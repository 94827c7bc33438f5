"""Saved due times count only if the schedule can still have them, whatever the clock and the zone (T9)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest import START
from doing import fail
from hypothesis import example, given, settings
from hypothesis import strategies as st
from restarted_program import Program

from taskkit import (
    Cron,
    Daily,
    Every,
    Once,
    OutcomeKind,
    Recipe,
    Schedule,
    Scheduler,
    SkipReason,
    TaskSpec,
    Trigger,
    current_run,
)
from taskkit.engine.threads import Job
from taskkit.store import PersistentScheduler, StoredRun, StoredSkip, read_history, read_state
from taskkit.testing import InlineExecutor, ManualClock

HOUR, DAY = 3600.0, 86_400.0
YEAR = 365 * DAY


def work() -> str:
    return "done"


@pytest.fixture
def program(tmp_path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(tmp_path / "tasks.db", clock)
    yield program
    program.stop()


def reboot(program: Program, wall: float) -> ManualClock:
    """The machine begins again, with a clock that shows `wall`; the steady one begins at some other place."""
    program.stop()
    program.clock = clock = ManualClock(wall - 7_777)
    clock.stall(7_777)
    return clock


def hourly(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, HOUR, work, "it")


def next_run(scheduler: Scheduler) -> float:
    handle = scheduler.handle("it")
    assert handle is not None
    assert handle.next_run is not None
    return handle.next_run


# A clock that is wrong, and periods


@pytest.mark.parametrize("shown", [START - 14 * DAY, 60.0], ids=["two weeks back", "at 1970"])
def test_a_period_continues_though_the_clock_has_no_battery(program: Program, shown: float) -> None:
    clock = reboot(program, shown)
    program.start(hourly)
    clock.advance(30)
    clock.step_wall(START - shown)
    clock.advance(10)
    for _ in range(3):
        clock = reboot(program, shown)
        again = program.start(hourly)
        assert clock.time() < next_run(again) <= clock.time() + HOUR
        clock.advance(30)
        clock.step_wall(START - shown)
        clock.advance(2 * HOUR)
    assert len(program.runs("it")) >= 4


def test_a_period_stays_on_its_grid_after_a_clock_that_was_a_year_ahead(program: Program) -> None:
    reboot(program, START + YEAR + 100)
    program.start(hourly)
    clock = reboot(program, START)
    again = program.start(hourly)
    phase = (START + YEAR + 100) % HOUR
    assert START < next_run(again) <= START + HOUR
    assert next_run(again) % HOUR == pytest.approx(phase)
    clock.advance(2 * HOUR)
    assert len(program.runs("it")) == 3
    again.set_period("it", 60, override=True)  # which counts from the last due time
    assert next_run(again) <= clock.time() + 60


@pytest.mark.parametrize("how", ["disabled", "paused", "a person's period"])
def test_so_does_one_that_did_not_run_meanwhile(program: Program, how: str) -> None:
    reboot(program, START + YEAR)
    scheduler = program.start(hourly)
    if how == "disabled":
        scheduler.disable_task("it")
    elif how == "paused":
        scheduler.pause()
    else:
        scheduler.set_period("it", 600, override=True)
    clock = reboot(program, START)
    again = program.start(hourly)
    again.enable_task("it")
    again.resume()
    period = again.scheduled["it"].period
    assert period is not None
    assert clock.time() < next_run(again) <= clock.time() + period


def test_a_start_that_is_later_than_a_period_is_waited_for(program: Program) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(START + 10 * DAY, HOUR, work, "it")

    reboot(program, START + YEAR)
    program.start(register)
    clock = reboot(program, START)
    again = program.start(register)
    assert next_run(again) == START + 10 * DAY
    clock.advance(1)
    assert next_run(program.restart(register, after=DAY)) == START + 10 * DAY


@pytest.mark.parametrize("ahead", [YEAR, -14 * DAY], ids=["a year ahead", "two weeks back"])
def test_it_is_also_waited_for_if_the_clock_was_corrected_before_the_end(
    program: Program, ahead: float
) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(START + 10 * DAY, HOUR, work, "it")

    clock = reboot(program, START + ahead)
    program.start(register)
    clock.advance(30)
    clock.step_wall(-ahead)
    clock.advance(30)
    reboot(program, START + 90)
    assert next_run(program.start(register)) == START + 10 * DAY


@example(period=0.01, due=1.7e308, last_due=None, start=None)
@example(period=0.01, due=1.7e308, last_due=1.7e308, start=START + DAY)
@example(period=0.5, due=START + 1, last_due=START + 1, start=START + 1)
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    period=st.one_of(st.floats(0.01, 1e7), st.sampled_from([1.0, 60.0, HOUR, DAY])),
    due=st.one_of(st.floats(-1e12, 1e12), st.floats(allow_nan=False, allow_infinity=False)),
    last_due=st.one_of(st.none(), st.floats(-1e12, 1e12)),
    start=st.one_of(st.none(), st.floats(0, 4e9)),
)
def test_whatever_was_saved_a_period_is_due_within_one_or_at_its_start(
    period: float, due: float, last_due: float | None, start: float | None
) -> None:
    from test_persistence import MemorySource, new_scheduler

    from taskkit.persistence import SavedTask

    clock = ManualClock(START)
    saved = SavedTask("it", Every(period, start), due=due, last_due=last_due)
    scheduler = new_scheduler(clock, MemorySource(saved))
    scheduler.add_periodic_task(start, period, work, "it")
    scheduler.start()
    clock.advance(0)
    found = next_run(scheduler)
    latest = START + period if start is None or start <= START + period else start
    assert START <= found <= latest + 0.002
    if due >= 0 and abs(due - START) < 1e6 and found != start:
        apart = (found - due) / period
        assert apart == pytest.approx(round(apart), abs=1e-3)
    scheduler.set_period("it", 50)
    assert next_run(scheduler) <= max(latest, START + 50) + 0.002
    scheduler.stop(0)


def test_a_retry_is_never_later_than_its_delay(program: Program) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(fail, "it", retries=3, retry_delay=30)

    reboot(program, START + YEAR)
    program.start(register).demand_task("it")
    clock = reboot(program, START)
    again = program.start(register)
    assert next_run(again) == START + 30
    clock.advance(30)
    assert [run.outcome.trigger for run in program.runs("it")] == [Trigger.RETRY, Trigger.DEMAND]


# A clock that is wrong, and calendars


def test_a_calendar_is_asked_again_after_a_clock_that_was_a_year_ahead(program: Program) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_daily_task(9, 0, work, "it", tz="UTC")

    clock = reboot(program, START + YEAR)
    program.start(register)
    clock.advance(2 * DAY)
    reboot(program, START)
    assert next_run(program.start(register)) == START + HOUR  # at nine, as it is eight


def test_a_calendar_instant_that_ran_does_not_run_again_after_a_small_step_back(
    program: Program,
) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_daily_task(9, 0, work, "it", tz="UTC")

    program.start(register)
    program.clock.advance(HOUR + 60)
    reboot(program, START + HOUR - 600)
    assert next_run(program.start(register)) == START + HOUR + DAY


def test_steps_back_add_up_across_a_restart(program: Program) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_cron_task("0 * * * *", work, "it", tz="UTC")

    program.start(register)
    program.clock.advance(10 * HOUR)
    clock = reboot(program, START + 8 * HOUR)  # two hours back while it was down
    again = program.start(register)
    assert next_run(again) == START + 11 * HOUR
    clock.step_wall(-2 * HOUR)  # two more: it was wrong before
    clock.advance(2)
    assert next_run(again) == START + 7 * HOUR


@pytest.mark.parametrize("schedule", [Daily(9, 0, "UTC"), Cron("*/5 * * * *", "UTC")], ids=str)
def test_a_calendar_of_1970_runs_once_late(program: Program, schedule: Schedule) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(schedule, work, "it")

    reboot(program, 60.0)
    program.start(register)
    reboot(program, START)
    again = program.start(register)
    assert len(program.runs("it")) == 1
    assert next_run(again) <= START + HOUR


@pytest.mark.parametrize("at", [START + HOUR, None], ids=["at a time", "now"])
def test_a_one_shot_is_due_at_its_time(program: Program, at: float | None) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(Once(START + HOUR), work, "it")

    reboot(program, START + YEAR)
    scheduler = PersistentScheduler(
        program.path, clock=program.clock, executor=InlineExecutor(), capture=False
    )
    register(scheduler)
    scheduler.pause()
    if at is None:
        scheduler.reschedule_task("it", Once(), override=True)
    scheduler.start()
    scheduler.stop(0)
    reboot(program, START)
    again = program.start(register)
    again.resume()
    if at is None:
        assert program.events is not None
        assert program.events.skips("it") == {SkipReason.MISSED: 1}
    else:
        assert next_run(again) == START + HOUR


def test_a_one_shot_that_has_run_stays_done_whatever_the_clock_shows(program: Program) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(Once(START + HOUR), work, "it")

    program.start(register)
    program.clock.advance(2 * HOUR)
    assert len(program.runs("it")) == 1
    reboot(program, START - YEAR)
    assert program.start(register).handle("it") is None


# Another zone


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("schedule", [Daily(9, 0), Cron("0 9 * * *")], ids=str)
def test_a_due_time_belongs_to_the_zone_of_the_machine(
    program: Program, zone: Callable[[str], None], schedule: Schedule
) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(schedule, work, "it")

    def shown(scheduler: Scheduler, name: str) -> str:
        return datetime.fromtimestamp(next_run(scheduler), ZoneInfo(name)).strftime("%H:%M %z")

    zone("UTC")
    assert shown(program.start(register), "UTC") == "09:00 +0000"
    for name, told in (
        ("America/New_York", "09:00 -0500"),
        ("Asia/Tokyo", "09:00 +0900"),
        ("UTC", "09:00 +0000"),
    ):
        zone(name)
        again = program.restart(register)
        assert shown(again, name) == told
        assert program.runs("it") == []


def test_what_was_due_in_the_other_zone_only_is_not_made_up_for(
    program: Program, zone: Callable[[str], None]
) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_daily_task(9, 0, work, "it")

    zone("UTC")
    program.start(register)
    program.stop()
    program.clock.stall(2 * HOUR)  # it is ten, and nine has passed
    zone("America/New_York")
    again = program.start(register)
    assert program.runs("it") == []
    assert next_run(again) == START + 6 * HOUR
    zone("UTC")


# A person's schedule of another kind


def test_a_calendar_that_replaces_a_period_has_its_own_times(program: Program) -> None:
    program.start(hourly).reschedule_task("it", Daily(9, 0, "UTC"), override=True)
    clock = reboot(program, START + 60)
    again = program.start(hourly)
    clock.advance(2 * HOUR)
    assert next_run(again) == START + HOUR + DAY


# What the program changes


def two_seconds(scheduler: Scheduler) -> None:
    def slower() -> None:
        current_run().handle.set_period(600)

    scheduler.add_periodic_task(None, 2, slower, "it")


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_a_period_that_the_program_changes_is_gone_with_its_due_time(program: Program, killed: bool) -> None:
    scheduler = program.start(two_seconds)
    assert next_run(scheduler) == START + 600
    program.flush()
    again = program.restart(lambda each: each.add_periodic_task(None, 2, work, "it"), after=1, killed=killed)
    assert again.scheduled["it"].period == 2
    assert next_run(again) == START + 2
    assert read_state(program.path).tasks["it"].override is None


def test_a_shorter_one_is_gone_with_its_due_time_too(program: Program) -> None:
    scheduler = program.start(hourly)
    scheduler.set_period("it", 5)
    program.clock.advance(60)
    runs = len(program.runs("it"))
    again = program.restart(hourly, after=60)
    assert len(program.runs("it")) == runs
    assert next_run(again) == START + 60 + HOUR


def test_a_persons_schedule_is_saved_with_its_due_time(program: Program) -> None:
    scheduler = program.start(hourly)
    scheduler.set_period("it", 600, override=True)
    again = program.restart(hourly, after=60)
    assert again.scheduled["it"].period == 600
    assert next_run(again) == START + 600


@pytest.mark.parametrize("other", [Every(5), Daily(9, 0, "UTC"), Once(START + 2 * HOUR)], ids=str)
def test_a_schedule_that_the_program_changes_is_gone_with_its_due_time(
    program: Program, other: Schedule
) -> None:
    program.start(hourly).reschedule_task("it", other)
    again = program.restart(hourly, after=7)
    assert again.scheduled["it"].schedule == Every(HOUR)
    assert next_run(again) == START + 7 + HOUR
    program.stop()
    begun = program.start(hourly)
    begun.reschedule_task("it", other, override=True)
    due = next_run(begun)
    assert next_run(program.restart(hourly, after=1)) == due


def test_what_the_program_changes_before_the_start_is_what_it_registers(program: Program) -> None:
    def register(scheduler: Scheduler) -> None:
        hourly(scheduler)
        scheduler.set_period("it", 90)

    program.start(register)
    again = program.restart(register, after=30)
    assert (again.scheduled["it"].period, next_run(again)) == (90, START + 90)


def test_a_one_shot_that_ran_and_was_put_off_by_the_program_has_run(program: Program) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(Once(START + 10), again, "it")

    def again() -> None:
        current_run().handle.reschedule(Once(current_run().due + HOUR))

    program.start(register)
    program.clock.advance(60)
    assert len(program.runs("it")) == 1
    assert program.restart(register).handle("it") is None


def test_one_that_a_person_registered_and_the_program_changed_is_there_again(
    program: Program,
) -> None:
    scheduler = program.start()
    scheduler.add_spec(TaskSpec("it", Every(HOUR), Recipe(f"{__name__}:work")), persist=True)
    program.clock.advance(0)
    scheduler.reschedule_task("it", Every(5))
    assert program.restart().scheduled["it"].schedule == Every(HOUR)


# A run that waits for a thread, and a kill


class Held(InlineExecutor):
    """Gives no run a thread."""

    def submit(self, jobs: Sequence[Job]) -> None:
        pass


@pytest.mark.parametrize(
    "schedule", [Every(2, START + 1), Cron("*/2 * * * * *", "UTC"), Cron("* * * * *", "UTC")], ids=str
)
@pytest.mark.parametrize("how", ["runs", "does not catch up", "disabled", "paused"])
def test_due_times_that_a_waiting_run_covers_are_stored_once(
    program: Program, clock: ManualClock, schedule: Schedule, how: str
) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(schedule, work, "it", catch_up=how != "does not catch up")

    scheduler = program.scheduler = PersistentScheduler(
        program.path, clock=clock, executor=Held(), capture=False
    )
    register(scheduler)
    scheduler.start()
    clock.advance(330)
    told = scheduler.running["it"]
    told.disable()
    if how != "disabled":
        told.enable()
    if how == "paused":
        scheduler.pause()
    before = program.history("it")
    assert [each.skip.reason for each in before if isinstance(each, StoredSkip)] == [SkipReason.OVERLAP]

    program.kill()
    clock.advance(120)
    again = program.start(register)
    again.enable_task("it")
    again.resume()
    clock.advance(120)
    due_times = []
    for each in program.history("it"):
        if isinstance(each, StoredRun):
            assert each.outcome.kind is OutcomeKind.SUCCEEDED
            due_times.append((each.outcome.due, each.outcome.due, 1))
        else:
            due_times.append((each.skip.first_due, each.skip.last_due, each.skip.count))
    due_times.sort()
    expected = [due for due in due_of(schedule, START) if due <= clock.time()]
    assert sum(times for *_, times in due_times) == len(expected)
    assert due_times[0][0] == expected[0]
    (run,) = [each for each in program.runs("it") if each.outcome.due == expected[0]] or [None]
    assert (run is not None) == (how == "runs")


def due_of(schedule: Schedule, after: float) -> Iterator[float]:
    due = schedule.next_after(after)
    while due is not None and due < START + 1000:
        yield due
        due = schedule.next_after(due)


def test_a_killed_program_leaves_one_trace_of_each_due_time(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, signal, sys, threading, time
        from taskkit import RunSkipped
        from taskkit.store import PersistentScheduler

        path, killed = sys.argv[1], sys.argv[2] == "killed"
        begun, told = threading.Event(), threading.Event()

        def take():
            begun.set()
            if killed:
                threading.Event().wait()

        scheduler = PersistentScheduler(path, max_threads=1, capture=False)
        scheduler.subscribe(lambda event: isinstance(event, RunSkipped) and told.set())
        scheduler.add_on_demand_task(take, "taker")
        with scheduler:
            scheduler.demand_task("taker")
            begun.wait(60)
            handle = scheduler.add_periodic_task(None, 0.2, lambda: None, "it")
            if killed:
                deadline = time.monotonic() + 20
                while not told.is_set() and time.monotonic() < deadline:
                    time.sleep(0.3)
                    handle.disable(), handle.enable()
                assert scheduler.store.flush(20)
                os.kill(os.getpid(), signal.SIGKILL)
            deadline = time.monotonic() + 20
            while handle.run_count < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
    """)
    path = tmp_path / "tasks.db"
    for how, status in (("killed", -signal.SIGKILL), ("ended", 0)):
        done = subprocess.run(
            [sys.executable, "-c", program, str(path), how], timeout=60, check=False, env={**os.environ}
        )
        assert done.returncode == status
    covered: list[tuple[float, float]] = []
    for each in read_history(path, "it"):
        if isinstance(each, StoredRun):
            covered.append((each.outcome.due, each.outcome.due))
        else:
            covered.append((each.skip.first_due, each.skip.last_due))
            assert each.skip.count == round((each.skip.last_due - each.skip.first_due) / 0.2) + 1
    covered.sort()
    assert len(covered) >= 3
    for (_, last), (first, _) in pairwise(covered):
        assert first - last == pytest.approx(0.2, abs=0.01)
