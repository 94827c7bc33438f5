"""The state of a target: the process that uses it, its path, and whether it can be trusted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import RunningCommand, surroundings
from patience import PATIENCE, eventually

from taskkit import OnDemand, Recipe, Scheduler, TaskSpec
from taskkit.store import Store, lock_file, read_state

TASKS = """
[tasks.sweep]
command = "echo swept"
every = "6h"
"""

PROGRAM = """
from taskkit import Scheduler
from taskkit.store import PersistentScheduler

def work():
    print("swept")

def make():
    scheduler = Scheduler()
    scheduler.add_periodic_task(None, 6 * 3600, work, "sweep")
    return scheduler

def lasting():
    scheduler = PersistentScheduler("own.sqlite")
    scheduler.add_periodic_task(None, 6 * 3600, work, "sweep")
    return scheduler
"""

TARGETS = ["tasks.toml", "program:make", "program:lasting"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tasks.toml").write_text(TASKS)
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def taskkit(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taskkit", *arguments],
        cwd=folder,
        env=surroundings(folder) | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def listed(folder: Path, *arguments: str) -> dict[str, object]:
    (line,) = taskkit(folder, "list", "--json", *arguments).stdout.splitlines()
    found: dict[str, object] = json.loads(line)
    return found


# The process


@pytest.mark.parametrize("target", TARGETS)
def test_list_reports_whether_a_process_is_running_the_target(folder: Path, target: str) -> None:
    never = taskkit(folder, "list", "--alive", target)
    assert never.returncode == 1
    assert f"{target} is not running: it has no state here" in never.stderr
    assert listed(folder, target)["running"] is False

    with RunningCommand(folder, "run", target) as command:
        command.wait_for("swept")
        alive = taskkit(folder, "list", "--alive", target)
        assert alive.returncode == 0, alive.stderr
        assert f"{target} is running: process {command.process.pid}, since " in alive.stderr
        eventually(lambda: not taskkit(folder, "list", "--failing", target).returncode)
        assert f"{target} is running: process" in taskkit(folder, "list", "--failing", target).stderr
        assert taskkit(folder, "next", target).stderr == ""
        json_listed = listed(folder, target)
        assert (json_listed["running"], json_listed["pid"]) == (True, command.process.pid)
        command.send(signal.SIGKILL)
        command.end()

    killed = taskkit(folder, "list", "--alive", target)
    assert killed.returncode == 1
    pid = command.process.pid
    words = f"{target} is not running: process {pid} ended without stopping, and was last seen at "
    assert words in killed.stderr
    assert words in taskkit(folder, "next", target).stderr
    failing = taskkit(folder, "list", "--failing", target)
    assert (failing.returncode, failing.stdout) == (0, "")
    assert " fails\n" in failing.stderr
    assert words in failing.stderr
    json_listed = listed(folder, target)
    assert (json_listed["running"], json_listed["pid"]) == (False, None)
    assert isinstance(json_listed["last_seen"], float)

    with RunningCommand(folder, "run", target) as command:
        command.wait_for("started" if target == "program:lasting" else "state in")
        eventually(lambda: listed(folder, target)["running"])
        command.send(signal.SIGTERM)
        assert command.end() == 0
    stopped = taskkit(folder, "list", "--alive", target)
    assert stopped.returncode == 1
    assert f"{target} is not running: it was stopped at " in stopped.stderr


def test_failing_and_alive_can_be_combined(folder: Path) -> None:
    Store.open(folder / "s.sqlite").close()
    asked = taskkit(folder, "list", "--failing", "--alive", "--state", "s.sqlite", "tasks.toml")
    assert asked.returncode == 1
    assert " fails\n" in asked.stderr
    with Store.open(folder / "s.sqlite"):
        asked = taskkit(folder, "list", "--failing", "--alive", "--state", "s.sqlite", "tasks.toml")
        assert asked.returncode == 0


def test_alive_needs_the_state(folder: Path) -> None:
    asked = taskkit(folder, "list", "--alive", "--no-state", "tasks.toml")
    assert (asked.returncode, asked.stderr) == (
        2,
        "taskkit: --alive needs the state: leave out --no-state\n",
    )
    with RunningCommand(folder, "run", "tasks.toml") as command:
        command.wait_for("swept")
        command.send(signal.SIGTERM)
        command.end()
    (kept,) = (folder / "state-home" / "taskkit").glob("*.sqlite")
    kept.write_text("broken" * 100)
    assert taskkit(folder, "list", "tasks.toml").returncode == 0
    assert taskkit(folder, "list", "--alive", "tasks.toml").returncode == 2


def test_a_state_names_the_process_that_has_it_open(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store.open(path) as store:
        process = read_state(path).process
        assert (process.running, process.pid, process.stopped) == (True, os.getpid(), None)
        assert process.since == process.last_seen
        Path(f"{path}.lock").unlink()
        assert read_state(path).process.running or lock_file._SET_CLAIM is None
        assert store.is_new
    process = read_state(path).process
    assert (process.running, process.pid) == (False, os.getpid())
    assert process.stopped == process.last_seen
    with Store.open(path) as store:
        assert not store.is_new
        assert read_state(path).process.stopped is None


# The path


def switch(folder: Path, number: int) -> None:
    made = folder / "releases" / str(number)
    made.mkdir(parents=True)
    (made / "tasks.toml").write_text(TASKS)
    (folder / "new").symlink_to(f"releases/{number}")
    (folder / "new").rename(folder / "current")


def test_a_second_process_is_refused_even_if_the_link_has_been_switched(folder: Path) -> None:
    switch(folder, 1)
    with RunningCommand(folder, "run", "current/tasks.toml") as first:
        first.wait_for("swept")
        switch(folder, 2)
        second = taskkit(folder, "run", "current/tasks.toml")
        assert second.returncode == 2
        assert f"is in use by process {first.process.pid}" in second.stderr
        assert "sweep" in taskkit(folder, "history", "current/tasks.toml").stdout
        first.send(signal.SIGTERM)
        assert first.end() == 0
    with RunningCommand(folder, "run", "current/tasks.toml", "--json") as third:
        third.wait_for("scheduler_started")
        third.send(signal.SIGTERM)
        third.end()
    assert "run_started" not in [event["event"] for event in third.events]  # it is due in six hours


def test_a_state_for_the_path_without_links_is_named_and_read(folder: Path) -> None:
    switch(folder, 1)
    with RunningCommand(folder, "run", "releases/1/tasks.toml") as command:
        command.wait_for("swept")
        command.send(signal.SIGTERM)
        command.end()
    (kept,) = (folder / "state-home" / "taskkit").glob("*.sqlite")

    looked = taskkit(folder, "history", "current/tasks.toml")
    assert "sweep" in looked.stdout
    assert f"showing the one for the path without symbolic links, {kept}" in looked.stderr
    with RunningCommand(folder, "run", "current/tasks.toml") as command:
        command.wait_for("swept")
        command.send(signal.SIGTERM)
        command.end()
    assert " is new: no earlier runs are recorded for this path" in command.errors[0]
    assert command.errors[0].endswith(f"--state {kept}")
    assert taskkit(folder, "history", "current/tasks.toml").stderr == ""


def test_a_named_state_that_is_new_is_reported_and_no_folder_is_created(folder: Path) -> None:
    for _ in range(2):
        refused = taskkit(folder, "run", "tasks.toml", "--state", "mistyped/deep/s.sqlite")
        assert refused.returncode == 2
        assert "cannot open mistyped/deep/s.sqlite: there is no folder " in refused.stderr
        assert f"mkdir -p {folder / 'mistyped' / 'deep'}" in refused.stderr
        assert not (folder / "mistyped").exists()

    for errors in ([f"taskkit: {folder / 's.sqlite'} is new: no earlier runs are recorded"], []):
        with RunningCommand(folder, "run", "tasks.toml", "--state", "s.sqlite") as command:
            command.wait_for("state in")
            command.send(signal.SIGTERM)
            assert command.end() == 0
        assert command.errors == errors


def test_the_default_state_folder_is_private_to_its_user(folder: Path) -> None:
    kept = folder / "state-home" / "taskkit"
    kept.mkdir(parents=True)
    kept.chmod(0o755)
    with RunningCommand(folder, "run", "tasks.toml") as command:
        command.wait_for("swept")
        assert {each.stat().st_mode & 0o777 for each in kept.iterdir()} == {0o600}
        assert kept.stat().st_mode & 0o777 == 0o700
        command.send(signal.SIGTERM)
        command.end()


# Trust


def plant(path: Path) -> None:
    """Create a state, writable by others, with a task that creates a file."""
    with Store.open(path) as store:
        scheduler = Scheduler()
        store.attach(scheduler)
        scheduler.start()
        scheduler.pause()
        scheduler.add_spec(
            TaskSpec("planted", OnDemand(), Recipe("os:system", {"command": "touch ran"})), persist=True
        )
        assert store.flush(PATIENCE)
        scheduler.stop()
    path.chmod(0o666)


def test_a_state_that_others_can_write_to_is_read_but_nothing_in_it_runs(folder: Path) -> None:
    plant(folder / "s.sqlite")
    for arguments in (["run", "tasks.toml"], ["trigger", "tasks.toml", "planted"]):
        refused = taskkit(folder, *arguments, "--state", "s.sqlite")
        assert refused.returncode == 2
        assert "others may write to" in refused.stderr
        assert "chmod 600" in refused.stderr
    assert "planted" in taskkit(folder, "list", "tasks.toml", "--state", "s.sqlite").stdout
    assert taskkit(folder, "history", "--state", "s.sqlite").returncode == 0
    assert not (folder / "ran").exists()
    assert taskkit(folder, "trigger", "tasks.toml", "sweep", "--state", "s.sqlite").returncode == 0
