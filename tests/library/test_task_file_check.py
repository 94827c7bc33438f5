"""Checks of the modules, programs and folders that a task file names, without running anything."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest
from task_files import write

from taskkit.taskfile import check_recipes, example_text, find_hints, read_task_file

pytestmark = pytest.mark.usefixtures("own_folder", "own_imports")


def module(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))


def checked(lines: str, *, imports: bool = False) -> list[str]:
    """Return the problems of the recipe of a task with these lines."""
    file = read_task_file(write(f"[tasks.it]\non_demand = true\n{lines}"))
    return [str(problem) for problem in check_recipes(file, imports=imports)]


JOBS = """
    from abc import abstractmethod
    from taskkit import Task

    class Backup(Task):
        def __init__(self, where, keep=3): raise RuntimeError("nobody may make one")
        def run(self): raise RuntimeError("nobody may run it")

    class Idle(Task): pass

    class Sketch(Backup):
        @abstractmethod
        def draw(self): ...

    class Plain: pass

    def tidy(folder, *, deep=False): raise RuntimeError("nobody may call it")
    def anything(**words): raise RuntimeError("nobody may call it")

    idle = Backup.__new__(Backup)
    number = 5
"""


class TestWithoutImporting:
    @pytest.mark.parametrize("path", ["jobs_here:Backup", "package_here.inner.jobs:x", "os.path:exists"])
    def test_a_module_that_can_be_found_is_good_whatever_it_does(self, path: str) -> None:
        module("jobs_here.py", "raise SystemExit")
        module("package_here/__init__.py", "raise SystemExit")
        module("package_here/inner/jobs.py", "raise SystemExit")
        before = set(sys.modules), list(sys.path)
        assert checked(f'run = "{path}"') == []
        assert (set(sys.modules), sys.path) == before

    @pytest.mark.parametrize(
        ("path", "missing"),
        [
            ("jbos_here:x", 'there is no module jbos_here; did you mean "jobs_here:x"?'),
            ("package_here.nothing:x", "there is no module package_here.nothing"),
            ("demo_tasks.long_hual:x", "there is no module demo_tasks.long_hual"),
            ("nowhere_at_all.inner:x", "there is no module nowhere_at_all"),
        ],
    )
    def test_a_module_that_cannot_be_found_is_told(self, path: str, missing: str) -> None:
        module("jobs_here.py", "")
        module("package_here/__init__.py", "")
        assert checked(f'run = "{path}"') == [f'tasks.toml:3: tasks.it.run = "{path}": {missing}']

    def test_a_module_that_is_there_already_need_not_be_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "made_in_memory", ModuleType("made_in_memory"))
        assert checked('run = "made_in_memory:x"') == []

    def test_a_package_without_an_init_is_left_in_peace(self) -> None:
        module("package_there/jobs.py", "")
        assert checked('run = "package_there.nothing:x"') == []

    def test_a_program_and_a_folder_are_looked_for(self) -> None:
        Path("tool").write_text("#!/bin/sh\n")
        Path("tool").chmod(0o755)
        assert checked('command = ["ls", "-l"]') == []
        assert checked('command = ["./tool"]') == []
        assert checked('command = "no-such-program; a line for the shell"') == []
        assert checked('command = ["no-such-program"]') == [
            'tasks.toml:3: tasks.it.command = "no-such-program": there is no such program'
        ]
        assert checked('command = ["tool"]\nenv = { PATH = "/nowhere" }') != []
        here = Path.cwd()
        assert checked(f'command = ["tool"]\nenv = {{ PATH = "{here}" }}') == []
        (problem,) = checked('command = "ls"\ncwd = "nowhere"')
        assert problem.startswith(f'tasks.toml:4: tasks.it.cwd = "{str(here)[:20]}')
        assert problem.endswith('/nowhere": there is no such folder')

    def test_all_is_told_at_once_in_the_order_of_the_file(self) -> None:
        file = read_task_file(
            write("""
                tasks.b = { run = "nowhere_b:x", every = 1 }
                tasks.a = { command = ["nowhere-a"], every = 1 }
            """)
        )
        assert [problem.key for problem in check_recipes(file)] == ["tasks.b.run", "tasks.a.command"]

    def test_all_that_the_example_names_is_there(self) -> None:
        file = read_task_file(write(example_text()))
        assert check_recipes(file) == ()
        assert check_recipes(file, imports=True) == ()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('run = "jobs:Backup"\nargs = { where = "x" }', None),
        ('run = "jobs:Backup"\nargs = { where = "x", keep = 1 }', None),
        ('run = "jobs:tidy"\nargs = { folder = "x", deep = true }', None),
        ('run = "jobs:anything"\nargs = { a = 1, b = 2 }', None),
        ('run = "jobs:idle"', None),
        ('run = "taskkit:CommandTask"\nargs = { command = "ls" }', None),
        ('run = "builtins:print"', None),
        ('run = "jobs:Backupp"', ':3: tasks.it.run = "jobs:Backupp": jobs has no attribute'),
        ('run = "jobs:Backupp"', 'did you mean "jobs:Backup"?'),
        ('run = "jobs:Backup.nothing"', "jobs has no attribute 'Backup.nothing'"),
        ('run = "jbos:Backup"', "No module named 'jbos'; did you mean \"jobs:Backup\"?"),
        ('run = "bad:Backup"', "SyntaxError: "),
        ('run = "leaves:Backup"', "SystemExit: 3"),
        ('run = "untold:Backup"', "untold:Backup\": Untold"),
        ('run = "jobs:Backup"', ":3: tasks.it.run: jobs:Backup needs the argument where"),
        ('run = "jobs:Backup"\nargs = { keep = 1 }', ":4: tasks.it.args: jobs:Backup needs the argument w"),
        (
            'run = "jobs:Backup"\n[tasks.it.args]\nwhere = "x"\nkep = 3',
            ":6: tasks.it.args.kep: jobs:Backup takes no such argument; did you mean keep?",
        ),
        ('run = "jobs:tidy"\nargs = { folder = "x", dep = 1 }', "args.dep: jobs:tidy takes no such argument"),
        ('run = "jobs:idle"\nargs = { a = 1 }', "jobs:idle is a task already, and takes no arguments"),
        ('run = "jobs:Idle"', "is a Task without a run() of its own"),
        ('run = "jobs:Plain"', "is a class, but not a taskkit.Task"),
        ('run = "jobs:number"', "is a int, not a Task or something to call"),
    ],
)  # fmt: skip
def test_with_importing_what_is_named_is_looked_at_and_not_called(lines: str, words: str | None) -> None:
    module("jobs.py", JOBS)
    module("bad.py", "class")
    module("leaves.py", "raise SystemExit(3)")
    module(
        "untold.py",
        """
        class Untold(Exception):
            def __str__(self): raise ValueError

        raise Untold
    """,
    )

    problems = checked(lines, imports=True)

    if words is None:
        assert problems == []
    else:
        (problem,) = problems
        assert words in problem


def test_an_abstract_class_is_no_task_yet() -> None:
    module(
        "shapes.py",
        """
        from abc import ABC, abstractmethod
        from taskkit import Task

        class Shape(Task, ABC):
            def run(self): ...
            @abstractmethod
            def draw(self): ...
    """,
    )
    (problem,) = checked('run = "shapes:Shape"', imports=True)
    assert problem.endswith("is an abstract class")


def test_who_interrupts_an_import_is_heard() -> None:
    module("interrupted.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        checked('run = "interrupted:x"', imports=True)


def test_what_a_command_needs_is_looked_for_as_far_as_no_variable_is_to_be_replaced() -> None:
    path = write("""
        [tasks.wrong]
        command = "true"
        env_file = "none.env"
        user = "nobody-here"
        env = { A = "$HOME", B = "$${HOME}", C = "$${C} $C" }
        on_demand = true

        [tasks.unknown]
        command = ["${PROGRAM}"]
        cwd = "${DATA}"
        env_file = "${DATA}/x.env"
        on_demand = true
        """)
    file = read_task_file(path)
    assert [problem.message for problem in check_recipes(file)] == [
        "there is no such file",
        "must be a user of this machine",
    ]
    reason = "is replaced by the value of the variable"
    assert [str(hint) for hint in find_hints(file)] == [
        f"tasks.toml:6: tasks.wrong.env.A: $HOME stays as it is; ${{HOME}} {reason}",
        f"tasks.toml:6: tasks.wrong.env.C: $C stays as it is; ${{C}} {reason}",
    ]


def test_the_program_of_a_hook_is_looked_for() -> None:
    (problem,) = checked('command = "true"\non_failure = ["no-such-program"]\non_recovery = ["true"]')
    assert problem.endswith('tasks.it.on_failure = "no-such-program": there is no such program')


def test_what_is_wrong_with_a_default_is_told_once_in_its_place() -> None:
    tasks = "".join(f'[tasks.{name}]\ncommand = "true"\non_demand = true\n' for name in "ab")
    file = read_task_file(write(f'[defaults]\nenv_file = "none.env"\nenv = {{ A = "$B" }}\n{tasks}'))
    (problem,) = check_recipes(file)
    assert (problem.line, problem.key, problem.message) == (2, "defaults.env_file", "there is no such file")
    (hint,) = find_hints(file)
    assert (hint.line, hint.key) == (3, "defaults.env.A")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may name another user")
def test_a_user_that_is_missing_is_told_in_words_of_the_file() -> None:
    (problem,) = checked('command = "true"\nuser = "no-such-user"')
    assert problem.endswith('tasks.it.user = "no-such-user": must be a user of this machine')
