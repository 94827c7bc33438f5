"""Calendar schedules where clocks are changed, held against a reference that only reads local clocks.

The reference walks through UTC in steps and never turns a local time into an instant; `local_times`
does nothing else. So a fault would have to be made twice, in two ways.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest

from taskkit.schedules import Cron, Daily, Schedule, due_times
from taskkit.schedules.queries import count_between

DAY = 86_400
EPOCH = datetime(1970, 1, 1)

FIRST_YEAR = {
    "Europe/Berlin": 2017,
    "America/New_York": 2017,
    "America/Santiago": 2017,  # midnight does not exist on the day of the change
    "America/Havana": 2017,  # midnight exists twice
    "Asia/Beirut": 2017,  # as in Santiago; in 2023 the country could not agree
    "Africa/Cairo": 2008,  # four changes a year while Ramadan fell into summer
    "Australia/Lord_Howe": 2017,  # half an hour
    "Australia/Sydney": 2017,
    "Pacific/Apia": 2006,  # 2011-12-30 was skipped
    "Asia/Kolkata": 2017,
    "UTC": 2017,
}

Matches = Callable[[datetime], bool]


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def local_seconds(instant: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None
    return instant + offset.days * DAY + offset.seconds


def shown_times(zone: ZoneInfo, begin: int, end: int, step: int) -> Iterator[tuple[int, int]]:
    """Each instant, and the local time that the clocks show; no zone changes them twice in six hours."""
    for first in range(begin, end, DAY // 4):
        following = min(first + DAY // 4, end)
        offset = local_seconds(first, zone) - first
        changes = local_seconds(following, zone) - following != offset
        for instant in range(first, following, step):
            yield instant, local_seconds(instant, zone) if changes else instant + offset


def newly_reached(zone: ZoneInfo, begin: int, end: int, step: int) -> Iterator[tuple[int, range]]:
    """Each instant, and the local times that the clocks reached or skipped since the one before."""
    reached = max(local_seconds(instant, zone) for instant in range(begin - 2 * DAY, begin, step))
    for instant, shown in shown_times(zone, begin, end, step):
        yield instant, range(reached + step, shown + step, step)
        reached = max(reached, shown)


@lru_cache
def changes(name: str) -> tuple[int, ...]:
    """The quarters of an hour at which the clocks of a zone were changed, in its ten years."""
    zone = ZoneInfo(name)
    begin = int(epoch(f"{FIRST_YEAR[name]}-01-01"))
    found = []
    for look in range(begin, begin + 3652 * DAY, DAY // 2):
        if local_seconds(look + DAY // 2, zone) - local_seconds(look, zone) != DAY // 2:
            quarters = range(look, look + DAY // 2, 900)
            found += [
                quarter + 900
                for quarter in quarters
                if local_seconds(quarter + 900, zone) - local_seconds(quarter, zone) != 900
            ]
    return tuple(found)


def all_due(schedule: Schedule, begin: int, end: int) -> list[int]:
    """Every due time from `begin` up to, not including, `end`."""
    due, instant = [], schedule.next_after(begin - 1)
    while instant is not None and instant < end:
        due.append(int(instant))
        instant = schedule.next_after(instant)
    return due


@pytest.mark.parametrize("name", FIRST_YEAR)
def test_a_daily_time_is_due_as_the_reference_says_over_ten_years(name: str) -> None:
    """T5: a skipped time at the end of the gap, a repeated one the first time only."""
    times = [(0, 0), (0, 30), (1, 30), (2, 0), (2, 15), (2, 30), (3, 0), (12, 0), (23, 30)]
    begin = int(epoch(f"{FIRST_YEAR[name]}-01-01"))
    end = begin + 3652 * DAY
    expected = defaultdict(list)
    for instant, reached in newly_reached(ZoneInfo(name), begin, end, 900):
        if len(reached) == 1:
            expected[reached.start % DAY].append(instant)
        else:
            for time_of_day in {local % DAY for local in reached}:
                expected[time_of_day].append(instant)

    for hour, minute in times:
        schedule = Daily(hour, minute, name)
        due = expected[hour * 3600 + minute * 60]

        assert all_due(schedule, begin, end) == due
        assert count_between(schedule, begin - 1, end - 1) == len(due)


EXPRESSIONS: dict[str, Matches] = {
    # Minute and hour are fixed: T5 binds them.
    "30 2 * * *": lambda at: (at.hour, at.minute) == (2, 30),
    "0 0 * * *": lambda at: (at.hour, at.minute) == (0, 0),
    "15,45 0-2 * * *": lambda at: at.minute in (15, 45) and at.hour <= 2,
    "0-59/5 1,2 * * *": lambda at: at.minute % 5 == 0 and at.hour in (1, 2),
    "10 0-23/6 * * *": lambda at: at.minute == 10 and at.hour % 6 == 0,
    "30 0 30 * *": lambda at: (at.day, at.hour, at.minute) == (30, 0, 30),
    # A wildcard: they follow the clock.
    "*/15 * * * *": lambda at: at.minute % 15 == 0,
    "0 * * * *": lambda at: at.minute == 0,
    "0 */2 * * *": lambda at: at.minute == 0 and at.hour % 2 == 0,
    "*/10 2 * * *": lambda at: at.minute % 10 == 0 and at.hour == 2,
    "*/30 0 * * *": lambda at: at.minute % 30 == 0 and at.hour == 0,
}


def has_wildcard(expression: str) -> bool:
    minute, hour = expression.split()[:2]
    return minute[0] == "*" or hour[0] == "*"


@pytest.mark.parametrize("name", FIRST_YEAR)
def test_cron_is_due_as_the_reference_says_around_every_change(name: str) -> None:
    """T5: fixed times as daily ones are; the others whenever the clocks show a time that matches."""
    zone = ZoneInfo(name)
    for change in changes(name)[-6:] or (int(epoch("2024-03-31")),):
        begin, end = change - 100_800, change + 100_800
        minutes = list(newly_reached(zone, begin, end, 60))
        shown = [(instant, EPOCH + timedelta(seconds=local_seconds(instant, zone))) for instant, _ in minutes]
        reached = [
            (instant, EPOCH + timedelta(seconds=local)) for instant, locals_ in minutes for local in locals_
        ]
        for expression, matches in EXPRESSIONS.items():
            told = shown if has_wildcard(expression) else reached
            expected = sorted({instant for instant, local in told if matches(local)})

            assert all_due(Cron(expression, name), begin, end) == expected, expression


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia"]
)
def test_counting_agrees_with_walking_whatever_the_ends(name: str) -> None:
    """A count over weeks may not differ from the runs that would have been."""
    rng = random.Random(name)
    schedules = [Daily(0, 0, name), Daily(2, 30, name), *(Cron(each, name) for each in EXPRESSIONS)]
    for change in changes(name)[:4]:
        for schedule in schedules:
            due = all_due(schedule, change - DAY, change + 2 * DAY)
            for begin in (change - rng.randrange(DAY), change - 1, change, change + rng.randrange(3600)):
                for end in (change - 1, change, change + 1, change + 3599, change + rng.randrange(2 * DAY)):
                    expected = sum(1 for instant in due if begin < instant <= end)
                    assert count_between(schedule, begin, end) == expected, (str(schedule), begin, end)


@pytest.mark.parametrize("name", FIRST_YEAR)
def test_it_does_not_matter_when_one_asks(name: str) -> None:
    """T4, T5: asked while a time is shown for the second time, a schedule does not answer with the first."""
    rng = random.Random(name)
    schedules = [Daily(0, 0, name), Daily(2, 30, name), *(Cron(each, name) for each in EXPRESSIONS)]
    for change in changes(name)[:3]:
        for schedule in schedules:
            days = 40 if " 30 * *" in str(schedule) else 3
            due = all_due(schedule, change - DAY, change + days * DAY)
            for instant in (
                change - 1,
                change,
                change + 1,
                *(change + rng.randrange(-7200, 7200) for _ in range(9)),
            ):
                expected = next((each for each in due if each > instant), None)
                assert expected is None or schedule.next_after(instant) == expected, (str(schedule), instant)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        pytest.param(
            Daily(2, 30, "Europe/Berlin"),
            "2026-03-28T12:00",
            ["2026-03-29T01:00", "2026-03-30T00:30"],
            id="gap",
        ),
        pytest.param(
            Daily(2, 30, "Europe/Berlin"),
            "2026-10-24T12:00",
            ["2026-10-25T00:30", "2026-10-26T01:30"],
            id="fold",
        ),
        pytest.param(
            Daily(0, 0, "America/Santiago"),
            "2026-09-05T12:00",
            ["2026-09-06T04:00", "2026-09-07T03:00"],
            id="no midnight",
        ),
        pytest.param(
            Daily(2, 15, "Australia/Lord_Howe"),
            "2026-10-03T00:00",
            ["2026-10-03T15:30", "2026-10-04T15:15"],
            id="half an hour",
        ),
        pytest.param(
            Cron("30 2 * * *", "Europe/Berlin"),
            "2026-03-28T12:00",
            ["2026-03-29T01:00", "2026-03-30T00:30"],
            id="cron gap",
        ),
        pytest.param(
            Cron("0,20,40 2 * * *", "Europe/Berlin"),
            "2026-03-29T00:59",
            ["2026-03-29T01:00", "2026-03-30T00:00"],
            id="cron gap, many times",
        ),
        pytest.param(
            Cron("0 2,3 * * *", "Europe/Berlin"),
            "2026-03-29T00:59",
            ["2026-03-29T01:00", "2026-03-30T00:00"],
            id="cron gap, merged",
        ),
        pytest.param(
            Cron("0 * * * *", "Europe/Berlin"),
            "2026-10-24T23:30",
            ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"],
            id="hourly through a fold",
        ),
        pytest.param(
            Cron("*/30 2 * * *", "Europe/Berlin"),
            "2026-03-28T12:00",
            ["2026-03-30T00:00"],
            id="wildcard in a gap",
        ),
    ],
)
def test_well_known_cases(schedule: Schedule, after: str, expected: list[str]) -> None:
    """T5, as one would explain it to a colleague."""
    assert due_times(schedule, epoch(after), len(expected)) == [epoch(each) for each in expected]


def test_a_day_that_a_zone_skips_is_one_run_merged_with_that_of_its_end() -> None:
    """T5: Apia had no 2011-12-30; the clocks went from the end of the 29th to the 31st, at 10:00 UTC."""
    assert due_times(Daily(0, 0, "Pacific/Apia"), epoch("2011-12-29T12:00"), 2) == [
        epoch("2011-12-30T10:00"),
        epoch("2011-12-31T10:00"),
    ]
    assert due_times(Daily(5, 0, "Pacific/Apia"), epoch("2011-12-29T16:00"), 2) == [
        epoch("2011-12-30T10:00"),
        epoch("2011-12-30T15:00"),
    ]
    assert due_times(Cron("0 */6 30 12 *", "Pacific/Apia"), epoch("2011-12-01T00:00"), 1) == [
        epoch("2012-12-29T10:00"),
    ]


def test_a_daily_time_is_due_on_the_minute_whatever_the_seconds_when_it_was_asked() -> None:
    """T5: the ancestor fired at hh:mm and the seconds of the registration."""
    assert Daily(3, 30, "UTC").next_after(epoch("2026-11-24T01:02:03") + 0.456) == epoch("2026-11-24T03:30")


def test_a_due_time_is_strictly_after_the_instant_asked_about() -> None:
    due = epoch("2026-11-24T03:30")

    assert Daily(3, 30, "UTC").next_after(due - 0.001) == due
    assert Daily(3, 30, "UTC").next_after(due) == due + DAY
    assert Daily(3, 30, "UTC").next_after(due + 0.001) == due + DAY


@pytest.fixture
def machine_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts the machine into a time zone for one test."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia"])
def test_without_a_zone_the_rules_of_the_machine_hold(name: str, machine_in: Callable[[str], None]) -> None:
    """T5 binds the local zone too."""
    machine_in(name)

    for change in changes(name)[:6]:
        begin, end = change - 2 * DAY, change + 2 * DAY
        for minutes in range(0, 24 * 60, 30):
            hour, minute = divmod(minutes, 60)
            assert all_due(Daily(hour, minute), begin, end) == all_due(Daily(hour, minute, name), begin, end)
        for expression in EXPRESSIONS:
            assert all_due(Cron(expression), begin, end) == all_due(Cron(expression, name), begin, end)


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Asia/Kolkata", "Asia/Kolkata"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("", "UTC"),
        ("/nowhere/at/all", "UTC"),
    ],
)
def test_the_zone_of_the_machine_has_the_name_it_was_set_by(
    variable: str, name: str, machine_in: Callable[[str], None]
) -> None:
    machine_in(variable)

    assert Daily(3, 30).zone == name


def test_a_rule_without_a_name_is_enough_for_the_machine(machine_in: Callable[[str], None]) -> None:
    machine_in("CET-1CEST,M3.5.0,M10.5.0/3")

    assert Daily(2, 30).next_after(epoch("2026-03-28T12:00")) == epoch("2026-03-29T01:00")
    assert str(Daily(2, 30)) == "daily 02:30"


def test_any_tzinfo_is_a_zone() -> None:
    assert Daily(3, 30, UTC) == Daily(3, 30, UTC)
    assert Daily(3, 30, UTC).zone == "UTC"
    assert Daily(3, 30, ZoneInfo("Europe/Berlin")) == Daily(3, 30, "Europe/Berlin")


@pytest.mark.parametrize(
    "schedule",
    [Daily(3, 30, "Asia/Tokyo"), Daily(3, 30), Cron("0 0 29 2 *", "Asia/Tokyo"), Cron("* * * * *")],
)
def test_the_calendar_has_ends_and_nothing_breaks_there(schedule: Schedule) -> None:
    assert schedule.next_after(1e18) is None
    assert schedule.next_after(epoch("9999-12-31T23:00")) is None
    assert schedule.next_after(-1e18) is not None
    assert count_between(schedule, 1e18, 2e18) == 0


def test_a_time_past_the_end_of_the_calendar_is_never_due() -> None:
    assert Cron("0 0 31 12 *", "Asia/Tokyo").next_after(epoch("9999-12-15T00:00")) is None
