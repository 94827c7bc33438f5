"""The command stops in order when the system has no more threads or descriptors."""

from __future__ import annotations

import signal
from pathlib import Path
from textwrap import dedent

import pytest
from command_line import RunningCommand

PROGRAM = dedent("""
    import asyncio, os, resource, threading, time
    from pathlib import Path
    from taskkit import CommandTask, Scheduler, current_run

    def waits():
        Path("began").touch()
        asked = os.open("asked", os.O_CREAT | os.O_WRONLY)
        while current_run().sleep(3600):
            pass
        os.write(asked, b"asked to stop")

    async def awaits():
        Path("awaits").touch()
        await asyncio.sleep(3600)

    def stubborn():
        waits()
        time.sleep(3600)

    def without_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    def refuse(*_, **__):
        raise RuntimeError("can't start new thread")

    def without_threads():
        import _thread
        _thread.start_new_thread = threading._start_new_thread = refuse
        if hasattr(threading, "_start_joinable_thread"):
            threading._start_joinable_thread = refuse

    def make(starve, waits=waits):
        def starves():
            while not all(Path(name).exists() for name in ("began", "awaits", "commands")):
                current_run().sleep(0.01)
            starve()
            os.write(1, b"starved\\n")

        scheduler = Scheduler()
        scheduler.add_timed_task(None, waits, "waits")
        scheduler.add_timed_task(None, CommandTask("touch commands; exec sleep 1000"), "commands")
        scheduler.add_timed_task(None, awaits, "awaits")
        scheduler.add_timed_task(None, starves, "starves")
        return scheduler

    make_stubborn = lambda: make(without_threads, stubborn)
    make_without_descriptors = lambda: make(without_descriptors)
    make_without_threads = lambda: make(without_threads)
""")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("lacking", ["descriptors", "threads"])
@pytest.mark.parametrize("arguments", [(), ("--no-state",), ("--json",)])
def test_run_stops_in_order(folder: Path, lacking: str, arguments: tuple[str, ...]) -> None:
    with RunningCommand(folder, "run", f"program:make_without_{lacking}", *arguments) as command:
        command.wait_until(lambda: any("starved" in line for line in (*command.output, *command.errors)))
        command.send(signal.SIGTERM)
        assert command.end() == 0, command.errors
    assert (folder / "asked").read_text() == "asked to stop"
    assert not any("abandoned" in line for line in command.errors), command.errors
    assert not any("Traceback" in line for line in command.errors), command.errors


def test_a_run_that_does_not_stop_is_named_and_abandoned(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:make_stubborn", "--no-state", "--timeout", "0.5") as command:
        command.wait_for("starved")
        command.send(signal.SIGTERM)
        assert command.end() == 3, command.errors
    assert any("these runs did not end in time" in line for line in command.errors)
    assert any(line.strip() == "waits" for line in command.errors)
