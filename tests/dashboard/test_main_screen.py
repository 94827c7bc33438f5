"""The main screen at all sizes, and how it follows what happens."""

from __future__ import annotations

import random

import pytest
from fake_backend import FAILED, HALF, NOW, RETRY, dashboard, on_demand, past, running, screen_text, task
from textual.geometry import Region

from taskkit import Stream
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.screens.main_layout import Shape, shape_for, too_small_words
from taskkit_tui.terminal.outside_output import OutsideLines
from taskkit_tui.viewmodel.panels.columns import PLANS
from taskkit_tui.viewmodel.row import Panel
from taskkit_tui.widgets.task_panel import TaskPanel

SOME = (
    task(1, "heartbeat", next_run=NOW + 2, past=past(0.003)),
    task(2, "PageGenerator for static1.html", next_run=NOW + 20),
    task(3, "PageGenerator for static2.html", next_run=NOW + 40),
    task(4, "flaky feed", next_run=NOW + 5, past=FAILED),
    task(5, "old import", disabled=True),
    running(6, "crawl", progress=HALF),
    running(7, "long haul", asked_to_stop=NOW - 4),
    on_demand(8, "rebuild site", past=past(1.0, ago=250)),
)


def has(lines: list[str], *words: str) -> bool:
    return any(all(word in line for word in words) for line in lines)


async def test_the_three_panels_the_timeline_and_the_log_are_there() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        backend.write(LogLine(NOW, "heartbeat", 1, "stdout", 20, "tick 41"))
        app.look()
        await pilot.pause()
        lines = screen_text(app)
        assert has(lines, "8 tasks", "2 running", "1 disabled", "1 failing")
        assert has(lines, "Scheduled 5", "Running 2")
        assert has(lines, "On demand 1")
        assert has(lines, "heartbeat", "every 30 s", "0:02", "✓ 3 ms")
        assert has(lines, "flaky feed", "✗ failed")
        assert has(lines, "old import", "disabled")
        assert has(lines, "crawl", "0:12", "62 %")
        assert has(lines, "long haul", "stopping 4 s")
        assert has(lines, "rebuild site", "ready", "✓ 4 min ago")
        assert has(lines, "next 1 min")
        assert has(lines, "Log", "all tasks")
        assert has(lines, "heartbeat", "tick 41")
        assert has(lines, "r Run now", "d Disable", "? Help")


async def test_countdowns_fall_and_only_their_cells_are_painted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        refreshed: list[Region] = []
        original = panel.refresh

        def refresh(*regions: Region, **options: bool) -> TaskPanel:
            refreshed.extend(regions)
            return original(*regions, **options)

        monkeypatch.setattr(panel, "refresh", refresh)
        app.look()
        assert refreshed == []
        backend.time = NOW + 1
        app.look()
        await pilot.pause()
        assert has(screen_text(app), "heartbeat", "0:01")
        assert refreshed
        assert all(region.height == 1 and region.width < 30 for region in refreshed)


@pytest.mark.parametrize("size", [(120, 36), (200, 50)])
async def test_nothing_is_cut_beside_an_empty_column(size: tuple[int, int]) -> None:
    some = (
        task(1, "heartbeat", past=past(0.003)),
        task(2, "sweeper", schedule="every 1 h 30 min", period=5400.0),
        task(3, "nightly", schedule="daily 03:30 Europe/Berlin", period=None),
        task(4, "report", schedule="cron 0 6 * * 1-5", period=None),
        running(5, "bank statement", past=past(20.0)),
    )
    async with dashboard(*some, size=size) as (app, backend, pilot):
        lines = screen_text(app)
        assert has(lines, "sweeper", "every 1 h 30 min")
        assert has(lines, "nightly", "daily 03:30 Berlin")
        assert has(lines, "report", "cron 0 6 * * 1-5")
        assert has(lines, "bank statement", "0:12 of ~0:20")
        assert not has(lines, "PROGRESS")
        backend.put(running(5, "bank statement", progress=HALF), task(1, "heartbeat of the lot"))
        app.look()
        await pilot.pause()
        lines = screen_text(app)
        assert has(lines, "heartbeat of the lot", "every 30 s")
        assert has(lines, "nightly", "03:30 Berlin")
        assert has(lines, "PROGRESS")
        assert has(lines, "bank statement", "62 %")


async def test_at_eighty_columns_a_schedule_stays_beside_short_names() -> None:
    some = (
        task(1, "heartbeat"),
        task(2, "sweeper", schedule="every 1 h 30 min", period=5400.0),
        task(3, "nightly", schedule="daily 03:30 Europe/Berlin", period=None),
    )
    async with dashboard(*some, size=(80, 24)) as (app, backend, pilot):
        lines = screen_text(app)
        assert has(lines, "sweeper", "1h30m")
        assert has(lines, "nightly", " daily ")
        backend.put(task(1, "heartbeat of the whole"))
        app.look()
        await pilot.pause()
        assert not has(screen_text(app), "SCHEDULE")


