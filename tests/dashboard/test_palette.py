"""The palette: every action by its words."""

from __future__ import annotations

from asyncio import Event
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import ClassVar

import pytest
from fake_backend import NOW, dashboard, running, screen_text, task, toasts
from test_details import details
from textual.command import CommandInput, CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.events import Click
from textual.pilot import Pilot
from typed_keys import keys_wait, type_at_once, waited

from taskkit_tui.palette import TaskkitCommands
from taskkit_tui.palette_screen import PaletteScreen
from taskkit_tui.viewmodel.ordering import in_steps
from taskkit_tui.viewmodel.row import Panel, TaskRow


async def words(app: object, query: str) -> list[str]:
    provider = TaskkitCommands(app.main)  # type: ignore[attr-defined]
    return [str(hit.text) async for hit in provider.search(query)]


async def test_every_task_has_the_commands_that_apply_to_it() -> None:
    async with dashboard(task(1), task(2, "off", disabled=True), running(3)) as (app, _, _pilot):
        found = await words(app, "disable")
        assert [each for each in found if "until" not in each] == ["Disable heartbeat", "Disable crawl"]
        assert set(found) >= {f"Disable until a time: {name}" for name in ("heartbeat", "off", "crawl")}
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
        assert (await helps(app, "log: follow"))[0].startswith("^l · Follow the newest line")
        assert (await helps(app, "undo"))[0] == "u · Undo the last change."
        assert (await helps(app, "quit"))[0] == "q · Leave; asks when runs are active."
        await pilot.press("colon", *"log: runs")
        await pilot.pause(0.5)
        assert any("[ · Go to the previous run" in line for line in screen_text(app))


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
        assert len(app.main.panel(Panel.SCHEDULED).rows) == 10_000


async def test_the_names_are_searched_once_for_all_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[str] = []

    def steps(rows: Iterable[TaskRow]) -> Iterator[list[TaskRow]]:
        searches.append("")
        return in_steps(rows)

    monkeypatch.setattr("taskkit_tui.palette.in_steps", steps)
    async with dashboard(task(1), task(2, "backup")) as (app, _, _pilot):
        assert await words(app, "nowhere") == []
        assert len(searches) == 1
        found = await words(app, "backup")
        assert found[0] == "Run backup"
        assert all("backup" in entry for entry in found)
        assert len(found) > 3
        assert len(searches) == 2


class Slow(Provider):
    """Commands that are never found."""

    async def search(self, query: str) -> Hits:
        await Event().wait()
        yield Hit(1.0, "never", str)

    async def discover(self) -> Hits:
        async for hit in self.search(""):
            yield DiscoveryHit("never", hit.command)


async def test_one_can_type_before_the_first_commands_are_found() -> None:
    async with dashboard(task(1)) as (app, _, pilot):
        app.push_screen(PaletteScreen([Slow]))
        await waited(pilot, lambda: any("Search for commands" in line for line in screen_text(app)))


class Searched(Provider):
    """Commands that are found when the test says so."""

    answers: ClassVar[dict[str, Event]]
    done: ClassVar[list[str]]

    async def discover(self) -> Hits:
        yield DiscoveryHit("stale", lambda: self.done.append("stale"))

    async def search(self, query: str) -> Hits:
        if (answer := self.answers.get(query)) is not None:
            await answer.wait()
        for score, name in ((0.5, f"second of {query}"), (0.9, f"first of {query}")):
            yield Hit(score, name, partial(self.done.append, name))


@asynccontextmanager
async def searching(*held: str) -> AsyncIterator[tuple[PaletteScreen, Pilot[None]]]:
    """A palette that shows a command, and whose search for each of these texts waits for the test."""
    Searched.answers, Searched.done = {text: Event() for text in held}, []
    async with dashboard(task(1)) as (app, _, pilot):
        palette = PaletteScreen([Searched])
        app.push_screen(palette)
        await waited(pilot, lambda: bool(palette.query(CommandList)) and shown(palette) == ["stale"])
        yield palette, pilot


def shown(palette: PaletteScreen) -> list[str]:
    return [str(option.prompt) for option in palette.query_one(CommandList).options]


async def test_enter_waits_for_what_is_found_for_the_typed_text() -> None:
    async with searching("ab") as (palette, pilot):
        type_at_once(pilot.app, "a", "b", "enter")
        await waited(pilot, lambda: keys_wait(pilot.app))
        assert Searched.done == []
        Searched.answers["ab"].set()
        await waited(pilot, lambda: bool(Searched.done))
        assert Searched.done == ["first of ab"]
        await waited(pilot, lambda: not palette.is_active)


async def test_the_cursor_of_the_palette_moves_in_what_is_found_for_the_typed_text() -> None:
    async with searching("ab") as (_, pilot):
        type_at_once(pilot.app, "a", "b", "down", "enter")
        await waited(pilot, lambda: keys_wait(pilot.app))
        Searched.answers["ab"].set()
        await waited(pilot, lambda: bool(Searched.done))
        assert Searched.done == ["second of ab"]


async def test_an_edited_text_takes_back_the_enter_of_the_text_before() -> None:
    async with searching("a", "ab") as (palette, pilot):
        type_at_once(pilot.app, "a", "enter")
        await waited(pilot, lambda: keys_wait(pilot.app))
        palette.query_one(CommandInput).value = "ab"
        await waited(pilot, lambda: not keys_wait(pilot.app))
        for answer in Searched.answers.values():
            answer.set()
        await waited(pilot, lambda: "first of ab" in shown(palette))
        assert Searched.done == []
        await pilot.press("enter")
        assert Searched.done == ["first of ab"]


async def test_an_enter_that_waited_too_long_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskkit_tui.palette_screen.SEARCH_SECONDS", 0.0)
    async with searching("a") as (palette, pilot):
        type_at_once(pilot.app, "a", "enter")
        await waited(pilot, lambda: palette.query_one(CommandInput).value == "a")
        await pilot.press("f12")  # comes after the enter has been handled
        Searched.answers["a"].set()
        await waited(pilot, lambda: "first of a" in shown(palette))
        assert Searched.done == []
        assert palette.is_active


async def test_what_is_typed_after_the_enter_goes_where_it_leads() -> None:
    async with searching("a") as (palette, pilot):
        type_at_once(pilot.app, "a", "enter", "2")
        await waited(pilot, lambda: keys_wait(pilot.app))
        Searched.answers["a"].set()
        await waited(pilot, lambda: not palette.is_active)
        app = pilot.app
        await waited(pilot, lambda: app.focused is app.main.panel(Panel.RUNNING))  # type: ignore[attr-defined]
        assert Searched.done == ["first of a"]


async def test_the_palette_may_be_closed_while_an_enter_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskkit_tui.palette_screen._CHECK_SECONDS", 0.0)  # at every moment of the closing
    async with searching("a") as (palette, pilot):
        type_at_once(pilot.app, "a", "enter")
        await waited(pilot, lambda: keys_wait(pilot.app))
        palette.dismiss()
        await waited(pilot, lambda: not palette.is_running and not keys_wait(pilot.app))
        assert Searched.done == []
