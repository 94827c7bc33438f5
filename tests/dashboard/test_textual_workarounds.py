"""Where Textual itself would raise, the dashboard does not."""

from __future__ import annotations

import pytest
from fake_backend import dashboard, task
from textual import events
from textual.geometry import Region
from textual.widgets import OptionList
from textual.widgets._toast import Toast

from taskkit_tui.viewmodel.new_task import Offer


async def test_a_click_on_a_toast_that_is_being_replaced_is_nothing() -> None:
    async with dashboard(task()) as (app, _, pilot):
        app.notify("soon replaced")
        await pilot.pause()
        toast = app.screen.query_one(Toast)
        x, y = toast.region.offset
        parent, toast._parent = toast._parent, None  # so it is for a moment, still on the screen
        for kind in (events.MouseMove, events.MouseDown):
            await app.on_event(kind(None, x + 2, y, 0, 0, 1, False, False, False, x + 2, y))
        toast._parent = parent
        assert app.is_running


async def test_half_a_character_is_copied_as_a_question_mark() -> None:
    async with dashboard(task(1, "a\ud800b")) as (app, _, pilot):
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard == "a?b"


async def test_a_list_that_is_not_laid_out_turns_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard(task()) as (app, backend, pilot):
        backend.offered = (Offer("demo:Page", "Page", "", ()), Offer("demo:Tick", "Tick", "", ()))
        await pilot.press("n", "enter")
        assert isinstance(app.focused, OptionList)
        # So it is between a change of size and the next layout; turning a page is a KeyError then.
        turned: list[int] = []
        monkeypatch.setattr(OptionList, "_move_page", lambda _, direction: turned.append(direction))
        await pilot.press("pagedown")
        assert turned == [1]
        monkeypatch.setattr(OptionList, "scrollable_content_region", Region())
        await pilot.press("pagedown", "pageup")
        assert turned == [1]
