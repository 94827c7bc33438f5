"""A target that is mistyped is answered with the one that was meant, and what fails in it with its line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import surroundings

from taskkit import Scheduler
from taskkit.cli import main
from taskkit.targets.target import TargetError, check_target, load_target

MY_TASKS = """
from taskkit import Scheduler

raise_here = None
scheduler = Scheduler()

def make_other(): return Scheduler()
def typed() -> Scheduler: return Scheduler()
def needs(argument): return Scheduler()
"""

MAKER = """
import helper
def create() -> "Scheduler":
    return helper.help()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    here = tmp_path / "here"
    (here / "shop" / "inner").mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    for path, text in {
        "my_tasks.py": MY_TASKS,
        "shop/__init__.py": "",
        "shop/jobs.py": MY_TASKS,
        "shop/inner/__init__.py": "scheduler = None",
        "maker.py": MAKER,
        "helper.py": "def help():\n    return 1 // 0\n",
        "plain.py": "number = 1\n",
        "unreadable.py": "def (",
        "tasks.toml": '[tasks.a]\ncommand = "true"\non_demand = true\n',
    }.items():
        (here / path).write_text(text)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "night.py").write_text(MY_TASKS)
    yield here
    for name in set(sys.modules) - before:
        del sys.modules[name]


def refusal(target: str) -> str:
    with pytest.raises(TargetError) as refused:
        load_target(target)
    told = str(refused.value)
    assert told.isprintable()
    return told


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("my_tasks.py", "my_tasks:scheduler"),
        ("./my_tasks.py", "my_tasks:scheduler"),
        ("my_tasks", "my_tasks:scheduler"),
        ("my_tasks:", "my_tasks:scheduler"),
        ("my_taks", "my_tasks:scheduler"),
        ("my_taks.py", "my_tasks:scheduler"),
        ("my_taks:scheduler", "my_tasks:scheduler"),
        ("my_taks:make_other", "my_tasks:make_other"),
        ("my_taks:x", "my_tasks:scheduler"),
        ("my_tasks.scheduler", "my_tasks:scheduler"),
        ("my_tasks.make_othr", "my_tasks:make_other"),
        ("my_tasks.py:scheduler", "my_tasks:scheduler"),
        ("my_tasks.py:typed", "my_tasks:typed"),
        ("shop/jobs.py", "shop.jobs:scheduler"),
        ("shop/jobs", "shop.jobs:scheduler"),
        ("shop.jobs", "shop.jobs:scheduler"),
        ("shop.jbos:scheduler", "shop.jobs:scheduler"),
        ("shop/jobs:scheduler", "shop.jobs:scheduler"),
        ("shop.inner", "shop.inner:NAME"),
        ("maker.py", "maker:create"),
        ("plain", "plain:NAME"),
        ("unreadable.py", "unreadable:NAME"),
        ("tasks.tml", "tasks.toml"),
        ("tasks.toml.", "tasks.toml"),
        ("taks.toml", "tasks.toml"),
    ],
)
def test_a_mistyped_target_gets_the_one_that_was_meant(typed: str, meant: str) -> None:
    told = refusal(typed)
    if meant.endswith(":NAME"):
        assert f": write {meant}, where NAME is a Scheduler in it or a function that makes one" in told
    else:
        assert told.endswith((f"did you mean “{meant}”?", f"did you mean {meant}?"))


def test_the_path_of_a_module_in_another_folder_is_answered_with_both(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    assert refusal(f"{elsewhere}/night.py").endswith(
        f"; did you mean “night:scheduler”, in the folder {elsewhere}?"
    )
    assert refusal(f"{folder}/my_tasks.py").endswith("; did you mean “my_tasks:scheduler”?")


@pytest.mark.parametrize("typed", ["nothing_like_it", "no.such.thing", "a b.py", "\0", "..", "/", "json", ""])
def test_nothing_is_suggested_where_nothing_is_like_it(typed: str) -> None:
    with pytest.raises(TargetError, match=r"is not a target: write package[.]module:attribute"):
        check_target(typed)


def test_a_folder_that_is_no_package_is_named(folder: Path) -> None:
    (folder / "src" / "pack").mkdir(parents=True)
    (folder / "src" / "pack" / "__init__.py").write_text("")
    for path in ("src/night.py", "src/pack/deep.py"):
        (folder / path).write_text(MY_TASKS)
    for typed in ("src/night.py", "./src/night", f"{folder}/src/night.py", "src/nihgt.py"):
        assert refusal(typed).endswith("; did you mean “night:scheduler”, in the folder src?")
    assert refusal("src/pack/deep.py").endswith("; did you mean “pack.deep:scheduler”, in the folder src?")


def test_a_target_without_a_command_or_for_the_wrong_one_is_answered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for typed in ("my_tasks:scheduler", "my_tasks.py", "tasks.toml"):
        assert main([typed]) == 2
        assert (
            capsys.readouterr().err == f"taskkit: “{typed}” is not a command; did you mean “run {typed}”?\n"
        )
    for typed in ("my_tasks:scheduler", "my_tasks.py"):
        assert main(["check", typed]) == 2
        assert "is not a task file; taskkit list shows the tasks of a module" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["trigger", "my_tasks:scheduler", "on", "request"])
    assert "put a NAME with spaces in quotes" in capsys.readouterr().err


