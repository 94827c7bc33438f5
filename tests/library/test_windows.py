"""`window` and `not_on`: when a task may run, and what becomes of the due times outside."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import inf
from pathlib import Path

import pytest
from conftest import START
from doing import Doing, Notes, fail
from minute_reference import DAY, MINUTE, epoch, minutes, shown, spans
from recorder import Events
from restarted_program import Program

from taskkit import (
    AnyOf,
    Cron,
    Daily,
    Every,
    Once,
    Outcome,
    Policies,
    Recipe,
    RunSkipped,
    Scheduler,
    Skip,
    SkipReason,
    TaskSnapshot,
    TaskSpec,
)
from taskkit.policies import limits_from_texts
from taskkit.remote.rows import RowReader, own_columns, to_row
from taskkit.schedules.open_hours import OpenHours, WindowPart, read_window, window_words
from taskkit.spec import spec_from_json, spec_to_json
from taskkit.store import StoredSkip
from taskkit.taskfile import TaskFileError, read_task_file
from taskkit.testing import InlineExecutor, ManualClock

HOUR = 3600.0
BERLIN = "Europe/Berlin"
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Parts = list[tuple[str, int, int]]
"""Days, and the minutes after midnight at which it opens and closes; over midnight if it closes earlier."""

WINDOWS: dict[str, Parts] = {
    "mon-fri 09:00-17:00": [("mon tue wed thu fri", 540, 1020)],
    "22:00-02:30": [(" ".join(DAYS), 1320, 150)],
    "02:00-02:45": [(" ".join(DAYS), 120, 165)],
    "sun 01:30-03:30, sat 23:00-02:15": [("sun", 90, 210), ("sat", 1380, 135)],
    "fri-mon 00:00-24:00": [("fri sat sun mon", 0, 1440)],
}


def is_inside(local: datetime, parts: Parts, not_on: set[str]) -> bool:
    """What a person says who looks at a clock and a calendar."""
    minute = local.hour * 60 + local.minute
    today, yesterday = local.date(), local.date() - timedelta(days=1)

    def counts(day: date, days: str) -> bool:
        return DAYS[day.weekday()] in days and day.isoformat() not in not_on

    for days, opens, closes in parts:
        if closes > opens:
            if counts(today, days) and opens <= minute < closes:
                return True
        elif (counts(today, days) and minute >= opens) or (counts(yesterday, days) and minute < closes):
            return True
    return False


def skips(outcomes: tuple[Outcome | Skip, ...]) -> list[Skip]:
    return [each for each in outcomes if isinstance(each, Skip)]


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("window", WINDOWS)
def test_it_is_open_as_the_reference_says(window: str, zone: str) -> None:
    """By the wall clock: a part that clocks skip is never open, one that they repeat is open twice."""
    for begin, end in spans((zone,), 2025):
        closed = {shown(begin + DAY, zone).date().isoformat()} if begin % 3 else set()
        hours = Policies(window=window, not_on=closed).limits(Daily(0, 0, zone))
        assert hours is not None
        assert hours.hours is not None
        expected = {at for at in minutes(begin, end) if is_inside(shown(at, zone), WINDOWS[window], closed)}

        opened = {at for first, last in hours.hours.spans(begin, end - 1) for at in range(first, last)}
        assert {at for at in opened if at % MINUTE == 0} == expected
        for at in range(begin, end, 37 * MINUTE):
            assert hours.hours.is_open(at) is (at in expected)


@pytest.mark.parametrize("schedule", ["every", "cron", "any of"])
@pytest.mark.parametrize("window", ["mon-fri 09:00-17:00", "22:00-02:30", "02:00-02:45"])
def test_each_due_time_is_run_inside_or_counted_outside(window: str, schedule: str) -> None:
    """O4: for three days around a change of the clocks, each due time leaves one trace."""
    begin = int(epoch("2026-10-23T22:00"))
    end = begin + 3 * DAY
    clock = ManualClock(begin - 1)
    task = Notes(clock)
    schedules = {
        "every": Every(15 * MINUTE, start=begin),
        "cron": Cron("*/15 * * * *", BERLIN),
        "any of": AnyOf(Cron("0,15,30 * * * *", BERLIN), Cron("*/15 * * * *", BERLIN)),
    }
    zone = {"timezone": BERLIN} if schedule == "every" else {}
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        events = Events(scheduler.subscribe)
        scheduler.add_task(schedules[schedule], task, "it", window=window, **zone)  # type: ignore[arg-type]
        clock.advance(end - begin)

    inside = [at for at in range(begin, end, 900) if is_inside(shown(at, BERLIN), WINDOWS[window], set())]
    assert task.times == inside
    found = events.of(RunSkipped)
    assert events.skips("it") == {SkipReason.WINDOW: (end - begin) // 900 - len(inside)}
    assert all(not is_inside(shown(each.first_due, BERLIN), WINDOWS[window], set()) for each in found)


def office(scheduler: Scheduler, clock: ManualClock) -> Notes:
    """Add a task for office hours. It is Friday, 08:00, when a test begins."""
    task = Notes(clock)
    scheduler.add_periodic_task(START, HOUR, task, "it", window="mon-fri 09:00-17:00", timezone="UTC")
    return task


def test_the_next_due_time_is_the_next_one_inside(scheduler: Scheduler, clock: ManualClock) -> None:
    office(scheduler, clock)
    handle = scheduler.scheduled["it"]
    monday = START + HOUR + 3 * DAY

    assert handle.next_run == scheduler.next_time == START + HOUR
    clock.advance(9 * HOUR)
    assert handle.next_run == scheduler.next_time == monday
    details = scheduler.describe("it", due_times=9)
    assert details is not None
    assert details.due_times == (*(monday + hour * HOUR for hour in range(8)), monday + DAY)
    assert handle.explain() == (
        "it is next due at Mon 2027-01-18 09:00:00, in 2 d 16 h, as it runs only mon-fri 09:00-17:00."
    )


def test_what_falls_outside_is_told_once_when_it_opens(scheduler: Scheduler, clock: ManualClock) -> None:
    events = Events(scheduler.subscribe)
    task = Notes(clock)
    scheduler.add_task(Daily(["10:30", "18:00"], tz="UTC"), task, "it", window="mon-fri 09:00-17:00")

    clock.advance(3 * DAY)  # to Monday, 08:00
    assert events.of(RunSkipped) == []
    clock.advance(HOUR)

    (skip,) = events.of(RunSkipped)
    assert (skip.reason, skip.count, skip.at) == (SkipReason.WINDOW, 5, START + 3 * DAY + HOUR)
    assert (skip.first_due, skip.last_due) == (START + 10 * HOUR, START + 2 * DAY + 10 * HOUR)
    clock.advance(4 * HOUR)
    assert len(events.of(RunSkipped)) == 1
    assert task.times == [START + 2.5 * HOUR, START + 3 * DAY + 2.5 * HOUR]


def test_what_is_not_due_at_the_registration_is_not_counted(scheduler: Scheduler, clock: ManualClock) -> None:
    """A calendar counts from after that moment, and so does a period that is given to a task later."""
    events = Events(scheduler.subscribe)
    scheduler.add_task(Cron("0 * * * *", "UTC"), lambda: None, "cron", window="09:00-17:00")
    scheduler.add_task(Daily(12, 0, "UTC"), lambda: None, "changed", window="09:00-17:00")
    scheduler.reschedule_task("changed", Every(HOUR))

    clock.advance(2 * HOUR)

    assert (events.skips("cron"), events.skips("changed")) == ({}, {})
    assert len(events.outcomes("cron")) == len(events.outcomes("changed")) == 2


def test_its_window_opens_also_after_a_standby(scheduler: Scheduler, clock: ManualClock) -> None:
    task = office(scheduler, clock)
    with scheduler._core.transition() as (ledger, now):
        ledger.standby = True
        ledger.end_standby(now)

    clock.advance(2 * HOUR)

    assert task.times == [START + HOUR, START + 2 * HOUR]


@pytest.mark.parametrize(
    "command",
    [
        lambda scheduler: scheduler.disable_task("it"),
        lambda scheduler: scheduler.set_period("it", 1800),
        lambda scheduler: scheduler.reschedule_task("it", Every(60)),
        lambda scheduler: scheduler.unregister_task("it"),
        lambda scheduler: scheduler.stop(),
    ],
    ids=["disabled", "another period", "another schedule", "unregistered", "stopped"],
)
def test_what_passed_is_told_earlier_where_the_task_changes(
    scheduler: Scheduler, clock: ManualClock, command: Callable[[Scheduler], object]
) -> None:
    office(scheduler, clock)
    handle = scheduler.scheduled["it"]
    clock.advance(14 * HOUR)

    command(scheduler)

    assert [(each.reason, each.count) for each in skips(handle.history)][-1] == (SkipReason.WINDOW, 6)


def test_while_it_is_disabled_only_what_is_inside_counts_as_disabled(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    office(scheduler, clock)
    handle = scheduler.scheduled["it"]
    scheduler.disable_task("it")
    clock.advance(DAY)

    scheduler.enable_task("it")

    assert dict(handle._entry.skipped) == {SkipReason.WINDOW: 17, SkipReason.DISABLED: 8}


def test_runs_by_hand_demands_and_retries_ignore_it(scheduler: Scheduler, clock: ManualClock) -> None:
    clock.advance(10 * HOUR)
    runs = Notes(clock)

    def work() -> None:
        runs()
        fail()

    scheduler.add_task(
        Daily(12, 0, "UTC"), work, "it", window="mon-fri 09:00-17:00", retries=1, retry_delay=60
    )
    scheduler.run_task_now("it")
    clock.advance(60)
    scheduler.demand_task("it")

    assert runs.times == [START + 10 * HOUR, START + 10 * HOUR + 60, START + 10 * HOUR + 60]
    assert skips(scheduler.scheduled["it"].history) == []


def test_a_late_run_starts_inside_only(scheduler: Scheduler, clock: ManualClock) -> None:
    task = office(scheduler, clock)
    handle = scheduler.scheduled["it"]
    clock.advance(6.5 * HOUR)
    before = len(task.times)
    clock.stall(1 * HOUR)
    assert len(task.times) == before + 1  # at 15:30, late, and inside

    clock.stall(2 * HOUR)

    assert len(task.times) == before + 1
    missed = [each for each in skips(handle.history) if each.reason is SkipReason.MISSED]
    assert [(each.count, each.last_due) for each in missed] == [(1, START + 8 * HOUR)]
    assert handle.next_run == START + 3 * DAY + HOUR


@pytest.mark.parametrize("kind", ["every", "cron"])
def test_after_a_long_stall_each_due_time_is_counted(kind: str) -> None:
    """O4: six weeks, with a change of the clocks in them; one run, late, and all others counted."""
    begin = int(epoch("2026-03-02T08:00", BERLIN))
    end = int(epoch("2026-04-14T11:07", BERLIN))
    clock, window = ManualClock(begin - 1), "mon-fri 09:00-17:00"
    schedule = Every(1800, start=begin) if kind == "every" else Cron("*/30 * * * *", BERLIN)
    zone = BERLIN if kind == "every" else None
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        events = Events(scheduler.subscribe)
        scheduler.add_task(schedule, lambda: None, "it", window=window, not_on="2026-04-06", timezone=zone)
        clock.stall(end - begin + 1)
        (outcome,) = events.outcomes("it")

    inside = [
        at for at in range(begin, end, 1800) if is_inside(shown(at, BERLIN), WINDOWS[window], {"2026-04-06"})
    ]
    outside = len(range(begin, end, 1800)) - len(inside)
    assert outcome.due == inside[0]
    assert events.skips("it") == {SkipReason.MISSED: len(inside) - 1, SkipReason.WINDOW: outside}


def test_jitter_never_moves_a_start_out_of_it(scheduler: Scheduler, clock: ManualClock) -> None:
    task = Notes(clock)
    scheduler.add_task(Daily(9, 59, "UTC"), task, "it", window="09:00-10:00", jitter=12 * HOUR)

    clock.advance(40 * DAY)

    assert len(task.times) == 40
    assert all(0 <= (at - START) % DAY - 2 * HOUR + MINUTE < MINUTE for at in task.times)


def test_a_step_of_the_wall_clock_moves_the_window(scheduler: Scheduler, clock: ManualClock) -> None:
    """T4: the grid follows the steady clock, its window the wall clock."""
    task = Notes(clock)
    scheduler.add_periodic_task(None, HOUR, task, "it", window="12:00-24:00", timezone="UTC")
    clock.advance(1800)

    clock.step_wall(4 * HOUR)  # 12:30
    clock.advance(HOUR)

    assert task.times == [START + 5 * HOUR]
    assert clock.monotonic() == 1.5 * HOUR


def test_a_due_time_that_a_gap_moves_is_judged_where_it_runs() -> None:
    """T5: 02:30 is due at 03:00 on the day on which the clocks go forward."""
    clock = ManualClock(epoch("2027-03-26T12:00"))
    task = Notes(clock)
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        scheduler.add_task(Daily(2, 30, BERLIN), task, "it", window="03:00-04:00")
        clock.advance(4 * DAY)

    assert task.times == [epoch("2027-03-28T03:00", BERLIN)]


def test_dates_are_left_out(scheduler: Scheduler, clock: ManualClock) -> None:
    task = Notes(clock)
    scheduler.add_task(Daily(12, 0, "UTC"), task, "it", not_on=["2027-01-16", date(2027, 1, 17)])

    clock.advance(4 * DAY)

    assert task.times == [START + 4 * HOUR, START + 3 * DAY + 4 * HOUR]
    assert dict(scheduler.scheduled["it"].history[-1].skipped) == {SkipReason.WINDOW: 2}  # type: ignore[union-attr]


def test_a_part_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    hours = OpenHours.of("fri 22:00-02:00", ["2027-01-22"], UTC)

    assert not OpenHours.of("fri 22:00-02:00", [], UTC).is_open(epoch("2027-01-15T01:00"))
    assert hours.parts == read_window("friday 22-2")
    assert hours.opening_after(epoch("2027-01-16T12:00"), inf) == hours.opening_after(
        epoch("2027-01-22T23:30"), inf
    )


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_after_a_restart_it_is_due_inside(tmp_path: Path, clock: ManualClock, killed: bool) -> None:
    program = Program(tmp_path / "tasks.db", clock)

    def register(scheduler: Scheduler) -> None:
        office(scheduler, clock)

    try:
        program.start(register)
        clock.advance(10 * HOUR)  # Friday, 18:00
        again = program.restart(register, killed=killed)
        assert again.scheduled["it"].next_run == START + 3 * DAY + HOUR
        clock.advance(3 * DAY)
        counted = [each for each in program.history("it") if isinstance(each, StoredSkip)]
        assert sum(each.skip.count for each in counted) == 1 + 64
        assert {each.skip.reason for each in counted} == {SkipReason.WINDOW}
    finally:
        program.stop()


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_after_days_without_the_program_each_due_time_is_counted(
    tmp_path: Path, clock: ManualClock, killed: bool
) -> None:
    """O4, T9: the first one missed inside runs late, as the window is open; all others are counted."""
    program = Program(tmp_path / "tasks.db", clock)

    def register(scheduler: Scheduler) -> None:
        office(scheduler, clock)

    try:
        program.start(register)
        clock.advance(10 * HOUR)  # Friday, 18:00
        program.restart(register, after=10 * DAY + 16 * HOUR, killed=killed)  # Tuesday, 10:00
        counted: dict[str, int] = {}
        for each in program.history("it"):
            if isinstance(each, StoredSkip):
                counted[each.skip.reason] = counted.get(each.skip.reason, 0) + each.skip.count
        runs = program.runs("it")
    finally:
        program.stop()

    hours = [START + hour * HOUR for hour in range(11 * 24 + 3)]
    inside = [at for at in hours if is_inside(shown(at, "UTC"), WINDOWS["mon-fri 09:00-17:00"], set())]
    assert len(runs) == 8 + 1
    assert runs[0].outcome.due == START + 3 * DAY + HOUR
    assert counted == {SkipReason.MISSED: len(inside) - 9, SkipReason.WINDOW: len(hours) - len(inside)}


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("mon-fri 9-17", "mon-fri 09:00-17:00"),
        ("Mon,Wed,Fri 09:00-12:00, 13:00-17:00", "mon,wed,fri 09:00-12:00, mon,wed,fri 13:00-17:00"),
        ("weekdays 09:00 - 17:00, sat", "mon-fri 09:00-17:00, sat 00:00-24:00"),
        ("saturday sunday", "sat-sun"),
        ("fri-mon 22:00-06:00", "mon,fri-sun 22:00-06:00"),
        ("00:00-24:00", "00:00-24:00"),
        ("thu 03:00-10:00, mon-sun 02:00-12:00", "thu 03:00-10:00, mon-sun 02:00-12:00"),
        ("08:00-12:00, 13:00-17:00", "mon-sun 08:00-12:00, mon-sun 13:00-17:00"),
        ("sat, daily 13:00-17:00", "13:00-17:00"),
    ],
)
def test_windows_are_typed_as_people_write_them(typed: str, canonical: str) -> None:
    assert Policies(window=typed).window == canonical
    assert Policies(window=canonical).window == canonical


@pytest.mark.parametrize(
    ("policies", "error", "message"),
    [
        ({"window": 5}, TypeError, "window must be days and hours such as .*, not 5"),
        ({"window": ""}, ValueError, "window must be days and hours"),
        ({"window": "mno-fri 09:00-17:00"}, ValueError, "window has no day 'mno'.*did you mean mon"),
        ({"window": "mon 09:00-25:00"}, ValueError, "window must have hours from 00:00 to 24:00, not 25:00"),
        ({"window": "09:00-09:00"}, ValueError, "window must be open for a while"),
        ({"not_on": "25.12.2026"}, ValueError, "not_on must be dates such as '2026-12-25', not '25.12.2026'"),
        ({"not_on": ["2026-02-31"]}, ValueError, "not_on must be dates"),
        ({"not_on": [5]}, TypeError, "not_on must be dates .*, not 5"),
        (
            {"window": "mon", "timezone": "Mars"},
            ValueError,
            "timezone must name a known time zone",
        ),
        ({"timezone": "UTC"}, ValueError, "timezone='UTC' has no meaning without window"),
        ({"windows": "mon"}, TypeError, "did you mean 'window'"),
    ],
)
def test_a_mistake_is_named(
    scheduler: Scheduler, policies: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        scheduler.add_task(Every(60), lambda: None, "it", **policies)  # type: ignore[arg-type]

    assert scheduler.handle("it") is None


def test_a_window_that_leaves_no_due_time_is_refused(scheduler: Scheduler) -> None:
    """Within ten years; also where a schedule is changed."""
    with pytest.raises(ValueError, match="window must leave a due time of daily 03:00 within ten years"):
        scheduler.add_task(Daily(3, 0), lambda: None, "it", window="09:00-17:00")
    with pytest.raises(ValueError, match="window must leave a due time of once within ten years"):
        scheduler.add_task(Once(epoch("2027-02-01T03:00")), lambda: None, "it", window="09:00-17:00")
    scheduler.add_task(Daily(12, 0), Doing(), "it", window="09:00-17:00")
    with pytest.raises(ValueError, match="window must leave a due time of daily 20:00"):
        scheduler.reschedule_task("it", Daily(20, 0))

    assert str(scheduler.scheduled["it"].schedule) == "daily 12:00"


def test_the_zone_is_that_of_the_schedule(scheduler: Scheduler) -> None:
    handle = scheduler.add_task(Daily(9, 0, "Asia/Tokyo"), lambda: None, "it", window="09:00-10:00")

    assert handle.next_run == epoch("2027-01-16T09:00", "Asia/Tokyo")
    with pytest.raises(ValueError, match="timezone has no meaning with daily 09:00 Asia/Tokyo; give the"):
        scheduler.add_task(
            Daily(9, 0, "Asia/Tokyo"), lambda: None, "it", window="09:00-10:00", timezone="UTC"
        )


def test_the_row_of_a_task_has_its_limits_as_texts(scheduler: Scheduler) -> None:
    """So that another process can tell its due times: `taskkit next` asks for these rows."""
    policies = Policies(
        window="9-17",
        not_on=["2026-12-25", "2026-12-26"],  # type: ignore[arg-type]
        until=epoch("2030-01-01T00:00"),
        not_before="2026-01-01 00:00",
        timezone="Asia/Tokyo",
    )
    spec = TaskSpec("it", Every(HOUR), Recipe("gc:collect"), policies)
    scheduler.add_spec(spec)
    (row,) = scheduler.snapshot().tasks

    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec
    assert limits_from_texts(RowReader(own_columns()).read(TaskSnapshot, to_row(row)).limits) == policies
    plain = scheduler.add_task(Every(60, START), lambda: None, "plain", until=1e300)
    assert plain.next_run is not None
    assert [dict(each.limits) for each in scheduler.snapshot().tasks if each.name == "plain"] == [{}]


def test_any_window_reads_the_same_in_its_own_words() -> None:
    dice = random.Random(3)
    for _ in range(300):
        parts = tuple(
            WindowPart(tuple(sorted(dice.sample(range(7), dice.randrange(1, 8)))), begin, end)
            for begin in (dice.choice([0, 60, 82_800]) for _ in range(dice.randrange(1, 4)))
            for end in [dice.choice([86_400, begin + 60, begin + 86_340])]
        )
        assert read_window(window_words(parts)) == tuple(dict.fromkeys(parts))


def read(tmp_path: Path, keys: str) -> Policies:
    file = tmp_path / "tasks.toml"
    file.write_text(f'timezone = "Asia/Tokyo"\n[tasks.it]\ncommand = "true"\n{keys}\n')
    return read_task_file(file).specs[0].policies


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            'every = "1h"\nwindow = "Mon-Fri 9-17"',
            Policies(window="mon-fri 09:00-17:00", timezone="Asia/Tokyo"),
        ),
        (
            'every = "1h"\nnot_on = [2026-12-25, "2027-01-01"]\ntimezone = "Europe/Berlin"',
            Policies(not_on=["2026-12-25", "2027-01-01"], timezone=BERLIN),  # type: ignore[arg-type]
        ),
        (
            'daily = "12:00"\nwindow = "mon-fri"\nuntil = "2030-12-24 18:00"',
            Policies(window="mon-fri", until="2030-12-24 18:00:00"),
        ),
        (
            "daily = 12:00:00\nnot_before = 2030-12-24T18:00:00Z\nuntil = 2031-01-01T00:00:00",
            Policies(not_before=epoch("2030-12-24T18:00"), until="2031-01-01 00:00"),
        ),
        ('every = "1h"\nuntil = 2031-01-01T00:00:00+01:00', Policies(until=epoch("2030-12-31T23:00"))),
    ],
)
def test_a_file_has_a_key_for_each_limit(tmp_path: Path, keys: str, expected: Policies) -> None:
    assert read(tmp_path, keys) == expected


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('every = "1h"\nwindow = "mno 9-17"', "window = \"mno 9-17\": has no day 'mno'"),
        ('every = "1h"\nwindow = 9', "window = 9: must be days and hours such as"),
        ('every = "1h"\nwindwo = "mon"', "a task has no such key; did you mean window?"),
        ('every = "1h"\nnot_on = "25.12.2026"', 'not_on = "25.12.2026": must be dates such as'),
        ('every = "1h"\nnot_on = [5]', 'must be dates such as "2026-12-25", in a list'),
        ('every = "1h"\nuntil = 2030-12-24', "needs a time of day after the date"),
        ('every = "1h"\nuntil = 5', "until = 5: must be a date with a time of day"),
        ('daily = "3:00"\nwindow = "9-17"', 'window = "9-17": leaves no due time of daily 03:00'),
        ('on_demand = true\nwindow = "mon"', 'window = "mon": has no meaning for a task on demand'),
        (
            'every = "1h"\nuntil = "2030-01-01 00:00"\nnot_before = "2031-01-01 00:00"',
            'until = "2030-01-01 00:00": must not be before not_before',
        ),
        ('every = "1h"\ntimezone = "UTC"', "has no meaning with every"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(TaskFileError) as caught:
        read(tmp_path, keys)

    assert message in str(caught.value)
