"""`import TaskKit` finds this library, with Webware and without, or says clearly why it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

WITHOUT_WEBWARE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "webware":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hidden())
"""


def printed_by(program: str, *, module: bool = False, arguments: tuple[str, ...] = ()) -> str:
    command = [sys.executable, "-W", "error", *(["-m"] if module else ["-c"])]
    command += [program if module else dedent(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("before", ["", WITHOUT_WEBWARE], ids=["with Webware", "without"])
def test_all_spellings_of_the_import_find_the_three_classes(before: str) -> None:
    program = """
        from taskkit import webware
        webware.install()
        webware.install()
        from TaskKit.Scheduler import Scheduler
        from TaskKit.Task import Task
        from TaskKit.TaskHandler import TaskHandler
        import TaskKit, TaskKit.Scheduler as module
        from TaskKit import Task as task_module
        from webware.TaskKit.Scheduler import Scheduler as by_way_of_webware
        assert Scheduler is webware.Scheduler is TaskKit.Scheduler.Scheduler is by_way_of_webware
        assert Task is webware.Task is task_module.Task
        assert TaskHandler is webware.TaskHandler is TaskKit.TaskHandler.TaskHandler
        assert module.Scheduler is Scheduler
        print("ours")
    """

    assert printed_by(before + dedent(program)) == "ours\n"


@pytest.mark.parametrize("before", ["", "import webware; webware.addToSearchPath()\n"])
def test_what_else_there_is_in_webwares_package_is_still_there(before: str) -> None:
    program = """
        from taskkit.webware import install
        install()
        import TaskKit.Properties
        from TaskKit.Tests.TestScheduler import Scheduler
        print(TaskKit.Properties.name, Scheduler.__module__, TaskKit.installInWebware(None))
    """

    assert printed_by(before + dedent(program)) == "TaskKit taskkit.webware.scheduler None\n"


def test_webwares_own_that_was_imported_before_is_a_clear_error() -> None:
    program = """
        import webware
        webware.addToSearchPath()
        from TaskKit.Task import Task
        from taskkit import TaskkitError
        from taskkit.webware import install
        try:
            install()
        except TaskkitError as error:
            print(error)
        import sys
        print(sys.modules["TaskKit"].__file__.startswith(webware.__path__[0]))
        print("TaskKit.Scheduler" in sys.modules)
    """

    assert printed_by(program).splitlines() == [
        "TaskKit.Task was imported before taskkit.webware.install(), which must come first",
        "True",
        "False",
    ]


def test_the_bare_package_that_was_imported_before_is_replaced_and_comes_back() -> None:
    program = """
        import webware
        webware.addToSearchPath()
        import TaskKit
        real = TaskKit
        from taskkit.webware import install, uninstall
        install()
        from TaskKit.Task import Task as ours
        uninstall()
        from TaskKit.Task import Task as theirs
        import TaskKit
        print(ours.__module__, theirs.__module__, TaskKit is real)
    """

    assert printed_by(program) == "taskkit.webware.task TaskKit.Task True\n"


def test_a_program_is_run_by_way_of_the_library_without_a_changed_line(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("greeting = 'hello'", encoding="utf-8")
    program = tmp_path / "program.py"
    program.write_text(
        dedent("""
        import sys
        from time import sleep, time
        from helper import greeting
        from TaskKit.Scheduler import Scheduler
        from TaskKit.Task import Task

        class Greeting(Task):
            def run(self):
                print(greeting, self.name(), *sys.argv[1:])

        if __name__ == '__main__':
            scheduler = Scheduler()
            scheduler.start()
            scheduler.addTimedAction(time(), Greeting(), 'from a task')
            while scheduler.hasScheduled('from a task') or scheduler.hasRunning('from a task'):
                sleep(.001)
            scheduler.stop()
        """),
        encoding="utf-8",
    )

    told = printed_by("taskkit.webware", module=True, arguments=(str(program), "-v", "two"))

    assert told == "hello from a task -v two\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "usage: python -m taskkit.webware program.py [argument …]\n"),
        (["--help"], "usage: python -m taskkit.webware program.py [argument …]\n"),
        (["nothing.py"], "python -m taskkit.webware: there is no file 'nothing.py'\n"),
        ([""], "usage: python -m taskkit.webware program.py [argument …]\n"),
        (["x" * 300], f"python -m taskkit.webware: cannot read '{'x' * 300}': File name too long\n"),
        (["."], "python -m taskkit.webware: '.' is a folder, and has no __main__.py\n"),
    ],
)
def test_without_a_program_there_is_a_clear_line(arguments: list[str], told: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "taskkit.webware", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (2, told)


def test_a_folder_with_a_main_module_is_a_program_too(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import beside", encoding="utf-8")
    (tmp_path / "beside.py").write_text("import TaskKit; print('hello')", encoding="utf-8")

    assert printed_by("taskkit.webware", module=True, arguments=(str(tmp_path),)) == "hello\n"


def test_the_exit_status_is_that_of_the_program(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys; sys.exit(5)", encoding="utf-8")

    assert subprocess.run([sys.executable, "-m", "taskkit.webware", program], check=False).returncode == 5


LIVING_ON = """
from time import time
from taskkit.webware import Scheduler, Task

class Once(Task):
    def run(self):
        print("once", end=" ")
        scheduler.addTimedAction(time() + .05, Twice(), "twice")

class Twice(Task):
    def run(self):
        print("twice", end=" ")
        scheduler.stop()

scheduler = Scheduler(daemon=False)
scheduler.addTimedAction(time() + .3, Once(), "once")
scheduler.start()
"""


@pytest.mark.skipif(
    (3, 12) <= sys.version_info < (3, 12, 3), reason="Python starts no thread after the end of the main one"
)
def test_without_a_daemon_thread_the_program_lives_until_the_scheduler_is_stopped() -> None:
    assert printed_by(LIVING_ON) == "once twice "


def test_by_way_of_the_library_too(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(LIVING_ON, encoding="utf-8")

    assert printed_by("taskkit.webware", module=True, arguments=(str(program),)) == "once twice "


def test_with_a_daemon_thread_the_program_ends_when_it_ends() -> None:
    assert printed_by(LIVING_ON.replace("daemon=False", "daemon=True")) == ""
