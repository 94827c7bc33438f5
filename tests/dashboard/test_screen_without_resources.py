"""Where no thread and no descriptor is to be had, the dashboard is left in order, or goes on."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from pty_screen import PtyScreen

COMMAND = Path(sys.executable).with_name("taskkit-tui")

pytestmark = pytest.mark.skipif(
    not COMMAND.exists() or not sys.platform.startswith("linux"), reason="the command is not installed"
)

PROGRAM = dedent("""
    import os, resource, sys, threading, time
    from pathlib import Path
    from taskkit import CommandTask, Scheduler, current_run

    def waits():
        asked = os.open("asked", os.O_CREAT | os.O_WRONLY)
        while current_run().sleep(3600):
            pass
        os.write(asked, b"asked to stop")

    def without_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    def refuse(*_, **__):
        raise RuntimeError("can't start new thread")

    def without_threads():
        import _thread
        from taskkit_tui.terminal import terminal_screen
        terminal_screen.start_new_thread = _thread.start_new_thread = threading._start_new_thread = refuse
        if hasattr(threading, "_start_joinable_thread"):
            threading._start_joinable_thread = refuse

    def make(starve):
        def starves():
            starved = os.open("starved", os.O_CREAT | os.O_WRONLY)
            while not (Path("shown").exists() and Path("commanded").exists()):
                current_run().sleep(0.01)
            while "pygments.lexers.text" not in sys.modules:  # the last that the app loads
                current_run().sleep(0.01)
            starve()
            os.write(starved, b"starved")
            current_run().sleep(3600)

        scheduler = Scheduler()
        scheduler.add_timed_task(time.time() + 1, waits, "waits")
        scheduler.add_timed_task(time.time() + 1, CommandTask("touch commanded; exec sleep 1000"), "commands")
        scheduler.add_timed_task(time.time() + 1, starves, "starves")
        return scheduler

    make_without_descriptors = lambda: make(without_descriptors)
    make_without_threads = lambda: make(without_threads)
""")


@contextmanager
def starving(folder: Path, lacking: str) -> Iterator[PtyScreen]:
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    homes = {
        name: str(folder / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    }
    command = [str(COMMAND), f"program:make_without_{lacking}"]
    with PtyScreen(command, environment=homes, folder=folder) as screen:
        screen.wait_for("Running 3")
        (folder / "shown").touch()
        starved = folder / "starved"
        screen.wait_until(lambda: starved.exists() and starved.read_text() == "starved", "starving")
        yield screen


@pytest.mark.parametrize("lacking", ["descriptors", "threads"])
@pytest.mark.parametrize("way", ["q", "SIGTERM"])
def test_it_is_left_in_order(tmp_path: Path, lacking: str, way: str) -> None:
    with starving(tmp_path, lacking) as screen:
        if way == "q":
            screen.press("q")
            screen.wait_for("runs are active?")
            screen.press("y")
            status = 0
        else:
            screen.process.send_signal(signal.SIGTERM)
            status = 128 + signal.SIGTERM
        assert screen.wait_for_end() == status, screen.text
        assert screen.is_as_before
        assert "Traceback" not in screen.text
        assert screen.left_behind == []
    assert (tmp_path / "asked").read_text() == "asked to stop"


@pytest.mark.parametrize("lacking", ["descriptors", "threads"])
def test_every_screen_opens_or_says_why_not(tmp_path: Path, lacking: str) -> None:
    with starving(tmp_path, lacking) as screen:
        for key in ("?", ":", "F", "enter", "n", "D"):
            screen.press(key)
            screen.read(0.5)  # until something is painted, or nothing is
            screen.read(0.1)
            assert screen.process.poll() is None, (key, screen.text)
            screen.press("escape")
            screen.read(0.1)
        screen.process.send_signal(signal.SIGTERM)
        assert screen.wait_for_end() == 128 + signal.SIGTERM
        assert screen.is_as_before
