"""Looking at a scheduler: snapshots, watches, details and the figures of the whole."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from doing import Doing, Takes, fail

from taskkit import (
    CommandTask,
    Every,
    Outcome,
    OutcomeKind,
    Parameter,
    Progress,
    Scheduler,
    SkipReason,
    Task,
    TaskSnapshot,
    TaskState,
    Trigger,
    Watch,
    current_run,
)
from taskkit.task import TaskLike
from taskkit.testing import InlineExecutor, ManualClock


def row(scheduler: Scheduler, name: str) -> TaskSnapshot:
    (found,) = [task for task in scheduler.snapshot().tasks if task.name == name]
    return found


class TestSnapshot:
    def test_a_row_has_all_there_is(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        scheduler.add_periodic_task(start, 10, Doing(fail), "it", description="for people")
        clock.advance(14)

        it = row(scheduler, "it")
        assert (it.name, it.state, it.disabled, it.schedule, it.period) == (
            "it",
            TaskState.SCHEDULED,
            False,
            "every 10 s",
            10,
        )
        assert (it.next_run, it.description, it.run_count) == (start + 20, "for people", 2)
        assert (it.replaces_running, it.again, it.run, it.retry, it.unregistered) == (
            False,
            False,
            None,
            None,
            False,
        )
        assert [(past.kind, past.finished, past.exception) for past in it.past] == [
            (OutcomeKind.FAILED, start, "RuntimeError: it is broken"),
            (OutcomeKind.SUCCEEDED, start + 10, None),
        ]
        assert dict(it.skipped) == {}

    def test_a_row_has_its_run(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        rows: list[TaskSnapshot] = []

        def look() -> None:
            current_run().progress(3, 10, "pages")
            clock.advance(5)
            scheduler.demand_task("it")
            rows.append(row(scheduler, "it"))

        scheduler.add_periodic_task(start, 2, Doing(look), "it")
        clock.advance(0)

        (it,) = rows
        assert it.state is TaskState.RUNNING
        assert it.run is not None
        assert (it.run.trigger, it.run.due, it.run.started, it.run.attempt, it.run.asked_to_stop) == (
            Trigger.SCHEDULE,
            start,
            start,
            1,
            None,
        )
        assert it.run.progress == Progress(3, 10, "pages")
        assert it.again is True
        assert it.next_run == start + 6  # on the grid, and not in the past

    def test_rows_are_in_the_order_of_registration_and_leaving_ones_come_last(
        self, scheduler: Scheduler
    ) -> None:
        names: list[list[str]] = []

        def replace() -> None:
            scheduler.add_on_demand_task(Doing(), "it")
            names.append([task.name for task in scheduler.snapshot().tasks])
            assert scheduler.snapshot().tasks[-1].unregistered

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.add_on_demand_task(Doing(), "b")
        scheduler.add_on_demand_task(Doing(), "a")
        scheduler.run_task_now("it")

        assert names == [["b", "a", "it", "it"]]

    def test_it_is_plain_frozen_data_that_can_go_to_another_process(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        """Plain data is what a dashboard in another process could be sent."""
        scheduler.add_periodic_task(None, 10, Doing(fail, lambda: clock.advance(35)), "it")
        clock.advance(60)
        snapshot = scheduler.snapshot()

        with pytest.raises(FrozenInstanceError):
            snapshot.tasks[0].name = "other"  # type: ignore[misc]
        with pytest.raises(TypeError):
            snapshot.tasks[0].skipped[SkipReason.MISSED] = 1  # type: ignore[index]

    def test_it_does_not_change_afterwards(self, scheduler: Scheduler, clock: ManualClock) -> None:
        scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.disable_task("it")
        clock.advance(15)
        before = scheduler.snapshot()
        again = scheduler.snapshot()
        clock.advance(100)
        scheduler.enable_task("it")

        assert before == again
        assert dict(before.tasks[0].skipped) == {SkipReason.DISABLED: 2}

    def test_a_snapshot_has_only_the_last_few_runs(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(Doing(*[fail] * 12), "it")
        for _ in range(20):
            scheduler.run_task_now("it")

        kinds = [past.kind for past in row(scheduler, "it").past]
        assert kinds == [OutcomeKind.SUCCEEDED] * 8


class TestFigures:
    def test_they_count(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        scheduler.add_periodic_task(start + 50, 10, Doing(), "periodic")
        scheduler.add_on_demand_task(Doing(), "disabled")
        scheduler.add_on_demand_task(fail, "failing")
        scheduler.disable_task("disabled")
        scheduler.run_task_now("failing")
        clock.advance(5)

        figures = scheduler.snapshot().figures
        assert (figures.tasks, figures.running, figures.disabled, figures.failing) == (3, 0, 1, 1)
        assert (figures.time, figures.next_time) == (start + 5, start + 50)
        assert (figures.is_running, figures.paused, figures.threads) == (True, False, 0)
        assert figures.lateness_p99 is None

    def test_they_count_down_again(self, scheduler: Scheduler) -> None:
        for name in ("mended", "gone", "replaced"):
            scheduler.add_on_demand_task(Doing(fail), name)
            scheduler.run_task_now(name)
            scheduler.disable_task(name)
        assert scheduler.snapshot().figures.failing == 3
        scheduler.run_task_now("mended")
        scheduler.enable_task("mended")
        scheduler.unregister_task("gone")
        scheduler.add_on_demand_task(Doing(), "replaced")

        figures = scheduler.snapshot().figures
        assert (figures.tasks, figures.disabled, figures.failing) == (2, 0, 0)

    def test_a_row_has_the_time_since_which_it_fails(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        steps = [lambda: None, *[fail] * 30, lambda: None, fail]
        scheduler.add_periodic_task(None, 60, Doing(*steps), "it")
        # So many fail that the first is not among the last ones that are remembered.
        for seconds, since in ((0, None), (60, 60), (29 * 60, 60), (60, None), (60, 32 * 60)):
            clock.advance(seconds)
            assert row(scheduler, "it").failing_since == (None if since is None else start + since)

    def test_a_task_that_is_unregistered_in_its_failing_run_is_not_counted(
        self, scheduler: Scheduler
    ) -> None:
        def unregister_and_fail() -> None:
            scheduler.unregister_task("it")
            fail()

        for before in (fail, Doing()):
            scheduler.add_on_demand_task(Doing(before, unregister_and_fail), "it")
            scheduler.run_task_now("it")
            scheduler.run_task_now("it")

            figures = scheduler.snapshot().figures
            assert (figures.tasks, figures.failing) == (0, 0)

    def test_a_row_is_failing_where_the_figures_count_it(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        failing: list[tuple[list[bool], int]] = []

        def look() -> None:
            snapshot = scheduler.snapshot()
            failing.append(([task.failing for task in snapshot.tasks], snapshot.figures.failing))

        def unregister() -> None:
            look()
            scheduler.unregister_task("it")
            look()

        scheduler.add_periodic_task(None, 1, Doing(fail, unregister), "it")
        look()
        clock.advance(0)
        look()
        for _ in range(30):  # so many skips that only few runs are remembered
            scheduler.disable_task("it")
            clock.stall(1)
            scheduler.enable_task("it")
            scheduler.pause()
            clock.stall(1)
            scheduler.resume()
        look()
        scheduler.run_task_now("it")

        assert failing == [([False], 0), ([True], 1), ([True], 1), ([True], 1), ([False], 0)]

    def test_running_counts_those_that_run(self, scheduler: Scheduler) -> None:
        counts: list[int] = []

        def look() -> None:
            counts.append(scheduler.snapshot().figures.running)
            scheduler.unregister_task("it")
            counts.append(scheduler.snapshot().figures.running)
            counts.append(scheduler.snapshot().figures.tasks)

        scheduler.add_on_demand_task(Doing(look), "it")
        scheduler.run_task_now("it")

        assert counts == [1, 1, 0]

    def test_lateness_is_that_of_the_runs_that_a_schedule_started(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        scheduler.add_periodic_task(None, 1, Doing(), "it")
        clock.advance(500)
        clock.stall(31)
        scheduler.run_task_now("it")

        assert scheduler.snapshot().figures.lateness_p99 == 0
        for _ in range(9):
            clock.stall(31)
        assert scheduler.snapshot().figures.lateness_p99 == 30

    def test_lateness_leaves_out_what_was_overdue_before_the_start(
        self, clock: ManualClock, start: float
    ) -> None:
        scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
        task = Doing()
        scheduler.add_periodic_task(start, 1_000, task, "it")
        clock.advance(600)
        with scheduler:
            clock.advance(0)
            assert task.runs == 1
            assert scheduler.snapshot().figures.lateness_p99 is None
            clock.advance(1_000)
            assert scheduler.snapshot().figures.lateness_p99 == 0

    def test_while_paused_nothing_is_next(self, scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.pause()

        figures = scheduler.snapshot().figures
        assert (figures.paused, figures.next_time) == (True, None)


@pytest.fixture
def watch(scheduler: Scheduler) -> Iterator[Watch]:
    watch = scheduler.watch()
    yield watch
    watch.close()


class TestWatch:
    def test_the_first_look_returns_everything(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(Doing(), "a")
        scheduler.add_on_demand_task(Doing(), "b")
        watch = scheduler.watch()

        assert watch.collect().changed == scheduler.snapshot().tasks

    def test_the_next_one_only_what_has_changed(self, scheduler: Scheduler, watch: Watch) -> None:
        for name in "abcd":
            scheduler.add_on_demand_task(Doing(), name)
        watch.collect()
        assert watch.collect().changed == ()

        scheduler.run_task_now("b")
        scheduler.disable_task("c")

        assert {task.name for task in watch.collect().changed} == {"b", "c"}
        assert watch.collect().changed == ()

    @pytest.mark.parametrize(
        "command",
        [
            lambda scheduler: scheduler.disable_task("it"),
            lambda scheduler: scheduler.set_period("it", 20),
            lambda scheduler: scheduler.reschedule_task("it", Every(7)),
            lambda scheduler: scheduler.run_task_now("it"),
            lambda scheduler: scheduler.demand_task("it"),
            lambda scheduler: scheduler.add_on_demand_task(Doing(), "it"),
        ],
        ids=["disable", "period", "reschedule", "run", "demand", "replace"],
    )
    def test_every_change_is_seen(self, scheduler: Scheduler, watch: Watch, command: object) -> None:
        assert callable(command)
        scheduler.add_periodic_task(None, 10, Doing(), "it")
        watch.collect()
        command(scheduler)

        assert watch.collect().changed == scheduler.snapshot().tasks

    def test_after_the_end_nothing_is_to_come(
        self, scheduler: Scheduler, watch: Watch, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_periodic_task(start + 10, 10, Doing(), "it")
        retried = scheduler.add_periodic_task(None, 100, fail, "failing", retries=1, retry_delay=20)
        clock.advance(5)
        assert {task.name for task in watch.collect().changed if task.next_run} == {"it", "failing"}
        scheduler.stop()

        changes = watch.collect()
        assert changes.changed == scheduler.snapshot().tasks
        assert [(task.next_run, task.retry) for task in changes.changed] == [(None, None)] * 2
        assert (scheduler.next_time, handle.next_run, retried.next_run, retried.retry) == (None,) * 4
        details = scheduler.describe("it")
        assert details is not None
        assert details.due_times == ()
        assert watch.collect().changed == ()

    def test_a_task_that_is_gone_is_reported_by_its_number(self, scheduler: Scheduler, watch: Watch) -> None:
        scheduler.add_on_demand_task(Doing(), "it")
        (task,) = watch.collect().changed
        scheduler.unregister_task("it")

        changes = watch.collect()
        assert (changes.changed, changes.gone) == ((), (task.number,))

    def test_changes_in_a_run_are_seen(self, scheduler: Scheduler, watch: Watch, clock: ManualClock) -> None:
        seen: list[TaskSnapshot] = []

        def work() -> None:
            seen.extend(watch.collect().changed)
            current_run().progress(1, 2)
            seen.extend(watch.collect().changed)
            scheduler.stop_task("it")
            seen.extend(watch.collect().changed)

        scheduler.add_on_demand_task(Doing(work), "it")
        scheduler.run_task_now("it")
        seen.extend(watch.collect().changed)

        assert [task.state for task in seen] == [TaskState.RUNNING] * 3 + [TaskState.ON_DEMAND]
        runs = [task.run for task in seen if task.run is not None]
        assert [run.progress is not None for run in runs] == [False, True, True]
        assert [run.asked_to_stop is not None for run in runs] == [False, False, True]

    def test_skips_are_seen_at_a_look(self, scheduler: Scheduler, watch: Watch, clock: ManualClock) -> None:
        scheduler.add_periodic_task(None, 10, Doing(), "it")
        scheduler.disable_task("it")
        watch.collect()
        clock.advance(25)

        (task,) = watch.collect().changed
        assert dict(task.skipped) == {SkipReason.DISABLED: 3}

    def test_the_end_of_waiting_for_a_predecessor_is_seen(self, scheduler: Scheduler, watch: Watch) -> None:
        """R6."""
        waiting: list[tuple[str, bool]] = []

        def replace() -> None:
            scheduler.add_on_demand_task(Doing(), "it")
            waiting.extend((task.name, task.replaces_running) for task in watch.collect().changed)

        scheduler.add_on_demand_task(Doing(replace), "it")
        scheduler.run_task_now("it")
        changes = watch.collect()

        assert ("it", True) in waiting
        assert [(task.name, task.replaces_running) for task in changes.changed] == [("it", False)]
        assert len(changes.gone) == 1

    def test_its_changes_add_up_to_the_snapshot(
        self, scheduler: Scheduler, watch: Watch, clock: ManualClock
    ) -> None:
        known: dict[int, TaskSnapshot] = {}
        for step in range(40):
            scheduler.add_periodic_task(None, 3 + step % 5, Takes(clock, step % 4), f"{step % 7}")
            scheduler.disable_task(f"{step % 3}")
            clock.advance(step % 6)
            scheduler.enable_task(f"{step % 2}")
            scheduler.unregister_task(f"{step % 11}")
            changes = watch.collect()
            known.update({task.number: task for task in changes.changed})
            for number in changes.gone:
                known.pop(number, None)

            now = scheduler.snapshot()
            assert sorted(known.values(), key=lambda task: task.number) == sorted(
                now.tasks, key=lambda task: task.number
            )
            assert changes.figures == now.figures

    def test_a_wall_clock_that_was_set_moves_every_epoch_figure(
        self, scheduler: Scheduler, watch: Watch, clock: ManualClock, start: float
    ) -> None:
        """T4: periodic due times are translated by the present offset, so each row differs after a step."""
        scheduler.add_periodic_task(start + 60, 60, Doing(), "it")
        watch.collect()
        clock.step_wall(3600)
        assert [task.next_run for task in watch.collect().changed] == [start + 60 + 3600]

    def test_a_closed_one_returns_nothing(self, scheduler: Scheduler, watch: Watch) -> None:
        watch.collect()
        watch.close()
        watch.close()
        scheduler.add_on_demand_task(Doing(), "it")

        assert watch.collect().changed == ()

    def test_two_watches_do_not_take_from_each_other(self, scheduler: Scheduler, watch: Watch) -> None:
        other = scheduler.watch()
        scheduler.add_on_demand_task(Doing(), "it")

        assert len(watch.collect().changed) == len(other.collect().changed) == 1


class Colour(Enum):
    RED = 1
    BLUE = 2


class Page(Task):
    def __init__(
        self,
        target: Path,
        copies: int = 2,
        colour: Colour = Colour.BLUE,
        mode: Literal["draft", "final"] = "draft",
        ratio: float = 0.5,
        shout: bool = False,
        title: str | None = None,
    ) -> None:
        self.target = target
        self.copies = copies

    def run(self) -> None:
        pass


class TestDescribe:
    def test_due_times_of_a_grid(self, scheduler: Scheduler, start: float) -> None:
        scheduler.add_periodic_task(start + 5, 10, Doing(), "it")

        details = scheduler.describe("it", due_times=3)
        assert details is not None
        assert details.due_times == (start + 5, start + 15, start + 25)

    def test_due_times_of_a_start_in_the_past(self, scheduler: Scheduler, start: float) -> None:
        """T6: now, and then on the grid of that start."""
        scheduler.add_periodic_task(start - 3, 10, Doing(), "it")

        details = scheduler.describe("it", due_times=3)
        assert details is not None
        assert details.due_times == (start, start + 7, start + 17)

    def test_due_times_after_a_period_was_shortened(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        """R7: not earlier than now, and then on the grid of the last due time."""
        scheduler.add_periodic_task(start, 1000, Doing(), "it")
        clock.advance(55)
        scheduler.set_period("it", 10)

        details = scheduler.describe("it", due_times=3)
        assert details is not None
        assert details.due_times == (start + 55, start + 60, start + 70)

    def test_due_times_of_a_calendar_with_its_zone(self, scheduler: Scheduler, start: float) -> None:
        scheduler.add_daily_task(9, 0, Doing(), "it", tz="UTC")

        details = scheduler.describe("it", due_times=2)
        assert details is not None
        assert details.due_times == (start + 3600, start + 90_000)
        assert details.zone == "UTC"

    def test_what_is_due_no_more_has_no_due_times(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        scheduler.add_on_demand_task(Doing(), "on demand")
        scheduler.add_periodic_task(None, 10, Doing(), "disabled")
        scheduler.add_timed_task(start + 5, Doing(), "once")
        scheduler.disable_task("disabled")

        for name, expected in (("on demand", ()), ("disabled", ()), ("once", (start + 5,))):
            details = scheduler.describe(name)
            assert details is not None
            assert details.due_times == expected

    def test_it_has_policies_history_and_why_not(self, scheduler: Scheduler) -> None:
        handle = scheduler.add_on_demand_task(fail, "it", timeout=5, retries=2, on_error=print)
        scheduler.run_task_now("it")

        details = scheduler.describe("it")
        assert details is not None
        assert dict(details.policies) == {"timeout": "5", "retries": "2", "on_error": "print"}
        assert details.history == handle.history
        assert isinstance(details.history[0], Outcome)
        assert details.explanation == handle.explain()
        assert details.task == row(scheduler, "it")

    def test_parameters_that_a_task_declares(self, scheduler: Scheduler) -> None:
        class Mail(Task):
            run_parameters = {"to": str, "copies": 3}  # noqa: RUF012 - as users write it

            def run(self) -> None:
                pass

        scheduler.add_on_demand_task(Mail(), "it")

        details = scheduler.describe("it")
        assert details is not None
        assert details.parameters == (
            Parameter("to", "str", required=True),
            Parameter("copies", "int", default=3),
        )

    def test_parameters_that_its_constructor_takes(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(Page(Path("x.html"), copies=5), "it")

        details = scheduler.describe("it")
        assert details is not None
        assert details.parameters == (
            Parameter("target", "path", default="x.html", required=True),
            Parameter("copies", "int", default=5),
            Parameter("colour", "choice", ("RED", "BLUE"), "BLUE"),
            Parameter("mode", "choice", ("draft", "final"), "draft"),
            Parameter("ratio", "float", default=0.5),
            Parameter("shout", "bool", default=False),
            Parameter("title", "str"),
        )

    def test_a_plain_callable_has_none(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(fail, "it")

        details = scheduler.describe("it")
        assert details is not None
        assert details.parameters == ()

    def test_who_leaves_can_be_described_while_it_runs(self, scheduler: Scheduler) -> None:
        told: list[bool] = []

        def unregister() -> None:
            scheduler.unregister_task("it")
            details = scheduler.describe("it")
            told.append(details is not None and details.task.unregistered)

        scheduler.add_on_demand_task(Doing(unregister), "it")
        scheduler.run_task_now("it")

        assert told == [True]
        assert scheduler.describe("it") is None


def test_looking_needs_no_start() -> None:
    scheduler = Scheduler(clock=ManualClock(), executor=InlineExecutor())
    scheduler.add_periodic_task(None, 10, Doing(), "it")

    assert scheduler.snapshot().figures.is_running is False
    assert scheduler.describe("it") is not None


def test_what_happened_can_be_pickled(scheduler: Scheduler) -> None:
    """Outcomes are plain data too."""
    scheduler.add_on_demand_task(fail, "it")
    scheduler.run_task_now("it")
    handle = scheduler.handle("it")
    assert handle is not None

    past = row(scheduler, "it").past
    assert pickle.loads(pickle.dumps(past)) == past


class Mute(Task):
    def run(self) -> None:
        pass


class Talkative(Mute):
    def __str__(self) -> str:
        return "tidies\n  the attic"


class Broken(Mute):
    def __str__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (Mute(), f"{__name__}:Mute"),
        (Mute().run, f"{__name__}:Mute.run"),
        (partial(partial(max, 1), 2), "builtins:max"),
        (Talkative(), "tidies the attic"),
        (Broken(), "<Broken>"),
        (CommandTask("df -h . | tail -1"), "df -h . | tail -1"),
        (CommandTask(["echo", "two words"]), "echo 'two words'"),
        (CommandTask("x" * 1000), "x" * 199 + "…"),
    ],
    ids=["class", "method", "partial", "words of its own", "broken", "line", "arguments", "long"],
)
def test_the_details_name_what_a_task_runs(scheduler: Scheduler, task: TaskLike, words: str) -> None:
    scheduler.add_on_demand_task(task, "it")
    details = scheduler.describe("it")
    assert details is not None
    assert details.body == words
