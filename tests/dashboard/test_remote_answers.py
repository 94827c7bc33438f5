"""Answers of a served scheduler: whatever comes, it is read or refused in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskkit.operations import Answer
from taskkit.remote.errors import ProtocolError
from taskkit.remote.rows import RowReader, own_columns
from taskkit_tui.remote_answers import (
    read_change,
    read_details,
    read_due_times,
    read_offers,
    read_page,
    read_preview,
    read_previewed_time,
)

ROWS = RowReader(own_columns())
KEYS = ("names", "token", "details", "due_times", "schedule", "at", "offers", "rows")
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
READERS: tuple[Callable[[Mapping[str, Any]], object], ...] = (
    read_change,
    lambda answer: read_details(ROWS, answer),
    read_due_times,
    lambda answer: read_offers(ROWS, answer),
    lambda answer: read_page(ROWS, answer),
    read_preview,
    read_previewed_time,
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.sampled_from(READERS), st.dictionaries(st.sampled_from(KEYS), JUNK))
def test_whatever_is_answered_is_read_or_refused(
    read: Callable[[Mapping[str, Any]], object], answer: Mapping[str, Any]
) -> None:
    with suppress(ProtocolError):
        read(answer)


def test_a_change_without_a_token_cannot_be_undone() -> None:
    assert read_change({"names": ["a"], "token": "7"}) == Answer(("a",), "7")
    assert read_change({"names": ["a"], "token": 7}) == Answer(("a",), None)
    assert read_change({}) == Answer((), None)


@pytest.mark.parametrize(
    "answer", [{}, {"schedule": 1, "due_times": []}, {"schedule": "x", "due_times": ["y"]}]
)
def test_a_preview_that_is_none_is_refused_in_words(answer: Mapping[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="the answer cannot be read"):
        read_preview(answer)
