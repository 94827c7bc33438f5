"""`taskkit trigger`: one run in this process, with its outcome as the exit status."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import RunningCommand

from taskkit import Every, Recipe, Scheduler, TaskSpec
from taskkit.cli import main
from taskkit.store import PersistentScheduler, Store, read_history, read_state
from taskkit.targets.state_paths import state_path

PROGRAM = """
from pathlib import Path
from threading import Event
from taskkit import CommandTask, Scheduler, Task, current_run
from taskkit.store import PersistentScheduler, Store

class Report(Task):
    run_parameters = {"month": str, "draft": False, "pages": 3}
    def run(self):
        print(sorted(self.parameters.items()))

def fail():
    print("about to fail")
    raise ValueError("no\\x1b luck")

def patient():
    print("begins", flush=True)
    current_run().sleep(60)
    print("ends", flush=True)

def stubborn():
    print("begins", flush=True)
    Event().wait(60)

def tell():
    print(dict(current_run().parameters))

def ask():
    tell()

def hostile():
    tell()

hostile.run_parameters = {"\\x1b[2J\\nmonth": str, "\\u202epages": 3, "\\x1b[31mof": 1, "x" * 10_000: ""}
hostile.run_parameters |= {"caf\\xe9\\ufe0f": ""}

ask.run_parameters = {"month": str, "pages": 3}

def touch():
    Path("touched").touch()

def make():
    scheduler = Scheduler()
    scheduler.add_periodic_task(None, 0.001, touch, "touch")
    scheduler.add_on_demand_task(Report(), "report")
    scheduler.add_on_demand_task(fail, "fail", retries=5, retry_delay=0)
    scheduler.add_on_demand_task(patient, "patient")
    scheduler.add_on_demand_task(patient, "hasty", timeout=0.05)
    scheduler.add_on_demand_task(stubborn, "stubborn")
    scheduler.add_on_demand_task(tell, "tell")
    scheduler.add_on_demand_task(ask, "ask")
    scheduler.add_on_demand_task(hostile, "hostile")
    scheduler.add_on_demand_task(CommandTask("true"), "command")
    scheduler.add_on_demand_task(lambda: print("off"), "off")
    scheduler.disable_task("off")
    return scheduler

def lasting():
    scheduler = PersistentScheduler("own.sqlite")
    scheduler.add_on_demand_task(lambda: print("here"), "here")
    return scheduler

def attached():
    scheduler = Scheduler()
    scheduler.add_periodic_task(None, 60, lambda: print("here"), "here")
    Store.open("own.sqlite").attach(scheduler)
    return scheduler

started = []

def begun():
    scheduler = Scheduler()
    started.append(scheduler)
    scheduler.add_on_demand_task(lambda: print("here"), "here")
    scheduler.start()
    return scheduler
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    (tmp_path / "triggered.py").write_text(PROGRAM)
    yield tmp_path
    for scheduler in getattr(sys.modules.pop("triggered", None), "started", ()):
        scheduler.stop()


Captured = pytest.CaptureFixture[str]


def test_the_task_runs_and_its_output_is_unchanged(capsys: Captured, folder: Path) -> None:
    assert main(["trigger", "triggered:make", "report"]) == 0

    captured = capsys.readouterr()
    assert captured.out == "[('draft', False), ('pages', 3)]\n"
    assert captured.err.startswith("taskkit: report succeeded after ")
    assert not (folder / "touched").exists()  # though it was due


