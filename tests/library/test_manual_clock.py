"""`taskkit.testing` itself: what users test their own schedules with."""

from __future__ import annotations

from math import inf, nan
from threading import Thread, current_thread
from typing import Any

import pytest
from doing import Doing, Notes, Takes
from patience import eventually
from recorder import Events

from taskkit import RunFinished, RunStarted, Scheduler, Task, current_run, testing
from taskkit.testing import InlineExecutor, ManualClock


class TestManualClock:
    def test_it_stands_still_until_it_is_moved(self) -> None:
        clock = ManualClock(1000)

        assert (clock.time(), clock.time()) == (1000, 1000)
        assert ManualClock().time() == 0

    def test_time_passes_for_both_clocks_and_steps_for_one(self) -> None:
        clock = ManualClock(1000)
        clock.advance(5)
        clock.stall(5)
        clock.step_wall(-100)

        assert (clock.time(), clock.monotonic()) == (910, 10)

    def test_a_sleeper_that_is_woken_no_longer_counts_as_sleeping(self) -> None:
        clock = ManualClock()
        gate = clock.gate()
        thread = Thread(target=gate.wait, args=(60,))
        thread.start()
        eventually(lambda: clock.sleeping == 1)

        gate.open()

        assert clock.sleeping == 0
        thread.join(10)

    def test_each_thing_is_done_at_its_own_time_and_in_order(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        seen: list[tuple[str, float]] = []
        scheduler.add_periodic_task(start + 3, 4, lambda: seen.append(("b", clock.time() - start)), "b")
        scheduler.add_periodic_task(start + 1, 3, lambda: seen.append(("a", clock.time() - start)), "a")
        clock.advance(8)

        assert seen == [("a", 1), ("b", 3), ("a", 4), ("a", 7), ("b", 7)] or seen == [
            ("a", 1),
            ("b", 3),
            ("a", 4),
            ("b", 7),
            ("a", 7),
        ]
        assert clock.time() == start + 8

    def test_what_is_due_at_the_end_is_done(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_timed_task(start + 10, task, "it")
        clock.advance(9.999)
        assert task.times == []
        clock.advance(0.001)

        assert task.times == [start + 10]

    def test_what_is_due_now_is_done_without_moving_it(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_periodic_task(None, 10, task, "it")
        clock.advance(0)

        assert task.times == [start]

    def test_what_a_task_adds_meanwhile_is_done_in_its_turn(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_timed_task(
            start + 5, lambda: scheduler.add_periodic_task(start + 6, 2, task, "added"), "adder"
        )
        clock.advance(9)

        assert task.times == [start + 6, start + 8]

    def test_a_stall_is_looked_at_once(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        task = Notes(clock)
        scheduler.add_periodic_task(start + 10, 10, task, "it")
        clock.stall(100)

        assert task.times == [start + 100]

    def test_a_step_of_the_wall_clock_is_noticed_at_once(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_timed_task(start + 10, task, "it")
        clock.step_wall(3600)

        assert task.times == [start + 3600]

    def test_nothing_is_done_before_the_scheduler_is_started(self, clock: ManualClock) -> None:
        """Section 2: `start()`; the same as with the system's clock."""
        task = Doing()
        scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
        scheduler.add_periodic_task(None, 10, task, "it")
        clock.advance(25)
        assert task.runs == 0

        with scheduler:
            clock.advance(0)
            assert task.runs == 1

    def test_nothing_is_done_after_the_scheduler_was_stopped(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        task = Doing()
        scheduler.add_periodic_task(None, 10, task, "it")
        scheduler.stop()
        clock.advance(100)

        assert task.runs == 0

    def test_one_clock_may_be_shared(self, clock: ManualClock) -> None:
        seen: list[str] = []
        with (
            Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as one,
            Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as two,
        ):
            one.add_periodic_task(clock.time() + 1, 2, lambda: seen.append("one"), "it")
            two.add_periodic_task(clock.time() + 2, 2, lambda: seen.append("two"), "it")
            clock.advance(4)

        assert seen == ["one", "two", "one", "two"]

    def test_what_one_scheduler_adds_to_another_for_now_is_done_before_the_clock_moves_on(
        self, clock: ManualClock
    ) -> None:
        times: list[float] = []
        with (
            Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as one,
            Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as two,
        ):
            two.add_timed_task(
                clock.time() + 2,
                lambda: one.add_timed_task(None, lambda: times.append(clock.monotonic()), "it"),
                "adds",
            )
            clock.advance(4)

        assert times == [2]

    @pytest.mark.parametrize("seconds", [0.1, 0.3, 0.7, 1 / 3])
    def test_small_steps_come_as_far_as_a_large_one(self, seconds: float) -> None:
        """Ten times 0.1 are not quite 1.0 where floats are added."""
        for steps in range(1, 50):
            clock = ManualClock(1_800_000_000.3)
            with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
                periodic = scheduler.add_periodic_task(None, seconds * steps, Doing(), "periodic")
                timed = scheduler.add_timed_task(clock.time() + seconds * steps, Doing(), "timed")
                for _ in range(steps):
                    clock.advance(seconds)
                assert (periodic.run_count, timed.run_count) == (2, 1)

    def test_what_adds_itself_for_now_for_ever_is_left_and_time_goes_on(
        self, scheduler: Scheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(testing, "MOST_RINGS", 10)

        def add() -> None:
            scheduler.add_timed_task(None, add, "it")

        add()
        clock.advance(5)
        assert clock.monotonic() == 5

    @pytest.mark.parametrize("seconds", [-1, nan, inf, -inf])
    @pytest.mark.parametrize("move", ["advance", "stall"])
    def test_it_only_goes_forward(self, clock: ManualClock, move: str, seconds: float) -> None:
        """Section 9."""
        before = clock.time()
        with pytest.raises(ValueError, match=rf"seconds.*{seconds}"):
            getattr(clock, move)(seconds)

        assert clock.time() == before

    @pytest.mark.parametrize("seconds", ["1", None, True, [1]], ids=str)
    def test_seconds_are_numbers(self, clock: ManualClock, seconds: Any) -> None:
        """Section 9."""
        for move in (clock.advance, clock.stall, clock.step_wall):
            with pytest.raises(TypeError, match="seconds"):
                move(seconds)
        with pytest.raises(TypeError, match="start"):
            ManualClock(seconds)

    @pytest.mark.parametrize("start", [nan, inf])
    def test_it_starts_somewhere(self, start: float) -> None:
        with pytest.raises(ValueError, match="start"):
            ManualClock(start)

    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_number_that_floats_do_not_reach_is_refused_as_infinite(self, sign: int) -> None:
        """Section 9."""
        clock = ManualClock(5)
        for argument, give in (
            ("start", ManualClock),
            ("seconds", clock.advance),
            ("seconds", clock.stall),
            ("seconds", clock.step_wall),
        ):
            with pytest.raises(ValueError, match=rf"^{argument} must be .* not {sign * inf}$"):
                give(sign * 10**400)
        assert clock.time() == 5

    def test_a_thread_that_sleeps_wakes_when_the_clock_has_moved_that_far(self, clock: ManualClock) -> None:
        gate = clock.gate()
        woke: list[bool] = []
        thread = Thread(target=lambda: woke.append(gate.wait(10)), daemon=True)
        thread.start()
        while not clock._sleepers:  # until it has lain down
            thread.join(0.001)
        clock.advance(9)
        assert woke == []
        clock.advance(1)
        thread.join(10)

        assert woke == [False]


class TestInlineExecutor:
    def test_everything_happens_on_the_calling_thread(self, scheduler: Scheduler, clock: ManualClock) -> None:
        threads: list[Thread] = []
        scheduler.subscribe(lambda _: threads.append(current_thread()))
        scheduler.add_periodic_task(None, 10, lambda: threads.append(current_thread()), "it")
        clock.advance(10)

        assert set(threads) == {current_thread()}
        assert len(threads) >= 6

    def test_when_a_command_returns_it_has_run_and_its_events_are_delivered(
        self, scheduler: Scheduler, events: Events
    ) -> None:
        task = Doing()
        scheduler.add_on_demand_task(task, "it")
        scheduler.run_task_now("it")

        assert task.runs == 1
        assert len(events.of(RunFinished)) == 1

    def test_a_run_started_from_a_run_begins_after_it(self, scheduler: Scheduler) -> None:
        seen: list[str] = []

        def outer() -> None:
            scheduler.run_task_now("inner")
            seen.append("outer")

        scheduler.add_on_demand_task(lambda: seen.append("inner"), "inner")
        scheduler.add_on_demand_task(outer, "outer")
        scheduler.run_task_now("outer")

        assert seen == ["outer", "inner"]

    def test_or_while_it_sleeps(self, scheduler: Scheduler) -> None:
        seen: list[str] = []

        def outer() -> None:
            scheduler.run_task_now("inner")
            current_run().sleep(1)
            seen.append("outer")

        scheduler.add_on_demand_task(lambda: seen.append("inner"), "inner")
        scheduler.add_on_demand_task(outer, "outer")
        scheduler.run_task_now("outer")

        assert seen == ["inner", "outer"]

    def test_a_task_that_demands_itself_does_not_nest_without_end(self, scheduler: Scheduler) -> None:
        task = Doing(*[lambda: scheduler.demand_task("it")] * 5000)
        scheduler.add_on_demand_task(task, "it")
        scheduler.demand_task("it")

        assert task.runs == 5001

    def test_a_sleeping_task_lets_the_clock_go_on(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        ticks = Notes(clock)

        class Sleepy(Task):
            def run(self) -> None:
                assert self.sleep(25) is True
                assert clock.time() == start + 25

        scheduler.add_periodic_task(start + 10, 10, ticks, "tick")
        handle = scheduler.add_on_demand_task(Sleepy(), "sleepy")
        scheduler.run_task_now("sleepy")

        assert ticks.times == [start + 10, start + 20]
        assert handle.last_outcome is not None
        assert handle.last_outcome.duration == 25

    @pytest.mark.parametrize("overlap", ["queue", "restart"])
    def test_a_task_that_is_due_again_whenever_it_ends_is_an_error_of_the_test(
        self, scheduler: Scheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, overlap: Any
    ) -> None:
        monkeypatch.setattr(testing, "MOST_LATE_RUNS", 3)
        scheduler.add_periodic_task(None, 60, lambda: current_run().sleep(90), "it", overlap=overlap)
        with pytest.raises(RuntimeError, match=r"^it is due again whenever a run of it ends.* after 3 runs"):
            clock.advance(600)
        clock.advance(600)  # it is left

    def test_or_is_logged_where_a_command_begins_it(
        self, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(testing, "MOST_LATE_RUNS", 3)
        scheduler.add_periodic_task(None, 60, lambda: current_run().sleep(90), "it", overlap="queue")
        scheduler.run_task_now("it")
        assert "it is due again whenever a run of it ends" in caplog.text

    def test_a_burst_of_other_runs_after_the_end_is_not(
        self, scheduler: Scheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(testing, "MOST_LATE_RUNS", 3)
        for number in range(10):
            left = [90, 90]
            work = lambda left=left: left and current_run().sleep(left.pop())  # noqa: E731
            scheduler.add_periodic_task(None, 60, work, f"task {number}", overlap="queue")
        clock.advance(1)

    def test_a_sleeper_that_is_stopped_wakes_at_that_moment(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R3: `sleep()` returns early, so no more of its time passes."""
        woke: list[float] = []

        def sleep() -> None:
            assert current_run().sleep(60) is False
            woke.append(clock.time())

        scheduler.add_timed_task(start + 5, lambda: scheduler.stop_task("sleeper"), "stopper")
        scheduler.add_on_demand_task(sleep, "sleeper")
        scheduler.run_task_now("sleeper")

        assert woke == [start + 5]

    def test_and_so_it_does_when_its_time_is_over(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        woke: list[float] = []

        def sleep() -> None:
            current_run().sleep(60)
            woke.append(clock.time())

        scheduler.add_on_demand_task(sleep, "it", timeout=5)
        scheduler.run_task_now("it")

        assert woke == [start + 5]

    def test_advancing_from_within_a_run_does_not_turn_the_clock_back(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        scheduler.add_periodic_task(start + 1, 1000, Takes(clock, 100), "it")
        clock.advance(10)

        assert clock.time() == start + 101

    def test_events_come_in_the_order_of_truth(
        self, scheduler: Scheduler, events: Events, clock: ManualClock
    ) -> None:
        """Section 7: what comes of a subscriber's command is told after the present event."""
        told: list[str] = []

        def answer(event: object) -> None:
            told.append(type(event).__name__)
            if isinstance(event, RunStarted) and event.name == "one":
                scheduler.run_task_now("two")
                told.append("answered")

        scheduler.add_on_demand_task(Doing(), "one")
        scheduler.add_on_demand_task(Doing(), "two")
        scheduler.subscribe(answer)
        scheduler.run_task_now("one")

        assert told == ["RunStarted", "answered", "RunFinished", "RunStarted", "RunFinished"]

    def test_a_subscriber_that_raises_is_logged_and_never_felt(
        self, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Section 7."""

        def broken(event: object) -> None:
            raise SystemExit(1)

        heard: list[object] = []
        scheduler.subscribe(broken)
        scheduler.subscribe(heard.append)
        task = Doing()
        scheduler.add_on_demand_task(task, "it")
        scheduler.run_task_now("it")

        assert task.runs == 1
        assert len(heard) == 3
        assert len(caplog.records) == 3

    def test_an_unsubscribed_one_gets_no_more(self, scheduler: Scheduler) -> None:
        """Section 2."""
        heard: list[object] = []
        unsubscribe = scheduler.subscribe(heard.append)
        scheduler.add_on_demand_task(Doing(), "it")
        unsubscribe()
        unsubscribe()
        scheduler.run_task_now("it")

        assert len(heard) == 1


def test_what_a_run_adds_for_now_is_done_before_the_clock_moves_on(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def add() -> None:
        scheduler.add_periodic_task(None, 30, lambda: None, "added")

    scheduler.add_timed_task(None, add, "adding")
    clock.advance(0)

    added = scheduler.handle("added")
    assert added is not None
    assert added.run_count == 1
