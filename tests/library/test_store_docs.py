"""The statements of `docs/store.md` that can be tried in a line are true."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

from taskkit.engine.recent_runs import MOST_REMEMBERED
from taskkit.store import Retention, Store, history, rows, write_queue

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")


def test_its_program_runs_and_prints_its_run(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "StoredRun(id=1, name='sweep', session=1" in done.stdout
    assert (tmp_path / "state" / "tasks.db").is_file()


def test_its_figures_are_those_of_the_code() -> None:
    assert f"{write_queue.MAX_WAITING_BYTES // 2**20} MiB" in DOCS
    assert f"last {rows.OUTPUT_LINES} lines of its output, {rows.OUTPUT_WIDTH} characters of each" in DOCS
    assert f"the last {rows.TRACEBACK_LENGTH:,} of a traceback" in DOCS
    assert f"up to {MOST_REMEMBERED} of them" in DOCS
    assert f"Retention(runs_per_task={Retention().runs_per_task}, days={Retention().days:g})" in DOCS


def test_the_history_takes_what_it_says() -> None:
    (keywords,) = re.findall(r"`store\.history\((.*?)\)`", DOCS)
    for function in (Store.history, history.read_history):
        parameters = [*inspect.signature(function).parameters.values()][1:]
        told = ["name=None", "*", *(f"{each.name}={_shown(each.default)}" for each in parameters[1:])]
        assert ", ".join(told).startswith(keywords)


def _shown(default: object) -> str:
    return '""' if default == "" else repr(default)
