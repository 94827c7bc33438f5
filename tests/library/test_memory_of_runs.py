"""What stays in memory of a run that has ended: none of its parameters, and a bounded part of its output."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextvars import copy_context
from io import StringIO
from sys import getsizeof
from weakref import ref

import pytest
from patience import PATIENCE, eventually
from recorder import Events

from taskkit import Outcome, OutcomeKind, OutputWritten, Scheduler, Stream, current_run
from taskkit.engine import output_budget
from taskkit.output import LINES_REMEMBERED, MOST_BYTES, RunOutput
from taskkit.testing import InlineExecutor, ManualClock

MEBIBYTE = 1024 * 1024


class Large:
    """A parameter that can be seen to be gone."""


def all_are_gone(things: list[ref[Large]]) -> bool:
    gc.collect()
    return not any(each() for each in things)


class Given:
    """Demands a task again and again, each time with a large parameter."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self.large: list[ref[Large]] = []
        for _ in range(5):
            large = Large()
            self.large.append(ref(large))
            assert scheduler.demand_task(name, {"large": large})
            del large

    def is_gone(self) -> bool:
        return all_are_gone(self.large)


@pytest.fixture
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pytest` keeps each record that is logged, and with it the exception and its frames."""
    monkeypatch.setattr(logging.getLogger("taskkit"), "disabled", True)


class TestParameters:
    @pytest.mark.parametrize("heard", [False, True])
    def test_of_a_run_that_succeeded_nothing_holds_them(self, scheduler: Scheduler, heard: bool) -> None:
        events = Events(scheduler.subscribe) if heard else None
        handle = scheduler.add_on_demand_task(lambda: None, "it")

        assert Given(scheduler, "it").is_gone()
        assert [outcome.kind for outcome in handle.history] == [OutcomeKind.SUCCEEDED] * 5  # type: ignore[union-attr]
        assert events is None or len(events.outcomes("it")) == 5

    @pytest.mark.usefixtures("unlogged")
    def test_nor_of_one_that_raised_them(self, scheduler: Scheduler) -> None:
        def fail() -> None:
            run = current_run()
            raise ValueError(run.parameters["large"])

        scheduler.add_on_demand_task(fail, "it")
        given = Given(scheduler, "it")

        assert given.is_gone()

    def test_nor_of_one_that_left_a_callback_for_a_stop(self, scheduler: Scheduler) -> None:
        def listen() -> None:
            large = current_run().parameters["large"]
            current_run().on_stop(lambda: print(large))

        scheduler.add_on_demand_task(listen, "it")

        assert Given(scheduler, "it").is_gone()

    @pytest.mark.usefixtures("unlogged")
    def test_a_retry_has_them_and_then_nothing_does(self, scheduler: Scheduler, clock: ManualClock) -> None:
        found: list[int] = []

        def fail() -> None:
            found.append(len(current_run().parameters))
            raise ValueError

        scheduler.add_on_demand_task(fail, "it", retries=1, retry_delay=10)
        large = Large()
        gone = ref(large)
        scheduler.demand_task("it", {"large": large})
        del large
        assert gone() is not None
        clock.advance(10)

        assert found == [1, 1]
        assert all_are_gone([gone])

    def test_those_of_runs_with_a_timeout_are_not_kept_until_that_is_over(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(lambda: None, "it", timeout=3600)

        given = Given(scheduler, "it")

        assert [run.parameters for run in ended_runs(scheduler, "it")] == [{}] * 5
        assert given.is_gone()

    def test_an_idle_thread_holds_none(self) -> None:
        with Scheduler() as scheduler:
            handle = scheduler.add_on_demand_task(lambda: None, "it")
            given = Given(scheduler, "it")
            eventually(lambda: not scheduler.running)

            assert handle.run_count > 0
            eventually(given.is_gone)

    def test_a_thread_that_outlives_its_run_finds_them(self) -> None:
        found: list[Mapping[str, object]] = []
        may_look = threading.Event()

        def look() -> None:
            assert may_look.wait(PATIENCE)
            found.append(current_run().parameters)

        left: list[threading.Thread] = []

        def leave_a_thread() -> None:
            left.append(threading.Thread(target=copy_context().run, args=(look,)))
            left[0].start()

        with Scheduler() as scheduler:
            handle = scheduler.add_on_demand_task(leave_a_thread, "it")
            scheduler.demand_task("it", {"size": 5})
            eventually(lambda: handle.last_outcome)
            may_look.set()
            left[0].join()

        assert found == [{"size": 5}]

    def test_an_abandoned_run_has_them_for_as_long_as_it_goes_on(self) -> None:
        going, may_end = threading.Event(), threading.Event()
        found: list[int] = []

        def be_stubborn() -> None:
            going.set()
            assert may_end.wait(PATIENCE)
            found.append(len(current_run().parameters))

        with Scheduler() as scheduler:
            scheduler.add_on_demand_task(be_stubborn, "it")
            large = Large()
            gone = ref(large)
            scheduler.demand_task("it", {"large": large})
            del large
            assert going.wait(PATIENCE)
            assert scheduler.stop(timeout=0) == ["it"]
            may_end.set()
            eventually(lambda: found == [1])

            eventually(lambda: all_are_gone([gone]))


def ended_runs(scheduler: Scheduler, name: str) -> list[object]:
    handle = scheduler.handle(name)
    assert handle is not None
    history = handle._entry.history
    assert history is not None
    return list(history.runs())


def size(outcome: Outcome) -> int:
    return sum(map(getsizeof, outcome.output))


class TestTheOutputOfOneRun:
    @pytest.mark.parametrize("letter", ["x", "é", "漢", "😀"])
    def test_it_is_bounded_in_bytes_and_what_is_dropped_is_counted(self, letter: str) -> None:
        output = RunOutput("it", 1, lambda: 0.0, lambda output: None)
        for number in range(300):
            output.add(Stream.STDOUT, letter * 60_000 + str(number), 20)

        kept = output.remembered()

        assert sum(map(getsizeof, kept)) <= MOST_BYTES
        assert sum(len(line.encode()) for line in kept) <= 4 * MEBIBYTE
        assert kept[-1].endswith("299")
        assert len(kept) + output.dropped == 300
        taken, lost = output.take()
        assert sum(getsizeof(line.text) for line in taken) <= 2 * MOST_BYTES
        assert len(taken) + lost == 300

    def test_short_lines_are_as_many_as_ever(self) -> None:
        output = RunOutput("it", 1, lambda: 0.0, lambda output: None)
        for number in range(50_000):
            output.add(Stream.STDOUT, f"line {number} of a text that is quite short", 20)

        assert len(output.remembered()) == LINES_REMEMBERED
        assert output.dropped == 50_000 - LINES_REMEMBERED

    def test_a_line_that_is_drawn_again_and_again_counts_once(self) -> None:
        output = RunOutput("it", 1, lambda: 0.0, lambda output: None)
        output.add(Stream.STDOUT, "the first", 20)
        shown = output.show(Stream.STDOUT, "0 %", 20)
        for number in range(2_000):
            output.revise(shown, f"{number} " + "x" * 900, ended=False)
        output.revise(shown, "done", ended=True)

        assert output.remembered() == ("the first", "done")
        assert [line.text for line in output.take()[0]] == ["the first", "done"]

    def test_a_shown_line_that_made_room_is_delivered_when_it_ends(self) -> None:
        output = RunOutput("it", 1, lambda: 0.0, lambda output: None)
        shown = output.show(Stream.STDOUT, "waiting", 20)
        for _ in range(200):
            output.add(Stream.STDERR, "x" * 60_000, 30)
        output.revise(shown, "waited", ended=True)

        assert output.take()[0][-1].text == "waited"

    def test_a_new_subscriber_gets_some_earlier_lines_and_the_count_of_the_others(self) -> None:
        may_go_on, heard = threading.Event(), threading.Event()

        def write() -> None:
            for number in range(1_000):
                print(number)
            may_go_on.set()
            assert heard.wait(PATIENCE)
            print("the next")

        with Scheduler() as scheduler:
            handle = scheduler.add_on_demand_task(write, "it")
            scheduler.demand_task("it")
            assert may_go_on.wait(PATIENCE)
            events = Events(scheduler.subscribe)
            heard.set()
            eventually(lambda: handle.last_outcome)
            assert scheduler.stop(timeout=PATIENCE) == []

        (told,) = events.of(OutputWritten, "it")
        assert told.lines[-1].text == "the next"
        assert told.lines[-2].text == "999"
        assert len(told.lines) + told.dropped == 1_001


@pytest.fixture
def capturing(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    monkeypatch.setattr(sys, "stdout", StringIO())  # so that no report of a failure is as long as this
    with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
        yield scheduler


class TestTheOutputOfAll:
    @pytest.mark.parametrize("heard", [False, True])
    def test_it_is_bounded_and_the_newest_is_kept(self, capturing: Scheduler, heard: bool) -> None:
        def write() -> None:
            for _ in range(30):
                print("x" * 30_000)

        if heard:
            capturing.subscribe(lambda event: None)
        handles = [capturing.add_on_demand_task(write, f"task {number}") for number in range(40)]
        for _ in range(3):
            for handle in handles:
                capturing.run_task_now(handle.name)

        outcomes = [each for handle in handles for each in handle.history if isinstance(each, Outcome)]
        assert sum(map(size, outcomes)) <= output_budget.MOST_BYTES
        assert len(outcomes) == 120
        assert all(len(each.output) + each.output_dropped == 30 for each in outcomes)
        newest = max(outcomes, key=lambda each: each.run)
        assert len(newest.output) == 30
        assert not min(outcomes, key=lambda each: each.run).output

    def test_no_run_keeps_lines_that_will_not_be_taken(self, capturing: Scheduler) -> None:
        capturing.add_on_demand_task(lambda: print("one"), "it")
        capturing.run_task_now("it")
        unheard = ended_runs(capturing, "it")
        capturing.subscribe(lambda event: None)
        capturing.run_task_now("it")
        eventually(lambda: not capturing._core.bus._queue)

        for run in [*unheard, *ended_runs(capturing, "it")]:
            assert run.output is not None  # type: ignore[attr-defined]
            assert not run.output.has_untaken  # type: ignore[attr-defined]

    def test_one_that_writes_much_takes_nothing_from_one_that_writes_little(
        self, capturing: Scheduler
    ) -> None:
        def write() -> None:
            for _ in range(60):
                print("x" * 30_000)

        quiet = capturing.add_on_demand_task(lambda: print("hello"), "quiet")
        capturing.run_task_now("quiet")
        capturing.add_on_demand_task(write, "loud")
        for _ in range(40):
            capturing.run_task_now("loud")

        assert quiet.last_outcome is not None
        assert quiet.last_outcome.output == ("hello",)
        loud = capturing.handle("loud")
        assert loud is not None
        assert (
            sum(size(each) for each in loud.history if isinstance(each, Outcome)) <= output_budget.MOST_OF_ONE
        )

    def test_what_is_unregistered_counts_no_more(self, capturing: Scheduler) -> None:
        def write() -> None:
            for _ in range(60):
                print("x" * 30_000)

        first = capturing.add_on_demand_task(write, "first")
        capturing.run_task_now("first")
        for number in range(15):
            name = f"task {number}"
            capturing.add_on_demand_task(write, name)
            capturing.run_task_now(name)
            capturing.unregister_task(name)
            gc.collect()

        assert first.last_outcome is not None
        assert len(first.last_outcome.output) == 60
