"""Names that are shown can be typed back, and those that look the same are told apart."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator
from enum import Enum, StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit import Every, Once, Recipe, Scheduler, TaskSpec
from taskkit.cli import main
from taskkit.cli.console import Console
from taskkit.store import PersistentScheduler
from taskkit.testing import InlineExecutor, ManualClock
from taskkit.words.name_forms import ShownNames, look, names_meant
from taskkit.words.plain_text import harmless

HEART = "❤\ufe0f"
CODER = "👩\u200d💻 builds"
CAFE = "cafe\u0301"
TWINS = [
    ("café", CAFE),
    ("한글", unicodedata.normalize("NFD", "한글")),
    ("Å", "\u212b"),
    ("IV", "Ⅳ"),
    ("backup", "backup\u200b", "backup ", " backup", "back\u034fup"),
    ("two words", "two\u00a0words"),
    ("❤", HEART),
    ("a\u200d", "a\u200c"),
    ("q\u0323\u0307", "q\u0307\u0323"),
    ("x", "x\U000e0100"),
]

odd_names = st.text("ae\u0301\u0300\u200d\u200b\ufe0f é\u212b\u00c5\u1100\u1161가\u00a0❤Ⅳ\u034f", min_size=1)


@pytest.mark.parametrize("twins", TWINS)
def test_names_that_look_the_same_are_shown_differently(twins: tuple[str, ...]) -> None:
    shown = ShownNames(twins)
    assert len({look(shown.of(name)) for name in twins}) == len(twins)
    assert [shown.of(name) for name in twins].count(harmless(twins[0])) <= 1


@given(st.sets(odd_names, min_size=1, max_size=4))
def test_any_names_are_shown_differently_and_can_be_typed_as_shown(names: set[str]) -> None:
    shown = ShownNames(names)
    assert len({shown.of(name) for name in names}) == len(names)
    assert all(names_meant(shown.of(name), names) == [name] for name in names)


def test_a_name_without_a_twin_is_shown_as_a_person_knows_it() -> None:
    shown = ShownNames([HEART, CAFE, CODER])
    assert [shown.of(HEART), shown.of(CAFE), shown.of(CODER)] == ["❤", CAFE, "👩💻 builds"]


def test_a_name_is_shown_as_it_is_again_when_its_twin_has_gone() -> None:
    shown = ShownNames([CAFE])
    assert shown.add("café") == {CAFE}
    assert shown.of(CAFE) == "cafe\\u0301"
    assert shown.discard("café") == {CAFE}
    assert shown.of(CAFE) == CAFE


def test_a_name_that_was_shortened_is_found_where_only_one_fits() -> None:
    names = ["backup of the documents", "backup of the mail", "backup of the male", "other"]
    assert names_meant("back…documents", names) == [names[0]]
    assert names_meant("back…of the mai…", names) == []
    assert names_meant("backup o…ma…", [*names, "backup o…ma…"]) == ["backup o…ma…"]
    assert len(names_meant("backup of…", names)) == 3
    assert names_meant("…", names) == []


NAMES = [HEART, CODER, CAFE, "backup", "backup\u200b", "off\u202e"]

PROGRAM = f"""
from taskkit import Every, OnDemand
from taskkit.store import PersistentScheduler
scheduler = PersistentScheduler("own.sqlite")
for name in {NAMES!r}:
    scheduler.add_periodic_task(None, 3600, lambda name=name: print(ascii(name)), name)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "odd_names.py").write_text(PROGRAM, encoding="utf-8")
    yield tmp_path
    sys.modules.pop("odd_names", None)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("typed", "runs"),
    [
        ("❤", HEART),
        (HEART, HEART),
        ("👩💻 builds", CODER),
        ("café", CAFE),
        ("backup", "backup"),
        ("backup\\u200b", "backup\u200b"),
        ("off\\u202e", "off\u202e"),
    ],
)
def test_a_name_as_it_is_shown_can_be_typed(
    typed: str, runs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trigger", "odd_names:scheduler", typed]) == 0
    told = capsys.readouterr()
    assert told.out == f"{runs!a}\n"
    assert told.err.startswith(f"taskkit: {ShownNames(NAMES).of(runs)} succeeded after ")
    assert main(["next", "odd_names:scheduler", typed, "--json", "-n", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == runs


@pytest.mark.usefixtures("folder")
def test_in_a_pipe_and_as_json_names_are_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("list", "next"):
        assert main([command, "odd_names:scheduler"]) == 0
        told = capsys.readouterr().out
        assert all(f"\n{name}  " in told for name in (HEART, CODER, CAFE, "backup\u200b", "off\u202e"))
        assert main([command, "odd_names:scheduler", "--json"]) == 0
        found = [json.loads(line)["task"] for line in capsys.readouterr().out.splitlines()]
        assert {HEART, CODER, CAFE, "backup", "backup\u200b"} <= set(found)


class Terminal:
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_similar_names_are_shown_differently() -> None:
    shown = Console(Terminal(), "never").shown_names(["backup", "backup\u200b", HEART])  # type: ignore[arg-type]
    assert [shown("backup"), shown("backup\u200b"), shown(HEART)] == ["backup", "backup\\u200b", "❤"]


@pytest.mark.usefixtures("folder")
def test_an_ambiguous_name_is_reported_and_runs_no_task(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "odd_names.py").write_text(PROGRAM.replace("'backup',", "'backup\\u200d',"), encoding="utf-8")

    assert main(["trigger", "odd_names:scheduler", "backup"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == ("taskkit: “backup” fits several tasks: type one of backup\\u200d, backup\\u200b\n")


@pytest.mark.usefixtures("folder")
def test_the_history_of_a_task_is_found_by_its_shown_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = ManualClock()
    with PersistentScheduler("own.sqlite", clock=clock, executor=InlineExecutor()) as scheduler:
        for name in (HEART, CAFE):
            scheduler.add_task(Once(), lambda: None, name)
        clock.advance(1)
    capsys.readouterr()

    for typed, name in (("❤", HEART), ("café", CAFE)):
        assert main(["history", "--state", "own.sqlite", typed, "--json"]) == 0
        assert [json.loads(line)["task"] for line in capsys.readouterr().out.splitlines()] == [name]
    assert main(["history", "--state", "own.sqlite"]) == 0
    assert f"\n{HEART}  " in capsys.readouterr().out


class Job(str, Enum):  # noqa: UP042 - the kind that has two spellings
    BACKUP = "backup"


class Work(StrEnum):
    BACKUP = "backup"


class Shouted(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


@pytest.mark.parametrize("name", [Job.BACKUP, Work.BACKUP, Shouted("backup")])
def test_a_name_of_a_text_like_kind_has_one_spelling(name: str) -> None:
    with Scheduler(clock=ManualClock(), executor=InlineExecutor()) as scheduler:
        by_hand = scheduler.add_task(Every(60), lambda: None, name)
        spec = TaskSpec(name, Every(60), Recipe("gc:collect"))

        assert (type(by_hand.name), str(by_hand.name)) == (str, "backup")
        assert scheduler.handle(name) is by_hand
        assert f"{scheduler.add_spec(spec, persist=True).name}" == "backup"
        assert [f"{task.name}" for task in scheduler.snapshot().tasks] == ["backup"]
        assert scheduler.run_task_now(name)
