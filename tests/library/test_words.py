"""Times and outcomes are in the same words wherever a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from taskkit import OutcomeKind
from taskkit.words.outcomes import kind_words
from taskkit.words.times import full_time, offset_text


def test_the_words_of_an_outcome_have_no_signs() -> None:
    assert {kind_words(kind) for kind in OutcomeKind} == {
        "succeeded",
        "failed",
        "stopped",
        "timed out",
        "abandoned",
        "interrupted",
    }


def test_a_time_in_full_names_day_and_date() -> None:
    assert full_time(1_795_573_800, ZoneInfo("Europe/Berlin")) == "Wed 2026-11-25 03:30:00"


@pytest.mark.parametrize("instant", [1e300, -1e300, float("nan"), float("inf")])
def test_an_instant_without_a_date_is_beyond_the_calendar(instant: float) -> None:
    assert full_time(instant) == "beyond the calendar"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        (UTC, "+00:00"),
        (timezone(timedelta(hours=-9, minutes=-30)), "-09:30"),
        (timezone(timedelta(minutes=53, seconds=28)), "+00:53:28"),
        (None, ""),
    ],
)
def test_an_offset_is_written_as_far_as_it_is_known(zone: timezone | None, words: str) -> None:
    assert offset_text(datetime(2026, 11, 25, 3, 30, 0, 123, zone)) == words
