"""The fine print below the state table: R1 to R7, and what pausing everything means."""

from __future__ import annotations

import pytest
from doing import Doing, Notes, Takes, fail
from recorder import Events

from taskkit import (
    Daily,
    Every,
    Once,
    OnDemand,
    OutcomeKind,
    RunSkipped,
    Scheduler,
    SchedulerPaused,
    SchedulerResumed,
    SkipReason,
    TaskState,
    TaskUnregistered,
    current_run,
)
from taskkit.testing import ManualClock


class TestR1ByHand:
    def test_a_once_that_was_run_by_hand_keeps_its_due_time(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R1."""
        task = Notes(clock)
        handle = scheduler.add_timed_task(start + 60, task, "it")
        clock.advance(10)

        scheduler.run_task_now("it")
        assert handle.next_run == start + 60
        clock.advance(50)

        assert task.times == [start + 10, start + 60]
        assert handle.state is TaskState.GONE

    def test_runs_by_hand_never_count_as_the_last_due(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R1."""
        handle = scheduler.add_periodic_task(start, 10, Doing(), "it")
        clock.advance(4)
        scheduler.run_task_now("it")

        scheduler.set_period("it", 30)

        assert handle.next_run == start + 30

    def test_by_hand_before_the_first_run_the_start_stays(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R1, R7."""
        handle = scheduler.add_periodic_task(start + 100, 10, Doing(), "it")
        scheduler.run_task_now("it")

        scheduler.set_period("it", 30)

        assert handle.next_run == start + 100

    def test_a_due_time_covered_by_a_run_by_hand_is_skipped_and_counted(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """T2 holds for runs by hand too."""
        task = Takes(clock, 25)
        handle = scheduler.add_periodic_task(start + 10, 10, task, "it")
        scheduler.run_task_now("it")

        assert handle.next_run == start + 30
        assert events.skips("it") == {SkipReason.OVERLAP: 2}


class TestR4R5Disabled:
    def test_a_run_by_hand_does_not_enable(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R4."""
        task = Notes(clock)
        scheduler.add_periodic_task(start + 10, 10, task, "it")
        scheduler.disable_task("it")
        clock.advance(25)
        scheduler.demand_task("it")
        clock.advance(10)
        scheduler.enable_task("it")

        assert task.times == [start + 25]
        assert events.skips("it") == {SkipReason.DISABLED: 3}

    def test_a_once_that_fell_due_while_disabled_waits_visibly(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R5."""
        task = Doing()
        handle = scheduler.add_timed_task(start + 10, task, "it")
        scheduler.disable_task("it")

        clock.advance(100)

        assert scheduler.scheduled["it"] is handle
        assert [row.name for row in scheduler.snapshot().tasks] == ["it"]
        assert task.runs == 0

    def test_on_enable_it_is_counted_as_missed_and_gone(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R5."""
        task = Doing()
        handle = scheduler.add_timed_task(start + 10, task, "it")
        scheduler.disable_task("it")
        clock.advance(100)

        assert scheduler.enable_task("it") is True
        clock.advance(100)

        assert task.runs == 0
        assert handle.state is TaskState.GONE
        assert events.skips("it") == {SkipReason.MISSED: 1}
        assert [(skip.first_due, skip.last_due) for skip in events.of(RunSkipped)] == [
            (start + 10, start + 10)
        ]
        assert [event.why for event in events.of(TaskUnregistered)] == ["done"]

    def test_a_once_that_is_not_due_yet_is_enabled_as_it_was(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R5."""
        task = Notes(clock)
        scheduler.add_timed_task(start + 10, task, "it")
        scheduler.disable_task("it")
        clock.advance(5)
        scheduler.enable_task("it")
        clock.advance(5)

        assert task.times == [start + 10]

    def test_a_once_that_fell_due_while_disabled_can_be_run_by_hand_and_still_waits(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R1, R4: the run by hand is not its due time."""
        task = Doing()
        handle = scheduler.add_timed_task(start + 10, task, "it")
        scheduler.disable_task("it")
        clock.advance(100)

        assert scheduler.run_task_now("it") is True
        assert "it" in scheduler.scheduled
        scheduler.enable_task("it")

        assert task.runs == 1
        assert handle.state is TaskState.GONE
        assert events.skips("it") == {SkipReason.MISSED: 1}

    def test_disabled_before_the_first_run(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_periodic_task(None, 10, task, "it")
        scheduler.disable_task("it")
        clock.advance(15)
        scheduler.enable_task("it")
        clock.advance(5)

        assert task.times == [start + 20]
        assert events.skips("it") == {SkipReason.DISABLED: 2}

    def test_the_period_of_a_disabled_task_can_be_changed_and_nothing_goes_untold(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R5, R7, O4."""
        task = Notes(clock)
        handle = scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(5)
        scheduler.disable_task("it")
        clock.advance(30)  # 10, 20 and 30 pass
        scheduler.set_period("it", 7)
        assert events.skips("it") == {SkipReason.DISABLED: 3}
        clock.advance(3)  # 37 passes
        scheduler.enable_task("it")

        assert handle.next_run == start + 44
        assert events.skips("it") == {SkipReason.DISABLED: 4}

    def test_a_shorter_period_invents_no_due_time_while_disabled(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R7: “not earlier than now” is for those that can run now."""
        handle = scheduler.add_periodic_task(start + 100, 100, Doing(), "it")
        scheduler.disable_task("it")
        clock.advance(170)
        scheduler.set_period("it", 20)
        scheduler.enable_task("it")

        assert handle.next_run == start + 180
        assert events.skips("it") == {SkipReason.DISABLED: 1}

    def test_a_disabled_task_can_be_rescheduled_and_nothing_goes_untold(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """O4."""
        handle = scheduler.add_periodic_task(start + 10, 10, Doing(), "it")
        scheduler.disable_task("it")
        clock.advance(35)

        assert scheduler.reschedule_task("it", Every(100)) is True

        assert events.skips("it") == {SkipReason.DISABLED: 3}
        assert handle.disabled is True
        scheduler.enable_task("it")
        assert handle.next_run == start + 135

    def test_a_once_that_fell_due_while_disabled_can_be_rescheduled(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """O4: the due time that it waited with is told of."""
        task = Notes(clock)
        scheduler.add_timed_task(start + 10, task, "it")
        scheduler.disable_task("it")
        clock.advance(35)

        scheduler.reschedule_task("it", Once(start + 50))
        scheduler.enable_task("it")
        clock.advance(100)

        assert task.times == [start + 50]
        assert events.skips("it") == {SkipReason.MISSED: 1}


class TestPause:
    def test_nothing_falls_due_and_nothing_is_caught_up(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        periodic, daily = Notes(clock), Notes(clock)
        scheduler.add_periodic_task(start, 1000, periodic, "periodic")
        scheduler.add_daily_task(9, 0, daily, "daily", tz="UTC")
        clock.advance(500)

        assert scheduler.pause() is True
        clock.advance(4000)  # 1000 to 4000, and 09:00
        assert scheduler.resume() is True
        clock.advance(600)

        assert periodic.times == [start, start + 5000]
        assert daily.times == []
        assert events.skips("periodic") == {SkipReason.PAUSED: 4}
        assert events.skips("daily") == {SkipReason.PAUSED: 1}

    def test_by_hand_everything_starts(self, scheduler: Scheduler) -> None:
        """R4."""
        task = Doing()
        scheduler.add_on_demand_task(task, "on demand")
        scheduler.add_periodic_task(None, 10, task, "periodic")
        scheduler.pause()

        assert scheduler.run_task_now("on demand") is True
        assert scheduler.demand_task("periodic") is True

        assert task.runs == 2

    def test_a_once_that_fell_due_waits_visibly_and_is_missed_on_resume(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R5."""
        task = Doing()
        handle = scheduler.add_timed_task(start + 10, task, "it")
        scheduler.pause()
        clock.advance(60)
        assert "it" in scheduler.scheduled
        assert [row.name for row in scheduler.snapshot().tasks] == ["it"]

        scheduler.resume()
        clock.advance(60)

        assert task.runs == 0
        assert handle.state is TaskState.GONE
        assert events.skips("it") == {SkipReason.MISSED: 1}

    def test_a_once_that_is_not_due_yet_runs_after_the_resume(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_timed_task(start + 10, task, "it")
        scheduler.pause()
        clock.advance(5)
        scheduler.resume()
        clock.advance(5)

        assert task.times == [start + 10]

    def test_paused_and_disabled_it_needs_both_commands(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Notes(clock)
        handle = scheduler.add_timed_task(start + 10, task, "it")
        scheduler.pause()
        clock.advance(20)
        scheduler.disable_task("it")
        scheduler.resume()
        assert "it" in scheduler.scheduled

        scheduler.enable_task("it")

        assert handle.state is TaskState.GONE
        assert events.skips("it") == {SkipReason.MISSED: 1}

    def test_enabled_while_paused_a_once_still_waits(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        handle = scheduler.add_timed_task(start + 10, Doing(), "it")
        scheduler.disable_task("it")
        scheduler.pause()
        clock.advance(20)
        scheduler.enable_task("it")
        assert "it" in scheduler.scheduled

        scheduler.resume()

        assert handle.state is TaskState.GONE
        assert events.skips("it") == {SkipReason.MISSED: 1}

    def test_each_due_time_is_counted_once_with_the_reason_of_its_moment(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """O4."""
        scheduler.add_periodic_task(start + 10, 10, Doing(), "it")
        scheduler.pause()
        clock.advance(25)  # 10 and 20
        scheduler.disable_task("it")
        clock.advance(10)  # 30
        scheduler.resume()
        clock.advance(10)  # 40
        scheduler.enable_task("it")

        assert events.skips("it") == {SkipReason.PAUSED: 2, SkipReason.DISABLED: 2}

    def test_the_period_can_be_changed_while_paused_and_nothing_goes_untold(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R7, O4."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(5)
        scheduler.pause()
        clock.advance(20)  # 10 and 20
        scheduler.set_period("it", 7)
        assert events.skips("it") == {SkipReason.PAUSED: 2}
        clock.advance(3)  # 27
        scheduler.resume()
        clock.advance(7)

        assert task.times == [start, start + 34]
        assert events.skips("it") == {SkipReason.PAUSED: 3}

    def test_a_run_goes_on_and_may_be_stopped(self, scheduler: Scheduler) -> None:
        def pause() -> None:
            scheduler.pause()
            assert current_run().proceed() is True
            assert scheduler.stop_task("it") is True

        task = Doing(pause)
        scheduler.add_on_demand_task(task, "it")
        scheduler.run_task_now("it")

        assert task.proceeded == [False]

    def test_tasks_can_be_added_and_begin_after_the_resume(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.pause()
        scheduler.add_periodic_task(None, 10, task, "it")
        clock.advance(15)
        scheduler.resume()
        clock.advance(5)

        assert task.times == [start + 20]
        assert events.skips("it") == {SkipReason.PAUSED: 2}

    def test_twice_is_told_once(self, scheduler: Scheduler, events: Events) -> None:
        told = [scheduler.pause(), scheduler.pause(), scheduler.paused]
        told += [scheduler.resume(), scheduler.resume(), not scheduler.paused]
        assert told == [True] * 6

        assert len(events.of(SchedulerPaused)) == 1
        assert len(events.of(SchedulerResumed)) == 1

    def test_a_retry_waits_for_the_resume(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Notes(clock)

        def note_and_fail() -> None:
            task()
            fail()

        scheduler.add_on_demand_task(note_and_fail, "it", retries=1, retry_delay=5)
        scheduler.run_task_now("it")
        scheduler.pause()
        clock.advance(60)
        assert task.times == [start]
        scheduler.resume()
        clock.advance(0)

        assert task.times == [start, start + 60]

    def test_a_timeout_is_kept(self, scheduler: Scheduler, clock: ManualClock, events: Events) -> None:
        """A pause is about what falls due, not about what runs."""
        scheduler.pause()
        scheduler.add_on_demand_task(lambda: current_run().sleep(60), "it", timeout=5)
        scheduler.run_task_now("it")

        assert [outcome.kind for outcome in events.outcomes("it")] == [OutcomeKind.TIMED_OUT]


class TestR6Replaced:
    def test_who_is_who_while_the_new_one_waits(self, scheduler: Scheduler) -> None:
        """R6."""

        def replace() -> None:
            new = scheduler.add_periodic_task(None, 10, Doing(), "it")
            assert scheduler.running["it"] is old
            assert scheduler.handle("it") is new
            assert scheduler.scheduled["it"] is new
            assert old.state is TaskState.RUNNING
            assert new.state is TaskState.SCHEDULED
            rows = scheduler.snapshot().tasks
            assert [(row.name, row.replaces_running, row.unregistered) for row in rows] == [
                ("it", True, False),
                ("it", False, True),
            ]
            assert rows[0].number != rows[1].number

        task = Doing(replace)
        old = scheduler.add_on_demand_task(task, "it")
        scheduler.run_task_now("it")

        assert task.runs == 1
        assert old.state is TaskState.GONE

    def test_stop_reaches_the_old_run_and_every_other_command_the_new_registration(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        """R6."""

        def replace() -> None:
            new = scheduler.add_periodic_task(None, 10, second, "it")
            assert scheduler.set_period("it", 20) is True
            assert scheduler.disable_task("it") is True
            assert (new.period, new.disabled) == (20, True)
            assert (old.period, old.disabled) == (None, False)
            assert scheduler.stop_task("it") is True
            assert (old.stopping, new.stopping) == (True, False)
            assert new.stop() is False
            assert scheduler.demand_task("it") is True
            assert scheduler.run_task_now("it") is True
            assert (old.run_again, new.run_again) == (False, True)
            assert second.runs == 0

        second = Doing()
        first = Doing(replace)
        old = scheduler.add_on_demand_task(first, "it")
        scheduler.run_task_now("it")

        assert first.proceeded == [False]
        assert (first.runs, second.runs) == (1, 1)

    def test_a_demand_of_the_new_one_keeps_its_parameters(self, scheduler: Scheduler) -> None:
        """R6: it is begun when the old run has ended."""
        seen: list[object] = []

        def replace() -> None:
            scheduler.add_on_demand_task(lambda: seen.append(dict(current_run().parameters)), "it")
            scheduler.demand_task("it", {"page": 3})

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")

        assert seen == [{"page": 3}]

    def test_the_old_handle_can_stop_its_own_run_and_nothing_else(self, scheduler: Scheduler) -> None:
        """R6, section 2."""

        def replace() -> None:
            new = scheduler.add_on_demand_task(Doing(), "it")
            assert [old.run_now(), old.demand(), old.disable(), old.enable(), old.unregister()] == [False] * 5
            assert [old.set_period(5), old.run_on_completion()] == [False] * 2
            assert old.stop() is True
            assert (new.disabled, new.run_again, new.stopping) == (False, False, False)

        old = scheduler.add_periodic_task(None, 10, Doing(replace), "it")
        scheduler.run_task_now("it")

    def test_unregistering_the_new_one_leaves_the_old_run_alone(self, scheduler: Scheduler) -> None:
        """R6."""

        def replace() -> None:
            new = scheduler.add_on_demand_task(second, "it")
            assert scheduler.unregister_task("it") is True
            assert new.state is TaskState.GONE
            assert current_run().proceed() is True
            assert scheduler.running["it"] is old
            assert scheduler.unregister_task("it") is False

        second = Doing()
        first = Doing(replace)
        old = scheduler.add_on_demand_task(first, "it")
        scheduler.run_task_now("it")

        assert (first.runs, second.runs) == (1, 0)
        assert old.state is TaskState.GONE

    def test_replaced_twice_only_the_last_one_stays(self, scheduler: Scheduler, clock: ManualClock) -> None:
        """R6."""

        def replace() -> None:
            scheduler.add_periodic_task(None, 10, second, "it")
            scheduler.add_periodic_task(None, 10, third, "it")

        second, third = Doing(), Doing()
        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")
        clock.advance(10)

        assert (second.runs, third.runs) == (0, 1)  # at 10; the due time at 0 counts as replaced

    def test_added_again_after_it_was_unregistered_in_its_run_it_waits_too(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R6, and the fourth fault of the original."""
        second = Notes(clock)

        def unregister_and_add() -> None:
            scheduler.unregister_task("it")
            scheduler.add_periodic_task(None, 10, second, "it")
            clock.advance(25)
            assert second.times == []

        scheduler.add_on_demand_task(Doing(unregister_and_add), "it")
        scheduler.run_task_now("it")
        clock.advance(5)

        assert second.times == [start + 30]

    def test_a_once_that_waits_runs_late_instead_of_being_lost(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R6: it has no further due time to wait for, so it is held until the old run has ended."""
        second = Notes(clock)

        def replace() -> None:
            scheduler.add_timed_task(start + 10, second, "it")
            clock.advance(25)

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")
        clock.advance(1)

        assert second.times == [start + 25]
        assert events.outcomes("it")[1].lateness == 15
        assert events.outcomes("it")[1].due == start + 10
        assert scheduler.handle("it") is None

    def test_due_times_after_a_stall_in_the_old_run_count_as_replaced_too(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R6: whenever somebody looks."""
        second = Notes(clock)

        def replace() -> None:
            scheduler.add_periodic_task(None, 10, second, "it")
            scheduler.pause()
            clock.advance(25)
            scheduler.resume()

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")
        clock.advance(5)

        assert second.times == [start + 30]
        assert events.skips("it") == {SkipReason.REPLACED: 3}

    def test_the_skips_are_told_in_the_first_outcome_of_the_new_one(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """O3, R6."""

        def replace() -> None:
            scheduler.add_periodic_task(None, 10, Doing(), "it")
            clock.advance(25)

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")
        clock.advance(5)

        assert dict(events.outcomes("it")[1].skipped) == {SkipReason.REPLACED: 3}

    def test_the_period_of_the_new_one_can_be_changed_while_it_waits(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R6, R7, O4."""
        second = Notes(clock)

        def replace() -> None:
            scheduler.add_periodic_task(start, 10, second, "it")
            clock.advance(25)  # 0, 10 and 20
            scheduler.set_period("it", 7)
            clock.advance(5)  # 27

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")
        clock.advance(4)

        assert second.times == [start + 34]
        assert events.skips("it") == {SkipReason.REPLACED: 4}


class TestR7Period:
    def test_before_the_first_run_the_start_stays_and_the_new_period_counts_from_it(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7."""
        task = Notes(clock)
        scheduler.add_periodic_task(start + 100, 10, task, "it")
        clock.advance(50)
        scheduler.set_period("it", 30)
        clock.advance(120)

        assert task.times == [start + 100, start + 130, start + 160]

    def test_the_scheduler_is_woken_for_a_shorter_period(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 3600, task, "it")
        clock.advance(10)
        scheduler.set_period("it", 15)
        clock.advance(5)

        assert task.times == [start, start + 15]

    def test_a_run_that_outlasts_the_new_period_is_followed_by_the_next_grid_point_after_it(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7, T2."""

        def outlast() -> None:
            scheduler.set_period("it", 12)
            clock.advance(31)

        handle = scheduler.add_periodic_task(start, 10, Doing(outlast), "it")
        clock.advance(0)

        assert handle.next_run == start + 36

    def test_a_period_set_late_in_a_long_run_counts_from_the_due_time_of_that_run(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R7, O4: what passed on the old grid is told all the same."""

        def outlast() -> None:
            clock.advance(31)  # 10, 20 and 30 pass
            scheduler.disable_task("it")
            scheduler.enable_task("it")
            scheduler.set_period("it", 7)
            scheduler.set_period("it", 100)

        handle = scheduler.add_periodic_task(start, 10, Doing(outlast), "it")
        clock.advance(0)

        assert handle.next_run == start + 100
        assert events.skips("it") == {SkipReason.OVERLAP: 3}

    @pytest.mark.parametrize("looked", [False, True])
    def test_a_period_set_after_a_long_run_counts_from_the_last_due_time_that_it_covered(
        self, scheduler: Scheduler, clock: ManualClock, start: float, looked: bool
    ) -> None:
        """R7: whether that was counted when the run ended or before."""

        def outlast() -> None:
            clock.advance(24)  # 10 and 20 pass
            if looked:
                scheduler.disable_task("it")
                scheduler.enable_task("it")
            clock.advance(1)

        handle = scheduler.add_periodic_task(start, 10, Doing(outlast), "it")
        clock.advance(1)
        assert scheduler.due_times_with("it", 7, 2) == [start + 27, start + 34]
        scheduler.set_period("it", 7)

        assert handle.next_run == start + 27

    def test_a_task_that_grows_its_period_each_time(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7: the first example of the manual."""
        task = Notes(clock)

        def grow() -> None:
            task()
            handle = current_run().handle
            assert handle.period is not None
            handle.set_period(handle.period + 2)

        scheduler.add_periodic_task(start, 5, grow, "Growing")
        clock.advance(40)

        assert task.times == [start, start + 7, start + 16, start + 27, start + 40]

    def test_the_grid_goes_on_from_the_last_due_time(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(24)  # the last due time was 20
        scheduler.set_period("it", 7)
        clock.advance(20)

        assert task.times == [start + each for each in (0, 10, 20, 27, 34, 41)]

    def test_rescheduled_it_first_falls_due_one_period_from_now(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7."""
        task = Notes(clock)
        scheduler.add_daily_task(9, 0, task, "it", tz="UTC")
        clock.advance(5)

        assert scheduler.reschedule_task("it", Every(100)) is True
        clock.advance(250)

        assert task.times == [start + 105, start + 205]

    def test_added_it_falls_due_now(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        """R7."""
        task = Notes(clock)
        scheduler.add_task(Every(100), task, "it")
        clock.advance(0)

        assert task.times == [start]

    def test_a_running_task_can_be_rescheduled(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """O4: what passed on the old grid is told all the same."""

        def reschedule() -> None:
            clock.advance(25)  # 10 and 20 pass
            assert scheduler.reschedule_task("it", Every(100)) is True

        task = Doing(reschedule)
        handle = scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(0)

        assert handle.next_run == start + 125
        assert events.skips("it") == {SkipReason.OVERLAP: 2}

    @pytest.mark.parametrize(
        ("schedule", "state", "next_run"),
        [
            (OnDemand(), TaskState.ON_DEMAND, None),
            (Once(1_800_000_100), TaskState.SCHEDULED, 1_800_000_100),
            (Daily(9, 0, "UTC"), TaskState.SCHEDULED, 1_800_003_600),
            (Every(60, start=1_799_999_990), TaskState.SCHEDULED, 1_800_000_050),
        ],
        ids=str,
    )
    def test_it_may_become_a_task_of_another_kind(
        self, scheduler: Scheduler, schedule: Every, state: TaskState, next_run: float | None
    ) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")

        assert scheduler.reschedule_task("it", schedule) is True

        assert (handle.schedule, handle.state, handle.next_run) == (schedule, state, next_run)

    def test_a_retry_is_still_made_when_the_period_or_the_schedule_is_changed(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """Section 6: only disabling and unregistering end the retries."""
        task = Doing(fail, fail)
        handle = scheduler.add_periodic_task(start, 100, task, "it", retries=2, retry_delay=10)
        clock.advance(5)
        scheduler.set_period("it", 200)
        clock.advance(5)
        assert task.runs == 2
        scheduler.reschedule_task("it", Every(300))
        clock.advance(20)

        assert task.runs == 3
        assert [outcome.attempt for outcome in events.outcomes("it")] == [1, 2, 3]
        assert handle.next_run == start + 310