def test_parameters_are_read_as_the_task_declares_them(capsys: Captured) -> None:
    parameters = ["--param", "month=2026-11=x", "--param", "draft=yes", "--param", "pages=12"]
    assert main(["trigger", "triggered:make", "report", "-q", *parameters]) == 0

    captured = capsys.readouterr()
    assert captured.out == "[('draft', True), ('month', '2026-11=x'), ('pages', 12)]\n"
    assert captured.err == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("month", "--param “month” must be of the form NAME=VALUE"),
        ("=x", "must be of the form NAME=VALUE"),
        ("motnh=x", "“report” takes no parameter “motnh”; did you mean “month”?"),
        ("colour=x", "it takes month, draft, pages"),
        ("pages=many", "pages must be a whole number, not 'many'"),
    ],
)
def test_a_wrong_parameter_is_refused_and_nothing_runs(given: str, words: str, capsys: Captured) -> None:
    assert main(["trigger", "triggered:make", "report", "--param", given]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err


def test_hostile_names_of_parameters_are_harmless_in_messages(capsys: Captured) -> None:
    for given in ("colour=x", "\x1b]0;pwned\x07=x", "month\x1b[2J=x"):
        assert main(["trigger", "triggered:make", "hostile", "--param", given]) == 2
        message = capsys.readouterr().err
        assert message.removesuffix("\n").isprintable()
        assert len(message) < 1000
    assert main(["trigger", "triggered:make", "hostile", "-q", "--param", "cafe\u0301=as it is shown"]) == 0
    assert "as it is shown" in capsys.readouterr().out
    assert main(["trigger", "triggered:make", "hostile", "--param", "\x1b[31mof=many"]) == 2
    assert capsys.readouterr().err == "taskkit: ␛[31mof must be a whole number, not 'many'\n"


def test_a_plain_function_accepts_any_parameter(capsys: Captured) -> None:
    parameters = ["--param", "month=2026-11", "--param", "a word=x=y", "--param", "nothing="]
    assert main(["trigger", "triggered:make", "tell", "-q", *parameters]) == 0
    assert capsys.readouterr().out == "{'month': '2026-11', 'a word': 'x=y', 'nothing': ''}\n"


def test_a_plain_function_can_declare_its_parameters(capsys: Captured) -> None:
    assert main(["trigger", "triggered:make", "ask", "-q", "--param", "pages=12"]) == 0
    assert capsys.readouterr().out == "{'pages': 12}\n"
    assert main(["trigger", "triggered:make", "ask", "--param", "page=12"]) == 2
    assert "takes no parameter “page”; did you mean “pages”?" in capsys.readouterr().err


def test_a_command_takes_no_parameters(capsys: Captured) -> None:
    assert main(["trigger", "triggered:make", "command", "--param", "x=y"]) == 2
    assert capsys.readouterr().err == "taskkit: “command” takes no parameter “x”\n"


def test_a_failure_is_the_exit_status_and_is_not_retried(capsys: Captured) -> None:
    assert main(["trigger", "triggered:make", "fail"]) == 1

    captured = capsys.readouterr()
    assert captured.out == "about to fail\n"
    assert captured.err.count("Traceback (most recent call last):") == 1
    assert "ValueError: no␛ luck\ntaskkit: fail failed after " in captured.err


def test_a_run_that_times_out_has_a_status_of_its_own(capsys: Captured) -> None:
    assert main(["trigger", "triggered:make", "hasty"]) == 124
    assert "hasty timed out after " in capsys.readouterr().err


def test_a_disabled_task_can_be_triggered(capsys: Captured) -> None:
    assert main(["trigger", "triggered:make", "off", "-q"]) == 0
    assert capsys.readouterr().out == "off\n"


def test_a_started_scheduler_can_be_used(capsys: Captured) -> None:
    assert main(["trigger", "triggered:begun", "here", "-q"]) == 0
    assert capsys.readouterr().out == "here\n"


def test_a_task_runs_while_another_process_uses_the_store_of_its_scheduler(
    capsys: Captured, folder: Path
) -> None:
    with PersistentScheduler(folder / "own.sqlite"):
        assert main(["trigger", "triggered:lasting", "here", "-q"]) == 0
    assert capsys.readouterr().out == "here\n"


@pytest.mark.parametrize("target", ["triggered:lasting", "triggered:attached"])
def test_a_scheduler_with_its_own_store_is_not_left_paused(target: str, folder: Path) -> None:
    with PersistentScheduler(folder / "own.sqlite"):
        pass
    with RunningCommand(folder, "trigger", target, "here") as command:
        assert command.end() == 0

    assert command.output == ["here"]
    assert read_state(folder / "own.sqlite").paused is False
    assert read_history(folder / "own.sqlite") == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [("reprot", "did you mean “report”?"), ("\x1b[2J", "has no task “␛[2J”; it has touch, report, fail")],
)
def test_an_unknown_name_is_refused_with_a_suggestion(name: str, words: str, capsys: Captured) -> None:
    assert main(["trigger", "triggered:make", name]) == 2
    assert words in capsys.readouterr().err


def test_a_task_registered_before_the_restart_is_found(capsys: Captured) -> None:
    sys.path.insert(0, str(Path.cwd()))
    with Store.open(state_path("triggered:make")) as store:
        scheduler = Scheduler()
        store.attach(scheduler)
        scheduler.pause()
        scheduler.start()
        scheduler.add_spec(TaskSpec("made", Every(60), Recipe("triggered:fail")), persist=True)
        scheduler.add_spec(TaskSpec("lost", Every(60), Recipe("triggered:touch")), persist=True)
        assert store.flush(20)
        scheduler.stop()
    sys.modules.pop("triggered")
    Path("triggered.py").write_text(PROGRAM.replace("touch", "tap"))

    assert main(["trigger", "triggered:make", "made"]) == 1
    assert main(["trigger", "triggered:make", "lost"]) == 2
    assert "“lost” can no longer be created: ImportError" in capsys.readouterr().err


def test_a_logged_outcome_is_not_printed_twice(folder: Path) -> None:
    with RunningCommand(folder, "trigger", "triggered:make", "fail") as command:
        assert command.end() == 1
    assert command.errors.count("Traceback (most recent call last):") == 1
    assert sum("fail failed" in line for line in command.errors) == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_run(number: signal.Signals, status: int, folder: Path) -> None:
    with RunningCommand(folder, "trigger", "triggered:make", "patient") as command:
        command.wait_for("begins")
        command.send(number)
        assert command.end() == status

    assert command.output == ["begins", "ends"]
    assert command.errors[0].startswith("taskkit: patient stopped after ")


def test_a_run_that_does_not_stop_is_abandoned(folder: Path) -> None:
    with RunningCommand(folder, "trigger", "triggered:make", "stubborn", "--timeout", "0.1") as command:
        command.wait_for("begins")
        command.send(signal.SIGINT)
        assert command.end() == 3
    assert command.errors[-1] == "  stubborn"


def test_a_second_signal_does_not_wait(folder: Path) -> None:
    with RunningCommand(folder, "trigger", "triggered:make", "stubborn", "--timeout", "1h") as command:
        command.wait_for("begins")
        command.send(signal.SIGINT)
        command.send(signal.SIGTERM)
        assert command.end() == 3
