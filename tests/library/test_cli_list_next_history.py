"""`taskkit list`, `next` and `history`, which read the state and start nothing."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from time import tzset
from typing import Any

import pytest
from patience import eventually

from taskkit import Every, Once, OnDemand, Recipe, Scheduler, TaskSpec
from taskkit.cli import main
from taskkit.store import Store
from taskkit.targets.state_paths import state_path
from taskkit.testing import InlineExecutor, ManualClock

START = 1_800_000_000.0
"""2027-01-15 08:00 UTC."""

PROGRAM = """
from taskkit import Scheduler
from taskkit.testing import InlineExecutor, ManualClock

def nothing():
    raise AssertionError("this must not be run")

def make(at=1_800_000_000.0):
    scheduler = Scheduler(clock=ManualClock(at), executor=InlineExecutor())
    scheduler.add_periodic_task(None, 3600, nothing, "hourly", description="Looks\\naround")
    scheduler.add_daily_task(2, 30, nothing, "nightly", tz="Europe/Berlin")
    scheduler.add_on_demand_task(nothing, "on request")
    scheduler.add_periodic_task(None, 60, nothing, "off\\u202e")
    scheduler.disable_task("off\\u202e")
    scheduler.add_periodic_task(None, 3600, nothing, "twice", max_runs=2)
    return scheduler

def later():
    return make(1_800_000_000.0 + 1800)

def at_daylight_saving():
    return make(1_806_062_400.0)

def empty():
    return Scheduler()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC")
        tzset()
        (tmp_path / "looked_at.py").write_text(PROGRAM)
        yield tmp_path
        sys.modules.pop("looked_at", None)
    tzset()


