"""What the page on how it is built names exists. Its map is generated, and `make check` keeps it current."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PROSE = PAGE.partition("## Where everything is")[0]
PACKAGES = (ROOT, ROOT / "taskkit", ROOT / "taskkit_tui")


def test_what_the_page_names_is_in_the_code() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("taskkit", "taskkit_tui")
        for path in sorted((ROOT / package).rglob("*.py"))
    )
    named = {part for name in re.findall(r"`([A-Za-z_.]+)`", PROSE) for part in name.split(".")}

    assert {"Core", "perform", "Bridge", "render_line"} <= named
    assert sorted(name for name in named if not re.search(rf"\b{name}\b", code)) == []


def test_each_file_that_the_page_names_is_there() -> None:
    files = re.findall(r"`(\w+/[\w/]+(?:\.py|/))`", PROSE)

    assert "engine/core.py" in files
    assert [file for file in files if not any((package / file).exists() for package in PACKAGES)] == []
