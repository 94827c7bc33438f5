"""Nothing of ours warns of anything, so that a program may have its warnings raised."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from taskkit.store import PersistentScheduler

ROOT = Path(__file__).parents[2]

STRICT = ["-X", "dev", "-X", "warn_default_encoding", "-bb", "-W", "error"]

EVERYTHING = """
import asyncio, gc, sys
from pathlib import Path
from threading import Event
from taskkit import CommandTask, Scheduler, current_run
from taskkit.store import PersistentScheduler

async def nap():
    await asyncio.sleep(0)
    print("slept")

def work():
    current_run().progress(1, 2)
    print("worked")

def broken():
    raise ValueError("broken")

def stuck():
    while current_run().sleep(60):
        pass

tasks = {"nap": nap, "work": work, "broken": broken, "stuck": stuck, "command": CommandTask("echo done")}
for life in range(2):
    ended = {name: Event() for name in tasks}
    with PersistentScheduler("state.db") as scheduler:
        scheduler.subscribe(lambda event: hasattr(event, "outcome") and ended[event.name].set())
        scheduler.add_daily_task(3, 30, work, "daily", tz="Europe/Berlin")
        scheduler.add_daily_task(3, 30, work, "daily here")
        for name, task in tasks.items():
            scheduler.add_periodic_task(None, 3600, task, name, timeout=1.0 if name == "stuck" else None)
        if life:  # which is not due again
            for name in tasks:
                scheduler.run_task_now(name)
        for name, event in ended.items():
            assert event.wait(60), name
        kinds = {name: str(scheduler.handle(name).last_outcome.kind) for name in tasks}
        assert scheduler.is_running
        scheduler.describe("daily"), scheduler.snapshot(), scheduler.handle("daily").explain()
    assert kinds.pop("broken") == "failed"
    assert kinds.pop("stuck") == "timed_out"
    assert set(kinds.values()) == {"succeeded"}
gc.collect()
print("all done")
"""


def strict(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *STRICT, *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_program_runs_as_ever(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(EVERYTHING.replace("", ""), encoding="utf-8")
    done = strict(tmp_path, "program.py")
    assert done.stdout.endswith("all done\n"), done.stderr
    assert "Warning" not in done.stderr


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    found = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for folder in ("taskkit", "demo_tasks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name not in ("__main__.py", "dask_worker.py")  # Dask itself warns where that is imported
    ]
    done = strict(tmp_path, "-c", "\n".join(f"import {each}" for each in found))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "command",
    [
        "check tasks.toml",
        "trigger tasks.toml hello --state state.db",
        "list tasks.toml --state state.db",
        "next tasks.toml --state state.db",
        "history tasks.toml --state state.db",
        "init other.toml",
    ],
)
def test_each_command_does_its_work(tmp_path: Path, command: str) -> None:
    (tmp_path / "tasks.toml").write_text('[tasks.hello]\ncommand = "echo hello"\nevery = "1 h"\n', "utf-8")
    with PersistentScheduler(tmp_path / "state.db") as scheduler:
        scheduler.add_on_demand_task(lambda: None, "hello").run_now()
    done = strict(tmp_path, "-m", "taskkit", *command.split())
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_nobody_closes_leaves_no_connection_open(tmp_path: Path) -> None:
    """Python warns of that from 3.13 on, so here the connection tells it."""
    program = dedent("""
        import gc, sqlite3
        from pathlib import Path
        from taskkit.store import Store

        class Connection(sqlite3.Connection):
            left = 0

            def __init__(self, *arguments, **options):
                super().__init__(*arguments, **options)
                Connection.left += 1

            def close(self):
                super().close()
                Connection.left -= 1

        def connect(path):
            return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Connection)

        store = Store.open(Path("state.db"), connect=connect)
        assert Connection.left == 1
        del store
        gc.collect()
        assert Connection.left == 0, Connection.left
    """)
    done = strict(tmp_path, "-c", program)
    assert (done.returncode, done.stderr) == (0, "")
