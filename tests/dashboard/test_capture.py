"""What is written to descriptors 1 and 2 becomes lines."""

from __future__ import annotations

import sys
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from taskkit import Stream
from taskkit_tui.terminal.lines import LONGEST_LINE, LineAssembler
from taskkit_tui.terminal.outside import OutsideLines


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


def test_lines_wait_for_the_app_and_the_dropped_are_counted():
    outside = OutsideLines(most=3)
    for number in range(5):
        outside.put(Stream.STDERR, str(number))

    lines, lost = outside.take()
    assert [(line.name, line.run, line.level, line.text) for line in lines] == [
        ("", None, 30, "2"),
        ("", None, 30, "3"),
        ("", None, 30, "4"),
    ]
    assert lost == 2
    assert outside.take() == ([], 0)


def test_prints_outside_any_run_are_taken_while_one_listens():
    outside = OutsideLines()
    before = sys.stdout
    outside.listen()
    print("heard")
    print("heard too", file=sys.stderr)
    outside.stop_listening()
    outside.stop_listening()

    assert sys.stdout is before
    assert [(line.stream, line.text) for line in outside.take()[0]] == [
        ("stdout", "heard"),
        ("stderr", "heard too"),
    ]


def test_many_threads_lose_nothing():
    outside = OutsideLines(most=10_000)
    threads = [
        Thread(target=lambda: [outside.put(Stream.STDOUT, "x") for _ in range(1_000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    lines = 0
    while any(thread.is_alive() for thread in threads):
        lines += len(outside.take()[0])
    for thread in threads:
        thread.join(10)

    assert lines + len(outside.take()[0]) == 4_000
