"""What an import brings along, and what the root of the library offers."""

from __future__ import annotations

import inspect
import subprocess
import sys
from enum import Enum
from textwrap import dedent

import pytest

import taskkit


def loaded_by(program: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after the program, and had not before."""
    lines = ["import sys", "before = set(sys.modules)", dedent(program), "print(*set(sys.modules) - before)"]
    told = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    return set(told.stdout.split())


@pytest.mark.parametrize("module", ["taskkit", "taskkit.testing", "taskkit.taskfile", "taskkit.webware"])
def test_the_library_needs_nothing_but_python(module: str) -> None:
    roots = {name.partition(".")[0] for name in loaded_by(f"import {module}")}
    foreign = {name for name in roots - sys.stdlib_module_names if not name.startswith("_sysconfigdata")}
    assert foreign == {"taskkit"}


def test_it_loads_nothing_big_before_somebody_needs_it() -> None:
    """Commands, `async` tasks and cron expressions bring along what they need, when they need it."""
    loaded = loaded_by("import taskkit")
    assert not loaded & {
        "asyncio",
        "cronsim",
        "socket",
        "sqlite3",
        "subprocess",
        "unittest",
        "urllib.request",
    }


def test_a_scheduler_that_runs_plain_tasks_does_not_either() -> None:
    loaded = loaded_by("""
        import taskkit, taskkit.testing
        clock = taskkit.testing.ManualClock()
        with taskkit.Scheduler(clock=clock, executor=taskkit.testing.InlineExecutor()) as scheduler:
            scheduler.add_periodic_task(None, 5, lambda: print(end=""), "it")
            clock.advance(60)
            scheduler.snapshot()
    """)
    assert not loaded & {"asyncio", "cronsim", "socket", "subprocess"}


def test_the_dashboards_package_loads_no_screen() -> None:
    """So that `taskkit-tui --version` answers at once."""
    assert not {name for name in loaded_by("import taskkit_tui") if name.startswith(("textual", "rich"))}


@pytest.mark.parametrize("name", taskkit.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    thing = getattr(taskkit, name)
    assert inspect.getdoc(thing), f"{name} has no docstring"
    # Made up by `dataclasses` and `enum` where nobody wrote one.
    assert not thing.__doc__.startswith((f"{name}(", "An enumeration", "str(object"))


def test_the_public_names_are_in_order_and_none_is_missing() -> None:
    """Whatever the root imports from below is meant for users."""
    offered = {
        name
        for name, thing in vars(taskkit).items()
        if not name.startswith("_") and not inspect.ismodule(thing) and name != "annotations"
    }
    assert offered == {*taskkit.__all__}
    assert sorted(taskkit.__all__) == taskkit.__all__


@pytest.mark.parametrize(
    "name", [name for name in taskkit.__all__ if inspect.isclass(getattr(taskkit, name))]
)
def test_every_public_method_says_what_it_does(name: str) -> None:
    for member, thing in vars(getattr(taskkit, name)).items():
        is_method = callable(thing) or isinstance(thing, property | classmethod | staticmethod)
        if not member.startswith("_") and is_method and not isinstance(thing, Enum):
            assert inspect.getdoc(thing), f"{name}.{member} has no docstring"


def test_the_version_is_told() -> None:
    assert taskkit.__version__.count(".") == 2