async def test_the_cursor_stays_on_its_task_when_the_order_changes() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        assert panel.selected is not None
        assert panel.selected.name == "heartbeat"
        backend.put(task(1, "heartbeat", next_run=NOW + 30))
        app.look()
        await pilot.pause()
        assert panel.selected.name == "heartbeat"
        assert panel.rows.position(1) == 2


async def test_focus_and_cursor_follow_a_task_to_another_panel() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        backend.put(running(1, "heartbeat"))
        app.look()
        await pilot.pause()
        focused = app.main.focused_panel
        assert focused is app.main.panel(Panel.RUNNING)
        assert focused.selected is not None
        assert focused.selected.name == "heartbeat"

        backend.put(task(1, "heartbeat"))
        app.look()
        await pilot.pause()
        assert app.main.focused_panel is app.main.panel(Panel.SCHEDULED)


async def test_when_the_selected_task_is_unregistered_the_next_one_is_selected() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        backend.remove(1)
        app.look()
        await pilot.pause()
        panel = app.main.panel(Panel.SCHEDULED)
        assert panel.selected is not None
        assert panel.selected.name == "flaky feed"


async def test_a_task_that_is_registered_again_keeps_cursor_and_mark() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        await pilot.press("down", "space", "home")
        assert panel.selected is not None
        marked = app.model.rows_of(app.model.marked)[0].name
        for number, again, due in ((1, 21, 300), (21, 22, 1)):
            backend.remove(number)
            backend.put(task(again, "heartbeat", next_run=NOW + due))
            app.look()
            await pilot.pause()
            assert (panel.selected.name, panel.selected.number) == ("heartbeat", again)
            await pilot.press("2")  # the cursor of a panel without the focus stays too
        number = next(iter(app.model.marked))
        backend.remove(number)
        backend.put(task(23, marked))
        app.look()
        await pilot.pause()
        assert app.model.marked == {23}
        backend.remove(23)
        app.look()
        assert not app.model.marked


async def test_focus_and_cursor_follow_a_task_that_is_added_again_to_another_panel() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        backend.remove(1)
        backend.put(on_demand(21, "heartbeat"))
        app.look()
        await pilot.pause()
        focused = app.main.focused_panel
        assert focused is app.main.panel(Panel.ON_DEMAND)
        assert focused.selected is not None
        assert focused.selected.name == "heartbeat"


