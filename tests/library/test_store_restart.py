"""After a restart everything is as it was: through a store, whether the program ended well or was killed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import START
from doing import Doing, fail
from lives import Lives
from patience import PATIENCE, Gates, eventually

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
    Trigger,
    current_run,
)
from taskkit.store import PersistentScheduler, Store, StoredRun, StoreError, read_history
from taskkit.testing import InlineExecutor, ManualClock

HOUR = 3600.0


def work() -> str:
    """What the specs of this file run."""
    return "done"


class Painter(Task):
    def __init__(self, where: Path, coats: int = 1) -> None:
        self.where = where
        self.coats = coats

    def run(self) -> str:
        return f"{self.where} {self.coats}"


@pytest.fixture
def lives(tmp_path: Path, clock: ManualClock) -> Iterator[Lives]:
    lives = Lives(tmp_path / "state" / "tasks.db", clock)
    yield lives
    lives.end()


@pytest.fixture(params=[False, True], ids=["ended", "killed"])
def killed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def six_hours(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 6 * HOUR, work, "six hours")


def minute(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 60, work, "minute")


def test_an_interval_that_had_an_hour_to_go_has_an_hour_to_go(
    lives: Lives, clock: ManualClock, killed: bool
) -> None:
    lives.begin(six_hours)
    clock.advance(5 * HOUR)
    again = lives.again(six_hours, killed=killed)
    handle = again.scheduled["six hours"]
    assert (handle.next_run, handle.run_count) == (START + 6 * HOUR, 1)


def test_what_fell_due_meanwhile_runs_once_late_and_is_counted(lives: Lives, killed: bool) -> None:
    lives.begin(minute)
    lives.again(minute, after=200, killed=killed)
    assert lives.events is not None
    (outcome,) = lives.events.outcomes("minute")
    assert (outcome.due, outcome.lateness, dict(outcome.skipped)) == (
        START + 60,
        140,
        {SkipReason.MISSED: 2},
    )


def test_what_fell_due_meanwhile_is_skipped_where_it_is_not_to_be_caught_up(lives: Lives) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "minute", catch_up=False)

    lives.begin(register)
    lives.again(register, after=200)
    assert lives.events is not None
    assert lives.events.outcomes("minute") == []
    assert lives.events.skips("minute") == {SkipReason.MISSED: 3}


def test_what_was_disabled_is_disabled(lives: Lives, killed: bool) -> None:
    lives.begin(minute).disable_task("minute")
    assert lives.again(minute, killed=killed).scheduled["minute"].disabled


def test_what_was_paused_is_paused(lives: Lives, killed: bool) -> None:
    lives.begin(minute).pause()
    again = lives.again(minute, killed=killed)
    assert again.paused
    again.resume()
    assert not lives.again(minute, killed=killed).paused


def test_a_one_shot_that_ran_does_not_run_again(lives: Lives, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_timed_task(START + 10, work, "once")

    lives.begin(register)
    clock.advance(20)
    again = lives.again(register, killed=killed)
    assert again.handle("once") is None
    assert len(lives.runs("once")) == 1


def test_a_one_shot_that_has_not_run_yet_runs(lives: Lives, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_timed_task(START + 10, work, "once")

    lives.begin(register)
    lives.again(register, after=60, killed=killed)
    assert [run.outcome.due for run in lives.runs("once")] == [START + 10]


def test_the_number_of_runs_counts_on(lives: Lives, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "thrice", max_runs=3)

    lives.begin(register)
    clock.advance(60)
    again = lives.again(register, killed=killed)
    clock.advance(300)
    assert len(lives.runs("thrice")) == 3
    assert again.handle("thrice") is None
    assert lives.again(register, killed=killed).handle("thrice") is None


def test_a_persons_schedule_stays_against_that_of_the_program(lives: Lives, killed: bool) -> None:
    lives.begin(minute).set_period("minute", 30, override=True)
    again = lives.again(minute, killed=killed)
    (told,) = again.snapshot().tasks
    assert (told.schedule, told.overrides) == ("every 30 s", "every 1 min")
    again.drop_override("minute")
    (told,) = lives.again(minute, killed=killed).snapshot().tasks
    assert (told.schedule, told.overrides) == ("every 1 min", None)


def test_the_programs_new_schedule_wins_over_its_old_one(lives: Lives) -> None:
    lives.begin(minute)

    def other(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 45, work, "minute")

    (told,) = lives.again(other, after=30).snapshot().tasks
    assert (told.schedule, told.next_run) == ("every 45 s", START + 75)


def test_what_a_person_registered_is_there_again(lives: Lives, clock: ManualClock, killed: bool) -> None:
    spec = TaskSpec(
        "fence",
        Every(60),
        Recipe.of(Painter, {"where": Path("fence"), "coats": 2}),
        Policies(timeout=5, description="The one in front"),
        enabled=False,
    )
    lives.begin(six_hours).add_spec(spec, keep=True)
    lives.flush()
    again = lives.again(six_hours, after=30, killed=killed)
    handle = again.scheduled["fence"]
    assert handle.disabled
    assert handle.policies == spec.policies
    again.enable_task("fence")
    clock.advance(31)
    assert lives.runs("fence")[0].outcome.result == "fence 2"


def test_what_a_person_registered_and_removed_is_gone(lives: Lives, killed: bool) -> None:
    spec = TaskSpec("fence", Every(60), Recipe(f"{__name__}:work"))
    scheduler = lives.begin()
    scheduler.add_spec(spec, keep=True)
    lives.flush()
    scheduler.unregister_task("fence")
    assert lives.again(killed=killed).snapshot().tasks == ()


@pytest.mark.parametrize(
    ("schedule", "policies"),
    [(Once(START + 10), Policies()), (OnDemand(), Policies(keep=False)), (Every(5), Policies(max_runs=2))],
    ids=["once", "on demand", "max_runs"],
)
def test_what_a_person_registered_and_is_done_is_not_there_again(
    lives: Lives, clock: ManualClock, schedule: Every, policies: Policies, killed: bool
) -> None:
    scheduler = lives.begin()
    scheduler.add_spec(TaskSpec("done", schedule, Recipe(f"{__name__}:work"), policies), keep=True)
    scheduler.demand_task("done")
    clock.advance(30)
    assert scheduler.handle("done") is None
    again = lives.again(killed=killed)
    assert again.handle("done") is None
    assert lives.events is not None
    assert [event for event in lives.events.all if getattr(event, "name", "") == "done"] == []


def test_the_programs_own_task_wins_over_a_persons_of_the_same_name(lives: Lives) -> None:
    lives.begin().add_spec(TaskSpec("minute", Every(5), Recipe(f"{__name__}:work")), keep=True)
    (told,) = lives.again(minute).snapshot().tasks
    assert told.schedule == "every 1 min"


def test_what_cannot_be_made_any_more_is_said_and_not_lost(
    lives: Lives, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lives.begin().add_spec(
        TaskSpec("fence", Every(60), Recipe(f"{__name__}:Painter", {"where": "fence"})), keep=True
    )
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "taskkit"):
        patch.delattr(f"{__name__}.Painter")
        again = lives.again(minute)
        assert [*again.scheduled] == ["minute"]
        assert lives.scheduler is not None
        (notice,) = lives.scheduler.store.notices
        assert "'fence' cannot be registered again" in notice
        assert "has no attribute 'Painter'" in notice
        assert [record.getMessage() for record in caplog.records] == [notice]
    assert "fence" in lives.again(minute).scheduled


def test_a_demand_that_waited_is_demanded_again(lives: Lives, killed: bool) -> None:
    calls: list[object] = []

    def body() -> None:
        calls.append(dict(current_run().parameters))
        if len(calls) == 1:
            current_run().handle.demand({"which": "second"})
            lives.flush()
            if killed:
                lives.kill()
                raise SystemExit  # as nothing follows

    def register(scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(body, "it")

    scheduler = lives.begin(register)
    scheduler.demand_task("it", {"which": "first"})
    if not killed:
        assert calls == [{"which": "first"}, {"which": "second"}]
        return
    lives.begin(register)
    assert calls == [{"which": "first"}, {"which": "second"}]


def test_a_retry_that_waited_is_tried(lives: Lives, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(fail, "it", retries=3, retry_delay=10)

    lives.begin(register).demand_task("it", {"parameter": 1})
    lives.again(register, after=4, killed=killed)
    clock.advance(5)
    assert len(lives.runs("it")) == 1
    clock.advance(1)
    run = lives.runs("it")[0].outcome
    assert (run.trigger, run.attempt, run.due) == (Trigger.RETRY, 2, START + 10)


def test_a_run_that_was_cut_off_shows_as_interrupted_and_is_not_run_again(
    lives: Lives, clock: ManualClock
) -> None:
    cut: list[bool] = []

    def body() -> None:
        if not cut:
            cut.append(True)
            clock.advance(3)
            lives.kill()

    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, body, "cut")

    lives.begin(register)
    again = lives.begin(register)
    (run,) = lives.runs("cut")
    assert run.outcome.kind is OutcomeKind.INTERRUPTED
    assert (run.outcome.due, run.outcome.started, run.session) == (START, START, 1)
    assert again.scheduled["cut"].next_run == START + 60
    assert again.scheduled["cut"].last_outcome == run.outcome


def test_a_run_that_waited_for_a_thread_is_still_to_come(tmp_path: Path) -> None:
    path, gates = tmp_path / "tasks.db", Gates()
    with PersistentScheduler(path, max_threads=1, capture=False) as scheduler:
        scheduler.add_timed_task(None, gates, "first")
        eventually(lambda: gates.inside)
        scheduler.add_timed_task(1_000_000_000, gates, "waits")
        eventually(lambda: "waits" in scheduler.running)
        assert scheduler.store.flush()
        copied = tmp_path / "copied.db"
        for ending in ("", "-wal"):
            Path(f"{copied}{ending}").write_bytes(Path(f"{path}{ending}").read_bytes())
        gates.open()
    with PersistentScheduler(copied, capture=False) as again:
        again.add_timed_task(1_000_000_000, gates, "waits")
        eventually(lambda: len(again.store.history("waits")) == 1)
        (run,) = again.store.history("waits")
        assert isinstance(run, StoredRun)
        assert run.outcome.kind is OutcomeKind.SUCCEEDED


def test_a_handle_remembers_the_runs_of_earlier_lives(lives: Lives, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, Doing(lambda: print("a line"), fail), "it")

    def plain(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, work, "it")

    scheduler = lives.begin(register)
    clock.advance(60)
    before = scheduler.scheduled["it"].history
    after = lives.again(plain, killed=killed).scheduled["it"].history
    assert [outcome.kind for outcome in after] == [OutcomeKind.SUCCEEDED, OutcomeKind.FAILED]
    assert after[-1] == before[-1]


def test_a_handle_remembers_its_last_run_however_often_it_was_skipped_since(
    lives: Lives, clock: ManualClock, killed: bool
) -> None:
    def failing(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 60, fail, "it")

    scheduler = lives.begin(failing)
    clock.advance(1)
    for number in range(50):  # for two reasons in turn, so that they do not become one
        pause = number % 2
        scheduler.pause() if pause else scheduler.disable_task("it")
        clock.advance(60)
        scheduler.resume() if pause else scheduler.enable_task("it")
    before = scheduler.scheduled["it"].last_outcome
    assert before is not None
    assert before.traceback
    again = lives.again(failing, killed=killed)
    assert again.scheduled["it"].last_outcome == before
    assert again.snapshot().figures.failing == 1


def test_what_is_registered_before_the_start_is_not_stored_before_it(
    lives: Lives, clock: ManualClock
) -> None:
    """Else a program that dies while it starts would forget how things stood."""
    lives.begin(six_hours)
    clock.advance(HOUR)
    lives.end()
    dies = PersistentScheduler(lives.path, clock=clock, executor=InlineExecutor(), capture=False)
    six_hours(dies)
    assert dies.store.flush()
    dies.store.close()
    assert lives.begin(six_hours).scheduled["six hours"].next_run == START + 6 * HOUR


def test_a_store_can_be_given_to_a_scheduler_that_goes_on(lives: Lives, clock: ManualClock) -> None:
    first = lives.begin(six_hours)
    first.add_spec(TaskSpec("fence", Every(60), Recipe(f"{__name__}:work")), keep=True)
    clock.advance(HOUR)
    lives.end()
    with (
        Store.open(lives.path, clock=clock) as store,
        Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler,
    ):
        scheduler.add_periodic_task(START + 9 * HOUR, 6 * HOUR, work, "six hours")
        store.attach(scheduler)
        assert store.restore() == ["fence"]
        assert scheduler.scheduled["six hours"].next_run == START + 6 * HOUR
        clock.advance(60)
        assert store.flush()
        assert len(store.history("fence")) == 62


def test_a_name_that_is_no_unicode_is_a_name_all_the_same(lives: Lives, killed: bool) -> None:
    names = ["caf\udce9", "caf?", "café", "x" * 5000]

    def register(scheduler: Scheduler) -> None:
        for name in names:
            scheduler.add_periodic_task(None, 60, work, name)

    scheduler = lives.begin(register)
    scheduler.disable_task(names[0])
    again = lives.again(register, killed=killed)
    assert [name for name in names if again.scheduled[name].disabled] == [names[0]]
    assert {run.name for run in lives.runs()} == {*names}


def closed(path: Path) -> bool:
    """Whether nobody has the store any more."""
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
