"""The pictures beside the README show the dashboard as it is."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "screenshots"

drawn_by = (PICTURES / "textual-version.txt").read_text(encoding="utf-8").strip()


@pytest.mark.skipif(version("textual") != drawn_by, reason=f"the pictures were drawn by Textual {drawn_by}")
def test_the_pictures_are_not_stale(tmp_path: Path) -> None:
    """If this fails, run `make screenshots`, and look at what has changed.

    They are taken in a process of its own, because runs are numbered throughout a process.
    """
    subprocess.run(
        [sys.executable, "-W", "error", "-m", "screenshots.take", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )

    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in PICTURES.iterdir() if path.suffix in {".svg", ".txt"}}
    assert sorted(kept) == sorted(fresh)
    assert [name for name in kept if kept[name] != fresh[name]] == []
