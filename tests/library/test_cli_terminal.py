"""`taskkit` on a terminal: colours, control characters, narrow widths and hangups."""

from __future__ import annotations

import os
import pty
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import RunningCommand
from patience import eventually

PROGRAM = """
from taskkit import Scheduler

def write():
    print("\\a\\x1b[35mcoloured\\x1b[0m \\x1b[2J\\tdangerous")
    print("done")

scheduler = Scheduler()
scheduler.add_periodic_task(None, 3600, write, "a name that is rather long for a terminal")
"""

TASK_FILE = """
[tasks.tick]
command = "echo tick"
every = "1h"
"""


class Terminal:
    """The controlling end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.end, self.descriptor = pty.openpty()
        self.text = ""

    def shows(self, text: str) -> bool:
        """True if this text has been written to it."""
        os.set_blocking(self.end, False)
        try:
            self.text += os.read(self.end, 65536).decode()
        except BlockingIOError:
            pass
        return text in self.text

    def hang_up(self) -> None:
        """Close it, as a terminal window does."""
        for descriptor in {self.end, self.descriptor}:
            os.close(descriptor)
        self.end = self.descriptor = -1


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    if terminal.end >= 0:
        terminal.hang_up()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "tasks.toml").write_text(TASK_FILE)
    return tmp_path


def run(folder: Path, terminal: Terminal, **environment: str) -> str:
    surroundings = {"NO_COLOR": "", "TERM": "xterm", "COLUMNS": "80"} | environment
    with RunningCommand(
        folder, "run", "program:scheduler", stdout=terminal.descriptor, environment=surroundings
    ) as command:
        eventually(lambda: terminal.shows("succeeded"), lambda: terminal.text)
        command.send(signal.SIGTERM)
        assert command.end() == 0
        terminal.shows("")
    return terminal.text


def test_colours_are_kept_and_control_characters_are_not(folder: Path, terminal: Terminal) -> None:
    text = run(folder, terminal)

    assert "␇\x1b[35mcoloured\x1b[0m ␛[2J" in text
    assert re.fullmatch(r"(?:\x1b\[[0-9;]*m|[^\x00-\x1f]|\r\n)*", text)
    assert re.search(r"\x1b\[\d\dma name th…a terminal", text)


def test_without_colours_no_escape_sequence_is_kept(folder: Path, terminal: Terminal) -> None:
    text = run(folder, terminal, NO_COLOR="1")

    assert "│ ␇coloured ␛[2J" in text
    assert "\x1b" not in text


def test_a_terminal_that_goes_away_ends_a_task_file_too(folder: Path, terminal: Terminal) -> None:
    # With -q, as a write to the closed terminal would end it too.
    with RunningCommand(folder, "run", "tasks.toml", "-q", stdout=terminal.descriptor) as command:
        eventually(lambda: terminal.shows("tick"))
        terminal.hang_up()
        command.send(signal.SIGHUP)
        assert command.end() == 0


@pytest.mark.parametrize(("command", "when"), [("list", "at once"), ("next", r"\d\d:\d\d:\d\d  .*at once")])
def test_a_narrow_terminal_gets_short_times(
    command: str, when: str, folder: Path, terminal: Terminal
) -> None:
    with RunningCommand(
        folder, command, "tasks.toml", stdout=terminal.descriptor, environment={"COLUMNS": "44"}
    ) as running:
        assert running.end() == 0
    eventually(lambda: terminal.shows("at once"), lambda: terminal.text)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.text)
    assert re.search(f"tick  {when}", shown)
    assert all(len(line) <= 44 for line in shown.splitlines())
