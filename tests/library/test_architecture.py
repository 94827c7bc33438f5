"""The page on how it is built is true: its map names the files that there are, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
(MAP,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "folder",
    [
        "taskkit",
        "taskkit/cli",
        "taskkit/engine",
        "taskkit/store",
        "taskkit/taskfile",
        "taskkit/webware",
        "taskkit_tui",
        "taskkit_tui/log",
        "taskkit_tui/screens",
        "taskkit_tui/terminal",
        "taskkit_tui/viewmodel",
        "taskkit_tui/widgets",
    ],
)
def test_the_map_names_every_file_of_a_package_and_no_other(folder: str) -> None:
    there = {
        path.name + "/" * path.is_dir()
        for path in (ROOT / folder).iterdir()
        if path.name not in {"__init__.py", "__pycache__", "py.typed"}
    }

    assert set(mapped(folder)) == there


def mapped(folder: str) -> list[str]:
    """The names that the map lists directly under `folder`: the file's name, or the folder's and a slash."""
    names: list[str] = []
    path: list[str] = []
    for line in MAP.splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        path[depth:] = [name.rstrip("/")]
        if "/".join(path[:-1]) == folder:
            names.append(name)
    return names


def test_what_the_page_names_is_in_the_code() -> None:
    prose = PAGE.partition("```text")[0]
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("taskkit", "taskkit_tui")
        for path in sorted((ROOT / package).rglob("*.py"))
    )
    named = {part for name in re.findall(r"`([A-Za-z_.]+)`", prose) for part in name.split(".")}

    assert {"Core", "perform", "Bridge", "render_line"} <= named
    assert sorted(name for name in named if not re.search(rf"\b{name}\b", code)) == []
