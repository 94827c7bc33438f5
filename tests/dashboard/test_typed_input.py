"""What a terminal sends, and which keys that is: no report and no answer is ever one."""

from __future__ import annotations

import os
import random
from itertools import pairwise
from pathlib import Path

import pytest
from pty_screen import PtyScreen, python
from textual import events

from taskkit_tui.terminal.typed_input import TypedInput

APP = str(Path(__file__).with_name("terminal_app.py"))


class Typist:
    """Feeds bytes on a clock of its own, and notes the keys."""

    def __init__(self) -> None:
        self.time = 0.0
        self.old_mouse = 0
        self.keys: list[str] = []
        self.pasted: list[str] = []
        self._typed = TypedInput(self._count, lambda: self.time)

    def _count(self) -> None:
        self.old_mouse += 1

    def send(self, *chunks: bytes) -> Typist:
        for chunk in chunks:
            for message in self._typed.feed(chunk):
                if isinstance(message, events.Key):
                    self.keys.append(message.key)
                elif isinstance(message, events.Paste):
                    self.pasted.append(message.text)
        return self

    def wait(self, seconds: float) -> Typist:
        self.time += seconds
        return self.send(b"")


REPORTS = [
    pytest.param(b"\x1b[MC\x80\x30", id="x10, column 96"),
    pytest.param(b"\x1b[MC\xff\x30", id="x10, column 223"),
    pytest.param(b"\x1b[MC\xc2\xa9", id="x10, a letter in UTF-8"),
    pytest.param(b"\x1b[M C\xc3", id="x10, half a letter"),
    pytest.param(b"\x1b[M#\x00\x00", id="x10, beyond"),
    pytest.param(b"\x1b[MC\xc2\x80r", id="1005, column 96"),
    pytest.param(b"\x1b[MC\xc3\xa1\xc3\xa1", id="1005, both far"),
    pytest.param(b"\x1b[MCr\xc2\x80", id="1005, row 96"),
    pytest.param(b"\x1b[32;120;20M", id="urxvt"),
    pytest.param(b"\x1b[<35;120;20M", id="sgr"),
    pytest.param(b"\x9b<35;120;20M", id="sgr, eight bits"),
    pytest.param(b"\xc2\x9b<35;120;20M", id="sgr, C1 in UTF-8"),
    pytest.param(b"\x1b[I", id="focus"),
    pytest.param(b"\x1b[O", id="no focus"),
    pytest.param(b"\x1b[?62;1;2;4;6;9;15;16;17;18;21;22;28c", id="DA1"),
    pytest.param(b"\x1b[>41;354;0c", id="DA2"),
    pytest.param(b"\x1bP!|00000000\x1b\\", id="DA3"),
    pytest.param(b"\x1bP>|xterm(390)\x1b\\", id="XTVERSION"),
    pytest.param(b"\x1bP1+r524742=38\x1b\\", id="XTGETTCAP"),
    pytest.param(b"\x1b]11;rgb:1010/1010/1010\x07", id="background, BEL"),
    pytest.param(b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\", id="colour, ST"),
    pytest.param(b"\x9d11;rgb:10/10/10\x9c", id="background, eight bits"),
    pytest.param("\x1b]lÜber r\x1b\\".encode(), id="title"),
    pytest.param(b"\x1b_Gi=31;OK\x1b\\", id="graphics"),
    pytest.param(b"\x1b[?29u", id="kitty flags"),
    pytest.param(b"\x1b[?2026;2$y", id="DECRPM"),
    pytest.param(b"\x1b[4;1$y", id="DECRPM of ANSI"),
    pytest.param(b"\x1b[24;80R", id="cursor"),
    pytest.param(b"\x1b[0n", id="status"),
    pytest.param(b"\x1b[?997;1n", id="colour scheme"),
    pytest.param(b"\x1b[8;24;80t", id="size"),
    pytest.param(b"\x1b[1;2;3;4;5;6;7;8w", id="unknown"),
    pytest.param(b"\x1b[114;1:3u", id="a key let go"),
    pytest.param(b"\x1b[" + b"1;" * 500 + b"r", id="endless"),
    pytest.param(b"\x1bP" + b"r" * 70_000 + b"\x1b\\", id="endless string"),
    pytest.param(b"\x1b[201~", id="the end of no paste"),
    pytest.param(b"\xed\xa0\x80", id="a surrogate"),
    pytest.param(b"\x1b\xed\xa0\x80", id="a surrogate with alt"),
]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_of_the_terminal_is_not_a_key_and_the_next_key_counts(report):
    typist = Typist().send(report).wait(0.2)
    assert typist.send(b"z").keys == ["z"]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_that_is_read_in_pieces_is_not_a_key_either(report):
    cuts = range(1, min(len(report), 50))
    for at in cuts:
        typist = Typist().send(report[:at], report[at:]).wait(0.2)
        assert typist.send(b"z").keys == ["z"], report[:at]
    in_bytes = [bytes([each]) for each in report[:300]] + [report[300:]]
    assert Typist().send(*filter(None, in_bytes)).wait(0.2).send(b"z").keys == ["z"]


def test_a_slow_line_makes_no_keys_of_a_report():
    """But for the escape, which could have been one."""
    for first, rest in ((b"\x1b", b"[<35;10;10M"), (b"\x1b", b"[MC\xa0r"), (b"\x1b", b"[A")):
        typist = Typist().send(first).wait(0.2)
        assert typist.send(rest).keys in (["escape"], ["escape", "up"])
    assert Typist().send(b"\x1b[").wait(0.5).send(b"<35;1").wait(0.5).send(b"0;10M").keys == []


def test_mouse_motions_in_one_piece_are_not_keys_either():
    motions = b"".join(b"\x1b[MC" + bytes([column + 32, 60]) for column in range(60, 223))
    typist = Typist().send(*(motions[at : at + 100] for at in range(0, len(motions), 100)))
    assert typist.keys == []
    assert typist.old_mouse == 163


@pytest.mark.parametrize(
    "broken", [b"\x1b[1", b"\x1b[MC", b"\x1bP1$r", b"\x1b]11;rgb:1", b"\x1bO", b"\xe2\x82"]
)
def test_an_unfinished_sequence_is_forgotten_and_swallows_no_control_key(broken):
    assert Typist().send(broken + b"\x03").keys == ["ctrl+c"]
    assert Typist().send(broken, b"\x1b[A").keys == ["up"]
    assert Typist().send(broken).wait(1.2).send(b"q").keys == ["q"]


@pytest.mark.parametrize("typed", [b"\x03", b"\x1b[99;5u"])
def test_ctrl_c_leaves_also_out_of_a_paste_without_an_end(typed):
    typist = Typist().send(b"\x1b[200~rrr", typed)
    assert (typist.keys, typist.pasted) == (["ctrl+c"], ["rrr"])


def test_a_paste_is_text_and_one_whose_end_is_lost_does_not_hold_the_keys():
    assert Typist().send(b"\x1b[200~a\x03\x1b[Ab\x1b[20", b"1~z").pasted == ["a\x03\x1b[Ab"]
    typist = Typist().send(b"\x1b[200~rrr", b"D\x1b")
    assert (typist.keys, typist.pasted) == ([], [])
    typist.wait(1.5)  # a slow line
    assert (typist.keys, typist.pasted) == ([], [])
    typist.wait(2.0)
    assert (typist.keys, typist.pasted) == ([], ["rrrD\x1b"])
    assert typist.send(b"\x03").keys == ["ctrl+c"]


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"\x1br", ["alt+r"]),
        (b"\x1b ", ["alt+space"]),
        (b"\x1b!", ["alt+exclamation_mark"]),
        (b"\x1b\x7f", ["ctrl+w"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
        (b"\x1bOP", ["f1"]),
        (b"\x1b[[A", ["f1"]),
        (b"\x1b[3$", ["shift+delete"]),
        (b"\x1b[15;5~", ["ctrl+f5"]),
        ("rр漢".encode(), ["r", "р", "漢"]),
    ],
)
def test_keys_of_the_old_protocol_are_unchanged(typed, keys):
    assert Typist().send(typed).keys == keys


