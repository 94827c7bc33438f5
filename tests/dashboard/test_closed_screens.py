"""A screen may be closed at any moment of its work, as by `esc` while the scheduler's answer comes."""

from __future__ import annotations

from asyncio import sleep
from typing import Any

import pytest
from fake_backend import NOW, dashboard, task
from test_details import details
from textual.screen import Screen
from textual.widget import Widget
from typed_keys import waited

from taskkit import TaskDetails
from taskkit_tui.screens.confirm_dialog import ConfirmScreen
from taskkit_tui.screens.details_screen import DetailsScreen
from taskkit_tui.widgets.background import begin


async def nothing_new() -> TaskDetails | None:
    return details()


@pytest.mark.parametrize(
    ("screen", "found"),
    [
        (lambda: ConfirmScreen("Sure?"), "#no"),
        (lambda: DetailsScreen(details(), nothing_new, now=lambda: NOW), "#history"),
    ],
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
