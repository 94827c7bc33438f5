"""What is remembered from one session to the next."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_backend import dashboard, screen_text, task

from taskkit_tui.settings import SavedView, Settings, SettingsFile
from taskkit_tui.viewmodel.row import Panel


async def test_theme_layout_and_sorting_are_remembered_per_target_and_no_filter(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    async with dashboard(task(1), task(2, "nightly"), settings_file=SettingsFile(path, "a")) as (
        app,
        _,
        pilot,
    ):
        app.theme = "nord"
        await pilot.press("o", "O", "greater_than_sign", "slash", *"night", "enter", "z", "q")
        await pilot.pause()
    async with dashboard(task(1), task(2, "nightly"), settings_file=SettingsFile(path, "a")) as (
        app,
        _,
        pilot,
    ):
        assert app.theme == "nord"
        assert app.main.maximised
        assert app.main.zoom_index == 1
        panel = app.main.panel(Panel.SCHEDULED)
        assert panel.rows.sorting.reverse
        assert panel.rows.sorting.column.key == "last"
        assert len(panel.rows) == 2
        assert "/night" not in screen_text(app)[0]
    async with dashboard(task(1), task(2, "nightly"), settings_file=SettingsFile(path, "b")) as (
        app,
        _,
        pilot,
    ):
        assert app.theme == "nord"
        assert len(app.main.panel(Panel.SCHEDULED).rows) == 2


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
    file = SettingsFile(path, "a")
    assert file.load() == Settings()
    file.save(Settings("nord", SavedView(zoom=2)))
    assert file.load() == Settings("nord", SavedView(zoom=2))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_that_an_editor_has_marked_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "settings.json"
    file = SettingsFile(path, "a")
    file.save(Settings("nord", SavedView(zoom=2)))
    path.write_bytes(path.read_text(encoding="utf-8").replace("\n", "\r\n").encode(encoding))
    assert file.load() == Settings("nord", SavedView(zoom=2))


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = SettingsFile(tmp_path / "file" / "settings.json", "a")
    file.save(Settings("nord"))
    assert file.load() == Settings()


def test_only_the_last_fifty_targets_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for number in range(60):
        SettingsFile(path, f"target {number}").save(Settings(view=SavedView(zoom=1)))
    assert SettingsFile(path, "target 5").load().view.zoom == 0
    assert SettingsFile(path, "target 59").load().view.zoom == 1


def test_a_pipe_in_place_of_the_file_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    os.mkfifo(path)
    assert SettingsFile(path, "a").load() == Settings()


def test_the_settings_are_for_their_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "taskkit-tui"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    path = folder / "settings.json"
    path.write_text("{}")
    (folder / f"settings.json.{os.getpid()}").touch(0o644)
    before = os.umask(0)
    try:
        SettingsFile(path, "a").save(Settings(theme="nord"))
        SettingsFile(tmp_path / "made" / "here" / "settings.json", "a").save(Settings())
    finally:
        os.umask(before)
    assert [each.name for each in folder.iterdir()] == ["settings.json"]
    assert path.stat().st_mode & 0o777 == 0o600
    for private in (folder, tmp_path / "made", tmp_path / "made" / "here"):
        assert private.stat().st_mode & 0o777 == 0o700
