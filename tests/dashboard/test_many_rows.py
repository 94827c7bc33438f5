"""Many rows: sorting and filtering go on step by step, and what changes meanwhile is not lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fake_backend import NOW, dashboard, figures, on_demand, running, screen_text, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.screen import Screen

from taskkit import Changes, Scheduler, TaskSnapshot
from taskkit_tui import app as app_module
from taskkit_tui import bridge, look_timer
from taskkit_tui.keys.bindings import TO_THE_SCHEDULER as TABLE
from taskkit_tui.keys.bindings import rows_of
from taskkit_tui.keys.command import Place
from taskkit_tui.viewmodel import ordering
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.panel_order import Sorting
from taskkit_tui.viewmodel.panels.columns import PLANS
from taskkit_tui.viewmodel.row import Panel, TaskRow, command_facts

AT_ONCE = 0.0
"""Seconds: one step, and then what has to wait waits."""


@pytest.fixture(autouse=True)
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "STEP_ROWS", 3)


def apply(model: TaskModel, *tasks: TaskSnapshot, gone: tuple[int, ...] = ()) -> None:
    model.apply(Changes(figures=figures(), changed=tasks, gone=gone))


def shown(model: TaskModel) -> dict[Panel, list[int]]:
    return {panel: [row.number for row in model.rows_in(panel).window(0, 1_000)] for panel in Panel}


def by(key: str, *, reverse: bool = False) -> Sorting:
    return Sorting(PLANS[Panel.SCHEDULED].column(key), reverse)


def some_tasks(count: int) -> list[TaskSnapshot]:
    return [task(number, f"task {number % 7}{number}", next_run=NOW + number) for number in range(1, count)]


def test_what_is_shown_stays_until_all_rows_are_sorted() -> None:
    model = TaskModel()
    apply(model, *some_tasks(20))
    before = shown(model)
    model.sort(Panel.SCHEDULED, by("name", reverse=True), within=AT_ONCE)
    assert model.has_work
    assert shown(model) == before
    assert model.sorting(Panel.SCHEDULED) == by("name", reverse=True)
    while not model.work(AT_ONCE):
        pass
    names = [row.name for row in model.rows_in(Panel.SCHEDULED).window(0, 100)]
    assert names == sorted(names, reverse=True)


def test_the_last_of_several_filters_counts() -> None:
    model = TaskModel()
    apply(model, *some_tasks(20))
    for typed in ("1", "11", "xyz", "12"):
        model.show_only(RowFilter(typed), within=AT_ONCE)
    while not model.work(AT_ONCE):
        pass
    assert [row.name for row in model.rows_in(Panel.SCHEDULED).window(0, 100)] == ["task 512"]
    model.show_only(RowFilter(), within=AT_ONCE)
    assert len(model.rows_in(Panel.SCHEDULED)) == 19


def test_a_row_that_changes_while_it_is_filtered_is_shown_as_it_is_now() -> None:
    model = TaskModel()
    apply(model, *(task(number, f"task {number}", schedule="every 5 s") for number in range(1, 9)))
    model.show_only(RowFilter("5 s"), within=AT_ONCE)
    assert model.has_work
    apply(
        model, task(1, "task 1", schedule="daily 03:30"), task(9, "task 9", schedule="every 15 s"), gone=(2,)
    )
    while not model.work(AT_ONCE):
        pass
    assert sorted(shown(model)[Panel.SCHEDULED]) == [3, 4, 5, 6, 7, 8, 9]


def test_what_a_filter_searches_is_the_schedule_that_a_task_has_now() -> None:
    model = TaskModel()
    apply(model, *(task(number, f"task {number}", schedule="every 5 s") for number in range(1, 9)))
    model.show_only(RowFilter("5 s"), within=AT_ONCE)
    apply(model, task(8, "task 8", schedule="daily 03:30"))  # it was not searched yet
    while not model.work(AT_ONCE):
        pass
    model.show_only(RowFilter("daily"))
    assert shown(model)[Panel.SCHEDULED] == [8]


_NAMES = st.sampled_from(["", "a", "ab", "b", "cafe\u0301", "café", "x1", "x2"])


@st.composite
def snapshots(draw: st.DrawFn) -> TaskSnapshot:
    number = draw(st.integers(1, 12))
    name = f"{draw(_NAMES)} {number}"
    make = draw(st.sampled_from([task, running, on_demand]))
    if make is task:
        schedule = draw(st.sampled_from(["every 5 s", "daily 03:30", "every a"]))
        failing = draw(st.booleans())
        return task(number, name, schedule=schedule, failing=failing, next_run=NOW + draw(st.integers(0, 3)))
    return make(number, name)


_FILTERS = st.builds(RowFilter, st.sampled_from(["", "a", "!a", "^x.$", "!x[12] ", "café"]), st.booleans())
_COLUMNS = st.builds(by, st.sampled_from(["name", "next", "schedule"]), reverse=st.booleans())
_DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.lists(snapshots(), max_size=4, unique_by=lambda each: each.number)),
        st.tuples(st.just("gone"), st.sets(st.integers(1, 12), max_size=3)),
        st.tuples(st.just("filter"), _FILTERS),
        st.tuples(st.just("sort"), _COLUMNS),
        st.tuples(st.just("work"), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.lists(snapshots(), max_size=12, unique_by=lambda each: each.number), deeds=_DEEDS)
def test_step_by_step_shows_the_same_as_at_once(
    first: list[TaskSnapshot], deeds: list[tuple[str, Any]]
) -> None:
    slow, quick = TaskModel(), TaskModel()
    for model in (slow, quick):
        apply(model, *first)
    for deed, what in deeds:
        for model in (slow, quick):
            within = {"within": AT_ONCE} if model is slow else {}
            match deed:
                case "change":
                    apply(model, *what)
                case "gone":
                    apply(model, gone=tuple(what))
                case "filter":
                    model.show_only(what, **within)
                case "sort":
                    model.sort(Panel.SCHEDULED, what, **within)
                case _ if model is slow:
                    model.work(AT_ONCE)
    while not slow.work(AT_ONCE):
        pass
    assert shown(slow) == shown(quick)
    for panel, numbers in shown(slow).items():
        passing = {row.number for row in slow.rows() if row.panel is panel and slow.filter.shows(row)}
        assert set(numbers) == passing


@given(
    before=st.lists(st.integers(0, 30), unique=True),
    changes=st.dictionaries(st.integers(0, 30), st.integers(0, 5)),
    gone=st.sets(st.integers(0, 30)),
)
def test_many_changes_at_once_end_in_the_same_order_as_one_by_one(
    before: list[int], changes: dict[int, int], gone: set[int]
) -> None:
    def rows(numbers: dict[int, int]) -> list[TaskRow]:
        return [TaskRow(task(number, next_run=NOW + at)) for number, at in numbers.items()]

    together, single = (ordering.Ordering(lambda row: (row.next_due or 0.0,)) for _ in range(2))
    changed = {number: at for number, at in changes.items() if number not in gone}
    for some, left in ((dict.fromkeys(before, 2), set()), (changed, gone)):
        together.update(rows(some), left)
        for number in left:
            single.discard(number)
        for row in rows(some):
            single.put(row)
    assert together.numbers() == single.numbers()
    assert all(together.position(number) == single.position(number) for number in range(31))


async def test_the_app_reads_the_rest_of_many_tasks_without_waiting_for_its_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bridge, "_PART", 3)
    monkeypatch.setattr(bridge, "READ_SECONDS", 0.0)
    monkeypatch.setattr(look_timer, "REST_SECONDS", 3_600.0)
    scheduler = Scheduler(capture=False)
    for number in range(20):
        scheduler.add_on_demand_task(print, f"task {number}")
    app = app_module.TaskkitApp(bridge.Bridge(scheduler))
    async with app.run_test() as pilot:
        for _ in range(1_000):
            if len(app.model.rows_in(Panel.ON_DEMAND)) == 20:
                break
            await pilot.pause(0.005)
        assert len(app.model.rows_in(Panel.ON_DEMAND)) == 20
    app.backend.close(1.0)


@given(
    unregistered=st.booleans(),
    disabled=st.booleans(),
    period=st.sampled_from([None, 5.0]),
    overrides=st.sampled_from([None, "every 9 s"]),
    run=st.sampled_from([None, "goes on", "stops"]),
    others=st.booleans(),
)
def test_commands_treat_tasks_with_the_same_facts_alike(
    *,
    unregistered: bool,
    disabled: bool,
    period: float | None,
    overrides: str | None,
    run: str | None,
    others: bool,
) -> None:
    def row(**fields: Any) -> TaskRow:
        facts = {"unregistered": unregistered, "disabled": disabled, "period": period, "overrides": overrides}
        if run is None:
            return TaskRow(task(**facts, **fields))
        stopping = {"asked_to_stop": NOW} if run == "stops" else {}
        going = running(**facts, **fields)
        assert going.run is not None
        return TaskRow(replace(going, run=replace(going.run, **stopping)))

    one = row()
    other = row(number=2, name="other", schedule="daily 03:30", failing=others, run_count=9, again=others)
    assert command_facts(one) == command_facts(other)
    for command in rows_of(Place.PANEL):
        assert (command.why_not([one]) is None) is (command.why_not([other]) is None), command.id


def test_of_many_marked_rows_one_of_each_kind_is_looked_at() -> None:
    model = TaskModel()
    apply(model, *some_tasks(20), task(20, "off", disabled=True))
    model.toggle_marks(range(1, 21))
    assert [row.number for row in model.marked_examples()] == [1, 20]
    apply(model, task(5, "task 55", disabled=True), gone=(20,))
    assert [row.number for row in model.marked_examples()] == [1, 5]
    apply(model, *(task(number, f"task {number}", disabled=True) for number in range(1, 20)))
    assert [(row.number, row.task.disabled) for row in model.marked_examples()] == [(5, True)]
    model.toggle_marks(range(1, 20))
    assert model.marked_examples() == []
    assert (
        TABLE["task.enable"].why_not([TaskRow(task(1))], of=1_234)
        == "applies to none of the 1,234 marked tasks"
    )


async def test_the_screen_is_laid_out_anew_only_if_a_scrollbar_comes_or_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layouts = 0
    lay_out = Screen._refresh_layout

    def count(screen: Screen[Any], *arguments: Any, **options: Any) -> None:
        nonlocal layouts
        layouts += 1
        lay_out(screen, *arguments, **options)

    async with dashboard(*some_tasks(101)) as (app, backend, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        monkeypatch.setattr(Screen, "_refresh_layout", count)
        backend.put(task(101, "task 101"))
        app.look()
        await pilot.pause()
        assert layouts == 0
        assert panel.vertical_scrollbar.window_virtual_size == 102
        for number in range(3, 102):
            backend.remove(number)
        app.look()
        await pilot.pause()
        assert layouts > 0
        assert not panel.show_vertical_scrollbar
        for number in (1, 2):
            backend.remove(number)
        app.look()
        await pilot.pause()
        assert not any("SCHEDULE" in line for line in screen_text(app)), "an empty panel has no titles"
        backend.put(task(1, "task 1"))
        app.look()
        await pilot.pause()
        assert any("SCHEDULE" in line for line in screen_text(app))
