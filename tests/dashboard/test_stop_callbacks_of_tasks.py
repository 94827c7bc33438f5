"""A key that stops a run calls foreign code on no thread of the screen's."""

from __future__ import annotations

import sys
from pathlib import Path

from pty_screen import PtyScreen

TARGET = """
from threading import Event
from taskkit import Scheduler, current_run


def raises():
    raise SystemExit(3)


def stoppable(callback):
    def task():
        run = current_run()
        run.on_stop(callback)
        while run.sleep(60):
            pass
        print(run.name, "is over")
    return task


scheduler = Scheduler()
for name, callback in (("raises", raises), ("blocks", Event().wait)):
    scheduler.add_periodic_task(None, 3600, stoppable(callback), name)
scheduler.add_periodic_task(None, 0.5, lambda: print("tick"), "ticker")
"""


def test_the_dashboard_lives_and_its_tasks_go_on(tmp_path: Path) -> None:
    (tmp_path / "some_tasks.py").write_text(TARGET, encoding="utf-8")
    homes = {
        name: str(tmp_path / "home")
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    }
    start = "from taskkit_tui.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", start, "some_tasks:scheduler"]
    with PtyScreen(command, environment=homes, folder=tmp_path) as screen:
        screen.wait_for("Running 2")
        screen.press("2", "*", "s")
        screen.wait_for("raises is over", "blocks is over")
        screen.press("q")
        assert screen.wait_for_end() == 0
