"""Requests that are too long for one message: what their parts hold, and how their answers are joined."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from taskkit.remote.long_requests import joined, parts_of
from taskkit.remote.protocol import MOST_BYTES_TO_SERVER, encode


def is_short_enough(part: dict[str, Any]) -> bool:
    return len(encode({"id": 10**9, "by": 1e12, "do": "disable_until", **part})) <= MOST_BYTES_TO_SERVER


@given(st.lists(st.text(max_size=5), max_size=5), st.sampled_from("x\n\ud83dé"), st.integers(0, 9000))
def test_each_name_is_in_one_part_and_each_part_is_short_enough(
    few: list[str], letter: str, length: int
) -> None:
    names = [*few, *(letter * length + str(number) for number in range(60))]
    parts = parts_of({"names": names, "until": "friday"})
    assert [name for part in parts for name in part["names"]] == names
    assert all(part["until"] == "friday" and is_short_enough(part) for part in parts)
    periods = dict.fromkeys(names, 5.0)
    parts = parts_of({"periods": periods})
    assert {name: period for part in parts for name, period in part["periods"].items()} == periods
    assert all(map(is_short_enough, parts))


def test_a_request_that_fits_stays_one() -> None:
    for arguments in ({"names": ["a", "b"]}, {"names": []}, {}, {"token": "7"}, {"names": "wrong"}):
        assert parts_of(arguments) == [arguments]


def test_answers_are_joined_and_undone_in_the_opposite_order() -> None:
    answers: list[dict[str, Any]] = [
        {"names": ["a"], "token": "4"},
        {"names": [], "token": None},
        {"names": ["b", "c"], "token": "5"},
    ]
    assert joined(answers) == {"names": ["a", "b", "c"], "token": "4 5"}
    assert parts_of({"token": "4 5"}) == [{"token": "5"}, {"token": "4"}]
    assert joined([{"names": [], "token": None}] * 2)["token"] is None
