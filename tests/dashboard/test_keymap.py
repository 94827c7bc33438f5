"""A person's own keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_backend import NOW, dashboard, screen_text, task, toasts

from taskkit import TaskDetails
from taskkit_tui.keys.bindings import KEY_CONTEXTS
from taskkit_tui.keys.keymap import read_keymap
from taskkit_tui.screens.details_screen import DetailsScreen


def test_keys_are_read_from_both_spellings(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('"task.run" = "x"\n[task]\nstop = "Z,f5"\n')
    assert read_keymap(path, KEY_CONTEXTS) == ({"task.run": "x", "task.stop": "Z,f5"}, [])
    assert read_keymap(tmp_path / "none.toml", KEY_CONTEXTS) == ({}, [])


@pytest.mark.parametrize(
    ("encoding", "line_end"),
    [("utf-8-sig", "\n"), ("utf-8-sig", "\r\n"), ("utf-8", "\r\n"), ("utf-16", "\n"), ("utf-16", "\r\n")],
)
def test_a_keymap_is_read_however_an_editor_saves_it(tmp_path: Path, encoding: str, line_end: str) -> None:
    path = tmp_path / "keymap.toml"
    path.write_bytes(line_end.join(['[task]  # für "x"', 'run = "x"', 'stop = "Z,f5"', ""]).encode(encoding))
    assert read_keymap(path, KEY_CONTEXTS) == ({"task.run": "x", "task.stop": "Z,f5"}, [])


def test_a_keymap_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    for data in ('[task]  # für "x"\n'.encode("latin-1"), '[task]\nrun = "x"\n'.encode("utf-16-le")):
        path.write_bytes(data)
        keys, problems = read_keymap(path, KEY_CONTEXTS)
        assert keys == {}
        assert len(problems) == 1


def test_what_is_wrong_with_a_keymap_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('[task]\nfly = "x"\nrun = 5\nstop = ""\nenable = "x,,y"\n')
    keys, problems = read_keymap(path, KEY_CONTEXTS)
    assert keys == {}
    assert len(problems) == 4
    assert "there is no action 'task.fly'" in problems[0]
    path.write_text("= what")
    assert len(read_keymap(path, KEY_CONTEXTS)[1]) == 1


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
    keymap, problems = read_keymap(path, KEY_CONTEXTS)
    assert not problems
    async with dashboard(task(1), keymap=keymap) as (app, backend, pilot):
        backend.details["heartbeat"] = TaskDetails(task(1), "It waits.", {}, None, (), (), (), ())
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailsScreen)
        assert app.screen.active_bindings["x"].binding.action == "last_traceback"
        assert "t" not in app.screen.active_bindings


@pytest.mark.parametrize(
    ("content", "keys", "told"),
    [
        ('[task]\nstop = "k,f5"', {"task.stop": "f5"}, "task.stop 'k' list.up in a panel of tasks"),
        ('[task]\nstop = "k"', {}, "task.stop 'k' list.up in a panel of tasks"),
        ('[view]\nfailing = "r"', {}, "view.failing 'r' task.run in a panel of tasks"),
        ('[view]\nfailing = "w"', {}, "view.failing 'w' log.wrap in the log"),
        ('[task]\nrun = "t"', {}, "task.run 't' view.last-traceback in the details"),
        ('[task]\nrun = "?"', {}, "task.run 'question_mark' app.help in a panel of tasks"),
        ('[task]\nrun = "ctrl+c"', {}, "task.run 'ctrl+c' app.leave in a panel of tasks"),
        ('[task]\nrun = "x"\nstop = "x"', {"task.run": "x"}, "task.stop 'x' task.run in a panel of tasks"),
        ('[chart]\nleft = "r"', {}, "chart.left 'r' task.run in the details"),
    ],
)
def test_a_key_that_something_has_already_stays_where_it_is(
    content: str, keys: dict[str, str], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text(content)
    loser, key, holder, place = told.split(" ", 3)
    words = f"keymap.toml: {loser} does not get the key {key}, which belongs to {holder} {place}"
    assert read_keymap(path, KEY_CONTEXTS) == (keys, [words])


@pytest.mark.parametrize(
    "content",
    [
        '[task]\nstop = "k"\n[list]\nup = "up"',  # it was given away
        '[task]\nrun = "s"\nstop = "r"',
        '[log]\nwrap = "r"',  # a key of a task does nothing in the log
        '[log]\nfind = "f6"\n[view]\nfilter = "f6"',  # they share one from the start
        '[log]\nfind = "/"',
        '[task]\ncopy = "Y"',
    ],
)
def test_a_key_that_is_free_at_its_place_can_be_given(content: str, tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text(content)
    assert read_keymap(path, KEY_CONTEXTS)[1] == []


def test_what_does_not_get_its_key_keeps_its_own_which_nobody_else_gets_then(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('[task]\nrun = "d"\nstop = "r"')
    keys, problems = read_keymap(path, KEY_CONTEXTS)
    assert keys == {}
    assert len(problems) == 2


async def test_what_can_be_pressed_at_each_place_is_what_the_list_of_places_says() -> None:
    async with dashboard(task(1), size=(120, 36)) as (app, backend, pilot):
        backend.details["heartbeat"] = TaskDetails(task(1), "It waits.", {}, None, (), (), (), ())
        for keys, words, shadowed in (
            (["1"], "in a panel of tasks", set()),
            (["4"], "in the log", {"view.filter", "view.back"}),
            (["1", "enter", "4"], "in the details", set()),
        ):
            await pilot.press(*keys)
            await pilot.pause()
            (place,) = (each for each in KEY_CONTEXTS if each.words == words)
            bound: dict[str, set[str]] = {}
            for key, active in app.screen.active_bindings.items():
                if not active.binding.system and active.binding.id:
                    bound.setdefault(active.binding.id, set()).add(key)
            for identity, there in bound.items():
                assert there <= place.keys[identity], identity
            assert set(place.keys) - set(bound) == shadowed


def test_a_pipe_in_place_of_the_file_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    os.mkfifo(path)
    assert read_keymap(path, ()) == ({}, ["keymap.toml: it is not a regular file"])


def test_a_file_that_is_nested_too_deep_is_told_and_costs_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text("a = " + "[" * 5000)
    assert read_keymap(path, ()) == ({}, ["keymap.toml: it is nested too deeply"])


async def test_of_many_faults_the_first_are_told_and_the_others_logged() -> None:
    async with dashboard(notices=[f"fault {number}" for number in range(200)]) as (app, _, pilot):
        assert "fault 4\nand 195 more" in toasts(app)[0]
        await pilot.pause(0.2)
        assert any("fault 199" in line for line in screen_text(app))
