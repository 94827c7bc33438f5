"""What is written to descriptors 1 and 2 becomes lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from taskkit_tui.terminal.lines import LONGEST_LINE, LineAssembler


def test_lines_are_put_together_from_pieces():
    lines = LineAssembler()

    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o") == []
    assert lines.feed(b"\n\nthree\r\n") == ["two", "", "three"]
    assert lines.finish() is None


@given(st.lists(st.binary(max_size=9), max_size=9))
def test_no_cut_changes_the_lines(pieces):
    at_once, in_pieces = LineAssembler(), LineAssembler()

    assert at_once.feed(b"".join(pieces)) == [line for piece in pieces for line in in_pieces.feed(piece)]
    assert at_once.finish() == in_pieces.finish()


def test_a_line_without_an_end_is_told_as_an_update_once_for_each_change():
    lines = LineAssembler()
    lines.feed(b"Password: ")

    assert lines.update() == "Password: \r"
    assert lines.update() is None
    lines.feed(b"x")
    assert lines.update() == "Password: x\r"
    assert lines.feed(b"y\n") == ["Password: xy"]
    assert lines.update() is None


def test_progress_for_ever_takes_no_memory():
    lines = LineAssembler()
    for number in range(20_000):
        lines.feed(b"\r%d of 20000" % number)
        lines.update()

    assert lines.update() is None
    assert lines.feed(b"\n")[0].endswith("19999 of 20000")
    assert len(lines.feed(b"\n")) == 1


def test_a_line_that_never_ends_is_told_in_parts():
    lines = LineAssembler()

    told = [part for _ in range(3) for part in lines.feed(b"x" * LONGEST_LINE)]

    assert 1 <= len(told) <= 3
    assert sum(map(len, told)) + len(lines.finish() or "") == 3 * LONGEST_LINE


def test_what_is_no_utf_8_is_replaced_and_cut_characters_are_not():
    lines = LineAssembler()

    assert lines.feed("é".encode()[:1]) == []
    assert lines.feed("é".encode()[1:] + b" \xff\n") == ["é \ufffd"]
