"""The palette: every action by its words."""

from __future__ import annotations

import pytest
from fake_backend import NOW, dashboard, running, screen_text, task, toasts
from test_details import details
from textual.command import CommandPalette
from textual.events import Click

from taskkit_tui.palette import TaskkitCommands
from taskkit_tui.viewmodel.row import Place


async def words(app: object, query: str) -> list[str]:
    provider = TaskkitCommands(app.main)  # type: ignore[attr-defined]
    return [str(hit.text) async for hit in provider.search(query)]


async def test_every_task_has_the_commands_that_apply_to_it() -> None:
    async with dashboard(task(1), task(2, "off", disabled=True), running(3)) as (app, _, _pilot):
        assert await words(app, "disable") == ["Disable heartbeat", "Disable crawl"]
        assert await words(app, "enable off") == ["Enable off"]
        assert await words(app, "stop") == ["Stop crawl"]
        assert "Only failing" in await words(app, "failing")
        assert "Log: Follow" in await words(app, "follow")


async def helps(app: object, query: str) -> list[str]:
    provider = TaskkitCommands(app.main)  # type: ignore[attr-defined]
    return [str(hit.help) async for hit in provider.search(query)]


async def test_every_entry_tells_its_key_as_a_person_has_it() -> None:
    async with dashboard(task(1), keymap={"task.run": "x,f5", "log.follow": "ctrl+l"}) as (app, _, pilot):
        assert await helps(app, "run heartbeat") == ["x · every 30 s", "R · every 30 s"]
        assert await helps(app, "slow heartbeat") == ["+ · every 30 s"]
        assert (await helps(app, "log: follow"))[0].startswith("^l · Stay with the newest line")
        assert (await helps(app, "undo"))[0] == "u · Take back the last change."
        assert (await helps(app, "quit"))[0] == "q · Leave; asks while runs go on."
        await pilot.press("colon", *"log: runs")
        await pilot.pause(0.5)
        assert any("[ · Go to the run before" in line for line in screen_text(app))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("why heart", ["Details of heartbeat"]),
        ("history heart", ["Details of heartbeat"]),
        ("kill", ["Stop crawl"]),
        ("cancel crawl", ["Stop crawl"]),
        ("cron heart", ["Change the period or schedule of heartbeat"]),
        ("export", ["Log: Save"]),
        ("time zone", []),
    ],
)
async def test_what_is_called_otherwise_is_found_as_well(typed: str, found: list[str]) -> None:
    async with dashboard(task(1), running(3)) as (app, _, _pilot):
        assert await words(app, typed) == found


async def test_where_a_key_is_named_it_is_that_of_the_person() -> None:
    keymap = {"task.run": "x", "app.pause": "f9"}
    async with dashboard(task(1), keymap=keymap) as (app, backend, pilot):
        backend.details["heartbeat"] = details(task=task(1))
        await pilot.press("R")
        await pilot.pause()
        assert toasts(app)[-1] == "heartbeat takes no parameters; x runs it"
        await pilot.press("f9", "y")
        await pilot.pause()
        assert toasts(app)[-1] == "Paused: nothing falls due until you press f9 again"
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("R")
        await pilot.pause()
        assert toasts(app)[-1] == "heartbeat takes no parameters; x runs it"


async def test_read_only_offers_nothing_that_changes() -> None:
    async with dashboard(task(1), read_only=True) as (app, _, _pilot):
        assert await words(app, "run heartbeat") == []
        assert await words(app, "details of") == ["Details of heartbeat"]


async def test_a_command_that_is_chosen_is_carried_out() -> None:
    async with dashboard(task(1), running(3)) as (app, backend, pilot):
        for key in ("colon", "ctrl+p"):
            backend.calls.clear()
            await pilot.press(key)
            await pilot.press(*"disable", "space", *"heart")
            await pilot.pause(0.6)
            await pilot.press("enter")
            await pilot.pause(0.2)
            assert backend.calls == [("disable", "heartbeat")]
            backend.put(task(1))
            app.look()


@pytest.mark.parametrize("keys", [["colon"], ["colon", *"Theme", "enter"]])
async def test_a_click_that_is_on_its_way_while_the_terminal_shrinks_does_no_harm(keys: list[str]) -> None:
    async with dashboard(task(1)) as (app, _, pilot):
        await pilot.press(*keys[:-1])
        await pilot.pause(0.5 if len(keys) > 1 else 0)
        await pilot.press(keys[-1])
        await pilot.pause()
        palette = app.screen
        assert isinstance(palette, CommandPalette)
        assert bool(len(keys) > 1) is any("themes" in row for row in screen_text(app))
        await pilot.resize_terminal(80, 24)
        for x, y in ((100, 30), (1, 23)):
            assert app.screen is palette
            palette.post_message(Click(palette, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y))
            await pilot.pause()
        assert app.screen is app.main, "the second click fell beside the palette"


async def test_foreign_text_is_no_markup_in_the_palette() -> None:
    async with dashboard(task(1, "odd [/] [b]", schedule="custom [/]")) as (app, _, pilot):
        await pilot.press("colon", *"odd")
        await pilot.pause(0.5)
        assert any("Run odd [/] [b]" in line for line in screen_text(app))
        assert any("custom [/]" in line for line in screen_text(app))


async def test_the_palette_finds_one_of_ten_thousand() -> None:
    tasks = [task(number, f"task {number}", next_run=NOW + number) for number in range(1, 10_001)]
    async with dashboard(*tasks) as (app, _, _pilot):
        assert "Run task 7777" in await words(app, "run 7777")
        assert len(await words(app, "task")) <= 100
        assert len(app.main.panel(Place.SCHEDULED).rows) == 10_000
