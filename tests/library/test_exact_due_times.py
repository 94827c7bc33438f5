"""A due time on a full second is shown as that second, everywhere and after any restart."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from doing import Doing
from recorder import Events

import taskkit.clock
from taskkit import Every, Outcome, RunSkipped, RunStarted, ScaledClock, Scheduler, Skip, TaskRegistered
from taskkit.clock import Clock, SystemClock
from taskkit.store import PersistentScheduler
from taskkit.testing import InlineExecutor, ManualClock

MINUTE = 1_795_540_020.0


class Interrupted:
    """The system's clocks, for threads that are interrupted between the reading of one and the other.

    They begin 20 seconds before the minute.
    """

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._booted = MINUTE - 86_400 * self._chance.random() - 30
        self._elapsed = MINUTE - 20 - self._booted

    def go_on(self, seconds: float) -> None:
        self._elapsed += seconds

    def set(self, seconds: float) -> None:
        """Set the wall clock forward."""
        self._booted += seconds

    def time(self) -> float:
        self._interrupt()
        return self._booted + self._elapsed

    def clock_gettime(self, clock: int) -> float:
        self._interrupt()
        return self._elapsed

    def _interrupt(self) -> None:
        self._elapsed += self._chance.choice([0.0, 2e-7, 4e-7, 2e-6, 3e-5])
        if self._chance.random() < 0.01:
            self._elapsed += 0.005


@pytest.fixture(params=range(5))
def interrupted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    system = Interrupted(request.param)
    monkeypatch.setattr(taskkit.clock, "_time", system)
    return system


def a_scheduler(clock: Clock) -> Scheduler:
    """One whose loop is the test."""
    return Scheduler(clock=clock, executor=InlineExecutor(), capture=False)


class TestTheSystemsClocks:
    def test_stay_as_far_apart_as_they_are(self, interrupted: Interrupted) -> None:
        clock = SystemClock()

        assert len({clock.now().offset for _ in range(2000)}) == 1

    @pytest.mark.parametrize("seconds", [3600, 0.5, 0.001, -0.001, -3600])
    def test_are_further_apart_once_one_was_set(self, interrupted: Interrupted, seconds: float) -> None:
        clock = SystemClock()
        before = clock.now().offset
        interrupted.set(seconds)

        assert clock.now().offset - before == pytest.approx(seconds, abs=1e-4)

    def test_that_they_drift_apart_is_followed(self, interrupted: Interrupted) -> None:
        clock = SystemClock()
        before = clock.now().offset
        for _ in range(100):
            interrupted.set(3e-5)
            clock.now()

        assert clock.now().offset - before == pytest.approx(0.003, abs=2e-4)

    def test_the_steady_one_goes_on(self) -> None:
        clock = SystemClock()
        before = clock.monotonic()
        now = clock.now().steady

        assert before - 1e-4 <= now <= clock.monotonic() + 1e-4


class TestADueTimeOnTheMinute:
    @pytest.fixture(params=["system", "scaled", "manual"])
    def clock(self, request: pytest.FixtureRequest, interrupted: Interrupted) -> Clock:
        chance = Random(7)
        match request.param:
            case "system":
                return SystemClock()
            case "scaled":
                return ScaledClock(3.7)
            case _:
                return ManualClock(MINUTE - 19 - chance.random())

    def test_is_shown_as_the_minute(self, clock: Clock) -> None:
        scheduler = a_scheduler(clock)
        events = Events(scheduler.subscribe)
        for number in range(50):
            scheduler.add_periodic_task(MINUTE + 60 * number, 3600, Doing(), f"{number}")

        assert scheduler.next_time == MINUTE
        assert {event.next_run for event in events.of(TaskRegistered)} == {MINUTE + 60 * n for n in range(50)}
        for number, task in enumerate(scheduler.snapshot().tasks):
            minute = MINUTE + 60 * number
            handle, details = scheduler.handle(task.name), scheduler.describe(task.name, 30)
            assert handle is not None
            assert details is not None
            assert task.next_run == handle.next_run == minute
            assert details.due_times == tuple(minute + 3600 * k for k in range(30))

    def test_is_the_due_time_of_its_run_and_of_what_is_skipped(self, interrupted: Interrupted) -> None:
        with a_scheduler(SystemClock()) as scheduler:
            events = Events(scheduler.subscribe)
            handle = scheduler.add_periodic_task(MINUTE, 60, Doing(), "it")
            interrupted.go_on(21)
            scheduler.run_pending()
            handle.disable()
            interrupted.go_on(120)
            handle.enable()

            (started,), (skipped,) = events.of(RunStarted), events.of(RunSkipped)
            ran, skip = handle.history
            assert isinstance(ran, Outcome)
            assert started.due == ran.due == MINUTE
            assert skip == Skip(skipped.reason, 2, MINUTE + 60, MINUTE + 120)
            assert (skipped.first_due, skipped.last_due) == (MINUTE + 60, MINUTE + 120)

    def test_is_the_same_after_a_hundred_restarts(self, interrupted: Interrupted, tmp_path: Path) -> None:
        path = tmp_path / "state.db"
        for life in range(100):
            scheduler = PersistentScheduler(path, executor=InlineExecutor(), capture=False)
            with scheduler:
                handle = scheduler.add_periodic_task(MINUTE + 7 * life, 3600, Doing(), "it")
                odd = scheduler.add_periodic_task(None, 1000, Doing(), "odd")
                assert handle.next_run == MINUTE
                if life == 0:
                    scheduler.run_pending()
                    due = odd.next_run
                assert odd.next_run == due
            # As a machine that was started anew: its steady clock begins somewhere else.
            interrupted.set(-123.456789 * life)
            interrupted.go_on(123.456789 * life)


def test_a_due_time_stored_a_hair_too_early_is_restored_to_its_second() -> None:
    scheduler = a_scheduler(ManualClock(MINUTE - 20.25))
    scheduler.add_task(Every(60, start=1795540019.9999998), Doing(), "it")

    assert scheduler.snapshot().tasks[0].next_run == MINUTE
