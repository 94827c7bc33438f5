"""The installed command in a real terminal, from the first paint to the shell's prompt."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from pty_screen import PtyScreen

COMMAND = Path(sys.executable).with_name("taskkit-tui")

TARGET = """
from taskkit import Scheduler, Task


class Ticking(Task):
    def run(self):
        print("tick of", self.name)


class Long(Task):
    def run(self):
        while self.sleep(0.05):
            pass
        print("long one stopped")


def make():
    scheduler = Scheduler()
    scheduler.add_periodic_task(None, 3600, Ticking(), "ticker")
    scheduler.add_periodic_task(None, 3600, Long(), "long haul")
    scheduler.add_on_demand_task(Ticking(), "on call")
    return scheduler
"""

pytestmark = pytest.mark.skipif(
    not COMMAND.exists() or find_spec("taskkit_tui.cli") is None, reason="the command is not installed"
)


@contextmanager
def dashboard(folder: Path, then: str = "") -> Iterator[PtyScreen]:
    """The dashboard on a few tasks; below a shell that goes on with `then`, if there is something."""
    (folder / "some_tasks.py").write_text(TARGET)
    homes = {
        name: str(folder / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    }
    command = [str(COMMAND), "some_tasks:make"]
    if then:
        command = ["sh", "-m", "-c", shlex.join(command) + then]
    with PtyScreen(command, environment=homes, folder=folder) as screen:
        screen.wait_for("Scheduled 1", "Running 1", "On demand 1", "long haul", "on call", "tick of ticker")
        yield screen


def rows_with(screen: PtyScreen, name: str) -> str:
    """The lines of the screen that show a task, without the log."""
    return "\n".join(row for row in screen.text.partition("Log")[0].splitlines() if name in row)


def leave(screen: PtyScreen, *keys: str) -> int:
    screen.press(*keys)
    status = screen.wait_for_end()
    print(screen.output.rpartition("\x1b[?1049l")[2])  # what it said afterwards; shown if the test fails
    return status


def test_what_is_typed_into_the_filter_at_once_is_no_command(tmp_path):
    """A fast typist, a paste or a slow line bring all keys in one piece."""
    with dashboard(tmp_path) as screen:
        screen.press("1/rde")
        screen.wait_for("rde", "Scheduled 0 of")
        assert "1 disabled" not in screen.text
        screen.press("escape")
        screen.wait_for("Scheduled 1", "0 disabled")
        assert leave(screen, "ctrl+c") == 0


def test_keys_that_come_in_one_piece_reach_the_dialog_that_the_first_of_them_opens(tmp_path):
    with dashboard(tmp_path) as screen:
        for seconds in range(2, 5):
            screen.press(f"2p{seconds}\r1p1{seconds}\r")
            screen.wait_for(f"every 1{seconds} s")
            screen.press("2\r")
            screen.wait_for(f"every {seconds} s")  # in the details
            screen.press("q")
            screen.wait_for("Running 1")
        screen.press("2p5xy\x7f\x7f0\r1/tick")
        screen.wait_for("Every 50 s: long haul", "Running 0 of 1")
        screen.press("escape")
        screen.wait_for("Scheduled 1 ", "Running 1 ")
        screen.press("P\t\rd")
        screen.wait_for("paused", "disabled")
        screen.press("qyq")
        assert screen.wait_for_end() == 0


def test_the_palette_survives_a_terminal_that_becomes_too_small_for_it(tmp_path):
    with dashboard(tmp_path) as screen:
        screen.press("ctrl+p")
        screen.wait_for("🔎")
        screen.resize(79, 1)
        screen.press("\x1b[6~")
        screen.wait_for("needs 10 rows")
        screen.press("ctrl+p", "\x1b[6~")
        screen.resize(120, 36)
        screen.wait_for("Scheduled 1")
        assert leave(screen, "ctrl+c") == 0


def test_a_task_is_disabled_enabled_run_and_given_another_period(tmp_path):
    with dashboard(tmp_path) as screen:
        screen.press("1", "d")
        screen.wait_until(lambda: "disabled" in rows_with(screen, "ticker"), "disabling")
        screen.press("e")
        screen.wait_until(lambda: "disabled" not in rows_with(screen, "ticker"), "enabling")

        screen.press("r")
        screen.wait_until(lambda: screen.text.count("tick of ticker") == 2, "running it once more")

        screen.press("p")
        screen.wait_for("eriod")
        screen.press("ctrl+u", "90s", "enter")
        screen.wait_until(
            lambda: re.search(r"1:[0-3]\d", rows_with(screen, "ticker")) is not None, "a nearer run"
        )

        assert leave(screen, "ctrl+c") == 0
        assert screen.is_as_before


def test_a_running_task_is_stopped(tmp_path):
    with dashboard(tmp_path) as screen:
        screen.press("2", "s")
        screen.wait_for("long one stopped", "Scheduled 2")

        assert leave(screen, "q") == 0
        assert screen.is_as_before
        assert screen.left_behind == []


def test_leaving_asks_while_something_runs_and_names_it(tmp_path):
    with dashboard(tmp_path) as screen:
        screen.press("q")
        screen.wait_until(lambda: screen.text.count("long haul") >= 2, "a question that names the run")
        screen.press("n")
        screen.wait_until(lambda: "Scheduled 1" in screen.text, "staying")

        screen.press("q")
        screen.wait_until(lambda: screen.text.count("long haul") >= 2, "the question again")
        assert leave(screen, "y") == 0
        assert screen.is_as_before


def test_a_signal_stops_the_runs_and_leaves_the_terminal_as_it_was(tmp_path):
    with dashboard(tmp_path) as screen:
        screen.process.send_signal(signal.SIGTERM)

        assert screen.wait_for_end() == 143
        assert screen.is_as_before
        assert screen.left_behind == []


def test_a_key_suspends_it_also_in_a_dialog_and_it_goes_on_where_it_was(tmp_path):
    with dashboard(tmp_path, "; echo at the shell; read line; fg") as screen:
        screen.press("1", "p")
        screen.wait_for("Period of ticker")
        screen.press("ctrl+z")
        screen.wait_for("at the shell")
        assert screen.is_as_before

        screen.reset()
        screen.press("enter")
        screen.wait_for("Period of ticker", "Scheduled 1")
        screen.press("escape")
        screen.wait_until(lambda: "Period of" not in screen.text, "leaving the dialog")
        assert leave(screen, "ctrl+c") == 0
        assert screen.is_as_before


def test_a_target_that_is_interrupted_while_it_is_imported_says_nothing(tmp_path):
    (tmp_path / "slow.py").write_text("print('importing')\nimport time\ntime.sleep(30)\n")
    with PtyScreen([str(COMMAND), "slow:make"], folder=tmp_path) as screen:
        screen.wait_for("importing")
        screen.press("ctrl+c")
        assert screen.wait_for_end() == 130
        assert "Traceback" not in screen.output


def test_every_size_is_survived(tmp_path):
    with dashboard(tmp_path) as screen:
        for columns, rows in [(80, 24), (60, 20), (40, 10), (10, 3), (1, 1), (200, 60), (120, 36)]:
            screen.resize(columns, rows)
            screen.read(0.2)
        screen.wait_for("Scheduled 1", "Running 1", "On demand 1")

        assert leave(screen, "ctrl+c") == 0


def test_a_terminal_that_changed_its_size_is_painted_at_once_and_again_when_it_has_come_to_rest(tmp_path):
    """It may lose what was painted while it changes; and may have its old size when the dashboard looks."""
    frame = "Log · all tasks"  # only a paint of the whole screen repeats the title of the log

    def painted_twice(screen: PtyScreen) -> bool:
        while screen.read(0.3):  # what was painted before is not a part of it
            pass
        before = len(screen.output)
        screen.process.send_signal(signal.SIGWINCH)
        try:
            screen.wait_until(lambda: screen.output[before:].count(frame) >= 2, "painting twice", 3.0)
        except AssertionError:
            return False  # this machine was so slow that both became one
        return True

    with dashboard(tmp_path) as screen:
        assert any(painted_twice(screen) for _ in range(5))
        screen.reset()
        screen.process.send_signal(signal.SIGWINCH)
        screen.wait_for("taskkit", "Scheduled 1", "Running 1", "On demand 1", frame, "? Help")
        assert leave(screen, "ctrl+c") == 0


def test_a_tz_that_names_no_zone_is_told(tmp_path):
    (tmp_path / "daily.toml").write_text('[tasks.it]\ncommand = "true"\ndaily = "03:30"\n')
    environment = {"TZ": "Europe/Nowhere", "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    command = [str(COMMAND), "--no-state", "daily.toml"]
    with PtyScreen(command, environment=environment, folder=tmp_path) as screen:
        screen.wait_for("TZ is 'Europe/Nowhere', which is not a known time zone")
        assert leave(screen, "q") == 0
