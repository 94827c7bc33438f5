"""Past times, as people write them after `--since`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from time import tzset

import pytest

from taskkit.cli import main
from taskkit.cli.past_times import past_time

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC).timestamp()
"""18:00 on a Tuesday in Berlin."""


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "Europe/Berlin")
        tzset()
        yield
    tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1h30m", 5400),
        ("2d", 2 * 86_400),
        ("2 days", 2 * 86_400),
        ("1 Day ago", 86_400),
        ("1.5 hours", 5400),
        ("10min", 600),
        ("30 seconds", 30),
        ("2 weeks", 14 * 86_400),
    ],
)
def test_a_span_counts_back_from_now(text: str, seconds: float) -> None:
    assert past_time(text, NOW) == NOW - seconds


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("16:04", "2026-11-24 16:04"),
        ("18:00", "2026-11-24 18:00"),
        ("18:00:01", "2026-11-23 18:00:01"),
        ("today", "2026-11-24"),
        ("yesterday", "2026-11-23"),
        ("Yesterday  9:30", "2026-11-23 09:30"),
        ("tue", "2026-11-24"),
        ("wed", "2026-11-18"),
        ("sat", "2026-11-21"),
        ("SATURDAY 16:04", "2026-11-21 16:04"),
        ("2026-11-24", "2026-11-24"),
        ("2026-11-24 14:30", "2026-11-24 14:30"),
        ("2026-11-24T14:30+01:00", "2026-11-24 14:30"),
        ("2026-11-24T13:30Z", "2026-11-24 14:30"),
        ("2026-10-25", "2026-10-25"),  # the clocks were put back on that day
    ],
)
def test_a_day_means_its_beginning_and_a_time_the_last_one(text: str, when: str) -> None:
    assert past_time(text, NOW) == datetime.fromisoformat(when).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "someday",
        "sa",
        "t",
        "sat noon",
        "25:00",
        "16:4",
        "yesterday 16:60",
        "99999 weeks",
        "2026-13-01",
        "-2d",
    ],
)
def test_an_invalid_time_is_refused_with_the_valid_forms(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not a time: write a span before now, as 2d, .* a weekday, as sat"
    ):
        past_time(text, NOW)


def test_the_history_takes_such_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["history", "--state", "s", "--since", "some\x1bday"])
    assert "argument --since: “some␛day” is not a time: write" in capsys.readouterr().err
    assert main(["history", "--state", "no file", "--since", "sat 16:04"]) == 2
    assert "there is no such file" in capsys.readouterr().err
