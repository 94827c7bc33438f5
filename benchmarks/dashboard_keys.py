"""What a person does with ten thousand tasks, and how long each key takes to show on the screen."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

from benchmarks.terminals import PAUSE_SECONDS, Terminal

ESCAPE: Final = "\x1b"
"""It is never counted: a terminal app waits a tenth of a second for the rest of a sequence."""
_SEQUENCES: Final = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[=>NOc78])")
_SELECTED: Final = rb"\x1b\[1(?:;[0-9;]*)?m"
"""Before the name of the selected row."""

WAKE_SECONDS: Final = 3.0
"""Time for the dashboard to load what it does not need for its first paint."""


@dataclass(frozen=True, slots=True)
class Press:
    """A key, and what the screen shows once that has had its effect."""

    keys: str
    shows: bytes
    """A regular expression for the text without escape sequences; with them if it contains one."""
    counts: bool = True
    """False for a key that only leads to the others."""

    def is_answered(self, got: bytes) -> bool:
        text = got if rb"\x1b" in self.shows else _SEQUENCES.sub(b"", got)
        return re.search(self.shows, text) is not None


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person does; it ends as it began."""

    what: str
    presses: tuple[Press, ...]
    rounds: int = 10


DEEDS: Final = (
    Deed(
        "moving the cursor",
        (Press("j", _SELECTED + b"task"), Press("k", _SELECTED + b"task")),
        rounds=40,
    ),
    Deed(
        "scrolling by page",
        (Press("\x1b[6~", _SELECTED + b"task"), Press("\x1b[5~", _SELECTED + b"task")),
        rounds=20,
    ),
    Deed(
        "typing a filter",
        (
            Press("/", rb"text or regular", counts=False),
            Press("7", rb"Scheduled \d{1,2},\d{3} of"),
            Press("7", rb"Scheduled (\d{3}|\d,\d{3}) of"),
            Press("7", rb"Scheduled \d{2,3} of"),
            Press("\x7f", rb"Scheduled (\d{3}|\d,\d{3}) of"),
            Press("\x7f", rb"Scheduled \d{1,2},\d{3} of"),
            Press(ESCAPE, rb"Scheduled [\d,]+ \xe2", counts=False),
        ),
    ),
    Deed("sorting by another column", (Press("o", rb"by (name|schedule|next|last|runs) "),), rounds=20),
    Deed(
        "marking all",
        (Press("*", rb"\d,\d{3} marked"), Press(ESCAPE, rb"failing {6}", counts=False)),
    ),
    Deed(
        "opening details",
        (Press("\r", rb"History "), Press(ESCAPE, rb"SCHEDULE", counts=False)),
    ),
    Deed(
        "searching in the palette",
        (
            Press("\x10", rb"Search for commands", counts=False),
            Press("7", rb"Run task 7"),
            Press("7", rb"Run task 77"),
            Press("7", rb"Run task 777"),
            Press(ESCAPE, rb"SCHEDULE", counts=False),
        ),
        rounds=6,
    ),
)

ALL_DISABLED: Final = Deed(
    "disabling all, and undoing it: until all are",
    (
        Press("*", rb"\d,\d{3} marked", counts=False),
        Press("d", rb"Disabled \d+,?\d{3}"),
        Press("u", rb"Undone"),
        Press(ESCAPE, rb"failing {6}", counts=False),
    ),
    rounds=3,
)


def seconds_of(deed: Deed, terminal: Terminal) -> Iterator[float]:
    """Do it as often as it says, and yield the seconds of each key that counts."""
    for _ in range(deed.rounds):
        for press in deed.presses:
            pressed = monotonic()
            terminal.press(press.keys)
            terminal.read_until(press.is_answered)
            if press.counts:
                yield monotonic() - pressed
            # An escape key must not become one sequence with the key that follows.
            terminal.read_for(0.15 if press.keys == ESCAPE else random.uniform(*PAUSE_SECONDS))


def cursor_meanwhile(terminal: Terminal, keys: str, presses: int = 20) -> Iterator[float]:
    """Press `keys`, and yield the seconds that moving the cursor takes while the command is carried out."""
    row = rb"task \d"  # not `_SELECTED`, as a marked and disabled row is not bold
    terminal.press(keys)
    for number in range(presses):
        press = Press("k" if number % 2 else "j", row)
        pressed = monotonic()
        terminal.press(press.keys)
        terminal.read_until(press.is_answered)
        yield monotonic() - pressed
        terminal.read_for(0.01)
