"""Where Textual itself would raise, the dashboard does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fake_backend import dashboard, task
from rich.console import Console
from textual import events
from textual.geometry import Region
from textual.widgets import OptionList
from textual.widgets._toast import Toast, ToastHolder

import taskkit_tui
from taskkit.operations import Offer
from taskkit_tui import resource_limits


async def test_a_click_on_a_toast_that_is_being_replaced_does_nothing() -> None:
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


async def test_nothing_is_left_of_toasts_that_are_gone() -> None:
    async with dashboard(task()) as (app, _, pilot):
        for number in range(12):
            app.notify(f"toast {number}", timeout=60, severity="error" if number % 2 else "information")
            await pilot.pause()
            # Its time is over, and its timer has not fired yet: so it is for a moment with every toast.
            for toast in app.screen.query(Toast):
                toast._notification.raised_at -= 100
        app.notify("the last")
        await pilot.pause()

        assert [toast._notification.message for toast in app.screen.query(Toast)] == ["the last"]
        assert len(app.screen.query(ToastHolder)) <= 2  # the one before goes when the next comes


async def test_a_lone_surrogate_is_copied_as_a_question_mark() -> None:
    async with dashboard(task(1, "a\ud800b")) as (app, _, pilot):
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard == "a?b"


async def test_a_list_that_is_not_laid_out_ignores_page_keys(monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_a_piece_for_which_there_is_no_memory_is_not_painted_and_the_app_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard() as (app, _, pilot):
        monkeypatch.setattr(type(app), "is_headless", False)  # else nothing is painted
        monkeypatch.setattr(Console, "render", starve)
        app._display(app.screen, "a text")
        monkeypatch.undo()
        await pilot.pause()
        assert app._exception is None


def starve(*_: object) -> None:
    raise MemoryError


def test_every_screen_that_is_opened_late_is_loaded_soon_after_the_first_paint() -> None:
    """Where memory or descriptors have run out, a screen that is not loaded yet could not open."""
    folder = Path(taskkit_tui.__file__).parent
    texts = [(folder / name).read_text() for name in ("app.py", "dialogs.py", "textual_workarounds.py")]
    late = re.findall(r"^ +from (taskkit_tui\.(?:screens\.\w+|palette_screen)) import", "".join(texts), re.M)
    assert set(late) <= set(resource_limits.PRELOADED_MODULES)
