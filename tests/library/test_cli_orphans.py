"""As PID 1 or a child subreaper, `taskkit` reaps orphans and leaves the children of tasks to them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from command_line import RunningCommand
from patience import eventually

BECOME_SUBREAPER = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""

PROGRAM = dedent("""
    import os, signal, subprocess, time
    from taskkit import CommandTask, Scheduler, current_run

    def makes_orphans():
        # Each is a shell whose child outlives it.
        for _ in range(5):
            subprocess.run(["sh", "-c", "(sleep 0.05; exit 3) &"], check=True)
        waited = subprocess.Popen(["sh", "-c", "exit 7"])
        forked = os.fork()
        if not forked:
            os._exit(9)
        time.sleep(0.5)  # both are zombies by now, and nobody else takes their statuses
        print("popen", waited.wait(), "fork", os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]))

    def ends():
        print("at work", flush=True)
        while current_run().sleep(0.1):
            pass
        print("asked to stop")

    def make_one():
        scheduler = Scheduler()
        scheduler.add_timed_task(None, ends, "ends")
        return scheduler

    def make():
        scheduler = Scheduler()
        scheduler.add_timed_task(None, makes_orphans, "orphans")
        scheduler.add_timed_task(None, ends, "ends")
        scheduler.add_timed_task(None, CommandTask("exec sleep 1000"), "sleeps")
        return scheduler
""")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def around(kind: str) -> tuple[str, ...]:
    """Return the command that makes its child PID 1, or a subreaper."""
    if not sys.platform.startswith("linux"):
        pytest.skip("there are subreapers and process namespaces on Linux only")
    if kind == "subreaper":
        return (sys.executable, "-c", BECOME_SUBREAPER)
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare here, which makes a process PID 1")
    words = (unshare, "--pid", "--fork", "--mount-proc", "--kill-child")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no process may be made PID 1 here")
    return words


def children_of(pid: int) -> list[int]:
    """Return the child processes of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
        except (OSError, IndexError):
            continue
        if entry.name.isdigit() and parent == str(pid):
            found.append(int(entry.name))
    return found


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def first_process(command: RunningCommand, kind: str) -> int:
    """Return the pid, seen from outside, of the process that is PID 1 inside, or of the subreaper."""
    if kind == "subreaper":
        return command.process.pid
    (pid,) = children_of(command.process.pid)
    return pid


@pytest.mark.parametrize("kind", ["PID 1", "subreaper"])
def test_orphans_are_reaped_and_tasks_get_the_statuses_of_their_children(folder: Path, kind: str) -> None:
    with RunningCommand(folder, "run", "program:make", "--no-state", around=around(kind)) as command:
        command.wait_for("popen 7 fork 9")
        command.wait_for("at work")
        first = first_process(command, kind)
        eventually(lambda: not [pid for pid in children_of(first) if state_of(pid) == "Z"])
        (inner,) = [pid for pid in children_of(first) if state_of(pid) != "Z"]
        assert len(children_of(inner)) == 1  # its command, and none of the orphans
        os.kill(first, signal.SIGTERM)
        assert command.end() == 0
    assert any("asked to stop" in line for line in command.output)
    assert any("stopping: SIGTERM" in line for line in command.output)
    assert not command.errors


@pytest.mark.parametrize("kind", ["PID 1", "subreaper"])
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_is_forwarded(folder: Path, kind: str, number: signal.Signals) -> None:
    with RunningCommand(folder, "run", "program:make", "--no-state", around=around(kind)) as command:
        command.wait_for("at work")
        os.kill(first_process(command, kind), number)
        assert command.end() == 0
    assert any(f"stopping: {number.name}" in line for line in command.output)


def test_the_status_is_that_of_the_command(folder: Path) -> None:
    as_subreaper = around("subreaper")
    with RunningCommand(folder, "run", "program:nothing", "--no-state", around=as_subreaper) as command:
        assert command.end() == 2
    with RunningCommand(folder, "trigger", "program:make", "ends", around=as_subreaper) as command:
        command.wait_for("at work")
        command.send(signal.SIGTERM)
        assert command.end() == 128 + signal.SIGTERM
    with RunningCommand(folder, "run", "program:make_one", "--no-state", around=as_subreaper) as command:
        command.wait_for("at work")
        (inner,) = children_of(command.process.pid)
        os.kill(inner, signal.SIGKILL)
        assert command.end() == 128 + signal.SIGKILL


def test_the_command_stops_if_the_process_that_reaps_is_killed(folder: Path) -> None:
    as_subreaper = around("subreaper")
    with RunningCommand(folder, "run", "program:make_one", "--no-state", around=as_subreaper) as command:
        command.wait_for("at work")
        (inner,) = children_of(command.process.pid)
        command.send(signal.SIGKILL)
        command.wait_for("stopping: SIGTERM")
        eventually(lambda: state_of(inner) in ("", "Z"))
