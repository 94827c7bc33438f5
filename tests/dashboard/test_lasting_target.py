"""A file of tasks as the target, in a real terminal: it is followed, and what a person decided lasts."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from pty_screen import PtyScreen

from taskkit.remote.sockets import found_sockets

COMMAND = Path(sys.executable).with_name("taskkit-tui")

FILE = """
[tasks.ticker]
command = "echo tick"
every = "1h"

[tasks."on call"]
command = "echo here"
on_demand = true
"""


@pytest.fixture
def homes(tmp_path: Path) -> Mapping[str, str]:
    """A person's folders, for this test only."""
    return {name: str(tmp_path / name) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "tasks.toml").write_text(FILE)
    return tmp_path / "tasks.toml"


def start(file: Path, homes: Mapping[str, str], *options: str) -> PtyScreen:
    return PtyScreen([str(COMMAND), file.name, *options], folder=file.parent, environment=homes)


def test_what_is_changed_in_the_file_is_seen_and_a_broken_edit_changes_nothing(
    file: Path, homes: Mapping[str, str]
) -> None:
    with start(file, homes) as screen:
        screen.wait_for("Scheduled 1", "every 1 h", "On demand 1", "│ tick")
        file.write_text(FILE.replace("1h", "2h") + '[tasks.more]\ncommand = "true"\nevery = "1d"\n')
        screen.wait_for("every 2 h", "Scheduled 2", "Added more; changed ticker")
        file.write_text(FILE.replace("1h", "2 parsecs"))
        screen.wait_for("Nothing is changed: tasks.toml:4", "every 2 h", "⚠ tasks.toml: 1 fault")
        file.write_text(FILE.replace("1h", "2h") + '[tasks.more]\ncommand = "true"\nevery = "1d"\n')
        screen.wait_for("tasks.toml is valid again")
        screen.wait_until(lambda: "1 fault" not in screen.text, "the fault to be told no more")
        screen.press("q")
        assert screen.wait_for_end() == 0


def test_what_a_person_decided_outlives_the_process(file: Path, homes: Mapping[str, str]) -> None:
    with start(file, homes) as screen:
        screen.wait_for("Scheduled 1", "│ tick")
        screen.press("1", "-")
        screen.wait_for("30 min ≠")
        screen.press("3", "d")
        screen.wait_for("1 disabled")
        screen.press("q")
        assert screen.wait_for_end() == 0
    with start(file, homes) as screen:
        screen.wait_for("30 min ≠", "1 disabled")
        assert "│ tick" not in screen.text  # it ran a moment ago, in the life before
        screen.press("1", "=")
        screen.wait_for("every 1 h", "Put back ticker")
        assert "≠" not in screen.text
        screen.press("q")
        assert screen.wait_for_end() == 0


