"""What failed lately: it stays in sight for a while, and is listed for all tasks, also from the store."""

from __future__ import annotations

import re
from pathlib import Path
from time import time
from typing import Any

import pytest
from fake_backend import FAILED, NOW, dashboard, past, screen_text, task, toasts
from test_viewmodel import change, model_of, names
from textual.pilot import Pilot

from taskkit import Outcome, OutcomeKind, RunFinished, Scheduler, Trigger
from taskkit.store import PersistentScheduler, Store, StoredRun
from taskkit.testing import InlineExecutor, ManualClock
from taskkit_tui.app import TaskkitApp
from taskkit_tui.bridge import Bridge
from taskkit_tui.screens.failures_screen import FailuresScreen
from taskkit_tui.screens.traceback_screen import TracebackScreen
from taskkit_tui.viewmodel.failure_rows import MOST_REMEMBERED, Failures, PastFailure
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.model import RECOVERED_SECONDS

ONLY_FAILING = RowFilter(only_failing=True)
RECOVERED = (*FAILED, *past(0.1))


def outcome(number: int, **fields: Any) -> Outcome:
    """A run that failed; higher numbers are newer."""
    at = NOW - 1000 + number * 10
    given: dict[str, Any] = {
        "kind": OutcomeKind.FAILED,
        "trigger": Trigger.SCHEDULE,
        "run": number,
        "due": at,
        "started": at,
        "finished": at,
        "duration": 0.5,
        "lateness": 0.0,
        "exception": f"ValueError: number {number}",
        "traceback": f"Traceback (most recent call last):\nValueError: number {number}",
    }
    return Outcome(**{**given, **fields})


def failure(number: int, name: str = "flaky", **fields: Any) -> RunFinished:
    told = outcome(number, **fields)
    return RunFinished(told.finished, name, number, told)


def stored(number: int, name: str = "flaky", **fields: Any) -> StoredRun:
    return StoredRun(number, name, 1, outcome(number, **fields))


# What the key for failing tasks shows


def test_a_task_that_has_just_recovered_stays_among_the_failing_for_a_while() -> None:
    model = model_of(task(1, "calm", past=past(0.1)), task(2, "flaky", past=FAILED))
    model.show_only(ONLY_FAILING)
    change(model, task(2, "flaky", past=RECOVERED))
    assert names(model) == ["flaky"]
    row = model.named("flaky")
    assert row is not None
    assert row.recovered
    change(model, task(2, "flaky", past=past(*[0.1] * 8)))
    assert names(model) == ["flaky"], "the failure is no longer among the runs that a row knows"
    change(model, task(1, "calm", past=past(0.2)), time=NOW + RECOVERED_SECONDS)
    assert names(model) == []


def test_a_recovered_task_is_listed_even_if_the_filter_is_set_later() -> None:
    model = model_of(task(1, "calm", past=past(0.1)), task(2, "flaky", past=RECOVERED))
    row = model.named("flaky")
    assert row is not None
    assert not row.recovered, "nobody looks for failing tasks"
    model.show_only(ONLY_FAILING)
    assert names(model) == ["flaky"]
    model.show_only(RowFilter())
    row = model.named("flaky")
    assert row is not None
    assert not row.recovered


def test_a_task_that_failed_long_ago_is_not_listed() -> None:
    long_ago = past(0.1, kind=OutcomeKind.FAILED, ago=RECOVERED_SECONDS + 1)
    model = model_of(task(1, "flaky", past=(*long_ago, *past(0.1))))
    model.show_only(ONLY_FAILING)
    assert names(model) == []


async def test_a_recovered_task_is_marked_and_can_be_opened() -> None:
    async with dashboard(task(1, "calm"), task(2, "flaky", past=FAILED)) as (app, backend, pilot):
        await pilot.press("exclamation_mark")
        backend.put(task(2, "flaky", past=RECOVERED))
        app.look()
        await pilot.pause()
        (shown,) = (row for row in screen_text(app) if "flaky" in row)
        assert "✓ recovered" in shown
        await pilot.press("enter")
        await pilot.pause()
        assert toasts(app) == ["flaky is gone"], "the row was opened; this backend describes nothing"


# The list


