"""The command line: a target, or one clear line and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskkit import Scheduler
from taskkit.target import TargetError, load_target
from taskkit_tui import cli

GOOD = """
from taskkit import Scheduler
scheduler = Scheduler()
def make(): return Scheduler()
class Tree: branch = scheduler
number = 3
def wrong(): return 4
def leave(): raise SystemExit(3)
def fail(): raise RuntimeError("no\\x1b[2J\\nluck")
def needs(argument): return Scheduler()
"""


WEBWARE = """
from time import time
from taskkit.webware import Scheduler, Task
class PageGenerator(Task):
    def __init__(self, filename: str): self.filename = filename
    def run(self): print(self.name(), self.handle().period())
scheduler = Scheduler()
scheduler.addPeriodicAction(time() + 60, 30, PageGenerator("static.html"), "PageGenerator")
def make(): return scheduler
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "good_tasks.py").write_text(GOOD)
    (tmp_path / "webware_tasks.py").write_text(WEBWARE)
    (tmp_path / "leaving_tasks.py").write_text("raise SystemExit('bye')")
    (tmp_path / "broken_tasks.py").write_text("def (")
    yield tmp_path
    for name in ("good_tasks", "webware_tasks", "leaving_tasks", "broken_tasks"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("attribute", ["scheduler", "make", "Tree.branch"])
def test_a_target_is_a_scheduler_or_a_function_that_makes_one(attribute: str) -> None:
    assert isinstance(load_target(f"good_tasks:{attribute}").scheduler, Scheduler)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("attribute", ["scheduler", "make"])
def test_a_scheduler_of_webware_is_a_target_and_its_tasks_are_offered(attribute: str) -> None:
    target = load_target(f"webware_tasks:{attribute}")

    assert isinstance(target.scheduler, Scheduler)
    assert list(target.scheduler.scheduled) == ["PageGenerator"]
    assert [each.__name__ for each in target.classes] == ["PageGenerator"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("good_tasks", "is no target"),
        (":make", "is no target"),
        ("good_tasks:", "is no target"),
        ("missing_tasks:make", "No module named"),
        ("good_tasks:nothing", "has no attribute"),
        ("good_tasks:shceduler", "did you mean “scheduler”?"),
        ("good_tasks:number", "is an int, not a Scheduler"),
        ("good_tasks:wrong", "made an int"),
        ("good_tasks:leave", "SystemExit: 3"),
        ("good_tasks:fail", "RuntimeError: no␛[2J luck"),
        ("good_tasks:needs", "argument"),
        ("leaving_tasks:make", "SystemExit: bye"),
        ("broken_tasks:make", "SyntaxError"),
        ("..:make", "cannot import"),
        ("a\0b:c", "cannot import"),
    ],
)
def test_a_wrong_target_is_one_clear_harmless_line(target: str, words: str) -> None:
    with pytest.raises(TargetError) as refusal:
        load_target(target)
    told = str(refusal.value)
    assert words in told
    assert told.isprintable()


@pytest.mark.usefixtures("here")
def test_a_wrong_target_ends_with_two_before_the_screen_changes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "terminal_trouble", lambda: None)
    assert cli.main(["good_tasks:number"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.startswith("taskkit-tui: ")


def test_without_a_terminal_there_is_a_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "is not a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("term", [None, "", "dumb"])
def test_a_dumb_terminal_is_told_so(term: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        closed = False

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "__stdin__", Terminal())
    monkeypatch.setattr(sys, "__stdout__", Terminal())
    if term is None:
        monkeypatch.delenv("TERM", raising=False)
    else:
        monkeypatch.setenv("TERM", term)
    assert "TERM is unset or dumb" in (cli.terminal_trouble() or "")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert cli.terminal_trouble() is None


def test_the_folder_is_for_the_demo_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.main(["some:target", "--folder", "x"])
    assert leaving.value.code == 2
    assert "--folder is for the demo" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out.startswith("taskkit-tui ")
