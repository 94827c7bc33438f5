"""What is written becomes what is shown: colours stay, nothing else commands a terminal."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from taskkit_tui.log.ansi import LONGEST_SHOWN, shown, spans
from taskkit_tui.log.folding import fold, window


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("\x1b[31mred\x1b[0m and not", "red and not"),
        ("\x1b[2J\x1b[Hgone?", "gone?"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x1b]52;c;aGk=\x07text", "text"),
        ("\x1bPq#0;2;0;0;0\x1b\\text", "text"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9ctext", "text"),
        ("\x1b]0;no end", "␛]0;no end"),
        ("\x1bcreset", "reset"),
        ("\x1b(Bcharset", "charset"),
        ("lone \x1b", "lone ␛"),
        ("nul\0bell\a", "nul␀bell␇"),
        ("del\x7f", "del␡"),
        ("c1\x85", "c1\\x85"),
        ("bidi \u202egnp.exe", "bidi \\u202egnp.exe"),
        ("half \ud800", "half \\ud800"),
        ("10%\r20%\r30%", "30%"),
        ("10%\r20%\r", "20%"),
        ("\r\r", ""),
        ("|\b/\b-", "-"),
        ("\x1b[2K\x1b[1G10%\x1b[2K\x1b[1G20%", "20%"),
        ("abc\x1b[0Gd", "d"),
        ("abc\x1b[2D\x1b[Kx", "ax"),
        ("\x1b[31mred\x1b[3D\x1b[0mblue", "blue"),
        ("a\tb", "a       b"),
        ("\x1b[1mab\x1b[0m\tc", "ab      c"),
        ("漢\tx", "漢      x"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
    ],
)
def test_only_harmless_text_is_shown(written, expected):
    assert shown(written) == expected


@given(
    st.text(
        alphabet=st.one_of(st.characters(), st.sampled_from("\x1b[]0;31mPDGK\b\\\x07\r\t\x9b\x9d\x9c:")),
        max_size=60,
    )
)
def test_shown_text_contains_no_escape_sequence(written):
    text = shown(written)

    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text)
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
    assert "".join(piece for piece, _ in spans(written)) == text


@pytest.mark.parametrize(
    ("sequence", "style"),
    [
        ("\x1b[31m", "color(1)"),
        ("\x1b[1;92m", "bold color(10)"),
        ("\x1b[38;5;208m", "color(208)"),
        ("\x1b[38;2;1;2;3m", "#010203"),
        ("\x1b[38:2::1:2:3m", "#010203"),
        ("\x1b[48;5;17;4m", "underline on color(17)"),
        ("\x1b[4:3m", "underline"),
        ("\x1b[3;9;7m", "italic strike reverse"),
        ("\x1b[107m", "on color(15)"),
    ],
)
def test_colours_are_kept(sequence, style):
    assert spans(f"{sequence}x") == [("x", Style.parse(style))]


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[m",
        "\x1b[0m",
        "\x1b[39;22m",
        "\x1b[5;8m",
        "\x1b[38;5m",
        "\x1b[38m",
        "\x1b[999m",
        "\x1b[99999999999m",
        "\x1b[38;2;1m",
    ],
)
def test_an_invalid_colour_leaves_the_text_plain(sequence):
    assert spans(f"\x1b[39m{sequence}x") == [("x", None)]


def test_a_million_characters_are_cut_and_counted_quickly():
    began = time.perf_counter()

    text = shown("\x1b[31m" + "x" * 1_000_000)

    assert text.startswith("xxx")
    assert text.endswith(f"… {1_000_005 - LONGEST_SHOWN:,} more characters")
    assert time.perf_counter() - began < 0.5


@given(st.text(alphabet="ab漢字é\u0301", max_size=40), st.integers(2, 12))
def test_folded_rows_fit_and_lose_nothing(text, width):
    starts = fold(text, width)
    rows = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]

    assert "".join(rows) == text
    assert all(cell_len(row) <= width for row in rows)


@given(st.text(alphabet="ab漢字é", max_size=40), st.integers(0, 30), st.integers(1, 12))
def test_a_window_of_a_line_fits_its_cells(text, left, width):
    start, end, blank = window(text, left, width)

    assert blank + cell_len(text[start:end]) <= width
    assert start == len(text) or cell_len(text[:start]) == left + blank