def wait_for_service(pid: int) -> None:
    """Wait until a process can be attached to, which is soon after its first paint."""
    deadline = time.monotonic() + 20
    while not any(each.pid == pid for each in found_sockets()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_second_dashboard_of_the_same_file_attaches_to_the_first(
    file: Path, homes: Mapping[str, str]
) -> None:
    with start(file, homes) as first:
        first.wait_for("Scheduled 1")
        wait_for_service(first.process.pid)
        with start(file, homes) as second:
            second.wait_for("Scheduled 1", f"⇄ tasks ({first.process.pid})")
            second.press("q")
            assert second.wait_for_end() == 0
            assert f"taskkit-tui: tasks (process {first.process.pid}) keeps running" in second.output
        first.press("q")
        assert first.wait_for_end() == 0


def test_a_second_dashboard_of_the_same_file_that_shall_not_attach_is_refused(
    file: Path, homes: Mapping[str, str]
) -> None:
    with start(file, homes) as first:
        first.wait_for("Scheduled 1")
        with start(file, homes, "--no-attach") as second:
            assert second.wait_for_end() == 2
            assert f"process {first.process.pid}" in second.output
            assert "use --no-state to start without it" in second.output
            assert "meanwhile: taskkit list tasks.toml, taskkit history tasks.toml\r\n" in second.output
        with start(file, homes, "--state", "other state", "--read-only") as third:
            third.wait_for("Scheduled 1")
            with start(file, homes, "--state", "other state", "--read-only") as fourth:
                assert fourth.wait_for_end() == 2
                assert "taskkit history tasks.toml --state 'other state'\r\n" in fourth.output
            third.press("q")
            assert third.wait_for_end() == 0
        with start(file, homes, "--no-state") as third:
            third.wait_for("Scheduled 1")
            third.press("q")
            assert third.wait_for_end() == 0
        first.process.send_signal(signal.SIGKILL)


def test_a_scheduler_with_a_store_of_its_own_goes_on_by_that_one(
    tmp_path: Path, homes: Mapping[str, str]
) -> None:
    (tmp_path / "lasting.py").write_text(
        "from taskkit.store import PersistentScheduler\n"
        "def make():\n"
        "    scheduler = PersistentScheduler('own.sqlite')\n"
        "    scheduler.add_periodic_task(None, 3600, lambda: print('tick'), 'ticker')\n"
        "    return scheduler\n"
    )
    command = [str(COMMAND), "lasting:make"]
    with PtyScreen(command, folder=tmp_path, environment=homes) as screen:
        screen.wait_for("Scheduled 1", "│ tick")
        screen.press("1", "-")
        screen.wait_for("30 min ≠")
        screen.press("q")
        assert screen.wait_for_end() == 0
    with PtyScreen(command, folder=tmp_path, environment=homes) as screen:
        screen.wait_for("30 min ≠")
        screen.press("q")
        assert screen.wait_for_end() == 0
    assert not list(tmp_path.joinpath("XDG_STATE_HOME").rglob("*.sqlite"))
    with PtyScreen([*command, "--state", "two.sqlite"], folder=tmp_path, environment=homes) as screen:
        assert screen.wait_for_end() == 2
        assert "saves its state itself: leave out --state" in screen.output


def test_where_no_state_can_be_kept_it_goes_on_without_and_says_so(
    file: Path, homes: Mapping[str, str]
) -> None:
    (file.parent / "a file").touch()
    with start(file, {**homes, "XDG_STATE_HOME": str(file.parent / "a file")}) as screen:
        screen.wait_for("Scheduled 1", "No state is saved")
        screen.press("q")
        assert screen.wait_for_end() == 0
    with start(file, homes, "--state", str(file.parent / "a file" / "state")) as screen:
        assert screen.wait_for_end() == 2
        assert "cannot open" in screen.output


def test_a_named_state_that_is_new_is_told_so_and_a_folder_that_is_not_there_is_not_made(
    file: Path, homes: Mapping[str, str]
) -> None:
    for told in (True, False):
        with start(file, homes, "--state", "s.db") as screen:
            screen.wait_for("Scheduled 1", *["no earlier runs"] * told)
            assert told or "no earlier runs" not in screen.text
            screen.press("q")
            assert screen.wait_for_end() == 0
    with start(file, homes, "--state", "mistyped/s.db") as screen:
        assert screen.wait_for_end() == 2
        assert "there is no folder" in screen.output
    assert not (file.parent / "mistyped").exists()


def test_everything_that_is_wrong_with_the_file_is_told_before_the_screen_changes(
    file: Path, homes: Mapping[str, str]
) -> None:
    file.write_text(FILE.replace("every", "evry").replace("on_demand", "on-demand"))
    with start(file, homes) as screen:
        assert screen.wait_for_end() == 2
        assert "did you mean every" in screen.output
        assert "did you mean on_demand" in screen.output
        assert "\x1b[?1049h" not in screen.output


def test_a_scheduler_with_a_store_of_its_own_is_shown_with_its_past(
    tmp_path: Path, homes: Mapping[str, str]
) -> None:
    (tmp_path / "lasting.py").write_text(
        "from taskkit.store import PersistentScheduler\n"
        "scheduler = PersistentScheduler('own.sqlite')\n"
        "scheduler.add_periodic_task(None, 3600, lambda: print('tick'), 'ticker')\n"
    )
    command = [str(COMMAND), "lasting:scheduler"]
    with PtyScreen(command, folder=tmp_path, environment=homes) as screen:
        screen.wait_for("Scheduled 1", "│ tick")
        with PtyScreen([*command, "--no-attach"], folder=tmp_path, environment=homes) as second:
            assert second.wait_for_end() == 2
            assert f"in use by process {screen.process.pid}" in second.output
            assert "meanwhile: taskkit list lasting:scheduler, taskkit history lasting" in second.output
            assert "\x1b[?1049h" not in second.output
        screen.press("q")
        assert screen.wait_for_end() == 0
    with PtyScreen(command, folder=tmp_path, environment=homes) as screen:
        screen.wait_for("Scheduled 1", "59:")
        assert "│ tick" not in screen.text
        screen.press("1", "enter")
        screen.wait_for("History 1")
        screen.press("q", "q")
        assert screen.wait_for_end() == 0
    assert not list((tmp_path / "XDG_STATE_HOME").rglob("*.sqlite"))
