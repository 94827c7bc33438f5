"""The programs of TaskKit's manual of 2001 in modern spelling: each is run, and does what is told there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo_tasks import GrowingPeriod, PageGenerator, SessionSweeper, SimpleTask
from taskkit import Scheduler, make_task
from taskkit.testing import InlineExecutor, ManualClock


@pytest.fixture
def scheduler(clock: ManualClock) -> Iterator[Scheduler]:
    """Started, with runs on the calling thread; what they print is theirs."""
    with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
        yield scheduler


def printed_by(scheduler: Scheduler, name: str) -> tuple[str, ...]:
    handle = scheduler.handle(name)
    assert handle is not None
    assert handle.last_outcome is not None
    return handle.last_outcome.output


def task_name_and_period(scheduler: Scheduler) -> list[tuple[str, float | None]]:
    """The list of the servlet: Task Name, Period."""
    return [(name, handle.period) for name, handle in scheduler.scheduled.items()]


class TestTheSimpleTask:
    def test_it_is_done_once_at_its_time(
        self, scheduler: Scheduler, clock: ManualClock, start: float, capsys: pytest.CaptureFixture[str]
    ) -> None:
        scheduler.add_timed_task(start + 3, SimpleTask(), "SimpleTask1")
        clock.advance(2.9)
        assert capsys.readouterr().out == ""

        clock.advance(0.1)

        assert capsys.readouterr().out.startswith("SimpleTask1 20")
        assert scheduler.handle("SimpleTask1") is None

    def test_it_is_demanded_by_hand_and_then_it_has_gone(
        self, scheduler: Scheduler, clock: ManualClock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        scheduler.add_on_demand_task(SimpleTask(), "SimpleTask2", keep=False)
        clock.advance(86_400)
        assert list(scheduler.on_demand) == ["SimpleTask2"]
        assert capsys.readouterr().out == ""

        assert scheduler.run_task_now("SimpleTask2")

        assert capsys.readouterr().out.startswith("SimpleTask2 20")
        assert scheduler.handle("SimpleTask2") is None
        assert not scheduler.run_task_now("SimpleTask2")

    def test_it_stays_and_can_be_demanded_again_unless_it_is_told_to_go(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_on_demand_task(SimpleTask(), "SimpleTask3")

        assert scheduler.run_task_now("SimpleTask3")
        assert scheduler.run_task_now("SimpleTask3")

        assert handle.run_count == 2


def test_the_session_task_deletes_the_sessions_that_have_timed_out(
    scheduler: Scheduler, clock: ManualClock, start: float, tmp_path: Path
) -> None:
    for name, age in (("left", 3_601), ("here", 30)):
        (tmp_path / f"{name}.json").write_text("{}")
        os.utime(tmp_path / f"{name}.json", (start - age, start - age))
    sweeper = SessionSweeper(tmp_path, stale_after=3_600, now=clock.time)
    scheduler.add_periodic_task(start, 300, sweeper, "SessionTask")

    clock.advance(0)
    assert [session.name for session in tmp_path.iterdir()] == ["here.json"]
    clock.advance(3_600)
    assert list(tmp_path.iterdir()) == []


class TestThePageGenerator:
    def test_a_static_page_is_generated_once(
        self, scheduler: Scheduler, clock: ManualClock, tmp_path: Path
    ) -> None:
        scheduler.add_timed_task(None, PageGenerator("static1.html", tmp_path), "PageGenerator")

        clock.advance(60)

        assert "by PageGenerator." in (tmp_path / "static1.html").read_text()
        assert scheduler.handle("PageGenerator") is None

    def test_it_is_generated_again_every_twenty_seconds(
        self, scheduler: Scheduler, clock: ManualClock, tmp_path: Path
    ) -> None:
        page = tmp_path / "static1.html"
        name = "PageGenerator for static1.html"
        scheduler.add_periodic_task(None, 20, PageGenerator("static1.html", tmp_path), name)
        texts = []

        for _ in range(3):
            clock.advance(20)
            texts.append(page.read_text())

        assert len(set(texts)) == 3
        assert task_name_and_period(scheduler) == [(name, 20.0)]

    def test_each_page_has_a_task_of_its_own_in_the_list_of_names_and_periods(
        self, scheduler: Scheduler, clock: ManualClock, tmp_path: Path
    ) -> None:
        for number, period in ((1, 20), (2, 90.5)):
            page = f"static{number}.html"
            scheduler.add_periodic_task(
                None, period, PageGenerator(page, tmp_path), f"PageGenerator for {page}"
            )

        assert task_name_and_period(scheduler) == [
            ("PageGenerator for static1.html", 20.0),
            ("PageGenerator for static2.html", 90.5),
        ]

    def test_generating_again_under_the_same_name_changes_the_settings(
        self, scheduler: Scheduler, clock: ManualClock, tmp_path: Path
    ) -> None:
        """The form of the servlet: a file name, seconds, a button; what is typed comes as text."""

        def generate(filename: str, seconds: str) -> None:
            task = make_task(PageGenerator, {"filename": filename, "folder": str(tmp_path)})
            scheduler.add_periodic_task(None, float(seconds), task, f"PageGenerator for {filename}")

        generate("static1.html", "20")
        clock.advance(5)
        generate("static1.html", "60")

        name = "PageGenerator for static1.html"
        assert task_name_and_period(scheduler) == [(name, 60.0)]
        clock.advance(0)
        assert scheduler.scheduled[name].run_count == 1  # at once, as when it was new
        clock.advance(59)
        assert scheduler.scheduled[name].run_count == 1
        clock.advance(1)
        assert scheduler.scheduled[name].run_count == 2


def test_the_period_modifying_task_waits_two_seconds_more_each_time(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    scheduler.add_periodic_task(start, 5, GrowingPeriod(longest=60), "Growing")
    told = []

    for seconds in (0, 7, 9):
        clock.advance(seconds)
        told += printed_by(scheduler, "Growing")

    assert told == [
        "period was 5 s, is now 7 s",
        "period was 7 s, is now 9 s",
        "period was 9 s, is now 11 s",
    ]
