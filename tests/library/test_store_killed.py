"""A program with a store may be killed at any instant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_program_killed_under_load_leaves_a_whole_file_and_loses_nothing_it_reported() -> None:
    """`make bench-store` does the same a thousand times."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kill_store", "--kills", "20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("20 kills")
