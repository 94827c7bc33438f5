"""The command ends as usual when a task has replaced, closed or deleted `sys.stdout` and `sys.stderr`."""

from __future__ import annotations

import signal
from pathlib import Path
from textwrap import dedent

import pytest
from command_line import RunningCommand

PROGRAM = dedent("""
    import io, sys
    from taskkit import Scheduler

    class Raising:
        encoding, closed = "utf-8", False

        def write(self, text):
            raise RuntimeError("no more of that")

        def flush(self):
            raise RuntimeError("nor of that")

    class Exiting(Raising):
        def flush(self):
            raise SystemExit(5)

    class WithoutFlush:
        def write(self, text):
            return len(text)

    def closed():
        stream = io.StringIO()
        stream.close()
        return stream

    def none(name):
        setattr(sys, name, None)

    def raising(name):
        setattr(sys, name, Raising())

    def exiting(name):
        setattr(sys, name, Exiting())

    def without_flush(name):
        setattr(sys, name, WithoutFlush())

    def no_stream(name):
        setattr(sys, name, object())

    def closed_one(name):
        setattr(sys, name, closed())

    def deleted(name):
        delattr(sys, name)

    def own_closed(name):
        getattr(sys, f"__{name}__").close()

    def own_detached(name):
        getattr(sys, f"__{name}__").detach()

    def make(how):
        def task():
            print("before", flush=True)
            for name in ("stdout", "stderr"):
                how(name)

        scheduler = Scheduler()
        scheduler.add_timed_task(None, task, "task")
        return scheduler

    make_none = lambda: make(none)
    make_raising = lambda: make(raising)
    make_exiting = lambda: make(exiting)
    make_without_flush = lambda: make(without_flush)
    make_no_stream = lambda: make(no_stream)
    make_closed = lambda: make(closed_one)
    make_deleted = lambda: make(deleted)
    make_own_closed = lambda: make(own_closed)
    make_own_detached = lambda: make(own_detached)
""")

LEFT = [
    "none",
    "raising",
    "exiting",
    "without_flush",
    "no_stream",
    "closed",
    "deleted",
    "own_closed",
    "own_detached",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("left", LEFT)
def test_run_exits_with_0(folder: Path, left: str) -> None:
    arguments = ("run", f"program:make_{left}", "--no-state", "--until-idle")
    with RunningCommand(folder, *arguments) as command:
        assert command.end() == 0, command.errors
    assert any("before" in line for line in command.output)
    assert any("stopping: nothing is scheduled" in line for line in command.output)
    assert not command.errors


@pytest.mark.parametrize("left", LEFT)
def test_trigger_exits_with_0_and_reports_the_outcome(folder: Path, left: str) -> None:
    with RunningCommand(folder, "trigger", f"program:make_{left}", "task") as command:
        assert command.end() == 0, command.errors
    assert command.output == ["before"]
    if not left.startswith("own"):
        assert any("task succeeded after" in line for line in command.errors)
    assert not any("Traceback" in line or "Exception ignored" in line for line in command.errors)


def test_a_signal_still_stops_it(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:make_none", "--no-state") as command:
        command.wait_for("before")
        command.send(signal.SIGTERM)
        assert command.end() == 0
    assert not command.errors
