"""The details over a real store: an earlier life is shown and searched, with the run that was cut off."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_backend import NOW, screen_text
from idle import eventually

from taskkit import OutcomeKind, Scheduler, SkipReason
from taskkit.store import PersistentScheduler, Store, StoredRun
from taskkit.testing import InlineExecutor, ManualClock
from taskkit.words.times import exact_time
from taskkit_tui.app import TaskkitApp
from taskkit_tui.bridge import Bridge
from taskkit_tui.messages import ShowDetails

PERIOD = 600


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """What a process leaves that is killed in the midst of its fortieth run; the third one failed."""
    clock = ManualClock(NOW)
    path = tmp_path / "tasks.db"
    left = tmp_path / "left.db"

    def work() -> None:
        number = scheduler.handle("feed").run_count  # type: ignore[union-attr]
        if number == 3:
            raise ValueError("a needle in the third run")
        if number == 40:
            assert scheduler.store.flush(20)
            for ending in ("", "-wal"):
                shutil.copy(f"{path}{ending}", f"{left}{ending}")

    scheduler = PersistentScheduler(path, clock=clock, executor=InlineExecutor(), capture=False)
    with scheduler:
        scheduler.add_periodic_task(None, PERIOD, work, "feed")
        clock.advance(40 * PERIOD)
    return left


@pytest.fixture
def failed_twice(tmp_path: Path) -> Path:
    """What a process leaves whose task failed in two runs, each in its own way, and then went well."""
    clock = ManualClock(NOW)
    path = tmp_path / "twice.db"

    def work() -> None:
        number = handle.run_count
        print(f"in run {number}")
        if number < 3:
            raise ValueError(f"the needle of run {number}")

    scheduler = PersistentScheduler(path, clock=clock, executor=InlineExecutor())
    with scheduler:
        handle = scheduler.add_periodic_task(None, PERIOD, work, "feed")
        clock.advance(2 * PERIOD)
    return path


@pytest.fixture
def clock() -> ManualClock:
    """That of the next life, a day later."""
    return ManualClock(NOW + 86_400)


@pytest.fixture
def bridge(left_behind: Path, clock: ManualClock) -> Iterator[Bridge]:
    """The next life."""
    scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
    scheduler.add_periodic_task(None, PERIOD, lambda: None, "feed")
    bridge = Bridge(scheduler, store=Store.open(left_behind, clock=clock))
    yield bridge
    bridge.close(5)


async def test_the_details_show_and_search_earlier_sessions(bridge: Bridge, clock: ManualClock) -> None:
    app = TaskkitApp(bridge)
    async with app.run_test(size=(120, 50)) as pilot:

        def text() -> str:
            return "\n".join(screen_text(app))

        await eventually(pilot, lambda: "feed" in text())
        clock.advance(0)
        app.post_message(ShowDetails("feed"))
        await eventually(pilot, lambda: "History 42 " in text())  # what was missed, and a late run
        await eventually(pilot, lambda: "─ restarted before" in text())
        assert "⊘" in text()
        assert "interrupted  last seen" in text()
        await pilot.press("end")
        await eventually(pilot, lambda: exact_time(NOW) in text())
        await pilot.press("slash", *"needle", "enter")
        await eventually(pilot, lambda: "raise ValueError" in text())
        await pilot.press("slash", "ctrl+u", *"interrupted", "enter")
        await eventually(pilot, lambda: "History 1 of" in text() and "⊘" in text())


async def test_each_failure_from_before_a_restart_has_its_own_traceback_and_output(
    failed_twice: Path, clock: ManualClock
) -> None:
    scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
    scheduler.add_periodic_task(NOW + 2 * 86_400, PERIOD, lambda: None, "feed")
    bridge = Bridge(scheduler, store=Store.open(failed_twice, clock=clock))
    app = TaskkitApp(bridge)
    try:
        async with app.run_test(size=(120, 60)) as pilot:

            def text() -> str:
                return "\n".join(screen_text(app))

            await eventually(pilot, lambda: "feed" in text())
            app.post_message(ShowDetails("feed"))
            await eventually(pilot, lambda: "in run 3" in text())
            for number in (2, 1):
                await pilot.press("down")
                await eventually(pilot, lambda: f"in run {number}" in text())  # noqa: B023  awaited at once
                assert f"ValueError: the needle of run {number}" in text()
                assert "raise ValueError" in text()
                assert "last traceback" not in text()
                assert "No output." not in text()
    finally:
        bridge.close(5)


def test_the_bridge_looks_into_the_store_by_text_kind_and_page(bridge: Bridge) -> None:
    bridge.open()
    runs = [each for each in bridge.earlier("feed", limit=100) if isinstance(each, StoredRun)]
    assert runs[0].outcome.kind is OutcomeKind.INTERRUPTED
    assert len(runs) == 40
    assert [each.id for each in bridge.earlier("feed", limit=2, before=runs[3].id)] == [
        each.id for each in runs[4:6]
    ]
    (third,) = bridge.earlier("feed", limit=9, search="needle")
    assert third.id == runs[-3].id
    assert bridge.earlier("feed", limit=9, kinds=[OutcomeKind.FAILED]) == (third,)
    assert bridge.earlier("feed", limit=9, kinds=[SkipReason.PAUSED]) == ()
    assert bridge.earlier("another", limit=9) == ()
    assert bridge.trouble is None


def test_without_a_store_there_is_no_past_and_no_trouble() -> None:
    bridge = Bridge(Scheduler())
    assert bridge.earlier("feed", limit=9) == ()
    assert bridge.trouble is None


def test_an_unreadable_store_is_reported_once(
    left_behind: Path, bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    left_behind.rename(left_behind.with_name("elsewhere"))
    for _ in range(3):
        assert bridge.earlier("feed", limit=9) == ()
    assert sum("there is no such file" in message for message in caplog.messages) == 1
