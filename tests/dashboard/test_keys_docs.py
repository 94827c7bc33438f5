"""What `docs/keys.md` says of keys, and of where their files are, is what the code says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from textual.binding import Binding, BindingType
from textual.keys import key_to_character

from taskkit_tui.app_bindings import APP_BINDINGS
from taskkit_tui.keymap import keymap_path, read_keymap
from taskkit_tui.keys import BINDING_IDS, PLACES
from taskkit_tui.screens.details_keys import DETAILS_BINDINGS
from taskkit_tui.screens.main_bindings import MAIN_BINDINGS
from taskkit_tui.settings import APP_NAME, settings_path
from taskkit_tui.widgets.line_bindings import CHART_BINDINGS, LINE_BINDINGS
from taskkit_tui.widgets.log_bindings import LOG_BINDINGS
from taskkit_tui.widgets.panel_bindings import PANEL_BINDINGS
from taskkit_tui.widgets.tour_bindings import TOUR_BINDINGS

DOCS = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
TABLES = {
    "Everywhere": APP_BINDINGS,
    "On the main screen": MAIN_BINDINGS,
    "In a panel of tasks": PANEL_BINDINGS,
    "In the log": LOG_BINDINGS,
    "In the details": [*DETAILS_BINDINGS, *LINE_BINDINGS, *CHART_BINDINGS],
    "In the tour": TOUR_BINDINGS,
}


def written(key: str) -> str:
    """A key as a person writes it into the file."""
    character = {"slash": "/", "plus": "+", "minus": "-"}.get(key) or key_to_character(key) or key
    return character if character.isprintable() and not character.isspace() else key


def table(bindings: Sequence[BindingType]) -> str:
    """The rows that the document has for these, one for each id."""
    rows: dict[str, tuple[list[str], str]] = {}
    for binding in Binding.make_bindings(bindings):
        keys, _ = rows.setdefault(binding.id or "", ([], binding.tooltip))
        keys.append(f"`{written(binding.key)}`")
    return "\n".join(
        f"| `{identity}` | {' '.join(dict.fromkeys(keys))} | {words} |"
        for identity, (keys, words) in rows.items()
    )


@pytest.mark.parametrize("title", TABLES)
def test_each_table_tells_every_key_with_its_words(title: str) -> None:
    section = DOCS.partition(f"\n### {title}\n")[2].partition("\n#")[0]
    rows = "\n".join(re.findall(r"^\| `.*$", section, re.MULTILINE))

    assert rows == table(TABLES[title])


def test_the_tables_name_all_ids_that_can_be_given_keys() -> None:
    told = set(re.findall(r"^\| `([a-z-]+\.[a-z-]+)`", DOCS, re.MULTILINE))

    assert told == BINDING_IDS


def test_its_example_is_read_without_a_complaint(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)[0])

    keys, problems = read_keymap(path, PLACES)

    assert keys["task.run"] == "x"
    assert problems == []


def test_what_it_says_is_told_of_a_key_that_is_taken_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    taken, told = re.search(r"With `(stop = .*?)` .*? told:\n\n> (.*)\n", DOCS).groups()
    path.write_text(f"[task]\n{taken}\n")

    assert read_keymap(path, PLACES)[1] == [told]


def test_the_files_are_where_it_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for title, system in (("Linux", Unix(APP_NAME)), ("macOS", MacOS(APP_NAME))):
        folders = [Path(system.user_config_dir), Path(system.user_state_dir)]
        config, state = (f"`~/{folder.relative_to(tmp_path)}`" for folder in folders)
        assert f"| {title} | {config} | {state} |" in DOCS
    assert (keymap_path().name, settings_path().name) == ("keymap.toml", "settings.json")


def test_every_readme_example_of_keys_is_read_without_a_complaint(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = (each for each in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL) if "[task]" in each)
    path = tmp_path / "keymap.toml"
    path.write_text(example)

    assert read_keymap(path, PLACES)[1] == []
