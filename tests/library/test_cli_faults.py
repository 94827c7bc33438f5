"""`taskkit` with outputs that cannot be written, locales that lack characters, and unusable paths."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import surroundings

from taskkit.cli import main
from taskkit.targets.state_paths import state_path

Captured = pytest.CaptureFixture[str]

TASK_FILE = """
[tasks.tick]
command = "echo tick"
every = "1h"

[tasks.fail]
command = "echo oh; exit 3"
on_demand = true

[tasks.print]
run = "printing:write"
on_demand = true

[tasks.write]
run = "printing:write_bytes"
on_demand = true
"""

PROGRAM = """
import sys

def write():
    print("printed")

def write_bytes():
    sys.stdout.buffer.writelines([b"bytes", b"\\n"])
    sys.stdout.buffer.flush()
"""

RAW = """
import os
from taskkit import Scheduler

def write():
    for descriptor in (0, 1, 2):
        try:
            os.write(descriptor, b"raw")
        except OSError:
            pass

def make():
    scheduler = Scheduler()
    scheduler.add_timed_task(None, write, "once")
    return scheduler
"""

TOO_LONG = "x" * 300
"""A name that no file system accepts: even asking whether the file exists is an error."""

NO_SPACE = "taskkit: cannot write the output: No space left on device\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    (tmp_path / "tasks.toml").write_text(TASK_FILE)
    (tmp_path / "printing.py").write_text(PROGRAM)
    (tmp_path / "raw.py").write_text(RAW)
    return tmp_path


def shell(folder: Path, line: str, **environment: str) -> tuple[int, str, str]:
    """Run a line of bash in which `taskkit` is the command; return its status, output and errors."""
    done = subprocess.run(
        ["bash", "-c", f'taskkit() {{ "{sys.executable}" -m taskkit "$@"; }}; {line}'],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
        env=surroundings(folder) | environment,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("task", ["tick", "print", "write"])
def test_a_run_whose_output_is_lost_is_not_a_success(task: str, unbuffered: str, folder: Path) -> None:
    line = f"taskkit trigger -q tasks.toml {task} > /dev/full"
    assert shell(folder, line, PYTHONUNBUFFERED=unbuffered) == (1, "", NO_SPACE)


def test_the_outcome_comes_after_the_output(folder: Path) -> None:
    line = "taskkit trigger tasks.toml print 2>&1"
    assert shell(folder, line, PYTHONUNBUFFERED="")[1].startswith("printed\ntaskkit: print succeeded")


def test_a_failed_run_has_its_status_even_if_its_output_is_lost(folder: Path) -> None:
    status, _, errors = shell(folder, "taskkit trigger tasks.toml fail > /dev/full")
    assert status == 1
    assert "fail failed after" in errors
    assert "No space" not in errors


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_run_whose_reader_is_gone_has_status_141(unbuffered: str, folder: Path) -> None:
    line = "{ sleep 0.1; taskkit trigger -q tasks.toml tick; echo $? >&2; } | true"
    assert shell(folder, line, PYTHONUNBUFFERED=unbuffered)[2] == "141\n"


@pytest.mark.parametrize("option", ["--help", "--version", "run --help"])
def test_help_that_cannot_be_written_gives_no_traceback(option: str, folder: Path) -> None:
    assert shell(folder, f"taskkit {option} > /dev/full", PYTHONUNBUFFERED="") == (1, "", NO_SPACE)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("list tasks.txt", 2),
        ("list", 2),
        ("check none.toml", 2),
        ("trigger tasks.toml tick", 0),
        ("trigger tasks.toml fail", 1),
    ],
)
def test_errors_that_cannot_be_written_do_not_change_the_status(
    arguments: str, status: int, folder: Path
) -> None:
    assert shell(folder, f"taskkit {arguments} 2> /dev/full > /dev/null")[0] == status


@pytest.mark.parametrize("command", ["history", "run", "trigger"])
def test_the_help_is_shown_where_the_locale_lacks_its_characters(command: str, folder: Path) -> None:
    status, shown, errors = shell(folder, f"taskkit {command} --help", PYTHONIOENCODING="ascii")
    assert (status, errors) == (0, "")
    assert f"usage: taskkit {command}" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "tasks.toml", "--state", TOO_LONG],
        ["run", "tasks.toml", "--state", TOO_LONG],
        ["history", "--state", TOO_LONG],
        ["init", f"{TOO_LONG}.toml"],
        ["check", f"{TOO_LONG}.toml"],
    ],
)
def test_a_path_that_cannot_be_examined_is_named(arguments: list[str], capsys: Captured) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert TOO_LONG[:100] in captured.err
    assert "File name too long" in captured.err
    assert "the output" not in captured.err
    assert "Errno" not in captured.err


def test_a_state_folder_that_cannot_be_examined_is_reported(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", f"/{TOO_LONG}")

    assert main(["list", "tasks.toml"]) == 0
    captured = capsys.readouterr()
    assert "tick" in captured.out
    assert captured.err.endswith("File name too long; continuing without it\n")
    assert main(["history", "tasks.toml"]) == 2
    assert "File name too long" in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "2>&-", "<&- 2>&-"])
def test_text_for_a_closed_descriptor_ends_up_in_no_file(closed: str, folder: Path) -> None:
    line = f"taskkit run raw:make --state kept --until-idle {closed}"
    assert shell(folder, line)[0] == 0
    assert [path.name for path in folder.glob("kept*") if b"raw" in path.read_bytes()] == []
    assert "once" in shell(folder, "taskkit history --state kept")[1]


def test_an_empty_file_is_not_a_state(capsys: Captured) -> None:
    path = state_path("tasks.toml")
    path.parent.mkdir(parents=True)
    path.touch()  # as after a full disk

    assert main(["list", "tasks.toml"]) == 0
    assert capsys.readouterr().err == "taskkit: tasks.toml is not running: it has no state here\n"
    assert main(["history", "tasks.toml"]) == 2
    assert "there is no state of “tasks.toml”" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["check", ""], "FILE"),
        (["init", ""], "PATH"),
        (["list", "tasks.toml", "--state", ""], "--state"),
        (["history", "--state", ""], "--state"),
    ],
)
def test_an_empty_path_is_refused(arguments: list[str], name: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as exiting:
        main(arguments)
    assert exiting.value.code == 2
    assert f"error: argument {name}: must not be empty\n" in capsys.readouterr().err


def test_a_file_name_with_a_leading_dash_is_shown_as_one_can_type_it(capsys: Captured) -> None:
    assert main(["init", "--", "-x.toml"]) == 0
    assert "taskkit check ./-x.toml " in capsys.readouterr().out


def test_a_file_name_that_is_not_valid_text_can_be_written(folder: Path) -> None:
    status, shown, errors = shell(folder, "taskkit init $'\\xff.toml'", PYTHONIOENCODING="utf-8:strict")
    assert (status, errors) == (0, "")
    assert "Wrote \\udcff.toml." in shown
    assert os.listdir(os.fsencode(folder)).count(b"\xff.toml") == 1  # noqa: PTH208 - a name in bytes
