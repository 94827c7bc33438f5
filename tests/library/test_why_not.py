"""O4: every due time leaves a trace, and a person can always ask why something did not run."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from doing import Doing, Takes, fail
from recorder import Events
from restarted_program import Program

from taskkit import (
    Daily,
    Every,
    Once,
    OnDemand,
    Outcome,
    OutcomeKind,
    RunFinished,
    RunSkipped,
    Schedule,
    Scheduler,
    Skip,
    SkipReason,
    Trigger,
    current_run,
)
from taskkit.testing import ManualClock


def traces(events: Events, name: str) -> int:
    """How many due times of a task were run or told as skipped."""
    ran = sum(event.outcome.trigger is Trigger.SCHEDULE for event in events.of(RunFinished, name))
    return ran + sum(event.count for event in events.of(RunSkipped, name))


class TestEveryDueTimeLeavesATrace:
    @pytest.mark.parametrize("seed", range(40))
    def test_whatever_is_done_to_a_periodic_task(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float, seed: int
    ) -> None:
        """O4, by chance: the grid has one point each ten seconds, and none is lost or told twice."""
        chance = random.Random(seed)
        steps = [lambda: clock.advance(chance.choice([0, 3, 10, 14, 25]))] * 50
        scheduler.add_periodic_task(start, 10, Doing(*steps), "it", retries=1, retry_delay=7)
        does: list[Callable[[], object]] = [
            lambda: clock.advance(chance.choice([1, 5, 10, 33])),
            lambda: clock.stall(chance.choice([1, 5, 10, 33])),
            lambda: clock.step_wall(chance.choice([-3600, 3600])),
            lambda: scheduler.disable_task("it"),
            lambda: scheduler.enable_task("it"),
            scheduler.pause,
            scheduler.resume,
            lambda: scheduler.run_task_now("it"),
            lambda: scheduler.demand_task("it"),
            lambda: scheduler.snapshot(),
        ]
        for _ in range(60):
            chance.choice(does)()
        scheduler.resume()
        scheduler.enable_task("it")
        clock.advance(10)  # whatever still waits is told by now

        passed = int(clock.monotonic() // 10) + 1
        assert traces(events, "it") == passed

    @pytest.mark.parametrize("seed", range(20))
    def test_whatever_is_done_to_a_daily_task(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, seed: int
    ) -> None:
        """O4: the tests begin at 08:00 UTC, so the first due time is one hour away."""
        chance = random.Random(seed)
        hour, day = 3600, 86_400
        scheduler.add_daily_task(9, 0, Takes(clock, 0), "it", tz="UTC", catch_up=chance.random() < 0.5)
        does: list[Callable[[], object]] = [
            lambda: clock.advance(chance.choice([hour, day, 2.5 * day])),
            lambda: clock.stall(chance.choice([hour, day, 5.5 * day])),
            lambda: clock.step_wall(chance.choice([hour, day, 2 * day])),
            lambda: scheduler.disable_task("it"),
            lambda: scheduler.enable_task("it"),
            scheduler.pause,
            scheduler.resume,
            lambda: scheduler.run_task_now("it"),
        ]
        for _ in range(40):
            chance.choice(does)()
        scheduler.resume()
        scheduler.enable_task("it")
        clock.advance(0)

        passed = int((clock.time() - 1_800_003_600) // day) + 1
        assert traces(events, "it") == passed

    @pytest.mark.parametrize("schedule", [Every(60, start=1_800_000_060), Daily(9, 0, "UTC")], ids=str)
    def test_a_stretch_of_skips_names_its_first_and_its_last(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, schedule: Schedule
    ) -> None:
        """O4."""
        scheduler.add_task(schedule, Doing(), "it")
        first = schedule.next_after(clock.time())
        assert first is not None
        scheduler.disable_task("it")
        clock.advance(10 * 86_400)
        scheduler.enable_task("it")

        (skip,) = events.of(RunSkipped)
        assert skip.first_due == first
        assert skip.last_due <= clock.time()
        upcoming = schedule.next_after(skip.last_due)
        assert upcoming is not None
        assert upcoming > clock.time()

    def test_skips_are_counted_in_time_also_for_a_snapshot(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        """A disabled task wakes nobody, and is counted when somebody looks."""
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.disable_task("it")
        clock.advance(25)

        assert dict(scheduler.snapshot().tasks[0].skipped) == {SkipReason.DISABLED: 3}
        assert [skip.count for skip in handle.history if isinstance(skip, Skip)] == [3]

    def test_a_disabled_task_wakes_no_thread(self, scheduler: Scheduler, clock: ManualClock) -> None:
        """T7."""
        scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.disable_task("it")

        assert scheduler.next_time is None


def skip_for_changing_reasons(scheduler: Scheduler, clock: ManualClock, times: int) -> None:
    """Have one due time of `it`, whose period is a second, pass it by because it is disabled, and the next
    because everything is paused."""
    for _ in range(times):
        scheduler.disable_task("it")
        clock.advance(1)
        scheduler.enable_task("it")
        scheduler.pause()
        clock.advance(1)
        scheduler.resume()


class TestHistory:
    def test_it_holds_runs_and_skips_in_order(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_periodic_task(start, 10, Doing(fail), "it")
        clock.advance(5)
        scheduler.disable_task("it")
        clock.advance(20)
        scheduler.enable_task("it")
        clock.advance(5)

        first, skip, last = handle.history
        assert isinstance(first, Outcome)
        assert first.kind is OutcomeKind.FAILED
        assert skip == Skip(SkipReason.DISABLED, 2, start + 10, start + 20)
        assert isinstance(last, Outcome)
        assert last.kind is OutcomeKind.SUCCEEDED

    def test_skips_that_follow_each_other_for_one_reason_are_one(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_periodic_task(start + 10, 10, Doing(), "it")
        scheduler.disable_task("it")
        for _ in range(5):
            clock.advance(10)
            scheduler.snapshot()

        assert handle.history == (Skip(SkipReason.DISABLED, 5, start + 10, start + 50),)

    def test_it_is_bounded(self, scheduler: Scheduler, clock: ManualClock) -> None:
        handle = scheduler.add_periodic_task(None, 1, Doing(), "it")
        clock.advance(1000)

        assert 8 <= len(handle.history) <= 100
        last = handle.history[-1]
        assert isinstance(last, Outcome)
        assert last.finished == clock.time()

    def test_it_is_bounded_where_runs_and_skips_alternate(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        handle = scheduler.add_periodic_task(None, 1, Takes(clock, 1), "it")
        clock.advance(1000)

        assert 8 <= len(handle.history) <= 100

    def test_the_last_run_is_in_it_however_much_was_skipped_since(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        handle = scheduler.add_periodic_task(None, 1, Doing(fail), "it")
        clock.advance(0)
        skip_for_changing_reasons(scheduler, clock, 30)

        first, second = handle.history[:2]
        assert isinstance(first, Outcome)
        assert first.kind is OutcomeKind.FAILED
        assert handle.last_outcome == first
        assert isinstance(second, Skip)
        assert second.first_due > first.due + 1  # those before it are forgotten
        assert len(handle.history) == 20
        assert sum(handle._entry.skipped.values()) == 60
        clock.advance(1)
        assert isinstance(handle.history[-1], Outcome)
        assert first not in handle.history

    def test_it_survives_its_registration(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it", keep=False)
        scheduler.run_task_now("it")

        assert len(handle.history) == 1

    def test_a_new_registration_begins_a_new_one(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(Doing(), "it")
        scheduler.run_task_now("it")
        handle = scheduler.add_on_demand_task(Doing(), "it")

        assert handle.history == ()
        assert handle.last_outcome is None


def at(instant: float, clock: ManualClock) -> str:
    """What the clocks show then, with the date if that is not today."""
    then, now = datetime.fromtimestamp(instant), datetime.fromtimestamp(clock.time())
    return f"{then:%H:%M:%S}" if then.date() == now.date() else f"{then:%a %Y-%m-%d %H:%M:%S}"


DAY = 86_400


class TestExplain:
    """A sentence or two on why it is not running now, when it will, and what went wrong."""

    def test_it_waits_for_its_time(self, scheduler: Scheduler, start: float) -> None:
        handle = scheduler.add_periodic_task(start + 90, 10, Doing(), "it")

        assert handle.explain().startswith("it is next due at ")
        assert handle.explain().endswith(", in 1 min 30 s.")

    def test_due_times_that_passed_are_named(self, scheduler: Scheduler, clock: ManualClock) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(lambda: clock.advance(25)), "it")
        clock.advance(0)

        assert "2 overlap" in handle.explain()

    def test_it_runs(self, scheduler: Scheduler, clock: ManualClock) -> None:
        told: list[str] = []

        def ask() -> None:
            clock.advance(7)
            told.append(handle.explain())
            scheduler.demand_task("it")
            told.append(handle.explain())
            scheduler.unregister_task("it")
            told.append(handle.explain())

        handle = scheduler.add_on_demand_task(Doing(ask), "it")
        scheduler.run_task_now("it")

        assert told == [
            "it has been running for 7 s.",
            "it has been running for 7 s; it was demanded once more.",
            "it has been running for 7 s; it is no longer registered and will be gone when this run ends.",
        ]

    def test_it_runs_on_demand_only(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")

        assert handle.explain() == "it runs only on demand, and has not run yet."

    def test_it_is_disabled(self, scheduler: Scheduler, clock: ManualClock) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.disable_task("it")
        clock.advance(25)

        assert "is disabled" in handle.explain()
        assert "3 disabled" in handle.explain()
        assert "runs again when it is enabled" in handle.explain()

    def test_an_on_demand_task_is_disabled(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")
        scheduler.disable_task("it")

        assert handle.explain() == "it is disabled, and runs only on demand; it has not run yet."

    @pytest.mark.parametrize("command", ["disable_task", "pause"])
    def test_a_once_whose_time_has_passed_will_not_run(
        self, scheduler: Scheduler, clock: ManualClock, start: float, command: str
    ) -> None:
        """R5: it must not be told that it will."""
        handle = scheduler.add_timed_task(start + 10, Doing(), "it")
        scheduler.pause() if command == "pause" else scheduler.disable_task("it")
        clock.advance(60)

        assert "was due" in handle.explain()
        assert "it counts as missed and is gone" in handle.explain()

    def test_everything_is_paused(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.pause()

        assert "the scheduler is paused" in handle.explain()

    def test_its_retry_is_due(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        handle = scheduler.add_on_demand_task(fail, "it", retries=3, retry_delay=20)
        scheduler.run_task_now("it")

        assert handle.explain() == (
            f"it failed at {at(start, clock)}: RuntimeError: it is broken;"
            f" retry 1 of 3 is due at {at(start + 20, clock)}, in 20 s."
        )

    def test_its_retry_is_due_while_everything_is_paused(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        handle = scheduler.add_on_demand_task(fail, "it", retries=3, retry_delay=20)
        scheduler.run_task_now("it")
        scheduler.pause()
        clock.advance(25)

        assert handle.explain().endswith(", in 0 s, but the scheduler is paused.")
        assert handle.retry == "1/3, in 0 s, paused"

    def test_it_failed_the_last_time(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        handle = scheduler.add_periodic_task(start, 10, Doing(fail), "it")
        clock.advance(0)
        failed = f"it failed at {at(start, clock)}: RuntimeError: it is broken; it"

        assert handle.explain() == f"{failed} is next due at {at(start + 10, clock)}, in 10 s."
        scheduler.pause()
        assert handle.explain() == f"{failed} waits because the scheduler is paused."
        scheduler.resume()
        handle.disable()
        assert handle.explain() == f"{failed} is disabled; it runs again when it is enabled, or by hand."
        handle.enable()
        clock.advance(10)
        assert handle.explain() == f"it is next due at {at(start + 20, clock)}, in 10 s."

    def test_it_fails_each_time(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        handle = scheduler.add_periodic_task(start, DAY, Doing(*[fail] * 61), "it", retries=1, retry_delay=30)
        clock.advance(29.5 * DAY)

        assert handle.explain() == (
            f"it has failed each time since {at(start, clock)} (60 tries): RuntimeError: it is broken;"
            f" it is next due at {at(start + 30 * DAY, clock)}, in 12 h."
        )
        clock.advance(DAY / 2)
        assert handle.explain().startswith(f"it has failed each time since {at(start, clock)} (61 tries): ")
        assert handle.explain().endswith(
            f"; retry 1 of 1 is due at {at(start + 30 * DAY + 30, clock)}, in 30 s."
        )
        clock.advance(30)
        assert handle.explain().startswith("it is next due at ")

    def test_it_fails_without_an_exception(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_on_demand_task(lambda: current_run().sleep(60), "it", timeout=5)
        handle.run_now()
        assert handle.explain() == f"it timed out at {at(start + 5, clock)}; it runs only on demand."
        handle.run_now()
        assert handle.explain() == (
            f"it has failed each time since {at(start + 5, clock)} (2 tries): the last time it timed out;"
            " it runs only on demand."
        )

    @pytest.mark.parametrize(("runs", "told"), [(3, "{} (3 tries)"), (50, "{} or before (20 tries or more)")])
    def test_after_a_restart_failures_are_dated_as_far_back_as_is_known(
        self, tmp_path: Path, clock: ManualClock, start: float, runs: int, told: str
    ) -> None:
        program = Program(tmp_path / "tasks.db", clock)
        scheduler = program.start(lambda scheduler: scheduler.add_on_demand_task(fail, "it"))
        for _ in range(runs):
            scheduler.run_task_now("it")
            clock.advance(1)
        again = program.restart(lambda scheduler: scheduler.add_on_demand_task(fail, "it"))
        words = again.on_demand["it"].explain()
        program.stop()

        since = told.format(at(start + max(0, runs - 20), clock))
        assert words.startswith(f"it has failed each time since {since}: RuntimeError")

    @pytest.mark.parametrize(
        ("task", "ended"),
        [(Doing(), "succeeded"), (lambda: current_run().handle.stop(), "was stopped")],
        ids=["succeeded", "stopped"],
    )
    def test_it_was_demanded(
        self, scheduler: Scheduler, clock: ManualClock, start: float, task: Callable[[], object], ended: str
    ) -> None:
        handle = scheduler.add_on_demand_task(task, "it")
        handle.run_now()
        clock.advance(60)
        assert handle.explain() == f"it runs only on demand; its last run {ended} at {at(start, clock)}."
        handle.disable()
        clock.advance(DAY)
        assert handle.explain() == (
            f"it is disabled, and runs only on demand; its last run {ended} at {at(start, clock)}."
        )

    def test_it_is_due_within_its_jitter(
        self, scheduler: Scheduler, clock: ManualClock, start: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("taskkit.engine.time_ledger.random", lambda: 0.5)
        handle = scheduler.add_periodic_task(start + 10, 600, Doing(), "it", jitter=300)
        assert handle.explain() == f"it is next due at {at(start + 10, clock)}, in 10 s."
        clock.advance(12)
        assert handle.explain() == "it is due, and starts within the next 4 min 58 s (jitter)."
        scheduler.pause()
        assert handle.explain().startswith("it waits because the scheduler is paused")
        scheduler.resume()
        clock.advance(600)
        assert handle.explain().startswith("it is due, and starts within the next 4 min 58 s (jitter)")

    def test_nobody_was_there_for_it(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        handle = scheduler.add_periodic_task(start + 3600, DAY, Doing(), "it", catch_up=False)
        why = "the machine slept or the program did not run, and catch_up is off."
        clock.stall(7200)
        due = start + 3600

        assert handle.explain() == (
            f"it is next due at {at(due + DAY, clock)}, in 23 h. It did not run at {at(due, clock)}: {why}"
        )
        clock.stall(2 * DAY)
        assert handle.explain().endswith(
            f". It did not run at 3 due times, from {at(due, clock)} to {at(due + 2 * DAY, clock)}: {why}"
        )
        handle.disable()
        clock.advance(DAY)
        assert "(skipped since its last run: 1 disabled)" in handle.explain()
        assert handle.explain().endswith(why)
        handle.enable()
        clock.advance(DAY)
        assert "did not run" not in handle.explain()

    def test_a_time_of_another_day_has_its_date(self, scheduler: Scheduler, clock: ManualClock) -> None:
        midnight = (datetime.fromtimestamp(clock.time()) + timedelta(days=1)).replace(hour=0, minute=0)
        clock.advance(midnight.timestamp() - clock.time() - 60)
        handle = scheduler.add_timed_task(midnight, Doing(), "it")

        assert handle.explain() == f"it is next due at {at(midnight.timestamp(), clock)}, in 1 min."

    def test_it_waits_for_the_run_of_its_predecessor(self, scheduler: Scheduler) -> None:
        told: list[str] = []

        def replace() -> None:
            told.append(scheduler.add_on_demand_task(Doing(), "it").explain())

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")

        assert told == ["it waits until the run of the task that it replaced ends."]

    def test_it_is_gone(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_timed_task(None, Doing(), "it")
        scheduler.unregister_task("it")

        assert handle.explain().startswith("it is gone")

    def test_the_scheduler_was_stopped(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.stop()

        assert handle.explain() == "it will not run: the scheduler was stopped."

    @pytest.mark.parametrize("schedule", [Every(1e300), Once(1e15), Every(1e-5), OnDemand()], ids=str)
    def test_it_has_an_answer_for_odd_schedules(self, scheduler: Scheduler, schedule: Schedule) -> None:
        handle = scheduler.add_task(schedule, Doing(), "it")
        scheduler.run_task_now("it")

        assert handle.explain().startswith("it ")
