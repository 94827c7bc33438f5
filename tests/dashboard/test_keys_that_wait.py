"""Keys that follow something which takes a while act on its result, not on what was there before."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any

import pytest
from fake_backend import NOW, FakeBackend, dashboard, screen_text, task
from test_details import details
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input
from typed_keys import keys_wait, type_at_once, waited

from taskkit import Parameter
from taskkit.operations import Offer
from taskkit_tui.app import TaskkitApp
from taskkit_tui.keys.key_order import KEYS_WAIT
from taskkit_tui.log import search
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.screens.service_dialog import ServiceScreen
from taskkit_tui.textual_workarounds import SteadyApp
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.row import Panel
from taskkit_tui.viewmodel.services import ServiceChoice


class Held:
    """Answers of a method of the backend that come when the test says."""

    def __init__(self, backend: FakeBackend, method: str) -> None:
        self._answer: Callable[..., Coroutine[Any, Any, Any]] = getattr(backend, method)
        self._released: dict[object, Event] = {}
        self.asked: list[object] = []
        setattr(backend, method, self)

    async def __call__(self, first: object, *others: Any, **named: Any) -> Any:
        self.asked.append(first)
        await self._event(first).wait()
        return await self._answer(first, *others, **named)

    def release(self, first: object) -> None:
        """Let the answers come whose first argument is this."""
        self._event(first).set()

    def _event(self, first: object) -> Event:
        return self._released.setdefault(first, Event())


def field(app: TaskkitApp, id: str) -> Input:  # noqa: A002 - Textual's name
    return app.screen.query_one(f"#{id}", Input)


def is_in_dialog(app: TaskkitApp) -> bool:
    return isinstance(app.screen, Dialog) and isinstance(app.focused, Input)


def is_sending(app: TaskkitApp) -> bool:
    """Whether the enter of a dialog has read the text. What opened the dialog may hold back keys as well."""
    workers = (each for each in app.workers if each.group == KEYS_WAIT and each.node is app.screen)
    return any(each.is_running for each in workers)


# The key, the field, the method that reads it, and the command that is carried out.
ASKED = [("U", "until", "preview_time", "disable_until"), ("p", "when", "preview", "reschedule")]


@pytest.mark.parametrize(("key", "name", "method", "command"), ASKED)
async def test_a_text_that_is_edited_after_enter_is_not_sent_as_it_was(
    key: str, name: str, method: str, command: str
) -> None:
    async with dashboard(task(1, period=None)) as (app, backend, pilot):
        held = Held(backend, method)
        await pilot.press(key)
        await waited(pilot, lambda: is_in_dialog(app))
        type_at_once(app, "ctrl+u", *"23:00", "enter")
        await waited(pilot, lambda: is_sending(app))
        field(app, name).value = "23:30"
        held.release("23:00")
        await waited(pilot, lambda: not is_sending(app))
        assert isinstance(app.screen, Dialog)
        assert backend.calls == []
        assert "23:00" not in "".join(screen_text(app)).replace("23:30", "")
        await pilot.press("enter")
        held.release("23:30")
        await waited(pilot, lambda: bool(backend.calls))
        assert [call[0] for call in backend.calls] == [command]


async def test_fields_that_are_edited_after_they_were_sent_register_nothing() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (Offer("demo:Tick", "Tick", "Ticks.", ()),)
        held = Held(backend, "preview")
        await pilot.press("n")
        await waited(pilot, lambda: is_in_dialog(app))
        type_at_once(app, "ctrl+j")
        await waited(pilot, lambda: keys_wait(app))
        app.set_focus(field(app, "name"))
        await pilot.pause()
        field(app, "name").value = "another"
        held.release("30")
        await waited(pilot, lambda: not keys_wait(app))
        assert backend.calls == []
        await pilot.press("ctrl+j")
        await waited(pilot, lambda: bool(backend.calls))
        assert backend.calls[0][1].name == "another"


@pytest.mark.parametrize(("key", "name", "method", "command"), ASKED)
async def test_keys_after_the_enter_of_a_dialog_act_where_it_leads(
    key: str, name: str, method: str, command: str
) -> None:
    async with dashboard(task(1, period=None)) as (app, backend, pilot):
        held = Held(backend, method)
        type_at_once(app, key, "ctrl+u", *"23:00", "enter", "2")
        await waited(pilot, lambda: isinstance(app.screen, Dialog) and keys_wait(app))
        assert field(app, name).value == "23:00"
        held.release("23:00")
        await waited(pilot, lambda: app.focused is app.main.panel(Panel.RUNNING))
        assert [call[0] for call in backend.calls] == [command]


async def test_keys_typed_for_a_dialog_that_opens_later_act_in_it() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.details["heartbeat"] = details(
            task=task(1), parameters=(Parameter("d", "str", required=True),)
        )
        held = Held(backend, "describe")
        type_at_once(app, "R", "d", "enter")
        await waited(pilot, lambda: keys_wait(app))
        assert backend.calls == []
        held.release("heartbeat")
        await waited(pilot, lambda: bool(backend.calls))
        assert backend.calls == [("run", "heartbeat", {"d": "d"})]


async def test_a_command_after_a_filter_is_to_the_row_that_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = Event()
    work = TaskModel.work
    monkeypatch.setattr(TaskModel, "work", lambda model, seconds: goes_on.is_set() and work(model, seconds))
    tasks = [task(number, f"task {number}", next_run=NOW + number) for number in range(1, 9)]
    async with dashboard(*tasks) as (app, backend, pilot):
        type_at_once(app, "slash", "7", "enter", "d")
        await waited(pilot, lambda: keys_wait(app))
        assert backend.calls == []
        goes_on.set()
        await waited(pilot, lambda: bool(backend.calls))
        assert backend.calls == [("disable", "task 7")]


async def test_enter_in_the_search_of_the_log_goes_to_the_nearest_match_of_all_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "SEARCH_SECONDS", 0)
    monkeypatch.setattr(search, "_SLICES", (1, 1))
    async with dashboard(task(1)) as (app, _, pilot):
        texts = ["error one", *["fine"] * 300, "error two", *["fine"] * 300]
        pane = app.main.log_pane
        pane.append([LogLine(NOW, "heartbeat", 1, "stdout", 20, text) for text in texts], 0)
        await pilot.press("4")
        type_at_once(app, "slash", *"error", "enter")
        await waited(pilot, lambda: pane._prompt is None and pane._finder is not None)
        assert pane._finder is not None
        assert pane._finder.wanted == "error"
        await waited(pilot, lambda: pane._finder is not None and not pane._finder.is_incomplete)
        assert pane.current_line is not None
        assert pane.current_line.text == "error two"


def choice(name: str) -> ServiceChoice:
    return ServiceChoice(f"/{name}.sock", name, 17, None, None, None)


async def chosen_of(pilot: Pilot[None], *before: str, now: tuple[str, ...], key: str) -> list[str | None]:
    answers: list[str | None] = []
    screen = ServiceScreen([choice(name) for name in before], reason="Several run.", leaving="leave")
    pilot.app.push_screen(screen, answers.append)
    await waited(pilot, lambda: screen.answers_from < inf)
    screen.show([choice(name) for name in now])
    await pilot.press(key)
    return answers


@pytest.mark.parametrize(
    ("now", "key", "chosen"),
    [
        (("b", "c"), "1", []),
        (("b", "c"), "2", ["/b.sock"]),
        (("a0", "a", "b"), "2", ["/b.sock"]),
        (("a0", "a", "b"), "4", ["/a0.sock"]),
        (("b", "c"), "enter", []),
        (("a0", "a", "b"), "enter", ["/a.sock"]),
    ],
)
async def test_a_scheduler_that_comes_or_goes_makes_no_key_choose_another(
    now: tuple[str, ...], key: str, chosen: list[str]
) -> None:
    async with dashboard(task(1)) as (_, _, pilot):
        assert await chosen_of(pilot, "a", "b", "c", now=now, key=key) == chosen


async def test_keys_from_before_the_question_is_painted_are_no_answer() -> None:
    """It opens by itself: nobody can have meant it."""
    answers: list[str | None] = []
    screen = ServiceScreen([choice("a"), choice("b")], reason="Several run.", leaving="leave")
    async with dashboard(task(1)) as (app, _, pilot):
        late = [Key("escape", None), Key("1", "1"), Key("enter", None)]
        app.push_screen(screen, answers.append)
        type_at_once(app, "2", "enter")
        await waited(pilot, lambda: screen.answers_from < inf)
        for key in late:
            app.post_message(key)
        await pilot.pause()
        assert screen.is_active
        assert answers == []
        await pilot.press("2")
        assert answers == ["/b.sock"]


async def test_a_key_that_waited_for_another_is_as_old_as_it_was() -> None:
    seen: list[float] = []

    class Listening(SteadyApp):
        def on_key(self, event: Key) -> None:
            seen.append(event.time)

    app = Listening()
    async with app.run_test() as pilot:
        keys = [Key(each, each) for each in "abc"]
        for key in keys:
            app.post_message(key)
        await waited(pilot, lambda: len(seen) == 3)
    assert seen == [key.time for key in keys]