async def test_an_empty_panel_says_so() -> None:
    async with dashboard() as (app, _, _pilot):
        lines = screen_text(app)
        assert has(lines, "No scheduled tasks.")
        assert has(lines, "Nothing is running.")
        assert has(lines, "No on-demand tasks.")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_text_of_an_empty_panel_is_not_cut(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as (app, _, _pilot):
        lines = screen_text(app)
        for plan in PLANS.values():
            assert all(has(lines, f"│   {words}") for words in plan.empty), plan.title
    async with dashboard(*SOME, size=size) as (app, _, pilot):
        await pilot.press("slash", *"nothing", "enter")
        await pilot.pause()
        found = [line.count("No task matches the filter.") for line in screen_text(app)]
        assert sum(found) == len(PLANS)


async def test_foreign_text_is_shown_as_it_is_and_the_columns_stay_straight() -> None:
    hostile = "[red]漢字\x1b[2J\u202e‮[/red]"
    async with dashboard(task(1, hostile), task(2, "plain")) as (app, _, _pilot):
        lines = screen_text(app)
        from rich.cells import cell_len

        rows = [line for line in lines if "0:10" in line]
        assert len({cell_len(line[: line.index("0:10")]) for line in rows}) == 1
        assert has(lines, "[red]漢字")


async def test_a_due_time_beyond_the_calendar_is_shown_as_far_off() -> None:
    async with dashboard(task(1, next_run=1e13)) as (app, _, _pilot):
        assert "far off" in "\n".join(screen_text(app))


async def test_ten_thousand_rows_cost_only_the_visible_ones() -> None:
    tasks = [task(number, f"task {number}", next_run=NOW + number) for number in range(1, 10_001)]
    async with dashboard(*tasks) as (app, _, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        assert len(panel._painted) < 40
        await pilot.press("end")
        assert panel.selected is not None
        assert panel.selected.name == "task 10000"
        assert has(screen_text(app), "task 10000")
        await pilot.press("home", "pagedown")
        assert panel.selected.name != "task 1"


@pytest.mark.parametrize("size", [(200, 60), (120, 36), (110, 24), (109, 24), (80, 24)])
async def test_from_eighty_columns_on_everything_is_there(size: tuple[int, int]) -> None:
    async with dashboard(*SOME, size=size) as (app, _, _pilot):
        lines = screen_text(app)
        assert has(lines, "Scheduled 5", "Running 2")
        assert has(lines, "On demand 1")
        assert has(lines, "Log")
        assert has(lines, "heartbeat", "0:02", "✓ 3 ms")


@pytest.mark.parametrize("size", [(79, 24), (80, 23), (60, 20), (40, 10)])
async def test_on_a_small_terminal_there_is_one_panel_at_a_time(size: tuple[int, int]) -> None:
    async with dashboard(*SOME, size=size) as (app, _, pilot):
        lines = screen_text(app)
        assert has(lines, "1 Sched", "2 Run", "4 Log")
        assert has(lines, "heartbeat", "0:02")
        assert not has(lines, "crawl")
        await pilot.press("2")
        assert has(screen_text(app), "crawl", "0:12")
        await pilot.press("tab")
        assert has(screen_text(app), "rebuild site")
        await pilot.press("4")
        assert has(screen_text(app), "all tasks")


@pytest.mark.parametrize("size", [(39, 24), (120, 9), (10, 3), (3, 1), (1, 1)])
async def test_a_tiny_terminal_says_what_is_too_small(size: tuple[int, int]) -> None:
    async with dashboard(*SOME, size=size) as (app, _, _pilot):
        words = " ".join(screen_text(app)).strip()
        assert words == too_small_words(*size)


def test_what_is_too_small_is_named() -> None:
    assert too_small_words(30, 30) == "30×30: needs 40 columns"
    assert "10 rows" in too_small_words(100, 5)
    assert "40×10" in too_small_words(38, 5)
    assert shape_for(80, 24) is Shape.COMPACT
    assert all(
        len(too_small_words(width, height)) <= width for width in range(1, 40) for height in range(1, 12)
    )


async def test_no_size_raises_also_while_resizing_at_random() -> None:
    dice = random.Random(5)
    async with dashboard(*SOME) as (app, backend, pilot):
        for _ in range(40):
            await pilot.resize_terminal(dice.randint(1, 150), dice.randint(1, 50))
            backend.time += 1
            app.look()
            await pilot.press(dice.choice(["tab", "z", "down", "4", "1"]))
        await pilot.resize_terminal(120, 36)
        await pilot.pause()
        assert has(screen_text(app), "Log")


async def test_z_shows_one_panel_only_and_escape_all_again() -> None:
    async with dashboard(*SOME) as (app, _, pilot):
        await pilot.press("z")
        assert not has(screen_text(app), "crawl")
        assert has(screen_text(app), "1 Scheduled 5", "4 Log")
        await pilot.press("escape")
        assert has(screen_text(app), "crawl")


async def test_clicks_select_open_and_sort() -> None:
    async with dashboard(*SOME) as (app, _, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        await pilot.click(TaskPanel, offset=(8, 3))
        assert panel.selected is not None
        assert panel.selected.name == "flaky feed"
        await pilot.click(TaskPanel, offset=(6, 1))
        assert panel.rows.sorting.column.key == "name"
        assert panel.border_subtitle == "by name ▾"
        await pilot.click(TaskPanel, offset=(6, 1))
        assert panel.border_subtitle == "by name ▴"
        await pilot.click("#running", offset=(5, 2))
        assert app.main.focused_panel is app.main.panel(Panel.RUNNING)


async def test_a_click_on_a_tab_goes_there() -> None:
    async with dashboard(*SOME, size=(60, 20)) as (app, _, pilot):
        await pilot.click("#tabs", offset=(20, 0))
        assert app.main.focused_panel is app.main.panel(Panel.RUNNING)


async def test_a_click_in_the_footer_does_what_the_key_does() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        x = screen_text(app)[-1].index("d Disable")
        await pilot.click("#footer", offset=(x + 3, 0))
        await pilot.pause()
        assert backend.calls == [("disable", "heartbeat")]


async def test_the_scrollbar_touches_no_text() -> None:
    many = [task(number, f"task number {number} of many", retry=RETRY) for number in range(1, 40)]
    async with dashboard(*many, size=(80, 24)) as (app, _, pilot):
        await pilot.pause()
        bar = app.main.panel(Panel.SCHEDULED).region.right - 2
        row = next(row for row in screen_text(app) if "retry 2/5" in row)
        assert row[bar - 1] == " "


@pytest.mark.parametrize("theme", ["taskkit", "textual-light", "nord", "ansi-dark", "ansi-light"])
async def test_every_theme_has_the_colours_that_we_name(theme: str) -> None:
    async with dashboard(*SOME) as (app, _, pilot):
        app.theme = theme
        await pilot.pause()
        assert has(screen_text(app), "heartbeat")
        assert app.main.panel(Panel.SCHEDULED).theme_colour("soon") is not None


async def test_output_from_outside_the_tasks_is_in_the_log_in_order_of_time() -> None:
    times = iter((NOW + 1, NOW + 3))
    outside = OutsideLines(now=lambda: next(times))
    async with dashboard(task(1, "a"), outside=outside) as (app, backend, pilot):
        backend.write(LogLine(NOW + 2, "a", 1, "stdout", 20, "second"))
        outside.put(Stream.STDOUT, "first")
        outside.put(Stream.STDOUT, "third")
        app.look()
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert told.index("first") < told.index("second") < told.index("third")
