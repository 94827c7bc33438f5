"""Standby: exactly one of several processes runs the tasks, and another takes over when it ends."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from command_line import RunningCommand, surroundings
from doing import Doing
from patience import PATIENCE, eventually
from recorder import Events
from served import running_here, runtime

from taskkit import Every, Policies, Recipe, Scheduler, SchedulerState, TaskSpec
from taskkit.errors import StoreError, StoreInUseError
from taskkit.remote import serve
from taskkit.store import PersistentScheduler, Store, lock_file, read_history
from taskkit.testing import InlineExecutor, ManualClock
from taskkit_tui.viewmodel.header import headline

__all__ = ["runtime"]

STANDBY, RUNNING, STOPPED = SchedulerState.STANDBY, SchedulerState.RUNNING, SchedulerState.STOPPED


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def make(path: Path, clock: ManualClock) -> Iterator[Callable[[], PersistentScheduler]]:
    """Schedulers on one store, which are stopped in the end."""
    made: list[PersistentScheduler] = []

    def make() -> PersistentScheduler:
        scheduler = PersistentScheduler(
            path, clock=clock, threads=InlineExecutor(), capture=False, standby=True
        )
        made.append(scheduler)
        return scheduler

    yield make
    for scheduler in made:
        scheduler.stop()


Make = Callable[[], PersistentScheduler]


def runs(scheduler: Scheduler) -> bool:
    return scheduler.state is RUNNING


class TestTheSecond:
    def test_it_waits_and_takes_over_when_the_first_ends(self, make: Make, clock: ManualClock) -> None:
        first, second = make(), make()
        for each in (first, second):
            each.add_periodic_task(None, 60, Doing(), "it")
        first.start()
        events = Events(second.subscribe)
        clock.advance(30)
        second.start()

        assert (first.state, second.state) == (RUNNING, STANDBY)
        assert not second.is_running
        assert second.figures().state is STANDBY
        clock.advance(60)
        assert events.outcomes("it") == []
        first.stop()
        second.start(wait=True)
        assert second.is_running
        clock.advance(60)
        assert events.dues("it") == [1_800_000_120.0], "the grid goes on, and nothing runs twice"
        assert events.skips("it") == {}

    def test_its_commands_answer_false_until_then(self, make: Make) -> None:
        first, second = make(), make()
        first.start()
        handle = second.add_periodic_task(None, 60, Doing(), "it")
        second.start()

        commands = ("run_task_now", "demand_task", "stop_task", "disable_task", "enable_task")
        assert not any(getattr(second, each)("it") for each in commands)
        assert not second.set_period("it", 5)
        assert not second.reschedule_task("it", Every(5))
        assert not second.pause()
        assert not handle.run_now()
        assert second.next_time is None
        assert handle.next_run is None
        assert "on standby while another one has the state" in handle.explain()
        first.stop()
        eventually(lambda: runs(second))
        assert second.run_task_now("it")

    def test_what_it_registers_meanwhile_begins_when_it_takes_over(
        self, make: Make, clock: ManualClock
    ) -> None:
        first, second = make(), make()
        first.start()
        events = Events(second.subscribe)
        second.start()
        second.add_periodic_task(None, 60, Doing(), "its own")
        second.add_spec(TaskSpec("disabled", Every(60), Recipe("builtins:print"), Policies(), enabled=False))
        clock.advance(1000)
        first.stop()
        eventually(lambda: runs(second))
        clock.advance(1)

        assert [each.lateness for each in events.outcomes("its own")] == [0]
        assert events.skips("its own") == {}
        assert second.handle("disabled").disabled  # type: ignore[union-attr]

    def test_a_start_that_waits_is_ended_by_stop(self, make: Make) -> None:
        first, second = make(), make()
        first.start()
        thread = Thread(target=lambda: second.start(wait=True), daemon=True)
        thread.start()
        eventually(lambda: second.state is STANDBY)
        assert second.stop() == []
        thread.join(PATIENCE)

        assert not thread.is_alive()
        assert second.state is STOPPED
        first.stop()
        third = make()
        third.start(wait=True)
        assert runs(third), "the second has left the store alone"

    def test_of_several_one_takes_over_and_the_others_wait_on(self, make: Make) -> None:
        schedulers = [make() for _ in range(4)]
        for each in schedulers:
            each.start()
        for left in (3, 2, 1):
            (active,) = [each for each in schedulers if runs(each)]
            active.stop()
            schedulers.remove(active)
            eventually(lambda: any(runs(each) for each in schedulers))
            assert Counter(each.state for each in schedulers) == Counter({RUNNING: 1, STANDBY: left - 1})

    def test_a_lock_file_that_was_removed_does_not_end_the_wait(self, make: Make, path: Path) -> None:
        first, second = make(), make()
        first.start()
        Path(f"{path}.lock").unlink()
        second.start()
        assert second.state is STANDBY
        first.stop()
        eventually(lambda: runs(second))

    def test_a_child_that_is_forked_meanwhile_keeps_nothing_locked(
        self, make: Make, clock: ManualClock
    ) -> None:
        first, second = make(), make()
        first.start()
        second.start()
        eventually(lambda: lock_file._waiting)
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0 if second.state is SchedulerState.NOT_STARTED else 1)
        first.stop()
        eventually(lambda: runs(second))
        second.stop()
        third = make()
        third.start()
        assert runs(third)
        os.write(writing, b"x")
        os.close(writing)
        os.close(reading)
        assert os.waitpid(child, 0)[1] == 0

    def test_a_store_that_cannot_be_opened_then_is_logged_and_stops_it(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        first, second = make(), make()
        first.start()
        second.start()

        def refuse(*_: object, **__: object) -> Store:
            raise StoreError("the disk has left")

        monkeypatch.setattr(Store, "open", refuse)
        with caplog.at_level(logging.CRITICAL):
            first.stop()
            eventually(lambda: second.state is STOPPED)
        assert "cannot take over: the disk has left" in caplog.text

    def test_without_standby_a_second_one_is_refused_as_ever(self, make: Make, path: Path) -> None:
        make().start()
        with pytest.raises(StoreInUseError):
            PersistentScheduler(path).start()
        with pytest.raises(TypeError, match=r"^standby must be True or False, not 'yes'$"):
            PersistentScheduler(path, standby="yes")  # type: ignore[arg-type]


def test_the_dashboard_and_the_server_say_standby(make: Make, runtime: Path) -> None:
    first, second = make(), make()
    first.start()
    second.add_on_demand_task(Doing(), "it")
    second.start()
    assert " standby" in "".join(
        text for group in headline(second.figures()) for text, _ in group.pieces
    ).replace("◌ ", " ")
    name = f"standing{os.getpid()}"  # else it may be a service of another process
    server = serve(second, name, strict=True)
    refused = taskkit(runtime, "disable", name, "it")
    assert refused.returncode != 0
    assert "it is on standby: another process runs its tasks" in refused.stderr
    server.close()


def taskkit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "taskkit", *arguments]
    return subprocess.run(
        command, cwd=folder, env=surroundings(folder), capture_output=True, text=True, timeout=60, check=False
    )


TASKS = """
[tasks.tick]
command = "true"
every = "1s"
"""


def test_of_two_processes_one_runs_and_the_other_takes_over_when_it_is_killed(
    runtime: Path, tmp_path: Path
) -> None:
    (tmp_path / "tasks.toml").write_text(TASKS)
    state = tmp_path / "state.db"
    arguments = ("run", "tasks.toml", "--standby", "--json", "--state", str(state))

    def states() -> dict[int, str]:
        found = {each.pid: each.figures() for each in running_here()}
        return {pid: str(figures.state) for pid, figures in found.items() if figures is not None}

    def finished(command: RunningCommand) -> int:
        return sum(each["event"] == "run_finished" for each in command.events)

    with RunningCommand(tmp_path, *arguments) as first:
        first.wait_until(lambda: finished(first))
        with RunningCommand(tmp_path, *arguments) as second:
            both = {first.process.pid: "running", second.process.pid: "standby"}
            second.wait_until(lambda: states() == both)
            listed = taskkit(tmp_path, "ps")
            on_standby = {line.split()[1] for line in listed.stdout.splitlines() if "standby" in line}
            assert on_standby & set(map(str, both)) == {str(second.process.pid)}
            assert "standby" not in taskkit(tmp_path, "explain", "tasks.toml", "tick").stdout
            before = finished(first)
            first.wait_until(lambda: finished(first) > before)
            # What was not yet stored could run twice: the state is written ten times a second.
            first.wait_until(lambda: len(read_history(state, "tick")) >= finished(first))
            first.process.send_signal(signal.SIGKILL)
            second.wait_until(lambda: finished(second))
            second.process.send_signal(signal.SIGTERM)
            assert second.process.wait(PATIENCE) == 0

    ran = [
        round(each["due"])
        for command in (first, second)
        for each in command.events
        if each["event"] == "run_started"
    ]
    assert len(ran) == len(set(ran)), "nothing ran twice"


def test_standby_without_a_state_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(TASKS)
    with RunningCommand(tmp_path, "run", "tasks.toml", "--standby", "--no-state") as command:
        assert command.process.wait(PATIENCE) == 2
        command.wait_until(lambda: "--standby waits for the state" in "\n".join(command.errors))
