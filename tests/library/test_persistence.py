"""Saving and restoring: the changes that a scheduler reports, and tasks that continue from a saved state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from conftest import START
from doing import fail
from recorder import Events

from taskkit import (
    Daily,
    Every,
    Once,
    OnDemand,
    Outcome,
    OutcomeKind,
    Policies,
    Recipe,
    Schedule,
    Scheduler,
    Skip,
    SkipReason,
    TaskSpec,
    TaskState,
    Trigger,
    current_run,
)
from taskkit.persistence import SavedTask
from taskkit.testing import InlineExecutor, ManualClock

HOUR = 3600.0


def work() -> None:
    """The work of the specs in this file."""


SPEC = TaskSpec("written", Every(60), Recipe(f"{__name__}:work"))


class MemorySource:
    """A `StateSource` in memory: the saved state of one scheduler, for the next one."""

    def __init__(self, *saved: SavedTask, paused: bool = False) -> None:
        self.saved = {each.name: each for each in saved}
        self.paused = paused

    def take_task(self, name: str) -> SavedTask | None:
        return self.saved.pop(name, None)


def new_scheduler(clock: ManualClock, source: MemorySource | None = None) -> Scheduler:
    scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
    if source is not None:
        scheduler.restore_from(source)
    return scheduler


def saved_state_of(scheduler: Scheduler) -> MemorySource:
    """Return the state that a single look at the scheduler saves."""
    watch = scheduler.watch_persistence()
    changes = watch.collect()
    watch.close()
    return MemorySource(*changes.changed, paused=changes.paused)


def restarted(
    clock: ManualClock, before: Scheduler, seconds: float, register: Callable[[Scheduler], object]
) -> tuple[Scheduler, Events]:
    """Stop a scheduler, and start the next one from its state `seconds` later."""
    memory = saved_state_of(before)
    before.stop(0)
    clock.advance(seconds)
    after = new_scheduler(clock, memory)
    events = Events(after.subscribe)
    register(after)
    after.start()
    clock.advance(0)
    return after, events


def test_an_interval_that_had_an_hour_to_go_has_an_hour_to_go(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 6 * HOUR, work, "six hours")

    first = new_scheduler(clock)
    register(first)
    first.start()
    clock.advance(5 * HOUR)
    second, _ = restarted(clock, first, 10, register)
    assert second.scheduled["six hours"].next_run == START + 6 * HOUR
    assert second.scheduled["six hours"].run_count == 1


def test_a_start_that_counts_from_now_does_not_make_it_another_schedule(clock: ManualClock) -> None:
    first = new_scheduler(clock)
    first.add_periodic_task(clock.time() + 100, 600, work, "late")
    first.start()
    clock.advance(50)
    second, _ = restarted(
        clock,
        first,
        10,
        lambda again: again.add_periodic_task(clock.time() + 100, 600, work, "late"),
    )
    assert second.scheduled["late"].next_run == START + 100


def test_what_fell_due_meanwhile_runs_once_late_and_is_counted(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "minute")

    first = new_scheduler(clock)
    register(first)
    first.start()
    clock.advance(30)
    second, events = restarted(clock, first, 200, register)
    assert events.dues("minute") == [START + 60]
    assert events.skips("minute") == {SkipReason.MISSED: 2}
    assert second.scheduled["minute"].next_run == START + 240


def test_or_it_is_skipped_where_the_task_is_not_to_catch_up(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "minute", catch_up=False)

    first = new_scheduler(clock)
    register(first)
    first.start()
    clock.advance(30)
    _, events = restarted(clock, first, 200, register)
    assert events.dues("minute") == []
    assert events.skips("minute") == {SkipReason.MISSED: 3}


def test_another_schedule_in_the_program_wins(clock: ManualClock) -> None:
    first = new_scheduler(clock)
    first.add_periodic_task(None, 60, work, "it")
    first.start()
    clock.advance(30)
    second, _ = restarted(clock, first, 10, lambda again: again.add_periodic_task(None, 90, work, "it"))
    assert second.scheduled["it"].period == 90
    assert second.scheduled["it"].next_run == clock.time() + 90
    assert second.scheduled["it"].run_count == 1


def test_a_period_that_the_program_changed_is_as_declared_again(clock: ManualClock) -> None:
    first = new_scheduler(clock)
    first.add_periodic_task(None, 60, work, "it")
    first.set_period("it", 90)
    first.start()
    second, _ = restarted(clock, first, 10, lambda again: again.add_periodic_task(None, 60, work, "it"))
    assert second.scheduled["it"].period == 60


def test_a_period_that_a_person_changed_stays_and_is_marked(clock: ManualClock) -> None:
    def register(scheduler: Scheduler, period: float = 60) -> None:
        scheduler.add_periodic_task(None, period, work, "it")

    first = new_scheduler(clock)
    register(first)
    first.start()
    first.set_period("it", 30, override=True)
    clock.advance(10)
    second, _ = restarted(clock, first, 5, lambda again: register(again, 120))
    (told,) = second.snapshot().tasks
    assert (told.schedule, told.overrides) == ("every 30 s", "every 2 min")
    assert told.next_run == START + 30
    third, _ = restarted(clock, second, 5, register)
    assert third.snapshot().tasks[0].overrides == "every 1 min"


def test_one_command_takes_the_persons_change_back(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add_periodic_task(None, 60, work, "it")
    clock.advance(0)
    assert scheduler.set_period("it", 30, override=True)
    assert scheduler.snapshot().tasks[0].overrides == "every 1 min"
    assert scheduler.drop_override("it")
    (told,) = scheduler.snapshot().tasks
    assert (told.schedule, told.overrides, told.next_run) == ("every 1 min", None, START + 60)
    assert scheduler.drop_override("it")
    assert not scheduler.drop_override("nobody")


def test_another_kind_of_schedule_is_taken_back_too(scheduler: Scheduler) -> None:
    scheduler.add_task(OnDemand(), work, "it")
    assert scheduler.reschedule_task("it", Every(60), override=True)
    assert scheduler.snapshot().tasks[0].overrides == "on demand"
    assert scheduler.drop_override("it")
    assert scheduler.snapshot().tasks[0].state is TaskState.ON_DEMAND


def test_a_change_back_by_hand_is_no_override(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 60, work, "it")
    scheduler.set_period("it", 30, override=True)
    scheduler.set_period("it", 60, override=True)
    assert scheduler.snapshot().tasks[0].overrides is None


def test_the_programs_last_word_ends_an_override(scheduler: Scheduler) -> None:
    handle = scheduler.add_periodic_task(None, 60, work, "it")
    scheduler.set_period("it", 30, override=True)
    handle.set_period(45)
    assert scheduler.snapshot().tasks[0].overrides is None


def test_a_schedule_that_a_person_chose_stays(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(work, "it")

    first = new_scheduler(clock)
    register(first)
    first.start()
    first.reschedule_task("it", Daily(12, 0, "UTC"), override=True)
    second, _ = restarted(clock, first, 10, register)
    assert second.scheduled["it"].schedule == Daily(12, 0, "UTC")
    assert second.snapshot().tasks[0].overrides == "on demand"


def test_what_was_disabled_stays_disabled_and_what_was_due_is_counted(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "it")

    first = new_scheduler(clock)
    register(first)
    first.start()
    first.disable_task("it")
    second, events = restarted(clock, first, 100, register)
    assert second.handle("it").disabled  # type: ignore[union-attr]
    assert second.snapshot().figures.disabled == 1
    second.enable_task("it")
    clock.advance(0)
    assert events.skips("it") == {SkipReason.DISABLED: 1}
    assert second.scheduled["it"].next_run == START + 120


def test_what_the_program_disables_and_a_person_enabled_stays_enabled(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "it")
        scheduler.disable_task("it")

    memory = MemorySource()
    first = new_scheduler(clock, memory)
    register(first)
    first.start()
    assert first.snapshot().figures.disabled == 1
    first.enable_task("it")
    second, _ = restarted(clock, first, 10, register)
    assert second.snapshot().figures.disabled == 0
    third, _ = restarted(clock, second, 10, register)
    assert third.snapshot().figures.disabled == 0


def test_a_paused_scheduler_stays_paused(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "it")

    first = new_scheduler(clock)
    register(first)
    first.start()
    clock.advance(1)
    first.pause()
    second, events = restarted(clock, first, 100, register)
    assert second.paused
    assert events.dues("it") == []
    second.resume()
    clock.advance(0)
    assert events.skips("it") == {SkipReason.PAUSED: 1}


@pytest.mark.parametrize("at", [START + 10, None], ids=["at a time", "now"])
def test_a_one_shot_that_ran_does_not_run_again(clock: ManualClock, at: float | None) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_timed_task(at, work, "once")

    first = new_scheduler(clock)
    watch = first.watch_persistence()
    register(first)
    first.start()
    clock.advance(20)
    (kept,) = watch.collect().changed
    assert (kept.due, kept.run_count) == (None, 1)
    clock.advance(20)
    second = new_scheduler(clock, MemorySource(kept))
    events = Events(second.subscribe)
    register(second)
    second.start()
    clock.advance(5)
    # `None` means now, and each start has a now of its own.
    assert len(events.outcomes("once")) == (0 if at is not None else 1)
    assert second.handle("once") is None


def test_a_one_shot_that_was_not_there_yet_runs_late(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_timed_task(START + 10, work, "once")

    first = new_scheduler(clock)
    register(first)
    first.start()
    _, events = restarted(clock, first, 60, register)
    assert events.dues("once") == [START + 10]


def test_the_number_of_runs_counts_on(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 10, work, "thrice", max_runs=3)

    first = new_scheduler(clock)
    register(first)
    first.start()
    clock.advance(15)
    second, events = restarted(clock, first, 0, register)
    clock.advance(100)
    assert len(events.outcomes("thrice")) == 1
    assert second.handle("thrice") is None


def test_a_retry_that_was_pending_is_tried(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(fail, "flaky", retries=2, retry_delay=30)

    first = new_scheduler(clock)
    register(first)
    first.start()
    first.run_task_now("flaky", {"depth": 2})
    second, events = restarted(clock, first, 10, register)
    clock.advance(20)
    (outcome,) = events.outcomes("flaky")
    assert (outcome.trigger, outcome.attempt) == (Trigger.RETRY, 2)
    assert second.handle("flaky").retry is not None  # type: ignore[union-attr]


def test_one_more_run_that_was_demanded_is_run(clock: ManualClock) -> None:
    kept: list[SavedTask] = []

    def body() -> None:
        if not kept:
            first.demand_task("it", {"depth": 2})
            kept.extend(first.watch_persistence().collect().changed)
        else:
            assert current_run().parameters == {"depth": 2}

    first = new_scheduler(clock)
    first.add_on_demand_task(body, "it")
    first.start()
    first.run_task_now("it")
    assert kept[0].again == {"depth": 2}
    second = new_scheduler(clock, MemorySource(kept[0]))
    events = Events(second.subscribe)
    second.add_on_demand_task(body, "it")
    second.start()
    assert [(run.kind, run.trigger) for run in events.outcomes("it")] == [
        (OutcomeKind.SUCCEEDED, Trigger.DEMAND)
    ]


def test_the_past_is_remembered(clock: ManualClock) -> None:
    past = Outcome(OutcomeKind.FAILED, Trigger.SCHEDULE, 7, START, START, START + 1, 1.0, 0.0, exception="no")
    cut_off = replace(past, kind=OutcomeKind.INTERRUPTED, run=8, exception=None, output=("half",))
    for history, failing in (((past,), 1), ((past, cut_off), 1)):
        scheduler = new_scheduler(
            clock, MemorySource(SavedTask("it", Every(60), due=START + 60, history=history))
        )
        handle = scheduler.add_periodic_task(None, 60, work, "it")
        scheduler.start()
        assert handle.history == history
        assert handle.last_outcome == history[-1]
        (told,) = scheduler.snapshot().tasks
        assert [run.kind for run in told.past] == [outcome.kind for outcome in history]
        assert scheduler.snapshot().figures.failing == failing
        details = scheduler.describe("it")
        assert details is not None
        assert details.output == history[-1].output


@pytest.mark.parametrize("kind", OutcomeKind)
def test_a_task_is_failing_unless_its_last_run_succeeded_or_was_stopped(
    kind: OutcomeKind, clock: ManualClock
) -> None:
    last = Outcome(kind, Trigger.SCHEDULE, 7, START, START, START + 1, 1.0, 0.0)
    scheduler = new_scheduler(
        clock, MemorySource(SavedTask("it", Every(60), due=START + 60, history=(last,)))
    )
    scheduler.add_periodic_task(None, 60, work, "it")
    scheduler.start()
    snapshot = scheduler.snapshot()
    bad = kind not in (OutcomeKind.SUCCEEDED, OutcomeKind.STOPPED)
    assert ([task.failing for task in snapshot.tasks], snapshot.figures.failing) == ([bad], bad)


def test_since_when_a_task_fails_is_remembered_as_far_as_its_past_is(clock: ManualClock) -> None:
    def ended(kind: OutcomeKind, minute: int) -> Outcome:
        due = START + minute * 60
        return Outcome(kind, Trigger.SCHEDULE, minute, due, due, due + 1, 1.0, 0.0)

    good, bad = OutcomeKind.SUCCEEDED, OutcomeKind.FAILED
    skip = Skip(SkipReason.PAUSED, 1, START, START)
    for history, since in (
        ((ended(good, 1), ended(bad, 2), skip, ended(bad, 3)), START + 121),
        ((ended(bad, 1), ended(bad, 2), skip), START + 61),
        ((ended(bad, 1), ended(good, 2)), None),
        ((skip,), None),
    ):
        scheduler = new_scheduler(
            clock, MemorySource(SavedTask("it", Every(60), due=START + 600, history=history))
        )
        scheduler.add_periodic_task(None, 60, work, "it")
        scheduler.start()
        assert scheduler.snapshot().tasks[0].failing_since == since


def test_what_is_registered_while_it_runs_is_restored_too(clock: ManualClock) -> None:
    scheduler = new_scheduler(clock, MemorySource(SavedTask("it", Every(60), due=START + 17, run_count=3)))
    scheduler.start()
    scheduler.add_periodic_task(None, 60, work, "it")
    clock.advance(0)
    assert scheduler.scheduled["it"].next_run == START + 17
    scheduler.add_periodic_task(None, 60, work, "it")
    clock.advance(0)
    assert scheduler.scheduled["it"].next_run == START + 60  # it was told once, and this is another one


def test_a_state_source_given_late_leaves_alone_what_ran(clock: ManualClock) -> None:
    scheduler = new_scheduler(clock)
    scheduler.add_periodic_task(None, 60, work, "ran")
    scheduler.add_periodic_task(START + 9, 60, work, "waits")
    scheduler.start()
    clock.advance(1)
    kept = [SavedTask(name, Every(60), due=START + 17, run_count=3) for name in ("ran", "waits")]
    scheduler.restore_from(MemorySource(*kept))
    assert scheduler.scheduled["ran"].next_run == START + 60
    assert scheduler.scheduled["waits"].next_run == START + 17


def test_only_changes_are_reported_for_saving(scheduler: Scheduler, clock: ManualClock) -> None:
    watch = scheduler.watch_persistence()
    assert watch.collect().changed == ()
    scheduler.add_periodic_task(None, 60, work, "one")
    scheduler.add_periodic_task(START + 5, 60, work, "two")
    assert {kept.name for kept in watch.collect().changed} == {"one", "two"}
    clock.advance(0)
    (kept,) = watch.collect().changed
    assert (kept.name, kept.due, kept.last_due, kept.run_count) == ("one", START + 60, START, 1)
    scheduler.unregister_task("one")
    changes = watch.collect()
    assert (changes.changed, changes.gone, changes.paused) == ((), ("one",), False)
    scheduler.pause()
    assert watch.collect().paused
    watch.close()
    scheduler.disable_task("two")
    assert watch.collect().changed == ()


def test_a_name_that_is_taken_again_is_not_gone(scheduler: Scheduler) -> None:
    watch = scheduler.watch_persistence()
    scheduler.add_periodic_task(START + 5, 60, work, "it")
    scheduler.unregister_task("it")
    scheduler.add_periodic_task(START + 5, 30, work, "it")
    changes = watch.collect()
    assert ([kept.declared for kept in changes.changed], changes.gone) == ([Every(30, START + 5)], ())


def test_a_spec_is_registered_as_it_is_written(scheduler: Scheduler) -> None:
    spec = replace(SPEC, policies=Policies(timeout=5, description="The wall"), enabled=False)
    handle = scheduler.add_spec(spec)
    assert (handle.name, handle.schedule, handle.policies) == ("written", Every(60), spec.policies)
    assert handle.task is work
    assert handle.disabled


def test_the_spec_is_saved_for_a_person_and_not_for_a_file(scheduler: Scheduler) -> None:
    watch = scheduler.watch_persistence()
    scheduler.add_spec(SPEC, persist=True)
    scheduler.add_spec(replace(SPEC, name="in the file"))
    assert {kept.name: kept.spec for kept in watch.collect().changed} == {
        "written": SPEC,
        "in the file": None,
    }


@pytest.mark.parametrize("schedule", [Every(90), Daily(3, 30, "UTC"), OnDemand()], ids=str)
def test_a_file_that_changes_leaves_what_a_person_decided(
    scheduler: Scheduler, clock: ManualClock, schedule: Schedule
) -> None:
    scheduler.add_spec(SPEC)
    clock.advance(0)
    scheduler.set_period("written", 30, override=True)
    scheduler.disable_task("written")
    scheduler.add_spec(replace(SPEC, schedule=schedule))
    (told,) = scheduler.snapshot().tasks
    assert (told.schedule, told.overrides, told.disabled) == ("every 30 s", str(schedule), True)


def test_a_file_that_changes_leaves_the_past(scheduler: Scheduler, clock: ManualClock) -> None:
    spec = replace(SPEC, recipe=Recipe("doing:fail"))
    old = scheduler.add_spec(spec)
    clock.advance(60)
    scheduler.disable_task("written")
    clock.advance(60)
    scheduler.enable_task("written")
    assert scheduler.snapshot().figures.failing == 1
    new = scheduler.add_spec(replace(spec, policies=Policies(description="new words")))
    assert new is not old
    assert (new.run_count, new.history, new.last_outcome) == (2, old.history, old.last_outcome)
    assert scheduler.snapshot().figures.failing == 1
    assert scheduler.snapshot().tasks[0].skipped == {SkipReason.DISABLED: 1}


def test_what_passed_since_the_last_run_is_counted_on(clock: ManualClock) -> None:
    past = Outcome(OutcomeKind.SUCCEEDED, Trigger.SCHEDULE, 7, START, START, START + 1, 1.0, 0.0)
    history = (
        Skip(SkipReason.MISSED, 5, START - 600, START - 300),
        past,
        Skip(SkipReason.DISABLED, 3, START + 60, START + 180),
        Skip(SkipReason.PAUSED, 2, START + 240, START + 300),
        Skip(SkipReason.DISABLED, 4, START + 360, START + 540),
    )
    scheduler = new_scheduler(
        clock, MemorySource(SavedTask("it", Every(60), due=START + 600, history=history))
    )
    scheduler.add_periodic_task(None, 60, work, "it")
    scheduler.start()
    assert scheduler.snapshot().tasks[0].skipped == {SkipReason.DISABLED: 7, SkipReason.PAUSED: 2}


def test_what_a_person_registers_again_starts_afresh(scheduler: Scheduler) -> None:
    scheduler.add_spec(SPEC, persist=True)
    scheduler.disable_task("written")
    scheduler.add_spec(SPEC, persist=True)
    assert not scheduler.snapshot().tasks[0].disabled


def test_what_is_no_spec_is_refused(scheduler: Scheduler) -> None:
    with pytest.raises(TypeError, match="spec must be a TaskSpec"):
        scheduler.add_spec("tasks.toml")  # type: ignore[arg-type]
    with pytest.raises(ImportError, match="nothing_like_it"):
        scheduler.add_spec(replace(SPEC, recipe=Recipe("nothing_like_it:it")))
    assert scheduler.snapshot().tasks == ()


def test_once_disabled_is_not_lost_over_a_restart(clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(Once(START + 10), work, "once")

    first = new_scheduler(clock)
    register(first)
    first.start()
    first.disable_task("once")
    second, events = restarted(clock, first, 60, register)
    assert second.handle("once") is not None
    assert events.outcomes("once") == []