async def listed(app: TaskkitApp, pilot: Pilot[None]) -> list[str]:
    """What the list says, without its frame."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    return [
        row.strip(" │╭╮╰╯")
        for row in screen_text(app)
        if re.search("ValueError|timed out", row) and "▌" not in row
    ]


async def test_the_list_has_the_failures_of_all_tasks_even_unregistered_ones() -> None:
    recovered = task(2, "recovered", past=past(0.1))
    async with dashboard(task(1, "flaky", past=FAILED), recovered) as (app, backend, pilot):
        backend.fail(failure(1, "gone"))
        backend.fail(failure(2, "flaky", kind=OutcomeKind.TIMED_OUT, exception=None))
        backend.stored = [stored(3, "recovered"), stored(4, kind=OutcomeKind.SUCCEEDED)]
        app.look()
        await pilot.press("F")
        assert isinstance(app.screen, FailuresScreen)
        told = await listed(app, pilot)
        assert [row.split()[0] for row in told] == ["✓", "✗", "–"]
        assert [row.split()[2] for row in told] == ["recovered", "flaky", "gone"]
        assert told[1].endswith("timed out")
        assert "number 4" not in "".join(screen_text(app))
        await pilot.press("F")
        await pilot.pause()
        assert app.screen is app.main


async def test_a_failure_that_is_stored_and_remembered_is_listed_once_and_keeps_the_cursor() -> None:
    async with dashboard(task(1, "flaky")) as (app, backend, pilot):
        backend.fail(failure(1))
        backend.fail(failure(2))
        backend.stored = [stored(1), stored(2)]
        app.look()
        await pilot.press("F")
        assert len(await listed(app, pilot)) == 2
        await pilot.press("down")
        backend.fail(failure(3))
        app.look()
        screen = app.screen
        assert isinstance(screen, FailuresScreen)
        screen._look()
        assert len(await listed(app, pilot)) == 3
        assert screen.selected is not None
        assert screen.selected.run == 1


async def test_enter_shows_its_traceback_and_a_further_key_opens_its_task() -> None:
    async with dashboard(task(1, "flaky")) as (app, backend, pilot):
        backend.fail(failure(1, exception="CommandError: exit status 3", traceback=None, output=("a", "b")))
        app.look()
        await pilot.press("F", "enter")
        await pilot.pause()
        assert isinstance(app.screen, TracebackScreen)
        assert app.screen.line.text == "CommandError: exit status 3\na\nb"
        await pilot.press("escape", "i")
        await pilot.pause()
        assert toasts(app)[-1] == "flaky is gone", "this backend describes nothing"


async def test_the_list_is_read_page_by_page_and_an_empty_one_says_so() -> None:
    async with dashboard(task(1, "flaky")) as (app, backend, pilot):
        await pilot.press("F")
        await listed(app, pilot)
        assert "No failures" in "".join(screen_text(app))
        await pilot.press("escape")
        backend.stored = [stored(number) for number in range(1, 251)]
        await pilot.press("F")
        await listed(app, pilot)
        screen = app.screen
        assert isinstance(screen, FailuresScreen)
        assert len(screen._all) == 100
        for _ in range(3):
            await pilot.press("end")
            await listed(app, pilot)
        assert len(screen._all) == 250
        assert screen.selected is not None
        assert screen.selected.run == 1


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 10), (12, 4), (1, 1)])
async def test_the_list_works_at_any_size(size: tuple[int, int]) -> None:
    async with dashboard(task(1, "flaky"), size=size) as (app, backend, pilot):
        backend.fail(failure(1, name="x" * 200))
        app.look()
        app.main.action_failures()
        await pilot.pause()
        await listed(app, pilot)
        await pilot.press("down", "enter", "escape", "escape")


def test_the_number_of_remembered_failures_is_limited() -> None:
    failures = Failures()
    failures.add(failure(number, traceback="x" * 100_000) for number in range(1000))
    told = failures.with_stored(())
    assert len(told) == MOST_REMEMBERED
    assert max(len(each.text) for each in told) <= 8_000
    assert told[0].run == 999


def test_hostile_words_are_harmless() -> None:
    told = PastFailure.of("a", outcome(1, exception="Error: \x1b[2J[red]\nx"))
    assert "\x1b" not in told.words
    assert "\n" not in told.words


async def test_failures_of_an_earlier_session_are_listed_from_the_store(tmp_path: Path) -> None:
    def fails() -> None:
        raise ValueError("of an earlier life")

    path = tmp_path / "tasks.db"
    with PersistentScheduler(
        path, clock=ManualClock(time()), executor=InlineExecutor(), capture=False
    ) as before:
        before.add_on_demand_task(fails, "asked")
        before.demand_task("asked")
        assert before.store.flush(20)
    scheduler = Scheduler(capture=False)
    store = Store.open(path)
    bridge = Bridge(scheduler, store=store)
    app = TaskkitApp(bridge)
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("F")
            (told,) = await listed(app, pilot)
            assert told.startswith("–")
            assert told.endswith("ValueError: of an earlier life")
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, TracebackScreen)
            assert "in fails" in (app.screen.line.traceback or "")
    finally:
        bridge.close(1)
