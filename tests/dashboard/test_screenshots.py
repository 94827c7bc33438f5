"""The pictures beside the README show the dashboard as it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from screenshots.take import HERE, VERSION_FILE, take_all

drawn_by = (HERE / VERSION_FILE).read_text(encoding="utf-8").strip()


@pytest.fixture
def utc() -> Iterator[None]:
    """Give the process back its own time zone."""
    before = os.environ.get("TZ")
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.skipif(version("textual") != drawn_by, reason=f"the pictures were drawn by Textual {drawn_by}")
def test_the_pictures_are_not_stale(tmp_path: Path, utc: None) -> None:
    """If this fails, run `make screenshots`, and look at what has changed."""
    take_all(tmp_path)

    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in HERE.iterdir() if path.suffix in {".svg", ".txt"}}
    assert sorted(kept) == sorted(fresh)
    assert [name for name in kept if kept[name] != fresh[name]] == []
