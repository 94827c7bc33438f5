"""A screen may be closed at any moment of its work, as by `esc` while the scheduler's answer comes."""

from __future__ import annotations

from asyncio import sleep, timeout
from typing import Any

import pytest
from fake_backend import NOW, dashboard, task
from test_details import details
from textual.screen import Screen
from textual.widget import Widget
from typed_keys import PATIENCE, waited

from taskkit import TaskDetails
from taskkit_tui.screens.confirm_dialog import ConfirmScreen
from taskkit_tui.screens.details_screen import DetailsScreen
from taskkit_tui.widgets.background import begin


async def nothing_new() -> TaskDetails | None:
    return details()


def details_screen() -> DetailsScreen:
    return DetailsScreen(details(), nothing_new, now=lambda: NOW)


@pytest.mark.parametrize(
    ("screen", "found"), [(lambda: ConfirmScreen("Sure?"), "#no"), (details_screen, "#history")]
)
async def test_work_of_a_closed_screen_does_not_go_on_without_its_widgets(screen: Any, found: str) -> None:
    async with dashboard(task(1)) as (app, _, pilot):
        closed: Screen[None] = screen()
        looks = 0

        async def look_all_the_time() -> None:
            nonlocal looks
            while True:
                await sleep(0)
                closed.query_one(found, Widget)
                looks += 1

        await app.push_screen(closed)
        await begin(closed, look_all_the_time)
        await waited(pilot, lambda: looks > 0)
        await app.pop_screen()
        await waited(pilot, lambda: all(each.is_finished for each in app.workers if each.node is closed))


async def test_leaving_while_a_screen_opens_is_no_fault() -> None:
    async with dashboard(task(1)) as (app, _, _pilot):
        opened = details_screen()
        app.push_screen(opened)
        app.exit()  # before the screen has made its widgets
        async with timeout(PATIENCE):
            while not opened.is_mounted:
                await sleep(0)
        assert app._exception is None
    assert app.return_code == 0


async def test_a_screen_that_is_closed_while_it_opens_is_no_fault() -> None:
    async with dashboard(task(1)) as (app, _, pilot):
        opened = details_screen()
        app.push_screen(opened)
        app.pop_screen()
        await waited(pilot, lambda: opened not in app.screen_stack)
        await pilot.pause()
        assert app._exception is None
