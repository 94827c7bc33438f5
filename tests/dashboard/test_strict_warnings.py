"""The dashboard of a program whose warnings are raised."""

from __future__ import annotations

import sys
from pathlib import Path

from pty_screen import PtyScreen

TARGET = """
from taskkit import Scheduler

scheduler = Scheduler()
scheduler.add_periodic_task(None, 0.2, lambda: print("tick"), "ticker")
"""


def test_opens_runs_and_leaves(tmp_path: Path) -> None:
    (tmp_path / "some_tasks.py").write_text(TARGET, encoding="utf-8")
    homes = {
        name: str(tmp_path / "home")
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    }
    strict = ["-X", "dev", "-X", "warn_default_encoding", "-bb", "-W", "error"]
    command = [
        sys.executable,
        *strict,
        "-c",
        "from taskkit_tui.cli import main; main()",
        "some_tasks:scheduler",
    ]
    with PtyScreen(command, environment=homes, folder=tmp_path) as screen:
        screen.wait_for("Scheduled 1", "ticker", "tick")
        screen.press("enter")
        screen.wait_for("History", "succeeded")
        screen.press("escape")
        screen.wait_for("Scheduled 1", "On demand")
        screen.press("q")
        status = screen.wait_for_end()
        said = screen.output.rpartition("\x1b[?1049l")[2]
    assert status == 0, said
    assert "Warning" not in said
