"""The table of `docs/webware.md` is complete, and what it says to write can be written."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

import taskkit
from taskkit import webware

DOCS = (Path(__file__).parents[2] / "docs" / "webware.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)
CLASSES = (webware.Scheduler, webware.TaskHandler, webware.Task)


def section(title: str) -> str:
    return DOCS.partition(f"### {title}\n")[2].partition("\n#")[0]


def public_names(kind: type) -> Iterator[str]:
    """Yield the names that the old spelling adds to `Thread` and `taskkit.Task`."""
    instance = vars(webware.Scheduler()) if kind is webware.Scheduler else {}
    for owner in kind.__mro__:
        if owner.__module__.startswith("taskkit.webware"):
            yield from vars(owner)
    yield from (name for name in instance if not hasattr(Thread(), name))


@pytest.mark.parametrize("kind", CLASSES)
def test_the_table_names_every_public_name(kind: type) -> None:
    table = section(kind.__name__)
    names = {name for name in public_names(kind) if not name.startswith("_")}

    assert len(names) > 1
    assert {name for name in names if not re.search(rf"`{name}[`(]", table)} == set()


@pytest.mark.parametrize("kind", CLASSES)
def test_each_old_name_of_the_table_is_there(kind: type) -> None:
    first_column = [row.split("|")[1] for row in section(kind.__name__).splitlines() if row.startswith("| `")]
    names = re.findall(r"`(\w+)[`(]", " ".join(first_column))

    assert {name for name in names if not hasattr(kind, name)} <= {kind.__name__}


def test_each_modern_name_of_the_table_is_there() -> None:
    told: set[str] = set()
    for kind in CLASSES:
        rows = [row.split("|") for row in section(kind.__name__).splitlines() if row.startswith("| `")]
        told |= {name for row in rows for name in re.findall(r"`(\w+)", row[2])}
    scheduler = taskkit.Scheduler()
    there = {*dir(scheduler), *dir(taskkit.TaskHandler), *dir(taskkit.Task), "Scheduler", "name"}

    assert told - there == set()


def test_a_program_in_the_old_spelling_keeps_its_state_as_the_docs_say(tmp_path: Path) -> None:
    wait = """
from time import sleep
page = scheduler.modern.handle("pages")
deadline = time() + 30
while page.last_outcome is None and time() < deadline:
    sleep(0.01)
print(page.run_count)
"""
    _, program = PROGRAMS
    for life in ("page of pages\n1\n", "1\n"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program.replace("...  # your program goes on here", wait)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout, done.stderr) == (life, "")


def test_the_imports_of_the_docs_are_ours() -> None:
    program = PROGRAMS[0]
    program += "print(Scheduler.__module__, Task.__module__, TaskHandler.__module__)"

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout == "taskkit.webware.scheduler taskkit.webware.task taskkit.webware.handler\n"
