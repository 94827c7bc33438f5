"""How quantities and foreign text are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from taskkit.words.durations import (
    DAY,
    LONGEST_PERIOD_SECONDS,
    ago,
    countdown,
    duration,
    parse_period,
    period_text,
)
from taskkit.words.times import clock_time
from taskkit_tui.formatting import (
    fit,
    fit_right,
    harmless,
    plural,
    shorten,
    shorten_end,
)
from taskkit_tui.tones import TASK_COLOURS, task_colour


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (0.2, "0:01"),
        (9.0, "0:09"),
        (9.1, "0:10"),
        (59.5, "1:00"),
        (3599.2, "1:00:00"),
        (13 * 3600 + 26 * 60 + 38, "13:26:38"),
        (DAY, "1 d 0 h"),
        (3 * DAY + 3 * 3600 + 1, "3 d 4 h"),
        (0.0, "due now"),
        (-0.9, "due now"),
        (-3.4, "late 3 s"),
        (-600.0, "late 10 min"),
    ],
)
def test_a_countdown_is_rounded_up_and_never_negative(left: float, words: str) -> None:
    assert countdown(1_000 + left, 1_000) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.0 ms"),
        (0.0004, "0.4 ms"),
        (0.003, "3 ms"),
        (1.234, "1.2 s"),
        (12.4, "12 s"),
        (125, "2 min 5 s"),
        (3 * 3600 + 240, "3 h 4 min"),
        (3 * 3600 + 290, "3 h 5 min"),
        (2 * DAY + 3 * 3600, "2 d 3 h"),
        (9.96, "10 s"),
        (59.7, "1 min"),
    ],
)
def test_a_duration_is_written_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_past_time_is_written_coarsely() -> None:
    assert [ago(1000 - past, 1000) for past in (0.2, 12, 250, 7200)] == [
        "just now",
        "12 s ago",
        "4 min ago",
        "2 h ago",
    ]


def test_a_clock_time_says_the_day_when_it_is_not_today() -> None:
    now = 1_700_000_000.0
    assert len(clock_time(now + 60, now)) <= 9
    assert clock_time(now + 2 * DAY, now)[:3].isalpha()
    assert clock_time(now + 40 * DAY, now).split()[0].isdigit()
    assert clock_time(now + 4000 * DAY, now).split()[1].isdigit()


@pytest.mark.parametrize("instant", [1e12, -1e12, 1e300])
def test_a_clock_time_beyond_the_calendar_is_far_off(instant: float) -> None:
    assert clock_time(instant, 1_700_000_000.0) == "far off"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1d2h3m4s", 93_784),
        ("1h30m", 5400),
        ("2m0.5s", 120.5),
        (" 5 s ", 5),
    ],
)
def test_a_period_is_seconds_or_units_in_order(text: str, seconds: float) -> None:
    assert parse_period(text) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "type seconds"),
        ("soon", "is not a period"),
        ("-5", "negative"),
        ("0", "more than 0"),
        ("0h", "more than 0"),
        ("3m1h", "in the order"),
        ("1h1h", "in the order"),
        ("1.5h", "only seconds can have decimals"),
        ("1h30", "has no unit"),
        ("1,5", "dot"),
        ("4000d", "ten years"),
        ("9" * 5000, "ten years"),
        ("1e3", "is not a period"),
        ("٣", "is not a period"),
        ("nan", "is not a period"),
        ("inf", "is not a period"),
        ("\x1b[2J", "is not a period"),
    ],
)
def test_nonsense_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        parse_period(text)
    assert str(refusal.value).isprintable()


@given(st.integers(1, LONGEST_PERIOD_SECONDS))
def test_a_period_that_is_written_reads_back(seconds: int) -> None:
    assert parse_period(period_text(seconds)) == seconds


def test_similar_names_differ_when_shortened() -> None:
    one, other = (shorten(f"PageGenerator for static{number}.html", 20) for number in (1, 2))
    assert one != other
    assert shorten("PageGenerator for static1.html", 26) == "PageGenerato… static1.html"


@given(st.text(), st.integers(0, 40))
def test_shortened_text_never_is_too_wide(text: str, width: int) -> None:
    shown = harmless(text)
    assert cell_len(shorten(shown, width)) <= width
    assert cell_len(shorten_end(shown, width)) <= width


@given(st.text(alphabet="ab漢字é ", max_size=30), st.integers(0, 40))
def test_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    if cell_len(text) <= width:
        assert cell_len(fit_right(text, width)) == width


@given(st.text())
def test_harmless_text_contains_no_escape_sequence(text: str) -> None:
    shown = harmless(text)
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in shown)
    assert not set(shown) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u2028\u2029"
    )
    shown.encode()


def test_controls_are_made_visible_and_the_rest_is_left_alone() -> None:
    assert harmless("a\x1b[2J\x9b\u202eb\0\n") == "a␛[2J\\x9b\\u202eb␀␊"
    assert harmless("Grüße [bold]漢字[/bold] no\u00a0break") == "Grüße [bold]漢字[/bold] no\u00a0break"


def test_a_task_keeps_its_colour() -> None:
    assert task_colour("heartbeat") == task_colour("heartbeat")
    assert {task_colour(f"task {number}") for number in range(200)} == set(TASK_COLOURS)


def test_one_is_singular() -> None:
    assert [plural(count, "line") for count in (0, 1, 1204)] == ["0 lines", "1 line", "1,204 lines"]
