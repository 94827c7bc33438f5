"""`After`: job after job. A task is due when those that it follows have ended."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import START
from doing import Notes, fail
from later import Later
from patience import eventually
from recorder import Events
from restarted_program import Program
from task_files import write

from taskkit import (
    After,
    AnyOf,
    Daily,
    Every,
    OnDemand,
    OutcomeKind,
    Schedule,
    Scheduler,
    SkipReason,
    TaskState,
    Trigger,
    current_run,
)
from taskkit.schedules.typed_schedule import read_schedule
from taskkit.spec import schedule_from_json, schedule_to_json
from taskkit.taskfile import TaskFileError, TaskFileFollower, find_hints, read_task_file
from taskkit.testing import ManualClock

HOUR = 3600.0


def follow(scheduler: Scheduler, task: Callable[[], object], *names: str, **keywords: object) -> None:
    on = keywords.pop("on", "success")
    scheduler.add_task(After(*names, on=on), task, "load", **keywords)  # type: ignore[arg-type]


def on_demand(scheduler: Scheduler, *names: str, body: Callable[[], object] = lambda: None) -> None:
    for name in names:
        scheduler.add_on_demand_task(body, name)


def run(scheduler: Scheduler, clock: ManualClock, *names: str) -> None:
    for name in names:
        scheduler.run_task_now(name)
    clock.advance(0)


class TestWhenItIsDue:
    def test_it_runs_when_the_other_has_succeeded(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task, events = Notes(clock), Events(scheduler.subscribe)
        scheduler.add_periodic_task(None, HOUR, lambda: None, "extract")
        follow(scheduler, task, "extract")
        handle = scheduler.scheduled["load"]
        assert (handle.state, handle.next_run) == (TaskState.SCHEDULED, None)

        clock.advance(2.5 * HOUR)

        assert task.times == [START, START + HOUR, START + 2 * HOUR]
        assert {each.trigger for each in events.outcomes("load")} == {Trigger.SCHEDULE}
        assert [each.lateness for each in events.outcomes("load")] == [0, 0, 0]

    def test_of_several_it_waits_for_all_since_it_last_began(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        task = Notes(clock)
        on_demand(scheduler, "one", "two")
        follow(scheduler, task, "one", "two")

        run(scheduler, clock, "one", "one")
        assert task.times == []
        run(scheduler, clock, "two")
        assert len(task.times) == 1
        run(scheduler, clock, "two")
        assert len(task.times) == 1
        run(scheduler, clock, "one")
        assert len(task.times) == 2

    @pytest.mark.parametrize(
        ("on", "kinds"),
        [
            ("success", {OutcomeKind.SUCCEEDED}),
            (
                "failure",
                {OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.ABANDONED, OutcomeKind.INTERRUPTED},
            ),
            ("end", set(OutcomeKind)),
        ],
    )
    def test_the_ends_that_count(self, on: str, kinds: set[OutcomeKind]) -> None:
        schedule = After("extract", on=on)  # type: ignore[arg-type]

        assert {kind for kind in OutcomeKind if schedule.counts(kind)} == kinds

    def test_a_failed_try_with_another_to_follow_is_no_end(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        task = Notes(clock)
        scheduler.add_on_demand_task(fail, "extract", retries=2, retry_delay=10)
        follow(scheduler, task, "extract", on="failure")

        run(scheduler, clock, "extract")
        clock.advance(25)
        assert task.times == []
        clock.advance(10)

        assert task.times == [START + 30]

    def test_if_the_retries_are_given_up_the_last_try_was_the_end(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        task = Notes(clock)
        scheduler.add_periodic_task(START + HOUR, HOUR, fail, "extract", retries=2, retry_delay=10)
        follow(scheduler, task, "extract", on="failure")
        run(scheduler, clock, "extract")

        scheduler.disable_task("extract")
        clock.advance(0)

        assert task.times == [START]

    def test_a_stopped_run_counts_for_end_only(self, scheduler: Scheduler, clock: ManualClock) -> None:
        ended, failed = Notes(clock), Notes(clock)
        on_demand(scheduler, "extract", body=lambda: scheduler.stop_task("extract"))
        follow(scheduler, failed, "extract", on="failure")
        scheduler.add_task(After("extract", on="end"), ended, "tidy")

        run(scheduler, clock, "extract")

        assert (len(ended.times), len(failed.times)) == (1, 0)

    @pytest.mark.parametrize("overlap", ["skip", "queue", "restart"])
    def test_an_end_while_it_runs_makes_it_run_once_more(self, clock: ManualClock, overlap: str) -> None:
        """T2: also two of them, and not at once, however late it is then."""
        threads, task, stopped = Later(), Notes(clock), []

        def work() -> None:
            task()
            if len(task.times) > 1:
                return
            for _ in range(2):
                scheduler.run_task_now("extract")
                threads.work()  # it ends while this runs
            clock.advance(60)
            assert len(task.times) == 1
            stopped.append(not current_run().proceed())

        with Scheduler(clock=clock, threads=threads, capture=False) as scheduler:
            on_demand(scheduler, "extract")
            follow(scheduler, work, "extract", catch_up=False, overlap=overlap)
            scheduler.run_task_now("extract")
            for _ in range(6):
                threads.work()
                clock.advance(0)

        assert [at - START for at in task.times] == [0, 60]
        assert stopped == [overlap == "restart"]

    def test_an_end_before_it_begins_is_seen_by_that_run(self, clock: ManualClock) -> None:
        threads, task = Later(), Notes(clock)
        with Scheduler(clock=clock, threads=threads, capture=False) as scheduler:
            on_demand(scheduler, "extract")
            follow(scheduler, task, "extract")
            scheduler.run_task_now("extract")
            threads.work()
            clock.advance(0)
            (waiting,) = threads.jobs
            scheduler.run_task_now("extract")
            threads.jobs.popleft()
            threads.work()
            waiting[1]()
            for _ in range(3):
                clock.advance(1)
                threads.work()

        assert len(task.times) == 1

    def test_a_run_by_hand_uses_up_nothing(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task = Notes(clock)
        on_demand(scheduler, "one", "two")
        follow(scheduler, task, "one", "two")
        run(scheduler, clock, "one", "load")
        assert len(task.times) == 1

        run(scheduler, clock, "two")

        assert len(task.times) == 2

    def test_a_chain_runs_through(self, scheduler: Scheduler, clock: ManualClock) -> None:
        order: list[str] = []
        for name, before in (("extract", None), ("load", "extract"), ("report", "load"), ("mail", "report")):
            schedule: Schedule = OnDemand() if before is None else After(before)
            scheduler.add_task(schedule, lambda: order.append(current_run().name), name)

        run(scheduler, clock, "extract")

        assert order == ["extract", "load", "report", "mail"]

    def test_the_end_of_an_unregistered_run_counts(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task = Notes(clock)
        on_demand(scheduler, "extract", body=lambda: scheduler.unregister_task("extract"))
        follow(scheduler, task, "extract")

        run(scheduler, clock, "extract")

        assert len(task.times) == 1


class TestWhatKeepsIt:
    @pytest.mark.parametrize("how", ["disabled", "paused"])
    def test_disabled_or_paused_it_is_counted_once_and_not_made_up_for(
        self, scheduler: Scheduler, clock: ManualClock, how: str
    ) -> None:
        task, events = Notes(clock), Events(scheduler.subscribe)
        on_demand(scheduler, "extract")
        follow(scheduler, task, "extract")
        scheduler.disable_task("load") if how == "disabled" else scheduler.pause()
        run(scheduler, clock, "extract")

        scheduler.enable_task("load") if how == "disabled" else scheduler.resume()
        clock.advance(HOUR)

        assert task.times == []
        assert events.skips("load") == {SkipReason(how): 1}

    def test_outside_its_window_it_is_skipped(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task, events = Notes(clock), Events(scheduler.subscribe)
        on_demand(scheduler, "extract")
        follow(scheduler, task, "extract", window="09:00-10:00", timezone="UTC")
        run(scheduler, clock, "extract")
        assert events.skips("load") == {SkipReason.WINDOW: 1}

        clock.advance(HOUR)
        run(scheduler, clock, "extract")

        assert task.times == [START + HOUR]

    def test_outside_its_bounds_nothing_is_due(self, scheduler: Scheduler, clock: ManualClock) -> None:
        task, events = Notes(clock), Events(scheduler.subscribe)
        on_demand(scheduler, "extract")
        follow(scheduler, task, "extract", not_before=START + 60, until=START + 120)
        handle = scheduler.scheduled["load"]
        run(scheduler, clock, "extract")
        clock.advance(90)
        run(scheduler, clock, "extract")
        clock.advance(60)

        assert task.times == [START + 90]
        assert events.skips("load") == {}
        assert (handle.state, dict(scheduler.done)) == (TaskState.GONE, {"load": handle})

    def test_a_cycle_is_refused_and_named(self, scheduler: Scheduler) -> None:
        scheduler.add_task(After("report"), lambda: None, "extract")
        follow(scheduler, lambda: None, "extract")

        for add in (
            lambda: scheduler.add_task(After("load"), lambda: None, "report"),
            lambda: scheduler.add_task(After("report"), lambda: None, "report"),
        ):
            with pytest.raises(ValueError, match=r"after must not make a task wait for itself, as .*→"):
                add()
        scheduler.add_on_demand_task(lambda: None, "report")
        with pytest.raises(ValueError, match=r"in report → extract → load → report$"):
            scheduler.reschedule_task("report", After("load"))

        assert scheduler.on_demand["report"].schedule == OnDemand()

    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (lambda: After(), ValueError, "names must be at least one name"),
            (lambda: After(5), TypeError, "names must be names of tasks, not 5"),  # type: ignore[arg-type]
            (lambda: After("a\nb"), ValueError, "control characters"),
            (lambda: After("a", on="fail"), ValueError, "on must be success, failure or end, not 'fail'"),  # type: ignore[arg-type]
            (lambda: AnyOf(After("a"), Daily(3, 0)), ValueError, "due times of their own"),
        ],
    )
    def test_a_mistake_is_named(
        self, make: Callable[[], object], error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            make()


class TestWhatItSays:
    def test_what_it_waits_for(self, scheduler: Scheduler, clock: ManualClock) -> None:
        on_demand(scheduler, "extract", "fetch")
        follow(scheduler, lambda: None, "extract", "fetch")
        handle = scheduler.scheduled["load"]
        assert handle.explain() == "load waits until extract and fetch have succeeded."

        run(scheduler, clock, "extract")

        assert handle.explain() == "load waits until fetch has succeeded, as extract did."
        (row,) = [each for each in scheduler.snapshot().tasks if each.name == "load"]
        assert (row.schedule, row.follows) == ("after extract, fetch", ("extract", "fetch"))
        assert row.waits_for == ("fetch",)

    def test_a_name_that_is_not_registered_is_waited_for_visibly(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        task = Notes(clock)
        follow(scheduler, task, "extract", on="end")
        assert scheduler.scheduled["load"].explain() == (
            "load waits until extract has ended; extract is not registered."
        )

        on_demand(scheduler, "extract")
        run(scheduler, clock, "extract")

        assert len(task.times) == 1

    def test_the_details_have_the_chain(self, scheduler: Scheduler) -> None:
        on_demand(scheduler, "extract", "fetch", "alone")
        follow(scheduler, lambda: None, "extract", "fetch")
        scheduler.add_task(After("load"), lambda: None, "report")
        scheduler.add_task(After("load"), lambda: None, "mail")

        chains = {name: scheduler.describe(name) for name in ("extract", "load", "mail", "alone")}
        assert {name: None if each is None else each.chain for name, each in chains.items()} == {
            "extract": ("extract", "load", "report, mail"),
            "load": ("extract, fetch", "load", "report, mail"),
            "mail": ("extract, fetch", "load", "mail"),
            "alone": (),
        }

    @pytest.mark.parametrize(
        ("schedule", "words"),
        [
            (After("extract"), "after extract"),
            (After("tidy up", "load", on="failure"), "after tidy up, load on failure"),
            (After("a, b", on="end"), 'after "a, b" on end'),
            (After('say "x"', "wait on end"), 'after "say \\"x\\"", "wait on end"'),
        ],
    )
    def test_its_words_can_be_typed_and_stored(self, schedule: After, words: str) -> None:
        assert str(schedule) == words
        assert read_schedule(words, START) == schedule
        assert schedule_from_json(json.loads(json.dumps(schedule_to_json(schedule)))) == schedule


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
class TestRestarts:
    def test_what_has_ended_survives(self, tmp_path: Path, clock: ManualClock, killed: bool) -> None:
        program = Program(tmp_path / "tasks.db", clock)

        def register(scheduler: Scheduler) -> None:
            on_demand(scheduler, "one", "two")
            follow(scheduler, lambda: None, "one", "two")

        try:
            run(program.start(register), clock, "one")
            again = program.restart(register, killed=killed)
            run(again, clock, "two")
            assert len(program.runs("load")) == 1
            last = program.restart(register, killed=killed)
            run(last, clock, "two")
            assert len(program.runs("load")) == 1
        finally:
            program.stop()

    def test_a_due_time_that_came_while_it_was_stopped_is_run(
        self, tmp_path: Path, clock: ManualClock, killed: bool
    ) -> None:
        program = Program(tmp_path / "tasks.db", clock)

        def register(scheduler: Scheduler) -> None:
            on_demand(scheduler, "extract", body=lambda: None if killed else scheduler.stop(0))
            follow(scheduler, lambda: None, "extract", on="end")

        try:
            scheduler = program.start(register)
            if killed:  # between the end of the one and the start of the other
                scheduler.run_task_now("extract")
                program.flush()
            else:
                run(scheduler, clock, "extract")
            program.restart(register, killed=killed)
            clock.advance(1)
            eventually(lambda: len(program.runs("load")) == 1)
        finally:
            program.stop()


def test_a_run_that_its_process_did_not_survive_is_a_failure(tmp_path: Path, clock: ManualClock) -> None:
    """Once: not again after the next restart."""
    program = Program(tmp_path / "tasks.db", clock)
    copies = iter([tmp_path / "first.db", tmp_path / "second.db"])

    def dies() -> None:
        copy = next(copies, None)
        if copy is not None:
            program.flush()
            for ending in ("", "-wal"):
                shutil.copy(f"{program.path}{ending}", f"{copy}{ending}")

    def register(scheduler: Scheduler) -> None:
        on_demand(scheduler, "extract", body=dies)
        follow(scheduler, lambda: None, "extract", on="failure")

    try:
        run(program.start(register), clock, "extract")
        program.stop()
        program.path = tmp_path / "first.db"  # as it was in the middle of the run
        clock.advance(10)
        program.start(register)
        clock.advance(1)
        assert len(program.runs("load")) == 1
        program.restart(register, after=10)
        clock.advance(1)
        assert len(program.runs("load")) == 1
    finally:
        program.stop()


@pytest.mark.usefixtures("own_folder")
class TestInAFile:
    def test_it_has_keys(self) -> None:
        text = '[tasks.it]\ncommand = "true"\nafter = {}\n'
        read: list[Schedule] = [
            read_task_file(write(text.format(keys))).specs[0].schedule
            for keys in ('"extract"', '["extract", "load"]', '"extract"\non = "failure"')
        ]
        assert read == [After("extract"), After("extract", "load"), After("extract", on="failure")]

    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ("after = 5", "after = 5: must be the name of a task, in quotes, or a list of such names"),
            ("after = []", "after = []: must be the name of a task"),
            (
                'after = "a"\non = "sucess"',
                'on = "sucess": must be "success", "failure" or "end"; did you mean',
            ),
            ('every = "1h"\non = "end"', "on: has no meaning with every; it belongs to after"),
            ('after = "a"\nevery = "1h"', "after: cannot be used with every"),
            ('after = "it"', "after: makes the task wait for itself: it → it"),
        ],
    )
    def test_a_mistake_is_named(self, keys: str, message: str) -> None:
        with pytest.raises(TaskFileError) as caught:
            read_task_file(write(f'[tasks.it]\ncommand = "true"\n{keys}\n'))
        assert message in str(caught.value)

    def test_a_name_that_is_missing_is_a_hint(self) -> None:
        task = '[tasks.{}]\ncommand = "true"\n{}\n'
        text = task.format("extract", "on_demand = true") + task.format("it", 'after = "extrct"')
        (hint,) = find_hints(read_task_file(write(text)))
        assert "no task of this file is called 'extrct'" in str(hint)
        assert str(hint).endswith("did you mean extract?")

    def test_what_has_ended_survives_a_change_of_the_file(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        """Only the description is another one."""
        task = '[tasks.{}]\nrun = "gc:collect"\n{}\n'
        both = task.format("a", "on_demand = true") + task.format("b", "on_demand = true")
        path = write(both + task.format("it", 'after = ["a", "b"]'))
        follower = TaskFileFollower(scheduler, path)
        follower.load()
        run(scheduler, clock, "a")
        write(both + task.format("it", 'after = ["a", "b"]\ndescription = "Both"'))

        follower.reload()
        run(scheduler, clock, "b")

        assert scheduler.scheduled["it"].run_count == 1
        follower.close()

    def test_a_chain_can_be_turned_round_while_it_is_followed(self, scheduler: Scheduler) -> None:
        """No cycle is seen between the old chain and the new one."""
        task = '[tasks.{}]\ncommand = "true"\n{}\n'
        path = write(task.format("a", "on_demand = true") + task.format("b", 'after = "a"'))
        follower = TaskFileFollower(scheduler, path)
        follower.load()
        write(task.format("a", 'after = "b"') + task.format("b", "on_demand = true"))

        follower.reload()

        assert scheduler.scheduled["a"].schedule == After("b")
        assert scheduler.on_demand["b"].schedule == OnDemand()
        follower.close()


def test_one_that_follows_is_not_next(scheduler: Scheduler) -> None:
    """It has no due time, and no period."""
    follow(scheduler, lambda: None, "extract")

    assert scheduler.next_time is None
    assert not scheduler.set_period("load", 60)
    scheduler.reschedule_task("load", Every(60))
    assert scheduler.scheduled["load"].next_run == START + 60
    scheduler.reschedule_task("load", After("fetch"))
    assert scheduler.scheduled["load"].next_run is None
