"""A scheduler on a manual clock, without a thread, and what it tells."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from recorder import Events

from taskkit import Outcome, Scheduler
from taskkit.testing import InlineExecutor, ManualClock

START: Final = 1_800_000_000.0
"""Epoch seconds when each test begins: 2027-01-15 08:00 UTC. The steady clock begins at 0."""


@pytest.fixture
def start() -> float:
    return START


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def scheduler(clock: ManualClock) -> Iterator[Scheduler]:
    """Started, with runs on the calling thread. What a task asserts counts as if the test had."""
    broken: list[str] = []

    def note(outcome: Outcome) -> None:
        if outcome.exception is not None and outcome.exception.startswith(("AssertionError", "assert ")):
            broken.append(outcome.traceback or outcome.exception)

    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False, on_error=note) as scheduler:
        yield scheduler
    assert not broken, broken[0]


@pytest.fixture
def events(scheduler: Scheduler) -> Events:
    return Events(scheduler.subscribe)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own_imports(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules in the test's own folder are forgotten afterwards, and that they can be imported from there."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(f"{own_folder}/"):
            del sys.modules[name]
