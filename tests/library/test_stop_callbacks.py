"""What a task gives to `on_stop` may do anything: it reaches its own run only."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread, get_ident

import pytest
from command_line import RunningCommand
from patience import PATIENCE, eventually, no_thread_left

from taskkit import Outcome, OutcomeKind, Scheduler, current_run
from taskkit.engine import foreign_calls
from taskkit.engine.threads import ThreadPool


def raises_an_error() -> None:
    raise ConnectionError("closed already")


def raises_system_exit() -> None:
    raise SystemExit(3)


def raises_ctrl_c() -> None:
    raise KeyboardInterrupt


never = Event()


def blocks() -> None:
    never.wait(PATIENCE)


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    never.clear()
    yield
    never.set()


CALLBACKS = [raises_an_error, raises_system_exit, raises_ctrl_c, blocks]
any_callback = pytest.mark.parametrize("callback", CALLBACKS)


@pytest.fixture
def running() -> Iterator[Scheduler]:
    """Started, with threads."""
    with Scheduler() as scheduler:
        yield scheduler


class Stoppable:
    """A task that goes on until it is asked to stop."""

    def __init__(self, *callbacks: Callable[[], object]) -> None:
        self.runs = 0
        self._callbacks = callbacks

    def __call__(self) -> str:
        run = current_run()
        for callback in self._callbacks:
            run.on_stop(callback)
        self.runs += 1
        while run.sleep(PATIENCE):
            pass
        return "stopped"


def begun(scheduler: Scheduler, *tasks: Stoppable) -> None:
    for number, task in enumerate(tasks):
        scheduler.add_on_demand_task(task, f"task {number}").run_now()
    eventually(lambda: all(task.runs for task in tasks))


def kinds(scheduler: Scheduler) -> set[OutcomeKind | None]:
    outcomes = [handle.last_outcome for handle in scheduler.on_demand.values()]
    return {None if outcome is None else outcome.kind for outcome in outcomes}


@any_callback
class TestAnyCallback:
    def test_leaves_the_loop_alive_after_a_timeout(
        self, running: Scheduler, callback: Callable[[], None]
    ) -> None:
        counted: list[int] = []
        running.add_on_demand_task(Stoppable(callback), "late", timeout=0.05).run_now()
        eventually(lambda: running.on_demand.get("late"))
        running.add_periodic_task(None, 0.01, lambda: counted.append(1), "counted")
        eventually(lambda: len(counted) > 3)

        assert running.is_running
        outcome = running.on_demand["late"].last_outcome
        assert outcome is not None
        assert outcome.kind is OutcomeKind.TIMED_OUT

    def test_is_not_felt_by_who_stops_its_task(
        self, running: Scheduler, callback: Callable[[], None]
    ) -> None:
        begun(running, Stoppable(callback))
        assert running.stop_task("task 0")
        eventually(lambda: kinds(running) == {OutcomeKind.STOPPED})

    def test_keeps_no_other_run_from_being_asked(
        self, running: Scheduler, callback: Callable[[], None]
    ) -> None:
        begun(running, Stoppable(callback), Stoppable(callback), Stoppable())
        assert running.stop_all_tasks() == 3
        eventually(lambda: kinds(running) == {OutcomeKind.STOPPED})

    def test_keeps_no_run_from_ending_when_everything_stops(
        self, running: Scheduler, callback: Callable[[], None]
    ) -> None:
        begun(running, Stoppable(callback), Stoppable(), Stoppable(callback))
        assert running.stop() == []

    def test_leaves_later_runs_of_its_task_their_own(
        self, running: Scheduler, callback: Callable[[], None]
    ) -> None:
        called: list[int] = []
        task = Stoppable(callback, lambda: called.append(1))
        begun(running, task)
        for runs in range(1, foreign_calls.MOST_UNRETURNED + 3):
            eventually(lambda: running.running)
            assert running.stop_task("task 0")
            eventually(lambda count=runs: len(called) >= min(count, foreign_calls.MOST_UNRETURNED))
            eventually(lambda: not running.running)
            running.run_task_now("task 0")
            eventually(lambda count=runs: task.runs > count)


def test_is_called_also_if_the_run_ends_as_soon_as_it_is_woken(running: Scheduler) -> None:
    called: list[int] = []
    ready = threading.Event()

    def task() -> None:
        run = current_run()
        run.on_stop(lambda: called.append(1))
        run.wake_on_stop(run.release)  # as at its end
        ready.set()
        run.sleep(PATIENCE)

    handle = running.add_on_demand_task(task, "task 0")
    handle.run_now()
    assert ready.wait(PATIENCE)
    running.stop_task("task 0")
    eventually(lambda: called == [1])


def test_is_logged_where_it_raises(running: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    begun(running, Stoppable(raises_system_exit))
    running.stop_task("task 0")
    eventually(lambda: "an on_stop callback of task 0 raised" in caplog.text)
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[0] is SystemExit


def test_those_of_one_run_are_called_in_turn_the_last_one_first(running: Scheduler) -> None:
    called: list[str] = []
    begun(running, Stoppable(lambda: called.append("first"), raises_an_error, lambda: called.append("last")))
    running.stop_task("task 0")
    eventually(lambda: called == ["last", "first"])


def test_finds_its_run_and_not_the_thread_that_asked(running: Scheduler) -> None:
    found: list[object] = []
    begun(running, Stoppable(lambda: found.extend([current_run().name, get_ident()])))
    running.stop_task("task 0")
    eventually(lambda: len(found) == 2)
    assert found[0] == "task 0"
    assert found[1] != get_ident()


def test_is_called_though_the_run_was_asked_before(running: Scheduler) -> None:
    called = Event()

    def task() -> None:
        run = current_run()
        while run.proceed():
            run.sleep(PATIENCE)
        run.on_stop(called.set)
        assert called.wait(PATIENCE)

    handle = running.add_on_demand_task(task, "it")
    handle.run_now()
    eventually(lambda: running.running)
    handle.stop()
    eventually(lambda: handle.last_outcome)
    assert handle.last_outcome is not None
    assert handle.last_outcome.exception is None


def test_is_called_before_stop_returns(running: Scheduler) -> None:
    """So that the end of the program does not cut it off."""
    called: list[int] = []
    begun(running, Stoppable(lambda: called.append(1)))
    running.stop()
    assert called == [1]


def test_needs_no_thread_that_the_system_may_refuse_then(
    running: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = Event()
    begun(running, Stoppable(called.set))

    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    running.stop_task("task 0")
    assert called.wait(PATIENCE)


def test_is_called_once_there_is_a_thread_again(running: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    called = Event()
    asked: list[str] = []
    start = Thread.start

    def refuse(thread: Thread) -> None:
        if thread.name == "taskkit callbacks" and len(asked) < 3:
            asked.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(Thread, "start", refuse)
    begun(running, Stoppable(called.set))
    running.stop_task("task 0")
    assert called.wait(PATIENCE)
    assert len(asked) == 3


def test_its_threads_are_bounded_where_it_never_returns(
    running: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    before = set(threading.enumerate())
    task = Stoppable(blocks)
    begun(running, task)
    for runs in range(1, 2 * foreign_calls.MOST_UNRETURNED):
        eventually(lambda count=runs: task.runs == count)
        running.stop_task("task 0")
        eventually(lambda: not running.running)
        running.run_task_now("task 0")

    held = {each for each in threading.enumerate() if each.name == "taskkit callbacks"}
    assert len(held - before) <= foreign_calls.MOST_UNRETURNED + 1
    assert (
        f"task 0 is not called, as {foreign_calls.MOST_UNRETURNED} such calls have not returned"
        in caplog.text
    )


def test_leaves_no_thread_when_nothing_is_to_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_calls, "IDLE_SECONDS", 0.05)
    with no_thread_left(), Scheduler(threads=ThreadPool(idle_seconds=0.05)) as scheduler:
        begun(scheduler, Stoppable(lambda: None))
        scheduler.stop_task("task 0")


def test_what_cannot_be_called_is_refused(scheduler: Scheduler) -> None:
    def task() -> None:
        current_run().on_stop(None)  # type: ignore[arg-type]

    handle = scheduler.add_on_demand_task(task, "it")
    handle.run_now()
    assert handle.last_outcome is not None
    assert handle.last_outcome.exception == "TypeError: callback must be callable, not None"


@pytest.mark.parametrize("on_error", CALLBACKS)
def test_on_error_of_an_abandoned_run_is_not_waited_for(on_error: Callable[[], None]) -> None:
    told: list[str] = []

    def tell(outcome: Outcome) -> None:
        told.append(outcome.kind)
        on_error()

    with Scheduler(on_error=tell) as scheduler:
        entered = Event()

        def stubborn() -> None:
            entered.set()
            never.wait(PATIENCE)

        scheduler.add_on_demand_task(stubborn, "stubborn").run_now()
        assert entered.wait(PATIENCE)
        assert scheduler.stop(0) == ["stubborn"]
        assert told == [OutcomeKind.ABANDONED]


def test_a_future_that_it_waits_for_is_cancelled(running: Scheduler) -> None:
    """As the manual says: a coroutine that a task hands to the loop of the application."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    cancelled = Event()

    async def work() -> None:
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def hand_over() -> None:
        future = asyncio.run_coroutine_threadsafe(work(), loop)
        current_run().on_stop(future.cancel)
        future.result()

    handle = running.add_on_demand_task(hand_over, "it", timeout=0.05)
    handle.run_now()
    eventually(lambda: handle.last_outcome)
    assert handle.last_outcome is not None
    assert handle.last_outcome.kind is OutcomeKind.TIMED_OUT
    assert cancelled.wait(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


TARGET = """
from threading import Event
from taskkit import Scheduler, current_run


def raises():
    raise SystemExit(3)


def blocks():
    Event().wait()


def stoppable(callback):
    def task():
        run = current_run()
        run.on_stop(callback)
        print("begun")
        while run.sleep(60):
            pass
        print("this is over")
    return task


scheduler = Scheduler()
for name, callback in (("raises", raises), ("blocks", blocks), ("plain", lambda: None)):
    scheduler.add_periodic_task(None, 3600, stoppable(callback), name)
"""


def test_sigterm_asks_every_run_whatever_callbacks_do(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(TARGET, encoding="utf-8")
    with RunningCommand(tmp_path, "run", "own:scheduler", "--no-state") as command:
        command.wait_until(lambda: sum("begun" in line for line in tuple(command.output)) == 3)
        command.send(signal.SIGTERM)
        assert command.end() == 0
    assert sum("this is over" in line for line in command.output) == 3
