"""Section 3 of the contract: what each command does to a handle that is scheduled, running, or on demand.

A handle is running while its task is, so the middle column is asked from inside a run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from doing import Doing, Notes, fail
from recorder import Events

from taskkit import (
    Daily,
    Every,
    Once,
    OnDemand,
    OutcomeKind,
    Scheduler,
    SchedulerStoppedError,
    SkipReason,
    TaskChanged,
    TaskHandler,
    TaskState,
    TaskUnregistered,
    Trigger,
    current_run,
)
from taskkit.testing import ManualClock

Command = Callable[[Scheduler, str], bool]

COMMANDS: dict[str, Command] = {
    "run_task_now": lambda scheduler, name: scheduler.run_task_now(name),
    "demand_task": lambda scheduler, name: scheduler.demand_task(name),
    "stop_task": lambda scheduler, name: scheduler.stop_task(name),
    "disable_task": lambda scheduler, name: scheduler.disable_task(name),
    "enable_task": lambda scheduler, name: scheduler.enable_task(name),
    "set_period": lambda scheduler, name: scheduler.set_period(name, 7),
    "reschedule_task": lambda scheduler, name: scheduler.reschedule_task(name, Every(7)),
    "unregister_task": lambda scheduler, name: scheduler.unregister_task(name),
}

every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)

HANDLE_COMMANDS: dict[str, Callable[[TaskHandler], bool]] = {
    "run_now": TaskHandler.run_now,
    "demand": TaskHandler.demand,
    "stop": TaskHandler.stop,
    "disable": TaskHandler.disable,
    "enable": TaskHandler.enable,
    "set_period": lambda handle: handle.set_period(7),
    "run_on_completion": TaskHandler.run_on_completion,
    "reschedule": lambda handle: handle.reschedule(Every(7)),
    "unregister": TaskHandler.unregister,
}

every_handle_command = pytest.mark.parametrize("command", HANDLE_COMMANDS.values(), ids=HANDLE_COMMANDS)


class TestTheStates:
    def test_each_kind_of_schedule_begins_in_its_place(self, scheduler: Scheduler, start: float) -> None:
        scheduler.add_periodic_task(start + 9, 10, Doing(), "periodic")
        scheduler.add_timed_task(start + 9, Doing(), "timed")
        scheduler.add_daily_task(3, 30, Doing(), "daily")
        scheduler.add_on_demand_task(Doing(), "on demand")

        assert set(scheduler.scheduled) == {"periodic", "timed", "daily"}
        assert set(scheduler.on_demand) == {"on demand"}
        assert set(scheduler.running) == set()

    @pytest.mark.parametrize("schedule", [Every(10), OnDemand()], ids=["periodic", "on demand"])
    def test_it_is_running_during_its_run_and_back_in_its_place_after_it(
        self, scheduler: Scheduler, schedule: Every | OnDemand
    ) -> None:
        places: list[tuple[TaskState, bool, bool, bool]] = []

        def look() -> None:
            state = scheduler.running["it"].state
            places.append(
                (
                    state,
                    "it" in scheduler.running,
                    "it" in scheduler.scheduled,
                    "it" in scheduler.on_demand,
                )
            )

        handle = scheduler.add_task(schedule, Doing(look), "it")
        before = handle.state
        scheduler.run_task_now("it")

        assert places == [(TaskState.RUNNING, True, False, False)]
        assert handle.state is before
        assert "it" not in scheduler.running

    def test_a_timed_task_is_gone_after_its_run(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        handle = scheduler.add_timed_task(start + 5, Doing(), "once")

        clock.advance(5)

        assert handle.state is TaskState.GONE
        assert scheduler.handle("once") is None
        assert [event.why for event in events.of(TaskUnregistered)] == ["done"]

    def test_the_views_may_be_walked_through_while_things_change(self, scheduler: Scheduler) -> None:
        for number in range(5):
            scheduler.add_periodic_task(None, 10, Doing(), f"{number}")

        walked = [name for name in scheduler.scheduled if scheduler.unregister_task(name)]

        assert walked == ["0", "1", "2", "3", "4"]
        assert len(scheduler.scheduled) == 0

    def test_so_may_their_items_and_values_also_when_all_are_gone_after_the_first(
        self, scheduler: Scheduler
    ) -> None:
        for walk in (
            lambda: scheduler.scheduled.values(),
            lambda: (handle for _, handle in scheduler.scheduled.items()),
        ):
            handles = [scheduler.add_periodic_task(None, 10, Doing(), f"{number}") for number in range(5)]
            walked = []
            for handle in walk():
                walked.append(handle)
                for other in handles:
                    other.unregister()
            assert walked == handles

    def test_the_views_cannot_be_written(self, scheduler: Scheduler) -> None:
        for view in (scheduler.scheduled, scheduler.running, scheduler.on_demand):
            assert not hasattr(view, "__setitem__")
            assert not hasattr(view, "pop")


class TestRunTaskNow:
    def test_scheduled_starts_now_and_the_grid_stays(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R1."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(4)

        assert scheduler.run_task_now("it") is True
        clock.advance(16)

        assert task.times == [start, start + 4, start + 10, start + 20]

    def test_running_answers_true_and_does_nothing_else(self, scheduler: Scheduler, events: Events) -> None:
        answers: list[bool] = []
        task = Doing(lambda: answers.append(scheduler.run_task_now("it")))
        scheduler.add_on_demand_task(task, "it")

        scheduler.run_task_now("it")

        assert answers == [True]
        assert task.runs == 1
        assert len(events.outcomes("it")) == 1

    def test_on_demand_starts_now(self, scheduler: Scheduler, events: Events) -> None:
        scheduler.add_on_demand_task(Doing(), "it")

        assert scheduler.run_task_now("it") is True

        assert [outcome.trigger for outcome in events.outcomes("it")] == [Trigger.RUN_NOW]

    def test_the_run_gets_the_parameters(self, scheduler: Scheduler) -> None:
        seen: list[object] = []
        scheduler.add_on_demand_task(lambda: seen.append(dict(current_run().parameters)), "it")

        scheduler.run_task_now("it", {"page": 3})
        scheduler.run_task_now("it")

        assert seen == [{"page": 3}, {}]


class TestDemandTask:
    def test_scheduled_starts_now_and_the_grid_stays(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_periodic_task(start + 10, 10, task, "it")
        clock.advance(4)

        assert scheduler.demand_task("it") is True
        clock.advance(6)

        assert task.times == [start + 4, start + 10]
        assert [outcome.trigger for outcome in events.outcomes("it")] == [Trigger.DEMAND, Trigger.SCHEDULE]

    def test_running_runs_once_more_however_often_it_is_demanded(
        self, scheduler: Scheduler, events: Events
    ) -> None:
        """R2."""
        again: list[bool] = []

        def demand() -> None:
            for _ in range(3):
                assert scheduler.demand_task("it") is True
            again.append(scheduler.running["it"].run_again)

        task = Doing(demand)
        handle = scheduler.add_on_demand_task(task, "it")
        scheduler.demand_task("it")

        assert task.runs == 2
        assert again == [True]
        assert handle.run_again is False
        assert [outcome.trigger for outcome in events.outcomes("it")] == [Trigger.DEMAND, Trigger.DEMAND]

    def test_a_run_that_was_demanded_once_more_does_not_demand_itself(self, scheduler: Scheduler) -> None:
        """R2: the wish is spent when the further run begins."""
        seen: list[bool] = []
        task = Doing(
            lambda: scheduler.demand_task("it"), lambda: seen.append(scheduler.running["it"].run_again)
        )
        scheduler.add_on_demand_task(task, "it")
        scheduler.demand_task("it")

        assert seen == [False]
        assert task.runs == 2

    def test_running_and_failing_runs_once_more_all_the_same(self, scheduler: Scheduler) -> None:
        def demand_and_fail() -> None:
            scheduler.demand_task("it")
            fail()

        task = Doing(demand_and_fail)
        scheduler.add_on_demand_task(task, "it")
        scheduler.demand_task("it")

        assert task.runs == 2

    def test_on_demand_starts_now(self, scheduler: Scheduler) -> None:
        task = Doing()
        scheduler.add_on_demand_task(task, "it")

        assert scheduler.demand_task("it") is True

        assert task.runs == 1

    def test_the_further_run_gets_the_parameters_of_its_demand(self, scheduler: Scheduler) -> None:
        seen: list[object] = []

        def note() -> None:
            seen.append(dict(current_run().parameters))
            if len(seen) == 1:
                scheduler.demand_task("it", {"page": 2})

        scheduler.add_on_demand_task(note, "it")
        scheduler.demand_task("it", {"page": 1})

        assert seen == [{"page": 1}, {"page": 2}]


class TestStopTask:
    @pytest.mark.parametrize("schedule", [Every(10), Once(2e9), OnDemand()], ids=str)
    def test_idle_answers_false(self, scheduler: Scheduler, schedule: Every | Once | OnDemand) -> None:
        handle = scheduler.add_task(schedule, Doing(), "it")

        assert scheduler.stop_task("it") is False
        assert handle.stop() is False
        assert handle.stopping is False

    def test_running_may_no_longer_proceed(self, scheduler: Scheduler, events: Events) -> None:
        """R3."""
        seen: list[bool] = []

        def stop() -> None:
            seen.append(current_run().proceed())
            assert scheduler.stop_task("it") is True
            seen.append(current_run().proceed())
            seen.append(scheduler.running["it"].stopping)

        handle = scheduler.add_on_demand_task(Doing(stop), "it")
        scheduler.run_task_now("it")

        assert seen == [True, False, True]
        assert [outcome.kind for outcome in events.outcomes("it")] == [OutcomeKind.STOPPED]
        assert handle.stopping is False

    def test_running_wakes_from_its_sleep(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R3: `sleep()` returns early, with `False`."""
        woke: list[tuple[bool, float]] = []
        scheduler.add_timed_task(start + 5, lambda: scheduler.stop_task("sleeper"), "stopper")
        scheduler.add_on_demand_task(lambda: woke.append((current_run().sleep(60), clock.time())), "sleeper")

        scheduler.run_task_now("sleeper")

        assert [still_going for still_going, _ in woke] == [False]

    def test_a_sleep_after_the_stop_does_not_begin(self, scheduler: Scheduler, clock: ManualClock) -> None:
        """R3."""

        def stop_and_sleep() -> None:
            scheduler.stop_task("it")
            assert current_run().sleep(60) is False

        scheduler.add_on_demand_task(Doing(stop_and_sleep), "it")
        before = clock.time()
        scheduler.run_task_now("it")

        assert clock.time() == before

    def test_a_coroutine_is_cancelled(self, scheduler: Scheduler, events: Events) -> None:
        """R3."""

        async def stop() -> None:
            scheduler.stop_task("it")
            await asyncio.sleep(60)

        scheduler.add_on_demand_task(stop, "it")
        scheduler.run_task_now("it")

        assert [outcome.kind for outcome in events.outcomes("it")] == [OutcomeKind.STOPPED]

    def test_stopping_twice_is_true_twice_and_told_once(self, scheduler: Scheduler, events: Events) -> None:
        answers: list[bool] = []
        scheduler.add_on_demand_task(
            Doing(lambda: answers.extend([scheduler.stop_task("it"), scheduler.stop_task("it")])), "it"
        )
        scheduler.run_task_now("it")

        assert answers == [True, True]
        assert [(event.what, event.after) for event in events.of(TaskChanged)] == [("stopping", True)]

    def test_the_next_run_may_proceed_again(self, scheduler: Scheduler) -> None:
        """R3: the stop flag belongs to the run."""
        task = Doing(lambda: scheduler.stop_task("it"))
        scheduler.add_on_demand_task(task, "it")

        scheduler.run_task_now("it")
        scheduler.run_task_now("it")

        assert task.proceeded == [False, True]

    def test_it_stays_on_its_schedule(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task = Doing(lambda: scheduler.stop_task("it"))
        scheduler.add_periodic_task(None, 10, task, "it")

        clock.advance(10)

        assert task.runs == 2

    def test_all_are_stopped_and_counted(self, scheduler: Scheduler) -> None:
        answers: list[int] = []
        scheduler.add_on_demand_task(Doing(lambda: answers.append(scheduler.stop_all_tasks())), "it")
        scheduler.add_on_demand_task(Doing(), "idle")

        scheduler.run_task_now("it")

        assert answers == [1]
        assert scheduler.stop_all_tasks() == 0


class TestDisableTask:
    def test_scheduled_falls_due_no_more(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        handle = scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(5)

        assert scheduler.disable_task("it") is True
        clock.advance(100)

        assert task.times == [start]
        assert handle.disabled is True
        assert handle.state is TaskState.SCHEDULED
        assert handle.next_run is None

    @pytest.mark.parametrize("command", [COMMANDS["run_task_now"], COMMANDS["demand_task"]])
    @pytest.mark.parametrize("schedule", [Every(10), Once(2e9), OnDemand()], ids=str)
    def test_by_hand_it_runs_all_the_same(
        self, scheduler: Scheduler, schedule: Every | Once | OnDemand, command: Command
    ) -> None:
        """R4."""
        task = Doing()
        handle = scheduler.add_task(schedule, task, "it")
        scheduler.disable_task("it")

        assert command(scheduler, "it") is True

        assert task.runs == 1
        assert handle.disabled is True

    def test_running_goes_on_and_then_falls_due_no_more(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        task = Doing(lambda: scheduler.disable_task("it"))
        handle = scheduler.add_periodic_task(None, 10, task, "it")

        clock.advance(100)

        assert task.runs == 1
        assert task.proceeded == [True]
        assert [outcome.kind for outcome in events.outcomes("it")] == [OutcomeKind.SUCCEEDED]
        assert (handle.state, handle.disabled) == (TaskState.SCHEDULED, True)

    def test_on_demand_stays_where_it_is(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")

        assert scheduler.disable_task("it") is True

        assert (handle.state, handle.disabled) == (TaskState.ON_DEMAND, True)
        assert "it" in scheduler.on_demand

    @pytest.mark.parametrize("schedule", [Every(10), Once(2e9), OnDemand(), Daily(3, 30, "UTC")], ids=str)
    def test_twice_is_true_twice(self, scheduler: Scheduler, schedule: Every) -> None:
        scheduler.add_task(schedule, Doing(), "it")

        assert [scheduler.disable_task("it"), scheduler.disable_task("it")] == [True, True]


class TestEnableTask:
    def test_scheduled_is_back_on_its_grid_and_the_missed_due_times_are_counted(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R5."""
        task = Notes(clock)
        handle = scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(5)
        scheduler.disable_task("it")
        clock.advance(32)

        assert scheduler.enable_task("it") is True
        assert handle.next_run == start + 40
        clock.advance(3)

        assert task.times == [start, start + 40]
        assert events.skips("it") == {SkipReason.DISABLED: 3}

    def test_a_daily_task_is_back_on_its_calendar(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        """R5."""
        task = Notes(clock)
        scheduler.add_daily_task(9, 0, task, "it", tz="UTC")  # the tests begin at 08:00 UTC
        scheduler.disable_task("it")
        clock.advance(2.5 * 86_400)
        scheduler.enable_task("it")
        clock.advance(86_400)

        assert task.times == [start + 3600 + 3 * 86_400]
        assert events.skips("it") == {SkipReason.DISABLED: 3}

    def test_running_goes_on_and_then_is_back_on_its_grid(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        def disable_and_enable() -> None:
            assert scheduler.disable_task("it") is True
            assert scheduler.enable_task("it") is True

        task = Doing(disable_and_enable)
        handle = scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(0)

        assert handle.next_run == start + 10
        assert task.proceeded == [True]

    def test_running_while_disabled_by_hand_can_be_enabled(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Doing(lambda: scheduler.enable_task("it"))
        scheduler.add_periodic_task(start + 10, 10, task, "it")
        scheduler.disable_task("it")
        scheduler.run_task_now("it")

        clock.advance(10)

        assert task.runs == 2

    def test_on_demand_is_enabled(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")
        scheduler.disable_task("it")

        assert scheduler.enable_task("it") is True

        assert (handle.state, handle.disabled) == (TaskState.ON_DEMAND, False)

    @pytest.mark.parametrize("schedule", [Every(10), Once(2e9), OnDemand()], ids=str)
    def test_what_was_never_disabled_is_enabled(self, scheduler: Scheduler, schedule: Every) -> None:
        scheduler.add_task(schedule, Doing(), "it")

        assert scheduler.enable_task("it") is True


class TestUnregisterTask:
    @pytest.mark.parametrize("schedule", [Every(10), Once(2e9), OnDemand()], ids=str)
    def test_idle_is_gone(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, schedule: Every
    ) -> None:
        task = Doing()
        handle = scheduler.add_task(schedule, task, "it")

        assert scheduler.unregister_task("it") is True
        clock.advance(100)

        assert task.runs == 0
        assert handle.state is TaskState.GONE
        assert scheduler.handle("it") is None
        assert [event.why for event in events.of(TaskUnregistered)] == ["unregistered"]

    def test_running_keeps_running_visible_and_stoppable_and_then_is_gone(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        def unregister() -> None:
            assert scheduler.unregister_task("it") is True
            assert current_run().proceed() is True
            assert dict(scheduler.running) == {"it": handle}
            assert handle.state is TaskState.RUNNING
            assert [task.name for task in scheduler.snapshot().tasks] == ["it"]
            assert scheduler.stop_task("it") is True
            assert current_run().proceed() is False

        task = Doing(unregister)
        handle = scheduler.add_periodic_task(None, 10, task, "it")
        clock.advance(100)

        assert task.proceeded == [False]
        assert handle.state is TaskState.GONE
        assert "it" not in scheduler.running

    def test_running_and_unregistered_obeys_nothing_but_stop(self, scheduler: Scheduler) -> None:
        """R6."""
        answers: dict[str, bool] = {}

        def unregister() -> None:
            scheduler.unregister_task("it")
            for name, command in COMMANDS.items():
                answers[name] = command(scheduler, "it")

        task = Doing(unregister)
        scheduler.add_periodic_task(None, 10, task, "it")
        scheduler.run_task_now("it")

        assert answers == {name: name == "stop_task" for name in COMMANDS}
        assert task.runs == 1

    def test_a_run_that_was_demanded_once_more_is_not_made(self, scheduler: Scheduler) -> None:
        def demand_and_unregister() -> None:
            scheduler.demand_task("it")
            scheduler.unregister_task("it")
            assert handle.run_again is False

        task = Doing(demand_and_unregister)
        handle = scheduler.add_on_demand_task(task, "it")
        scheduler.demand_task("it")

        assert task.runs == 1


class TestAddingUnderATakenName:
    @pytest.mark.parametrize("schedule", [Every(10), Once(2e9), OnDemand()], ids=str)
    def test_idle_is_replaced_at_once(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, schedule: Every
    ) -> None:
        first, second = Doing(), Doing()
        old = scheduler.add_task(schedule, first, "it")
        new = scheduler.add_periodic_task(None, 10, second, "it")
        clock.advance(0)

        assert (first.runs, second.runs) == (0, 1)
        assert scheduler.handle("it") is new
        assert old.state is TaskState.GONE
        assert [event.why for event in events.of(TaskUnregistered)] == ["replaced"]

    def test_running_is_waited_for(self, scheduler: Scheduler, clock: ManualClock, events: Events) -> None:
        """R6: never two runs of one name."""
        going: list[str] = []
        most: list[int] = []

        def second() -> None:
            going.append("second")
            most.append(len(going))
            going.remove("second")

        def first() -> None:
            going.append("first")
            scheduler.add_periodic_task(None, 10, second, "it")
            clock.advance(35)
            most.append(len(going))
            going.remove("first")

        scheduler.add_on_demand_task(Doing(first), "it")
        scheduler.run_task_now("it")
        clock.advance(5)

        assert most == [1, 1]
        assert events.skips("it") == {SkipReason.REPLACED: 4}  # at 0, 10, 20 and 30

    @every_handle_command
    def test_the_old_handle_never_commands_its_successor(
        self, scheduler: Scheduler, command: Callable[[TaskHandler], bool]
    ) -> None:
        """Section 2: a handle that was replaced does nothing and answers `False`."""
        old = scheduler.add_on_demand_task(Doing(), "it")
        task = Doing()
        new = scheduler.add_periodic_task(None, 10, task, "it")

        assert command(old) is False

        assert (new.state, new.disabled, new.period, task.runs) == (TaskState.SCHEDULED, False, 10, 0)


class TestSetPeriod:
    def test_scheduled_counts_from_the_last_due_time(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7."""
        task = Notes(clock)
        handle = scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(4)

        assert scheduler.set_period("it", 25) is True
        assert (handle.period, handle.next_run) == (25, start + 25)
        clock.advance(60)

        assert task.times == [start, start + 25, start + 50]

    def test_scheduled_is_due_now_rather_than_in_the_past(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7: not earlier than now; then on the grid of the last due time."""
        task = Notes(clock)
        scheduler.add_periodic_task(start, 3600, task, "it")
        clock.advance(1005)

        scheduler.set_period("it", 100)
        clock.advance(200)

        assert task.times == [start, start + 1005, start + 1100, start + 1200]

    def test_running_applies_when_the_run_ends(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7."""
        task = Doing(lambda: scheduler.set_period("it", 12))
        handle = scheduler.add_periodic_task(start, 10, task, "it")
        clock.advance(0)

        assert handle.next_run == start + 12

    @pytest.mark.parametrize("schedule", [OnDemand(), Once(2e9), Daily(3, 30, "UTC")], ids=str)
    def test_a_schedule_without_a_period_answers_false(
        self, scheduler: Scheduler, schedule: OnDemand | Once | Daily
    ) -> None:
        handle = scheduler.add_task(schedule, Doing(), "it")

        assert scheduler.set_period("it", 10) is False
        assert handle.set_period(10) is False
        assert handle.schedule == schedule
        assert handle.period is None


class TestWhoIsNotThere:
    @every_command
    def test_an_unknown_name_is_false(self, scheduler: Scheduler, command: Command) -> None:
        assert command(scheduler, "nobody") is False

    def test_looking_for_an_unknown_name(self, scheduler: Scheduler) -> None:
        assert scheduler.handle("nobody") is None
        assert scheduler.describe("nobody") is None
        assert "nobody" not in scheduler.scheduled

    @every_handle_command
    def test_a_handle_that_is_gone_answers_false(
        self, scheduler: Scheduler, command: Callable[[TaskHandler], bool]
    ) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        handle.unregister()

        assert command(handle) is False

    @every_command
    def test_after_the_stop_no_command_starts_anything(self, scheduler: Scheduler, command: Command) -> None:
        task = Doing()
        scheduler.add_periodic_task(None, 10, task, "it")
        scheduler.stop()

        # It can still be made to be gone; everything else no longer applies.
        assert command(scheduler, "it") is (command is COMMANDS["unregister_task"])
        assert task.runs == 0

    def test_after_the_stop_nothing_can_be_added_or_started(self, scheduler: Scheduler) -> None:
        """Section 2: no restart."""
        scheduler.stop()

        with pytest.raises(SchedulerStoppedError):
            scheduler.start()
        with pytest.raises(SchedulerStoppedError):
            scheduler.add_on_demand_task(Doing(), "it")
        assert scheduler.handle("it") is None
        assert scheduler.pause() is False
        assert scheduler.resume() is False
        assert scheduler.stop() == []


class TestRunOnCompletion:
    def test_idle_answers_false(self, scheduler: Scheduler) -> None:
        task = Doing()
        handle = scheduler.add_on_demand_task(task, "it")

        assert handle.run_on_completion() is False
        assert task.runs == 0

    def test_running_runs_once_more(self, scheduler: Scheduler) -> None:
        task = Doing(lambda: handle.run_on_completion())
        handle = scheduler.add_on_demand_task(task, "it")
        handle.demand()

        assert task.runs == 2
