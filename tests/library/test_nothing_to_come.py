"""A registration either has something to come, or runs on demand, or is gone: none waits for nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest
from doing import Doing, Notes
from recorder import Events

from taskkit import Schedule, Scheduler, SkipReason, TaskHandler, TaskState
from taskkit.testing import ManualClock


@dataclass(frozen=True)
class Until(Schedule):
    """Every ten seconds, and after an hour never again."""

    follows_wall_clock: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    end: float

    def next_after(self, instant: float) -> float | None:
        """The next full ten seconds, if they are not after the end."""
        due = instant // 10 * 10 + 10
        return due if due <= self.end else None


def in_a_run_of_it(scheduler: Scheduler, does: Callable[[], object]) -> None:
    """Do something while an earlier registration of `it` runs."""
    scheduler.add_on_demand_task(Doing(does), "it")
    scheduler.run_task_now("it")


class TestAOneShotThatWaitsForTheRunBeforeIt:
    def test_disabled_and_enabled_it_is_counted_as_missed_and_gone(
        self, scheduler: Scheduler, events: Events
    ) -> None:
        """R5, R6."""
        task = Doing()

        def replace() -> None:
            handle = scheduler.add_timed_task(None, task, "it")
            handle.disable()
            assert handle.explain() == (
                "it was due while it is disabled; once enabled, it counts as missed and is gone."
            )
            handle.enable()
            assert handle.state is TaskState.GONE

        in_a_run_of_it(scheduler, replace)

        assert task.runs == 0
        assert events.skips("it") == {SkipReason.MISSED: 1}
        assert scheduler.handle("it") is None

    def test_disabled_it_waits_visibly_also_after_that_run(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """R5, R6."""
        task = Doing()
        in_a_run_of_it(
            scheduler, lambda: (scheduler.add_timed_task(None, task, "it"), scheduler.disable_task("it"))
        )
        clock.advance(60)

        assert set(scheduler.scheduled) == {"it"}
        scheduler.enable_task("it")
        assert task.runs == 0
        assert events.skips("it") == {SkipReason.MISSED: 1}
        assert scheduler.handle("it") is None

    def test_demanded_it_runs_by_hand_although_it_missed_its_time(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        """R4, R6."""
        task = Notes(clock)

        def replace() -> None:
            scheduler.add_timed_task(None, task, "it")
            scheduler.disable_task("it")
            scheduler.demand_task("it")
            scheduler.enable_task("it")
            clock.advance(5)

        in_a_run_of_it(scheduler, replace)
        clock.advance(60)

        assert task.times == [clock.time() - 60]
        assert scheduler.handle("it") is None


class TestAScheduleThatComesToItsEnd:
    @pytest.fixture
    def handle(self, scheduler: Scheduler, start: float) -> TaskHandler:
        return scheduler.add_task(Until(start + 30), Doing(), "it")

    def test_it_is_gone_after_its_last_run(
        self, scheduler: Scheduler, clock: ManualClock, handle: TaskHandler
    ) -> None:
        clock.advance(60)

        assert handle.run_count == 3
        assert scheduler.handle("it") is None

    def test_while_it_is_disabled(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, handle: TaskHandler
    ) -> None:
        handle.disable()
        clock.advance(60)

        assert scheduler.snapshot().tasks == ()
        assert handle.enable() is False
        assert events.skips("it") == {SkipReason.DISABLED: 3}
        assert scheduler.snapshot().figures.disabled == 0

    @pytest.mark.parametrize("command", ["enable_task", "disable_task"])
    def test_as_a_command_finds_out(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, handle: TaskHandler, command: str
    ) -> None:
        if command == "enable_task":
            handle.disable()
        scheduler.pause()
        clock.advance(60)

        assert getattr(scheduler, command)("it") is True
        assert handle.state is TaskState.GONE
        assert sum(events.skips("it").values()) == 3

    def test_while_everything_is_paused(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, handle: TaskHandler
    ) -> None:
        scheduler.pause()
        clock.advance(60)
        scheduler.resume()

        assert handle.state is TaskState.GONE
        assert events.skips("it") == {SkipReason.PAUSED: 3}

    @pytest.mark.parametrize("looks", [True, False])
    def test_while_it_waits_for_the_run_before_it(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float, looks: bool
    ) -> None:
        def replace() -> None:
            scheduler.add_task(Until(start + 30), Doing(), "it")
            (clock.advance if looks else clock.stall)(60)

        in_a_run_of_it(scheduler, replace)

        assert scheduler.handle("it") is None
        assert events.skips("it") == {SkipReason.REPLACED: 3}

    def test_while_it_waits_and_a_run_by_hand_is_still_to_come(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Doing()

        def replace() -> None:
            scheduler.add_task(Until(start + 30), task, "it")
            scheduler.demand_task("it")
            clock.advance(60)

        in_a_run_of_it(scheduler, replace)

        assert task.runs == 1
        assert scheduler.handle("it") is None
