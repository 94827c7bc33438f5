"""The reference of the file of tasks is true: it has each key and no other, and its examples can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from task_files import problem_lines, write

from taskkit.taskfile import read_task_file
from taskkit.taskfile.reader import FILE_KEYS, TASK_KEYS

pytestmark = pytest.mark.usefixtures("own_folder")

TEXT = (Path(__file__).parents[2] / "docs" / "tasks-file.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \|.*\| `(.+?)` \|$", TEXT, re.MULTILINE)
EXAMPLE, *_ = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
(FAULTS,) = re.findall(r"^```text\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_every_key_has_a_row_and_no_other_has() -> None:
    assert {key for key, _ in ROWS} == {*TASK_KEYS, *FILE_KEYS} - {"tasks"}


@pytest.mark.parametrize(("key", "line"), ROWS)
def test_the_example_of_each_key_can_be_read(key: str, line: str) -> None:
    lines = ["[tasks.it]", line] if key in TASK_KEYS else [line, "[tasks.it]"]
    if key not in ("run", "command"):
        lines.append('run = "a:b"' if key == "args" else 'command = "true"')
    if key not in ("every", "daily", "cron", "at", "after", "on_demand"):
        lines.append({"fixed_delay": 'every = "1h"', "on": 'after = "b"'}.get(key, 'daily = "03:30"'))
    assert line.startswith(f"{key} = ")
    assert len(read_task_file(write("\n".join(lines))).specs) == 1


def test_the_example_at_the_beginning_can_be_read() -> None:
    assert [spec.name for spec in read_task_file(write(EXAMPLE)).specs] == ["backup", "tidy up"]


def test_the_faults_are_reported_as_it_says() -> None:
    lines = ["[tasks.backup]", 'command = "true"', 'every = "90 parsecs"', "retires = 3"]
    assert problem_lines(write("\n".join(lines))) == FAULTS.splitlines()
