"""What a command line names: a scheduler, or clear lines that say why not; and a place for its state."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskkit import CommandTask, Scheduler
from taskkit.targets.state_paths import state_path
from taskkit.targets.target import TargetError, load_target

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
def count() -> int: return 4
def typed() -> "int": return 4
def later() -> None: ...
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
        ("good_tasks", "is not a target"),
        (":make", "is not a target"),
        ("good_tasks:", "is not a target"),
        ("missing_tasks:make", "No module named"),
        ("good_tasks:nothing", "has no attribute"),
        ("good_tasks:shceduler", "did you mean “scheduler”?"),
        ("good_tasks:mkae", "did you mean “make”?"),
        ("good_tasks:Tre.branch", "did you mean “Tree”?"),
        ("good_tasks:Tree.brnch", "did you mean “branch”?"),
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
@pytest.mark.parametrize("misspelt", ["nummber", "Teer", "neds", "conut", "typd", "late"])
def test_what_can_be_no_scheduler_is_not_suggested(misspelt: str) -> None:
    with pytest.raises(TargetError) as refusal:
        load_target(f"good_tasks:{misspelt}")
    assert str(refusal.value) == f"“good_tasks” has no attribute “{misspelt}”"


TASKS = """
[tasks.greeting]
command = "echo hello"
every = "1h"

[tasks.page]
run = "good_tasks:Page"
args = { filename = "index.html" }
on_demand = true
"""


def test_a_task_file_is_a_target(here: Path) -> None:
    (here / "good_tasks.py").write_text(
        "from taskkit import Task\nclass Page(Task):\n    def __init__(self, filename): pass\n"
        "    def run(self): pass\n"
    )
    (here / "tasks.toml").write_text(TASKS)

    target = load_target("tasks.toml")

    assert list(target.scheduler.scheduled) == ["greeting"]
    assert list(target.scheduler.on_demand) == ["page"]
    assert not target.scheduler.is_running
    assert [each.__name__ for each in target.classes] == [CommandTask.__name__, "Page"]
    assert target.follower is not None


@pytest.mark.parametrize(
    ("target", "meant"), [("tasks", "tasks.toml"), (".", "./tasks.toml"), ("shop", "shop/tasks.toml")]
)
def test_a_task_file_is_suggested_for_its_folder_or_what_its_name_begins_with(
    target: str, meant: str, here: Path
) -> None:
    (here / "shop").mkdir()
    for path in ("tasks.toml", "shop/tasks.toml"):
        (here / path).write_text(TASKS)
    with pytest.raises(TargetError) as refusal:
        load_target(target)
    assert str(refusal.value) == f"“{target}” is not a target; did you mean “{meant}”?"


def test_a_broken_task_file_is_reported_in_several_lines(here: Path) -> None:
    (here / "tasks.toml").write_text("[tasks.a]\nevry = 3\n[tasks.b]\nevery = 3\n\x1b")
    with pytest.raises(TargetError) as refusal:
        load_target("tasks.toml")
    assert len(refusal.value.lines) == 1  # it is not even TOML

    (here / "tasks.toml").write_text("[tasks.a]\nevry = 3\n")
    with pytest.raises(TargetError) as refusal:
        load_target("tasks.toml")
    assert any("did you mean every?" in line for line in refusal.value.lines)
    assert len(refusal.value.lines) > 1
    assert all(line.isprintable() for line in refusal.value.lines)


def test_each_target_has_a_place_of_its_own_for_its_state(
    here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    one = state_path("shop.tasks:nightly")

    assert one.parent == home / "taskkit"
    assert one.name.startswith("shop.tasks-nightly-")
    assert one.suffix == ".sqlite"
    assert state_path("shop.tasks:nightly") == one
    assert state_path("shop.tasks:other") != one
    in_file = state_path("tasks.toml")
    monkeypatch.chdir(home)
    assert state_path("shop.tasks:nightly") != one
    assert state_path(str(here / "tasks.toml")) == in_file


def release(folder: Path, number: int) -> Path:
    made = folder / "releases" / str(number)
    made.mkdir(parents=True)
    (made / "tasks.toml").write_text("[tasks.a]\ncommand = 'true'\non_demand = true\n")
    return made


@pytest.mark.parametrize(
    "kind", ["current/tasks.toml", "./current//tasks.toml", "tasks.toml", "{here}/tasks.toml"]
)
def test_a_file_behind_a_link_keeps_its_state_when_the_link_is_switched(here: Path, kind: str) -> None:
    """As a release is, or a mounted config map: tasks.toml → current/tasks.toml → releases/1/tasks.toml."""
    kind = kind.format(here=here)
    (here / "tasks.toml").unlink(missing_ok=True)
    (here / "tasks.toml").symlink_to("current/tasks.toml")
    found = []
    for number in (1, 2):
        release(here, number)
        (here / "new").symlink_to(f"releases/{number}")
        (here / "new").rename(here / "current")
        found.append(state_path(kind))
    assert found[0] == found[1]
    assert found[0] != state_path("releases/2/tasks.toml")


@pytest.mark.parametrize("target", ["tasks.toml", "shop.tasks:nightly"])
def test_in_a_folder_that_was_entered_by_a_link_the_name_of_the_link_counts(
    here: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "current").symlink_to(release(here, 1))
    monkeypatch.chdir(here / "current")
    own = state_path(target)
    monkeypatch.setenv("PWD", str(here / "current"))  # as a shell has it
    shown = state_path(target)
    assert shown != own
    assert target != "tasks.toml" or shown == state_path(str(here / "current" / "tasks.toml"))
    for other in (str(here), "current", "", str(here / "gone"), f"{here}/releases/../current"):
        monkeypatch.setenv("PWD", other)
        assert state_path(target) == own


def test_two_dots_lead_where_the_kernel_says(here: Path) -> None:
    one = release(here, 1)
    (here / "current").symlink_to(one)
    (here / "folder").mkdir()
    plain = state_path(str(here / "tasks.toml"))
    for same in ("tasks.toml", "./tasks.toml", "folder/../tasks.toml", ".//folder/./../tasks.toml"):
        assert state_path(same) == plain
    assert state_path("current/../1/tasks.toml") == state_path(str(one / "tasks.toml"))
    assert state_path("current/../tasks.toml") == state_path(str(here / "releases" / "tasks.toml"))
    (one / "sub").mkdir()
    assert state_path("current/sub/../tasks.toml") == state_path("current/tasks.toml")


@pytest.mark.parametrize(
    ("platform", "given", "folder"),
    [
        ("linux", "", ".local/state"),
        ("linux", "relative/ignored", ".local/state"),
        ("darwin", "", "Library/Application Support"),
    ],
)
def test_the_state_is_in_the_platforms_folder(
    platform: str, given: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("XDG_STATE_HOME", given)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_path("a:b").parent == tmp_path / folder / "taskkit"


def test_the_name_of_a_state_is_one_that_every_file_system_takes() -> None:
    path = state_path("a/../../b\x1b:" + "long" * 100)
    assert path.name.isascii()
    assert path.name.isprintable()
    assert len(path.name) < 100
    assert path.parent.name == "taskkit"
