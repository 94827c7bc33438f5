"""`taskkit run`: its output, its signals and its exit statuses."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import RunningCommand
from patience import PATIENCE, eventually

from taskkit import OnDemand, Recipe, Scheduler, TaskSpec
from taskkit.store import Store

PROGRAM = """
import sys
from pathlib import Path
from threading import Event
from taskkit import Scheduler, current_run

def tick():
    print("tick")

def fail():
    raise ConnectionError("feed is down")

def patient():
    print("begins")
    while current_run().sleep(60):
        pass
    print("ends")

def stubborn():
    print("begins")
    Event().wait(60)

def make(*tasks):
    scheduler = Scheduler()
    for task in tasks:
        scheduler.add_periodic_task(None, 3600, task, task.__name__)
    return scheduler

def ticking():
    scheduler = Scheduler()
    scheduler.add_periodic_task(None, 0.05, tick, "tick")
    return scheduler

def flood():
    for _ in range(1000):
        print("x" * 100)

def flooding():
    return make(flood)

def forks():
    import multiprocessing, warnings
    warnings.simplefilter("ignore")  # Python warns against it, but programs do it
    child = multiprocessing.get_context("fork").Process(target=Event().wait, args=(60,))
    child.start()
    child.terminate()
    child.join(30)
    return child.exitcode

def forking():
    return make(forks)

def printing():
    print("on the way")
    return make(tick)

def takes_a_while():
    current_run().sleep(0.2)
    print("once")

def leaving():
    scheduler = Scheduler()
    scheduler.add_timed_task(None, takes_a_while, "once")
    scheduler.add_on_demand_task(tick, "asked for")
    return scheduler

def begun():
    scheduler = make(tick)
    scheduler.start()
    return scheduler

def noisy():
    import subprocess
    def make_noise():
        print("mine")
        subprocess.run(["echo", "of a child"])
    return make(make_noise)

