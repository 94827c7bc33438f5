"""The tour: each step goes on when it has been done, and it stands in nobody's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from fake_backend import FAILED, NOW, FakeBackend, dashboard, on_demand, past, running, screen_text, task
from fake_backend import row as row_of
from rich.cells import cell_len
from textual.pilot import Pilot

from demo_tasks import add_demo_tasks
from taskkit import OutcomeKind, Scheduler, TaskSnapshot
from taskkit.testing import ManualClock
from taskkit_tui.keys.bindings import BINDING_IDS
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.screens.help_screen import key_groups
from taskkit_tui.tour import TouredApp
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.tour_steps import STEPS, Step, Tour, TourAction

GROWING = task(1, "growing period", period=4.0, run_count=0)
FLAKY = task(2, "flaky feed", past=FAILED)
HAUL = running(3, "long haul")
REBUILD = on_demand(4, "rebuild site")

WATCH, PERIOD, UNDO, RUN, STOP, FAILURE, LOG, END = range(1, 9)


class Rows:
    """The rows that a tour looks at."""

    def __init__(self, *tasks: TaskSnapshot) -> None:
        self.rows = {each.name: row_of(each) for each in tasks}

    def put(self, snapshot: TaskSnapshot, trend: int = 0) -> None:
        self.rows[snapshot.name] = row_of(snapshot, trend)

    def named(self, name: str) -> TaskRow | None:
        return self.rows.get(name)


def at(step: int, rows: Rows) -> Tour:
    """A tour at a step, which has been looked at once."""
    tour = Tour({})
    tour.go(step - 1)
    tour.update(rows.named, 0.0)
    assert tour.number == step
    return tour


def test_the_first_step_waits_for_two_runs_and_some_seconds() -> None:
    rows = Rows(GROWING)
    tour = at(WATCH, rows)
    rows.put(replace(GROWING, run_count=1, period=6.0), 1)
    tour.update(rows.named, 7.0)
    assert tour.number == WATCH

    rows.put(replace(GROWING, run_count=2, period=8.0), 1)
    tour.update(rows.named, 5.9)
    assert tour.number == WATCH
    tour.update(rows.named, 6.0)
    assert tour.number == PERIOD


def test_a_period_that_starts_over_is_not_taken_for_growing() -> None:
    rows = Rows(GROWING)
    tour = at(WATCH, rows)
    rows.put(replace(GROWING, run_count=5, period=4.0), -1)
    tour.update(rows.named, 100.0)
    assert tour.number == WATCH


def test_only_the_period_of_the_task_in_question_counts() -> None:
    tour = at(PERIOD, Rows(GROWING))
    tour.note(TourAction.PERIOD, ("heartbeat",))
    tour.note(TourAction.DETAILS, ("growing period",))
    assert tour.number == PERIOD
    tour.note(TourAction.PERIOD, ("heartbeat", "growing period"))
    assert tour.number == UNDO


def test_a_run_counts_from_the_beginning_of_the_step() -> None:
    rows = Rows(replace(REBUILD, run_count=3))
    tour = at(RUN, rows)
    tour.update(rows.named, 1.0)
    assert tour.number == RUN
    rows.put(replace(REBUILD, run_count=4))
    tour.update(rows.named, 1.1)
    assert tour.number == STOP


def test_a_run_that_was_asked_to_stop_before_does_not_count_but_the_next_does() -> None:
    rows = Rows(running(3, "long haul", asked_to_stop=NOW - 1))
    tour = at(STOP, rows)
    tour.update(rows.named, 0.1)
    assert tour.number == STOP
    rows.put(running(3, "long haul", asked_to_stop=NOW))
    tour.update(rows.named, 0.2)
    assert tour.number == FAILURE


def test_a_run_that_was_stopped_between_two_looks_counts_as_well() -> None:
    rows = Rows(HAUL)
    tour = at(STOP, rows)
    rows.put(task(3, "long haul", past=past(4.0)))
    tour.update(rows.named, 0.1)
    assert tour.number == STOP
    rows.put(task(3, "long haul", past=past(4.0, kind=OutcomeKind.STOPPED)))
    tour.update(rows.named, 0.2)
    assert tour.number == FAILURE


def test_each_step_starts_from_the_state_at_its_beginning() -> None:
    rows = Rows(replace(REBUILD, run_count=3), HAUL)
    tour = at(RUN, rows)
    rows.put(replace(REBUILD, run_count=4))
    tour.update(rows.named, 1.0)
    tour.go(-1)
    tour.update(rows.named, 2.0)
    assert tour.number == RUN
    rows.put(replace(REBUILD, run_count=5))
    tour.update(rows.named, 3.0)
    assert tour.number == STOP


def test_an_unregistered_task_blocks_only_its_own_step() -> None:
    rows = Rows(REBUILD)
    tour = at(RUN, rows)
    rows.rows.clear()
    tour.update(rows.named, 1.0)
    tour.go(1)
    tour.update(rows.named, 2.0)
    assert tour.number == STOP


def test_it_goes_no_further_than_the_first_and_the_last_step() -> None:
    tour = Tour({})
    tour.go(-1)
    assert tour.number == WATCH
    tour.go(100)
    assert tour.number == END


@pytest.mark.parametrize("step", STEPS)
def test_every_step_fits_eighty_columns_whole_with_the_way_out(step: Step) -> None:
    with_keys = Tour(_shown_keys(), [step]).caption(80)
    line = "".join(piece.text for piece in with_keys)
    assert cell_len(line) == 80
    assert "…" not in line
    assert "[" not in line
    assert "^t ends the tour" in line


@pytest.mark.parametrize("width", range(40))
def test_a_narrow_line_holds_what_fits_in_it(width: int) -> None:
    tour = Tour({"task.undo": "界"})
    for _ in STEPS:
        assert sum(cell_len(piece.text) for piece in tour.caption(width)) <= max(1, width)
        tour.go(1)


def _shown_keys() -> dict[str, str]:
    return TouredApp(FakeBackend()).tour._keys


def test_the_steps_name_keys_and_tasks_that_there_are(tmp_path) -> None:
    ids = {part.partition("]")[0] for step in STEPS for part in (step.words + step.more).split("[")[1:]}
    assert ids <= BINDING_IDS
    assert {"tour.next", "tour.back", "tour.leave"} <= BINDING_IDS
    scheduler = Scheduler(clock=ManualClock())
    add_demo_tasks(scheduler, tmp_path, lambda: NOW, computing="thread")
    assert all(scheduler.handle(step.task) for step in STEPS if step.task)
    scheduler.stop()


@asynccontextmanager
async def tour_at(
    step: int, size: tuple[int, int] = (120, 36), **options: object
) -> AsyncIterator[tuple[TouredApp, FakeBackend, Pilot[None]]]:
    async with dashboard(GROWING, FLAKY, HAUL, REBUILD, size=size, kind=TouredApp, **options) as (
        app,
        backend,
        pilot,
    ):
        assert isinstance(app, TouredApp)
        app.action_tour_step(step - 1)
        app.look()
        await pilot.pause()
        yield app, backend, pilot


def caption_of(app: TouredApp) -> str:
    """The line above the footer."""
    return screen_text(app)[-2]


async def test_the_new_period_leads_to_the_next_step() -> None:
    async with tour_at(PERIOD) as (app, backend, pilot):
        assert "2/8 Select growing period, press p" in caption_of(app)
        app.main.panel(row_of(GROWING).panel).select(1)
        await pilot.press("p", "escape")
        await pilot.pause()
        assert app.tour.number == PERIOD  # the key alone is not enough
        await pilot.press("p", "ctrl+u", *"1m", "enter")
        await pilot.pause()
        assert ("set_period", "growing period", 60.0) in backend.calls
        assert "3/8 Press u to undo: the old period is back" in caption_of(app)


async def test_a_run_a_stop_and_the_details_of_a_failure_lead_to_the_next_steps() -> None:
    async with tour_at(RUN) as (app, backend, pilot):
        await pilot.press("3", "r")
        backend.put(replace(REBUILD, run_count=1))
        app.look()
        assert app.tour.number == STOP
        app.look()
        await pilot.press("2", "s")
        app.look()
        assert app.tour.number == FAILURE
        app.main.panel(row_of(FLAKY).panel).select(2)
        await pilot.press("1", "enter")
        await pilot.pause()
        assert app.tour.number == LOG


async def test_the_failure_can_be_looked_at_from_the_log() -> None:
    async with tour_at(FAILURE) as (app, backend, pilot):
        backend.write(LogLine(NOW, "flaky feed", 1, "log", 40, "feed is down", "Traceback …"))
        app.look()
        await pilot.press("4", "G", "enter")
        await pilot.pause()
        assert app.tour.number == LOG
        await pilot.press("escape")


async def test_the_log_of_one_task_leads_to_the_next_step_and_the_log_of_all_does_not() -> None:
    async with tour_at(LOG) as (app, _, pilot):
        await pilot.press("1", "L")
        await pilot.pause()
        assert app.tour.number == LOG
        await pilot.press("l")
        await pilot.pause()
        assert app.tour.number == END
        assert "q quits" in caption_of(app)


async def test_undo_leads_to_the_next_step_only_if_something_was_undone() -> None:
    async with tour_at(UNDO) as (app, backend, pilot):
        await pilot.press("1", "u")
        await pilot.pause()
        assert app.tour.number == UNDO
        await pilot.press("plus", "u")
        await pilot.pause()
        assert [call for call, *_ in backend.calls] == ["set_period", "undo"]
        assert app.tour.number == RUN


async def test_its_own_keys_go_on_and_back_and_end_it_and_escape_does_none_of_it() -> None:
    async with tour_at(WATCH) as (app, _, pilot):
        await pilot.press("ctrl+n", "ctrl+n", "ctrl+r", "escape")
        await pilot.pause()
        assert "2/8" in caption_of(app)
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert "2/8" not in "\n".join(screen_text(app))
        assert not app.caption.display


async def test_the_keys_that_it_names_are_those_of_the_person() -> None:
    async with tour_at(UNDO, keymap={"task.undo": "f5", "tour.leave": "ctrl+e"}) as (app, _, pilot):
        assert "Press f5 to undo" in caption_of(app)
        assert "^e ends the tour" in caption_of(app)
        await pilot.press("ctrl+e")
        await pilot.pause()
        assert app.tour.left


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((80, 24), True),
        ((60, 20), True),
        ((40, 10), True),
        ((39, 30), False),
        ((80, 9), False),
        ((1, 1), False),
    ],
)
async def test_the_line_is_there_where_there_is_room(size: tuple[int, int], shown: bool) -> None:
    async with tour_at(WATCH, size=(120, 36)) as (app, _, pilot):
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert ("Watch growing" in "\n".join(screen_text(app))) is shown
        await pilot.resize_terminal(120, 36)
        await pilot.pause()
        assert "1/8 Watch growing" in caption_of(app)


async def test_toasts_do_not_cover_the_line() -> None:
    async with tour_at(PERIOD, size=(80, 24)) as (app, _, pilot):
        await pilot.press("1", "d")
        await pilot.pause()
        await pilot.pause()
        assert any("Disabled" in line for line in screen_text(app))
        assert "ends the tour" in caption_of(app)


async def test_help_and_palette_know_the_tour() -> None:
    async with tour_at(WATCH) as (app, _, _pilot):
        (group,) = [group for group in key_groups(app.main) if group.title == "The tour"]
        assert [each.keys for each in group.keys] == ["^n", "^r", "^t"]
        titles = {command.title for command in app.get_system_commands(app.main)}
        assert {"Tour: skip", "Tour: back", "Tour: end"} <= titles