def test_an_escape_is_a_key_after_a_moment_and_alt_with_a_capital_letter_too():
    typist = Typist().send(b"\x1b")
    assert typist.keys == []
    assert typist.wait(0.2).keys == ["escape"]
    assert Typist().send(b"\x1bP").wait(0.2).keys == ["alt+shift+p"]


def test_no_bytes_at_all_press_more_keys_than_they_have_letters_outside_sequences():
    """Noise ends nothing, and the keyboard works after it."""
    dice = random.Random(7)
    for _ in range(300):
        noise = bytes(dice.choice(b"\x1b\x1b[[<?;0192MmOPu~\x9b\xc2\x80rD$") for _ in range(60))
        typist = Typist().send(noise[:30], noise[30:]).wait(0.2).wait(3.0)
        before = len(typist.keys)
        assert typist.send(b"q").keys[before:] == ["q"], noise


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("\x1b[1089;5u", "ctrl+c"),  # Cyrillic, the base layout not told
        ("\x1b[1089::99;5u", "ctrl+c"),
        ("\x1b[1081::113;5u", "ctrl+q"),
        ("\x1b[1103;5u", "ctrl+z"),
        ("\x1b[1057;6u", "ctrl+shift+c"),
        ("\x1b[27;5;1089~", "ctrl+c"),  # as xterm says it
        ("\x1b[968;5u", "ctrl+c"),  # Greek
        ("\x1b[59::113;5u", "ctrl+q"),
        ("\x1b[1489;5u", "ctrl+c"),  # Hebrew
        ("\x1b[47::113;5u", "ctrl+q"),
        ("\x1b[1572;5u", "ctrl+c"),  # Arabic
        ("\x1b[1586;5u", "ctrl+c"),  # Persian
        ("\x1b[3649;5u", "ctrl+c"),  # Thai
        ("\x1b[12618;5u", "ctrl+c"),  # Korean
        ("\x1b[4330;5u", "ctrl+c"),  # Georgian
        ("\x1b[231::59;5u", "ctrl+ç"),  # its place is not a letter's
        ("\x1b[113::120;5u", "ctrl+q"),  # Dvorak and AZERTY have Latin letters of their own
        ("\x1b[99;69u", "ctrl+c"),  # caps lock
        ("\x1b[1089::99;197u", "ctrl+c"),  # caps lock and num lock
        ("\x1b[99;5:1u", "ctrl+c"),
        ("\x1b[99;5:2u", "ctrl+c"),
        ("\x1b[1088::104;;1088u", "р"),  # without ctrl what the layout gives
        ("\x1b[114:82;2;82u", "R"),
        ("\x1b[114:82;2u", "R"),
        ("\x1b[114;65;82u", "R"),  # caps lock
        ("\x1b[49:33;2;33u", "exclamation_mark"),
        ("\x1b[64;7;64u", "ctrl+at"),
        ("\x1b[13;129u", "enter"),  # num lock
        ("\x1b[1;129A", "up"),
        ("\x1b[1;1:2A", "up"),
        ("\x1b[3;129:1~", "delete"),
        ("\x1b[57400;129;49u", "1"),
    ],
)
def test_the_key_of_each_layout(typed, key):
    assert Typist().send(typed.encode()).keys == [key]


