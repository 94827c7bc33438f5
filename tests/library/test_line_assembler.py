"""What is read from a pipe becomes lines, in the way in which the prints of runs do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from taskkit import LineAssembler, Stream
from taskkit import line_assembler as engine_lines
from taskkit.line_assembler import LONGEST_FLUSHED, LONGEST_LINE, LineSource
from taskkit.output import RunOutput


def test_lines_are_put_together_from_pieces() -> None:
    lines = LineAssembler()

    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o") == []
    assert lines.feed(b"\n\nthree\r\n") == ["two", "", "three"]
    assert lines.finish() is None


@given(st.lists(st.binary(max_size=9), max_size=9))
def test_no_cut_changes_the_lines(pieces: list[bytes]) -> None:
    at_once, in_pieces = LineAssembler(), LineAssembler()

    whole = at_once.feed(b"".join(pieces))
    assert list(map(seen, whole)) == [seen(line) for piece in pieces for line in in_pieces.feed(piece)]
    assert seen(at_once.finish()) == seen(in_pieces.finish())


def seen(line: str | None) -> str | None:
    """What a terminal would show last of a line that returns to its first column."""
    return line and next(filter(None, reversed(line.split("\r"))), "")


@given(st.lists(st.binary(max_size=9), max_size=9))
def test_a_pipe_and_a_run_give_the_same_lines(pieces: list[bytes]) -> None:
    assembler = LineAssembler()
    told = [line for piece in pieces for line in assembler.feed(piece)]
    if (last := assembler.finish()) is not None:
        told.append(last)

    run = RunOutput("task", 1, lambda: 0.0, lambda _: None)
    source = LineSource(Stream.STDOUT, 20)
    for piece in pieces:
        engine_lines.write(run, None, source, engine_lines.decode(run, None, source, piece))
    engine_lines.finish(run)

    assert told == [line.text for line in run.take()[0]]


def test_a_line_without_an_end_is_one_update_for_each_change() -> None:
    lines = LineAssembler()
    lines.feed(b"Password: ")

    assert lines.update() == "Password: \r"
    assert lines.update() is None
    lines.feed(b"x")
    assert lines.update() == "Password: x\r"
    assert lines.feed(b"y\n") == ["Password: xy"]
    assert lines.update() is None


def test_of_many_updates_the_last_counts() -> None:
    lines = LineAssembler()
    for number in range(100):
        assert lines.feed(b"\r%d %%" % number) == []

    assert lines.update() == "99 %\r"
    assert lines.update() is None
    assert lines.finish() == "99 %"


def test_an_update_is_no_news_when_the_line_has_ended() -> None:
    lines = LineAssembler()
    lines.feed(b"50 %\r")

    assert lines.feed(b"100 %\n") == ["100 %"]
    assert lines.update() is None


def test_progress_for_ever_takes_no_memory() -> None:
    lines = LineAssembler()
    for number in range(20_000):
        lines.feed(b"\r%d of 20000" % number)
        lines.update()

    assert lines.update() is None
    assert lines.feed(b"\n") == ["19999 of 20000"]


def test_a_line_that_never_ends_is_bounded_and_no_update() -> None:
    lines = LineAssembler()
    lines.feed(b"x" * LONGEST_FLUSHED)
    assert lines.update() is not None

    for _ in range(3):
        assert lines.feed(b"x" * LONGEST_LINE) == []
        assert lines.update() is None

    left_out = 2 * LONGEST_LINE + LONGEST_FLUSHED
    assert lines.finish() == "x" * LONGEST_LINE + f" … {left_out:,} more characters"


def test_invalid_utf_8_is_shown_and_cut_characters_are_whole() -> None:
    lines = LineAssembler()

    assert lines.feed("é".encode()[:1]) == []
    assert lines.feed("é".encode()[1:] + b" \xff\n") == ["é \\xff"]
    assert lines.feed(b"cut \xe2\x82") == []
    assert lines.finish() == "cut \\xe2\\x82"
