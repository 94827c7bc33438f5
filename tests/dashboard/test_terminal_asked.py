"""A task that asks at the terminal gets no answer and is named; screen and keys stay the dashboard's."""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pty_screen import PtyScreen

COMMAND = Path(sys.executable).with_name("taskkit-tui")

TARGET = """
import getpass, os, subprocess
from pathlib import Path
from taskkit import Scheduler

def ask():
    getpass.getpass("Password of the vault: ")

def read():
    with open(PATH, "rb", buffering=0) as tty:
        tty.write(b"Password of the vault: ")
        tty.read(1)

# It may come in the midst of an escape sequence of the dashboard's, which the first byte cancels.
def child():
    subprocess.run(
        "stty echo icanon icrnl </dev/tty; printf '\\\\030Password of the vault: ' >/dev/tty; touch asked;"
        " while [ ! -e over ]; do sleep 0.05; done",
        shell=True,
    )

PATH = "/dev/tty"

def make():
    global PATH
    if "TTY_BY_NAME" in os.environ:
        PATH = os.ttyname(0)
    scheduler = Scheduler()
    scheduler.add_on_demand_task(globals()[os.environ["ASKS"]], "curious")
    return scheduler
"""

pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")


@contextmanager
def dashboard(folder: Path, asks: str, **environment: str) -> Iterator[PtyScreen]:
    (folder / "asking.py").write_text(TARGET)
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    variables = {name: str(folder / "home") for name in homes} | {"ASKS": asks} | environment
    with PtyScreen(
        [str(COMMAND), "asking:make", "--no-state"], environment=variables, folder=folder
    ) as screen:
        screen.wait_for("On demand 1", "curious")
        screen.press("3", "r")
        yield screen


def is_raw(screen: PtyScreen) -> bool:
    flags = screen.modes[3]
    assert isinstance(flags, int)
    return not flags & (termios.ECHO | termios.ICANON)


def keys_are_obeyed(screen: PtyScreen) -> None:
    screen.press("?")
    screen.wait_for("Navigation", "Run the task now")
    screen.press("escape")
    screen.wait_until(lambda: "Navigation" not in screen.text, "closing the help")


def outside_the_log(screen: PtyScreen) -> str:
    return "\n".join(row for row in screen.text.splitlines() if " curious " not in row)


@pytest.mark.parametrize(
    ("asks", "error", "environment"),
    [("ask", "EOFError", {}), ("read", "OSError", {}), ("read", "OSError", {"TTY_BY_NAME": "1"})],
    ids=["getpass", "/dev/tty", "the terminal by its name"],
)
def test_a_task_that_asks_gets_no_answer_and_is_named(
    tmp_path: Path, asks: str, error: str, environment: dict[str, str]
) -> None:
    with dashboard(tmp_path, asks, **environment) as screen:
        screen.wait_for("curious asks at the terminal", error)
        assert is_raw(screen)
        assert "Password" not in outside_the_log(screen)
        keys_are_obeyed(screen)
        screen.press("q")

        assert screen.wait_for_end() == 0
        assert screen.is_as_before


def test_terminal_modes_changed_by_a_child_of_a_task_are_restored(tmp_path: Path) -> None:
    with dashboard(tmp_path, "child") as screen:
        screen.wait_until((tmp_path / "asked").exists, "asking")
        screen.wait_until(lambda: is_raw(screen), "taking the keys back")
        screen.wait_for("curious used the terminal")
        screen.wait_until(lambda: "Password" not in screen.text, "painting the screen anew")
        keys_are_obeyed(screen)
        (tmp_path / "over").touch()
        screen.wait_for("On demand 1")
        screen.press("q")

        assert screen.wait_for_end() == 0
        assert screen.is_as_before
