"""The first paint: it shows tasks, and waits for nothing that it does not need."""

from __future__ import annotations

from typing import Any

import pytest
from fake_backend import NOW, FakeBackend, screen_text, task
from idle import eventually
from textual.screen import Screen

from taskkit import Scheduler
from taskkit_tui import bridge as bridge_module
from taskkit_tui.app import TaskkitApp
from taskkit_tui.backend import Frame
from taskkit_tui.bridge import Bridge
from taskkit_tui.tour import TouredApp
from taskkit_tui.viewmodel.row import Panel


def note_paints(app: TaskkitApp, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return a list that gets the lines of the screen each time it is painted."""
    paints: list[list[str]] = []
    original = app._display

    def display(screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None:
            paints.append(screen_text(app))
        original(screen, renderable)

    monkeypatch.setattr(app, "_display", display)
    return paints


@pytest.mark.parametrize("kind", [TaskkitApp, TouredApp])
async def test_the_first_paint_shows_tasks_in_their_columns_and_on_the_timeline(
    kind: type[TaskkitApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = kind(FakeBackend(task(1, "heartbeat", next_run=NOW + 9)))
    paints = note_paints(app, monkeypatch)
    async with app.run_test(size=(120, 36)) as pilot:
        await eventually(pilot, lambda: paints)
        first = paints[0]
        assert any("Scheduled 1 " in line for line in first)
        assert any("heartbeat" in line and " 0:09 " in line for line in first)
        assert any("next 1 min  ┃" in line and line.count("┃") > 1 for line in first)


async def test_of_many_tasks_the_first_are_painted_before_the_rest_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bridge_module, "_PART", 3)
    monkeypatch.setattr(bridge_module, "READ_SECONDS", 60.0)
    scheduler = Scheduler(capture=False)
    for number in range(20):
        scheduler.add_on_demand_task(print, f"task {number}")
    app = TaskkitApp(Bridge(scheduler))
    paints = note_paints(app, monkeypatch)
    looks: list[int] = []  # the number of paints before each of them
    collect = app.backend.collect

    def note_look() -> Frame:
        looks.append(len(paints))
        return collect()

    monkeypatch.setattr(app.backend, "collect", note_look)
    async with app.run_test(size=(120, 36)) as pilot:
        await eventually(pilot, lambda: len(app.model.rows_in(Panel.ON_DEMAND)) == 20)
        assert "On demand 3 " in "\n".join(paints[0])
        assert looks[0] == 0 < looks[1]
    app.backend.close(1.0)
