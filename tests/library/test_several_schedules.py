"""Several times of day in one `Daily`, and several schedules in one task: `AnyOf`."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, time

import pytest
from minute_reference import DAY, all_due, due_when_reached, due_when_shown, epoch, spans

from taskkit import AnyOf, Cron, Daily, Every, Once, OnDemand, Schedule, Scheduler, due_times
from taskkit.schedules.queries import are_equal, count_between, shortest_distance
from taskkit.schedules.typed_schedule import read_schedule
from taskkit.spec import schedule_from_json, schedule_to_json
from taskkit.testing import ManualClock

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
NOON = epoch("2026-11-24T12:00")


def at(*times: str) -> Callable[[datetime], bool]:
    return lambda local: f"{local:%H:%M}" in times


class TestSeveralTimesOfDay:
    @pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, LORD_HOWE, "Africa/Cairo"])
    def test_they_are_due_as_the_reference_says(self, zone: str) -> None:
        """T5: also where clocks skip or repeat some of them."""
        times = ["00:15", "02:00", "02:15", "02:45", "17:00"]
        schedule = Daily(times, tz=zone)
        for begin, end in spans((zone,), 2025):
            expected = sorted(due_when_reached(at(*times), zone, begin, end))

            assert all_due(schedule, begin, end) == expected
            assert count_between(schedule, begin - 1, end - 1) == len(expected)

    def test_one_time_is_the_same_as_an_hour_and_a_minute(self) -> None:
        assert Daily(["09:00"]) == Daily("9:00") == Daily(9, 0)
        assert hash(Daily(["09:00"])) == hash(Daily(9, 0))
        assert Daily(["17:00", "09:00", "9:00"]) == Daily(["09:00", "17:00"]) != Daily(9, 0)
        assert Daily([time(9), "17:00"]) == Daily(["09:00", "17:00"])
        assert (Daily(["17:30", "09:00"]).hour, Daily(["17:30", "09:00"]).minute) == (9, 0)

    def test_both_run_on_a_day(self, scheduler: Scheduler, clock: ManualClock) -> None:
        handle = scheduler.add_task(Daily(["09:00", "17:00"], tz="UTC"), lambda: None, "it")

        clock.advance(DAY)

        assert handle.run_count == 2

    @pytest.mark.parametrize(
        ("hour", "error", "message"),
        [
            ([], ValueError, "hour must have at least one time of day"),
            (["25:00"], ValueError, "hour must be a time of day from '00:00' to '23:59', not '25:00'"),
            (["09:00", 17], TypeError, "not 17"),
            ("noon", ValueError, "not 'noon'"),
            (["09:00:30"], ValueError, "not '09:00:30'"),
            ([time(9, 0, 30)], TypeError, "not datetime.time"),
        ],
    )
    def test_no_time_of_day_is_refused(self, hour: object, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            Daily(hour)  # type: ignore[call-overload]

    def test_a_zone_in_the_wrong_place_is_named(self) -> None:
        with pytest.raises(TypeError, match=r"minute must not be given together with times .*write tz='UTC'"):
            Daily(["09:00", "17:00"], "UTC")  # type: ignore[call-overload]

    def test_jitter_may_be_the_shortest_time_between_them(self, scheduler: Scheduler) -> None:
        """Over midnight, too."""
        assert shortest_distance(Daily(["00:10", "12:00", "23:50"]), NOON) == 1200
        with pytest.raises(ValueError, match="jitter must be at most 1200 seconds"):
            scheduler.add_task(Daily(["00:10", "12:00", "23:50"]), lambda: None, "it", jitter=1201)


BOTH = AnyOf(Cron("0 9 * * 1-5", BERLIN), Cron("*/30 12 * * 6", BERLIN))


class TestAnyOf:
    @pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, LORD_HOWE])
    def test_it_is_due_as_the_reference_says(self, zone: str) -> None:
        """T5: each follows its own zone and its own rule, and one instant counts once."""
        schedule = AnyOf(
            Daily(["02:15", "02:30", "09:00"], tz=zone), Cron("*/30 1-3 * * *", zone), Daily(3, 0, BERLIN)
        )
        for begin, end in spans((zone, BERLIN), 2025):
            expected = (
                due_when_reached(at("02:15", "02:30", "09:00"), zone, begin, end)
                | due_when_shown(lambda it: it.minute % 30 == 0 and 1 <= it.hour <= 3, zone, begin, end)
                | due_when_reached(at("03:00"), BERLIN, begin, end)
            )

            assert all_due(schedule, begin, end) == sorted(expected)
            assert count_between(schedule, begin - 1, end - 1) == len(expected)
            assert count_between(schedule, begin + 7200, begin + DAY) == sum(
                begin + 7200 < due <= begin + DAY for due in expected
            )

    def test_two_due_times_at_one_instant_are_one_run(self, scheduler: Scheduler, clock: ManualClock) -> None:
        handle = scheduler.add_task(
            AnyOf(Daily(9, 0, "UTC"), Cron("0 9,10 * * *", "UTC"), Once(clock.time() + 3600)),
            lambda: None,
            "it",
        )

        clock.advance(3600)
        assert handle.run_count == 1
        clock.advance(DAY)
        assert handle.run_count == 3

    def test_years_of_minutes_are_counted_by_arithmetic(self) -> None:
        hourly_grid = Every(60, start=NOON)
        every_minute = AnyOf(Cron("* * * * *", "UTC"), Daily(3, 0, "UTC"))

        assert count_between(AnyOf(hourly_grid, Daily(3, 0, "UTC")), NOON, NOON + 90 * DAY) == 90 * 1440
        assert count_between(every_minute, NOON, NOON + 90 * DAY) == 90 * 1440
        assert count_between(AnyOf(hourly_grid, Once(NOON + 30)), NOON, NOON + DAY) == 1441

    def test_it_has_a_zone_if_all_have_the_same(self) -> None:
        assert (BOTH.zone, str(BOTH.tz)) == (BERLIN, BERLIN)
        mixed = AnyOf(Daily(9, 0, BERLIN), Daily(9, 0, NEW_YORK))
        assert (mixed.zone, mixed.tz) == (None, None)

    def test_it_has_no_period(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_task(AnyOf(Every(60, start=NOON), Daily(9, 0)), lambda: None, "it")

        assert handle.period is None
        assert not scheduler.set_period("it", 30)

    def test_the_order_and_the_nesting_do_not_matter(self) -> None:
        one, two, three = Daily(9, 0), Daily(10, 0), Cron("* * * * *")

        assert AnyOf(one, AnyOf(two, three)) == AnyOf(three, two, one, one)
        assert hash(AnyOf(one, two)) == hash(AnyOf(two, one))
        assert AnyOf(one, two) != AnyOf(one, three)
        assert are_equal(AnyOf(one, two), AnyOf(two, one))
        assert pickle.loads(pickle.dumps(BOTH)) == BOTH
        with pytest.raises(AttributeError, match="cannot be changed"):
            BOTH.schedules = ()

    @pytest.mark.parametrize(
        ("schedules", "error", "message"),
        [
            ((), ValueError, "at least one schedule"),
            ((5,), TypeError, "not 5"),
            (("0 9 * * *",), TypeError, "not '0 9"),
            ((Every(60),), ValueError, "needs a start"),
            ((Once(),), ValueError, "due times of their own"),
            ((OnDemand(), Daily(9, 0)), ValueError, "due times of their own"),
        ],
    )
    def test_what_has_no_due_times_of_its_own_is_refused(
        self, schedules: tuple[Schedule, ...], error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            AnyOf(*schedules)

    def test_its_jitter_is_limited_by_the_closest_two(self, scheduler: Scheduler) -> None:
        close = AnyOf(Daily(9, 0, BERLIN), Cron("20 9 * * 1", BERLIN))

        assert shortest_distance(close, NOON) == 1200
        # In the weeks in which only one of them has daylight saving they are an hour apart.
        assert shortest_distance(AnyOf(Daily(15, 0, BERLIN), Daily(9, 0, NEW_YORK)), NOON) == 3600
        with pytest.raises(ValueError, match="jitter must be at most 1200 seconds"):
            scheduler.add_task(close, lambda: None, "it", jitter=1201)


SCHEDULES = [
    Daily(["09:00", "17:00"]),
    Daily(["09:00", "17:00"], tz=BERLIN),
    BOTH,
    AnyOf(Daily(["09:00", "12:30"], tz=BERLIN), Cron("@hourly", NEW_YORK)),
    AnyOf(Daily(9, 0), Once(NOON + 86_400)),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_its_words_can_be_typed(schedule: Schedule) -> None:
    """What a row shows can be typed into a form, and means the same."""
    assert read_schedule(str(schedule), NOON) == schedule


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_a_store_restores_it(schedule: Schedule) -> None:
    assert schedule_from_json(json.loads(json.dumps(schedule_to_json(schedule)))) == schedule


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("9:00, 17:00", Daily(["09:00", "17:00"])),
        ("9:00 17:00", Daily(["09:00", "17:00"])),
        ("daily at 9:00 and 17:00 Europe/Berlin", Daily(["09:00", "17:00"], tz=BERLIN)),
        ("0 9 * * 1-5 or 0 12 * * 6", AnyOf(Cron("0 9 * * 1-5"), Cron("0 12 * * 6"))),
        ("CRON_TZ=Europe/Berlin 0 9 * * *", Cron("0 9 * * *", BERLIN)),
        ("@every 1h30m", Every(5400)),
    ],
)
def test_several_times_are_typed_as_people_write_them(typed: str, meant: Schedule) -> None:
    assert read_schedule(typed, NOON) == meant


def test_due_times_of_both_are_listed_in_order() -> None:
    found = [datetime.fromtimestamp(due, UTC).isoformat() for due in due_times(BOTH, NOON, 6)]

    assert found == [
        "2026-11-25T08:00:00+00:00",
        "2026-11-26T08:00:00+00:00",
        "2026-11-27T08:00:00+00:00",
        "2026-11-28T11:00:00+00:00",
        "2026-11-28T11:30:00+00:00",
        "2026-11-30T08:00:00+00:00",
    ]
