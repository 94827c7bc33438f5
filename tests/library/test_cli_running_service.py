"""The commands on schedulers that other processes run: ps, trigger, stop, enable, logs and the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import RunningCommand, surroundings
from patience import PATIENCE, Gates, eventually
from served import SHOP, Raw, running_here, runtime, service, stop_process

from taskkit import Scheduler
from taskkit.cli import live_tasks
from taskkit.cli.command_line_errors import CommandLineError
from taskkit.cli.remote_trigger import trigger_there
from taskkit.cli.running_service import Service, services_meant
from taskkit.remote import serve
from taskkit.remote.discovery import running_schedulers

__all__ = ["runtime"]

TASKS = """
[tasks.hello]
command = "echo hello"
on_demand = true

[tasks.slow]
command = "echo begun; sleep 60"
on_demand = true

[tasks.bad]
command = "echo oh >&2; exit 3"
on_demand = true

[tasks.hourly]
command = "true"
every = "1h"
"""


def taskkit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taskkit", *arguments],
        cwd=folder,
        env=surroundings(folder),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def running(runtime: Path, tmp_path: Path) -> Iterator[RunningCommand]:
    """`taskkit run tasks.toml`, in a folder."""
    (tmp_path / "tasks.toml").write_text(TASKS)
    with RunningCommand(tmp_path, "run", "tasks.toml") as command:
        command.wait_for("started")
        command.wait_until(lambda: any(each.greeting for each in running_here()))
        yield command


def test_ps_lists_what_runs(running: RunningCommand, tmp_path: Path) -> None:
    found = taskkit(tmp_path, "ps", "--json")
    (tasks,) = [
        row for row in map(json.loads, found.stdout.splitlines()) if row["pid"] == running.process.pid
    ]
    assert (tasks["name"], tasks["target"], tasks["tasks"]) == ("tasks", "tasks.toml", 4)
    assert tasks["answers"] is True
    assert "tasks.toml" in taskkit(tmp_path, "ps").stdout


def test_what_a_person_does_is_done_there_and_told_in_its_own_lines(
    running: RunningCommand, tmp_path: Path
) -> None:
    pid = str(running.process.pid)
    assert taskkit(tmp_path, "disable", "tasks.toml", "hello").returncode == 0
    running.wait_for("disabled hello")
    assert "disabled" in taskkit(tmp_path, "explain", pid, "hello").stdout
    assert taskkit(tmp_path, "enable", pid, "hello").returncode == 0
    assert taskkit(tmp_path, "enable", pid, "hello").returncode == 0
    refused = taskkit(tmp_path, "stop", pid, "hello", "--abandon")
    assert refused.returncode == 1
    assert "is not running, or was not asked to stop before" in refused.stderr
    until = taskkit(tmp_path, "disable", pid, "hello", "--until", "2 days")
    assert until.returncode == 0
    assert "tasks: disabled until " in until.stderr
    running.wait_for("∥ disabled until")
    past = taskkit(tmp_path, "disable", pid, "hello", "--until", "2020-01-01")
    assert past.returncode == 2
    assert "“2020-01-01” has passed: write a future time" in past.stderr
    assert "disabled until" in taskkit(tmp_path, "list", pid).stdout
    assert "hello is not due: it is disabled until" in taskkit(tmp_path, "next", "tasks.toml", "hello").stderr
    assert taskkit(tmp_path, "period", pid, "hourly", "30").returncode == 0
    running.wait_for("period: 30 s")
    listed = taskkit(tmp_path, "list", "tasks.toml")
    assert f"tasks.toml is running: process {pid}, since " in listed.stderr
    assert listed.stderr.endswith("(asked now)\n")
    assert "every 30 s (instead of every 1 h)" in listed.stdout
    coming = taskkit(tmp_path, "next", "tasks.toml", "hourly", "--json", "-n", "2")
    first, second = map(json.loads, coming.stdout.splitlines())
    assert (first["schedule"], round(second["due"] - first["due"])) == ("every 30 s", 30)
    assert taskkit(tmp_path, "period", pid, "hello", "30").returncode == 1
    assert taskkit(tmp_path, "period", pid, "hourly", "0.0000001").returncode == 2
    assert taskkit(tmp_path, "stop", pid, "hello").returncode == 1
    assert taskkit(tmp_path, "pause", pid).returncode == 0
    running.wait_for("paused")
    assert taskkit(tmp_path, "resume", pid).returncode == 0
    unknown = taskkit(tmp_path, "stop", pid, "helo")
    assert unknown.returncode == 2
    assert "did you mean “hello”?" in unknown.stderr


def test_a_task_is_triggered_where_it_runs(running: RunningCommand, tmp_path: Path) -> None:
    good = taskkit(tmp_path, "trigger", "tasks.toml", "hello")
    assert (good.returncode, good.stdout) == (0, "hello\n")
    assert f"process {running.process.pid}" in good.stderr
    running.wait_for("▶ started on demand")
    bad = taskkit(tmp_path, "trigger", "tasks.toml", "bad")
    assert bad.returncode == 1
    assert "oh" in bad.stderr
    assert "failed after" in bad.stderr
    here = taskkit(tmp_path, "trigger", "--here", "tasks.toml", "hello")
    assert (here.returncode, here.stdout) == (0, "hello\n")
    assert sum("▶" in line for line in running.output if " hello " in line) == 1


def test_ctrl_c_ends_the_waiting_and_not_the_run(running: RunningCommand, tmp_path: Path) -> None:
    with RunningCommand(tmp_path, "trigger", "tasks.toml", "slow") as waiting:
        waiting.wait_for("begun")
        waiting.send(signal.SIGINT)
        assert waiting.end() == 130
        assert any("continues in tasks" in line for line in waiting.errors)
    assert taskkit(tmp_path, "stop", "tasks.toml", "slow").returncode == 0
    running.wait_for("■ asked to stop")
    assert taskkit(tmp_path, "trigger", "tasks.toml", "slow", "--no-wait").returncode == 0


def test_a_stopped_process_is_asked_and_nothing_runs_here(running: RunningCommand, tmp_path: Path) -> None:
    stop_process(running.process.pid)
    found = taskkit(tmp_path, "trigger", "tasks.toml", "hello")
    assert (found.returncode, found.stdout) == (4, "")
    assert "nothing was asked" in found.stderr
    listed = taskkit(tmp_path, "list", "tasks.toml")
    assert listed.returncode == 0
    assert "cannot ask tasks (process" in listed.stderr
    assert "(read from its state)" in listed.stderr
    assert "hourly" in listed.stdout
    shown = taskkit(tmp_path, "ps")
    assert shown.returncode == 0
    assert "no answer" in shown.stdout
    os.kill(running.process.pid, signal.SIGCONT)


def test_a_process_too_busy_to_answer_with_all_others_is_asked_by_itself(
    running: RunningCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [replace(each, greeting=None) for each in running_schedulers()]
    monkeypatch.setattr(live_tasks, "running_schedulers", lambda: found)
    target = str(tmp_path / "tasks.toml")
    live = live_tasks.live_tasks(Namespace(positionals=[target], state=None, no_state=False))
    assert live is not None
    assert live.process.pid == running.process.pid
    assert "hourly" in [task.name for task, _ in live.rows]


def test_without_attach_nothing_reaches_it_and_that_is_said(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(TASKS)
    with RunningCommand(tmp_path, "run", "tasks.toml", "--no-attach") as command:
        command.wait_for("started")
        assert not list(runtime.glob("taskkit/*"))
        stop = taskkit(tmp_path, "stop", "tasks.toml", "hello")
        assert stop.returncode == 2
        assert f"process {command.process.pid}, which cannot be reached" in stop.stderr
        here = taskkit(tmp_path, "trigger", "tasks.toml", "hello")
        assert (here.returncode, here.stdout) == (0, "hello\n")
        assert "cannot be reached; the task runs here" in here.stderr


def test_logs_shows_the_last_runs_and_follows(running: RunningCommand, tmp_path: Path) -> None:
    taskkit(tmp_path, "trigger", "tasks.toml", "hello")
    assert taskkit(tmp_path, "logs", "tasks.toml", "hello").stdout == "hello\n"
    assert "hello │ hello" in " ".join(taskkit(tmp_path, "logs", "tasks.toml").stdout.split())
    with RunningCommand(tmp_path, "logs", "-f", "--json", "tasks.toml") as following:
        while not following.output:
            taskkit(tmp_path, "trigger", "tasks.toml", "hello")
        assert following.events[0]["text"] == "hello"
        running.send(signal.SIGTERM)
        assert following.end() == 0
        assert following.errors == ["taskkit: tasks has ended"]


def test_where_it_can_make_no_socket_it_warns_in_a_line_and_runs(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(TASKS)
    shared = tmp_path / "shared"
    (shared / "taskkit").mkdir(parents=True, mode=0o755)
    with RunningCommand(
        tmp_path, "run", "tasks.toml", environment={"XDG_RUNTIME_DIR": str(shared)}
    ) as command:
        command.wait_for("started")
        command.wait_until(lambda: command.errors)
        (line,) = command.errors
        assert "cannot be seen by other processes" in line
        assert "chmod 700" in line


def test_a_name_that_several_have_needs_a_pid_or_all(runtime: Path, tmp_path: Path) -> None:
    with service() as one, service() as other:
        found = taskkit(tmp_path, "pause", SHOP)
        assert found.returncode == 2
        assert str(one.pid) in found.stderr
        assert str(other.pid) in found.stderr
        assert "--all" in found.stderr
        with pytest.raises(CommandLineError, match=r"by its process id \([0-9, ]+\)$"):
            services_meant(SHOP)  # as of a command that has no --all
        assert taskkit(tmp_path, "pause", "--all", SHOP).returncode == 0
        rows = [json.loads(line) for line in taskkit(tmp_path, "ps", "--json").stdout.splitlines()]
        assert [row["paused"] for row in rows if row["name"] == SHOP] == [True, True]
        assert taskkit(tmp_path, "trigger", str(one.pid), "work").stdout == "worked\n"


def test_an_unknown_scheduler_is_said_in_a_line(runtime: Path, tmp_path: Path) -> None:
    found = taskkit(tmp_path, "pause", "no such")
    assert found.returncode == 2
    assert "no scheduler “no such” runs here" in found.stderr
    assert "no process runs “other.toml”" in taskkit(tmp_path, "pause", "other.toml").stderr
    assert "leave out --no-wait" in taskkit(tmp_path, "trigger", "a.toml", "x", "--no-wait").stderr


def test_list_and_next_ask_a_scheduler_by_its_name(runtime: Path, tmp_path: Path) -> None:
    with service() as process:
        taskkit(tmp_path, "trigger", SHOP, "work")
        rows = [json.loads(line) for line in taskkit(tmp_path, "list", SHOP, "--json").stdout.splitlines()]
        assert [(row["task"], row["schedule"], row["last_outcome"]) for row in rows] == [
            ("work", "on demand", "succeeded"),
            ("hourly", "every 1 h", None),
        ]
        assert {row["pid"] for row in rows} == {process.pid}
        listed = taskkit(tmp_path, "list", SHOP)
        assert f"{SHOP} is running: process {process.pid}" in listed.stderr
        times = [json.loads(line) for line in taskkit(tmp_path, "next", SHOP, "--json").stdout.splitlines()]
        assert {row["task"] for row in times} == {"hourly"}
        assert times[1]["due"] - times[0]["due"] == 3600


def test_list_asks_the_process_of_a_target_without_a_state(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(TASKS)
    with RunningCommand(tmp_path, "run", "tasks.toml", "--no-state") as command:
        command.wait_for("✓ succeeded")
        listed = taskkit(tmp_path, "list", "tasks.toml", "--no-state", "--json")
        rows = [json.loads(line) for line in listed.stdout.splitlines()]
        assert {row["pid"] for row in rows} == {command.process.pid}


def test_where_all_places_for_watching_are_taken_a_task_is_triggered_all_the_same(
    running: RunningCommand, runtime: Path, tmp_path: Path
) -> None:
    (path,) = runtime.glob("taskkit/tasks-*.sock")
    watching = [Raw(path) for _ in range(16)]
    for each in watching:
        each.greet(watch=True)
    found = taskkit(tmp_path, "trigger", "tasks.toml", "hello")
    assert (found.returncode, found.stdout) == (0, "hello\n")
    for each in watching:
        each.__exit__()


def test_a_run_that_never_comes_is_not_waited_for(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was demanded during another run; then its task was unregistered, and the demand dropped."""
    monkeypatch.setattr("taskkit.cli.remote_trigger.LOOK_SECONDS", 0.0)
    gates, said = Gates(), list[str]()
    with Scheduler() as scheduler, serve(scheduler, SHOP, strict=True):
        scheduler.add_on_demand_task(gates, "slow")
        scheduler.demand_task("slow")
        eventually(lambda: gates.inside)
        options = Namespace(no_wait=False, quiet=True)

        def trigger() -> None:
            there = Service(running_here()[0], watch=True)
            try:
                trigger_there(there, "slow", options, lambda *_: {}, lambda _: 0)
            except CommandLineError as error:
                said.append(str(error))
            finally:
                there.client.close()

        thread = threading.Thread(target=trigger, daemon=True)
        thread.start()
        eventually(lambda: next(each for each in scheduler.snapshot().tasks if each.name == "slow").again)
        scheduler.unregister_task("slow")
        eventually(lambda: said)
        gates.open()
    thread.join(PATIENCE)
    assert said == ["“slow” was unregistered or replaced before this run began"]
