"""How a scheduler ends: from anywhere, once, in bounded time, whatever its tasks do (O5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from textwrap import dedent
from time import monotonic
from typing import Final

import pytest
from patience import PATIENCE, Gates, eventually, no_thread_left

from taskkit import (
    Event,
    Every,
    Outcome,
    OutcomeKind,
    RunFinished,
    Scheduler,
    SchedulerStopped,
    SchedulerStoppedError,
    current_run,
)
from taskkit.engine.threads import ThreadPool

BOUNDED: Final = 8.0
"""Seconds; `stop()` waits three for its runs, and one for the last events."""


@pytest.fixture
def real() -> Iterator[Scheduler]:
    """A scheduler with threads of its own, all of which are gone soon after."""
    with no_thread_left():
        scheduler = Scheduler(threads=ThreadPool(idle_seconds=0.05), capture=False)
        scheduler.start()
        yield scheduler
        scheduler.stop(timeout=0)


@pytest.fixture
def deaf() -> Iterator[Gates]:
    """A task that does not look at `proceed()`."""
    gates = Gates()
    yield gates
    gates.open()


def obedient() -> None:
    run = current_run()
    while run.sleep(60):
        pass


def begin(scheduler: Scheduler, task: Callable[[], object], name: str) -> None:
    """Run a task, and wait until it is inside."""
    scheduler.add_on_demand_task(task, name)
    scheduler.demand_task(name)

    def inside() -> bool:
        return any(each.name == name and each.run and each.run.started for each in scheduler.snapshot().tasks)

    eventually(inside)


class TestFromAnywhere:
    def test_obedient_runs_end_and_none_is_abandoned(self, real: Scheduler) -> None:
        for number in range(10):
            begin(real, obedient, f"task {number}")
        began = monotonic()

        assert real.stop() == []
        assert monotonic() - began < BOUNDED / 2
        assert not real.is_running
        assert not real.running

    def test_from_a_task_its_own_run_is_neither_waited_for_nor_abandoned(self, real: Scheduler) -> None:
        answers: list[object] = []

        def stops() -> None:
            answers.append(real.stop())
            answers.append(current_run().proceed())

        told: list[Event] = []
        real.subscribe(told.append)
        begin(real, obedient, "other")
        real.add_on_demand_task(stops, "stops")
        real.demand_task("stops")
        eventually(lambda: sum(isinstance(event, RunFinished) for event in told) == 2)

        assert answers == [[], False]
        kinds = {event.name: event.outcome.kind for event in told if isinstance(event, RunFinished)}
        assert kinds == {"other": OutcomeKind.STOPPED, "stops": OutcomeKind.STOPPED}

    def test_from_a_subscriber(self, real: Scheduler) -> None:
        answers: list[list[str]] = []
        told: list[Event] = []

        def hear(event: Event) -> None:
            told.append(event)
            if isinstance(event, RunFinished) and not answers:
                answers.append(real.stop())

        real.subscribe(hear)
        begin(real, obedient, "other")
        real.add_on_demand_task(lambda: None, "short")
        real.demand_task("short")
        eventually(lambda: told and isinstance(told[-1], SchedulerStopped))

        assert answers == [[]]
        assert [event.name for event in told if isinstance(event, RunFinished)] == ["short", "other"]

    def test_from_on_error(self, real: Scheduler) -> None:
        answers: list[list[str]] = []
        real.add_on_demand_task(lambda: 1 / 0, "fails", on_error=lambda _: answers.append(real.stop()))
        real.demand_task("fails")
        eventually(lambda: answers and not real.running)
        assert answers == [[]]

    def test_from_two_threads_at_once_both_come_back_when_it_is_over(
        self, real: Scheduler, deaf: Gates
    ) -> None:
        """Else the main thread would leave the program while another still waits for the runs to end."""
        begin(real, deaf, "deaf")
        handle = real.handle("deaf")
        assert handle is not None
        outcomes: list[tuple[list[str], Outcome | None]] = []

        def stop() -> None:
            outcomes.append((real.stop(timeout=PATIENCE), handle.last_outcome))

        threads = [threading.Thread(target=stop) for _ in range(2)]
        threads[0].start()
        eventually(lambda: handle.stopping)
        threads[1].start()
        threads[1].join(0.1)
        assert outcomes == []
        deaf.open()
        for thread in threads:
            thread.join(PATIENCE)
        assert [(names, outcome and outcome.kind) for names, outcome in outcomes] == [
            ([], OutcomeKind.STOPPED)
        ] * 2

    def test_both_get_the_names_of_abandoned_runs(self, real: Scheduler, deaf: Gates) -> None:
        begin(real, deaf, "deaf")
        answers: list[list[str]] = []
        together = threading.Barrier(2)

        def stop() -> None:
            together.wait(PATIENCE)
            answers.append(real.stop(timeout=0.2))

        threads = [threading.Thread(target=stop) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert ["deaf"] in answers
        assert real.stop() == ["deaf"]

    def test_a_subscriber_does_not_wait_for_the_one_who_waits_for_it(self, real: Scheduler) -> None:
        answers: list[list[str]] = []

        def hear(event: Event) -> None:
            if isinstance(event, RunFinished):
                answers.append(real.stop(timeout=PATIENCE))

        real.subscribe(hear)
        begin(real, obedient, "task")
        began = monotonic()
        assert real.stop() == []
        assert answers == [[]]
        assert monotonic() - began < BOUNDED / 4

    def test_from_two_tasks_at_once_both_come_back_soon(self, real: Scheduler) -> None:
        """Neither waits for long for the other, which waits for it."""
        together = threading.Barrier(2)
        answers: list[list[str]] = []

        def stops() -> None:
            together.wait(PATIENCE)
            answers.append(real.stop())

        began = monotonic()
        for name in ("a", "b"):
            real.add_on_demand_task(stops, name)
            real.demand_task(name)
        eventually(lambda: len(answers) == 2)
        assert answers == [[], []]
        assert monotonic() - began < BOUNDED / 4

    def test_while_others_command(self, real: Scheduler) -> None:
        """Whoever commands is answered, with `False` or by an exception that says why, until all is over."""
        stopped = threading.Event()
        answers: list[object] = []

        def command() -> None:
            while not stopped.is_set():
                try:
                    real.add_task(Every(0.001), obedient, "task")
                    answers.append(real.demand_task("task"))
                except SchedulerStoppedError as error:
                    answers.append(error)

        threads = [threading.Thread(target=command) for _ in range(3)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(answers) > 100)
        assert real.stop() == []
        eventually(lambda: isinstance(answers[-1], SchedulerStoppedError))
        stopped.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert not real.running


class TestOnce:
    def test_before_the_start(self) -> None:
        with no_thread_left():
            scheduler = Scheduler(threads=ThreadPool(idle_seconds=0.05))
            assert scheduler.stop() == []
            with pytest.raises(SchedulerStoppedError):
                scheduler.start()

    def test_twice(self, real: Scheduler) -> None:
        told: list[Event] = []
        real.subscribe(told.append)
        assert real.stop() == []
        assert real.stop() == []
        eventually(lambda: [type(event) for event in told] == [SchedulerStopped])

    def test_there_is_no_way_back(self, real: Scheduler) -> None:
        real.add_on_demand_task(obedient, "task")
        real.stop()

        with pytest.raises(SchedulerStoppedError):
            real.start()
        with pytest.raises(SchedulerStoppedError):
            real.add_on_demand_task(obedient, "another")
        assert real.handle("another") is None
        assert not real.demand_task("task")
        assert not real.pause()
        assert real.stop_all_tasks() == 0

    def test_an_exception_in_the_block_stops_it_and_goes_on(self) -> None:
        with no_thread_left():
            scheduler = Scheduler(threads=ThreadPool(idle_seconds=0.05), capture=False)

            def interrupted() -> None:
                with scheduler:
                    begin(scheduler, obedient, "task")
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                interrupted()
            assert not scheduler.is_running
            assert not scheduler.running

    def test_a_run_before_the_start_is_stopped_too(self) -> None:
        """By-hand runs need no loop."""
        with no_thread_left():
            scheduler = Scheduler(threads=ThreadPool(idle_seconds=0.05), capture=False)
            begin(scheduler, obedient, "task")
            assert scheduler.stop() == []
            assert not scheduler.running


class TestDeafTasks:
    """Those that do not look at `proceed()`."""

    def test_stop_names_them_in_bounded_time(self, real: Scheduler, deaf: Gates) -> None:
        told: list[Event] = []
        real.subscribe(told.append)
        begin(real, deaf, "deaf")
        begin(real, obedient, "obedient")
        began = monotonic()

        assert real.stop(timeout=1.0) == ["deaf"]
        assert monotonic() - began < BOUNDED / 2

        kinds = {event.name: event.outcome.kind for event in told if isinstance(event, RunFinished)}
        assert kinds == {"deaf": OutcomeKind.ABANDONED, "obedient": OutcomeKind.STOPPED}
        assert isinstance(told[-1], SchedulerStopped)
        assert told[-1].abandoned == ("deaf",)

    def test_what_they_do_afterwards_changes_nothing(self, real: Scheduler, deaf: Gates) -> None:
        reported: list[OutcomeKind] = []

        def deaf_and_broken() -> None:
            deaf()
            raise ValueError("too late")

        real.add_on_demand_task(
            deaf_and_broken, "deaf", retries=3, on_error=lambda outcome: reported.append(outcome.kind)
        )
        handle = real.handle("deaf")
        assert handle is not None
        real.demand_task("deaf")
        eventually(lambda: deaf.inside)
        assert real.stop(timeout=0) == ["deaf"]
        before = handle.last_outcome
        deaf.open()
        eventually(lambda: not deaf.inside)
        eventually(lambda: "deaf" not in {thread.name for thread in threading.enumerate()})

        assert reported == [OutcomeKind.ABANDONED]
        assert handle.last_outcome == before
        assert handle.last_outcome is not None
        assert handle.last_outcome.kind is OutcomeKind.ABANDONED

    def test_a_caller_that_stops_waiting_gets_the_names_of_runs_that_go_on(
        self, real: Scheduler, deaf: Gates
    ) -> None:
        begin(real, deaf, "deaf")
        first = threading.Thread(target=real.stop, args=(PATIENCE,))
        first.start()
        eventually(lambda: not real.is_running)

        assert real.stop(timeout=0.01) == ["deaf"]
        deaf.open()
        first.join(PATIENCE)
        assert not first.is_alive()

    def test_ctrl_c_ends_the_waiting_and_not_what_follows_from_it(self, real: Scheduler, deaf: Gates) -> None:
        told: list[Event] = []
        real.subscribe(told.append)
        begin(real, deaf, "deaf")
        # Who runs the tests in the background may have had ctrl+c ignored.
        heard_before = signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(
            target=lambda: (eventually(lambda: not real.is_running), os.kill(os.getpid(), signal.SIGINT))
        ).start()

        try:
            with pytest.raises(KeyboardInterrupt):
                real.stop(timeout=PATIENCE)
        finally:
            signal.signal(signal.SIGINT, heard_before)

        assert real.stop() == ["deaf"]
        assert [event.outcome.kind for event in told if isinstance(event, RunFinished)] == [
            OutcomeKind.ABANDONED
        ]
        assert told[-1] == SchedulerStopped(told[-1].at, ("deaf",), 0)

    def test_a_hundred_of_them_cost_no_more_than_one(self, real: Scheduler, deaf: Gates) -> None:
        for number in range(100):
            real.add_timed_task(None, deaf, f"deaf {number}")
        eventually(lambda: deaf.inside == 100)
        began = monotonic()
        abandoned = real.stop(timeout=0.2)
        assert monotonic() - began < BOUNDED / 2
        assert sorted(abandoned) == sorted(f"deaf {number}" for number in range(100))

    def test_one_that_ends_in_time_is_not_abandoned(self, real: Scheduler, deaf: Gates) -> None:
        begin(real, deaf, "late")
        answers: list[list[str]] = []
        stopping = threading.Thread(target=lambda: answers.append(real.stop(timeout=PATIENCE)))
        stopping.start()
        handle = real.handle("late")
        assert handle is not None
        eventually(lambda: handle.stopping)
        deaf.open()
        stopping.join(PATIENCE)
        assert answers == [[]]


def run_program(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(program)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


class TestTheEndOfTheProgram:
    def test_it_does_not_hang_on_an_abandoned_run(self) -> None:
        done = run_program(
            """
            import threading
            from taskkit import Scheduler
            began, never = threading.Event(), threading.Event()
            def deaf():
                began.set()
                never.wait()
            with Scheduler() as scheduler:
                scheduler.add_timed_task(None, deaf, "deaf")
                assert began.wait(60)
                print(scheduler.stop(timeout=0.1))
            """
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "['deaf']\n"
        assert "deaf did not stop and was abandoned" in done.stderr

    def test_nor_on_what_an_async_one_calls_on_another_thread(self) -> None:
        done = run_program(
            """
            import asyncio, threading
            from taskkit import Scheduler
            began, never = threading.Event(), threading.Event()
            def deaf():
                began.set()
                never.wait()
            with Scheduler() as scheduler:
                scheduler.add_timed_task(None, lambda: asyncio.to_thread(deaf), "deaf")
                assert began.wait(60)
                print(scheduler.stop(timeout=0.1))
            """
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "['deaf']\n"

    def test_nor_on_a_scheduler_that_was_not_stopped(self) -> None:
        done = run_program(
            """
            import threading, time
            from taskkit import Scheduler, Every
            began = threading.Event()
            def busy():
                began.set()
                while True:
                    print("on and on")
                    time.sleep(0.001)
            scheduler = Scheduler()
            scheduler.start()
            scheduler.subscribe(lambda event: None)
            scheduler.add_timed_task(None, busy, "busy")
            scheduler.add_task(Every(0.001), lambda: None, "periodic")
            assert began.wait(60)
            """
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr

    def test_an_exception_in_the_main_thread_ends_it_with_its_traceback(self) -> None:
        done = run_program(
            """
            from taskkit import Scheduler, current_run
            def obedient():
                while current_run().sleep(1):
                    pass
            with Scheduler() as scheduler:
                scheduler.add_timed_task(None, obedient, "task")
                raise ValueError("in the main thread")
            """
        )
        assert done.returncode == 1
        assert done.stderr.count("Traceback") == 1
        assert done.stderr.endswith("ValueError: in the main thread\n")