def test_nothing_is_imported_to_find_out_what_was_meant(folder: Path) -> None:
    (folder / "my_tasks.py").write_text(f"{MY_TASKS}\nraise SystemExit")
    assert refusal("my_tasks.py").endswith("did you mean “my_tasks:scheduler”?")
    assert "my_tasks" not in sys.modules


@pytest.mark.parametrize("command", ["run", "list", "next", "history"])
def test_each_command_suggests_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "my_tasks.py"]) == 2
    told = capsys.readouterr().err
    assert told == "taskkit: “my_tasks.py” is not a target; did you mean “my_tasks:scheduler”?\n"


@pytest.mark.parametrize(
    ("text", "told", "place"),
    [
        ("\n\nundefined_name\n", "NameError: name 'undefined_name' is not defined", "failing.py:3"),
        ("import helper\nhelper.help()\n", "ZeroDivisionError: ", "helper.py:2"),
        ("def f():\n    x = (\n", "SyntaxError: '(' was never closed", "failing.py:2"),
        ("\nimport no_such_module_here\n", "ModuleNotFoundError: No module named", "failing.py:2"),
        ("import json\njson.loads('{')\n", "JSONDecodeError: ", "failing.py:2"),
        ("raise SystemExit('bye')\n", "SystemExit: bye", "failing.py:1"),
        ("\nfrom taskkit import Scheduler\nScheduler(max_threads=0)\n", "ValueError: ", "failing.py:3"),
        ("class Odd(Exception):\n    def __str__(self): raise OSError\nraise Odd\n", "Odd", "failing.py:3"),
        ("import unreadable\n", "SyntaxError: ", "unreadable.py:1"),
    ],
)
def test_an_error_while_a_module_is_imported_is_reported_with_its_line(
    text: str, told: str, place: str, folder: Path
) -> None:
    (folder / "failing.py").write_text(text)
    refused = refusal("failing:scheduler")
    assert refused.startswith(f"cannot import “failing”: {told}")
    assert refused.endswith(f" ({place})")


def test_the_line_is_reported_even_after_a_long_message(folder: Path) -> None:
    (folder / "failing.py").write_text("raise ValueError('no luck ' * 1000)")
    assert refusal("failing:scheduler").endswith("… (failing.py:1)")


def test_an_error_in_a_function_that_makes_a_scheduler_is_reported_with_its_line() -> None:
    assert refusal("maker:create") == (
        "calling “maker:create” failed: ZeroDivisionError: integer division or modulo by zero (helper.py:2)"
    )


@pytest.mark.parametrize("arguments", [["check", "--imports"], ["list"]])
def test_an_error_in_the_module_of_a_task_file_is_reported_with_its_line(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tasks.toml").write_text('[tasks.a]\nrun = "failing:Job"\non_demand = true\n')
    (folder / "failing.py").write_text("\nimport no_such_module_here\n")

    assert main([*arguments, "tasks.toml"]) in {1, 2}
    told = capsys.readouterr()
    assert "No module named 'no_such_module_here' (failing.py:2)\n" in told.out + told.err


OLD = """
from time import time
{imports}

class Page(Task):
    def run(self):
        print("page of", self.name())

scheduler = Scheduler()
scheduler.addPeriodicAction(time() + 3600, 3600, Page(), "page")
scheduler.addActionOnDemand(Page(), "asked")
"""


@pytest.mark.parametrize(
    "imports",
    [
        "from TaskKit.Scheduler import Scheduler\nfrom TaskKit.Task import Task",
        "from webware.TaskKit.Scheduler import Scheduler\nfrom webware.TaskKit.Task import Task",
        "import TaskKit.Scheduler as s, TaskKit.Task as t\nScheduler = s.Scheduler\nTask = t.Task",
    ],
)
def test_a_program_in_the_old_spelling_is_a_target_as_it_is(imports: str, folder: Path) -> None:
    (folder / "oldprog.py").write_text(OLD.format(imports=imports))

    def told(*arguments: str) -> str:
        command = [sys.executable, "-m", "taskkit", *arguments]
        done = subprocess.run(
            command,
            cwd=folder,
            env=surroundings(folder),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert [line.split()[0] for line in told("list", "oldprog:scheduler").splitlines()] == [
        "TASK",
        "page",
        "asked",
    ]
    assert told("trigger", "oldprog:scheduler", "asked") == "page of asked\n"


def test_an_ordinary_target_knows_nothing_of_the_old_spelling() -> None:
    before = list(sys.meta_path)
    assert isinstance(load_target("my_tasks:scheduler").scheduler, Scheduler)
    assert sys.meta_path == before
