"""The state in a store can be read while another process uses the store."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fcntl import LOCK_SH, flock
from pathlib import Path

import pytest
from patience import eventually

from taskkit import Every, OutcomeKind, Recipe, Scheduler, Task, TaskSpec, Trigger
from taskkit.store import SavedState, Store, StoreError, lock_file, read_state
from taskkit.testing import InlineExecutor, ManualClock


def test_the_state_is_read_while_the_store_is_open(tmp_path: Path, clock: ManualClock, start: float) -> None:
    path = tmp_path / "state.sqlite"
    with (
        Store.open(path, clock=clock) as store,
        Scheduler(clock=clock, executor=InlineExecutor()) as scheduler,
    ):
        scheduler.add_periodic_task(start + 5, 10, print, "tick")
        store.attach(scheduler)
        scheduler.add_spec(TaskSpec("made", Every(60), Recipe("builtins:print")), persist=True)
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


class FailsTheSecondTime(Task):
    """And is looked at while its third run goes on."""

    def __init__(self, look: Callable[[], object]) -> None:
        self.runs = 0
        self.look = look

    def run(self) -> None:
        self.runs += 1
        if self.runs == 2:
            raise RuntimeError("no luck")
        if self.runs == 3:
            self.look()


def test_what_runs_and_how_the_last_runs_ended_is_seen_while_the_store_is_open(
    tmp_path: Path, clock: ManualClock, start: float
) -> None:
    path, left = tmp_path / "state.sqlite", tmp_path / "left.sqlite"
    seen: list[SavedState] = []

    def look() -> None:
        eventually(lambda: "busy" in read_state(path).running)
        seen.append(read_state(path))
        for ending in ("", "-wal"):  # as if the process had been killed now
            shutil.copy(f"{path}{ending}", f"{left}{ending}")

    with (
        Store.open(path, clock=clock) as store,
        Scheduler(clock=clock, executor=InlineExecutor()) as scheduler,
    ):
        store.attach(scheduler)
        scheduler.add_periodic_task(start + 10, 10, FailsTheSecondTime(look), "busy", retries=1)
        scheduler.add_on_demand_task(print, "never")
        scheduler.start()
        clock.advance(60)
        assert store.flush(20)
        ended = read_state(path)

    (state,) = seen
    run = state.running["busy"]
    assert (run.started, run.attempt, run.trigger) == (start + 21, 2, Trigger.RETRY)
    assert state.last_runs.keys() == {"busy"}
    last = state.last_runs["busy"]
    assert (last.kind, last.finished, last.exception) == (
        OutcomeKind.FAILED,
        start + 20,
        "RuntimeError: no luck",
    )
    assert (last.traceback, last.output) == (None, ())
    assert ended.running == {}
    assert ended.last_runs["busy"].kind is OutcomeKind.SUCCEEDED

    state = read_state(left)
    assert state.running == {}
    last = state.last_runs["busy"]
    assert (last.kind, last.started, last.finished, last.attempt) == (
        OutcomeKind.INTERRUPTED,
        start + 21,
        start + 21,
        2,
    )


def test_testing_whether_a_store_is_open_does_not_prevent_its_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.sqlite"
    Store.open(path).close()
    with Path(f"{path}.lock").open() as looked_at:
        flock(looked_at, LOCK_SH)
        monkeypatch.setattr(lock_file, "sleep", lambda _: looked_at.close())
        Store.open(path).close()
