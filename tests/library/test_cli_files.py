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


def test_all_problems_are_reported_at_once(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text(WRONG)

    assert main(["check", "tasks.toml"]) == 1

    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert any(
        line.startswith("tasks.toml:3: tasks.a.evry") and "did you mean every?" in line for line in lines
    )
    assert any("9 parsecs" in line for line in lines)
    assert captured.err == f"taskkit: {len(lines)} problems in tasks.toml\n"


def test_problems_can_be_written_as_json(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text(WRONG)

    assert main(["check", "--json", "tasks.toml"]) == 1

    captured = capsys.readouterr()
    problem = next(each for each in map(json.loads, captured.out.splitlines()) if each["line"] == 3)
    assert (problem["file"], problem["key"], problem["suggestion"]) == ("tasks.toml", "tasks.a.evry", "every")
    assert captured.err == ""


def test_a_file_without_problems_is_reported_as_such(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text('[tasks.a]\ncommand = "date"\nevery = "1h"\n')
    assert main(["check", "tasks.toml"]) == 0
    assert capsys.readouterr().out == "tasks.toml: 1 task, no problems\n"


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
def test_a_file_that_cannot_be_read_is_status_2(path: str, words: str, capsys: Captured) -> None:
    assert main(["check", path]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"taskkit: {path}: {words}\n"

    assert main(["check", "--json", path]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["message"] == words
    assert captured.err == ""


def test_the_example_is_written_and_has_no_problems(folder: Path, capsys: Captured) -> None:
    assert main(["init"]) == 0

    assert (folder / "tasks.toml").read_text() == example_text()
    shown = capsys.readouterr().out
    assert "taskkit run tasks.toml" in shown
    assert "taskkit-tui tasks.toml" in shown
    assert main(["check", "tasks.toml"]) == 0


def test_an_existing_file_is_replaced_only_with_force(folder: Path, capsys: Captured) -> None:
    (folder / "tasks.toml").write_text("mine")

    assert main(["init"]) == 2
    assert (folder / "tasks.toml").read_text() == "mine"
    assert "exists already; --force replaces it" in capsys.readouterr().err
    assert main(["init", "--force"]) == 0
    assert (folder / "tasks.toml").read_text() == example_text()


def test_the_example_can_be_written_to_a_folder_or_another_name(folder: Path, capsys: Captured) -> None:
    (folder / "my tasks").mkdir()
    assert main(["init", "my tasks"]) == 0
    assert (folder / "my tasks" / "tasks.toml").exists()
    assert "taskkit run 'my tasks/tasks.toml'" in capsys.readouterr().out
    assert main(["init", "my tasks/other.toml"]) == 0


@pytest.mark.parametrize(
    ("path", "words"), [("tasks.txt", "does not end in .toml"), ("none/x.toml", "No such file or directory")]
)
def test_a_file_that_cannot_be_written_is_reported(path: str, words: str, capsys: Captured) -> None:
    assert main(["init", path]) == 2
    assert words in capsys.readouterr().err
