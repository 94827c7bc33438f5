"""Writing a file of tasks, and reading what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from taskkit import TaskSpec
from taskkit.plain_text import harmless
from taskkit.taskfile import TaskFileError, read_task_file


def write(text: str | bytes) -> Path:
    """Write `tasks.toml` in the current folder, which is a test's own."""
    path = Path("tasks.toml")
    path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
    return path


def told(path: str | os.PathLike[str]) -> list[str]:
    """All that is wrong with a file."""
    with pytest.raises(TaskFileError) as refusal:
        read_task_file(path)
    lines = [str(problem) for problem in refusal.value.problems]
    assert str(refusal.value).split("\n") == lines
    assert all(line == harmless(line) and len(line) < 600 for line in lines)
    return lines


def read_one(lines: str) -> TaskSpec:
    """The one task that has these lines."""
    (spec,) = read_task_file(write(f"[tasks.it]\n{lines}")).specs
    return spec


def wrong(lines: str) -> str:
    """The one thing that is wrong with a task of these lines."""
    (line,) = told(write(f"[tasks.it]\n{lines}"))
    return line
