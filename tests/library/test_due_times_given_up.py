"""Who is unregistered, replaced or stopped with due times untold tells them first, and none later (O4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from doing import Doing, Takes
from recorder import Events

from taskkit import (
    Every,
    Outcome,
    Recipe,
    RunSkipped,
    Scheduler,
    SchedulerStopped,
    Skip,
    SkipReason,
    TaskSpec,
    TaskUnregistered,
)
from taskkit.testing import ManualClock

ENDS: dict[str, Callable[[Scheduler], object]] = {
    "unregistered": lambda scheduler: scheduler.unregister_task("it"),
    "replaced": lambda scheduler: scheduler.add_on_demand_task(Doing(), "it"),
}

ends = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)


def work() -> None:
    """What the specs of this file run."""


class TestWhoGoes:
    @ends
    def test_while_it_is_disabled(
        self,
        scheduler: Scheduler,
        clock: ManualClock,
        events: Events,
        start: float,
        end: Callable[[Scheduler], object],
    ) -> None:
        handle = scheduler.add_periodic_task(start + 10, 10, Doing(), "it")
        scheduler.disable_task("it")
        clock.advance(35)
        end(scheduler)

        assert handle.history == (Skip(SkipReason.DISABLED, 3, start + 10, start + 30),)
        assert events.skips("it") == {SkipReason.DISABLED: 3}
        told = [type(each) for each in events.all]
        assert told.index(RunSkipped) < told.index(TaskUnregistered)

    @ends
    def test_while_everything_is_paused(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, end: Callable[[Scheduler], object]
    ) -> None:
        scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.pause()
        clock.advance(25)
        end(scheduler)

        assert events.skips("it") == {SkipReason.PAUSED: 3}

    @ends
    def test_while_it_runs(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, end: Callable[[Scheduler], object]
    ) -> None:
        """T2: what comes after it was unregistered is no longer due."""

        def run() -> None:
            clock.advance(25)
            end(scheduler)
            clock.advance(30)

        handle = scheduler.add_periodic_task(None, 10, Doing(run), "it")
        clock.advance(0)

        assert events.skips("it") == {SkipReason.OVERLAP: 2}
        assert [type(each) for each in handle.history] == [Skip, Outcome]

    @ends
    def test_while_it_waits_for_the_run_before_it(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, end: Callable[[Scheduler], object]
    ) -> None:
        """R6."""

        def run() -> None:
            scheduler.add_timed_task(None, Doing(), "it")
            clock.advance(5)
            end(scheduler)

        scheduler.add_on_demand_task(Doing(run), "it")
        scheduler.run_task_now("it")

        assert events.skips("it") == {SkipReason.REPLACED: 1}

    @ends
    def test_before_a_late_run_begins(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, end: Callable[[Scheduler], object]
    ) -> None:
        """T3: nobody will make up for them."""
        scheduler.add_periodic_task(None, 10, Takes(clock, 1), "it")
        scheduler.add_on_demand_task(Doing(lambda: (clock._move_to(35), end(scheduler))), "meanwhile")
        clock.advance(5)
        scheduler.run_task_now("meanwhile")

        assert events.skips("it") == {SkipReason.MISSED: 3}

    @pytest.mark.parametrize("command", ["disable_task", "pause"])
    def test_a_one_shot_that_waits_visibly(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float, command: str
    ) -> None:
        """R5."""
        scheduler.add_timed_task(start + 10, Doing(), "it")
        scheduler.pause() if command == "pause" else scheduler.disable_task("it")
        clock.advance(20)
        scheduler.unregister_task("it")

        assert events.skips("it") == {SkipReason.MISSED: 1}


class TestWhoTakesThePlace:
    def test_it_inherits_a_past_in_which_nothing_is_untold(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        spec = TaskSpec("it", Every(10), Recipe(f"{__name__}:work"))
        scheduler.add_spec(spec)
        scheduler.disable_task("it")
        clock.advance(25)

        handle = scheduler.add_spec(replace(spec, schedule=Every(10, start + 100)))
        (skip,) = handle.history
        assert isinstance(skip, Skip)
        assert (skip.reason, skip.count) == (SkipReason.DISABLED, 3)

    def test_what_the_old_one_was_about_to_make_up_for_is_told_once(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """With a schedule that a person decided the due times go over."""
        spec = TaskSpec("it", Every(10), Recipe(f"{__name__}:work"))
        scheduler.add_spec(spec)
        scheduler.set_period("it", 20, override=True)
        clock.advance(0)
        scheduler.add_on_demand_task(
            Doing(lambda: (clock._move_to(50), scheduler.add_spec(spec))), "meanwhile"
        )
        scheduler.run_task_now("meanwhile")
        clock.advance(0)

        assert len(events.outcomes("it")) == 2  # of 0, and of 20 and 40 together
        assert events.skips("it") == {SkipReason.MISSED: 1}


class TestTheEnd:
    @pytest.mark.parametrize("command", ["disable_task", "pause"])
    def test_what_has_passed_is_told_before_the_end_and_nothing_after_it(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, command: str
    ) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.pause() if command == "pause" else scheduler.disable_task("it")
        clock.advance(25)
        scheduler.stop()
        clock.advance(100)
        scheduler.snapshot()

        (skip,) = handle.history
        assert isinstance(skip, Skip)
        assert skip.count == 3
        assert isinstance(events.all[-1], SchedulerStopped)
        assert sum(events.skips("it").values()) == 3

    def test_a_run_that_outlasts_it_covers_what_came_before_it(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """T2."""

        def run() -> None:
            clock.advance(25)
            scheduler.stop()
            clock.advance(30)

        scheduler.add_periodic_task(None, 10, Doing(run), "it")
        clock.advance(0)

        assert events.skips("it") == {SkipReason.OVERLAP: 2}
