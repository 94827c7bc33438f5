"""Tables that fit the terminal."""

from __future__ import annotations

import io

import pytest

from taskkit.cli.console import Console
from taskkit.cli.table import TableColumn, print_table
from taskkit.words.plain_text import columns

TITLES = (TableColumn("NAME", 12, 8), TableColumn("WHEN"), TableColumn("NEVER"), TableColumn("WORDS", 10))
ROWS = [
    ("a rather long name", "03:30", "", "many words that are said"),
    ("漢字漢字漢字漢字漢", "3", "", "few"),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(stream: io.StringIO) -> list[str]:
    print_table(Console(stream, "never"), TITLES, ROWS, [36, 33])
    return stream.getvalue().splitlines()


def test_nothing_is_cut_where_there_is_no_terminal() -> None:
    assert printed(io.StringIO()) == [
        "NAME                WHEN   WORDS",
        "a rather long name  03:30  many words that are said",
        "漢字漢字漢字漢字漢  3      few",
    ]


@pytest.mark.parametrize("width", range(17, 60))
def test_a_table_fits_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert max(columns(line) for line in printed(Terminal())) <= width


def test_the_last_column_is_cut_first_then_the_names_then_the_last_column_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert printed(Terminal())[1] == "a rather long name  03:30  many words t…"
    monkeypatch.setenv("COLUMNS", "32")
    assert printed(Terminal())[1] == "a rath…g name  03:30  many word…"
    monkeypatch.setenv("COLUMNS", "17")
    assert printed(Terminal())[1] == "a ra… name  03:30"


def test_a_column_that_is_never_cut_is_left_out_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    titles = (TableColumn("NAME", 8, 4), TableColumn("", never_cut=True), TableColumn("WORDS", 6))

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


def test_a_table_without_rows_is_empty() -> None:
    stream = io.StringIO()
    print_table(Console(stream, "never"), TITLES, [], [])
    assert stream.getvalue() == "\n"
