"""Schedules as values: the grid, the words, what is good input, and what they have in common."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import inf, nan, nextafter, ulp

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from taskkit.schedules import Cron, Daily, Every, Once, OnDemand, Schedule, due_times
from taskkit.schedules.arguments import check_period, instant_of
from taskkit.schedules.grid import grid_count, grid_next
from taskkit.schedules.queries import MOST_COUNTED, count_between

NOW = 1_795_478_400.0
DAY = 86_400

periods = st.floats(0.001, 1e8)
epochs = st.floats(-1e10, 1e11)


class TestTheGrid:
    """T1: due times are `start + k * period`."""

    def test_the_millionth_run_is_where_the_grid_says(self) -> None:
        """T1: a million additions of 0.1 would be off by now."""
        due = NOW
        for _ in range(1_000_000):
            due = grid_next(NOW, 0.1, due)

        assert due == NOW + 1_000_000 * 0.1

    def test_an_instant_before_the_start_is_answered_with_the_start(self) -> None:
        assert Every(10, start=NOW).next_after(NOW - 1e9) == NOW
        assert Every(10, start=NOW).next_after(nextafter(NOW, 0)) == NOW

    def test_a_due_time_is_strictly_after_the_instant(self) -> None:
        assert Every(10, start=NOW).next_after(NOW) == NOW + 10
        assert Every(10, start=NOW).next_after(NOW + 9.999) == NOW + 10
        assert Every(10, start=NOW).next_after(NOW + 10) == NOW + 20

    def test_a_past_start_keeps_its_grid(self) -> None:
        """T6."""
        assert Every(7, start=3).next_after(NOW) == 3 + 7 * ((NOW - 3) // 7 + 1)

    def test_a_division_that_rounds_up_skips_no_point(self) -> None:
        """T1: (1893.1 - 96.4) / 0.3 is 5989 in floats, while 96.4 + 5989 * 0.3 is still to come."""
        assert grid_next(96.4, 0.3, 1893.1) == 96.4 + 5989 * 0.3 == nextafter(1893.1, inf)
        assert grid_count(96.4, 0.3, 1893.1, 1893.2) == 1

    def test_where_floats_end_it_is_never_due(self) -> None:
        assert Every(1e308, start=1e308).next_after(1.5e308) is None

    def test_without_a_start_it_is_due_one_period_later(self) -> None:
        assert Every(10).next_after(NOW) == NOW + 10
        assert due_times(Every(10), NOW, 3) == [NOW + 10, NOW + 20, NOW + 30]

    @given(anchor=epochs, period=periods, instant=epochs)
    def test_the_next_point_is_the_first_one_after_the_instant(
        self, anchor: float, period: float, instant: float
    ) -> None:
        """T1, for big epochs and for periods from a millisecond to three years."""
        due = grid_next(anchor, period, instant)
        number = round((due - anchor) / period)

        assert due > instant
        assert due == anchor + number * period
        assert number >= 0
        assert number == 0 or anchor + (number - 1) * period <= instant

    @given(anchor=epochs, period=periods, instant=epochs)
    def test_neighbours_are_one_period_apart(self, anchor: float, period: float, instant: float) -> None:
        """T1."""
        schedule = Every(period, start=anchor)
        first = schedule.next_after(instant)
        assert first is not None
        second = schedule.next_after(first)
        assert second is not None

        assert abs(second - first - period) <= 4 * ulp(max(abs(first), abs(second), abs(anchor)))

    @given(anchor=epochs, period=periods, after=epochs, steps=st.integers(0, 50), part=st.floats(0, 0.999))
    def test_a_count_is_the_number_of_steps(
        self, anchor: float, period: float, after: float, steps: int, part: float
    ) -> None:
        """O4: what is counted as missed is what would have run."""
        until = after
        for _ in range(steps):
            until = grid_next(anchor, period, until)
        between = until + part * (grid_next(anchor, period, until) - until)
        assume(between < grid_next(anchor, period, until))

        assert grid_count(anchor, period, after, until) == steps
        assert grid_count(anchor, period, after, between) == steps
        assert grid_count(anchor, period, until, after) == 0

    @given(anchor=epochs, period=periods, instants=st.tuples(epochs, epochs, epochs))
    def test_counts_add_up(self, anchor: float, period: float, instants: tuple[float, float, float]) -> None:
        first, second, third = sorted(instants)

        assert grid_count(anchor, period, first, third) == (
            grid_count(anchor, period, first, second) + grid_count(anchor, period, second, third)
        )

    @example(anchor=-1.7976931348623157e308, period=4.0848637647884694e306, instant=4.0848637647884694e306)
    @example(anchor=-1.7976931348623157e308, period=1e293, instant=1.7976931348623157e308)
    @example(anchor=1e300, period=1e290, instant=1.7976931348623157e308)
    @given(
        anchor=st.floats(allow_nan=False, allow_infinity=False),
        period=st.floats(0, exclude_min=True, allow_infinity=False),
        instant=st.floats(allow_nan=False, allow_infinity=False),
    )
    def test_no_number_whatever_makes_it_hang_or_stand_still(
        self, anchor: float, period: float, instant: float
    ) -> None:
        assert grid_next(anchor, period, instant) > instant
        assert grid_count(anchor, period, instant, instant) == 0
        due = Every(period, start=anchor).next_after(instant)
        assert due is None or due > instant


class TestOnceAndOnDemand:
    def test_once_is_due_once(self) -> None:
        assert due_times(Once(NOW), NOW - 1, 5) == [NOW]
        assert Once(NOW).next_after(NOW) is None
        assert Once(NOW).next_after(NOW + 1) is None

    def test_once_without_an_instant_waits_for_its_registration(self) -> None:
        assert Once().at is None
        assert Once().next_after(NOW) is None
        assert replace(Once(), at=NOW) == Once(NOW)

    def test_on_demand_is_never_due(self) -> None:
        assert OnDemand().next_after(NOW) is None
        assert due_times(OnDemand(), NOW, 3) == []


class TestCounting:
    @pytest.mark.parametrize(
        ("schedule", "expected"),
        [
            (Every(60), 1440),
            (Every(60, start=NOW + 120), 1439),
            (Once(NOW + 5), 1),
            (Once(NOW), 0),
            (Once(NOW + DAY), 1),
            (Once(NOW + DAY + 1), 0),
            (OnDemand(), 0),
            (Daily(3, 30, "UTC"), 1),
            (Cron("*/5 * * * *", "UTC"), 288),
        ],
    )
    def test_the_end_counts_and_the_beginning_does_not(self, schedule: Schedule, expected: int) -> None:
        assert count_between(schedule, NOW, NOW + DAY) == expected
        assert count_between(schedule, NOW + DAY, NOW) == 0

    def test_a_schedule_of_ones_own_is_counted_up_to_a_bound(self) -> None:
        class EverySecond(Schedule):
            follows_wall_clock = False
            repeats = True

            def next_after(self, instant: float) -> float:
                return instant + 1

        assert EverySecond().zone is None
        assert count_between(EverySecond(), NOW, NOW + 3.5) == 3
        assert count_between(EverySecond(), NOW, NOW + 1e9) == MOST_COUNTED


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Every(30), "every 30 s"),
        (Every(60), "every 1 min"),
        (Every(90), "every 1 min 30 s"),
        (Every(5400), "every 1 h 30 min"),
        (Every(3601), "every 1 h 1 s"),
        (Every(3661), "every 1 h 1 min"),
        (Every(7199), "every 2 h"),
        (Every(DAY), "every 1 d"),
        (Every(timedelta(days=1, hours=12)), "every 1 d 12 h"),
        (Every(2 * DAY - 1), "every 2 d"),
        (Every(0.5), "every 0.5 s"),
        (Every(0.25), "every 0.25 s"),
        (Every(1 / 3), "every 0.333 s"),
        (Every(0.001), "every 0.001 s"),
        (Every(1.5), "every 1.5 s"),
        (Every(12.3456), "every 12.346 s"),
        (Every(59.9999), "every 1 min"),
        (Every(119.7), "every 2 min"),
        (Every(1e8), "every 1157 d 10 h"),
        (Every(1e300), "every 1e+300 s"),
        (Daily(3, 30), "daily 03:30"),
        (Daily(3, 30, "Europe/Berlin"), "daily 03:30 Europe/Berlin"),
        (Daily(23, 5), "daily 23:05"),
        (Once(NOW), "once"),
        (OnDemand(), "on demand"),
    ],
)
def test_a_schedule_says_itself_in_words(schedule: Schedule, words: str) -> None:
    assert str(schedule) == words


@pytest.mark.parametrize(
    ("schedule", "follows_wall_clock", "repeats"),
    [
        (Every(5), False, True),
        (Once(NOW), True, False),
        (Daily(3, 30), True, True),
        (Cron("* * * * *"), True, True),
        (OnDemand(), False, False),
    ],
)
def test_a_schedule_knows_its_kind(schedule: Schedule, follows_wall_clock: bool, repeats: bool) -> None:
    """T4: periodic ones follow the clock that only goes forward."""
    assert schedule.follows_wall_clock is follows_wall_clock
    assert schedule.repeats is repeats


def test_only_calendar_schedules_are_in_a_zone() -> None:
    assert Daily(3, 30, "Europe/Berlin").zone == "Europe/Berlin"
    assert Cron("* * * * *", "Europe/Berlin").zone == "Europe/Berlin"
    assert Daily(3, 30).zone
    assert [each.zone for each in (Every(5), Once(NOW), OnDemand())] == [None, None, None]


ALL = (
    Every(5),
    Every(5, start=NOW),
    Once(NOW),
    Once(),
    Daily(3, 30),
    Daily(3, 30, "Europe/Berlin"),
    OnDemand(),
)


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_a_schedule_is_a_value(schedule: Schedule) -> None:
    again = pickle.loads(pickle.dumps(schedule))

    assert again == schedule
    assert hash(again) == hash(schedule)
    assert [each for each in ALL if each == schedule] == [schedule]
    assert not hasattr(schedule, "__dict__")


def test_a_schedule_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Every(5).period = 6  # type: ignore[misc]


def test_periods_are_compared_as_seconds() -> None:
    assert Every(60) == Every(60.0) == Every(timedelta(minutes=1))
    assert type(Every(60).period) is float
    assert replace(Every(60, start=NOW), period=5) == Every(5, start=NOW)


class TestBadInput:
    """Section 9: the message names the argument and the value."""

    @pytest.mark.parametrize("period", [0, -5, -0.0, -1e-9, timedelta(0), timedelta(seconds=-1)])
    def test_a_period_is_more_than_nothing(self, period: float | timedelta) -> None:
        with pytest.raises(ValueError, match=r"^period must be more than 0 seconds, not ") as caught:
            Every(period)

        assert str(caught.value).endswith(repr(period))

    @pytest.mark.parametrize("period", [nan, inf, -inf, 10**400])
    def test_a_period_is_finite(self, period: float) -> None:
        with pytest.raises(ValueError, match=r"^period must be a finite number, not (nan|-?inf)$"):
            Every(period)

    @pytest.mark.parametrize("period", ["5", None, True, False, [], 5j, Decimal(5), Every(5)])
    def test_a_period_is_a_number_or_a_timedelta(self, period: object) -> None:
        with pytest.raises(TypeError, match=r"^period must be a number of seconds or a timedelta, not "):
            check_period(period)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("period", "written"),
        [
            ("5m", "300 or timedelta(minutes=5)"),
            ("1h30m", "5400 or timedelta(minutes=90)"),
            ("2d", "172800 or timedelta(days=2)"),
            ("0.5", "0.5 or timedelta(seconds=0.5)"),
            ("often", "300 or timedelta(minutes=5)"),
        ],
    )
    def test_a_period_in_words_is_refused_with_how_to_write_it(self, period: str, written: str) -> None:
        with pytest.raises(TypeError) as caught:
            Every(period)  # type: ignore[arg-type]

        assert str(caught.value).endswith(f"not {period!r}; write {written}")

    @pytest.mark.parametrize("period", [1e-9, 5e-324, 1e308, timedelta.max])
    def test_any_finite_period_is_good(self, period: float | timedelta) -> None:
        assert Every(period).period > 0

    @pytest.mark.parametrize("start", [nan, inf, -inf])
    def test_an_instant_is_finite(self, start: float) -> None:
        with pytest.raises(ValueError, match=r"^start must be a finite number, not "):
            Every(5, start=start)
        with pytest.raises(ValueError, match=r"^at must be a finite number, not "):
            Once(start)

    @pytest.mark.parametrize("start", ["now", True, date(2026, 11, 24), timedelta(1), object])
    def test_an_instant_is_a_number_or_a_datetime(self, start: object) -> None:
        with pytest.raises(TypeError, match=r"^start must be epoch seconds, a datetime or None, not "):
            Every(5, start=start)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"^at must be epoch seconds, a datetime or None, not "):
            Once(start)  # type: ignore[arg-type]

    @pytest.mark.parametrize("hour", [24, -1, 100])
    def test_a_day_has_twenty_four_hours(self, hour: int) -> None:
        with pytest.raises(ValueError, match=f"^hour must be from 0 to 23, not {hour}$"):
            Daily(hour, 0)

    @pytest.mark.parametrize("minute", [60, -1])
    def test_an_hour_has_sixty_minutes(self, minute: int) -> None:
        with pytest.raises(ValueError, match=f"^minute must be from 0 to 59, not {minute}$"):
            Daily(3, minute)

    @pytest.mark.parametrize("value", [True, 3.0, "3", None])
    def test_hours_and_minutes_are_whole_numbers(self, value: object) -> None:
        with pytest.raises(TypeError, match=r"^hour must be a whole number from 0 to 23, not "):
            Daily(value, 0)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"^minute must be a whole number from 0 to 59, not "):
            Daily(0, value)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "tz",
        [
            "",
            "Mars/Olympus",
            "Europe",
            "../etc/passwd",
            "/etc/localtime",
            "zone.tab",
            "a\0b",
            "x" * 5000,
            "\udc80",
        ],
    )
    def test_a_zone_is_a_known_one(self, tz: str) -> None:
        with pytest.raises(ValueError, match=r"^tz must name a known time zone, not "):
            Daily(3, 30, tz)
        with pytest.raises(ValueError, match=r"^tz must name a known time zone, not "):
            Cron("* * * * *", tz)

    @pytest.mark.parametrize("tz", [5, True, b"UTC", timedelta(hours=1)])
    def test_a_zone_is_a_name_or_a_tzinfo(self, tz: object) -> None:
        with pytest.raises(TypeError, match=r"^tz must be the name of a time zone, a tzinfo or None, not "):
            Daily(3, 30, tz)  # type: ignore[arg-type]


class TestInstants:
    def test_an_aware_datetime_is_what_it_says(self) -> None:
        assert instant_of(datetime(2026, 11, 24, tzinfo=UTC), "start") == NOW

    def test_a_naive_datetime_is_local_time(self) -> None:
        naive = datetime(2026, 11, 24, 12, 0)

        assert Every(5, start=naive).start == naive.astimezone().timestamp()
        assert Once(naive).at == naive.astimezone().timestamp()

    def test_numbers_become_floats_and_none_stays(self) -> None:
        assert type(instant_of(5, "start")) is float
        assert instant_of(None, "start") is None

    def test_a_datetime_that_local_time_cannot_tell_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^at must be within the years of the calendar, not datetime"):
            Once(datetime.min)
