"""The ring, the view of it, and the finder, against what a plain list says."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit import Stream
from taskkit_tui.log.finder import Finder
from taskkit_tui.log.folding import fold
from taskkit_tui.log.line_ring import LineRing
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.log.log_view import LineFilter, LogView
from taskkit_tui.log.save import save


def line(text: str, name: str = "a", run: int | None = 1, level: int = 20) -> LogLine:
    return LogLine(0.0, name, run, "stdout", level, text)


def texts(ring: LineRing) -> list[str]:
    return [line.text for line in ring.since(ring.first)]


def test_the_oldest_lines_are_dropped_and_the_others_keep_their_numbers():
    ring = LineRing(3)

    ring.extend(line(str(number)) for number in range(5))

    assert texts(ring) == ["2", "3", "4"]
    assert ring.first == 2
    assert ring[4].text == "4"
    with pytest.raises(IndexError, match="line 1 is no longer kept"):
        ring[1]


def test_the_lines_are_bounded_in_size_too():
    ring = LineRing(100, most_characters=10)

    ring.extend([line("x" * 6), line("y" * 6)])
    assert texts(ring) == ["y" * 6]

    ring.extend([line("z" * 50)])
    assert texts(ring) == ["z" * 50]


def test_what_is_not_ascii_and_a_traceback_count_with_the_bytes_they_take():
    ring = LineRing(100, most_characters=10_000)

    ring.extend([line("漢" * 3_000), line("字" * 3_000)])
    assert texts(ring) == ["字" * 3_000]

    ring.extend(line("failed")._replace(traceback="x" * 4_000) for _ in range(5))
    assert len(ring) == 2


def test_a_progress_line_overwrites_itself_in_place():
    ring = LineRing()

    ring.extend([line("10%\r", "a"), line("x", "b"), line("20%\r", "a")])
    assert texts(ring) == ["20%\r", "x"]

    assert ring.extend([line("done", "a"), line("next", "a")]) == 0
    assert texts(ring) == ["done", "x", "next"]


def test_progress_of_two_runs_does_not_mix():
    ring = LineRing()

    ring.extend([line("a1\r", run=1), line("b1\r", run=2), line("a2\r", run=1), line("b2\r", run=2)])

    assert texts(ring) == ["a2\r", "b2\r"]


def test_a_dropped_progress_line_starts_again():
    ring = LineRing(1)

    ring.extend([line("1\r", "a"), line("x", "b"), line("2\r", "a")])

    assert texts(ring) == ["2\r"]
    assert ring.first == 2


def test_the_garbage_collector_does_not_track_lines():
    """Else a full ring would stop every thread for tens of milliseconds, again and again."""
    ring = LineRing()
    ring.extend(LogLine(float(number), "a", 1, Stream.STDOUT, 20, str(number)) for number in range(100))

    gc.collect()

    assert not any(gc.is_tracked(kept) for kept in ring._lines)
    assert ring[5] == LogLine(5.0, "a", 1, "stdout", 20, "5")


def test_a_ring_needs_room_for_a_line():
    with pytest.raises(ValueError, match="most_lines must be at least 1, not 0"):
        LineRing(0)


written = st.builds(
    line,
    text=st.sampled_from(["", "x", "y" * 30, "10%\r", "20%", "z" * 12 + "\r", "漢字" * 9, "\x1b[31mred"]),
    name=st.sampled_from("ab"),
    run=st.sampled_from([1, 2]),
    level=st.sampled_from([20, 30]),
)
filters = st.builds(
    LineFilter,
    name=st.sampled_from([None, "a"]),
    run=st.sampled_from([None, 2]),
    level=st.sampled_from([0, 30]),
    text=st.sampled_from(["", "0"]),
)


@settings(max_examples=300)
@given(
    st.lists(st.lists(written, max_size=6), max_size=8),
    filters,
    st.sampled_from([None, 7]),
    st.integers(1, 9),
)
def test_an_updated_view_equals_a_new_one(batches, wanted, width, most_lines):
    ring = LineRing(most_lines)
    view = LogView(ring)
    view.show(wanted)
    view.wrap(width)
    finder = Finder("y")
    rows_before = 0

    for batch in batches:
        changed = ring.extend(batch)
        _, lost = view.sync(changed)
        finder.forget(ring.first, changed)
        finder.search_lines(view.since(changed))
        assert lost <= rows_before
        rows_before = view.rows

        expected = [n for n in range(ring.first, ring.end) if wanted.passes(ring[n])]
        assert [view.number_at(at) for at in range(len(view))] == expected
        assert [number for number, _ in view.since(0)] == expected
        spots = [
            (at, part)
            for at, number in enumerate(expected)
            for part in range(len(fold_of(ring[number], width)))
        ]
        assert [view.at_row(row) for row in range(view.rows)] == spots
        assert all(view.row_of(at) == spots.index((at, 0)) for at in range(len(view)))
        assert [finder.rank(n) > 0 for n in expected] == ["y" in ring[n].text for n in expected]


def fold_of(line: LogLine, width: int | None) -> list[int]:
    from taskkit_tui.log.ansi import shown

    return fold(shown(line.text), width) if width else [0]


def found(wanted: str, *lines: str) -> list[int]:
    finder = Finder(wanted)
    finder.search_lines(enumerate(map(line, lines)))
    return [number for number in range(len(lines)) if finder.rank(number)]


def test_capitals_count_only_if_some_are_typed():
    assert found("err", "Error", "err", "no") == [0, 1]
    assert found("Err", "Error", "err", "no") == [0]


def test_colours_do_not_hide_a_match():
    assert found("error", "\x1b[31mERR\x1b[0mor") == [0]


def test_finding_wraps_around_at_both_ends():
    finder = Finder("x")
    finder.search_lines(enumerate(map(line, ["x", "", "x", ""])))

    assert [finder.after(0), finder.after(2), finder.before(2), finder.before(0)] == [2, 0, 0, 2]
    assert Finder("y").after(0) is None


def test_searching_backwards_finds_the_same_as_forwards():
    lines = list(enumerate(line(f"{'an' if number % 3 else 'no'} egg") for number in range(20)))
    at_once, in_parts = Finder("an"), Finder("an")
    at_once.search_lines(lines)
    in_parts.search_lines(lines[14:])
    for start in (9, 3, 0):
        in_parts.search_earlier_lines(lines[start : {9: 14, 3: 9, 0: 3}[start]])

    assert list(in_parts.numbers) == list(at_once.numbers)


def test_a_view_of_known_lines_equals_one_that_checks_all():
    ring = LineRing(50)
    ring.extend(line(f"{'an' if number % 3 else 'no'} egg " + "x" * number) for number in range(80))
    finder = Finder("an")
    finder.search_lines(LogView(ring).since(ring.first))
    for width in (None, 10):
        looked, known = LogView(ring), LogView(ring)
        for view in (looked, known):
            view.wrap(width)
        looked.show(LineFilter(text="an"))
        known.show_these(LineFilter(text="an"), finder.numbers)
        assert (known.rows, len(known)) == (looked.rows, len(looked))
        assert [known.number_at(at) for at in range(len(known))] == list(finder.numbers)
        changed = ring.extend([line("an end"), line("no end")])
        assert known.sync(changed) == looked.sync(changed)
        finder.forget(ring.first, changed)
        finder.search_lines(looked.since(changed))


def test_places_are_those_of_the_shown_text():
    assert Finder("aa").places("aaaaXAA") == [(0, 2), (2, 4), (5, 7)]
    assert Finder("x").places("İx") == [(1, 2)]


def test_saving_never_overwrites_a_file(tmp_path):
    lines = [
        line("\x1b[31mred", "feed", 7),
        LogLine(0.0, "", None, "stdout", 20, "out"),
        LogLine(0.0, "f", 8, "log", 40, "boom", "Traceback\n  here"),
    ]

    first = save(lines, tmp_path, 1_700_000_000.0)
    second = save(lines, tmp_path, 1_700_000_000.0)

    assert first != second
    rows = first.read_text().splitlines()
    assert rows[0].endswith("  INFO     feed #7  red")
    assert rows[1].endswith("  INFO     -  out")
    assert rows[2].endswith("  ERROR    f #8  boom")
    assert rows[2:] == [rows[2], "    Traceback", "      here"]
    assert first.name.startswith("taskkit-log-20231114-")
