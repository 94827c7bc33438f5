"""What is remembered, and a person's own keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_backend import NOW, dashboard, screen_text, task, toasts

from taskkit import TaskDetails
from taskkit_tui.keys import BINDING_IDS
from taskkit_tui.screens.details import DetailsScreen
from taskkit_tui.settings import Memory, Settings, View, read_keymap
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


def test_keys_are_read_from_both_spellings(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('"task.run" = "x"\n[task]\nstop = "k,f5"\n')
    assert read_keymap(path, BINDING_IDS) == ({"task.run": "x", "task.stop": "k,f5"}, [])
    assert read_keymap(tmp_path / "none.toml", BINDING_IDS) == ({}, [])


def test_what_is_wrong_with_a_keymap_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('[task]\nfly = "x"\nrun = 5\nstop = ""\n')
    keys, problems = read_keymap(path, BINDING_IDS)
    assert keys == {}
    assert len(problems) == 3
    assert "there is no action 'task.fly'" in problems[0]
    path.write_text("= what")
    assert len(read_keymap(path, BINDING_IDS)[1]) == 1


async def test_a_keymap_changes_keys_footer_and_help() -> None:
    async with dashboard(task(1), keymap={"task.run": "x"}, notices=["keymap.toml: odd"]) as (
        app,
        backend,
        pilot,
    ):
        assert "x Run now" in screen_text(app)[-1]
        assert toasts(app) == ["keymap.toml: odd"]
        await pilot.press("r", "x")
        await pilot.pause()
        assert backend.calls == [("run", "heartbeat", {})]
        assert NOW


async def test_a_keymap_changes_the_keys_of_the_details_too(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('[view]\nlast-traceback = "x"\n')
    keymap, problems = read_keymap(path, BINDING_IDS)
    assert not problems
    async with dashboard(task(1), keymap=keymap) as (app, backend, pilot):
        backend.details["heartbeat"] = TaskDetails(task(1), "It waits.", {}, None, (), (), (), ())
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailsScreen)
        assert app.screen.active_bindings["x"].binding.action == "last_traceback"
        assert "t" not in app.screen.active_bindings
