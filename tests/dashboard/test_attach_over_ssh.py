"""`ssh -t host taskkit-tui attach`: a terminal, and none of the variables of the session of the service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from pty_screen import PtyScreen

SHOP: Final = f"ssh{os.getpid()}"
"""A name of this process, as all processes of a user see each other's services."""

SERVICE: Final = """
import sys
from taskkit import Scheduler
from taskkit.remote import serve
with Scheduler() as scheduler, serve(scheduler, sys.argv[1], strict=True):
    scheduler.add_on_demand_task(lambda: print("done here"), "work")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def service() -> Iterator[int]:
    """Serve a scheduler as systemd would, with a runtime folder of its own. Return the process id."""
    with TemporaryDirectory(prefix="tk-") as folder:
        Path(folder).chmod(0o700)
        with subprocess.Popen(
            [sys.executable, "-c", SERVICE, SHOP],
            env=os.environ | {"RUNTIME_DIRECTORY": folder},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process.pid
            process.kill()


def test_the_dashboard_finds_the_service_without_its_variables(service: int, tmp_path: Path) -> None:
    variables = [f"PATH={os.environ['PATH']}", "TERM=xterm-256color", f"HOME={tmp_path}", "LANG=C.UTF-8"]
    command = ["env", "-i", *variables, sys.executable, "-m", "taskkit_tui", "attach", SHOP]
    with PtyScreen(command, folder=tmp_path) as screen:
        screen.wait_for(f"⇄ {SHOP} ({service})", "work")
        screen.press("3", "r")
        screen.wait_for("done here")
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert f"{SHOP} (process {service}) keeps running" in screen.output
