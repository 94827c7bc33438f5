"""Screens under others: what cannot be seen is not painted, and what has changed is shown afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from fake_backend import NOW, dashboard, screen_text, task
from idle import eventually
from textual.screen import ModalScreen, Screen

from taskkit import Stream
from taskkit_tui.app import TaskkitApp
from taskkit_tui.log.log_line import LogLine

SOME = (task(1, "heartbeat", next_run=NOW + 9), task(2, "backup", next_run=NOW + 50))


class Opaque(Screen[None]):
    """Covers the tasks."""

    DEFAULT_CSS = "Opaque { background: black; }"


class Translucent(ModalScreen[None]):
    """Dims the tasks."""

    DEFAULT_CSS = "Translucent { background: black 50%; }"


def count_paints(app: TaskkitApp, monkeypatch: pytest.MonkeyPatch) -> list[Screen[Any]]:
    """Return a list that gets a screen each time it is painted."""
    painted: list[Screen[Any]] = []
    original = app._display

    def display(screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None:
            painted.append(screen)
        original(screen, renderable)

    monkeypatch.setattr(app, "_display", display)
    return painted


def shows(app: TaskkitApp, *words: str) -> bool:
    return any(all(word in line for word in words) for line in screen_text(app))


async def test_a_screen_is_not_painted_again_for_what_changes_under_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        app.push_screen(Opaque())
        await eventually(pilot, lambda: isinstance(app.screen, Opaque))
        painted = count_paints(app, monkeypatch)
        for second in range(3):
            backend.time = NOW + second
            backend.put(task(1, "heartbeat", run_count=second))
            backend.write(LogLine(NOW, "heartbeat", 1, Stream.STDOUT, 20, f"line {second}"))
            app.look()
            await pilot.pause()
        assert painted == []


async def test_what_has_changed_under_a_screen_is_shown_when_it_is_left() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        app.push_screen(Opaque())
        await eventually(pilot, lambda: isinstance(app.screen, Opaque))
        backend.time = NOW + 4
        backend.put(task(3, "new one", next_run=NOW + 30))
        backend.write(LogLine(NOW, "heartbeat", 1, Stream.STDOUT, 20, "a line from below"))
        app.look()
        await pilot.pause()
        app.pop_screen()
        await eventually(pilot, lambda: shows(app, "heartbeat", "0:05"))
        assert shows(app, "Scheduled 3")
        assert shows(app, "new one")
        assert shows(app, "a line from below")


async def test_under_a_dialog_the_rows_change_once_a_second() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        app.push_screen(Translucent())
        await eventually(pilot, lambda: isinstance(app.screen, Translucent))
        backend.put(task(3, "new one", next_run=NOW + 30))
        app.look()
        await pilot.pause()
        assert shows(app, "Scheduled 2")
        backend.time = NOW + 1
        app.look()
        await eventually(pilot, lambda: shows(app, "Scheduled 3"))
        assert shows(app, "new one")


async def test_what_has_changed_under_a_dialog_is_shown_when_it_is_left() -> None:
    async with dashboard(*SOME) as (app, backend, pilot):
        app.push_screen(Translucent())
        await eventually(pilot, lambda: isinstance(app.screen, Translucent))
        backend.put(task(3, "new one", next_run=NOW + 30))
        app.look()
        app.pop_screen()
        await eventually(pilot, lambda: shows(app, "Scheduled 3"))
