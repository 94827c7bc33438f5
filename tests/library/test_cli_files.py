"""`taskkit check` and `taskkit init`: task files before anything runs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from taskkit.cli import main
from taskkit.taskfile import example_text

Captured = pytest.CaptureFixture[str]

WRONG = """[tasks.a]
command = "date"
evry = "1h"

[tasks.b]
run = "no.such.module:Class"
every = "9 parsecs"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_everything_that_is_wrong_is_told_at_once(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text(WRONG)

    assert main(["check", "tasks.toml"]) == 1

    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert any(
        line.startswith("tasks.toml:3: tasks.a.evry") and "did you mean every?" in line for line in lines
    )
    assert any("9 parsecs" in line for line in lines)
    assert told.err == f"taskkit: {len(lines)} problems in tasks.toml\n"


def test_problems_are_for_programs_too(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text(WRONG)

    assert main(["check", "--json", "tasks.toml"]) == 1

    told = capsys.readouterr()
    problem = next(each for each in map(json.loads, told.out.splitlines()) if each["line"] == 3)
    assert (problem["file"], problem["key"], problem["suggestion"]) == ("tasks.toml", "tasks.a.evry", "every")
    assert told.err == ""


def test_a_file_without_faults_is_told_so(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text('[tasks.a]\ncommand = "date"\nevery = "1h"\n')
    assert main(["check", "tasks.toml"]) == 0
    assert capsys.readouterr().out == "tasks.toml: 1 task, nothing is wrong\n"


def test_modules_are_imported_only_on_request(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text('[tasks.a]\nrun = "careless:Class"\nevery = "1h"\n')
    (folder / "careless.py").write_text("print('imported')\n")

    assert main(["check", "tasks.toml"]) == 0
    assert "imported" not in capsys.readouterr().out
    assert main(["check", "--imports", "tasks.toml"]) == 1
    assert "imported" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none.toml", "there is no such file"),
        (".", "is a folder, not a file"),
        (os.devnull, "is not a regular file"),
    ],
)
def test_what_cannot_be_read_is_no_fault_of_a_file(path: str, words: str, capsys: Captured) -> None:
    assert main(["check", path]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"taskkit: {path}: {words}\n"

    assert main(["check", "--json", path]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["message"] == words
    assert told.err == ""


def test_the_example_is_written_and_nothing_is_wrong_with_it(folder: Path, capsys: Captured) -> None:
    assert main(["init"]) == 0

    assert (folder / "tasks.toml").read_text() == example_text()
    told = capsys.readouterr().out
    assert "taskkit run tasks.toml" in told
    assert "taskkit-tui tasks.toml" in told
    assert main(["check", "tasks.toml"]) == 0


def test_a_file_that_is_there_is_left_alone_unless_it_is_asked_for(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text("mine")

    assert main(["init"]) == 2
    assert (folder / "tasks.toml").read_text() == "mine"
    assert "is there already; --force replaces it" in capsys.readouterr().err
    assert main(["init", "--force"]) == 0
    assert (folder / "tasks.toml").read_text() == example_text()


def test_the_example_goes_where_one_wants_it(folder: Path, capsys: Captured) -> None:
    (folder / "my tasks").mkdir()
    assert main(["init", "my tasks"]) == 0
    assert (folder / "my tasks" / "tasks.toml").exists()
    assert "taskkit run 'my tasks/tasks.toml'" in capsys.readouterr().out
    assert main(["init", "my tasks/other.toml"]) == 0


@pytest.mark.parametrize(
    ("path", "words"), [("tasks.txt", "does not end in .toml"), ("none/x.toml", "No such file or directory")]
)
def test_what_cannot_be_written_is_told(path: str, words: str, capsys: Captured) -> None:
    assert main(["init", path]) == 2
    assert words in capsys.readouterr().err
