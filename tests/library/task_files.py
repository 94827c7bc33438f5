"""Writing a file of tasks, reading what is wrong with it, and a task that notes what becomes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from taskkit import Task, TaskSpec, current_run
from taskkit.taskfile import TaskFileError, read_task_file
from taskkit.words.plain_text import harmless

HERE = __name__
RAN: list[str] = []
"""The words of the runs; the names of those without one."""
MADE: list[str] = []
STEPS: dict[str, Callable[[], object]] = {}


class Note(Task):
    """Notes that it was made, and that it ran; does in its run what a test wants."""

    def __init__(self, word: str = "") -> None:
        MADE.append(word)
        self.word = word

    def run(self) -> None:
        RAN.append(self.word or current_run().name)
        STEPS.pop(self.word, lambda: None)()


def write(text: str | bytes) -> Path:
    """Write `tasks.toml` in the current folder, which is a test's own; all at once, as editors do."""
    path, unfinished = Path("tasks.toml"), Path("tasks.toml~")
    unfinished.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
    return unfinished.replace(path)


def problem_lines(path: str | os.PathLike[str]) -> list[str]:
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
    (line,) = problem_lines(write(f"[tasks.it]\n{lines}"))
    return line


def tasks(*each: str) -> Path:
    """Write tasks that note, a line of keys for each: the first word is the name."""
    lines = [
        f'{name} = {{ run = "{HERE}:Note", {rest} }}'
        for name, _, rest in (one.partition(" ") for one in each)
    ]
    return write("\n".join(["[tasks]", *lines]))
