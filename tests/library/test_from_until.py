"""`not_before` and `until`: what lies outside is not a due time, and with its last one a task is done."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import START
from doing import Notes
from minute_reference import DAY, due_when_reached, due_when_shown, epoch, spans
from recorder import Events
from restarted_program import Program

from taskkit import (
    AnyOf,
    Cron,
    Daily,
    Every,
    Once,
    OnDemand,
    Policies,
    Schedule,
    Scheduler,
    TaskState,
    TaskUnregistered,
    UnregisterReason,
)
from taskkit.cli import main
from taskkit.taskfile import TaskFileFollower
from taskkit.testing import ManualClock

HOUR = 3600.0


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_due_times_are_those_of_the_reference_between_the_two(zone: str) -> None:
    schedules: dict[Schedule, set[int]] = {}
    for begin, end in spans((zone,), 2026):
        schedules = {
            Daily(["02:15", "09:00"], tz=zone): due_when_reached(
                lambda it: f"{it:%H:%M}" in ("02:15", "09:00"), zone, begin, end
            ),
            Cron("*/20 * * * *", zone): due_when_shown(lambda it: it.minute % 20 == 0, zone, begin, end),
            Every(1200, start=begin - 600): set(range(begin + 600, end, 1200)),
        }
        not_before, until = begin + 5 * 3600, begin + 15 * 3600 + 600
        for schedule, reference in schedules.items():
            limits = Policies(not_before=not_before, until=until).limits(schedule)
            assert limits is not None
            found, due = set(), limits.first_after(schedule.next_after, begin)
            while due is not None:
                found.add(int(due))
                due = limits.first_after(schedule.next_after, due)
            assert found == {at for at in reference if not_before <= at <= until}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Every(HOUR), [2.0, 3.0, 4.0, 5.0]),
        (Every(HOUR, start=START + 1800), [2.5, 3.5, 4.5]),
        (Every(HOUR, start=START - 1800), [2.5, 3.5, 4.5]),
        (Once(), [2.0]),
        (Once(START + 3 * HOUR), [3.0]),
        (Once(START + HOUR), []),
        (Once(START + 6 * HOUR), []),
        (Cron("0 * * * *", "UTC"), [2.0, 3.0, 4.0, 5.0]),
        (AnyOf(Daily(11, 30, "UTC"), Once(START + 5 * HOUR)), [3.5, 5.0]),
    ],
    ids=str,
)
def test_it_runs_from_not_before_up_to_until(
    scheduler: Scheduler, clock: ManualClock, schedule: Schedule, expected: list[float]
) -> None:
    task, events = Notes(clock), Events(scheduler.subscribe)
    handle = scheduler.add_task(schedule, task, "it", not_before=START + 2 * HOUR, until=START + 5 * HOUR)
    first = handle.next_run

    clock.advance(9 * HOUR)

    assert [(at - START) / HOUR for at in task.times] == expected
    assert first == (task.times[0] if task.times else None)
    assert handle.state is TaskState.GONE
    assert [event.why for event in events.of(TaskUnregistered)] == [UnregisterReason.DONE]
    assert events.skips("it") == {}


def test_a_task_that_is_done_says_so(scheduler: Scheduler, clock: ManualClock) -> None:
    handle = scheduler.add_task(Every(HOUR), lambda: None, "it", until=START + HOUR)
    assert handle.explain() == "it is next due at 08:00:00, in 0 s." or handle.run_count

    clock.advance(2 * HOUR)

    assert handle.explain() == "it is done: nothing more is due up to its until, 09:00:00."
    assert scheduler.handle("it") is handle
    assert dict(scheduler.done) == {"it": handle}
    assert not scheduler.run_task_now("it")
    scheduler.add_task(OnDemand(), lambda: None, "it")
    assert dict(scheduler.done) == {}


def test_an_until_in_the_past_is_done_at_once(scheduler: Scheduler) -> None:
    events = Events(scheduler.subscribe)

    handle = scheduler.add_task(Daily(3, 0), lambda: None, "it", until=START - 1)

    assert (handle.state, handle.run_count) == (TaskState.GONE, 0)
    assert [event.why for event in events.of(TaskUnregistered)] == [UnregisterReason.DONE]


def test_it_stays_until_its_last_run_ends(scheduler: Scheduler, clock: ManualClock) -> None:
    seen: list[object] = []

    def work() -> None:
        seen.append((scheduler.running["it"].next_run, scheduler.set_period("it", 60)))

    scheduler.add_task(Every(HOUR, start=START + HOUR), work, "it", until=START + 1.5 * HOUR)
    clock.advance(HOUR)

    assert seen == [(None, True)]
    assert scheduler.running == {}
    # Its new period leaves due times before the end.
    assert scheduler.scheduled["it"].next_run == START + HOUR + 60


def test_before_the_first_one_it_says_what_it_waits_for(scheduler: Scheduler) -> None:
    handle = scheduler.add_task(Daily(3, 0, "UTC"), lambda: None, "it", not_before="2027-03-01 00:00")

    assert handle.next_run == epoch("2027-03-01T03:00")
    assert "as it does not run before" in handle.explain()


def test_texts_are_in_the_zone_of_the_task() -> None:
    tokyo, naive = Daily(9, 0, "Asia/Tokyo"), "2027-01-20 09:00"
    expected = epoch("2027-01-20T09:00", "Asia/Tokyo")

    def until(schedule: Schedule, **policies: object) -> float:
        limits = Policies(**policies).limits(schedule)  # type: ignore[arg-type]
        assert limits is not None
        return limits.until

    assert until(tokyo, until=naive) == expected
    assert until(Every(60), until=naive, timezone="Asia/Tokyo") == expected
    assert until(tokyo, until="2027-01-20T09:00+01:00") == expected + 8 * HOUR
    assert until(tokyo, until=datetime(2027, 1, 20, 9, tzinfo=UTC)) == expected + 9 * HOUR
    # A time that clocks skip is the end of the gap.
    berlin = epoch("2027-03-28T03:00", "Europe/Berlin")
    assert until(Daily(9, 0, "Europe/Berlin"), until="2027-03-28 02:30") == berlin


@pytest.mark.parametrize(
    ("schedule", "policies", "error", "message"),
    [
        (
            Every(60),
            {"until": "tomorrow"},
            ValueError,
            "until must be a date .*'tomorrow'",
        ),
        (Every(60), {"until": "2027-01-20"}, ValueError, "until must be a date with a time of day"),
        (Every(60), {"not_before": float("nan")}, ValueError, "not_before must be"),
        (
            Every(60),
            {"until": True},
            TypeError,
            "until must be .* or a text, not True",
        ),
        (Every(60), {"not_before": [5]}, TypeError, "not_before must be epoch seconds, a datetime or a text"),
        (Every(60), {"not_before": 9.0, "until": 5.0}, ValueError, "until must not be before not_before"),
        (OnDemand(), {"until": 5.0}, ValueError, "until has no meaning for a task on demand"),
        (OnDemand(), {"window": "mon"}, ValueError, "window has no meaning for a task on demand"),
    ],
)
def test_a_mistake_is_named(
    scheduler: Scheduler,
    schedule: Schedule,
    policies: dict[str, object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        scheduler.add_task(schedule, lambda: None, "it", **policies)  # type: ignore[arg-type]

    assert scheduler.handle("it") is None


def test_a_schedule_with_nothing_left_before_until_is_refused(scheduler: Scheduler) -> None:
    scheduler.add_task(Every(60), lambda: None, "it", until=START + HOUR)

    with pytest.raises(ValueError, match="schedule must be due before until, and daily 03:00 is not"):
        scheduler.reschedule_task("it", Daily(3, 0))

    assert scheduler.scheduled["it"].period == 60


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_after_a_restart_it_stays_done(tmp_path: Path, clock: ManualClock, killed: bool) -> None:
    """Also before its `until`: its next due time lies behind that."""
    program = Program(tmp_path / "tasks.db", clock)

    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(Every(DAY), lambda: None, "it", until=START + DAY / 2)

    try:
        program.start(register)
        again = program.restart(register, after=HOUR, killed=killed)
        clock.advance(HOUR)
        assert again.handle("it") is again.done["it"]
        assert len(program.runs("it")) == 1
    finally:
        program.stop()


def test_list_and_history_say_that_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the clock, and from the state."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    tasks = tmp_path / "tasks.toml"
    tasks.write_text(
        '[tasks.past]\ncommand = "true"\nevery = "1h"\nuntil = "2001-01-01 00:00"\n'
        '[tasks.run]\ncommand = "true"\nevery = "300d"\nuntil = "2023-12-01 00:00"\n'
        '[tasks.goes]\ncommand = "true"\nevery = "1h"\nuntil = "2100-01-01 00:00"\n'
    )
    path = tmp_path / "state.db"
    program = Program(path, ManualClock(1_700_000_000.0))
    program.start(lambda scheduler: TaskFileFollower(scheduler, tasks).load())
    program.stop()

    assert main(["list", "--json", "--state", str(path), "tasks.toml"]) == 0
    rows = {row["task"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert {name: row["done"] for name, row in rows.items()} == {"past": True, "run": True, "goes": False}
    assert main(["list", "--state", str(path), "tasks.toml"]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines() if "past" in line] == ["done"]
    assert main(["next", "--json", "--state", str(path), "tasks.toml"]) == 0
    assert {json.loads(line)["task"] for line in capsys.readouterr().out.splitlines()} == {"goes"}
    assert main(["history", "--state", str(path), "tasks.toml", "run"]) == 0
    assert "run is done: nothing more is due up to its until" in capsys.readouterr().err
