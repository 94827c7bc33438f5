"""A file of tasks that somebody breaks while it is followed."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorder import Events
from task_files import HERE, MADE, RAN, STEPS, tasks, write

from taskkit import Scheduler
from taskkit.taskfile import Reload, TaskFileError, TaskFileFollower

pytestmark = pytest.mark.usefixtures("own_folder", "own_imports")


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    for noted in (RAN, MADE, STEPS):
        noted.clear()


@pytest.fixture
def reloads() -> list[Reload]:
    return []


@pytest.fixture
def follower(scheduler: Scheduler, reloads: list[Reload]) -> TaskFileFollower:
    return TaskFileFollower(scheduler, "tasks.toml", reloads.append)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tasks.a]\nevery = 60", "tasks.a: needs run or command"),
        ("[tasks.a", "is not valid TOML"),
        ("", "has no tasks"),
        (f'[tasks.a]\nevery = 60\nrun = "{HERE}:Nothing"', f"{HERE}:Nothing\": {HERE} has no attribute"),
        (f'[tasks.a]\nevery = 60\nrun = "{HERE}:Note"\nargs = {{ x = 1 }}', "TypeError: "),
        (f'[tasks.a]\nevery = 60\nrun = "{HERE}:Note.__mro__"', "is a tuple, not a Task"),
        (f'[tasks.a]\nevery = 60\nrun = "{HERE}:TaskSpec"', "must be an instance, not the class TaskSpec"),
        ('[tasks.a]\nevery = 60\nrun = "leaves:x"', "SystemExit: 3"),
    ],
)  # fmt: skip
def test_a_broken_edit_changes_nothing_and_says_why(
    scheduler: Scheduler,
    follower: TaskFileFollower,
    events: Events,
    reloads: list[Reload],
    caplog: pytest.LogCaptureFixture,
    text: str,
    words: str,
) -> None:
    Path("leaves.py").write_text("raise SystemExit(3)")
    tasks("a every = 60", "b every = 60")
    follower.load()
    events.all.clear()

    write(f'{text}\n[tasks.new]\nrun = "{HERE}:Note"\nevery = 1' if text else text)
    reload = follower.reload()

    assert reload.unchanged == ("a", "b")
    assert words in str(reload.problems[0])
    assert str(reload).startswith("nothing is changed: tasks.toml")
    assert reloads == [reload]
    assert events.all == []
    assert words in caplog.text
    tasks("a every = 60", "b every = 60")
    assert follower.reload() == Reload(unchanged=("a", "b"))


def test_a_broken_file_at_the_beginning_is_an_error_and_registers_nothing(
    scheduler: Scheduler, follower: TaskFileFollower, reloads: list[Reload]
) -> None:
    paths = {"a": f"{HERE}:Note", "b": f"{HERE}:Nothing", "c": "nowhere:x"}
    write("\n".join(f'tasks.{name} = {{ every = 5, run = "{path}" }}' for name, path in paths.items()))
    with pytest.raises(TaskFileError) as refusal:
        follower.load()
    assert [(problem.line, problem.key) for problem in refusal.value.problems] == [
        (2, "tasks.b.run"),
        (3, "tasks.c.run"),
    ]
    assert scheduler.snapshot().tasks == ()
    assert reloads == []
    tasks("a every = 5")
    assert follower.load() == Reload(added=("a",))


def test_an_edit_with_many_faults_is_reported_with_their_number(follower: TaskFileFollower) -> None:
    write("[tasks.a]")
    assert str(follower.reload()).endswith("which say when it runs (and 1 more)")
