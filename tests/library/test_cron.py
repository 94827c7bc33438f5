"""Which cron expressions are good input, and what they say in plain UTC."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from taskkit.errors import CronMissingError
from taskkit.schedules import Cron, due_times
from taskkit.schedules.cron_expression import read_cron
from taskkit.schedules.queries import count_between

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86_400


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def each_due(schedule: Cron, after: float) -> Iterator[float]:
    while (due := schedule.next_after(after)) is not None:
        yield due
        after = due


def texts(instants: list[float]) -> list[str]:
    return [datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%S") for instant in instants]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/15 9-17 * * 1-5", ["2026-11-24 12:15:00", "2026-11-24 12:30:00"]),
        ("0 0 1 * *", ["2026-12-01 00:00:00", "2027-01-01 00:00:00"]),
        ("30 3 * * SUN", ["2026-11-29 03:30:00", "2026-12-06 03:30:00"]),
        ("0 12 13 * FRI", ["2026-11-27 12:00:00", "2026-12-04 12:00:00"]),  # either day will do
        ("0 0 29 2 *", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("0 8 L * *", ["2026-11-30 08:00:00", "2026-12-31 08:00:00"]),
        ("0 8 * * MON#1", ["2026-12-07 08:00:00", "2027-01-04 08:00:00"]),
        ("*/20 * * * * *", ["2026-11-24 12:00:20", "2026-11-24 12:00:40"]),  # six fields: seconds first
        ("@hourly", ["2026-11-24 13:00:00", "2026-11-24 14:00:00"]),
        ("@daily", ["2026-11-25 00:00:00", "2026-11-26 00:00:00"]),
        ("@midnight", ["2026-11-25 00:00:00", "2026-11-26 00:00:00"]),
        ("@weekly", ["2026-11-29 00:00:00", "2026-12-06 00:00:00"]),
        ("@monthly", ["2026-12-01 00:00:00", "2027-01-01 00:00:00"]),
        ("@yearly", ["2027-01-01 00:00:00", "2028-01-01 00:00:00"]),
        ("@annually", ["2027-01-01 00:00:00", "2028-01-01 00:00:00"]),
        ("@Daily", ["2026-11-25 00:00:00", "2026-11-26 00:00:00"]),
    ],
)
def test_an_expression_is_due_when_it_says(expression: str, expected: list[str]) -> None:
    assert texts(due_times(Cron(expression, "UTC"), epoch("2026-11-24T12:00"), 2)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "hourly",
        "* * * *",
        "* * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "1,,2 * * * *",
        "* * * * MOON",
        "@reboot",
        "@every 5m",
    ],
)
def test_a_broken_expression_is_refused_by_name(expression: str) -> None:
    """Section 9."""
    with pytest.raises(ValueError, match=r"^expression must be a cron expression, not ") as caught:
        Cron(expression)

    assert repr(expression) in str(caught.value)


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_a_day_that_no_month_has_is_refused(expression: str) -> None:
    """Section 9: it would wait for ever without a word."""
    with pytest.raises(ValueError, match="not '0 0 3"):
        Cron(expression)


def test_a_combination_that_no_month_has_is_refused() -> None:
    """Section 9: the third Monday is never the 1st nor the 31st."""
    with pytest.raises(ValueError, match=r"'0 0 \*/30 \* MON#3' never does"):
        Cron("0 0 */30 * MON#3")


@pytest.mark.parametrize("expression", [None, 5, True, b"* * * * *", ["*"] * 5])
def test_an_expression_is_a_string(expression: object) -> None:
    """Section 9."""
    with pytest.raises(TypeError, match=r"^expression must be a cron expression in a string, not "):
        Cron(expression)  # type: ignore[arg-type]


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    read_cron.cache_clear()
    monkeypatch.setitem(sys.modules, "cronsim", None)

    with pytest.raises(CronMissingError, match=r"pip install 'taskkit-tui\[cron\]'"):
        Cron("* * * * *")


@pytest.mark.parametrize(
    "expression",
    ["* * * * *", "*/7 3-5,20 * * 1-5", "17 4 */3 * *", "0 */6 * 4 *", "*/45 59 23 L * *", "@monthly"],
)
def test_counting_agrees_with_walking(expression: str) -> None:
    schedule = Cron(expression, "Europe/Berlin")
    begin = epoch("2026-03-27T22:58:30")
    walked = list(takewhile(lambda due: due < begin + 10 * DAY, each_due(schedule, begin)))

    for length in (0, 29, 30, 3600, DAY - 1, DAY, 2.5 * DAY, 9 * DAY + 0.5):
        assert count_between(schedule, begin, begin + length) == sum(due <= begin + length for due in walked)


def test_ten_years_of_minutes_are_counted_without_walking_through_them() -> None:
    begin = epoch("2016-11-24T00:00")

    assert count_between(Cron("* * * * *", "Europe/Berlin"), begin, begin + 3652 * DAY) == 3652 * 24 * 60


def test_words_and_equality_go_by_what_was_written() -> None:
    assert str(Cron("*/15 9-17 * * 1-5")) == "cron */15 9-17 * * 1-5"
    assert str(Cron("@daily", "Europe/Berlin")) == "cron @daily Europe/Berlin"
    assert Cron("  */5   * * *\t* ") == Cron("*/5 * * * *")
    assert Cron("*/5 * * * *") != Cron("*/5 * * * *", "Europe/Berlin")


def test_an_expression_survives_pickling() -> None:
    schedule = Cron("*/15 9-17 * * 1-5", "Europe/Berlin")
    again = pickle.loads(pickle.dumps(schedule))

    assert again == schedule
    assert hash(again) == hash(schedule)
    assert again.next_after(0.0) == schedule.next_after(0.0)


def test_many_threads_may_ask_one_schedule_at_once() -> None:
    """What is remembered of an expression is shared, and never moved."""
    schedule = Cron("*/7 * * * *", "Europe/Berlin")
    instants = [1.7e9 + 3333.0 * number for number in range(2000)]
    expected = [schedule.next_after(instant) for instant in instants]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(schedule.next_after, instants)) == expected
