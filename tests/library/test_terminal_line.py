"""A line that overwrites itself holds what a terminal shows at last."""

from __future__ import annotations

import shlex
import sys
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from patience import PATIENCE, eventually
from recorder import Events

from taskkit import CommandTask, LineAssembler, OutputWritten, Scheduler, Stream, line_assembler
from taskkit.line_assembler import LONGEST_LINE, MOST_UNFINISHED, LineSource
from taskkit.output import RunOutput
from taskkit.words.terminal_line import overwritten

STDOUT = LineSource(Stream.STDOUT, 20)

SPINNERS = {
    "carriage return": "\r{}",
    "carriage return behind": "{}\r",
    "erase and column": "\x1b[2K\x1b[1G{}",
    "column and erase": "\x1b[1G\x1b[2K{}",
    "column zero": "\x1b[0G{}",
    "column": "\x1b[G{}",
    "erase to the end": "\r\x1b[K{}",
    "erase behind": "{}\x1b[2K\x1b[G",
    "backspaces": "{}\b\b\b\b\b\b\b",
    "left": "{}\x1b[7D",
    "far left": "{}\x1b[1000D",
    "coloured": "\x1b[1G\x1b[32m{}\x1b[0m",
    "hidden cursor": "\x1b[?25l\x1b[2K\x1b[1G{}",
    "eight bits": "\x9b2K\x9b1G{}",
    "absolute column": "\x1b[1`\x1b[0K{}",
}


def of_run() -> RunOutput:
    return RunOutput("task", 1, lambda: 0.0, lambda _: None)


@pytest.mark.parametrize("form", SPINNERS.values(), ids=SPINNERS)
@pytest.mark.parametrize("flushed", [False, True])
@pytest.mark.parametrize("cut", [None, 1, 2, 3])
def test_of_a_spinner_one_line_is_kept(form: str, flushed: bool, cut: int | None) -> None:
    output = of_run()
    for number in range(10, 40):
        text = form.format(f"page {number}")
        for piece in [text] if cut is None else [text[at : at + cut] for at in range(0, len(text), cut)]:
            line_assembler.write(output, None, STDOUT, piece)
            if flushed:
                line_assembler.flush(output, None, STDOUT)
    shown = output.remembered()
    line_assembler.write(output, None, STDOUT, "\r\x1b[Kdone  !\nnext\n")

    assert len(shown) <= 1
    assert [overwritten(line) for line in output.remembered()] == ["done  !", "next"]


@pytest.mark.parametrize(
    ("form", "seen"),
    [("\b{}", "⠙"), ("{}\b", "⠹"), ("\x1b[2K\x1b[1G{}", "⠹"), ("\x1b[1D{}", "⠹"), ("\x1b[0G{}", "⠹")],
)
def test_each_picture_is_shown_as_it_comes_and_one_is_kept(form: str, seen: str) -> None:
    shown: list[str] = []
    output = of_run()
    for picture in "⠋⠙⠹":
        line_assembler.write(output, None, STDOUT, form.format(picture))
        line_assembler.flush(output, None, STDOUT)
        shown += [line.text for line in output.take()[0]]
    line_assembler.finish(output)

    assert shown == ["⠋\r", "⠙\r", "⠹\r"]
    assert output.remembered() == ("⠹",)


