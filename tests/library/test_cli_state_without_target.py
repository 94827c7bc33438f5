"""`taskkit list`, `next` and `trigger` with `--state` and no target."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import tzset

import pytest

from taskkit import Every, Policies, Recipe, Schedule, Scheduler, TaskSpec
from taskkit.cli import main
from taskkit.store import Store
from taskkit.testing import InlineExecutor, ManualClock

START = 1_800_000_000.0
"""2027-01-15 08:00 UTC."""

REMINDER = """
from taskkit import Task

class Reminder(Task):
    def __init__(self, text):
        self.text = text

    def run(self):
        print(self.text)
"""


class Sometimes(Schedule):
    """A custom kind of schedule, which a state cannot hold."""

    follows_wall_clock = False
    repeats = True

    def next_after(self, instant: float) -> float:
        return instant + 60


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    (tmp_path / "reminding.py").write_text(REMINDER)
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC")
        tzset()
        clock = ManualClock(START)
        scheduler = Scheduler(clock=clock, executor=InlineExecutor())
        with Store.open("s.sqlite", clock=clock) as store:
            store.attach(scheduler)
            scheduler.start()
            scheduler.add_periodic_task(None, 3600, fail, "fetch")
            scheduler.add_daily_task(2, 30, fail, "nightly", tz="Europe/Berlin")
            scheduler.add_task(Sometimes(), fail, "odd")
            scheduler.set_period("fetch", 7200, override=True)
            scheduler.disable_task("nightly")
            recipe = Recipe("reminding:Reminder", {"text": "tea is ready"})
            made = TaskSpec("tea", Every(500), recipe, Policies(description="Every so often"))
            scheduler.add_spec(made, persist=True)
            gone = TaskSpec("gone", Every(500), Recipe("reminding:Reminder", {"text": "?"}))
            scheduler.add_spec(gone, persist=True)
            clock.advance(1)
            assert store.flush(20)
            scheduler.stop()
        yield tmp_path
        sys.modules.pop("reminding", None)
    tzset()


def fail() -> None:
    raise RuntimeError("no luck")


Look = Callable[..., list[str]]


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Look:
    capsys.readouterr()

    def run(*arguments: str, status: int = 0) -> list[str]:
        assert main(arguments) == status
        captured = capsys.readouterr()
        return (captured.out + captured.err).splitlines()

    return run


def test_all_tasks_of_a_state_are_listed(look: Look) -> None:
    tasks = {each["task"]: each for each in map(json.loads, look("list", "--state", "s.sqlite", "--json"))}

    assert set(tasks) == {"fetch", "nightly", "odd", "tea", "gone"}
    assert (tasks["fetch"]["schedule"], tasks["fetch"]["overrides"]) == ("every 2 h", "every 1 h")
    assert tasks["fetch"]["failing"]
    assert (tasks["nightly"]["enabled"], tasks["nightly"]["zone"]) == (False, "Europe/Berlin")
    assert tasks["odd"]["schedule"] is None
    assert (tasks["tea"]["schedule"], tasks["tea"]["description"]) == ("every 8 min 20 s", "Every so often")
    shown = look("list", "--state", "s.sqlite")
    assert [line.split()[0] for line in shown[1:-1]] == list(tasks)
    assert shown[-1].startswith("taskkit: s.sqlite is not running: it was stopped at ")
    assert "not known" in shown[1 + list(tasks).index("odd")]


def test_failing_works_with_a_state_alone(look: Look) -> None:
    shown = look("list", "--state", "s.sqlite", "--failing", "--json", status=1)
    assert {json.loads(line)["task"] for line in shown} == {"fetch"}


def test_the_next_due_times_of_a_state_are_listed(look: Look) -> None:
    due = [json.loads(line) for line in look("next", "--state", "s.sqlite", "--json", "-n", "40")]
    assert {each["task"] for each in due} >= {"fetch", "tea"}
    assert [each["due"] for each in due] == sorted(each["due"] for each in due)

    (only,) = look("next", "--state", "s.sqlite", "fetch", "-n", "1", "--json")
    assert json.loads(only)["due"] == START + 7200
    assert "odd" in look("next", "odd", "--state", "s.sqlite")[1]
    assert "did you mean “fetch”?" in look("next", "--state", "s.sqlite", "fecth", status=2)[0]


def test_a_task_registered_at_run_time_can_be_triggered_from_its_state(look: Look) -> None:
    assert look("trigger", "--state", "s.sqlite", "tea", "-q") == ["tea is ready"]
    assert look("trigger", "-q", "tea", "--state", "s.sqlite") == ["tea is ready"]


@pytest.mark.parametrize("name", ["fetch", "odd"])
def test_a_task_of_the_program_cannot_be_created_from_its_state(name: str, look: Look) -> None:
    (shown,) = look("trigger", "--state", "s.sqlite", name, status=2)
    assert shown == (
        f"taskkit: “{name}” cannot be created from its state alone: its program or file registers it; "
        "name that too: taskkit trigger TARGET NAME --state s.sqlite"
    )


def test_a_task_that_can_no_longer_be_created_is_named(look: Look, folder: Path) -> None:
    (folder / "reminding.py").write_text("")
    sys.modules.pop("reminding", None)
    (shown,) = look("trigger", "--state", "s.sqlite", "gone", status=2)
    assert shown.startswith("taskkit: “gone” can no longer be created: ")
    assert "reminding has no attribute 'Reminder'" in shown


def test_an_unknown_name_is_refused_with_the_tasks_that_can_be_created(look: Look) -> None:
    (shown,) = look("trigger", "--state", "s.sqlite", "nothing like it", status=2)
    assert shown == "taskkit: “s.sqlite” has no task “nothing like it”; it has tea, gone"


@pytest.mark.parametrize("command", ["list", "next", "history", "run"])
def test_a_state_given_as_a_target_is_answered_with_the_option(command: str, look: Look) -> None:
    assert look(command, "s.sqlite", status=2) == [
        "taskkit: “s.sqlite” is a state file, not a target; write --state before it"
    ]


@pytest.mark.parametrize("command", ["list", "next", "trigger"])
def test_a_target_or_a_state_is_required(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exiting:
        main([command])
    assert exiting.value.code == 2
    assert "needs a TARGET or --state PATH" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "next", "trigger"])
def test_a_missing_state_is_reported(command: str, look: Look) -> None:
    words = ["a"] if command == "trigger" else []
    (shown,) = look(command, *words, "--state", "not-there.sqlite", status=2)
    assert "not-there.sqlite" in shown


def test_target_and_name_may_stand_on_both_sides_of_an_option(look: Look, folder: Path) -> None:
    (folder / "tasks.toml").write_text('[tasks.hello]\ncommand = "echo hello"\non_demand = true\n')
    assert look("trigger", "tasks.toml", "-q", "hello") == ["hello"]
    assert look("next", "tasks.toml", "-n", "3", "hello") == ["taskkit: hello is not due"]
