"""The file that a person begins with."""

from __future__ import annotations

from importlib.resources import files


def example_text() -> str:
    """A commented file of tasks, which runs as it is on any POSIX machine."""
    return files("taskkit.taskfile").joinpath("example.toml").read_text(encoding="utf-8")