def test_a_run_and_a_command_keep_the_last_picture(capsys: pytest.CaptureFixture[str]) -> None:
    def draw() -> None:
        for picture in "⠋⠙⠹":
            print(f"\x1b[2K\x1b[1G{picture} working", end="", flush=True)
        print("\x1b[2K\x1b[1Gdone")

    program = (
        "print('|', end='', flush=True); [print(chr(8) + each, end='', flush=True) for each in '/-']; print()"
    )
    with Scheduler() as scheduler:
        events = Events(scheduler.subscribe)
        drawing = scheduler.add_on_demand_task(draw, "drawing")
        command = CommandTask(f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}")
        spinning = scheduler.add_on_demand_task(command, "spinning")
        scheduler.demand_task("drawing")
        scheduler.demand_task("spinning")
        eventually(lambda: drawing.last_outcome and spinning.last_outcome)
        assert scheduler.stop(timeout=PATIENCE) == []

    assert drawing.last_outcome is not None
    assert drawing.last_outcome.output == ("done",)
    assert spinning.last_outcome is not None
    assert spinning.last_outcome.output == ("-",)
    told = [line.text for event in events.of(OutputWritten, "drawing") for line in event.lines]
    assert [text for text in told if not text.endswith("\r")] == ["done"]


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("|\b/\b-\b\\", "\\"),
        ("10 %\b\b\b\b20 %", "20 %"),
        ("abc\b \b", "ab"),
        ("abc\x1b[2D\x1b[KZ", "aZ"),
        ("a longer one\x1b[0Gshort", "short"),
        ("a longer one\rshort", "short"),
        ("abc\x1b[2GX", "aXc"),
        ("abc\r\x1b[1CX", "aXc"),
        ("abcdef\x1b[3G\x1b[1KX", "  Xdef"),
        ("abc\x1b[2G\x1b[PX", "aX"),
        ("abc\x1b[1G\x1b[2X", "  c"),
        ("漢字\bx", "漢 x"),
        ("漢字\x1b[3Dx", " x字"),
        ("🌍 hi\x1b[5D🌎 ho", "🌎 ho"),
        ("e\u0301\bx", "x"),
        ("\x1b[31mred\x1b[0m\b\b\b\x1b[34mblue\x1b[0m", "\x1b[34mblue\x1b[0m"),
        ("\x1b[31mab\x1b[0mc\b\b\bX", "X\x1b[31mb\x1b[0mc"),
        ("a\x1b]8;;https://example.org\x07b\bc", "ac"),
        ("\b\b\x1b[99Dab", "ab"),
        ("a\x1b[5Cb", "a     b"),
        ("abc\x1b[1A\bd", "abd"),
        ("10\b" * 3, "1110"),
    ],
)
def test_what_is_seen_at_last(written: str, seen: str) -> None:
    assert overwritten(written) == seen


pieces = st.lists(
    st.sampled_from(
        ["ab", "c", "漢", "\b", "\r", "\n", "\x1b[2K", "\x1b[G", "\x1b[2D", "\x1b[3G", "\x1b[1P", "\x1b[C"]
    ),
    max_size=12,
).map("".join)


@given(pieces, st.integers(1, 5))
@example("ab\x1b[2K\x1b[1Gc", 3)
def test_no_cut_changes_what_is_seen(text: str, size: int) -> None:
    def seen(*pieces: str) -> list[str]:
        assembler = LineAssembler()
        told = [line for piece in pieces for line in assembler.feed(piece.encode())]
        last = assembler.finish()
        return [overwritten(line) for line in (told if last is None else [*told, last])]

    expected = [overwritten(line) for line in text.split("\n")]
    got = seen(text)
    assert seen(*(text[at : at + size] for at in range(0, len(text), size))) == got
    assert got in (expected, expected[:-1])


@given(pieces)
def test_it_is_the_same_once_more(text: str) -> None:
    once = overwritten(text.replace("\n", ""))
    assert overwritten(once) == once


def test_a_line_that_overwrites_itself_is_bounded_as_any_other() -> None:
    begun = process_time()
    output = of_run()
    line_assembler.write(output, None, STDOUT, "x\b" + "y" * (3 * LONGEST_LINE))
    for _ in range(4):
        line_assembler.write(output, None, STDOUT, "\x1b[1000C" * 10_000 + "\x1b[32m" * 10_000)
    line_assembler.write(output, None, STDOUT, "\x1b[" + "1" * 100_000)
    line_assembler.write(output, None, STDOUT, "\n")

    (line,) = output.remembered()
    assert len(line) <= LONGEST_LINE + 100
    assert "more characters" in line
    assert process_time() - begun < 10


def test_colours_alone_leave_a_line_as_it_was_written() -> None:
    output = of_run()
    for piece in [
        "\x1b[01;31m\x1b[Kerror\x1b[m\x1b[K: ",
        "\x1b[1",
        ";32mfine",
        "\x1b",
        "[0m",
        "\n",
        "lone \x1b",
        "\n",
    ]:
        line_assembler.write(output, None, STDOUT, piece)

    assert output.remembered() == (
        "\x1b[01;31m\x1b[Kerror\x1b[m\x1b[K: \x1b[1;32mfine\x1b[0m",
        "lone \x1b",
    )


def test_unfinished_lines_of_many_threads_are_bounded_and_none_is_lost() -> None:
    output = of_run()
    for thread in range(3 * MOST_UNFINISHED):
        line_assembler.write(output, thread, STDOUT, f"from {thread}")
    assert len(output.unfinished) <= MOST_UNFINISHED
    line_assembler.finish(output)

    taken, lost = output.take()
    assert sorted(line.text for line in taken) == sorted(
        f"from {thread}" for thread in range(3 * MOST_UNFINISHED)
    )
    assert lost == 0
