"""What `docs/keys.md` says of keys, and of where their files are, is what the code says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from taskkit_tui.keys.bindings import BINDING_IDS, KEY_CONTEXTS
from taskkit_tui.keys.keymap import keymap_path, read_keymap
from taskkit_tui.settings import APP_NAME, settings_path

ROOT = Path(__file__).parents[2]
DASHBOARD = (ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8")
DOCS = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")


def test_the_tables_of_keys_are_those_of_the_commands() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_keys.py"))

    assert made["keys_page"](DOCS) == DOCS
    assert made["dashboard_page"](DASHBOARD) == DASHBOARD


def test_the_tables_name_all_ids_that_can_be_given_keys() -> None:
    ids = set(re.findall(r"^\| `([a-z-]+\.[a-z-]+)`", DOCS, re.MULTILINE))

    assert ids == BINDING_IDS


def test_its_example_is_read_without_a_complaint(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)[0])

    keys, problems = read_keymap(path, KEY_CONTEXTS)

    assert keys["task.run"] == "x"
    assert problems == []


def test_its_warning_about_a_key_that_is_taken_is_the_one_of_the_program(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    taken, warning = re.search(r"With `(stop = .*?)` .*? says:\n\n> (.*)\n", DOCS).groups()
    path.write_text(f"[task]\n{taken}\n")

    assert read_keymap(path, KEY_CONTEXTS)[1] == [warning]


def test_the_files_are_where_it_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for title, system in (("Linux", Unix(APP_NAME)), ("macOS", MacOS(APP_NAME))):
        folders = [Path(system.user_config_dir), Path(system.user_state_dir)]
        config, state = (f"`~/{folder.relative_to(tmp_path)}`" for folder in folders)
        assert f"| {title} | {config} | {state} |" in DOCS
    assert (keymap_path().name, settings_path().name) == ("keymap.toml", "settings.json")


def test_the_example_of_the_dashboards_page_is_read_without_a_complaint(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DASHBOARD, re.DOTALL)
    path = tmp_path / "keymap.toml"
    path.write_text(example)

    assert read_keymap(path, KEY_CONTEXTS)[1] == []
