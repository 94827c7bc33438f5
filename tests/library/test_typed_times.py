"""Times to come, as people type them after `--until`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from time import tzset

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit.words.plain_text import harmless
from taskkit.words.typed_times import future_time

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC).timestamp()
"""18:00 on a Tuesday in Berlin."""


@pytest.fixture(autouse=True, scope="module")
def in_berlin() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as zone:
        zone.setenv("TZ", "Europe/Berlin")
        tzset()
        yield
    tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("in 2h", 7200),
        ("2 days", 2 * 86_400),
        ("In  1.5 Hours", 5400),
        ("10min", 600),
        ("2 weeks", 14 * 86_400),
    ],
)
def test_a_span_counts_from_now(text: str, seconds: float) -> None:
    assert future_time(text, NOW) == NOW + seconds


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("18:00", "2026-11-25 18:00"),
        ("18:00:01", "2026-11-24 18:00:01"),
        ("9:30", "2026-11-25 09:30"),
        ("tomorrow", "2026-11-25"),
        ("Tomorrow  9:30", "2026-11-25 09:30"),
        ("today 23:59", "2026-11-24 23:59"),
        ("wed", "2026-11-25"),
        ("friday", "2026-11-27"),
        ("tue", "2026-12-01"),
        ("tue 19:00", "2026-11-24 19:00"),
        ("tue 17:00", "2026-12-01 17:00"),
        ("2026-12-24", "2026-12-24"),
        ("2026-12-24 18:00", "2026-12-24 18:00"),
        ("2026-12-24T18:00+01:00", "2026-12-24 18:00"),
        ("2026-12-24T17:00Z", "2026-12-24 18:00"),
        ("2027-03-28", "2027-03-28"),  # the clocks are put forward on that day
    ],
)
def test_a_day_means_its_beginning_and_a_time_the_next_one(text: str, when: str) -> None:
    assert future_time(text, NOW) == datetime.fromisoformat(when).timestamp()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a time: write a span from now, as 2h"),
        ("someday", "“someday” is not a time"),
        ("fr", "is not a time"),
        ("fri noon", "is not a time"),
        ("25:00", "is not a time"),
        ("99999 weeks", "is not a time"),
        ("2026-13-01", "is not a time"),
        ("-2h", "is not a time"),
        ("so\x1b[2Jme", "“so␛\\[2Jme” is not a time"),
        ("18", "“18” may be seconds or an hour: write 18s or 18:00"),
        ("0s", "has passed: write a future time, such as 2h, 18:00 or tomorrow"),
        ("today", "“today” has passed"),
        ("today 17:59", "has passed"),
        ("2026-11-24 17:59", "has passed"),
    ],
)
def test_anything_else_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        future_time(text, NOW)
    assert str(raised.value) == harmless(str(raised.value))


@given(st.text(max_size=20) | st.from_regex(r"(fri|today|in|\d{1,4})[ :\-0-9hmsdw]{0,9}", fullmatch=True))
def test_whatever_is_typed_is_a_time_to_come_or_refused_in_words(text: str) -> None:
    refused = ""
    try:
        at = future_time(text, NOW)
    except ValueError as error:
        at, refused = NOW + 1, str(error)
    assert at > NOW
    assert refused == harmless(refused)
    assert not refused or "write" in refused