one = make(tick)
failing = make(fail)
patiently = make(patient)
stubbornly = make(stubborn, patient)
"""

TASK_FILE = """
[tasks.tick]
command = "echo tick"
every = "1h"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def test_each_line_has_its_time_and_its_task(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:one") as command:
        command.wait_for("succeeded")
        command.send(signal.SIGTERM)
        assert command.end() == 0

    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
    assert all(re.match(rf"{time} \S+ +│ ", line) for line in command.output)
    shown = [line.split(" ", 2)[2] for line in command.output]
    assert shown[0].startswith("taskkit │ program:one: 1 task; state in ")
    assert "tick    │ ▶ started" in shown
    assert "tick    │ tick" in shown
    assert shown[-1] == "taskkit │ stopped"
    assert command.errors == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_and_the_runs_are_waited_for(folder: Path, number: signal.Signals) -> None:
    with RunningCommand(folder, "run", "program:patiently") as command:
        command.wait_for("begins")
        command.send(number)
        assert command.end() == 0

    assert any("ends" in line for line in command.output)
    assert any("■ stopped after" in line for line in command.output)


def test_an_abandoned_run_is_named_and_the_status_says_so(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:stubbornly", "--timeout", "0.2") as command:
        command.wait_until(lambda: sum("begins" in line for line in tuple(command.output)) == 2)
        command.send(signal.SIGTERM)
        assert command.end() == 3

    assert command.errors == [
        "taskkit: these runs did not end in time and were abandoned:",
        "  stubborn",
    ]


def test_a_second_signal_does_not_wait(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:stubbornly", "--timeout", "1h") as command:
        command.wait_for("begins")
        command.send(signal.SIGINT)
        command.wait_for("stopping: SIGINT")
        command.send(signal.SIGTERM)
        assert command.end() == 3

    assert "  stubborn" in command.errors


def test_the_same_signal_counts_again_after_a_while(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:stubbornly", "--timeout", "1h") as command:
        command.wait_for("begins")

        def insist() -> bool:
            command.send(signal.SIGINT)
            return command.process.poll() is not None

        command.wait_until(insist)
        assert command.end() == 3


def test_a_scheduler_that_was_left_paused_is_reported(folder: Path) -> None:
    with Store.open(folder / "paused.sqlite") as store:
        scheduler = Scheduler()
        store.attach(scheduler)
        with scheduler:
            scheduler.pause()
    with RunningCommand(folder, "run", "program:ticking", "-q", "--state", "paused.sqlite") as command:
        command.wait_until(lambda: command.errors)
        command.send(signal.SIGTERM)
        assert command.end() == 0

    assert command.errors == ["taskkit: the scheduler is paused: no task falls due until it is resumed"]
    assert command.output == []


def test_events_are_written_as_json_one_a_line(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:noisy", "--json") as command:
        command.wait_for("run_finished")
        command.send(signal.SIGTERM)
        assert command.end() == 0

    kinds = [event["event"] for event in command.events]
    assert kinds == ["scheduler_started", "run_started", "output", "run_finished", "scheduler_stopped"]
    _, started, output, finished, stopped = command.events
    assert started["task"] == "make_noise"
    assert started["trigger"] == "schedule"
    assert output["text"] == "mine"
    assert finished["outcome"] == "succeeded"
    assert stopped["abandoned"] == []
    assert command.errors == ["of a child"]  # which would be no JSON


def test_a_failure_is_written_once_with_its_traceback(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:failing", "--quiet") as command:
        command.wait_for("  ConnectionError")
        command.send(signal.SIGTERM)
        assert command.end() == 0

    assert "✗ failed after" in command.output[0]
    assert command.output[0].endswith(": ConnectionError: feed is down")
    assert "Traceback (most recent call last):" in command.output[1]
    assert command.errors == []


def test_it_stops_when_the_reader_goes_away(folder: Path) -> None:
    reading, writing = os.pipe()
    with RunningCommand(folder, "run", "program:ticking", stdout=writing) as command:
        os.close(writing)
        assert os.read(reading, 10)
        os.close(reading)
        assert command.end() == 0

    assert command.errors == []


def test_it_can_stop_while_the_reader_does_not_read(folder: Path) -> None:
    reading, writing = os.pipe()
    with RunningCommand(folder, "run", "program:flooding", stdout=writing) as command:
        eventually(lambda: not select.select([], [writing], [], 0)[1])  # the pipe is full
        command.send(signal.SIGTERM)
        assert command.end() == 0
    os.close(writing)
    os.close(reading)


def test_until_idle_exits_when_nothing_is_scheduled(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:leaving", "--until-idle", "--json") as command:
        assert command.end() == 0

    assert [event["text"] for event in command.events if event["event"] == "output"] == ["once"]
    assert [event["outcome"] for event in command.events if event["event"] == "run_finished"] == ["succeeded"]


def test_a_scheduler_that_the_target_started_is_not_stopped(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:begun", "--json") as command:
        eventually(lambda: command.process.poll() is not None or (folder / "state-home").exists())
        command.send(signal.SIGTERM)
        command.end()

    assert "scheduler_stopped" not in [event["event"] for event in command.events]


def test_after_a_restart_it_continues_where_it_was(folder: Path) -> None:
    for life in range(2):
        with RunningCommand(folder, "run", "program:one", "--json", "--state", "one.sqlite") as command:
            command.wait_for("run_finished" if life == 0 else "scheduler_started")
            command.send(signal.SIGTERM)
            assert command.end() == 0
    assert "run_started" not in [event["event"] for event in command.events]  # it is due in an hour


def test_tasks_registered_at_run_time_are_restored(folder: Path) -> None:
    with Store.open(folder / "one.sqlite") as store:
        scheduler = Scheduler()
        store.attach(scheduler)
        scheduler.pause()
        scheduler.start()
        scheduler.add_spec(TaskSpec("made", OnDemand(), Recipe("gc:collect")), persist=True)
        scheduler.demand_task("made")
        eventually(lambda: scheduler.handle("made").last_outcome)
        scheduler.resume()
        assert store.flush(PATIENCE)
        scheduler.stop()
    with RunningCommand(folder, "run", "program:one", "--state", "one.sqlite") as command:
        command.wait_for("program:one: 2 tasks; state in ")


def test_two_processes_cannot_have_one_state(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:one") as first:
        first.wait_for("started")
        with RunningCommand(folder, "run", "program:one") as second:
            assert second.end() == 2
        assert f"is in use by process {first.process.pid}" in second.errors[0]
        assert "; meanwhile: taskkit list program:one, taskkit history program:one;" in second.errors[0]
        with RunningCommand(folder, "run", "program:one", "--no-state", "-q") as third:
            third.wait_for("tick")


def test_a_scheduler_with_its_own_store_uses_that(folder: Path) -> None:
    (folder / "lasting.py").write_text(
        "from program import tick\n"
        "from taskkit.store import PersistentScheduler\n"
        "def make():\n"
        "    scheduler = PersistentScheduler('own.sqlite')\n"
        "    scheduler.add_periodic_task(None, 3600, tick, 'tick')\n"
        "    return scheduler\n"
    )
    for life in range(2):
        with RunningCommand(folder, "run", "lasting:make", "--json") as command:
            command.wait_for("run_finished" if life == 0 else "scheduler_started")
            if life == 1:  # while it has its store open, others see how things stand
                with RunningCommand(folder, "next", "lasting:make") as look:
                    assert look.end() == 0, look.errors
                assert "at once" not in look.output[1]
                with RunningCommand(folder, "run", "lasting:make") as second:
                    assert second.end() == 2
                assert second.errors[0].endswith(
                    f"own.sqlite is in use by process {command.process.pid}; "
                    "meanwhile: taskkit list lasting:make, taskkit history lasting:make"
                )
            command.send(signal.SIGTERM)
            assert command.end() == 0
    assert "run_started" not in [event["event"] for event in command.events]  # it is due in an hour
    with RunningCommand(folder, "next", "lasting:make") as look:
        assert look.end() == 0, look.errors
    assert "at once" not in look.output[1]
    assert not list((folder / "state-home").rglob("*.sqlite"))

    with RunningCommand(folder, "run", "lasting:make", "--state", "two.sqlite") as command:
        assert command.end() == 2
    assert command.errors == ["taskkit: lasting:make saves its state itself: leave out --state"]


def test_it_runs_without_state_if_the_state_folder_cannot_be_used(folder: Path) -> None:
    (folder / "state-home").write_text("a file, not a folder")
    with RunningCommand(folder, "run", "program:one") as command:
        command.wait_for("program:one: 1 task; no state is saved")
        command.wait_for("succeeded")
    assert command.errors[0].startswith("taskkit: no state is saved: cannot make ")

    with RunningCommand(folder, "run", "program:one", "--state", "state-home/x.sqlite") as command:
        assert command.end() == 2
    assert "use --no-state to run without it" in command.errors[0]


def test_a_task_file_is_watched_and_its_problems_are_reported(folder: Path) -> None:
    path = folder / "tasks.toml"
    path.write_text(TASK_FILE)
    with RunningCommand(folder, "run", "tasks.toml", "--json") as command:
        command.wait_for("run_finished")
        path.write_text(TASK_FILE + '[tasks.tock]\ncommand = "echo tock"\nevery = "1h"\n')
        command.wait_for('"text":"tock"')
        path.write_text(TASK_FILE + "[tasks.tock]\n")
        command.wait_until(lambda: command.errors)
        command.send(signal.SIGTERM)
        assert command.end() == 0

    reloads = [event for event in command.events if event["event"] == "reloaded"]
    assert reloads[0]["added"] == ["tock"]
    assert any("tasks.tock" in problem for problem in reloads[-1]["problems"])
    assert command.errors[0] == "taskkit: tasks.toml: nothing is changed:"
    ticks = [event for event in command.events if event.get("text") == "tick"]
    assert len(ticks) == 1


def test_sighup_reloads_the_task_file_at_once(folder: Path) -> None:
    (folder / "tasks.toml").write_text(TASK_FILE)
    with RunningCommand(folder, "run", "tasks.toml") as command:
        command.wait_for("succeeded")
        command.send(signal.SIGHUP)
        command.wait_for("taskkit │ reloaded the task file: nothing has changed")
        command.send(signal.SIGTERM)
        assert command.end() == 0


def test_text_printed_outside_all_runs_is_not_lost(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:printing") as command:
        command.wait_for("succeeded")
    assert command.output[0] == "on the way"


def test_ignored_signals_stay_ignored(folder: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited, as with nohup
    try:
        command = RunningCommand(folder, "run", "program:ticking", "-q")
    finally:
        signal.signal(signal.SIGHUP, before)
    with command:
        command.wait_for("tick")
        command.send(signal.SIGHUP)
        count = len(command.output)
        command.wait_until(lambda: len(command.output) > count + 2)
        command.send(signal.SIGTERM)
        assert command.end() == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["program:nothing"], "has no attribute “nothing”"),
        (["program:tikcing"], "did you mean “ticking”?"),
        (["missing.toml"], "missing.toml"),
        (["program:tick"], "made a NoneType, not a Scheduler"),
    ],
)
def test_a_wrong_target_is_reported_in_one_line(folder: Path, arguments: list[str], words: str) -> None:
    with RunningCommand(folder, "run", *arguments) as command:
        assert command.end() == 2
    assert len(command.errors) == 1
    assert command.errors[0].startswith("taskkit: ")
    assert words in command.errors[0]


def test_ctrl_c_while_the_target_is_imported_exits_quietly(folder: Path) -> None:
    (folder / "slow.py").write_text(
        "from pathlib import Path\nfrom threading import Event\nPath('begun').touch()\nEvent().wait(60)\n"
    )
    with RunningCommand(folder, "run", "slow:scheduler") as command:
        eventually((folder / "begun").exists)
        command.send(signal.SIGINT)
        assert command.end() == 130
    assert command.errors == []


def test_a_forked_child_is_ended_by_a_signal(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:forking", "--json") as command:
        command.wait_for("run_finished")
        command.send(signal.SIGTERM)
        assert command.end() == 0
    finished = next(event for event in command.events if event["event"] == "run_finished")
    assert (finished["outcome"], finished["result"]) == ("succeeded", -signal.SIGTERM)


def test_text_printed_by_a_module_is_kept_out_of_the_json(folder: Path) -> None:
    with RunningCommand(folder, "run", "program:printing", "--json") as command:
        command.wait_for("run_finished")
    assert command.events
    assert command.errors == ["on the way"]
    with RunningCommand(folder, "list", "program:printing", "--json") as command:
        assert command.end() == 0
    assert [each["task"] for each in command.events] == ["tick"]


def test_it_runs_with_standard_output_closed(folder: Path) -> None:
    done = subprocess.run(
        [
            "sh",
            "-c",
            'exec "$0" -m taskkit run program:leaving --until-idle --no-state >&- 2>&-',
            sys.executable,
        ],
        cwd=folder,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0
