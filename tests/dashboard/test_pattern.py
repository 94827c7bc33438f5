"""Typed regular expressions: what they match, and that none takes long."""

from __future__ import annotations

import re
from time import process_time

import pytest
from fake_backend import task
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit_tui.log.ansi import shown
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.pattern import LONGEST, Pattern, typed_pattern
from taskkit_tui.viewmodel.row import TaskRow

WORST = 2.0
"""Seconds of processor time. Some milliseconds are expected; what is held off here takes hours."""

ATOMS = [*"aBé1_-.^$ ", r"\d", r"\w", r"\s", r"\W", r"\.", "[ab]", "[^a-c]", r"[\w-]", r"\b"]
REPETITIONS = ["*", "+", "?", "{2}", "{1,3}", "*?", "{0,2}"]
expressions = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda ways: f"(?:{ways[0]}|{ways[1]})"),
        st.tuples(inner, st.sampled_from(REPETITIONS)).map(lambda parts: f"({parts[0]}){parts[1]}"),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(expressions, st.text("abcABé1_ -.", min_size=1, max_size=8))
def test_it_matches_what_python_matches(typed: str, text: str) -> None:
    assert Pattern(typed).matches(text) is (re.search(typed, text, re.IGNORECASE) is not None)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (r"(\w+\s?)+!", "a" * 40),
        ("(a+)+$", "a" * 40 + "b"),
        ("(a|aa)+$", "a" * 4_000 + "b"),
        ("((a*)*)*b", "a" * 40_000),
        (".*.*.*.*=", "x" * 40_000),
        ("(.|[a-z])*?!", "q" * 40_000),
        ("(a?){200}a{200}", "a" * 199),
        (r"(a*)*\1", "a" * 40),
        ("(x{1000}){1000}", "x" * 40_000),
        ("((){1000}){1000}x", "y"),
        ("(a|b)*a(a|b){300}", "abb" * 10_000),
        ("(a|b)*a[ab]{18}c", "aababbbab" * 4_000),
        ("(" * 400, "("),
        ("a" * 100_000, "a" * 100_000),
        ("(a+)+" * 20_000, "a" * 100),
        (r"(?=(a+)+$)a", "a" * 40 + "b"),
        ("[" * 490, "[" * 40),
    ],
)
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
def test_no_expression_takes_long(typed: str, text: str) -> None:
    begun = process_time()
    RowFilter(typed).shows(row_named(text))
    assert process_time() - begun < WORST


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "plain",
        "page-1 a",
        "(",
        "a**",
        r"(a)\1",
        "(?=a)",
        "(?<!a)b",
        "a" * LONGEST + ".",
        "(?-i:a)",
        "(?>a+)",
    ],
)
def test_plain_or_unsupported_text_is_not_an_expression(typed: str) -> None:
    assert typed_pattern(typed) is None


def test_an_expression_that_took_too_much_work_matches_nothing_from_then_on() -> None:
    pattern = Pattern("(a|b)*a(a|b){300}")
    assert not pattern.is_given_up
    assert not pattern.matches("abb" * 10_000)
    assert pattern.is_given_up


def row_named(name: str) -> TaskRow:
    return TaskRow(task(1, name))


def test_a_filter_is_a_text_or_an_expression() -> None:
    for typed, found in [
        ("EED", True),
        ("^fe+d \\d+$", True),
        ("mail|feed", True),
        ("mail|page", False),
        ("!mail|page", True),
        ("(feed", False),
        (r"(e)\1d", False),
    ]:
        assert RowFilter(typed).shows(row_named("feed 12")) is found, typed


@pytest.mark.parametrize("piece", ["\x90", "\x1b]", "\x1bP0", "\x9d8;;", "\x1b[", "\x1b[1;2", "\t", "\r"])
def test_no_line_of_the_log_takes_long_to_show(piece: str) -> None:
    begun = process_time()
    for number in range(5):
        shown(str(number) + piece * (65_536 // len(piece)))
    assert process_time() - begun < WORST / 4