@pytest.mark.parametrize("typed", ["\x1b[113;1:3u", "\x1b[1;1:3A", "\x1b[3;129:3~", "\x1b[1089::99;5:3u"])
def test_a_key_release_is_not_a_key(typed):
    assert Typist().send(typed.encode()).keys == []


def test_an_old_mouse_report_presses_no_key_and_the_new_format_is_requested(tmp_path):
    with PtyScreen(
        python(APP), columns=140, rows=24, environment={"STOPPED": str(tmp_path / "stopped")}
    ) as screen:
        screen.wait_for("ready 140x24")
        before = screen.output.count("\x1b[?1006h"), screen.output.count("\x1b[?2004h")
        os.write(screen.master, b"\x1b[MC\x90q\x1b[MCqX")  # the letters would quit, and crash
        screen.wait_until(
            lambda: screen.output.count("\x1b[?1006h") > before[0], "asking for the mouse again"
        )
        screen.wait_until(lambda: screen.output.count("\x1b[?2004h") > before[1], "asking for pastes again")
        os.write(screen.master, b"\x1b[?1u\x1b]11;rgb:X/q/q\x07W")
        screen.wait_for("│ written to 1")
        screen.press("q")

        assert screen.wait_for_end() == 0
        assert screen.is_as_before


@pytest.mark.parametrize("typed", ["\x1b[1089;5u", "\x1b[1089::99;5u"])
def test_ctrl_c_of_a_cyrillic_layout_leaves_and_alternate_keys_are_asked_for(tmp_path, typed):
    with PtyScreen(python(APP), environment={"STOPPED": str(tmp_path / "stopped")}) as screen:
        screen.wait_for("ready")
        asked = [int(each.partition("u")[0]) for each in screen.output.split("\x1b[>")[1:]]
        assert asked[-1] & 0b100
        pushed_and_popped = [
            each for each in screen.output.split("\x1b[") if each.startswith(("<u", ">25u", ">29u"))
        ]
        assert [after[:1] for _, after in pairwise(pushed_and_popped)] == ["<", ">"]
        screen.press(typed)

        assert screen.wait_for_end() == 0
        assert screen.is_as_before
