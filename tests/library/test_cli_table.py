"""Tables that fit the terminal."""

from __future__ import annotations

import io

import pytest

from taskkit.cli.console import Console
from taskkit.cli.table import Column, print_table
from taskkit.plain_text import columns

TITLES = (Column("NAME", 12, 8), Column("WHEN"), Column("NEVER"), Column("WORDS", 10))
ROWS = [
    ("a rather long name", "03:30", "", "many words that are said"),
    ("漢字漢字漢字漢字漢", "3", "", "few"),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO) -> list[str]:
    print_table(Console(stream, "never"), TITLES, ROWS, [36, 33])
    return stream.getvalue().splitlines()


def test_elsewhere_than_on_a_terminal_nothing_is_cut() -> None:
    assert told(io.StringIO()) == [
        "NAME                WHEN   WORDS",
        "a rather long name  03:30  many words that are said",
        "漢字漢字漢字漢字漢  3      few",
    ]


@pytest.mark.parametrize("width", range(17, 60))
def test_a_table_is_as_wide_as_the_terminal_at_most(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert max(columns(line) for line in told(Terminal())) <= width


def test_first_the_words_are_cut_then_the_names_and_then_the_words_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert told(Terminal())[1] == "a rather long name  03:30  many words t…"
    monkeypatch.setenv("COLUMNS", "32")
    assert told(Terminal())[1] == "a rath…g name  03:30  many word…"
    monkeypatch.setenv("COLUMNS", "17")
    assert told(Terminal())[1] == "a ra… name  03:30"


def test_what_would_say_nothing_when_cut_is_left_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    titles = (Column("NAME", 8, 4), Column("", whole=True), Column("WORDS", 6))

    def row(width: int) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        stream = Terminal()
        print_table(Console(stream, "never"), titles, [("tick tock", "in 17 h 30 min", "as it is")], [36])
        return stream.getvalue().splitlines()[1]

    assert row(80) == "tick tock  in 17 h 30 min  as it is"
    assert row(33) == "tick tock  in 17 h 30 min  as it…"
    assert row(25) == "tic…tock  in 17 h 30 min"
    assert row(23) == "tic…tock"
    assert row(7) == "tic…ock"


def test_a_table_without_rows_has_nothing_to_say() -> None:
    stream = io.StringIO()
    print_table(Console(stream, "never"), TITLES, [], [])
    assert stream.getvalue() == "\n"
