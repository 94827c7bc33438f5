"""Signals that would end the process stop the command in order, unless the program handles them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from textwrap import dedent

import pytest
from command_line import RunningCommand
from patience import eventually

PROGRAM = dedent("""
    import faulthandler, os, signal
    from taskkit import CommandTask, Scheduler, current_run

    def make():
        scheduler = Scheduler()
        scheduler.add_timed_task(None, CommandTask("echo command $$; exec sleep 1000"), "sleeps")
        return scheduler

    def make_handling():
        signal.signal(signal.SIGUSR1, lambda number, frame: print("handled by the program", flush=True))
        faulthandler.register(signal.SIGUSR2)  # of which Python's own table of handlers knows nothing
        return make()
""")

ENDING = [
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGALRM,
    signal.SIGXCPU,
    signal.SIGHUP,
    signal.SIGRTMIN,
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def pid_of_command(command: RunningCommand) -> int:
    command.wait_for("command ")
    return next(int(line.rsplit(maxsplit=1)[1]) for line in command.output if "command " in line)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", ENDING)
def test_it_stops_run_as_sigterm_does(folder: Path, number: signal.Signals) -> None:
    with RunningCommand(folder, "run", "program:make", "--no-state") as command:
        pid = pid_of_command(command)
        command.send(number)
        assert command.end() == 0
        eventually(lambda: not is_there(pid))
    assert any(f"stopping: {number.name}" in line for line in command.output)


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1])
def test_it_stops_a_triggered_run(folder: Path, number: signal.Signals) -> None:
    with RunningCommand(folder, "trigger", "program:make", "sleeps") as command:
        pid = pid_of_command(command)
        command.send(number)
        assert command.end() == 128 + number
        eventually(lambda: not is_there(pid))


def test_a_signal_that_the_program_handles_is_left_to_it(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:make_handling", "--no-state") as command:
        pid_of_command(command)
        command.send(signal.SIGUSR1)
        command.wait_for("handled by the program")
        command.send(signal.SIGUSR2)
        command.wait_until(lambda: any("most recent call first" in line for line in command.errors))
        assert command.process.poll() is None
        command.send(signal.SIGTERM)
        assert command.end() == 0


def test_an_ignored_signal_stays_ignored(folder: Path) -> None:
    ignoring = ("sh", "-c", 'trap "" QUIT USR1; exec "$@"', "sh")
    with RunningCommand(folder, "run", "program:make", "--no-state", around=ignoring) as command:
        pid_of_command(command)
        command.send(signal.SIGQUIT)
        command.send(signal.SIGUSR1)
        command.send(signal.SIGALRM)
        assert command.end() == 0
    assert any("stopping: SIGALRM" in line for line in command.output)
