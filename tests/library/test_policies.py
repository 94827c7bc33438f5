"""Section 6 of the contract: timeout, retries, jitter, catching up, the number of runs, and who is told."""

from __future__ import annotations

import pytest
from doing import Doing, Notes, Takes, fail
from recorder import Events

from taskkit import (
    Every,
    Once,
    OnDemand,
    Outcome,
    OutcomeKind,
    Policies,
    Schedule,
    Scheduler,
    SkipReason,
    TaskState,
    TaskUnregistered,
    Trigger,
    current_run,
)
from taskkit.testing import InlineExecutor, ManualClock

FAILED, TIMED_OUT = OutcomeKind.FAILED, OutcomeKind.TIMED_OUT
STOPPED, SUCCEEDED = OutcomeKind.STOPPED, OutcomeKind.SUCCEEDED


class TestTimeout:
    def test_the_run_is_asked_to_stop_when_its_time_is_over(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        woke: list[tuple[bool, float]] = []

        def sleep() -> None:
            still_going = current_run().sleep(60)
            woke.append((still_going, clock.time()))

        scheduler.add_on_demand_task(sleep, "it", timeout=5)
        scheduler.run_task_now("it")

        assert [going for going, _ in woke] == [False]
        assert [outcome.kind for outcome in events.outcomes("it")] == [TIMED_OUT]

    def test_it_is_noticed_in_time_whatever_else_is_waited_for(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        woke: list[float] = []

        def sleep() -> None:
            current_run().sleep(60)
            woke.append(clock.time())

        scheduler.add_periodic_task(start + 30, 100, Doing(), "later")
        scheduler.add_daily_task(9, 0, Doing(), "much later", tz="UTC")
        scheduler.add_on_demand_task(sleep, "it", timeout=5)
        scheduler.run_task_now("it")

        assert woke == [start + 5]

    def test_a_run_that_is_done_in_time_is_left_alone(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        scheduler.add_periodic_task(None, 100, Takes(clock, 4), "it", timeout=5)
        clock.advance(50)

        assert [outcome.kind for outcome in events.outcomes("it")] == [SUCCEEDED]

    def test_each_run_has_the_whole_time(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        scheduler.add_periodic_task(None, 10, Takes(clock, 4), "it", timeout=5)
        clock.advance(30)

        assert {outcome.kind for outcome in events.outcomes("it")} == {SUCCEEDED}

    def test_the_handle_goes_back_to_its_schedule(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        handle = scheduler.add_periodic_task(start, 100, lambda: current_run().sleep(60), "it", timeout=5)
        clock.advance(200)

        assert handle.state is TaskState.SCHEDULED
        assert events.dues("it") == [start, start + 100, start + 200]

    def test_what_it_raises_after_that_is_no_failure(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """O3: `timed_out` > `stopped` > `failed`."""

        def overrun_and_fail() -> None:
            clock.advance(6)
            scheduler.stop_task("it")
            fail()

        scheduler.add_on_demand_task(overrun_and_fail, "it", timeout=5)
        scheduler.run_task_now("it")

        outcome = events.outcomes("it")[0]
        assert outcome.kind is TIMED_OUT
        assert outcome.exception == "RuntimeError: it is broken"


class TestRetries:
    @pytest.mark.parametrize("kind", [FAILED, TIMED_OUT])
    def test_a_try_that_failed_or_timed_out_is_tried_again(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, kind: OutcomeKind
    ) -> None:
        task = Doing(fail if kind is FAILED else lambda: current_run().sleep(60))
        scheduler.add_on_demand_task(task, "it", timeout=5, retries=3, retry_delay=10)
        scheduler.run_task_now("it")
        clock.advance(100)

        outcomes = events.outcomes("it")
        assert [outcome.kind for outcome in outcomes] == [kind, SUCCEEDED]
        assert [outcome.attempt for outcome in outcomes] == [1, 2]
        assert [outcome.trigger for outcome in outcomes] == [Trigger.RUN_NOW, Trigger.RETRY]

    def test_a_try_that_was_stopped_is_not(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        def stop_and_fail() -> None:
            scheduler.stop_task("it")
            fail()

        task = Doing(stop_and_fail)
        scheduler.add_on_demand_task(task, "it", retries=3)
        scheduler.run_task_now("it")
        clock.advance(100)

        assert task.runs == 1
        assert [outcome.kind for outcome in events.outcomes("it")] == [STOPPED]

    def test_the_delay_doubles(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        task = Notes(clock)

        def note_and_fail() -> None:
            task()
            fail()

        scheduler.add_on_demand_task(note_and_fail, "it", retries=4, retry_delay=10)
        scheduler.run_task_now("it")
        clock.advance(1000)

        assert task.times == [start + each for each in (0, 10, 30, 70, 150)]

    def test_the_delay_counts_from_the_end_of_the_try(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        def take_time_and_fail() -> None:
            clock.advance(4)
            fail()

        scheduler.add_on_demand_task(Doing(take_time_and_fail), "it", retries=1, retry_delay=10)
        scheduler.run_task_now("it")
        clock.advance(60)

        assert events.dues("it") == [start, start + 14]

    def test_the_delay_has_a_cap(self) -> None:
        delays = [
            Policies(retries=5000, retry_delay=10).delay_before(attempt) for attempt in (2, 3, 50, 5000)
        ]

        assert delays == [10, 20, 3600, 3600]

    def test_a_delay_that_is_longer_than_the_cap_is_kept(self) -> None:
        policies = Policies(retries=3, retry_delay=7200)

        assert [policies.delay_before(attempt) for attempt in (2, 3)] == [7200, 7200]

    def test_they_end_with_their_number_and_then_it_is_back_on_its_grid(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Doing(*[fail] * 3)
        scheduler.add_periodic_task(start, 100, task, "it", retries=2, retry_delay=1)
        clock.advance(100)

        assert [outcome.attempt for outcome in events.outcomes("it")] == [1, 2, 3, 1]
        assert events.dues("it")[-1] == start + 100

    def test_the_first_success_ends_them(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        task = Doing(fail)
        handle = scheduler.add_on_demand_task(task, "it", retries=5)
        scheduler.run_task_now("it")
        clock.advance(1000)

        assert task.runs == 2
        assert handle.retry is None

    @pytest.mark.parametrize("command", ["disable_task", "unregister_task"])
    @pytest.mark.parametrize("schedule", [Every(100), Once(0), OnDemand()], ids=str)
    def test_disabling_and_unregistering_end_them(
        self, scheduler: Scheduler, clock: ManualClock, command: str, schedule: Schedule
    ) -> None:
        task = Doing(*[fail] * 9)
        handle = scheduler.add_task(schedule, task, "it", retries=8, retry_delay=10)
        scheduler.run_task_now("it")
        assert handle.retry is not None

        assert getattr(scheduler, command)("it") is True
        clock.advance(60)

        assert task.runs == 1
        assert handle.retry is None

    def test_disabled_during_its_run_it_is_not_tried_again(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        def disable_and_fail() -> None:
            scheduler.disable_task("it")
            fail()

        task = Doing(disable_and_fail)
        scheduler.add_on_demand_task(task, "it", retries=3)
        scheduler.run_task_now("it")
        clock.advance(100)

        assert task.runs == 1

    def test_replacing_ends_them(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task, other = Doing(*[fail] * 9), Doing()
        scheduler.add_on_demand_task(task, "it", retries=8)
        scheduler.run_task_now("it")
        scheduler.add_on_demand_task(other, "it")
        clock.advance(1000)

        assert (task.runs, other.runs) == (1, 0)

    def test_due_times_meanwhile_count_as_overlap(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        scheduler.add_periodic_task(start, 10, Doing(fail, fail), "it", retries=2, retry_delay=10)
        clock.advance(40)  # tries at 0, 10 and 30

        assert [outcome.trigger for outcome in events.outcomes("it")] == [
            Trigger.SCHEDULE,
            Trigger.RETRY,
            Trigger.RETRY,
            Trigger.SCHEDULE,
        ]
        assert events.dues("it")[-1] == start + 40
        assert events.skips("it") == {SkipReason.OVERLAP: 3}

    def test_a_once_is_gone_only_after_its_retries(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Doing(fail, fail)
        scheduler.add_timed_task(start + 5, task, "it", retries=2, retry_delay=10)
        clock.advance(20)
        assert task.runs == 2
        assert "it" in scheduler.scheduled
        clock.advance(20)

        assert task.runs == 3
        assert scheduler.handle("it") is None

    def test_a_once_whose_retries_all_fail_is_gone(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Doing(*[fail] * 9)
        scheduler.add_timed_task(start + 5, task, "it", retries=2, retry_delay=10)
        clock.advance(200)

        assert task.runs == 3
        assert scheduler.handle("it") is None

    def test_a_once_that_is_disabled_between_its_tries_is_gone(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """It has had its due time, and disabling ends its retries: nothing is left for it to wait for."""
        handle = scheduler.add_timed_task(start + 5, fail, "it", retries=2, retry_delay=10)
        clock.advance(5)
        scheduler.disable_task("it")

        assert handle.state is TaskState.GONE

    def test_the_handle_says_which_one_is_next_and_when(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_on_demand_task(fail, "it", retries=5, retry_delay=10)
        told = [handle.retry]
        scheduler.run_task_now("it")
        told.append(handle.retry)
        clock.advance(12)
        told.append(handle.retry)

        assert told == [None, "1/5, in 10 s", "2/5, in 18 s"]
        retry = scheduler.snapshot().tasks[0].retry
        assert retry is not None
        assert (retry.number, retry.of, retry.at) == (2, 5, start + 30)
        assert handle.next_run == start + 30

    def test_by_hand_it_need_not_wait_for_the_next_try(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        task = Doing(fail)
        handle = scheduler.add_on_demand_task(task, "it", retries=5, retry_delay=100)
        scheduler.run_task_now("it")

        assert scheduler.run_task_now("it") is True
        clock.advance(1000)

        assert task.runs == 2
        assert handle.retry is None

    def test_failed_retries_are_reported_too(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        """O2: each failed try is passed to `on_error`."""
        told: list[int] = []
        scheduler.add_on_demand_task(
            fail, "it", retries=2, retry_delay=1, on_error=lambda outcome: told.append(outcome.attempt)
        )
        scheduler.run_task_now("it")
        clock.advance(100)

        assert told == [1, 2, 3]


class TestJitter:
    def test_the_start_lies_between_due_and_due_plus_jitter(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_periodic_task(start, 100, task, "it", jitter=30)
        clock.advance(50 * 100 - 1)

        delays = [at - start - 100 * k for k, at in enumerate(task.times)]
        assert len(delays) == 50
        assert all(0 <= delay <= 30 for delay in delays)
        assert max(delays) - min(delays) > 5

    def test_due_time_and_lateness_do_not_include_it(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        handle = scheduler.add_periodic_task(start, 100, Doing(), "it", jitter=30)
        assert handle.next_run == start
        clock.advance(299)

        assert events.dues("it") == [start, start + 100, start + 200]
        assert [outcome.lateness for outcome in events.outcomes("it")] == pytest.approx([0, 0, 0], abs=1e-6)
        assert handle.next_run == start + 300

    def test_a_daily_task_may_have_it_too(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_daily_task(9, 0, task, "it", tz="UTC", jitter=600)
        clock.advance(2 * 3600)

        assert start + 3600 <= task.times[0] <= start + 4200
        assert events.dues("it") == [start + 3600]
        assert events.outcomes("it")[0].lateness == pytest.approx(0, abs=1e-6)

    def test_by_hand_it_starts_at_once(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        task = Notes(clock)
        scheduler.add_periodic_task(start + 1000, 1000, task, "it", jitter=30)
        scheduler.run_task_now("it")

        assert task.times == [start]

    def test_a_start_that_is_put_off_is_not_lost_when_the_period_changes(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R7, O4: its due time has come; the new period counts from it."""
        scheduler.add_periodic_task(start, 1000, Doing(), "it", jitter=900)
        clock.advance(1000)
        while events.dues("it") == [start, start + 1000]:  # it came at once, which is rare
            clock.advance(1000)
        due = start + 1000 * len(events.dues("it"))
        scheduler.set_period("it", 3000)
        clock.advance(899)

        assert events.dues("it")[-1] == due
        assert scheduler.snapshot().tasks[0].next_run == due + 3000


class TestMaxRuns:
    def test_after_so_many_runs_it_is_gone(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task = Doing()
        handle = scheduler.add_periodic_task(None, 10, task, "it", max_runs=3)
        clock.advance(100)

        assert task.runs == 3
        assert handle.state is TaskState.GONE
        assert handle.run_count == 3

    def test_the_event_that_it_is_gone_has_the_count_of_its_runs(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        scheduler.add_periodic_task(None, 10, Doing(), "it", max_runs=3)
        clock.advance(100)

        (gone,) = events.of(TaskUnregistered)
        assert (gone.why, gone.run_count) == ("done", 3)

    def test_runs_by_hand_count(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task = Doing()
        handle = scheduler.add_periodic_task(None, 10, task, "it", max_runs=3)
        scheduler.run_task_now("it")
        scheduler.demand_task("it")
        clock.advance(100)

        assert task.runs == 3
        assert handle.state is TaskState.GONE

    def test_retries_do_not_count(self, scheduler: Scheduler, clock: ManualClock, events: Events) -> None:
        task = Doing(fail, fail)
        handle = scheduler.add_periodic_task(None, 100, task, "it", max_runs=2, retries=2, retry_delay=1)
        clock.advance(1000)

        assert [outcome.attempt for outcome in events.outcomes("it")] == [1, 2, 3, 1]
        assert handle.run_count == 2
        assert handle.state is TaskState.GONE

    def test_it_is_gone_only_after_the_retries_of_its_last_run(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        task = Doing(fail)
        handle = scheduler.add_periodic_task(None, 100, task, "it", max_runs=1, retries=1, retry_delay=10)
        clock.advance(5)
        waits = "it" in scheduler.scheduled
        clock.advance(5)

        assert waits
        assert task.runs == 2
        assert handle.state is TaskState.GONE

    def test_when_disabling_ends_the_retries_of_its_last_run_it_is_gone(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        handle = scheduler.add_periodic_task(None, 100, fail, "it", max_runs=1, retries=1, retry_delay=10)
        clock.advance(5)
        scheduler.disable_task("it")

        assert handle.state is TaskState.GONE

    def test_a_demand_does_not_stretch_it(self, scheduler: Scheduler) -> None:
        answers: list[bool] = []

        def ask() -> None:
            answers.append(scheduler.demand_task("it"))
            answers.append(current_run().handle.run_on_completion())

        task = Doing(ask)
        handle = scheduler.add_on_demand_task(task, "it", max_runs=1)
        scheduler.demand_task("it")

        assert task.runs == 1
        assert answers == [False, False]
        assert handle.run_again is False
        assert handle.state is TaskState.GONE

    @pytest.mark.parametrize("command", ["run_task_now", "demand_task"])
    def test_nor_does_a_run_by_hand_while_its_last_retry_is_to_come(
        self, scheduler: Scheduler, clock: ManualClock, command: str
    ) -> None:
        task = Doing(fail)
        handle = scheduler.add_periodic_task(None, 100, task, "it", max_runs=1, retries=1, retry_delay=10)
        clock.advance(5)

        assert getattr(scheduler, command)("it") is False
        clock.advance(5)
        assert task.runs == 2
        assert handle.run_count == 1
        assert handle.state is TaskState.GONE


class TestKeep:
    def test_an_on_demand_task_is_kept(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(Doing(), "it")
        scheduler.demand_task("it")

        assert "it" in scheduler.on_demand

    def test_without_keep_it_is_gone_after_its_run(self, scheduler: Scheduler) -> None:
        """Section 2."""
        handle = scheduler.add_on_demand_task(Doing(), "it", keep=False)
        scheduler.demand_task("it")

        assert handle.state is TaskState.GONE

    def test_it_is_gone_only_after_its_retries(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task = Doing(fail)
        handle = scheduler.add_on_demand_task(task, "it", keep=False, retries=1, retry_delay=10)
        scheduler.demand_task("it")
        waits = "it" in scheduler.on_demand
        clock.advance(10)

        assert waits
        assert task.runs == 2
        assert handle.state is TaskState.GONE

    def test_and_only_after_the_further_run_that_was_demanded(self, scheduler: Scheduler) -> None:
        task = Doing(lambda: scheduler.demand_task("it"))
        handle = scheduler.add_on_demand_task(task, "it", keep=False)
        scheduler.demand_task("it")

        assert task.runs == 2
        assert handle.state is TaskState.GONE


class TestOnError:
    def test_the_tasks_own_is_called_instead_of_the_schedulers(self, clock: ManualClock) -> None:
        general: list[Outcome] = []
        own: list[Outcome] = []
        with Scheduler(
            clock=clock, executor=InlineExecutor(), capture=False, on_error=general.append
        ) as scheduler:
            scheduler.add_on_demand_task(fail, "one")
            scheduler.add_on_demand_task(fail, "two", on_error=own.append)
            scheduler.run_task_now("one")
            scheduler.run_task_now("two")

        assert [outcome.exception for outcome in general] == ["RuntimeError: it is broken"]
        assert [outcome.exception for outcome in own] == ["RuntimeError: it is broken"]

    @pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
    def test_what_it_raises_is_logged_and_never_felt(
        self,
        scheduler: Scheduler,
        events: Events,
        error: type[BaseException],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def raise_it(outcome: Outcome) -> None:
            raise error("in on_error")

        handle = scheduler.add_on_demand_task(fail, "it", on_error=raise_it)
        scheduler.run_task_now("it")

        assert [outcome.kind for outcome in events.outcomes("it")] == [FAILED]
        assert handle.state is TaskState.ON_DEMAND
        assert sum("on_error of it raised" in record.getMessage() for record in caplog.records) == 1

    def test_it_may_command_the_scheduler(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        other = Doing()
        scheduler.add_on_demand_task(other, "repair")
        scheduler.add_on_demand_task(fail, "it", on_error=lambda _: scheduler.demand_task("repair"))
        scheduler.run_task_now("it")

        assert other.runs == 1

    def test_it_is_not_called_for_success_nor_for_a_stop(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        told: list[Outcome] = []
        task = Doing(lambda: scheduler.stop_task("it"))
        scheduler.add_on_demand_task(task, "it", on_error=told.append)
        scheduler.run_task_now("it")
        scheduler.run_task_now("it")

        assert (task.runs, told) == (2, [])

    def test_it_is_called_for_a_timeout(self, scheduler: Scheduler, clock: ManualClock) -> None:
        """O2."""
        told: list[OutcomeKind] = []
        scheduler.add_on_demand_task(
            lambda: current_run().sleep(60), "it", timeout=5, on_error=lambda each: told.append(each.kind)
        )
        scheduler.run_task_now("it")

        assert told == [TIMED_OUT]


class TestDescription:
    def test_it_is_for_people(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(Doing(), "it", description="Builds the site anew.")

        assert scheduler.snapshot().tasks[0].description == "Builds the site anew."

    @pytest.mark.parametrize(
        "add",
        [
            lambda scheduler, **kept: scheduler.add_periodic_task(None, 10, fail, "it", **kept),
            lambda scheduler, **kept: scheduler.add_timed_task(2e9, fail, "it", **kept),
            lambda scheduler, **kept: scheduler.add_daily_task(3, 30, fail, "it", **kept),
            lambda scheduler, **kept: scheduler.add_cron_task("@daily", fail, "it", **kept),
            lambda scheduler, **kept: scheduler.add_on_demand_task(fail, "it", **kept),
            lambda scheduler, **kept: scheduler.add_task(Every(10), fail, "it", **kept),
        ],
        ids=["periodic", "timed", "daily", "cron", "on demand", "any"],
    )
    def test_every_way_to_add_takes_the_policies(self, scheduler: Scheduler, add: object) -> None:
        """Section 2."""
        assert callable(add)
        handle = add(
            scheduler,
            timeout=1,
            retries=2,
            retry_delay=3,
            jitter=4,
            catch_up=False,
            max_runs=5,
            on_error=print,
            description="d",
        )

        assert handle.policies == Policies(1, 2, 3, 4, False, 5, print, "d")
