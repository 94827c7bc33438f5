"""After a restart everything is as it was: through a store, whether the program ended well or was killed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import START
from doing import Doing, fail
from later import Later
from patience import PATIENCE, Gates, eventually
from restarted_program import Program

from taskkit import (
    Every,
    Once,
    OnDemand,
    OutcomeKind,
    Policies,
    Recipe,
    RunFinished,
    Scheduler,
    SkipReason,
    Task,
    TaskSpec,
    TaskUnregistered,
    Trigger,
    current_run,
)
from taskkit.store import PersistentScheduler, Store, StoredRun, StoreError, read_history
from taskkit.testing import InlineExecutor, ManualClock

HOUR = 3600.0


def work() -> str:
    """The work of the specs in this file."""
    return "done"


class Painter(Task):
    def __init__(self, where: Path, coats: int = 1) -> None:
        self.where = where
        self.coats = coats

    def run(self) -> str:
        return f"{self.where} {self.coats}"


@pytest.fixture
def program(tmp_path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(tmp_path / "state" / "tasks.db", clock)
    yield program
    program.stop()


@pytest.fixture(params=[False, True], ids=["ended", "killed"])
def killed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def six_hours(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 6 * HOUR, work, "six hours")


def minute(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 60, work, "minute")


def test_an_interval_that_had_an_hour_to_go_has_an_hour_to_go(
    program: Program, clock: ManualClock, killed: bool
) -> None:
    program.start(six_hours)
    clock.advance(5 * HOUR)
    again = program.restart(six_hours, killed=killed)
    handle = again.scheduled["six hours"]
    assert (handle.next_run, handle.run_count) == (START + 6 * HOUR, 1)


def test_what_fell_due_meanwhile_runs_once_late_and_is_counted(program: Program, killed: bool) -> None:
    program.start(minute)
    program.restart(minute, after=200, killed=killed)
    assert program.events is not None
    (outcome,) = program.events.outcomes("minute")
    assert (outcome.due, outcome.lateness, dict(outcome.skipped)) == (
        START + 60,
        140,
        {SkipReason.MISSED: 2},
    )


def test_what_fell_due_meanwhile_is_skipped_where_it_is_not_to_be_caught_up(
    program: Program,
) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "minute", catch_up=False)

    program.start(register)
    program.restart(register, after=200)
    assert program.events is not None
    assert program.events.outcomes("minute") == []
    assert program.events.skips("minute") == {SkipReason.MISSED: 3}


def test_what_was_disabled_is_disabled(program: Program, killed: bool) -> None:
    program.start(minute).disable_task("minute")
    assert program.restart(minute, killed=killed).scheduled["minute"].disabled


def test_what_was_paused_is_paused(program: Program, killed: bool) -> None:
    program.start(minute).pause()
    again = program.restart(minute, killed=killed)
    assert again.paused
    again.resume()
    assert not program.restart(minute, killed=killed).paused


def test_a_one_shot_that_ran_does_not_run_again(program: Program, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_timed_task(START + 10, work, "once")

    program.start(register)
    clock.advance(20)
    again = program.restart(register, killed=killed)
    assert again.handle("once") is None
    assert len(program.runs("once")) == 1


def test_a_one_shot_that_has_not_run_yet_runs(program: Program, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_timed_task(START + 10, work, "once")

    program.start(register)
    program.restart(register, after=60, killed=killed)
    assert [run.outcome.due for run in program.runs("once")] == [START + 10]


def test_the_number_of_runs_counts_on(program: Program, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "thrice", max_runs=3)

    program.start(register)
    clock.advance(60)
    again = program.restart(register, killed=killed)
    clock.advance(300)
    assert len(program.runs("thrice")) == 3
    assert again.handle("thrice") is None
    assert program.restart(register, killed=killed).handle("thrice") is None


def test_a_persons_schedule_stays_against_that_of_the_program(program: Program, killed: bool) -> None:
    program.start(minute).set_period("minute", 30, override=True)
    again = program.restart(minute, killed=killed)
    (told,) = again.snapshot().tasks
    assert (told.schedule, told.overrides) == ("every 30 s", "every 1 min")
    again.drop_override("minute")
    (told,) = program.restart(minute, killed=killed).snapshot().tasks
    assert (told.schedule, told.overrides) == ("every 1 min", None)


def test_the_programs_new_schedule_wins_over_its_old_one(program: Program) -> None:
    program.start(minute)

    def other(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 45, work, "minute")

    (told,) = program.restart(other, after=30).snapshot().tasks
    assert (told.schedule, told.next_run) == ("every 45 s", START + 75)


def test_what_a_person_registered_is_there_again(program: Program, clock: ManualClock, killed: bool) -> None:
    spec = TaskSpec(
        "fence",
        Every(60),
        Recipe.of(Painter, {"where": Path("fence"), "coats": 2}),
        Policies(timeout=5, description="The one in front"),
        enabled=False,
    )
    program.start(six_hours).add_spec(spec, persist=True)
    program.flush()
    again = program.restart(six_hours, after=30, killed=killed)
    handle = again.scheduled["fence"]
    assert handle.disabled
    assert handle.policies == spec.policies
    again.enable_task("fence")
    clock.advance(31)
    assert program.runs("fence")[0].outcome.result == "fence 2"


def test_what_a_person_registered_and_removed_is_gone(program: Program, killed: bool) -> None:
    spec = TaskSpec("fence", Every(60), Recipe(f"{__name__}:work"))
    scheduler = program.start()
    scheduler.add_spec(spec, persist=True)
    program.flush()
    scheduler.unregister_task("fence")
    assert program.restart(killed=killed).snapshot().tasks == ()


@pytest.mark.parametrize(
    ("schedule", "policies"),
    [(Once(START + 10), Policies()), (OnDemand(), Policies(keep=False)), (Every(5), Policies(max_runs=2))],
    ids=["once", "on demand", "max_runs"],
)
def test_what_a_person_registered_and_is_done_is_not_there_again(
    program: Program, clock: ManualClock, schedule: Every, policies: Policies, killed: bool
) -> None:
    scheduler = program.start()
    scheduler.add_spec(TaskSpec("done", schedule, Recipe(f"{__name__}:work"), policies), persist=True)
    scheduler.demand_task("done")
    clock.advance(30)
    assert scheduler.handle("done") is None
    again = program.restart(killed=killed)
    assert again.handle("done") is None
    assert program.events is not None
    assert [event for event in program.events.all if getattr(event, "name", "") == "done"] == []


def test_the_programs_own_task_wins_over_a_persons_of_the_same_name(program: Program) -> None:
    program.start().add_spec(TaskSpec("minute", Every(5), Recipe(f"{__name__}:work")), persist=True)
    (told,) = program.restart(minute).snapshot().tasks
    assert told.schedule == "every 1 min"


def test_what_cannot_be_made_any_more_is_said_and_not_lost(
    program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    program.start().add_spec(
        TaskSpec("fence", Every(60), Recipe(f"{__name__}:Painter", {"where": "fence"})), persist=True
    )
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "taskkit"):
        patch.delattr(f"{__name__}.Painter")
        again = program.restart(minute)
        assert [*again.scheduled] == ["minute"]
        assert program.scheduler is not None
        (notice,) = program.scheduler.store.notices
        assert "'fence' cannot be registered again" in notice
        assert "has no attribute 'Painter'" in notice
        assert [record.getMessage() for record in caplog.records] == [notice]
    assert "fence" in program.restart(minute).scheduled


def test_a_demand_that_waited_is_demanded_again(program: Program, killed: bool) -> None:
    calls: list[object] = []

    def body() -> None:
        calls.append(dict(current_run().parameters))
        if len(calls) == 1:
            current_run().handle.demand({"which": "second"})
            program.flush()
            if killed:
                program.kill()
                raise SystemExit  # as nothing follows

    def register(scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(body, "it")

    scheduler = program.start(register)
    scheduler.demand_task("it", {"which": "first"})
    if not killed:
        assert calls == [{"which": "first"}, {"which": "second"}]
        return
    program.start(register)
    assert calls == [{"which": "first"}, {"which": "second"}]


def test_a_retry_that_waited_is_tried(program: Program, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(fail, "it", retries=3, retry_delay=10)

    program.start(register).demand_task("it", {"parameter": 1})
    program.restart(register, after=4, killed=killed)
    clock.advance(5)
    assert len(program.runs("it")) == 1
    clock.advance(1)
    run = program.runs("it")[0].outcome
    assert (run.trigger, run.attempt, run.due) == (Trigger.RETRY, 2, START + 10)


def test_a_run_that_was_cut_off_shows_as_interrupted_and_is_not_run_again(
    program: Program, clock: ManualClock
) -> None:
    cut: list[bool] = []

    def body() -> None:
        if not cut:
            cut.append(True)
            clock.advance(3)
            program.kill()

    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, body, "cut")

    program.start(register)
    again = program.start(register)
    (run,) = program.runs("cut")
    assert run.outcome.kind is OutcomeKind.INTERRUPTED
    assert (run.outcome.due, run.outcome.started, run.session) == (START, START, 1)
    assert again.scheduled["cut"].next_run == START + 60
    assert again.scheduled["cut"].last_outcome == run.outcome


def test_a_run_that_waited_for_a_thread_is_still_to_come(
    program: Program, clock: ManualClock, killed: bool
) -> None:
    ran: list[tuple[str, float, Trigger, int, object]] = []

    def work() -> None:
        run = current_run()
        ran.append((run.name, run.due, run.trigger, run.attempt, run.parameters.get("copies")))

    def register(scheduler: Scheduler) -> None:
        scheduler.add_timed_task(START + 5, work, "once")
        scheduler.add_periodic_task(START + 6, 60, work, "last", max_runs=1)
        scheduler.add_on_demand_task(work, "demanded")
        scheduler.add_on_demand_task(fail, "retried", max_runs=1, retries=1, retry_delay=7)

    executor = Later()
    scheduler = program.start(register, threads=executor)
    scheduler.demand_task("retried")
    executor.work()
    clock.advance(8)
    scheduler.demand_task("demanded", {"copies": 3})
    assert sorted(scheduler.running) == ["demanded", "last", "once", "retried"]
    assert program.events is not None
    before = program.events

    again = program.restart(register, killed=killed)
    assert sorted(ran) == [
        ("demanded", START + 8, Trigger.DEMAND, 1, 3),
        ("last", START + 6, Trigger.SCHEDULE, 1, None),
        ("once", START + 5, Trigger.SCHEDULE, 1, None),
    ]
    assert [event.name for event in before.of(TaskUnregistered)] == []
    (retried,) = program.events.outcomes("retried")
    assert (retried.trigger, retried.attempt) == (Trigger.RETRY, 2)
    assert [*again.scheduled, *again.on_demand] == ["demanded"]
    assert [run.outcome.kind for run in program.runs("once")] == [
        OutcomeKind.SUCCEEDED,
        *([] if killed else [OutcomeKind.STOPPED]),
    ]


def test_what_a_person_stopped_before_it_began_does_not_come_back(
    program: Program, clock: ManualClock, killed: bool
) -> None:
    """The thread for it never came."""
    scheduler = program.start(threads=Later())
    for name, schedule, policies in (
        ("once", Once(START + 10), Policies()),
        ("demanded", OnDemand(), Policies(keep=False)),
    ):
        scheduler.add_spec(TaskSpec(name, schedule, Recipe(f"{__name__}:work"), policies), persist=True)
    scheduler.demand_task("demanded")
    clock.advance(10)
    program.flush()
    for name in ("once", "demanded"):
        assert scheduler.stop_task(name)
        assert scheduler.handle(name) is None
    assert program.restart(killed=killed).snapshot().tasks == ()


def test_a_handle_remembers_the_runs_of_earlier_lives(
    program: Program, clock: ManualClock, killed: bool
) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, Doing(lambda: print("a line"), fail), "it")

    def plain(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "it")

    scheduler = program.start(register)
    clock.advance(60)
    before = scheduler.scheduled["it"].history
    after = program.restart(plain, killed=killed).scheduled["it"].history
    assert [outcome.kind for outcome in after] == [OutcomeKind.SUCCEEDED, OutcomeKind.FAILED]
    assert after[-1] == before[-1]


def test_a_handle_remembers_its_last_run_however_often_it_was_skipped_since(
    program: Program, clock: ManualClock, killed: bool
) -> None:
    def failing(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, fail, "it")

    scheduler = program.start(failing)
    clock.advance(1)
    for number in range(50):  # for two reasons in turn, so that they do not become one
        pause = number % 2
        scheduler.pause() if pause else scheduler.disable_task("it")
        clock.advance(60)
        scheduler.resume() if pause else scheduler.enable_task("it")
    before = scheduler.scheduled["it"].last_outcome
    assert before is not None
    assert before.traceback
    again = program.restart(failing, killed=killed)
    assert again.scheduled["it"].last_outcome == before
    assert again.snapshot().figures.failing == 1


def test_what_is_registered_before_the_start_is_not_stored_before_it(
    program: Program, clock: ManualClock
) -> None:
    """Else a program that dies while it starts would forget how things stood."""
    program.start(six_hours)
    clock.advance(HOUR)
    program.stop()
    dies = PersistentScheduler(program.path, clock=clock, executor=InlineExecutor(), capture=False)
    six_hours(dies)
    assert dies.store.flush()
    dies.store.close()
    assert program.start(six_hours).scheduled["six hours"].next_run == START + 6 * HOUR


def test_a_store_can_be_given_to_a_running_scheduler(program: Program, clock: ManualClock) -> None:
    first = program.start(six_hours)
    first.add_spec(TaskSpec("fence", Every(60), Recipe(f"{__name__}:work")), persist=True)
    clock.advance(HOUR)
    program.stop()
    with (
        Store.open(program.path, clock=clock) as store,
        Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler,
    ):
        scheduler.add_periodic_task(START + 9 * HOUR, 6 * HOUR, work, "six hours")
        store.attach(scheduler)
        assert store.restore() == ["fence"]
        assert scheduler.scheduled["six hours"].next_run == START + 6 * HOUR
        clock.advance(60)
        assert store.flush()
        assert len(store.history("fence")) == 62


def test_a_name_that_is_no_unicode_is_a_name_all_the_same(program: Program, killed: bool) -> None:
    names = ["caf\udce9", "caf?", "café", "x" * 5000]

    def register(scheduler: Scheduler) -> None:
        for name in names:
            scheduler.add_periodic_task(None, 60, work, name)

    scheduler = program.start(register)
    scheduler.disable_task(names[0])
    again = program.restart(register, killed=killed)
    assert [name for name in names if again.scheduled[name].disabled] == [names[0]]
    assert {run.name for run in program.runs()} == {*names}


def closed(path: Path) -> bool:
    """True if no process has the store open."""
    try:
        Store.open(path).close()
    except StoreError:
        return False
    return True


def test_a_task_that_stops_its_scheduler_is_stored_to_its_end(tmp_path: Path) -> None:
    path, gates = tmp_path / "tasks.db", Gates()

    def last() -> str:
        scheduler.stop()
        gates()
        return "farewell"

    scheduler = PersistentScheduler(path, capture=False)
    scheduler.add_on_demand_task(last, "last")
    scheduler.start()
    scheduler.demand_task("last")
    eventually(lambda: gates.inside)
    assert not closed(path)
    gates.open()
    eventually(lambda: closed(path))
    (run,) = read_history(path)
    assert isinstance(run, StoredRun)
    assert (run.outcome.kind, run.outcome.result) == (OutcomeKind.STOPPED, "farewell")


def test_a_subscriber_that_stops_its_scheduler_does_not_wait_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    scheduler = PersistentScheduler(path, capture=False)
    flushed: list[bool] = []

    def stop(event: object) -> None:
        if isinstance(event, RunFinished):
            flushed.append(scheduler.store.flush(PATIENCE))
            scheduler.stop()

    scheduler.subscribe(stop)
    scheduler.add_on_demand_task(work, "it")
    scheduler.start()
    scheduler.demand_task("it")
    eventually(lambda: closed(path))
    assert flushed == [False]
    assert len(read_history(path)) == 1
