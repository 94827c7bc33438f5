"""What code outside any run writes waits for the app."""

from __future__ import annotations

import sys
from threading import Thread

from taskkit import Stream
from taskkit_tui.terminal.outside_output import OutsideLines


def test_waiting_lines_are_limited_in_characters_and_dropped_ones_are_counted():
    outside = OutsideLines(most_characters=100_000)
    for number in range(100):
        outside.put(Stream.STDOUT, "x" * 10_000 + str(number))

    lines, lost = outside.take()

    assert sum(len(line.text) for line in lines) <= 150_000
    assert lines[-1].text.endswith("99")
    assert len(lines) + lost == 100


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


def test_prints_outside_any_run_are_captured_while_listening():
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
