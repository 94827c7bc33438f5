"""How registrations stand can be looked at while another process goes on with the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskkit import Every, Recipe, Scheduler, TaskSpec
from taskkit.store import Store, StoreError, read_state
from taskkit.testing import InlineExecutor, ManualClock


def test_the_state_is_read_while_the_store_is_open(tmp_path: Path, clock: ManualClock, start: float) -> None:
    path = tmp_path / "state.sqlite"
    with (
        Store.open(path, clock=clock) as store,
        Scheduler(clock=clock, executor=InlineExecutor()) as scheduler,
    ):
        scheduler.add_periodic_task(start + 5, 10, print, "tick")
        store.attach(scheduler)
        scheduler.add_spec(TaskSpec("made", Every(60), Recipe("builtins:print")), keep=True)
        scheduler.disable_task("tick")
        scheduler.pause()
        assert store.flush(20)

        state = read_state(path)

        assert state.paused
        assert state.tasks["tick"].due == start + 5
        assert state.tasks["tick"].disabled
        assert state.tasks["made"].spec is not None
        assert scheduler.enable_task("tick")


def test_a_state_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(StoreError, match="there is no such file"):
        read_state(path)
    assert not path.exists()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_text("these are no tables, " * 100)
    with pytest.raises(StoreError, match=r"notes\.sqlite"):
        read_state(path)
