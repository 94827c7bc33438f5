"""The dashboard's terminal, in a real one: taken, shared with nobody, and given back whatever happens."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pty_screen import PtyScreen, python
from textual import events

from taskkit_tui.terminal.typed_input import TypedInput

APP = str(Path(__file__).with_name("terminal_app.py"))


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    return tmp_path / "stopped"


@contextmanager
def app(stopped: Path, *words: str, size: tuple[int, int] = (80, 24)) -> Iterator[PtyScreen]:
    with PtyScreen(
        python(APP, *words), columns=size[0], rows=size[1], environment={"STOPPED": str(stopped)}
    ) as screen:
        screen.wait_for(f"ready {size[0]}x{size[1]}")
        yield screen


def times_stopped(stopped: Path) -> int:
    return len(stopped.read_text().splitlines()) if stopped.exists() else 0


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_quitting_by_key_stops_the_runs_and_restores_the_terminal(stopped, key):
    with app(stopped) as screen:
        assert not screen.is_as_before
        screen.press(key)

        assert screen.wait_for_end() == 0
        assert screen.is_as_before
        assert times_stopped(stopped) == 1
        assert "back with 0" in screen.text
        assert screen.left_behind == []


def test_bytes_that_are_no_utf_8_are_no_keys_and_no_crash(stopped):
    with app(stopped) as screen:
        for typed in (b"\xe1", b"\xff\xfe", b"\xc3"):
            os.write(screen.master, typed)
            time.sleep(0.05)  # so that they are read one by one; nothing is wrong if they are not
        for _ in range(20):  # what comes in one piece with such a byte is lost with it
            screen.press("q")
            screen.read(0.3)
            if screen.process.poll() is not None:
                break

        assert screen.wait_for_end() == 0
        assert screen.is_as_before
        assert "back with 0" in screen.text
        assert "Error" not in screen.text


@pytest.mark.parametrize("malformed", ["\x1b[1114112u", "\x1b[1:2A", "\x1b[:u", "\x1b[1;1:2;~"])
def test_a_malformed_key_is_no_key_and_no_crash_and_the_next_one_counts(stopped, malformed):
    with app(stopped) as screen:
        screen.press(malformed)
        screen.press("W")
        screen.wait_for("│ written to 1")
        screen.press(malformed + "q")

        assert screen.wait_for_end() == 0
        assert "Error" not in screen.text


def test_after_a_malformed_key_the_mouse_is_measured_as_before():
    typed = TypedInput()
    list(typed.feed(b"\x1b[48;24;80;240;800t\x1b[1114112u"))
    (pressed,) = typed.feed(b"\x1b[<0;101;51M")
    assert isinstance(pressed, events.MouseDown)
    assert (pressed.x, pressed.y) == (10, 5)


def test_an_error_of_the_input_thread_is_a_crash(stopped):
    with app(stopped, "deaf") as screen:
        screen.press("a")

        assert screen.wait_for_end() == 1
        assert screen.is_as_before
        assert "no ears" in screen.output.rpartition("\x1b[?1049l")[2]


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGINT, 130),
        (signal.SIGQUIT, 131),
        (signal.SIGUSR1, 138),
        (signal.SIGUSR2, 140),
        (signal.SIGALRM, 142),
        (signal.SIGXCPU, 152),
        (signal.SIGRTMIN, 128 + signal.SIGRTMIN),
    ],
)
def test_a_signal_ends_the_app_in_order(stopped, number, status):
    with app(stopped) as screen:
        screen.process.send_signal(number)

        assert screen.wait_for_end() == status
        assert screen.is_as_before
        assert times_stopped(stopped) == 1


def test_a_signal_that_the_program_handles_is_left_to_it(stopped):
    with app(stopped, "handles") as screen:
        screen.process.send_signal(signal.SIGUSR1)
        screen.wait_for("handled by the program")
        screen.press("q")

        assert screen.wait_for_end() == 0
        assert screen.is_as_before


def test_a_second_signal_ends_the_process_at_once(stopped):
    with app(stopped, "slow") as screen:
        screen.process.send_signal(signal.SIGTERM)
        screen.wait_until(lambda: times_stopped(stopped) == 1, "stopping")
        began = time.monotonic()
        screen.process.send_signal(signal.SIGTERM)

        assert screen.wait_for_end() == 143
        assert time.monotonic() - began < 1.5
        assert screen.is_as_before
        assert stopped.with_name("tidied").exists()


def test_ctrl_c_while_the_runs_are_stopped_ends_the_process_at_once(stopped):
    with app(stopped, "slow") as screen:
        screen.press("q")
        screen.wait_until(lambda: times_stopped(stopped) == 1, "stopping")
        screen.press("ctrl+c")

        assert screen.wait_for_end(3.0) == 0
        assert screen.is_as_before


def test_the_shutdown_never_takes_more_than_five_seconds(stopped):
    with app(stopped, "slow") as screen:
        began = time.monotonic()
        screen.press("q")

        assert screen.wait_for_end() == 0
        assert time.monotonic() - began < 5.5
        assert screen.is_as_before


def test_abandoned_runs_are_named_and_not_waited_for(stopped):
    with app(stopped, "abandon") as screen:
        screen.press("q")

        assert screen.wait_for_end() == 0
        assert "did not end in time" in screen.output
        assert "never␛ends" in screen.output
        assert screen.is_as_before
        assert stopped.with_name("tidied").exists()


def test_a_crash_restores_the_terminal_and_says_why(stopped):
    with app(stopped) as screen:
        screen.press("X")

        assert screen.wait_for_end() == 1
        assert screen.is_as_before
        told = screen.output.rpartition("\x1b[?1049l")[2]
        assert "RuntimeError" in told
        assert "crashed on purpose" in told
        assert times_stopped(stopped) == 1


def test_the_size_is_asked_from_the_terminal_itself(stopped):
    with app(stopped, size=(101, 31)) as screen:
        screen.resize(67, 20)
        screen.wait_for("ready 67x20")

        for columns in range(40, 90):
            screen.resize(columns, 25)
        screen.wait_for("ready 89x25")
        screen.press("q")
        assert screen.wait_for_end() == 0


def test_suspending_goes_back_to_the_shell_and_fg_takes_the_terminal_again(stopped):
    """Also from below another process of the same job, as `make` is."""
    job = shlex.join(
        python("-c", "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))", *python(APP))
    )
    shell = ["sh", "-m", "-c", f"{job}; echo at the shell; read line; fg"]
    with PtyScreen(shell, columns=80, rows=24, environment={"STOPPED": str(stopped)}) as screen:
        screen.wait_for("ready 80x24")
        screen.press("ctrl+z")
        screen.wait_for("at the shell")
        assert screen.is_as_before

        screen.output = ""
        screen.reset()
        screen.press("enter")
        screen.wait_for("ready 80x24")
        assert not screen.is_as_before
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before


def test_bg_stops_it_again_and_fg_takes_the_terminal_all_the_same(stopped):
    job = shlex.join(python(APP))
    shell = ["sh", "-m", "-c", f"{job}; echo at the shell; read line; bg; echo behind; read line; fg"]
    with PtyScreen(shell, columns=80, rows=24, environment={"STOPPED": str(stopped)}) as screen:
        screen.wait_for("ready 80x24")
        (child,) = (pid for pid in screen.left_behind if pid != screen.process.pid)
        screen.press("ctrl+z")
        screen.wait_for("at the shell")
        screen.press("enter")
        screen.wait_for("behind")
        screen.wait_until(lambda: state_of(child) == "T", "being stopped again")
        assert screen.is_as_before

        screen.output = ""
        screen.reset()
        screen.press("enter")
        screen.wait_for("ready 80x24")
        assert not screen.is_as_before
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before


def test_where_no_shell_could_continue_it_it_is_not_suspended(stopped):
    """As in a window of its own: it would be stopped forever."""
    with app(stopped) as screen:
        screen.output = ""
        screen.press("ctrl+z")
        screen.wait_until(lambda: "\x1b[?1049h" in screen.output, "taking the terminal again")
        screen.wait_for("ready 80x24")
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before


def test_a_stop_by_another_process_is_survived(stopped):
    with app(stopped) as screen:
        screen.process.send_signal(signal.SIGSTOP)
        screen.wait_until(lambda: state_of(screen.process.pid) == "T", "stopping the process")
        screen.process.send_signal(signal.SIGCONT)
        screen.resize(70, 20)
        screen.wait_for("ready 70x20")
        screen.press("q")

        assert screen.wait_for_end() == 0
        assert screen.is_as_before


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_terminal_that_goes_away_ends_it_and_stops_the_runs(stopped):
    with app(stopped) as screen:
        began = time.monotonic()
        screen.hang_up()

        assert screen.process.wait(60) == 129
        assert time.monotonic() - began < 5.5
        assert times_stopped(stopped) == 1


def test_a_stalled_terminal_does_not_delay_the_shutdown(stopped):
    with app(stopped) as screen:
        screen.press("F")
        time_to_fill = time.monotonic() + 1.5
        while time.monotonic() < time_to_fill:
            pass  # nobody reads: the terminal fills up, and then the queue of the writer
        began = time.monotonic()
        screen.process.send_signal(signal.SIGTERM)

        assert screen.process.wait(60) == 143
        assert time.monotonic() - began < 5.5
        assert times_stopped(stopped) >= 1

        while screen.read(0.1):
            pass
        assert screen.is_as_before  # whoever reads it after all finds his shell's screen


def test_the_interpreter_changes_threads_quickly_while_the_app_runs(stopped):
    with app(stopped) as screen:
        screen.wait_for("500 us")
        screen.press("q")
        screen.wait_for("back with 0, 5000 us")
        assert screen.wait_for_end() == 0


def test_everything_that_is_written_lands_in_the_log(stopped):
    with app(stopped) as screen:
        before = screen.output
        screen.press("W")
        screen.wait_for(
            "│ written to 1",
            "│ written to 2 \\xff",
            "│ from a child",
            "│ after its input",
            "│ to the old handler",
            "│ to the old stdout",
            "│ 20%",
        )
        screen.wait_for("│ written all")
        assert "10%" not in screen.text
        assert "20%" not in screen.text
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert "\x1b[?1049h" in before


def test_a_crash_is_printed_to_stderr(stopped, tmp_path):
    errors = tmp_path / "errors"
    with (
        errors.open("wb") as file,
        PtyScreen(python(APP), environment={"STOPPED": str(stopped)}, errors=file.fileno()) as screen,
    ):
        screen.wait_for("ready 120x36")
        screen.press("X")

        assert screen.wait_for_end() == 1
    assert "crashed on purpose" in errors.read_text()
