"""`Every(…, fixed_delay=True)`: due a period after the end of the last run, however long it takes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import START
from doing import Notes, Takes, fail
from recorder import Events
from restarted_program import Program
from task_files import write

from taskkit import Every, OutcomeKind, Policies, Scheduler, SkipReason, TaskState
from taskkit.operations import Operations
from taskkit.schedules.typed_schedule import preview, read_schedule
from taskkit.spec import schedule_from_json, schedule_to_json
from taskkit.taskfile import TaskFileError, read_task_file
from taskkit.testing import ManualClock

MINUTE = 60.0
AFTER = Every(MINUTE, fixed_delay=True)


class Lasts:
    """A task that takes a given time by the manual clock."""

    def __init__(self, clock: ManualClock, seconds: Callable[[], float]) -> None:
        self.clock = clock
        self.seconds = seconds
        self.spans: list[tuple[float, float]] = []

    def __call__(self) -> None:
        begin = self.clock.time()
        self.clock.advance(self.seconds())
        self.spans.append((begin, self.clock.time()))


def test_it_is_due_a_period_after_each_end(scheduler: Scheduler, clock: ManualClock) -> None:
    """Whatever the runs take; no due time is skipped, as there is none during a run."""
    dice = random.Random(7)
    task, events = (
        Lasts(clock, lambda: dice.choice([0, 0.5, 30, 59, 60, 61, 500])),
        Events(scheduler.subscribe),
    )
    scheduler.add_task(AFTER, task, "it")

    clock.advance(6000)

    assert task.spans[0][0] == START
    pairs = zip(task.spans, task.spans[1:], strict=False)
    assert all(begin == pytest.approx(end + MINUTE, abs=1e-6) for (_, end), (begin, _) in pairs)
    assert len(task.spans) > 10
    assert events.skips("it") == {}


def test_during_a_run_nothing_is_due(scheduler: Scheduler, clock: ManualClock) -> None:
    seen: list[object] = []

    def work() -> None:
        handle = scheduler.running["it"]
        seen.extend([handle.next_run, handle.explain()])

    scheduler.add_task(AFTER, work, "it")
    clock.advance(0)

    assert seen == [None, "it has been running for 0 s. It is due 1 min after the end of this run."]
    details = scheduler.describe("it", due_times=5)
    assert details is not None
    assert details.due_times == (START + MINUTE,)
    assert scheduler.scheduled["it"].explain() == "it is next due at 08:01:00, in 1 min."


def test_a_run_by_hand_counts_too(scheduler: Scheduler, clock: ManualClock) -> None:
    task = Notes(clock)
    scheduler.add_task(AFTER, task, "it")
    clock.advance(40)

    scheduler.run_task_now("it")
    clock.advance(MINUTE)

    assert [at - START for at in task.times] == [0, 40, 100]


def test_it_counts_from_the_last_retry(scheduler: Scheduler, clock: ManualClock) -> None:
    task = Notes(clock)

    def work() -> None:
        task()
        fail()

    scheduler.add_task(AFTER, work, "it", retries=1, retry_delay=10)
    clock.advance(75)

    assert [at - START for at in task.times] == [0, 10, 70]


def test_disabling_it_ends_the_retries_and_keeps_the_count(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add_task(AFTER, fail, "it", retries=1, retry_delay=10)
    clock.advance(5)

    scheduler.disable_task("it")
    scheduler.enable_task("it")

    assert scheduler.scheduled["it"].next_run == START + MINUTE


@pytest.mark.parametrize("how", ["disabled", "paused"])
def test_enabled_late_it_is_due_at_once(scheduler: Scheduler, clock: ManualClock, how: str) -> None:
    task, events = Notes(clock), Events(scheduler.subscribe)
    scheduler.add_task(AFTER, task, "it")
    clock.advance(10)
    scheduler.disable_task("it") if how == "disabled" else scheduler.pause()
    clock.advance(1000)
    scheduler.snapshot()

    scheduler.enable_task("it") if how == "disabled" else scheduler.resume()
    clock.advance(0)

    assert [at - START for at in task.times] == [0, 1010]
    assert events.skips("it") == {}
    assert scheduler.scheduled["it"].next_run == START + 1070


def test_a_new_period_counts_from_the_last_end(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add_task(AFTER, lambda: None, "it")
    clock.advance(20)
    handle = scheduler.scheduled["it"]

    assert scheduler.due_times_with("it", 45, 3) == [START + 45]
    scheduler.set_period("it", 45)
    assert handle.next_run == START + 45
    scheduler.set_period("it", 5)
    assert handle.next_run == START + 20
    assert handle.schedule == Every(5, fixed_delay=True)


def test_its_start_is_the_first_due_time_only(scheduler: Scheduler, clock: ManualClock) -> None:
    task = Notes(clock)
    scheduler.add_task(Every(MINUTE, START + 300, fixed_delay=True), task, "it")
    scheduler.run_task_now("it")
    assert scheduler.scheduled["it"].next_run == START + 300

    clock.advance(400)

    assert [at - START for at in task.times] == [0, 300, 360]


def test_a_run_that_comes_too_late_is_missed_once(scheduler: Scheduler, clock: ManualClock) -> None:
    events = Events(scheduler.subscribe)
    scheduler.add_task(AFTER, lambda: None, "it", catch_up=False)
    clock.advance(10)

    clock.stall(1000)

    assert events.skips("it") == {SkipReason.MISSED: 1}
    assert scheduler.scheduled["it"].next_run == START + 1020


def test_until_its_window_opens_it_is_not_due(scheduler: Scheduler, clock: ManualClock) -> None:
    """It goes on by its period, as one that is missed does."""
    events = Events(scheduler.subscribe)
    task = Lasts(clock, lambda: 600)
    policies = Policies(window="08:00-08:05, 09:00-10:00", timezone="UTC")
    scheduler.add_task(AFTER, task, "it", window=policies.window, timezone=policies.timezone)

    clock.advance(3600)

    assert [begin - START for begin, _ in task.spans] == [0, 3600]
    assert events.skips("it") == {SkipReason.WINDOW: 49}


def test_after_its_until_it_is_done(scheduler: Scheduler, clock: ManualClock) -> None:
    task = Lasts(clock, lambda: 30)
    handle = scheduler.add_task(AFTER, task, "it", until=START + 200)

    clock.advance(1000)

    assert [begin - START for begin, _ in task.spans] == [0, 90, 180]
    assert handle.state is TaskState.GONE


def test_a_replacement_waits_for_the_run_and_then_runs(scheduler: Scheduler, clock: ManualClock) -> None:
    """R6, T2."""
    after = Notes(clock)

    def replaced() -> None:
        scheduler.add_task(AFTER, after, "it")
        clock.advance(10)
        assert after.times == []

    scheduler.add_task(AFTER, replaced, "it")
    clock.advance(0)

    assert after.times == [START + 10]


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_a_restart_counts_from_the_stored_end(tmp_path: Path, clock: ManualClock, killed: bool) -> None:
    program = Program(tmp_path / "tasks.db", clock)

    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(AFTER, Takes(clock, 15), "it")

    try:
        program.start(register)
        clock.advance(16)
        ended = program.scheduler.handle("it").last_outcome.finished  # type: ignore[union-attr]
        again = program.restart(register, after=20, killed=killed)
        assert again.scheduled["it"].next_run == pytest.approx(ended + MINUTE)
        assert [run.outcome.kind for run in program.runs("it")] == [OutcomeKind.SUCCEEDED]
        last = program.restart(register, after=500, killed=killed)
        assert last.handle("it").run_count == 2  # type: ignore[union-attr]
    finally:
        program.stop()


@pytest.mark.parametrize(
    "schedule", [AFTER, Every(5400, fixed_delay=True), Every(0.5, fixed_delay=True)], ids=str
)
def test_it_can_be_typed_and_stored(schedule: Every) -> None:
    assert read_schedule(str(schedule), START) == schedule
    assert schedule_from_json(json.loads(json.dumps(schedule_to_json(schedule)))) == schedule
    assert schedule != Every(schedule.period)
    assert "fixed_delay" not in schedule_to_json(Every(60))
    assert preview(schedule, START, 3, at_once=False) == (START + schedule.period,)


@pytest.mark.usefixtures("own_folder")
def test_a_file_says_fixed_delay() -> None:
    text = '[tasks.it]\ncommand = "true"\nevery = "60s"\nfixed_delay = true\n'
    assert read_task_file(write(text)).specs[0].schedule == AFTER
    for wrong, message in (
        (
            text.replace("true\n", '"yes"\n', 2).replace('command = "yes"', 'command = "true"'),
            "must be true or",
        ),
        (text.replace('every = "60s"', 'daily = "03:00"'), "fixed_delay: has no meaning with daily"),
    ):
        with pytest.raises(TaskFileError, match=message):
            read_task_file(write(wrong))


def test_a_flag_is_a_flag() -> None:
    with pytest.raises(TypeError, match="fixed_delay must be"):
        Every(60, fixed_delay="yes")  # type: ignore[arg-type]


def test_undo_and_the_declared_schedule_bring_the_kind_back(scheduler: Scheduler, clock: ManualClock) -> None:
    operations = Operations(scheduler)
    scheduler.add_task(Every(MINUTE), lambda: None, "it")
    clock.advance(1)
    handle = scheduler.scheduled["it"]

    token = operations.reschedule(["it"], AFTER).token
    assert (handle.schedule, handle.overridden) == (AFTER, True)
    assert token is not None
    operations.undo(token)
    assert (handle.schedule, handle.overridden) == (Every(MINUTE), False)

    operations.reschedule(["it"], AFTER)
    operations.drop_override(["it"])
    assert (handle.schedule, handle.overridden) == (Every(MINUTE), False)