Look = Callable[..., list[str]]
"""Runs the command; returns the lines of its output."""


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Look:
    def run(*arguments: str, status: int = 0) -> list[str]:
        assert main(arguments) == status
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def errors(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    def run(*arguments: str, status: int = 2) -> list[str]:
        assert main(arguments) == status
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err.splitlines()

    return run


Live = Callable[[Scheduler, ManualClock], object]
EarlierLife = Callable[..., None]


@pytest.fixture
def earlier_life(capsys: pytest.CaptureFixture[str]) -> EarlierLife:
    """Run a scheduler with the tasks of the target and a store, as a process before a restart."""

    def live_once(path: Path, live: Live, at: float = START) -> None:
        sys.path.insert(0, str(Path.cwd()))
        clock = ManualClock(at)
        scheduler = Scheduler(clock=clock, executor=InlineExecutor())
        model = import_module("looked_at").make()
        for view in (model.scheduled, model.on_demand):
            for name, handle in view.items():
                scheduler.add_task(handle.schedule, do_nothing, name)
        scheduler.disable_task("off\u202e")
        with Store.open(path, clock=clock) as store:
            store.attach(scheduler)
            scheduler.start()
            live(scheduler, clock)
            assert store.flush(20)
            scheduler.stop()
        capsys.readouterr()

    return live_once


def do_nothing() -> None:
    pass


def objects(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


# list


def test_the_tasks_are_listed_with_their_schedules_and_next_runs(look: Look) -> None:
    titles, hourly, nightly, *_, off, twice = look("list", "looked_at:make")

    assert re.split("  +", titles) == ["TASK", "STATE", "NEXT", "SCHEDULE", "DESCRIPTION"]
    assert re.split("  +", hourly) == [
        *("hourly", "Fri 2027-01-15 08:00:00 +00:00", "at once", "every 1 h", "Looks around")
    ]
    assert re.split("  +", nightly) == [
        *("nightly", "Sat 2027-01-16 02:30:00 +01:00", "in 17 h 30 min", "daily 02:30 Europe/Berlin")
    ]
    assert re.split("  +", off) == ["off\u202e", "disabled", "-", "every 1 min"]
    assert [line.index("every") for line in (hourly, off, twice)] == [titles.index("SCHEDULE")] * 3


def test_the_list_can_be_written_as_json(look: Look) -> None:
    hourly, *_, off, _ = objects(look("list", "looked_at:make", "--json"))

    assert hourly == {
        "task": "hourly",
        "schedule": "every 1 h",
        "next_run": START,
        "enabled": True,
        "disabled_until": None,
        "done": False,
        "running_since": None,
        "last_outcome": None,
        "last_finished": None,
        "failing": False,
        "running": False,
        "pid": None,
        "last_seen": None,
        "zone": hourly["zone"],
        "overrides": None,
        "executor": "thread",
        "where": None,
        "description": "Looks\naround",
    }
    assert (off["enabled"], off["next_run"]) == (False, None)


def test_changes_made_before_the_restart_are_listed(earlier_life: EarlierLife, look: Look) -> None:
    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        clock.advance(600)
        scheduler.set_period("hourly", 7200, override=True)
        scheduler.disable_task("nightly")
        scheduler.enable_task("off\u202e")
        scheduler.add_spec(TaskSpec("made", Every(500), Recipe("gc:collect")), persist=True)

    earlier_life(state_path("looked_at:later"), live)

    tasks = {each["task"]: each for each in objects(look("list", "looked_at:later", "--json"))}
    assert tasks["hourly"]["schedule"] == "every 2 h"
    assert tasks["hourly"]["overrides"] == "every 1 h"
    assert tasks["hourly"]["next_run"] == START + 7200
    assert not tasks["nightly"]["enabled"]
    assert tasks["off\u202e"]["enabled"]
    assert tasks["made"]["next_run"] == START + 600  # it was just about to begin
    assert "every 2 h (instead of every 1 h)" in look("list", "looked_at:later")[1]


def test_running_and_failing_tasks_of_another_process_are_listed(
    earlier_life: EarlierLife, look: Look
) -> None:
    shown: list[str] = []

    def fail_in_silence() -> None:
        raise RuntimeError("no luck")

    def look_while_it_runs() -> None:
        eventually(lambda: objects(look("list", "looked_at:make", "--json"))[2]["running_since"])
        shown[:] = look("list", "looked_at:make", "--json") + look("list", "looked_at:make")

    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.disable_task("nightly")
        scheduler.add_task(Every(3600), fail_in_silence, "twice")
        scheduler.add_task(OnDemand(), look_while_it_runs, "on request")
        clock.advance(1800)
        scheduler.demand_task("on request")

    earlier_life(state_path("looked_at:make"), live)

    (hourly, nightly, asked, _, twice), table = objects(shown[:5]), shown[5:]
    assert asked["running_since"] == START + 1800
    assert asked["last_outcome"] is None
    assert nightly["last_outcome"] is None
    assert (hourly["last_outcome"], hourly["last_finished"], hourly["failing"]) == ("succeeded", START, False)
    assert (twice["last_outcome"], twice["last_finished"], twice["failing"]) == ("failed", START, True)
    assert twice["running_since"] is None
    assert re.split("  +", table[0]) == ["TASK", "STATE", "LAST", "NEXT", "SCHEDULE", "DESCRIPTION"]
    assert " ✓ Fri 2027-01-15 08:00:00 " in table[1]
    assert " running 0:00 " in table[3]
    assert " failing " in table[5]
    assert " ✗ Fri 2027-01-15 08:00:00 RuntimeError: no luck" in table[5]


def test_a_task_is_listed_until_its_last_run_has_ended(
    earlier_life: EarlierLife, look: Look, folder: Path
) -> None:
    (folder / "tasks.toml").write_text('[tasks.party]\ncommand = "date"\nat = 2027-01-15 09:00:00Z\n')
    shown: list[str] = []

    def look_while_it_runs() -> None:
        def is_written() -> bool:
            shown[:] = look("list", "tasks.toml", "--json", "--state", "s.sqlite")
            return bool(shown) and objects(shown)[0]["running_since"] is not None

        eventually(is_written)

    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.add_task(Once(START + 3600), look_while_it_runs, "party")
        clock.advance(3600)

    earlier_life(folder / "s.sqlite", live)
    (party,) = objects(shown)
    assert (party["running_since"], party["next_run"]) == (START + 3600, None)
    assert look("list", "tasks.toml", "--json", "--state", "s.sqlite") == []


def test_the_exit_status_of_failing_says_whether_a_task_fails(
    earlier_life: EarlierLife, look: Look, errors: Callable[..., list[str]]
) -> None:
    assert errors("list", "looked_at:make", "--failing") == [
        "taskkit: the last runs of “looked_at:make” are not known: it has no state here"
    ]

    earlier_life(state_path("looked_at:make"), lambda *_: None)
    assert errors("list", "looked_at:make", "--failing", status=0) == [
        "taskkit: no task of looked_at:make fails",
        "taskkit: looked_at:make is not running: it was stopped at Fri 2027-01-15 08:00:00",
    ]

    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.add_task(Every(3600), fail, "twice")
        clock.advance(60)

    earlier_life(state_path("looked_at:make"), live, at=START + 60)
    (twice,) = objects(look("list", "looked_at:make", "--failing", "--json", status=1))
    assert twice["task"] == "twice"
    assert len(look("list", "looked_at:make", "--failing", status=1)) == 2
    assert look("list", "looked_at:make", "--json") != []


def test_without_the_state_the_list_shows_what_the_program_registers(
    earlier_life: EarlierLife, look: Look
) -> None:
    earlier_life(state_path("looked_at:later"), lambda scheduler, _: scheduler.disable_task("hourly"))

    assert not objects(look("list", "looked_at:later", "--json"))[0]["enabled"]
    assert objects(look("list", "looked_at:later", "--json", "--no-state"))[0]["enabled"]


def test_looking_changes_nothing(earlier_life: EarlierLife, look: Look, folder: Path) -> None:
    earlier_life(folder / "s.sqlite", lambda scheduler, _: scheduler.pause())
    before = (folder / "s.sqlite").read_bytes()

    look("list", "looked_at:later", "--state", "s.sqlite")
    look("next", "looked_at:later", "--state", "s.sqlite")
    look("history", "--state", "s.sqlite")

    assert (folder / "s.sqlite").read_bytes() == before


def test_a_state_in_use_can_be_read(earlier_life: EarlierLife, look: Look, folder: Path) -> None:
    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        clock.advance(600)

    earlier_life(folder / "s.sqlite", live)
    with Store.open(folder / "s.sqlite"):
        (hourly, *_) = objects(look("list", "looked_at:later", "--json", "--state", "s.sqlite"))
    assert hourly["next_run"] == START + 3600


def test_a_state_that_cannot_be_read_is_reported(
    errors: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert errors("list", "looked_at:make", "--state", "none.sqlite") == [
        "taskkit: cannot read none.sqlite: there is no such file"
    ]

    default = state_path("looked_at:make")
    default.parent.mkdir(parents=True)
    default.write_text("no tables")
    assert main(["list", "looked_at:make"]) == 0
    captured = capsys.readouterr()
    assert "hourly" in captured.out
    assert captured.err.endswith("; continuing without it\n")


def test_a_target_without_tasks_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "looked_at:empty"]) == 0
    assert main(["next", "looked_at:empty"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "has no tasks" in captured.err
    assert "looked_at:empty is not running: it has no state here\n" in captured.err
    assert "no task of looked_at:empty is due" in captured.err


# next


def test_the_next_due_times_of_all_tasks_are_listed_in_order(look: Look) -> None:
    shown = objects(look("next", "looked_at:make", "-n", "5", "--json"))

    assert [(each["task"], each["due"] - START) for each in shown] == [
        ("hourly", 0),
        ("twice", 0),
        ("hourly", 3600),
        ("twice", 3600),
        ("hourly", 7200),
    ]


def test_a_task_that_is_due_often_does_not_hide_the_others(look: Look, folder: Path) -> None:
    (folder / "tasks.toml").write_text(
        '[tasks.tick]\ncommand = "true"\nevery = "10s"\n'
        '[tasks.weekly]\ncommand = "true"\nevery = "7d"\n'
        '[tasks.asked]\ncommand = "true"\non_demand = true\n'
        '[tasks.daily]\ncommand = "true"\nevery = "1d"\n'
    )

    def shown(*arguments: str) -> list[str]:
        return [each["task"] for each in objects(look("next", "tasks.toml", "--json", *arguments))]

    assert Counter(shown("-n", "6")) == {"tick": 3, "weekly": 1, "daily": 2}
    assert Counter(shown("-n", "30")) == {"tick": 10, "weekly": 10, "daily": 10}
    assert Counter(shown("-n", "4")) == {"tick": 2, "weekly": 1, "daily": 1}


def test_the_due_times_of_one_task_are_listed(look: Look, errors: Callable[..., list[str]]) -> None:
    shown = objects(look("next", "looked_at:make", "hourly", "-n", "5", "--json"))
    assert [(each["task"], each["due"] - START) for each in shown] == [
        ("hourly", step * 3600) for step in range(5)
    ]
    assert len(look("next", "looked_at:make", "nightly")) == 1 + 20
    assert errors("next", "looked_at:make", "on request", status=0) == ["taskkit: on request is not due"]
    assert errors("next", "looked_at:make", "nightlt") == [
        "taskkit: “looked_at:make” has no task “nightlt”; did you mean “nightly”?"
    ]


def test_daylight_saving_time_is_marked(look: Look) -> None:
    shown = look("next", "looked_at:at_daylight_saving", "-n", "200")
    nightly = [line for line in shown if line.startswith("nightly")]

    assert "Sun 2027-03-28 03:00:00  +02:00  DST" in nightly[1]  # there is no 02:30 that night
    assert "Mon 2027-03-29 02:30:00  +02:00  DST" in nightly[2]
    assert all("Europe/Berlin" in line for line in nightly)
    assert not any("DST" in line for line in shown if "+01:00" in line)


def test_a_missed_due_time_is_caught_up_once_and_then_the_grid_continues(
    earlier_life: EarlierLife, look: Look
) -> None:
    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        clock.advance(10)

    earlier_life(state_path("looked_at:later"), live, at=START - 3600)

    shown = objects(look("next", "looked_at:later", "-n", "100", "--json"))
    hourly = [each["due"] - START for each in shown if each["task"] == "hourly"]
    assert hourly[:3] == [0, 3600, 7200]  # due at 0, which was half an hour ago


def test_a_task_that_had_its_only_run_is_not_listed(
    earlier_life: EarlierLife, look: Look, folder: Path
) -> None:
    (folder / "tasks.toml").write_text('[tasks.party]\ncommand = "date"\nat = 2027-01-15 09:00:00Z\n')

    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.add_task(Once(START + 3600), do_nothing, "party")
        clock.advance(3600)

    assert [each["task"] for each in objects(look("next", "tasks.toml", "--json"))] == ["party"]
    earlier_life(folder / "s.sqlite", live)
    assert look("next", "tasks.toml", "--json", "--state", "s.sqlite") == []


def test_a_task_whose_only_time_passed_while_stopped_is_still_due(
    earlier_life: EarlierLife, look: Look, folder: Path
) -> None:
    (folder / "tasks.toml").write_text('[tasks.party]\ncommand = "date"\nat = 2020-01-01 00:00:00Z\n')
    then = 1_577_836_800.0

    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.add_task(Once(then), do_nothing, "party")

    assert look("next", "tasks.toml", "--json") == []
    earlier_life(folder / "s.sqlite", live, at=then - 3600)
    (party,) = objects(look("next", "tasks.toml", "--json", "--state", "s.sqlite"))
    assert party["due"] == then


@pytest.mark.parametrize("number", ["0", "-3", "many", "1e3", "10001"])
def test_an_invalid_number_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exiting:
        main(["next", "looked_at:make", "-n", number])
    assert exiting.value.code == 2
    assert "must be a whole number from 1 to 10000" in capsys.readouterr().err


# history


def fail() -> None:
    print("about to fail")
    raise RuntimeError("no luck\x1b")


def lived(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add_task(Every(1000), fail, "failing")
    scheduler.disable_task("hourly")
    clock.advance(1500)
    scheduler.enable_task("hourly")


def test_the_newest_runs_come_first(earlier_life: EarlierLife, look: Look, folder: Path) -> None:
    earlier_life(folder / "s.sqlite", lived)

    shown = objects(look("history", "--state", "s.sqlite", "failing", "--json"))

    assert [each["outcome"] for each in shown] == ["failed", "failed"]
    assert shown[0]["started"] == START + 1000
    assert shown[0]["output"] == ["about to fail"]
    assert shown[0]["exception"] == "RuntimeError: no luck\x1b"
    assert "fail()" in shown[0]["traceback"] or "raise RuntimeError" in shown[0]["traceback"]


def test_the_history_is_a_table_for_a_person(earlier_life: EarlierLife, look: Look, folder: Path) -> None:
    earlier_life(folder / "s.sqlite", lived)

    titles, *rows = look("history", "--state", "s.sqlite", "--failed")

    assert titles.split() == ["TASK", "WHEN", "OUTCOME", "TOOK"]
    assert len(rows) == 2
    assert all(row.startswith("failing  Fri 2027-01-15 08:") for row in rows)
    assert all(row.endswith("RuntimeError: no luck␛") for row in rows)


def test_a_retry_shows_the_number_of_the_attempt(earlier_life: EarlierLife, look: Look, folder: Path) -> None:
    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.add_task(Every(1000), fail, "failing", retries=1, retry_delay=5)
        clock.advance(20)

    earlier_life(folder / "s.sqlite", live)

    second, first = look("history", "--state", "s.sqlite", "failing")[1:]
    assert second.endswith("  try 2: RuntimeError: no luck␛")
    assert "try" not in first


def test_the_output_is_shown_on_request(earlier_life: EarlierLife, look: Look, folder: Path) -> None:
    earlier_life(folder / "s.sqlite", lived)

    shown = look("history", "--state", "s.sqlite", "failing", "-n", "1", "--output")

    assert "failed after" in shown[0]
    assert "    about to fail" in shown
    assert "    Traceback (most recent call last):" in shown


def test_skips_are_shown_with_their_reason(earlier_life: EarlierLife, look: Look, folder: Path) -> None:
    earlier_life(folder / "s.sqlite", lived)

    assert any("1 due time: disabled" in row for row in look("history", "--state", "s.sqlite"))


def test_the_lines_of_a_history_are_in_the_order_of_their_times(
    earlier_life: EarlierLife, look: Look, folder: Path
) -> None:
    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.add_task(Every(600), do_nothing, "busy")
        clock.advance(60)
        scheduler.disable_task("hourly")
        clock.advance(3 * 3600)
        clock.stall(5 * 3600 + 60)  # nobody tells what was skipped before it is over

    earlier_life(folder / "s.sqlite", live)

    rows = look("history", "--state", "s.sqlite", "-n", "100")[1:]
    times = [re.findall("[0-9:]{8}", row)[0] for row in rows]
    assert times == sorted(times, reverse=True)
    assert any(row.startswith("hourly") and "16:02:00  skipped" in row for row in rows)


def test_the_history_is_searched_and_cut(earlier_life: EarlierLife, look: Look, folder: Path) -> None:
    earlier_life(folder / "s.sqlite", lived)

    def count(*options: str) -> int:
        return len(look("history", "--state", "s.sqlite", "--json", *options))

    assert count("--search", "LUCK") == 2
    assert count("--search", "nothing like this", "failing") == 0
    assert count("-n", "1") == 1
    assert count("--since", "2027-01-15T08:10+00:00", "failing") == 1
    assert count("--since", "1h", "failing") in {0, 2}  # by the clock of the machine


def test_the_state_of_a_target_that_can_no_longer_be_loaded_is_shown(
    earlier_life: EarlierLife, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    earlier_life(state_path("looked_at:later"), lived)
    (folder / "broken.py").write_text("raise RuntimeError('no wheels')")
    state_path("looked_at:later").rename(state_path("broken:later"))

    assert main(["history", "broken:later", "failing"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("TASK     WHEN ")
    assert captured.err == (
        "taskkit: cannot import “broken”: RuntimeError: no wheels (broken.py:1); "
        "showing what taskkit run has saved for it\n"
    )
    assert main(["history", "broken:others"]) == 2
    assert (
        capsys.readouterr().err == "taskkit: cannot import “broken”: RuntimeError: no wheels (broken.py:1)\n"
    )


def test_the_history_of_a_task_file_does_not_need_the_file(earlier_life: EarlierLife, look: Look) -> None:
    earlier_life(state_path("gone.toml"), lived)
    assert look("history", "gone.toml", "failing")


def test_the_own_store_of_a_scheduler_is_found(
    earlier_life: EarlierLife, look: Look, errors: Callable[..., list[str]], folder: Path
) -> None:
    (folder / "lasting.py").write_text(
        "from taskkit.store import PersistentScheduler\n"
        "print('imported')\n"
        "scheduler = PersistentScheduler('own.sqlite')\n"
    )
    assert "own.sqlite" in errors("history", "lasting:scheduler", "--json")[-1]
    earlier_life(state_path("lasting:scheduler"), lambda *_: None)  # of the time before it had its own
    earlier_life(folder / "own.sqlite", lived)

    shown = objects(look("history", "lasting:scheduler", "--json", "--failed"))
    assert [each["task"] for each in shown] == ["failing", "failing"]


def test_history_takes_both_a_target_and_a_state(
    earlier_life: EarlierLife, look: Look, errors: Callable[..., list[str]], folder: Path
) -> None:
    def live(scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.add_task(Every(1000), fail, "fail:ing")
        lived(scheduler, clock)

    earlier_life(folder / "s.sqlite", live)

    everything = look("history", "--state", "s.sqlite")
    assert look("history", "tasks.toml", "--state", "s.sqlite") == everything
    assert look("history", "not_there:make", "--state", "s.sqlite") == everything
    failing = look("history", "--state", "s.sqlite", "failing")
    assert look("history", "not_there:make", "failing", "--state", "s.sqlite") == failing != everything
    assert {line.split()[0] for line in look("history", "--state", "s.sqlite", "fail:ing")[1:]} == {
        "fail:ing"
    }
    assert "is not a target" in errors("history", "words", "failing", "--state", "s.sqlite")[0]


def test_an_unknown_task_is_refused_with_a_suggestion(
    earlier_life: EarlierLife, errors: Callable[..., list[str]], folder: Path
) -> None:
    earlier_life(folder / "s.sqlite", lived)

    assert errors("history", "--state", "s.sqlite", "fialing") == [
        "taskkit: the state has no task “fialing”; did you mean “failing”?"
    ]


def test_a_target_that_was_never_run_has_no_history(errors: Callable[..., list[str]]) -> None:
    (shown,) = errors("history", "looked_at:make")
    assert shown.startswith("taskkit: there is no state of “looked_at:make”: it was not run here (")


@pytest.mark.parametrize("target", ["looked_at", ".", ""])
def test_a_malformed_target_is_refused_as_such(target: str, errors: Callable[..., list[str]]) -> None:
    assert errors("history", target)[0].startswith(f"taskkit: “{target}” is not a target")


@pytest.mark.parametrize("words", [[], ["a:b", "name", "more"]])
def test_the_history_is_of_one_target(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exiting:
        main(["history", *words])
    assert exiting.value.code == 2
    assert "needs a TARGET or --state PATH" in capsys.readouterr().err
