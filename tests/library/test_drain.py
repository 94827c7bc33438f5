"""`stop(drain=…)`: nothing new starts, and what runs may end by itself for a while."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from command_line import RunningCommand
from patience import PATIENCE, eventually
from recorder import Events

from taskkit import OutcomeKind, Scheduler, SchedulerState, SchedulerStopped, SkipReason, current_run
from taskkit.store import PersistentScheduler

SUCCEEDED, STOPPED, ABANDONED = OutcomeKind.SUCCEEDED, OutcomeKind.STOPPED, OutcomeKind.ABANDONED


class Long:
    """Works until it is let go, or asked to stop."""

    def __init__(self) -> None:
        self.began, self.free = Event(), Event()
        self.proceeded: list[bool] = []

    def __call__(self) -> None:
        self.began.set()
        while not self.free.wait(0.01) and current_run().proceed():
            self.proceeded.append(current_run().proceed())


@pytest.fixture
def long() -> Iterator[Long]:
    long = Long()
    yield long
    long.free.set()


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler(capture=False)
    scheduler.start()
    yield scheduler
    scheduler.stop(0)


def begin(scheduler: Scheduler, long: Long) -> None:
    scheduler.add_on_demand_task(long, "it")
    scheduler.run_task_now("it")
    assert long.began.wait(PATIENCE)


def drain(scheduler: Scheduler, seconds: float, timeout: float = 5) -> Thread:
    """Stop on another thread, and wait until the drain has begun."""
    thread = Thread(target=lambda: scheduler.stop(timeout, drain=seconds), daemon=True)
    thread.start()
    eventually(lambda: scheduler.state is SchedulerState.DRAINING)
    return thread


def test_runs_may_end_by_themselves(scheduler: Scheduler, long: Long) -> None:
    events = Events(scheduler.subscribe)
    begin(scheduler, long)
    thread = drain(scheduler, 600)

    assert not scheduler.is_running
    assert scheduler.figures().state is SchedulerState.DRAINING
    assert not scheduler.running["it"].stopping
    assert not scheduler.run_task_now("it")
    assert not scheduler.demand_task("it")
    long.free.set()
    thread.join(PATIENCE)

    assert not thread.is_alive()
    assert scheduler.state is SchedulerState.STOPPED
    assert [each.kind for each in events.outcomes("it")] == [SUCCEEDED]
    assert all(long.proceeded)


def test_what_has_not_ended_then_is_asked_to_stop(scheduler: Scheduler, long: Long) -> None:
    events = Events(scheduler.subscribe)
    begin(scheduler, long)

    assert scheduler.stop(PATIENCE, drain=0.1) == []
    assert [each.kind for each in events.outcomes("it")] == [STOPPED]


def test_a_second_stop_ends_the_drain(scheduler: Scheduler, long: Long) -> None:
    events = Events(scheduler.subscribe)
    begin(scheduler, long)
    thread = drain(scheduler, 600)

    assert scheduler.stop(PATIENCE) == []
    thread.join(PATIENCE)
    assert [each.kind for each in events.outcomes("it")] == [STOPPED]


def test_one_run_can_be_stopped_or_abandoned_meanwhile(scheduler: Scheduler, long: Long) -> None:
    events = Events(scheduler.subscribe)
    deaf = Event()
    scheduler.add_on_demand_task(lambda: deaf.wait(PATIENCE), "deaf")
    scheduler.run_task_now("deaf")
    begin(scheduler, long)
    eventually(lambda: scheduler.running["deaf"]._entry.run.started)  # type: ignore[union-attr]
    thread = drain(scheduler, 600)

    assert scheduler.stop_task("it")
    eventually(lambda: "it" not in scheduler.running)
    assert thread.is_alive()
    assert scheduler.stop_task("deaf")
    assert scheduler.abandon_task("deaf")
    thread.join(PATIENCE)
    assert not thread.is_alive(), "nothing is left to wait for"
    assert [each.kind for each in events.outcomes("it") + events.outcomes("deaf")] == [STOPPED, ABANDONED]
    deaf.set()


def test_timeouts_go_on(scheduler: Scheduler, long: Long) -> None:
    events = Events(scheduler.subscribe)
    scheduler.add_on_demand_task(long, "it", timeout=0.3)
    scheduler.run_task_now("it")
    assert long.began.wait(PATIENCE)

    assert scheduler.stop(PATIENCE, drain=600) == []
    assert [each.kind for each in events.outcomes("it")] == [OutcomeKind.TIMED_OUT]


def test_demands_queued_runs_and_retries_are_dropped_and_counted(long: Long) -> None:
    scheduler = Scheduler(capture=False, max_threads=1)
    events = Events(scheduler.subscribe)
    scheduler.start()
    scheduler.add_on_demand_task(lambda: 1 / 0, "retried", retries=1, retry_delay=600)
    scheduler.run_task_now("retried")
    eventually(lambda: scheduler.snapshot().tasks[0].retry)
    scheduler.add_periodic_task(None, 0.05, long, "it", overlap="queue")
    assert long.began.wait(PATIENCE)
    eventually(lambda: scheduler.running["it"].run_again)
    scheduler.add_on_demand_task(lambda: None, "waits")
    scheduler.run_task_now("waits")
    scheduler.add_on_demand_task(lambda: None, "again")
    scheduler.demand_task("again")
    scheduler.demand_task("again")
    thread = drain(scheduler, 600)
    long.free.set()
    thread.join(PATIENCE)

    (stopped,) = events.of(SchedulerStopped)
    assert stopped.dropped == 4, "a retry, two that waited for a thread, and a demand"
    assert len(events.outcomes("it")) == 1
    assert SkipReason.OVERLAP in events.skips("it")
    assert [each.kind for each in events.outcomes("again")] == [STOPPED]


def test_a_store_keeps_what_was_dropped(tmp_path: Path, long: Long) -> None:
    with PersistentScheduler(tmp_path / "s.db", capture=False) as scheduler:
        begin(scheduler, long)
        scheduler.demand_task("it")
        thread = Thread(target=lambda: scheduler.stop(5, drain=600))
        thread.start()
        eventually(lambda: scheduler.state is SchedulerState.DRAINING)
        long.free.set()
        thread.join(PATIENCE)
    ran = Event()
    with PersistentScheduler(tmp_path / "s.db", capture=False) as scheduler:
        scheduler.add_on_demand_task(ran.set, "it")
        assert ran.wait(PATIENCE)


def test_without_runs_it_ends_at_once(scheduler: Scheduler) -> None:
    assert scheduler.stop(600, drain=600) == []


@pytest.mark.parametrize("value", [-1, float("nan"), "5"])
def test_a_drain_that_is_no_time_is_refused(scheduler: Scheduler, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^drain must be "):
        scheduler.stop(1, drain=value)  # type: ignore[arg-type]
    assert scheduler.is_running


SCRIPT = """
[tasks.long]
run = "long_task:work"
every = "1h"
"""
MODULE = """
from taskkit import current_run
from pathlib import Path

