"""What is remembered from one session to the next."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_backend import dashboard, screen_text, task

from taskkit_tui.settings import Memory, Settings, View
from taskkit_tui.viewmodel.row import Place


async def test_theme_layout_sorting_and_filter_are_remembered_per_target(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    async with dashboard(task(1), task(2, "nightly"), memory=Memory(path, "a")) as (app, _, pilot):
        app.theme = "nord"
        await pilot.press("o", "O", "greater_than_sign", "slash", *"night", "enter", "z", "q")
        await pilot.pause()
    async with dashboard(task(1), task(2, "nightly"), memory=Memory(path, "a")) as (app, _, pilot):
        assert app.theme == "nord"
        assert app.main.maximised
        assert app.main.zoom_index == 1
        panel = app.main.panel(Place.SCHEDULED)
        assert panel.rows.sorting.reverse
        assert panel.rows.sorting.column.key == "last"
        assert len(panel.rows) == 1
        assert "/night" in screen_text(app)[0]
    async with dashboard(task(1), task(2, "nightly"), memory=Memory(path, "b")) as (app, _, pilot):
        assert app.theme == "nord"
        assert len(app.main.panel(Place.SCHEDULED).rows) == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"theme": 5, "views": 7}',
        '{"views": {"a": {"zoom": "x", "sorted_by": 3}}}',
        "[" * 100_000,
    ],
)
def test_a_broken_file_costs_the_settings_and_nothing_else(tmp_path: Path, content: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    memory = Memory(path, "a")
    assert memory.recall() == Settings()
    memory.keep(Settings("nord", View(zoom=2)))
    assert memory.recall() == Settings("nord", View(zoom=2))


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "settings.json", "a")
    memory.keep(Settings("nord"))
    assert memory.recall() == Settings()


def test_only_the_last_fifty_targets_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for number in range(60):
        Memory(path, f"target {number}").keep(Settings(view=View(zoom=1)))
    assert Memory(path, "target 5").recall().view.zoom == 0
    assert Memory(path, "target 59").recall().view.zoom == 1


def test_a_pipe_in_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    os.mkfifo(path)
    assert Memory(path, "a").recall() == Settings()
