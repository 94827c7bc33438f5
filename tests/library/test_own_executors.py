"""Executors of one's own: what the scheduler asks of them, and what their bodies can do."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from own_executor import Elsewhere, forbidden
from patience import eventually

from taskkit import (
    Body,
    BodyResult,
    Executor,
    Outcome,
    OutcomeKind,
    OutputLine,
    RunStarted,
    Scheduler,
    Stream,
    TaskHandler,
    TaskState,
)
from taskkit.testing import InlineExecutor, ManualClock

FAILED = BodyResult(OutcomeKind.FAILED, exception="killed by SIGKILL")


def work() -> None:
    raise AssertionError("it must run elsewhere")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000)


@pytest.fixture
def far() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def scheduler(clock: ManualClock, far: Elsewhere) -> Iterator[Scheduler]:
    with Scheduler(clock=clock, threads=InlineExecutor(), executors={"far": far}, capture=False) as made:
        yield made
        for body in far.bodies:  # stop() would wait for them
            body.end(BodyResult())


@pytest.fixture
def handle(scheduler: Scheduler) -> TaskHandler:
    made = scheduler.add_on_demand_task(work, "work", executor="far")
    made.run_now()
    return made


def outcome(handle: TaskHandler) -> Outcome:
    assert handle.last_outcome is not None
    return handle.last_outcome


class TestABody:
    def test_waits_until_it_begins(self, scheduler: Scheduler, far: Elsewhere, handle: TaskHandler) -> None:
        events: list[object] = []
        scheduler.subscribe(events.append, kinds=(RunStarted,))

        assert handle.state is TaskState.RUNNING
        assert handle.explain() == "work waits for a far place."
        assert events == []

        assert far.last.begin("place 7")
        (task,) = scheduler.snapshot().tasks
        assert task.executor == handle.executor == "far"
        assert task.run is not None
        assert task.run.where == "place 7"
        assert handle.explain() == "work has been running for 0 s (place 7)."
        assert len(events) == 1

    def test_ends_with_a_result(self, far: Elsewhere, handle: TaskHandler, clock: ManualClock) -> None:
        far.last.begin()
        clock.advance(3)
        far.last.end(BodyResult(result=42))

        assert (outcome(handle).kind, outcome(handle).result) == (OutcomeKind.SUCCEEDED, 42)
        assert outcome(handle).duration == 3

    def test_ends_once(self, far: Elsewhere, handle: TaskHandler) -> None:
        far.last.begin()
        far.last.end(BodyResult())
        far.last.end(FAILED)

        assert [each.kind for each in handle.history if isinstance(each, Outcome)] == [OutcomeKind.SUCCEEDED]

    def test_that_never_began_may_end(self, far: Elsewhere, handle: TaskHandler) -> None:
        far.last.end(BodyResult(OutcomeKind.FAILED, exception="ConnectionError: no such cluster"))

        assert outcome(handle).exception == "ConnectionError: no such cluster"

    def test_that_was_stopped_while_it_waited_never_begins(self, far: Elsewhere, handle: TaskHandler) -> None:
        asked: list[bool] = []
        far.last.run.wake_on_stop(lambda: asked.append(True))

        assert handle.stop()
        assert asked == [True]
        assert not far.last.begin()
        far.last.end(BodyResult())
        assert outcome(handle).kind is OutcomeKind.STOPPED

    def test_of_an_unregistered_task_never_begins(self, far: Elsewhere, handle: TaskHandler) -> None:
        handle.unregister()

        assert not far.last.begin()

    def test_that_is_killed_after_a_stop_counts_as_stopped_and_says_how(
        self, far: Elsewhere, handle: TaskHandler
    ) -> None:
        far.last.begin()
        handle.stop()
        far.last.end(BodyResult(OutcomeKind.FAILED, exception="killed 5 s after it was asked to stop"))

        assert outcome(handle).kind is OutcomeKind.STOPPED
        assert outcome(handle).exception == "killed 5 s after it was asked to stop"

    def test_has_its_timeout_from_its_begin(
        self, scheduler: Scheduler, far: Elsewhere, clock: ManualClock
    ) -> None:
        handle = scheduler.add_on_demand_task(work, "slow", executor="far", timeout=5)
        handle.run_now()
        clock.advance(60)
        far.last.begin()
        clock.advance(4)
        assert not far.last.run.stop_requested
        clock.advance(1)

        assert far.last.run.timed_out
        far.last.end(BodyResult())
        assert outcome(handle).kind is OutcomeKind.TIMED_OUT

    def test_reports_progress_and_trouble(
        self, scheduler: Scheduler, far: Elsewhere, handle: TaskHandler
    ) -> None:
        far.last.begin()
        far.last.run.progress(3, 4)
        far.last.trouble = "its worker does not answer"

        (task,) = scheduler.snapshot().tasks
        assert task.run is not None
        assert task.run.progress is not None
        assert task.run.progress.done == 3
        assert handle.explain() == "work has been running for 0 s (far); its worker does not answer."

    def test_brings_its_output(self, far: Elsewhere, handle: TaskHandler) -> None:
        far.last.begin()
        far.last.add_output(
            [
                OutputLine(0.0, Stream.STDOUT, "one", 20),
                OutputLine(0.0, Stream.STDOUT, "10 %\r", 20),
                OutputLine(0.0, Stream.STDERR, "careful", 30),
                OutputLine(0.0, Stream.STDOUT, "20 %\r", 20),
            ]
        )
        far.last.add_output([OutputLine(0.0, Stream.STDOUT, "done", 20)], dropped=7)
        far.last.end(BodyResult())

        assert outcome(handle).output == ("one", "done", "careful")
        assert outcome(handle).output_dropped == 7

    def test_is_forgotten_after_its_end(self, far: Elsewhere, handle: TaskHandler) -> None:
        """The history keeps runs, and must not keep what belongs to the executor."""
        far.last.begin()
        far.last.end(BodyResult())

        assert far.last.run.place is None


class TestAFailedBody:
    def test_is_logged_and_reported_as_text(
        self, scheduler: Scheduler, far: Elsewhere, caplog: pytest.LogCaptureFixture
    ) -> None:
        told: list[tuple[str | None, object]] = []
        handle = scheduler.add_on_demand_task(
            work, "it", executor="far", on_error=lambda found: told.append((found.exception, sys.exception()))
        )
        handle.run_now()
        far.last.end(FAILED)

        assert told == [("killed by SIGKILL", None)]
        assert [record.getMessage() for record in caplog.records] == ["it failed: killed by SIGKILL"]

    def test_is_retried_after_its_report(
        self, scheduler: Scheduler, far: Elsewhere, clock: ManualClock
    ) -> None:
        running: list[int] = []
        handle = scheduler.add_on_demand_task(
            work, "it", executor="far", retries=1, on_error=lambda _: running.append(len(scheduler.running))
        )
        handle.run_now()
        far.last.end(FAILED)
        assert running == [1]
        clock.advance(1)

        assert len(far.bodies) == 2
        assert far.last.run.attempt == 2

    def test_is_reported_on_a_thread_although_all_threads_are_in_use(self, far: Elsewhere) -> None:
        hold, told = threading.Event(), threading.Event()
        with Scheduler(executors={"far": far}, max_threads=1, capture=False) as scheduler:
            scheduler.add_on_demand_task(hold.wait, "holds").run_now()
            scheduler.add_on_demand_task(work, "it", executor="far", on_error=lambda _: told.set()).run_now()
            far.last.end(FAILED)

            assert told.wait(60)
            eventually(lambda: "it" not in scheduler.running)
            hold.set()

    def test_that_was_interrupted_is_not_retried(
        self, scheduler: Scheduler, far: Elsewhere, clock: ManualClock
    ) -> None:
        handle = scheduler.add_on_demand_task(work, "it", executor="far", retries=3)
        handle.run_now()
        far.last.end(BodyResult(OutcomeKind.INTERRUPTED, exception="the connection was lost"))
        clock.advance(3600)

        assert len(far.bodies) == 1
        assert outcome(handle).kind is OutcomeKind.INTERRUPTED
        assert handle.state is TaskState.ON_DEMAND


class TestAnExecutor:
    def test_that_raises_at_the_start_fails_the_run(self, scheduler: Scheduler) -> None:
        class Broken(Executor):
            def start(self, body: Body) -> None:
                raise OSError("no place")

        handle = scheduler.add_on_demand_task(work, "it", executor=Broken())
        handle.run_now()

        assert outcome(handle).exception == "OSError: no place"
        assert handle.executor == "Broken"

    def test_refuses_tasks_when_they_are_registered(self, scheduler: Scheduler) -> None:
        with pytest.raises(TypeError, match="forbidden cannot run far away"):
            scheduler.add_on_demand_task(forbidden, "forbidden", executor="far")
        assert scheduler.handle("forbidden") is None

    def test_refuses_parameters_before_anything_happens(
        self, scheduler: Scheduler, far: Elsewhere, handle: TaskHandler
    ) -> None:
        far.last.end(BodyResult())
        for command in (handle.run_now, handle.demand):
            with pytest.raises(TypeError, match="lock cannot travel"):
                command({"lock": 1})
        for by_name in (scheduler.run_task_now, scheduler.demand_task):
            with pytest.raises(TypeError, match="lock cannot travel"):
                by_name("work", {"lock": 1})

        assert len(far.bodies) == 1

    def test_is_asked_to_end_what_is_left_before_that_is_abandoned(
        self, scheduler: Scheduler, far: Elsewhere, handle: TaskHandler
    ) -> None:
        far.ends_at_close = True
        far.last.begin()

        assert scheduler.stop(timeout=0) == []
        assert far.closed == 1
        assert outcome(handle).kind is OutcomeKind.STOPPED

    def test_that_ends_a_run_then_has_it_reported_and_not_abandoned(
        self, clock: ManualClock, far: Elsewhere
    ) -> None:
        """It has timed out, so that `on_error` is called, on a thread."""
        far.ends_at_close = True
        told: list[OutcomeKind] = []

        def on_error(found: Outcome) -> None:
            sleep(0.05)  # stop() goes on meanwhile
            told.append(found.kind)

        with Scheduler(clock=clock, executors={"far": far}, capture=False) as scheduler:
            handle = scheduler.add_on_demand_task(work, "it", executor="far", timeout=5, on_error=on_error)
            handle.run_now()
            far.last.begin()
            clock.advance(5)

            assert scheduler.stop(timeout=0) == []
        assert told == [OutcomeKind.TIMED_OUT]
        assert outcome(handle).exception == "killed at the end"

    def test_that_ends_nothing_has_its_runs_abandoned(
        self, scheduler: Scheduler, far: Elsewhere, handle: TaskHandler
    ) -> None:
        far.last.begin()

        assert scheduler.stop(timeout=0) == ["work"]
        far.last.end(FAILED)
        assert outcome(handle).kind is OutcomeKind.ABANDONED

    def test_that_raises_when_it_is_closed_keeps_nobody_from_stopping(
        self, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(Elsewhere):
            def close(self) -> None:
                raise OSError("no")

        far = Elsewhere()
        with Scheduler(clock=clock, executors={"broken": Broken(), "far": far}):
            pass

        assert far.closed == 1
        assert "raised in close()" in caplog.text

    def test_runs_all_tasks_of_a_scheduler_but_those_with_an_executor_of_their_own(
        self, clock: ManualClock, far: Elsewhere
    ) -> None:
        ran: list[str] = []
        with Scheduler(clock=clock, threads=InlineExecutor(), executor=far, capture=False) as scheduler:
            scheduler.add_periodic_task(None, 60, work, "far away")
            scheduler.add_periodic_task(None, 60, lambda: ran.append("here"), "here", executor="thread")
            clock.advance(0)

            assert [body.run.name for body in far.bodies] == ["far away"]
            assert ran == ["here"]

    def test_knows_the_clock_of_its_scheduler(self, clock: ManualClock, far: Elsewhere) -> None:
        Scheduler(clock=clock, executors={"far": far})

        assert far.attached == [clock]

    def test_may_run_bodies_on_threads_of_its_own(self) -> None:
        class Batch(Executor):
            def start(self, body: Body) -> None:
                threading.Thread(target=body.perform, name="batch", daemon=True).start()

        names: list[str] = []
        with Scheduler(executors={"batch": Batch()}) as scheduler:
            handle = scheduler.add_on_demand_task(
                lambda: names.append(threading.current_thread().name) or print("hello"),  # type: ignore[func-returns-value]
                "it",
                executor="batch",
            )
            handle.run_now()
            eventually(lambda: handle.last_outcome)

        assert names == ["batch"]
        assert outcome(handle).output == ("hello",)


class TestNames:
    def test_an_unknown_one_names_those_that_there_are(self, scheduler: Scheduler) -> None:
        with pytest.raises(ValueError, match=r"^executor 'fra' is unknown .* did you mean 'far'\?$"):
            scheduler.add_on_demand_task(work, "it", executor="fra")
        with pytest.raises(ValueError, match=r"which has far, loop, .*thread; .*executors=\{'gpu': …\}$"):
            scheduler.add_on_demand_task(work, "it", executor="gpu")
        with pytest.raises(ValueError, match="'gpu' is unknown"):
            Scheduler(executor="gpu")

    @pytest.mark.parametrize(
        ("executors", "error", "words"),
        [
            ([], TypeError, "executors must be a mapping"),
            ({3: Elsewhere()}, TypeError, "strings as names, not 3"),
            ({"": Elsewhere()}, ValueError, "printable characters, not ''"),
            ({"a\nb": Elsewhere()}, ValueError, "printable"),
            ({"thread": Elsewhere()}, ValueError, "'thread', which means a thread of the scheduler"),
            ({"far": 3}, TypeError, r"executors\['far'\] must be a taskkit.Executor, not 3"),
            ({"far": Elsewhere}, TypeError, "did you forget the parentheses"),
        ],
    )
    def test_bad_ones(self, executors: object, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            Scheduler(executors=executors)  # type: ignore[arg-type]

    @pytest.mark.parametrize("executor", [3, Elsewhere], ids=str)
    def test_a_task_takes_a_name_or_an_executor(self, scheduler: Scheduler, executor: object) -> None:
        with pytest.raises(TypeError, match=r"^executor must be a name or a taskkit.Executor, not "):
            scheduler.add_on_demand_task(work, "it", executor=executor)  # type: ignore[arg-type]
        assert scheduler.handle("it") is None

    def test_two_executors_of_one_class_are_told_apart(self, scheduler: Scheduler) -> None:
        one, two = Elsewhere(), Elsewhere()
        names = [
            scheduler.add_on_demand_task(work, name, executor=each).executor
            for name, each in (("a", one), ("b", two), ("c", one))
        ]

        assert names == ["Elsewhere", "Elsewhere 2", "Elsewhere"]
        assert len(one.attached) == 1


def test_the_example_of_the_documentation_runs_one_task_after_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "executors.md").read_text(encoding="utf-8")
    (example,) = re.findall(
        r"^```python\n(.*?)^```$", page.partition("## Writing one")[2], re.DOTALL | re.MULTILINE
    )
    names: dict[str, Any] = {"__name__": "example"}
    exec(example, names)

    assert "invoices waits for its turn." in capsys.readouterr().out
    contracts, invoices = (outcome(names["scheduler"].handle(name)) for name in ("contracts", "invoices"))
    assert invoices.started is not None
    assert invoices.started >= contracts.finished