def work():
    print("working", flush=True)
    while current_run().proceed() and not Path("free").exists():
        current_run().sleep(0.02)
    print("asked" if not current_run().proceed() else "done", flush=True)
    while Path("deaf").exists():
        pass
"""


@pytest.fixture
def command(tmp_path: Path) -> Iterator[RunningCommand]:
    (tmp_path / "tasks.toml").write_text(SCRIPT)
    (tmp_path / "long_task.py").write_text(MODULE)
    arguments = ("run", "tasks.toml", "--no-state", "--no-attach", "--drain", "10m", "--timeout", "20")
    with RunningCommand(tmp_path, *arguments) as command:
        command.wait_for("working")
        yield command


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_the_command_drains_on_a_signal(command: RunningCommand, tmp_path: Path, number: int) -> None:
    command.process.send_signal(number)
    command.wait_for("runs may continue for 10 min")
    (tmp_path / "free").touch()

    assert command.process.wait(PATIENCE) == 0
    assert "done" in "\n".join(command.output)


def test_a_second_signal_asks_the_runs_and_a_third_leaves(command: RunningCommand, tmp_path: Path) -> None:
    (tmp_path / "deaf").touch()
    command.process.send_signal(signal.SIGTERM)
    command.wait_for("runs may continue for 10 min")
    command.process.send_signal(signal.SIGINT)
    command.wait_for("the runs are asked to stop now")
    command.process.send_signal(signal.SIGQUIT)

    assert command.process.wait(PATIENCE) == 3
    command.wait_until(lambda: "abandoned" in "\n".join(command.errors))
